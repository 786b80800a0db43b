//! A reader of one organisation asks everything that can be asked of a real server, in whose store
//! the name of another one's host stands wherever a text can stand. It appears nowhere: in no body,
//! in no header, in no error. Who may read it finds it everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use beistand_tests::program::DEADLINE;
use beistand_tests::tool::wait_for;
use beistand_web::{Right, table};
use serde_json::{Value, json};

use super::alerts::{seconds, signed};
use super::client::Answer;
use super::doors::{Body, asked, honest, is_page};
use super::town::{CANARY, HERE, Place, THERE, Town};
use crate::desk::text;

/// Cuts hosts of both off, and says so in every text that a run has.
const CUT: &str = "playbook: cut
language: 1
title: Cut hosts off
inputs:
  hosts: { type: array, items: { type: string, format: host } }
  ticket: { type: string }
steps:
  - id: contain
    for_each: inputs.hosts
    as: host
    steps:
      - { id: say, note: \"Cutting ${host} off\" }
      - { id: off, call: network.isolate, with: { host: \"${host}\", reason: \"${inputs.ticket}\" } }
  - { id: reckon, script: \"inputs.ticket\" }
  - { id: tell, note: \"${inputs.ticket}\" }
  - id: ask
    parallel:
      vote:
        - { id: gate, approve: { role: commander, votes: 2, shows: \"${inputs.ticket}\" } }
      work:
        - { id: look, task: { role: responder, instructions: \"Look: ${inputs.ticket}\" } }
";

/// Ends badly, and says why.
const BREAK: &str = "playbook: break
language: 1
title: It breaks
inputs:
  ticket: { type: string }
steps:
  - { id: out, fail: \"${inputs.ticket} is on fire\" }
";

/// Routes on which no text of anybody's stands, or none that who only reads is shown.
const SILENT: &[&str] = &[
    "/accessibility",
    "/api/v1/events",
    "/api/v1/incidents/{id}/metrics",
    "/api/v1/me",
    "/api/v1/me/passkeys",
    "/api/v1/openapi.json",
    "/api/v1/playbooks",
    "/api/v1/playbooks/{id}",
    "/api/v1/runs/{id}/events",
    "/api/v1/session/sso",
    "/api/v1/session/sso/return",
    "/assets/{build}/{name}",
    "/break-glass",
    "/health",
    "/healthz",
    "/help",
    "/incidents/new",
    "/login",
    "/metrics",
    // All that waits and runs here is of drills.
    "/needs/{id}",
    "/runs/{id}",
    "/runs/{id}/sheet",
    "/runs/{id}/step",
    // Who only reads opens and launches nothing.
    "/drill/incidents/{id}/real",
    "/incidents/{id}/real",
    "/drill/playbooks/{name}/launch",
    "/drill/runs/{id}/more",
    "/drill/runs/{id}/supersede",
    "/playbooks/{name}/launch",
    "/runs/{id}/more",
    "/runs/{id}/supersede",
    "/people",
    "/readyz",
];

/// Asks for what another organisation's host is asked.
const ASK: &str = "playbook: ask
language: 1
title: Asks for something
inputs:
  hosts: { type: array, items: { type: string, format: host } }
steps:
  - id: each
    for_each: inputs.hosts
    as: host
    steps:
      - id: look
        task:
          role: responder
          instructions: \"Look at ${host}\"
          form:
            seen: { type: string, title: What you saw }
";

/// What was made.
struct Night {
    town: Town,
    /// Of the reader's organisation alone.
    here: String,
    incidents: Vec<String>,
    runs: Vec<String>,
    /// Of evidence, SHA-256.
    files: Vec<String>,
    /// What waits, and what was answered.
    needs: Vec<String>,
}

impl Night {
    fn new() -> Self {
        let shelf = BTreeMap::from([("cut", CUT), ("break", BREAK)]);
        let town = Town::new(&json!({}), &shelf);
        let opened = |title: &str, whom: &[&str]| {
            town.incident(&json!({"title": title, "mode": "drill"}), whom)
        };
        let here = opened("Our own night", &[HERE]);
        let both = opened(&format!("Ours and {CANARY}"), &[HERE, THERE]);
        let there = opened(CANARY, &[THERE]);
        for incident in [&both, &there] {
            written(&town, incident);
        }
        let runs = vec![
            launched(&town, &here, "cut", &json!({"hosts": ["pc-a2"], "ticket": "ours"}), "drill"),
            launched(
                &town,
                &both,
                "cut",
                &json!({"hosts": ["pc-a1", CANARY], "ticket": CANARY}),
                "drill",
            ),
            launched(&town, &there, "break", &json!({"ticket": CANARY}), "drill"),
        ];
        for run in &runs[..2] {
            town.need(run, "task");
        }
        let needs = needs(&town, &runs[..2]);
        let failed = || {
            Ok((town.got(&format!("/api/v1/runs/{}", runs[2]), &town.leads)["status"] == "failed")
                .then_some(()))
        };
        wait_for("a run that fails", DEADLINE, failed).unwrap();
        let reason = json!({"reason": CANARY});
        town.led(&format!("/api/v1/runs/{}/pause", runs[1]), &reason);
        town.led("/api/v1/stop", &reason);
        let alert = json!({"rule": CANARY, "host": CANARY}).to_string();
        let heard = signed(town.client(), seconds(), &alert);
        assert_eq!(heard.status, 200, "{heard:?}");
        let alerted = text(&heard.json()["incident"]).to_owned();
        let incidents = vec![here.clone(), both, there, alerted];
        let mut files = Vec::new();
        for incident in &incidents {
            let kept = town.got(&format!("/api/v1/incidents/{incident}"), &town.leads);
            let kept = kept["evidence"].as_array().unwrap().clone();
            files.extend(
                kept.iter()
                    .map(|one| text(&one["digest"]).trim_start_matches("sha256:").to_owned()),
            );
        }
        Self { town, here, incidents, runs, files, needs }
    }

    /// Every question: the route, and a path of it.
    fn questions(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for route in table().declared().into_iter().filter(|route| route.method == "GET") {
            let mut paths = vec![route.path.clone()];
            let playbooks = ["cut", "break", "hall"].map(str::to_owned).to_vec();
            for (within, name, values) in [
                ("/incidents/", "{id}", self.incidents.clone()),
                ("/incidents/", "{digest}", self.files.clone()),
                ("/runs/", "{id}", self.runs.clone()),
                ("/needs/", "{id}", self.needs.clone()),
                ("/playbooks/", "{id}", playbooks.clone()),
                ("/playbooks/", "{name}", playbooks.clone()),
                ("/assets/", "{build}", vec!["0".to_owned()]),
                ("/assets/", "{name}", vec!["mark.svg".to_owned()]),
            ] {
                let path =
                    ["/api/v1", "/drill"].iter().find_map(|one| route.path.strip_prefix(one));
                if path.unwrap_or(&route.path).starts_with(within) && route.path.contains(name) {
                    let filled = |path: &String| {
                        values.iter().map(|value| path.replace(name, value)).collect::<Vec<_>>()
                    };
                    paths = paths.iter().flat_map(filled).collect();
                }
            }
            let asks = |query: &str| paths.iter().map(|path| format!("{path}?{query}")).collect();
            if route.path.ends_with("/outlook") {
                paths = asks("playbook=hall");
            } else if route.path.ends_with("/step") {
                paths = asks("path=tell");
            } else if route.path.ends_with("/timeline/line") {
                paths = paths.iter().map(|path| self.line_of(path)).collect();
            }
            let asked = paths.iter().flat_map(|path| self.asked(&route.path, path));
            all.extend(asked.map(|path| (route.path.clone(), path)));
        }
        let open = all.iter().find(|(_, path)| path.contains('{'));
        assert_eq!(open, None, "nobody says here what to ask for");
        all
    }

    /// The page of a line of an incident that says what somebody wrote.
    fn line_of(&self, path: &str) -> String {
        let own = self.incidents.iter().find(|one| path.contains(one.as_str())).unwrap();
        let lines = self.town.got(&format!("/api/v1/incidents/{own}/timeline"), &self.town.leads);
        let lines = lines["items"].as_array().unwrap();
        let says = |line: &&Value| text(&line["message"]).contains(CANARY);
        let line = lines.iter().find(says).unwrap_or(&lines[0]);
        format!("{path}?line={}", text(&line["line"]))
    }

    /// A path with everything that can be asked of it.
    fn asked(&self, route: &str, path: &str) -> Vec<String> {
        let mut all = vec![path.to_owned()];
        let mut more = |query: String| all.push(format!("{path}?{query}"));
        match route {
            "/api/v1/incidents/{id}/timeline/review" | "/api/v1/incidents/{id}/story" => {
                more("lang=en".to_owned());
            }
            "/api/v1/incidents/{id}/timeline" => {
                let formats = ["jsonl", "csv", "html"].map(|format| format!("format={format}"));
                let parts = ["lane=containment".to_owned(), format!("q={CANARY}")];
                let starred = ["starred=true".to_owned(), "failures=true".to_owned()];
                for part in formats.iter().chain(&parts).chain(&starred) {
                    for lang in ["de", "en"] {
                        more(format!("{part}&lang={lang}"));
                    }
                }
            }
            "/audit" => more("verify=now".to_owned()),
            "/needs" => {
                for incident in &self.incidents {
                    more(format!("incident={incident}"));
                }
            }
            "/api/v1/needs" | "/api/v1/runs" => {
                let of_runs = if route == "/api/v1/needs" { &self.runs[..] } else { &[] };
                for run in of_runs {
                    more(format!("run={run}"));
                }
                for incident in &self.incidents {
                    more(format!("incident={incident}"));
                }
                more("limit=1".to_owned());
            }
            _ => {}
        }
        all
    }

    /// What somebody is answered, the whole of it.
    fn answered(&self, path: &str, token: &str) -> Answer {
        let client = self.town.client();
        let bearer = format!("Bearer {token}");
        if !path.ends_with("/events") {
            // The interface answers as it does to everybody, and a page is one.
            let lines = [("Authorization", bearer.as_str()), ("Accept", "text/html")];
            return client.ask(("GET", path), &lines, None);
        }
        // From the beginning, until it only says that it lives.
        let lines = [("Authorization", bearer.as_str()), ("Last-Event-ID", "0")];
        client.listen(path, &lines, |body| body.contains("\n: \nid:"))
    }

    /// The routes on which somebody finds the canary, and everything that they were told.
    fn found(&self, token: &str) -> (BTreeSet<String>, String) {
        let (mut found, mut told) = (BTreeSet::new(), String::new());
        let questions = self.questions();
        // Streams are listened to beside each other: each takes seconds to say that it is at its end.
        let answers: Vec<(String, String, Answer)> = thread::scope(|scope| {
            let asked = questions.into_iter().map(|(route, path)| {
                let listens = path.ends_with("/events");
                let ask = move || (route, self.answered(&path, token), path);
                if listens { Ok(scope.spawn(ask)) } else { Err(ask()) }
            });
            let asked: Vec<_> = asked.collect();
            let joined = asked.into_iter().map(|one| match one {
                Ok(listens) => listens.join().unwrap(),
                Err(answered) => answered,
            });
            joined.map(|(route, answer, path)| (route, path, answer)).collect()
        });
        for (route, path, answer) in answers {
            assert!(answer.status < 500, "{path}: {answer:?}");
            // What was asked for by this name is not told by being said again.
            let whole = answer.whole();
            if whole.contains(CANARY) {
                found.insert(route);
            }
            told.push_str(&whole);
        }
        (found, told)
    }
}

/// What waits for somebody in these runs; one of it in each is answered.
fn needs(town: &Town, runs: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    // The first is the reader's own.
    for (run, reason) in runs.iter().zip(["looked at", CANARY]) {
        let task = town.need(run, "task");
        let open = town.got(&format!("/api/v1/needs?run={run}"), &town.leads);
        all.extend(
            open["items"].as_array().unwrap().iter().map(|need| text(&need["id"]).to_owned()),
        );
        let done = json!({"answer": "done", "digest": task["digest"], "reason": reason});
        town.led(&format!("/api/v1/needs/{}", text(&task["id"])), &done);
    }
    all
}

/// Everything that people write into an incident.
fn written(town: &Town, incident: &str) {
    let path = |what: &str| format!("/api/v1/incidents/{incident}/{what}");
    town.led(&path("notes"), &json!({"text": format!("{CANARY} has called")}));
    // The bytes are the name.
    let file = json!({"name": format!("{CANARY}.raw"), "base64": "a2FuYXJpZS03ZjNh"});
    town.led(&path("evidence"), &file);
    let asset = json!({
        "kind": "host", "values": [CANARY], "state": "affected", "organisation": THERE,
    });
    town.led(&path("assets"), &asset);
    // Marked: their asset, which a reader of one organisation does not see, and a note of nobody's.
    let lines = town.got(&path("timeline?lang=en"), &town.leads);
    for kind in ["asset-changed", "note-added"] {
        let lines = lines["items"].as_array().unwrap();
        let line = &lines.iter().find(|line| line["kind"] == kind).unwrap()["line"];
        town.led(&path("stars"), &json!({"line": line, "starred": true}));
        town.led(&path("story"), &json!({"line": line, "title": CANARY, "text": CANARY}));
        let why = json!({"text": CANARY, "corrects": line, "reason": CANARY});
        town.led(&path("notes"), &why);
    }
}

fn launched(town: &Town, incident: &str, playbook: &str, inputs: &Value, mode: &str) -> String {
    let wanted = json!({
        "playbook": playbook, "inputs": inputs, "incident": incident, "mode": mode,
        "start_key": format!("{playbook}-{incident}"),
    });
    text(&town.led("/api/v1/runs", &wanted)["id"]).to_owned()
}

#[test]
fn the_canary_of_another_organisation_is_found_by_who_may_read_it_alone() {
    let night = Night::new();
    let town = &night.town;
    let reads = |name: &str, words: &[&str]| {
        town.account(name, &[&["--role", "reviewer"][..], words].concat()).token
    };
    let all = reads("rita", &[]);
    let (found, _) = night.found(&all);
    let get = table().declared().into_iter().filter(|route| route.method == "GET");
    let speaks = get.map(|route| route.path).filter(|path| !SILENT.contains(&path.as_str()));
    assert_eq!(found, speaks.collect(), "the canary is planted wherever a text can stand");
    let theirs = reads("bea", &["--for", THERE]);
    assert!(night.found(&theirs).0.contains("/api/v1/incidents/{id}/timeline"));

    let leads = town.account("carl", &["--role", "commander", "--for", HERE]).token;
    let ours = reads("ada", &["--for", HERE]);
    let guest = reads("gast", &["--in", &night.here]);
    for (who, token) in
        [("of one organisation", &ours), ("in one incident", &guest), ("who leads", &leads)]
    {
        let (found, told) = night.found(token);
        assert_eq!(found, BTreeSet::new(), "a reader {who} found the canary");
        // Their own is told all the while, so that silence proves nothing.
        assert!(told.contains("pc-a2") && told.contains("Our own night"), "a reader {who}");
        assert_eq!(told.contains("pc-a1"), *who != *"in one incident", "a reader {who}");
    }
    // What is taken is not described: who asks for it by its key is told only that it is taken.
    let key = format!("break-{}", night.incidents[2]);
    let wanted = json!({
        "playbook": "hall", "inputs": {"hosts": ["pc-a1"]}, "incident": night.here,
        "mode": "drill", "start_key": key,
    });
    let taken = town.client().post("/api/v1/runs", &leads, &wanted);
    assert_eq!(taken.status, 409, "{taken:?}");
    assert!(
        !taken.whole().contains(CANARY) && !taken.whole().contains(&night.runs[2]),
        "{taken:?}"
    );
}

#[test]
fn whatever_is_sent_to_another_organisation_s_incident_its_canary_does_not_answer() {
    let town = Town::new(&json!({}), &BTreeMap::from([("ask", ASK)]));
    let there = town.place(THERE, &[CANARY]);
    let titled = json!({"title": format!("{CANARY} is dark")});
    let title = town.incident(&titled, &[THERE]);
    let asks = launched(&town, &title, "ask", &json!({"hosts": [CANARY]}), "live");
    let task = town.need(&asks, "task");
    let gate = (text(&task["id"]).to_owned(), text(&task["digest"]).to_owned());
    let asked_for = Place { incident: title, run: asks, gate, ..there.clone() };
    let leads = town.account("carl", &["--role", "commander", "--for", HERE]).token;
    let bearer = format!("Bearer {leads}");
    let sends = || table().declared().into_iter().filter(|route| route.method != "GET");
    let mut answers = 0;
    for stopped in [false, true] {
        if stopped {
            town.led("/api/v1/stop", &json!({"reason": CANARY}));
        }
        for (route, place) in sends().flat_map(|one| [(one.clone(), &there), (one, &asked_for)]) {
            // Whoever is nobody is walked elsewhere, and whoever leaves is nobody.
            if route.right == Right::Public || route.path.ends_with("/logout") {
                continue;
            }
            for mut honest in honest(&route, place) {
                if let Body::Form(form) = &mut honest.body {
                    *form = form.replace("answer=approve", "answer=done&form.seen=");
                }
                for accept in ["*/*", "text/html"].iter().take(1 + usize::from(is_page(&route))) {
                    let lines = [("Authorization", bearer.as_str()), ("Accept", *accept)];
                    let answer = asked(town.client(), route.method, &honest, &lines);
                    let told = format!("{} {} {answer:?}", route.method, honest.path);
                    assert!(answer.status < 500, "{told}");
                    assert!(!answer.whole().contains(CANARY), "{told}");
                    assert!(!answer.whole().contains("The hall is dark"), "{told}");
                    assert!(!answer.whole().contains("What you saw"), "{told}");
                    answers += 1;
                }
            }
        }
    }
    // Their own run is refused, and why everything stands still is not theirs to read.
    let own = town.incident(&json!({"title": "Ours"}), &[HERE]);
    let wanted = json!({"playbook": "hall", "inputs": {"hosts": ["pc-a1"]}, "incident": own, "start_key": "own"});
    let refused = town.client().post("/api/v1/runs", &leads, &wanted);
    assert!(refused.body.contains("the stop switch is on"), "{refused:?}");
    assert!(!refused.whole().contains(CANARY), "{refused:?}");
    assert!(answers > 200, "{answers} answers are not all of them");
}

#[test]
fn what_somebody_may_not_read_is_answered_like_what_was_never_there() {
    let town = Town::new(&json!({}), &BTreeMap::new());
    let (here, there) = (town.place(HERE, &["pc-a1"]), town.place(THERE, &[CANARY]));
    let token = town.account("carl", &["--role", "commander", "--for", HERE]).token;
    let nothing = beistand_core::model::RunId::new(1, &[7; 10]).to_string();
    let none = "0".repeat(64);
    let anonymous = |answer: &Answer, names: &[&str]| {
        let mut problem = answer.json();
        problem["reference"] = Value::Null;
        let told = problem.to_string();
        (answer.status, names.iter().fold(told, |told, name| told.replace(name, "…")))
    };
    for (path, digest) in [
        ("/api/v1/incidents/ID", ""),
        ("/api/v1/incidents/ID/timeline?format=csv", ""),
        ("/api/v1/incidents/ID/timeline/review", ""),
        ("/api/v1/incidents/ID/metrics", ""),
        ("/api/v1/incidents/ID/story", ""),
        ("/api/v1/incidents/ID/briefing", ""),
        ("/api/v1/incidents/ID/evidence/DIGEST", there.evidence.as_str()),
        ("/api/v1/runs?incident=ID", ""),
        ("/api/v1/needs?incident=ID", ""),
    ] {
        let asked = |id: &str, digest: &str| {
            let path = path.replace("ID", id).replace("DIGEST", digest);
            anonymous(
                &town.client().get(&path, Some(&token)),
                &[id, digest].map(|one| if one.is_empty() { "\u{0}" } else { one }),
            )
        };
        let hidden = asked(&there.incident, digest);
        assert_eq!(hidden, asked(&nothing, &none), "{path}");
        assert_eq!(hidden.0, 404, "{path}");
    }
    pages_are_answered_like_what_was_never_there(&town, &there, &token);
    let reason = json!({"reason": "x"});
    for what in ["", "/events", "/outlook?playbook=hall", "/pause", "/cancel"] {
        let asked = |run: &str| {
            let path = format!("/api/v1/runs/{run}{what}");
            let answer = match what {
                "/pause" | "/cancel" => town.client().post(&path, &token, &reason),
                _ => town.client().get(&path, Some(&token)),
            };
            anonymous(&answer, &[run])
        };
        let hidden = asked(&there.run);
        assert_eq!(hidden, asked(&nothing), "{what}");
        assert_eq!(hidden.0, 404, "{what}");
    }
    // The evidence of one incident is not found through another one that they may read.
    let path = format!("/api/v1/incidents/{}/evidence/{none}", here.incident);
    assert_eq!(town.client().get(&path, Some(&token)).status, 404);
}

/// Not even whether it is a drill is told by where one is sent.
fn pages_are_answered_like_what_was_never_there(town: &Town, there: &Place, token: &str) {
    let nothing = beistand_core::model::RunId::new(1, &[7; 10]).to_string();
    let bearer = format!("Bearer {token}");
    let lines = [("Authorization", bearer.as_str()), ("Accept", "text/html")];
    for (path, hidden) in [
        ("/incidents/ID", &there.incident),
        ("/drill/incidents/ID", &there.incident),
        ("/incidents/ID/briefing", &there.incident),
        ("/needs?incident=ID", &there.incident),
        ("/needs/ID", &there.gate.0),
        ("/drill/needs/ID", &there.gate.0),
    ] {
        let asked = |id: &str| {
            let answer = town.client().ask(("GET", &path.replace("ID", id)), &lines, None);
            let (_, from) = answer.body.split_once("<main").unwrap_or(("", &answer.body));
            let (said, _) = from.split_once("</main>").unwrap_or((from, ""));
            let said = said.replace(id, "…");
            let reference =
                said.split("<code>").nth(1).and_then(|text| text.split("</code>").next());
            let reference = reference.unwrap_or_default().to_owned();
            (answer.status, said.replace(&reference, "…"))
        };
        let hidden = asked(hidden);
        assert_eq!(hidden, asked(&nothing), "{path}");
        assert_eq!(hidden.0, 404, "{path}");
    }
}
