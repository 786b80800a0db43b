//! The player of cases: what it answers, who decides, and what it finds wrong.

use std::collections::BTreeMap;
use std::sync::Arc;

use beistand_core::case::{Played, play};
use beistand_core::model::{Catalogue, PlaybookName};
use beistand_core::playbook::{Case, Plan, SourceText};
use beistand_core::run::{Head, StepStatus};
use beistand_script::Scripts;

use super::desk::{plan, plan_with};

const EACH: &str = "steps:
  - id: each
    for_each: inputs.hosts
    as: host
    max_parallel: 2
    steps:
      - id: cut
        call: network.isolate
        with: { host: \"${host}\" }
        retry: { attempts: 2, initial: 1s }
outputs:
  cut_off: steps.each.counts.succeeded
";

fn played(plan: &Arc<Plan>, case: &str) -> Played {
    let source = SourceText::new("case.yaml", format!("case: on the desk\n{case}"));
    let catalogue = Catalogue::first();
    let (case, findings) = Case::read(&source, plan, &catalogue);
    let case = case.unwrap_or_else(|| panic!("{findings:#?}"));
    play(plan, &case, &catalogue, &Scripts::without_budget()).unwrap()
}

#[test]
fn without_answers_everything_works_and_the_same_case_gives_the_same_entries() {
    let case =
        "expect: { status: succeeded, outputs: { cut_off: 3 }, calls: { network.isolate: 3 } }";
    let first = played(&plan(EACH), case);
    assert_eq!(first.differences, Vec::<String>::new());
    assert_eq!(first.runs[0].entries, played(&plan(EACH), case).runs[0].entries);
}

#[test]
fn the_first_answer_that_matches_wins_and_people_name_items_by_name() {
    let played = played(
        &plan(EACH),
        "answers:
  - { call: network.isolate, where: { host: pc-2 }, times: 2, error: unavailable }
  - { call: network.isolate, output: { state: isolated } }
people:
  - { step: \"each[pc-2]/cut\", skip: unplugged }
expect: { status: succeeded, outputs: { cut_off: 2 }, calls: { network.isolate: 4 } }",
    );
    assert_eq!(played.differences, Vec::<String>::new());
}

#[test]
fn what_is_not_as_expected_is_said_in_sentences() {
    let played = played(
        &plan(EACH),
        "people:
  - { step: cut, retry: again }
expect: { status: failed, outputs: { cut_off: 1 }, calls: { network.isolate: 9 } }",
    );
    assert_eq!(
        played.differences,
        [
            "status: expected failed, is succeeded",
            "outputs: expected {\"cut_off\":1}, are {\"cut_off\":3}",
            "calls: expected 9 of network.isolate, there are 3",
            "people 1: nobody asked for `retry` at `cut`",
        ]
    );
}

#[test]
fn after_a_crash_an_idempotent_call_goes_on_and_a_mail_is_settled_by_a_person() {
    let steps = "steps:
  - id: cut
    call: network.isolate
    with: { host: pc-1 }
  - id: mail
    call: mail.send
    with: { to: [a@b.example], subject: s, text: t }
";
    let played = played(
        &plan(steps),
        "answers:
  - { call: network.isolate, crash: after_intent }
  - { call: mail.send, crash: after_intent }
people:
  - { step: mail, resolve: not-done }
expect: { status: succeeded, calls: { network.isolate: 1, mail.send: 2 } }",
    );
    assert_eq!(played.differences, Vec::<String>::new());
    let events = played.runs[0].entries.iter().flat_map(|entry| &entry.events);
    let resumed = events.filter(|event| matches!(event.head, Head::AttemptResumed { .. })).count();
    assert_eq!(resumed, 1);
}

#[test]
fn an_answer_with_a_probe_makes_its_action_checkable() {
    let steps = "steps:
  - id: open
    call: ticket.open
    with: { title: t, text: x }
";
    for (probe, calls) in [("done", 1), ("not-done", 2)] {
        let case = format!(
            "answers:\n  - {{ call: ticket.open, times: 1, error: unknown, probe: {probe} }}\nexpect: {{ status: succeeded, calls: {{ ticket.open: {calls} }} }}"
        );
        assert_eq!(played(&plan(steps), &case).differences, Vec::<String>::new(), "{probe}");
    }
}

#[test]
fn people_and_signals_come_when_they_are_due_and_lateness_is_seen() {
    let steps = "steps:
  - id: look
    within: 5m
    task: { role: responder, instructions: look, form: { ok: { type: boolean } } }
  - id: go_on
    wait: { signal: go }
";
    let played = played(
        &plan(steps),
        "people:
  - { step: look, form: { ok: true }, at: 12m, by: anna }
signals:
  - { name: go, at: 1h }
expect: { status: succeeded }",
    );
    assert_eq!(played.differences, Vec::<String>::new());
    let run = &played.runs[0];
    let step = run.state.steps().next().unwrap();
    assert!(step.late);
    assert_eq!(StepStatus::of(step), StepStatus::Succeeded);
    let (first, last) = (run.entries.first().unwrap().at, run.entries.last().unwrap().at);
    assert_eq!(last.since(first).millis(), 3_600_000);
}

#[test]
fn a_run_that_waits_for_somebody_comes_to_rest() {
    let steps = "steps:
  - id: look
    within: 5m
    task: { role: responder, instructions: look }
";
    let played = played(&plan(steps), "expect: { status: waiting }");
    assert_eq!(played.differences, Vec::<String>::new());
}

#[test]
fn sub_playbooks_run_inside_the_case_and_an_undo_goes_down_to_them() {
    let text = "playbook: sub\nlanguage: 1\ntitle: Sub\nsteps:\n  - id: cut\n    call: network.isolate\n    with: { host: pc-9 }\noutputs:\n  state: steps.cut.output.state\n";
    let name: PlaybookName = "sub".parse().unwrap();
    let library = BTreeMap::from([(name, SourceText::new("sub.yaml", text))]);
    let steps = "steps:
  - id: part
    playbook: sub
  - id: back
    undo: [part]
outputs:
  state: steps.part.output.state
";
    let played = played(
        &plan_with(steps, &library),
        "expect: { status: succeeded, outputs: { state: isolated }, calls: { network.isolate: 1, network.release: 1 } }",
    );
    assert_eq!(played.differences, Vec::<String>::new());
    assert_eq!(played.runs.len(), 2);
    assert_eq!(played.runs[1].state.status().as_str(), "undone");
}
