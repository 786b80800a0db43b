//! A run's JSON through somebody's eyes: nothing of another organisation, nothing that is nobody's.

use super::story::{asks, done, ended, need};
use super::*;
use crate::model::{ErrorKind, Organisation, Role};
use crate::run::{AnswerKind, AttemptEnd, NeedKind, RunState, Section};

const TEXT: &str = r#"playbook: contain
language: 1
title: Contain
inputs:
  hosts: { type: array, items: { type: string, format: host } }
  ticket: { type: string }
steps:
  - id: triage
    task: { role: responder, instructions: "Look", form: { seen: { type: string } } }
  - id: contain
    for_each: inputs.hosts
    as: host
    tolerate: 50%
    steps:
      - id: cut
        title: Cut off
        call: network.isolate
        with: { host: "${host}" }
      - id: tell
        note: "${host}"
  - id: ask
    task: { role: commander, instructions: "Is it over?" }
"#;

/// Stands in every value that is another town's or nobody's.
const CANARY: &str = "stadt-b";

fn scope(organisation: &str) -> Scope {
    let mine: Organisation = organisation.parse().unwrap();
    Scope { organisations: Some([mine].into()), ..Scope::ALL }
}

/// A host of each town and one of nobody: cut, not cut and said to be unknown, not begun.
fn state(plan: &Plan) -> RunState {
    let hosts = json!(["pc-1", "srv.stadt-b", "pc.stadt-b.nobody"]);
    let inputs = json!({"hosts": hosts, "ticket": CANARY});
    let a = host("pc-1", Some("stadt-a"));
    let b = host("srv.stadt-b", Some(CANARY));
    let sent =
        |at: &str, target: &Target| attempt(at, target, 1).value(json!({"host": target.name}));
    let mut task = asks(1, NeedKind::Task, "triage", Role::Responder, 0).text("Seen at stadt-b?");
    task.body.value = Some(Arc::new(json!({"instructions": CANARY})));
    let form = json!({"type": "object", "properties": {"seen": {"title": CANARY}}});
    task.body.form = Some(Arc::new(form));
    let answer = Head::NeedAnswered {
        need: need(1),
        answer: AnswerKind::Done,
        by: actor("ben"),
        done_at: None,
    };
    let unknown = asks(2, NeedKind::Unknown, "contain[1]/cut", Role::Commander, 0)
        .text("Cut off stadt-b")
        .value(json!({"error": {"message": CANARY}}));
    let asked = asks(3, NeedKind::Unknown, "contain[0]/cut", Role::Commander, 0)
        .text("Cut off pc-1")
        .value(json!({"error": {"message": "pc-1 is silent"}}));
    let lost = |at| ended(at, AttemptEnd::Unknown, Some(ErrorKind::Unknown));
    let events = vec![
        opened(plan, 1, &inputs),
        Head::SectionStarted { section: Section::Steps }.into(),
        task,
        Event::new(answer).value(json!({"seen": CANARY})).text("stadt-b said so"),
        done("triage").value(json!({"seen": CANARY})),
        Event::new(Head::ListFixed { path: path("contain"), count: 3 }).value(hosts),
        Head::ItemsStarted { path: path("contain"), from: 0, to: 3 }.into(),
        sent("contain[0]/cut", &a),
        sent("contain[1]/cut", &b),
        lost("contain[0]/cut").text("pc-1 is silent"),
        lost("contain[1]/cut").text("srv.stadt-b is silent"),
        asked,
        unknown,
    ];
    fold(plan, &events)
}

fn fold(plan: &Plan, events: &[Event]) -> RunState {
    let (first, rest) = events.split_first().unwrap();
    let mut state = RunState::open(first, START).unwrap();
    for event in rest {
        state.apply(plan, event, START).unwrap_or_else(|error| panic!("{event:?}: {error}"));
    }
    state.refresh();
    state
}

fn whole(plan: &Plan, state: &RunState) -> Value {
    state.to_json(plan, StoreId::new(1, &[1; 10]), "SIT-2026-0007", "sha256:00")
}

