//! How each door is knocked at: honest requests for every route of the table, to the interface as JSON
//! and to the pages as their forms send it. A route of which nothing stands here fails whoever walks.

use beistand_web::Declared;
use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::town::Place;

/// What a page's form is sent as.
const FORM: &str = "application/x-www-form-urlencoded";

/// Before the address of whatever is about a drill.
const DRILL: &str = "/drill";

/// Method, live address, what it is about, and what is sent or asked.
type Line = (&'static str, &'static str, Of, &'static str);

/// Every page, at its live address, and what its form sends or its address asks for: one more page is
/// one more line here. The words in capitals stand for what the place has.
const PAGES: &[Line] = &[
    ("GET", "/", Of::Nothing, ""),
    ("GET", "/assets/{build}/{name}", Of::Nothing, ""),
    ("POST", "/show", Of::Nothing, "lang=de&next=%2F"),
    ("GET", "/login", Of::Nothing, ""),
    ("POST", "/login", Of::Nothing, "account=x&passphrase=x"),
    ("POST", "/proof", Of::Nothing, "next=%2Fme"),
    ("POST", "/logout", Of::Nothing, ""),
    ("POST", "/stop", Of::Instance, "reason=a+drill+of+doors"),
    ("POST", "/go-on", Of::Instance, "reason=a+drill+of+doors"),
    ("GET", "/incidents/new", Of::Instance, ""),
    ("POST", "/incidents/new", Of::Instance, "title=Smoke&mode=drill&severity=2&tlp=AMBER"),
    ("GET", "/incidents/{id}", Of::Incident, ""),
    ("GET", "/incidents/{id}/briefing", Of::Incident, ""),
    ("GET", "/incidents/{id}/timeline", Of::Incident, ""),
    ("GET", "/incidents/{id}/timeline/line", Of::Incident, "line=LINE"),
    ("POST", "/incidents/{id}/timeline/mark", Of::Incident, "line=LINE&act=star"),
    ("GET", "/incidents/{id}/report", Of::Incident, ""),
    ("GET", "/incidents/{id}/real", Of::Instance, ""),
    ("POST", "/incidents/{id}/real", Of::Instance, ""),
    ("POST", "/incidents/{id}/notes", Of::Incident, "text=seen&at=&by="),
    ("POST", "/incidents/{id}/edit", Of::Incident, "seq=1&severity=2&title=&tlp=&reason="),
    ("POST", "/incidents/{id}/close", Of::Incident, "reason=a+drill+of+doors"),
    ("POST", "/incidents/{id}/assets", Of::Incident, "kind=host&values=pc-a2&state=suspected"),
    ("POST", "/incidents/{id}/link", Of::Incident, "organisation=stadt-a"),
    ("POST", "/incidents/{id}/roles", Of::Incident, "role=scribe&person=cleo"),
    ("POST", "/incidents/{id}/handover", Of::Incident, "act=withdraw"),
    ("GET", "/me", Of::Nothing, ""),
    ("POST", "/me/sessions/end", Of::Nothing, "session=x"),
    ("POST", "/me/passkeys/remove", Of::Nothing, "id=x"),
    ("POST", "/me/passphrase", Of::Nothing, "passphrase=x&new=blauer+Kran+am&again=blauer+Kran+am"),
    ("GET", "/people", Of::Instance, ""),
    ("POST", "/people/add", Of::Instance, "account=pia&person=&role=&new=blauer+Kran+am+Hafen"),
    ("POST", "/people/lock", Of::Instance, "account=cleo&act=unlock"),
    ("POST", "/people/grant", Of::Instance, "act=grant&person=pia&role=scribe"),
    ("GET", "/health", Of::Instance, ""),
    ("GET", "/audit", Of::Instance, ""),
    ("GET", "/help", Of::Nothing, ""),
    ("GET", "/accessibility", Of::Nothing, ""),
    ("GET", "/break-glass", Of::Nothing, ""),
    ("GET", "/needs", Of::Nothing, ""),
    ("GET", "/needs", Of::Incident, "incident=INCIDENT"),
    ("GET", "/needs/{id}", Of::Incident, ""),
    ("POST", "/needs/{id}", Of::Incident, "answer=approve&digest=DIGEST&reason="),
    ("GET", "/runs/{id}", Of::Incident, ""),
    ("GET", "/runs/{id}/step", Of::Incident, "path=both%2Fvote%2Fgate"),
    ("POST", "/runs/{id}/pause", Of::Incident, "reason=a+drill+of+doors"),
    ("POST", "/runs/{id}/unpause", Of::Incident, ""),
    ("POST", "/runs/{id}/cancel", Of::Incident, "reason=a+drill+of+doors"),
    ("POST", "/runs/{id}/undo", Of::Incident, "all=yes&reason=a+drill+of+doors"),
    ("POST", "/runs/{id}/signal", Of::Incident, "name=go&key=walk&path=both%2Fcome%2Fcalled"),
    ("GET", "/runs/{id}/sheet", Of::Incident, ""),
    ("GET", "/runs/{id}/more", Of::Incident, ""),
    ("POST", "/runs/{id}/more", Of::Incident, "step=review&start_key=walk-more&in.hosts=pc-a2"),
    ("GET", "/runs/{id}/supersede", Of::Incident, ""),
    ("POST", "/runs/{id}/supersede", Of::Incident, "playbook=hall&reason=a+drill+of+doors"),
    ("GET", "/playbooks", Of::Nothing, ""),
    ("GET", "/playbooks/check", Of::Nothing, ""),
    ("POST", "/playbooks/check", Of::Nothing, "text=x"),
    ("POST", "/playbooks/check/findings", Of::Nothing, "text=x"),
    ("GET", "/playbooks/{name}", Of::Nothing, ""),
    ("GET", "/playbooks/{name}/sheet", Of::Nothing, ""),
    ("GET", "/playbooks/{name}/launch", Of::Nothing, ""),
    (
        "POST",
        "/playbooks/{name}/launch",
        Of::Instance,
        "step=review&mode=drill&start_key=walk&in.hosts=pc-a1",
    ),
    ("GET", "/hosts", Of::Nothing, ""),
    ("POST", "/hosts/release", Of::Incident, "run=RUN&path=gate&reason=a+drill+of+doors"),
    ("POST", "/hosts/cut", Of::Incident, "incident=INCIDENT&host=pc-a1&reason=x&by_hand_ok=yes"),
];

/// What a request is about, as far as rights go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// Nothing in particular: who may do it anywhere may do it here.
    Nothing,
    /// The store as a whole.
    Instance,
    /// The incident of the place.
    Incident,
}

