//! Through every door: each route with each method, by those who are nobody, by those who were
//! somebody, by each role, and by each role of another town. What is expected comes from the table
//! of routes and from the table of roles, never from the handlers.

use std::collections::BTreeMap;

use beistand_core::access::{Permission, may, stands_in};
use beistand_core::model::Role;
use beistand_tests::program::DEADLINE;
use beistand_tests::tool::wait_for;
use beistand_web::{Declared, Right, SESSION_COOKIE, table};
use serde_json::{Value, json};

use super::doors::{Body, Honest, Of, asked, honest, is_page};
use super::town::{HERE, Place, THERE, Town, is_refused};

const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];

/// The address of what is there for everybody.
fn for_all(town: &Town, path: &str) -> String {
    if !path.starts_with("/assets/") {
        return path.replace("{name}", "siem");
    }
    let page = town.client().get("/login", None).body;
    let (_, from) = page.split_once("href=\"/assets/").expect("a page has its own look");
    format!("/assets/{}", from.split('"').next().unwrap())
}

fn bearer(token: &str) -> (&'static str, String) {
    ("Authorization", format!("Bearer {token}"))
}

/// Lines that show who somebody was, or might be, and is not.
fn nobodies(town: &Town) -> BTreeMap<&'static str, (&'static str, String)> {
    let as_cookie = |value: &str| ("Cookie", format!("{SESSION_COOKIE}={value}"));
    let soon = format!("{}", beistand_core::model::Millis::new(0));
    let alive = town.account("alma", &["--role", "commander"]);
    let ended = town.token("alma", &["--until", &soon]);
    let removed = town.token("alma", &[]);
    town.as_root(&["user", "remove", &removed.id]);
    let left = town.cookie("alma");
    let origin = format!("http://{}", town.client().address);
    let lines = [("Cookie", left.as_str()), ("Origin", origin.as_str())];
    assert_eq!(town.client().ask(("DELETE", "/api/v1/session"), &lines, None).status, 204);
    let locked = town.account("lukas", &["--role", "commander"]);
    let of_locked = town.cookie("lukas");
    town.as_root(&["user", "lock", "lukas"]);
    let me = town.client().get("/api/v1/me", Some(&alive.token));
    assert_eq!(
        me.status, 200,
        "one of them is somebody, so that a dead one is no accident: {me:?}"
    );
    let session = town.cookie("alma");
    let session = session.split_once('=').unwrap().1;
    BTreeMap::from([
        ("no credential", ("X-User", "root".to_owned())),
        ("rubbish", bearer("rubbish")),
        ("a token without a signature", bearer("eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0.")),
        ("a rubbish cookie", as_cookie("rubbish")),
        ("a token that has ended", bearer(&ended.token)),
        ("a token that was taken back", bearer(&removed.token)),
        ("a token of a locked account", bearer(&locked.token)),
        ("a session that was left", ("Cookie", left)),
        ("a session of a locked account", ("Cookie", of_locked)),
        ("a session as a token", bearer(session)),
        ("a token as a session", as_cookie(&alive.token)),
        (
            "a passphrase",
            ("Authorization", "Basic YWxtYTpncsO8bmVyIFphdW4gYW0gRmx1c3M=".to_owned()),
        ),
    ])
}