#[test]
fn nobody_reads_a_value_of_a_run_that_is_not_their_own() {
    let plan = plan(TEXT);
    let state = state(&plan);
    let all = whole(&plan, &state);
    let text = all.to_string();
    assert!(text.matches(CANARY).count() > 8, "the canary is planted: {text}");
    let mine = scope("stadt-a");
    let eyes = Eyes::on(&state, &mine);
    let seen = eyes.run(all.clone());
    let text = seen.to_string();
    assert_eq!(text.matches(CANARY).count(), 0, "{text}");

    // What is there stands in outline, what is another's is left out, what is theirs is whole.
    let paths = |run: &Value| {
        let steps = run["steps"].as_array().unwrap().iter();
        steps.map(|step| step["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(paths(&all).contains(&"contain[1]/cut".to_owned()));
    assert_eq!(paths(&seen), ["triage", "contain", "contain[0]/cut", "contain[2]/cut"]);
    assert_eq!(seen["steps"][2], all["steps"][2], "their own");
    assert_eq!(seen["steps"][2]["item"], "pc-1");
    assert_eq!(seen["steps"][0]["status"], "succeeded");
    assert_eq!(seen["steps"][0]["output"], Value::Null);
    assert_eq!(seen["steps"][3]["item"], Value::Null);
    assert_eq!(seen["inputs"], Value::Null);
    assert_eq!(seen["status"], all["status"]);
    let needs = seen["needs"].as_array().unwrap();
    assert_eq!(needs.len(), 1, "the other one is another town's");
    assert_eq!(needs[0]["shows"]["error"]["message"], "pc-1 is silent");
    let field_names = |json: &Value| json.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(field_names(&seen), field_names(&all), "no field disappears");
    for (one, other) in
        all["steps"].as_array().unwrap().iter().zip(seen["steps"].as_array().unwrap())
    {
        assert_eq!(field_names(one), field_names(other));
    }
}

#[test]
fn a_need_that_is_nobodys_says_only_that_it_is_there() {
    let plan = plan(TEXT);
    let mut task = asks(1, NeedKind::Task, "triage", Role::Responder, 0).text(CANARY);
    task.body.value = Some(Arc::new(json!({"instructions": CANARY})));
    let first = opened(&plan, 1, &json!({"hosts": [], "ticket": CANARY}));
    let section = Head::SectionStarted { section: Section::Steps }.into();
    let state = fold(&plan, &[first, section, task]);
    let mine = scope("stadt-a");
    let eyes = Eyes::on(&state, &mine);
    let json = state.need_json(state.needs().next().unwrap());
    let seen = eyes.need(json.clone()).unwrap();
    assert!(!seen.to_string().contains(CANARY), "{seen}");
    for field in ["id", "kind", "role", "since", "run", "step"] {
        assert_eq!(seen[field], json[field], "{field}");
    }
    assert_eq!((&seen["title"], &seen["shows"]), (&Value::Null, &Value::Null));
    // A gate that shows somebody else's target is somebody else's, whatever step it stands at.
    let mut gate = json;
    gate["shows"] = json!({"lines": [{"targets": [{"name": "x", "organisation": CANARY}]}]});
    assert_eq!(eyes.need(gate), None);
}

#[test]
fn who_reads_every_organisation_reads_the_whole() {
    let plan = plan(TEXT);
    let state = state(&plan);
    let all = whole(&plan, &state);
    assert_eq!(Eyes::on(&state, &Scope::ALL).run(all.clone()), all);
}

#[test]
fn the_eyes_on_a_run_hide_what_its_timeline_hides() {
    let plan = plan(TEXT);
    let state = state(&plan);
    let mine = scope("stadt-a");
    let eyes = Eyes::on(&state, &mine);
    let at = |at: &str| Event::new(Head::Noted { path: path(at) });
    assert!(eyes.may_know(&at("contain[0]/tell")) && eyes.may_know(&at("triage")));
    assert!(!eyes.may_know(&at("contain[1]/tell")) && !eyes.may_know(&at("contain[1]/cut")));
    let vote = |number| Event::new(Head::NeedVoid { need: need(number) });
    assert!(eyes.may_know(&vote(3)) && !eyes.may_know(&vote(2)));
}