/// A request that who may is granted.
#[derive(Debug)]
pub(super) struct Honest {
    pub(super) of: Of,
    pub(super) path: String,
    pub(super) body: Body,
}

/// What goes along.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Body {
    None,
    /// To the interface.
    Json(Value),
    /// From a page.
    Form(String),
}

/// Whether a route is for people to look at, or to send a form to.
pub(super) fn is_page(route: &Declared) -> bool {
    line(route).next().is_some()
}

/// Its lines in the table of pages.
fn line(route: &Declared) -> impl Iterator<Item = &'static Line> {
    let path = route.path.strip_prefix(DRILL).unwrap_or(&route.path).to_owned();
    let method = route.method;
    PAGES.iter().filter(move |(own, at, ..)| (*own, *at) == (method, path.as_str()))
}

/// Honest requests for a page, at its address.
fn of_page(route: &Declared, place: &Place) -> Vec<Honest> {
    let Place { incident, run, gate: (gate, digest), line: entry, .. } = place;
    let bare = route.path.strip_prefix(DRILL).unwrap_or(&route.path);
    let id = match bare {
        path if path.starts_with("/runs/") => run,
        path if path.starts_with("/needs/") => gate,
        _ => incident,
    };
    let path = route.path.replace("{id}", id).replace("{name}", "hall");
    let filled = |text: &str| {
        let words = [("INCIDENT", incident), ("RUN", run), ("DIGEST", digest), ("LINE", entry)];
        words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
    };
    line(route)
        .map(|(method, _, of, sent)| match (*method, filled(sent)) {
            ("GET", query) if query.is_empty() => {
                Honest { of: *of, path: path.clone(), body: Body::None }
            }
            ("GET", query) => Honest { of: *of, path: format!("{path}?{query}"), body: Body::None },
            (_, form) => Honest { of: *of, path: path.clone(), body: Body::Form(form) },
        })
        .collect()
}

