//! A yes is for exactly what was shown: what has changed until it would be done is asked anew, and a
//! yes that no person gave a moment ago lets nothing through.

use beistand_tests::ledger::Ledger;
use beistand_tests::tool::{PATIENCE, wait_for};
use serde_json::{Value, json};

use super::house::House;
use crate::desk::{Desk, service, text};

const HOSTS: &str = "name,addresses,macs,organisation,groups\n\
    pc-1,192.0.2.1;192.0.2.11,,stadt-a,\npc-2,192.0.2.2,,stadt-a,\n";

struct Cut {
    house: House,
    ledger: Ledger,
    run: String,
    gate: Value,
}

impl Cut {
    /// A live run that waits for two people before it does something to two hosts.
    fn new() -> Self {
        let desk = Desk::new();
        let ledger = Ledger::start(&desk.path("ledger")).unwrap();
        std::fs::create_dir(desk.path("playbooks")).unwrap();
        let text = format!(
            "playbook: cut\nlanguage: 1\ntitle: Cut\nsteps:\n  - id: cut\n    \
             approval: {{ role: approver, votes: 2 }}\n    call: http.request\n    with:\n      \
             method: PUT\n      url: {{ base: \"{}/\", path: [cut] }}\n      targets:\n        \
             - {{ kind: host, value: pc-2 }}\n        - {{ kind: host, value: pc-1 }}\n",
            ledger.url()
        );
        desk.write("playbooks/cut.yaml", &text);
        desk.write("hosts.csv", HOSTS);
        let mut configuration = service(&ledger.url());
        configuration["playbooks"] = json!([desk.path("playbooks")]);
        configuration["inventory"] = json!([desk.path("hosts.csv")]);
        desk.configure(&configuration);
        let mut house = House::of(desk);
        let body = json!({"playbook": "cut", "inputs": {}, "start_key": "k"});
        let launched = house.does("cleo", "/api/v1/runs", &body, 201).json();
        let run = crate::desk::text(&launched["id"]).to_owned();
        let gate = house.gate(&run);
        Self { house, ledger, run, gate }
    }

    fn vote(&mut self, who: &str, gate: &Value) -> u16 {
        let path = format!("/api/v1/needs/{}", text(&gate["id"]));
        let body = json!({"answer": "approve", "digest": gate["digest"]});
        self.house.ask(who, "POST", &path, &body).status
    }

    fn control(&mut self, verb: &str) {
        let path = format!("/api/v1/runs/{}/{verb}", self.run);
        self.house.does("cleo", &path, &json!({}), 200);
    }

    fn effects(&self) -> usize {
        self.ledger.records().unwrap().len()
    }

    /// Two people say yes while nothing starts, then the inventory becomes another one.
    fn approved_then(hosts: &str) -> Self {
        let mut cut = Self::new();
        cut.control("pause");
        let gate = cut.gate.clone();
        assert_eq!([cut.vote("ben", &gate), cut.vote("dora", &gate)], [200, 200]);
        assert_eq!(cut.effects(), 0);
        cut.house.desk.write("hosts.csv", hosts);
        cut.house.serve(None);
        cut.control("unpause");
        cut
    }

    fn is_done(&mut self) {
        let done = || Ok((self.effects() > 0).then_some(()));
        wait_for("the effect", PATIENCE, done).unwrap();
        let path = format!("/api/v1/runs/{}", self.run);
        let ended = |house: &mut House| house.get("cleo", &path)["status"] == "succeeded";
        wait_for("the end", PATIENCE, || Ok(ended(&mut self.house).then_some(()))).unwrap();
        assert_eq!(self.effects(), 1);
        self.house.desk.ok(0, &["verify"]);
    }
}

#[test]
fn what_changed_between_the_votes_and_the_effect_is_not_done_and_asked_anew() {
    let mut cut = Cut::approved_then(&HOSTS.replace("192.0.2.11", "192.0.2.77"));
    let (run, before) = (cut.run.clone(), cut.gate.clone());
    let anew = cut.house.gate(&run);
    assert_ne!((&anew["id"], &anew["digest"]), (&before["id"], &before["digest"]));
    assert_eq!((&anew["votes"], &anew["votes_needed"]), (&json!(0), &json!(2)));
    assert_eq!(cut.effects(), 0);
    // What was looked at then is no yes to what is asked now.
    assert_eq!(cut.vote("ben", &before), 409, "that need is asked no more");
    let stale = json!({"id": anew["id"], "digest": before["digest"]});
    assert_eq!(cut.vote("ben", &stale), 409);
    assert_eq!(cut.vote("ben", &anew), 200);
    assert_eq!(cut.effects(), 0);
    assert_eq!(cut.vote("dora", &anew), 200);
    cut.is_done();
    let incident = cut.house.get("cleo", &format!("/api/v1/runs/{run}"))["incident"].take();
    let lines = cut.house.get("cleo", &format!("/api/v1/incidents/{}/timeline", text(&incident)));
    let void = |line: &&Value| line["kind"] == "approval-void";
    assert_eq!(lines["items"].as_array().unwrap().iter().filter(void).count(), 1, "{lines}");
}

#[test]
fn what_is_only_written_in_another_order_is_done() {
    let mut lines: Vec<&str> = HOSTS.lines().collect();
    lines.swap(1, 2);
    let turned = lines.join("\n").replace("192.0.2.1;192.0.2.11", "192.0.2.11;192.0.2.1");
    Cut::approved_then(&turned).is_done();
}

/// A token is for a program: who stands behind it did not look at this a moment ago.
#[test]
fn a_token_lets_nothing_through_whichever_way_it_comes() {
    let mut cut = Cut::new();
    let made =
        ["--json", "token", "add", "ben", "--title", "script", "--may", "read", "--may", "approve"];
    let token = cut.house.types("root", &made).json(0).unwrap()["token"].take();
    let token = text(&token).to_owned();
    let (need, digest) = (text(&cut.gate["id"]).to_owned(), text(&cut.gate["digest"]).to_owned());
    let body = json!({"answer": "approve", "digest": digest});
    let head = format!("Authorization: Bearer {token}\r\n");
    let path = format!("/api/v1/needs/{need}");
    let refused = cut.house.ask_with("POST", &path, &body, |_| head.clone());
    assert_eq!(refused.status, 403, "{refused:?}");
    let typed = cut.house.desk.call(&["approve", &need, "--digest", &digest]);
    let typed = typed.env("BEISTAND_TOKEN", &token).run().unwrap();
    typed.expect_code(5).unwrap();
    let run = cut.run.clone();
    assert_eq!(cut.house.gate(&run)["votes"], 0);
    assert_eq!(cut.effects(), 0);
}
