//! Two who vote at the same moment, over HTTP, on a live gate before the outside world: each vote
//! counts once or comes too late, and there is one effect.

use std::sync::Barrier;
use std::thread;

use beistand_tests::ledger::Ledger;
use beistand_tests::tool::{PATIENCE, wait_for};
use serde_json::{Value, json};

use super::house::{House, Voice};
use crate::desk::{Desk, service, text};

/// Gates of each kind.
const ROUNDS: usize = 17;

/// A house with a live playbook that asks so many for each of its effects.
fn house(ledger: &Ledger) -> House {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("playbooks")).unwrap();
    for votes in [1, 2] {
        let name = format!("ask-{votes}");
        let text = format!(
            "playbook: {name}\nlanguage: 1\ntitle: Ask\ninputs: {{ name: {{ type: string }} }}\nsteps:\n  \
             - id: put\n    approval: {{ role: approver, votes: {votes} }}\n    call: http.request\n    \
             with: {{ method: PUT, url: {{ base: \"{}/\", path: [put, \"${{inputs.name}}\"] }} }}\n",
            ledger.url()
        );
        desk.write(&format!("playbooks/{name}.yaml"), &text);
    }
    let mut configuration = service(&ledger.url());
    configuration["playbooks"] = json!([desk.path("playbooks")]);
    desk.configure(&configuration);
    House::of(desk)
}

/// Launches and comes to the gate.
fn gate(house: &mut House, votes: usize, name: &str) -> (String, Value) {
    let body = json!({
        "playbook": format!("ask-{votes}"), "inputs": {"name": name}, "start_key": name,
    });
    let launched = house.does("cleo", "/api/v1/runs", &body, 201).json();
    let run = text(&launched["id"]).to_owned();
    let gate = house.gate(&run);
    (run, gate)
}

/// Two say yes at the same moment; what each is told, the lower status first.
fn both(voices: [Voice; 2], gate: &Value) -> [(u16, Value); 2] {
    let path = format!("/api/v1/needs/{}", text(&gate["id"]));
    let body = json!({"answer": "approve", "digest": gate["digest"]});
    let together = Barrier::new(2);
    let mut told = thread::scope(|scope| {
        let voters = voices.map(|voice| {
            let (together, path, body) = (&together, &path, &body);
            scope.spawn(move || {
                together.wait();
                let answer = voice.post(path, body);
                (answer.status, answer.json())
            })
        });
        voters.map(|voter| voter.join().unwrap())
    });
    told.sort_by_key(|(status, reply)| (*status, reply["votes"].is_null()));
    told
}

#[test]
fn two_who_vote_at_once_have_one_outcome_and_one_effect() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::start(&folder.path().join("ledger")).unwrap();
    let mut house = house(&ledger);
    let mut names = Vec::new();
    for round in 0..ROUNDS {
        let mut begin = |house: &mut House, votes, kind: &str| {
            let name = format!("{kind}-{round}");
            let found = gate(house, votes, &name);
            names.push(name);
            found
        };
        let (_, one) = begin(&mut house, 1, "one");
        let [first, late] = both([house.voice("ben"), house.voice("dora")], &one);
        assert_eq!((first.0, &first.1, late.0), (200, &json!({"reply": "done"}), 409), "{late:?}");

        let (_, two) = begin(&mut house, 2, "two");
        let [first, second] = both([house.voice("ben"), house.voice("dora")], &two);
        let voted = json!({"reply": "voted", "votes": 1, "needed": 2});
        assert_eq!([first, second], [(200, voted.clone()), (200, json!({"reply": "done"}))]);

        let (run, same) = begin(&mut house, 2, "same");
        let [first, again] = both([house.voice("dora"), house.voice("dora.duty")], &same);
        assert_eq!((first, again.0), ((200, voted), 409), "one person is one vote: {again:?}");
        assert_eq!(house.gate(&run)["votes"], 1);
        let (path, body) = (
            format!("/api/v1/needs/{}", text(&same["id"])),
            json!({"answer": "approve", "digest": same["digest"]}),
        );
        house.does("ben", &path, &body, 200);
    }
    names.sort();
    let sent = || {
        let mut sent: Vec<String> = ledger
            .records()?
            .iter()
            .map(|record| record.path.trim_start_matches("/put/").to_owned())
            .collect();
        sent.sort();
        Ok((sent.len() >= names.len()).then_some(sent))
    };
    assert_eq!(wait_for("every effect", PATIENCE, sent).unwrap(), names);
    house.desk.ok(0, &["verify"]);
}
