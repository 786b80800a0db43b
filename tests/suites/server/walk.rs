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

use super::client::{Answer, Client};
use super::town::{HERE, Place, THERE, Town, is_refused};

const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];

/// What a request is about, as far as rights go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Nothing in particular: who may do it anywhere may do it here.
    Nothing,
    /// The store as a whole.
    Instance,
    /// The incident of the place.
    Incident,
}

/// A request that who may is granted.
#[derive(Debug)]
struct Honest {
    of: Of,
    path: String,
    body: Option<Value>,
}

/// Honest requests for a route, of this place. A route that is not here fails the walk: it can not
/// be said that it is shut.
fn honest(route: &Declared, place: &Place) -> Vec<Honest> {
    let Place { incident, run, gate: (gate, digest), evidence, line } = place;
    let path = route.path.replace("{digest}", evidence);
    let path = match path.as_str() {
        path if path.starts_with("/api/v1/incidents/") => path.replace("{id}", incident),
        path if path.starts_with("/api/v1/runs/") => path.replace("{id}", run),
        path if path.starts_with("/api/v1/needs/") => path.replace("{id}", gate),
        path if path.starts_with("/api/v1/playbooks/") => path.replace("{id}", "hall"),
        path if path.starts_with("/api/v1/me/") => path.replace("{id}", "passkey-0"),
        path => path.replace("{name}", "siem"),
    };
    let one = |of, body| vec![Honest { of, path: path.clone(), body }];
    let why = || Some(json!({"reason": "a drill of doors"}));
    let launched =
        |key: &str| json!({"playbook": "hall", "inputs": {"hosts": ["pc-a1"]}, "start_key": key});
    let approve = json!({"answer": "approve", "digest": digest});
    match (route.method, route.path.as_str()) {
        (
            "GET",
            "/api/v1/runs/{id}"
            | "/api/v1/runs/{id}/events"
            | "/api/v1/incidents/{id}"
            | "/api/v1/incidents/{id}/briefing"
            | "/api/v1/incidents/{id}/timeline"
            | "/api/v1/incidents/{id}/timeline/review"
            | "/api/v1/incidents/{id}/metrics"
            | "/api/v1/incidents/{id}/story"
            | "/api/v1/incidents/{id}/evidence/{digest}",
        ) => one(Of::Incident, None),
        ("GET", "/api/v1/needs") => {
            let filtered =
                |query| Honest { of: Of::Incident, path: format!("{path}?{query}"), body: None };
            let mut all = one(Of::Nothing, None);
            all.extend([filtered(format!("run={run}")), filtered(format!("incident={incident}"))]);
            all
        }
        ("GET", "/api/v1/runs") => {
            let path = format!("{path}?incident={incident}");
            let mut all = one(Of::Nothing, None);
            all.push(Honest { of: Of::Incident, path, body: None });
            all
        }
        ("GET", "/api/v1/runs/{id}/outlook") => {
            vec![Honest { of: Of::Incident, path: format!("{path}?playbook=hall"), body: None }]
        }
        ("GET", "/metrics") => one(Of::Instance, None),
        // Playbooks are nobody's, and a list is of what its reader sees.
        ("GET", path) if !path.contains('{') || path.starts_with("/api/v1/playbooks/") => {
            one(Of::Nothing, None)
        }
        (_, path) if path.starts_with("/api/v1/me/") || path.starts_with("/api/v1/session") => {
            one(Of::Nothing, of_oneself(route))
        }
        ("POST", "/api/v1/playbooks/check") => one(Of::Nothing, Some(json!({"text": "x"}))),
        ("POST", "/api/v1/stop" | "/api/v1/go-on") => one(Of::Instance, why()),
        ("POST", "/api/v1/incidents") => one(Of::Instance, Some(json!({"title": "Smoke"}))),
        ("POST", "/api/v1/runs") => {
            let mut inside = launched("walk-inside");
            inside["incident"] = json!(incident);
            let mut all = one(Of::Instance, Some(launched("walk")));
            all.extend(one(Of::Incident, Some(inside)));
            all
        }
        ("POST", "/api/v1/needs/{id}") => one(Of::Incident, Some(approve)),
        ("POST", "/api/v1/needs/answers") => {
            let mut approve = approve;
            approve["id"] = json!(gate);
            one(Of::Incident, Some(json!({"answers": [approve]})))
        }
        _ => one(Of::Incident, Some(written(route, line))),
    }
}