/// Honest requests for a route, of this place. A route that is not here fails the walk: it can not
/// be said that it is shut.
pub(super) fn honest(route: &Declared, place: &Place) -> Vec<Honest> {
    if is_page(route) {
        return of_page(route, place);
    }
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
    let one = |of, body: Option<Value>| {
        let body = body.map_or(Body::None, Body::Json);
        vec![Honest { of, path: path.clone(), body }]
    };
    let why = || Some(json!({"reason": "a drill of doors"}));
    let launched =
        |key: &str| json!({"playbook": "hall", "inputs": {"hosts": ["pc-a1"]}, "start_key": key});
    let approve = json!({"answer": "approve", "digest": digest});
    match (route.method, route.path.as_str()) {
        ("GET", _) => looked_at(route, (incident, run), &path),
        (_, path) if path.starts_with("/api/v1/me/") || path.starts_with("/api/v1/session") => {
            one(Of::Nothing, of_oneself(route))
        }
        ("POST", "/api/v1/playbooks/check") => one(Of::Nothing, Some(json!({"text": "x"}))),
        ("POST", "/api/v1/stop" | "/api/v1/go-on") => one(Of::Instance, why()),
        ("POST", "/api/v1/incidents/{id}/real") => one(Of::Instance, None),
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

/// What is only looked at, of the interface.
fn looked_at(route: &Declared, (incident, run): (&str, &str), path: &str) -> Vec<Honest> {
    let filtered = |query: String| Honest {
        of: Of::Incident,
        path: format!("{path}?{query}"),
        body: Body::None,
    };
    let plain = |of| Honest { of, path: path.to_owned(), body: Body::None };
    match route.path.as_str() {
        "/api/v1/runs/{id}"
        | "/api/v1/runs/{id}/events"
        | "/api/v1/incidents/{id}"
        | "/api/v1/incidents/{id}/briefing"
        | "/api/v1/incidents/{id}/timeline"
        | "/api/v1/incidents/{id}/timeline/review"
        | "/api/v1/incidents/{id}/metrics"
        | "/api/v1/incidents/{id}/story"
        | "/api/v1/incidents/{id}/evidence/{digest}" => vec![plain(Of::Incident)],
        "/api/v1/needs" => vec![
            plain(Of::Nothing),
            filtered(format!("run={run}")),
            filtered(format!("incident={incident}")),
        ],
        "/api/v1/runs" => vec![plain(Of::Nothing), filtered(format!("incident={incident}"))],
        "/api/v1/runs/{id}/outlook" => vec![filtered("playbook=hall".to_owned())],
        "/metrics" => vec![plain(Of::Instance)],
        // Playbooks are nobody's, and a list is of what its reader sees.
        own if is_list(own) || own.starts_with("/api/v1/playbooks/") => vec![plain(Of::Nothing)],
        _ => panic!(
            "{route:?} is a new door: say here how it is asked for, in `PAGES` if it is a page"
        ),
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
        other => panic!(
            "{other:?} is a new door: say here how it is asked for, in `PAGES` if it is a page"
        ),
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
        other => panic!(
            "{other:?} is a new door: say here how it is asked for, in `PAGES` if it is a page"
        ),
    }
}

/// A path of the interface under which a list stands.
fn is_list(path: &str) -> bool {
    let interface = ["/api/", "/healthz", "/readyz"].iter().any(|one| path.starts_with(one));
    interface && !path.contains('{')
}

/// Asks by somebody who shows these lines. An answer without an end is read to its first frame.
pub(super) fn asked(
    client: &Client,
    method: &str,
    honest: &Honest,
    shown: &[(&str, &str)],
) -> Answer {
    if method == "GET" && honest.path.ends_with("/events") {
        return client.listen(&honest.path, shown, |body| body.contains("\n\n"));
    }
    // As a page of the server itself: nothing but the credential shuts the door.
    let origin = format!("http://{}", client.address);
    let mut lines = [shown, &[("Origin", origin.as_str())]].concat();
    if method == "PATCH" {
        lines.push(("If-Match", "\"1\""));
    }
    let body = match &honest.body {
        Body::None => None,
        Body::Json(body) => Some(body.to_string()),
        Body::Form(form) => {
            lines.push(("Content-Type", FORM));
            Some(form.clone())
        }
    };
    client.ask((method, &honest.path), &lines, body.as_deref())
}
