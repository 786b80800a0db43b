//! What is asked again because nobody knows whether it arrived: the server is killed while it is asked,
//! and asked once more, word for word.

use serde_json::{Value, json};

use super::house::House;
use crate::desk::{Desk, text};

const SHEET: &str = "playbook: sheet\nlanguage: 1\ntitle: Fill in a sheet\nsteps:\n\
    \x20 - { id: note, task: { role: responder, instructions: Note it. } }\n";

/// Between the commit that opens the incident and the one that opens the run.
const BETWEEN: &str = "before_append:1";

#[test]
fn a_launch_that_was_killed_half_way_finds_its_incident_when_it_is_asked_again() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("playbooks")).unwrap();
    desk.write("playbooks/sheet.yaml", SHEET);
    desk.configure(&json!({"playbooks": [desk.path("playbooks")]}));
    let mut house = House::of(desk);
    house.serve(Some(BETWEEN));
    let body = json!({"playbook": "sheet", "start_key": "alert-7", "title": "It is dark"});
    let launched = house.does("cleo", "/api/v1/runs", &body, 201).json();
    assert_eq!((house.deaths, house.again), (1, true), "it was killed while it was asked");
    let incidents = |house: &mut House| -> Vec<Value> {
        house.get("cleo", "/api/v1/incidents")["items"].as_array().unwrap().clone()
    };
    let opened = incidents(&mut house);
    assert_eq!(opened.len(), 1, "{opened:?}");
    assert_eq!(opened[0]["id"], launched["incident"]);
    // And once more, now that it is known.
    let again = house.ask("cleo", "POST", "/api/v1/runs", &body);
    assert_eq!((again.status, &again.json()["id"]), (200, &launched["id"]));
    assert_eq!(incidents(&mut house).len(), 1);
    let run = text(&launched["id"]).to_owned();
    assert_eq!(house.get("cleo", &format!("/api/v1/runs/{run}"))["status"], "waiting");
    house.desk.ok(0, &["verify"]);
}