/// What is done with one's own account and session.
fn of_oneself(route: &Declared) -> Option<Value> {
    match (route.method, route.path.as_str()) {
        ("DELETE", "/api/v1/session" | "/api/v1/me/passkeys/{id}")
        | ("POST", "/api/v1/me/passkeys/challenge" | "/api/v1/session/proof/challenge") => None,
        ("POST", "/api/v1/me/passkeys") => {
            Some(json!({"title": "x", "challenge": "challenge-0", "credential": {}}))
        }
        ("POST", "/api/v1/me/passphrase") => {
            Some(json!({"passphrase": "x", "new": "blauer Kran am Hafen"}))
        }
        ("POST", "/api/v1/session/proof") => Some(json!({"passphrase": "x"})),
        other => panic!("{other:?} is a new door: say here how it is asked for"),
    }
}

/// What is written to an incident or a run.
fn written(route: &Declared, line: &str) -> Value {
    match (route.method, route.path.as_str()) {
        ("PATCH", "/api/v1/incidents/{id}") => json!({"severity": 2}),
        ("POST", "/api/v1/incidents/{id}/notes") => json!({"text": "seen"}),
        ("POST", "/api/v1/incidents/{id}/stars") => json!({"line": line, "starred": true}),
        ("POST", "/api/v1/incidents/{id}/story") => json!({"line": line}),
        ("POST", "/api/v1/incidents/{id}/assets") => {
            json!({"kind": "host", "values": ["pc-a2"], "state": "suspected"})
        }
        ("POST", "/api/v1/incidents/{id}/roles") => json!({"role": "scribe", "person": "cleo"}),
        ("POST", "/api/v1/incidents/{id}/handover") => json!({"withdraw": true}),
        ("POST", "/api/v1/incidents/{id}/evidence") => json!({"name": "x", "base64": "eA=="}),
        ("POST", "/api/v1/incidents/{id}/calls") => {
            json!({"action": "network.isolate", "with": {"host": "pc-a1"}, "reason": "x"})
        }
        ("POST", "/api/v1/runs/{id}/unpause") => json!({}),
        (
            "POST",
            "/api/v1/runs/{id}/pause" | "/api/v1/runs/{id}/cancel" | "/api/v1/runs/{id}/undo",
        ) => {
            json!({"reason": "a drill of doors"})
        }
        ("POST", "/api/v1/runs/{id}/signal") => json!({"name": "go", "key": "walk"}),
        ("POST", "/api/v1/runs/{id}/more") => {
            json!({"inputs": {"hosts": ["pc-a2"]}, "start_key": "walk-more"})
        }
        ("POST", "/api/v1/runs/{id}/supersede") => {
            json!({"playbook": "hall", "reason": "a drill of doors"})
        }
        other => panic!("{other:?} is a new door: say here how it is asked for"),
    }
}

/// Asks by somebody who shows this line. An answer without an end is read to its first frame.
fn asked(client: &Client, method: &str, honest: &Honest, shown: (&str, &str)) -> Answer {
    if method == "GET" && honest.path.ends_with("/events") {
        return client.listen(&honest.path, &[shown], |body| body.contains("\n\n"));
    }
    let body = honest.body.as_ref().map(ToString::to_string);
    // As a page of the server itself: nothing but the credential shuts the door.
    let origin = format!("http://{}", client.address);
    let mut lines = vec![shown, ("Origin", &origin)];
    if method == "PATCH" {
        lines.push(("If-Match", "\"1\""));
    }
    client.ask((method, &honest.path), &lines, body.as_deref())
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
                let path = route.path.replace("{name}", "siem");
                vec![Honest { of: Of::Nothing, path, body: None }]
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
                let answer = asked(town.client(), method, honest, (name, value));
                let path = &honest.path;
                let wanted = match (open, *method, path.as_str()) {
                    // Logging in wants words, and none are sent; an alert wants a signature.
                    (true, "POST", "/api/v1/session" | "/api/v1/session/challenge") => 415,
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
            Right::Public => route.path.replace("{name}", "siem"),
            Right::LoggedIn | Right::Needs(_) | Right::NeedsThere(_) => {
                honest(&route, &place).remove(0).path
            }
        };
        let (path, _) = path.split_once('?').unwrap_or((&path, ""));
        let path = format!("{path}/one/step/beside");
        for (name, value) in &askers {
            let beside = Honest { of: Of::Nothing, path: path.clone(), body: None };
            let answer = asked(town.client(), route.method, &beside, (name, value));
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
        Right::Public | Right::LoggedIn if path.starts_with("/api/v1/needs/") => {
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
    // What stops everything comes last: much else is refused from then on.
    let (stops, others): (Vec<_>, Vec<_>) = private()
        .into_iter()
        .partition(|route| ["/api/v1/stop", "/api/v1/go-on"].contains(&route.path.as_str()));
    for routes in [others, stops] {
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
    let answer = asked(town.client(), route.method, honest, (name, &value));
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
                let answer = asked(town.client(), route.method, &honest, (name, &value));
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