#[test]
fn no_credential_that_is_none_any_more_and_no_method_opens_a_door() {
    let town = Town::new(&json!({}), &BTreeMap::new());
    let place = town.place(HERE, &["pc-a1"]);
    let nobodies = nobodies(&town);
    let declared = table().declared();
    let before = town.journal();
    let mut doors = 0;
    for route in &declared {
        // The place is there, so that nothing but the credential shuts the door.
        let honest = match route.right {
            Right::Public => {
                let path = for_all(&town, &route.path);
                vec![Honest { of: Of::Nothing, path, body: Body::None }]
            }
            Right::LoggedIn | Right::Needs(_) | Right::NeedsThere(_) => honest(route, &place),
        };
        for (method, honest) in METHODS.iter().flat_map(|one| honest.iter().map(move |h| (one, h)))
        {
            let asks = |one: &&Declared| {
                one.path == route.path
                    && (one.method == *method || (one.method, *method) == ("GET", "HEAD"))
            };
            let open = declared.iter().find(asks).is_some_and(|one| one.right == Right::Public);
            for (who, (name, value)) in &nobodies {
                let answer = asked(town.client(), method, honest, &[(name, value)]);
                let path = &honest.path;
                let wanted = match (open, *method, path.as_str()) {
                    // Logging in wants words, and none are sent; an alert wants a signature.
                    (
                        true,
                        "POST",
                        "/api/v1/session" | "/api/v1/session/challenge" | "/login" | "/show",
                    ) => 415,
                    (false, ..) | (true, "POST", _) => 401,
                    // This town has no identity provider.
                    (true, _, "/api/v1/session/sso" | "/api/v1/session/sso/return") => 404,
                    (true, ..) => 200,
                };
                assert_eq!(answer.status, wanted, "{method} {path} by {who}: {answer:?}");
                doors += 1;
            }
        }
    }
    assert!(doors > 4_000, "{doors} doors are not all of them");
    assert_eq!(town.journal(), before);
}

#[test]
fn who_is_nobody_is_shown_where_to_log_in_and_a_form_of_theirs_does_nothing() {
    let town = Town::new(&json!({}), &BTreeMap::new());
    let place = town.place(HERE, &["pc-a1"]);
    let nobodies = nobodies(&town);
    let before = town.journal();
    let pages = private().into_iter().filter(is_page).collect::<Vec<_>>();
    let mut doors = 0;
    for (method, route) in METHODS.iter().flat_map(|one| pages.iter().map(move |r| (*one, r))) {
        for honest in honest(route, &place) {
            for (who, (name, value)) in &nobodies {
                let lines = [(*name, value.as_str()), ("Accept", "text/html")];
                let answer = asked(town.client(), method, &honest, &lines);
                let told = format!("{method} {} by {who}: {answer:?}", honest.path);
                let looks = ["GET", "HEAD", "OPTIONS", "TRACE"].contains(&method);
                assert_eq!(answer.status, if looks { 303 } else { 401 }, "{told}");
                let to = answer.header("location").unwrap_or_default();
                assert_eq!(to.starts_with("/login?next=%2F"), looks, "{told}");
                assert!(!answer.whole().contains("The hall is dark"), "{told}");
                doors += 1;
            }
        }
    }
    assert!(doors > 3_000, "{doors} doors are not all of them");
    assert_eq!(town.journal(), before);
}

#[test]
fn what_was_taken_back_is_gone_at_once_though_it_was_used_a_moment_before() {
    let town = Town::new(&json!({}), &BTreeMap::new());
    let alma = town.account("alma", &["--role", "commander"]);
    let second = town.token("alma", &[]);
    let [first, left, kept] =
        [bearer(&alma.token), ("Cookie", town.cookie("alma")), ("Cookie", town.cookie("alma"))];
    let second_line = bearer(&second.token);
    let status = |path: &str, (name, value): &(&'static str, String)| {
        town.client().ask(("GET", path), &[(name, value)], None).status
    };
    let me = |line: &(&'static str, String)| status("/api/v1/me", line);
    let used = || [&first, &second_line, &left, &kept].map(me);
    assert_eq!(used(), [200; 4]);
    let origin = format!("http://{}", town.client().address);
    let lines = [("Cookie", left.1.as_str()), ("Origin", origin.as_str())];
    assert_eq!(town.client().ask(("DELETE", "/api/v1/session"), &lines, None).status, 204);
    assert_eq!(used(), [200, 200, 401, 200]);
    // With what somebody logs in by, their sessions go as well.
    town.as_root(&["user", "remove", &second.id]);
    assert_eq!(used(), [200, 401, 401, 401]);
    assert_eq!(status("/api/v1/incidents", &first), 200);
    town.as_root(&["user", "revoke", "alma", "commander"]);
    assert_eq!(status("/api/v1/incidents", &first), 403);
    town.as_root(&["user", "lock", "alma"]);
    assert_eq!(used(), [401; 4]);
}

#[test]
fn beside_each_door_there_is_nothing_whoever_asks_and_the_same_is_said_to_all() {
    let town = Town::new(&json!({}), &BTreeMap::new());
    let place = town.place(HERE, &["pc-a1"]);
    let mut askers: Vec<_> = nobodies(&town).into_values().collect();
    askers.push(bearer(&town.leads));
    askers.push(("Cookie", town.cookie("cleo")));
    let mut said = BTreeMap::new();
    for route in table().declared() {
        let path = match route.right {
            Right::Public => for_all(&town, &route.path),
            Right::LoggedIn | Right::Needs(_) | Right::NeedsThere(_) => {
                honest(&route, &place).remove(0).path
            }
        };
        let (path, _) = path.split_once('?').unwrap_or((&path, ""));
        let path = format!("{}/one/step/beside", path.trim_end_matches('/'));
        for (name, value) in &askers {
            let beside = Honest { of: Of::Nothing, path: path.clone(), body: Body::None };
            let answer = asked(town.client(), route.method, &beside, &[(name, value)]);
            assert_eq!(answer.status, 404, "{} {path} by {name}: {answer:?}", route.method);
            let mut told = answer.json();
            told["reference"] = Value::Null;
            said.insert(told.to_string(), path.clone());
        }
    }
    assert_eq!(said.len(), 1, "{said:?}");
}

/// The permission that a route wants and whether a role has it.
fn has(role: Role, right: Right, path: &str) -> (Option<Permission>, bool) {
    match right {
        // To accept it is enough to read; the walk withdraws, and the engine asks for more.
        Right::NeedsThere(_) if path.ends_with("/handover") => {
            (Some(Permission::Assign), may(role, Permission::Assign))
        }
        Right::Needs(one) | Right::NeedsThere(one) => (Some(one), may(role, one)),
        Right::Public | Right::LoggedIn if path.contains("/needs/") => {
            // The gate asks an approver, and the engine asks for the right to vote.
            let votes = may(role, Permission::Approve) && stands_in(role, Role::Approver);
            (None, votes)
        }
        Right::Public | Right::LoggedIn => (None, true),
    }
}

fn private() -> Vec<Declared> {
    table().declared().into_iter().filter(|route| route.right != Right::Public).collect()
}

#[test]
fn each_role_opens_the_doors_that_its_table_names_and_no_other() {
    let town = Town::new(&json!({}), &BTreeMap::new());
    let mut places: Vec<(Role, String, Place)> = Vec::new();
    for role in Role::ALL {
        let account = format!("of-{role}");
        let token = town.account(&account, &["--role", role.as_str()]).token;
        places.push((*role, token, town.place(HERE, &["pc-a1"])));
    }
    // What ends an incident, and what stops everything, comes last: much is refused from then on.
    let ends = |route: &Declared| route.path.ends_with("/close");
    let stops = |route: &Declared| ["/stop", "/go-on"].iter().any(|end| route.path.ends_with(end));
    let (last, others): (Vec<_>, Vec<_>) =
        private().into_iter().partition(|route| ends(route) || stops(route));
    let (stops, ends): (Vec<_>, Vec<_>) = last.into_iter().partition(stops);
    for routes in [others, ends, stops] {
        for (role, token, place) in &places {
            for route in &routes {
                for honest in honest(route, place) {
                    opens_as_the_table_says(&town, (*role, token), (route, &honest));
                }
            }
        }
    }
}

fn opens_as_the_table_says(
    town: &Town,
    (role, token): (Role, &str),
    (route, honest): (&Declared, &Honest),
) {
    let (wanted, may) = has(role, route.right, &route.path);
    let (name, value) = bearer(token);
    let answer = asked(town.client(), route.method, honest, &[(name, &value)]);
    let told = format!("{} {} by {role}: {answer:?}", route.method, honest.path);
    if may {
        assert!(!is_refused(&answer), "{told}");
        assert!(![404, 405, 415].contains(&answer.status), "{told}");
        assert!(answer.status < 500, "{told}");
    } else {
        assert_eq!(answer.status, 403, "{told}");
        let lacks = wanted.map(Permission::as_str).map_or(Value::Null, Value::from);
        assert_eq!(answer.json()["permission"], lacks, "{told}");
    }
}

#[test]
fn a_role_in_another_town_opens_nothing_here_and_changes_nothing() {
    let town = Town::new(&json!({}), &BTreeMap::new());
    let (here, there) = (town.place(HERE, &["pc-a1"]), town.place(THERE, &["pc-b1"]));
    let mut people: Vec<(Option<Role>, String)> = Vec::new();
    for role in Role::ALL {
        let account = format!("of-{role}");
        let token = town.account(&account, &["--role", role.as_str(), "--for", THERE]).token;
        town.as_root(&["user", "grant", &account, role.as_str(), "--in", &there.incident]);
        people.push((Some(*role), token));
    }
    people.push((None, town.account("nobody", &[]).token));
    let before = town.journal();
    for (role, token) in &people {
        let (name, value) = bearer(token);
        for route in &private() {
            for honest in honest(route, &here) {
                let may = match route.right {
                    Right::Needs(one) | Right::NeedsThere(one) => {
                        role.is_some_and(|role| may(role, one))
                    }
                    Right::Public | Right::LoggedIn => true,
                };
                let answer = asked(town.client(), route.method, &honest, &[(name, &value)]);
                let told = format!("{} {} by {role:?}: {answer:?}", route.method, honest.path);
                match (honest.of, may) {
                    (Of::Nothing, true) => assert!(!is_refused(&answer), "{told}"),
                    (Of::Incident, true) => {
                        assert!([403, 404].contains(&answer.status), "{told}");
                        assert!(is_refused(&answer) || answer.status == 404, "{told}");
                        // Not even that it is there: what nobody ever made is answered alike.
                        assert!(!answer.body.contains("The hall is dark"), "{told}");
                    }
                    (Of::Instance, _) | (_, false) => assert_eq!(answer.status, 403, "{told}"),
                }
                assert!(answer.status < 500, "{told}");
            }
        }
    }
    assert_eq!(town.journal(), before, "somebody of another town did something");
    // They are not lame: at home they do what their role may.
    let scribe = people.iter().find(|(role, _)| *role == Some(Role::Scribe)).unwrap();
    let path = format!("/api/v1/incidents/{}/notes", there.incident);
    let noted = town.client().post(&path, &scribe.1, &json!({"text": "at home"}));
    assert_eq!(noted.status, 200, "{noted:?}");
}

#[test]
fn what_somebody_may_ends_with_the_grant_and_not_with_the_session() {
    let town = Town::new(&json!({}), &BTreeMap::new());
    let token = town.account("bert", &["--role", "commander"]).token;
    let cookie = town.cookie("bert");
    let by =
        |line: (&str, &str)| town.client().ask(("GET", "/api/v1/incidents"), &[line], None).status;
    let (name, value) = bearer(&token);
    assert_eq!((by((name, &value)), by(("Cookie", &cookie))), (200, 200));
    town.as_root(&["user", "revoke", "bert", "commander"]);
    assert_eq!((by((name, &value)), by(("Cookie", &cookie))), (403, 403));
    // A role that ends by itself ends so, too.
    let until = beistand_core::model::Millis::new(now_millis() + 1_500).to_string();
    town.as_root(&["user", "grant", "bert", "reviewer", "--until", &until]);
    let over = || Ok((by((name, &value)) == 403).then_some(()));
    wait_for("the end of a role", DEADLINE, over).unwrap();
}

fn now_millis() -> i64 {
    use beistand_runtime::Clock as _;
    beistand_runtime::WallClock.now().get()
}
