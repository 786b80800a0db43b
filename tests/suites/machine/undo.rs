//! Taking back: backwards through the structure, by people or by a step, with the gate the effect
//! had.

use std::collections::BTreeMap;

use beistand_core::model::PlaybookName;
use beistand_core::playbook::SourceText;
use beistand_core::run::{AnswerError, AnswerKind, Effect, Input, RunEnd};
use serde_json::{Value, json};

use super::desk::{Desk, plan_with, refused};

fn cut(id: &str, host: &str) -> String {
    format!("  - id: {id}\n    call: network.isolate\n    with: {{ host: {host} }}\n")
}

#[test]
fn lists_are_taken_back_from_the_end() {
    let mut desk = Desk::of(&format!("{}{}", cut("a", "pc-1"), cut("b", "pc-2")));
    desk.tick().all_succeed();
    desk.undo(&[]);
    assert_eq!((desk.status(), desk.paths_out()), ("undoing", vec!["b/undo".to_owned()]));
    desk.succeeds("b/undo");
    assert_eq!(desk.paths_out(), ["a/undo"]);
    desk.succeeds("a/undo");
    assert_eq!((desk.status(), desk.is("a")), ("undone", "undone"));
}

#[test]
fn items_of_a_loop_are_taken_back_at_once() {
    let mut desk = Desk::of(
        "  - id: each\n    for_each: inputs.hosts\n    as: host\n    max_parallel: 3\n    steps:\n      - id: cut\n        call: network.isolate\n        with: { host: \"${host}\" }\n",
    );
    desk.tick().all_succeed();
    desk.undo(&[]);
    assert_eq!(desk.paths_out().len(), 3);
    desk.all_succeed();
    assert_eq!(desk.status(), "undone");
}

#[test]
fn rounds_are_taken_back_from_the_last_and_their_receipts_are_kept() {
    let mut desk = Desk::of(
        "  - id: poll\n    repeat:\n      until: steps.cut.output.state == \"open\"\n      max: 3\n    steps:\n      - id: cut\n        call: network.isolate\n        with: { host: pc-1 }\n        undo: { call: network.release, with: { host: pc-1, reason: \"${now}\" } }\n    on_error: continue\n",
    );
    desk.tick().all_succeed();
    assert_eq!((desk.is("poll[0]/cut"), desk.is("poll[2]/cut")), ("succeeded", "succeeded"));
    desk.undo(&[]).all_succeed();
    assert_eq!(
        (desk.is("poll[0]/cut"), desk.status(), desk.shared.holds.iter().count()),
        ("undone", "undone", 0)
    );
}

#[test]
fn one_item_can_be_taken_back_while_the_run_goes_on() {
    let mut desk = Desk::of(&format!("{}  - id: rest\n    wait: 1h\n", cut("a", "pc-1")));
    desk.tick().all_succeed();
    desk.undo(&["a"]);
    assert_eq!(desk.paths_out(), ["a/undo"]);
    desk.succeeds("a/undo");
    assert_eq!((desk.is("a"), desk.status()), ("undone", "waiting"));
    desk.after("1h");
    assert_eq!(desk.status(), "succeeded");
}

#[test]
fn a_part_taken_back_leaves_the_run_as_it_had_ended() {
    let mut desk = Desk::of(&format!("{}{}", cut("a", "pc-1"), cut("b", "pc-2")));
    desk.tick().all_succeed();
    desk.undo(&["b"]).all_succeed();
    assert_eq!((desk.is("b"), desk.status()), ("undone", "succeeded"));
    desk.undo(&[]).all_succeed();
    assert_eq!(desk.status(), "undone");
}

#[test]
fn an_undo_that_failed_is_shown_and_can_be_tried_again_with_a_new_key() {
    let mut desk = Desk::of(&cut("a", "pc-1"));
    desk.tick().all_succeed();
    desk.undo(&[]);
    let key = desk.key("a/undo");
    desk.answer("a/undo", refused());
    assert_eq!((desk.is("a"), desk.status()), ("undo-failed", "succeeded"));
    desk.undo(&[]);
    assert_ne!(desk.key("a/undo"), key);
    desk.all_succeed();
    assert_eq!(desk.status(), "undone");
}

#[test]
fn an_undo_needs_the_gate_its_effect_had_and_who_wants_it_can_not_approve_it() {
    let mut desk = Desk::of(&cut("a", "pc-1")).with_policy();
    desk.tick().approve("a", "ben").all_succeed();
    desk.undo(&[]);
    assert_eq!((desk.paths_out().len(), desk.asked()), (0, vec![": Approval".to_owned()]));
    let need = desk.need("").id;
    let own = desk.try_say(need, "anna", AnswerKind::Approve, Value::Null);
    assert!(matches!(own, Err(AnswerError::NotAllowed(_))));
    desk.approve("", "ben");
    assert_eq!(desk.paths_out(), ["a/undo"]);
    desk.all_succeed();
    assert_eq!(desk.status(), "undone");
}

#[test]
fn a_denied_undo_takes_nothing_back() {
    let mut desk = Desk::of(&cut("a", "pc-1")).with_policy();
    desk.tick().approve("a", "ben").all_succeed();
    desk.undo(&[]).say("", AnswerKind::Deny);
    assert_eq!(
        (desk.is("a"), desk.status(), desk.paths_out().len()),
        ("undo-failed", "succeeded", 0)
    );
    assert_eq!(desk.shared.holds.iter().count(), 1);
}

#[test]
fn an_undo_step_takes_back_what_its_steps_did() {
    let mut desk = Desk::of(&format!(
        "{}  - id: back\n    undo: [a]\n  - id: after\n    note: after\n",
        cut("a", "pc-1")
    ));
    desk.tick().succeeds("a").succeeds("a");
    assert_eq!(
        (desk.paths_out(), desk.is("back"), desk.is("after")),
        (vec!["a/undo".to_owned()], "running", "-")
    );
    desk.succeeds("a/undo");
    assert_eq!((desk.is("back"), desk.status()), ("succeeded", "succeeded"));
}

#[test]
fn steps_written_as_undo_replace_the_catalogues_and_leave_the_hold_to_nobody() {
    let mut desk = Desk::of(&format!(
        "{}    undo:\n      - id: tell\n        note: taken back\n",
        cut("a", "pc-1")
    ));
    desk.tick().all_succeed();
    desk.undo(&[]);
    assert_eq!(
        (desk.is("a/undo/tell"), desk.is("a"), desk.status()),
        ("succeeded", "undone", "undone")
    );
}

#[test]
fn a_paused_run_can_be_taken_back_also_by_steps_and_also_after_its_end() {
    let steps =
        format!("{}    undo:\n      - id: tell\n        note: taken back\n", cut("a", "pc-1"));
    let mut desk = Desk::of(&format!("{steps}  - id: after\n    note: never\n"));
    desk.tick().pause().succeeds("a");
    assert_eq!((desk.is("after"), desk.status()), ("ready", "paused"));
    desk.undo(&[]);
    assert_eq!((desk.is("a"), desk.is("after"), desk.status()), ("undone", "ready", "paused"));

    let mut desk = Desk::of(&steps);
    desk.tick().pause().succeeds("a");
    assert_eq!(desk.status(), "succeeded");
    desk.undo(&[]);
    assert_eq!(desk.status(), "undone");
}

#[test]
fn nothing_to_take_back_is_said_so() {
    let mut desk = Desk::of("  - id: n\n    note: n\n");
    desk.tick();
    let by = beistand_core::run::Actor::asserted("anna".parse().unwrap());
    let reason = String::new();
    let paths = vec!["n".parse().unwrap()];
    let said = desk.command(beistand_core::run::Command::Undo { by, paths, reason });
    assert!(matches!(said, Err(AnswerError::NotFound(_))));
}

#[test]
fn a_sub_playbook_is_opened_once_and_taken_back_as_a_run_of_its_own() {
    let text = "playbook: sub\nlanguage: 1\ntitle: Sub\nsteps:\n  - id: cut\n    call: network.isolate\n    with: { host: pc-9 }\n";
    let name: PlaybookName = "sub".parse().unwrap();
    let library = BTreeMap::from([(name, SourceText::new("sub.yaml", text))]);
    let plan = plan_with("steps:\n  - id: part\n    playbook: sub\n", &library);
    let mut desk = Desk::new(&plan, json!({}));
    desk.tick();
    let opened = |desk: &Desk| {
        desk.out.iter().find_map(|effect| {
            let Effect::OpenChild { run, .. } = effect else { return None };
            Some(*run)
        })
    };
    let child = opened(&desk).unwrap();
    desk.crash();
    assert_eq!(opened(&desk), Some(child), "after a crash the same run is opened");
    let ended = |end| Input::ChildEnded {
        path: "part".parse().unwrap(),
        run: child,
        end,
        outputs: json!({"x": 1}),
        error: None,
    };
    desk.take(vec![ended(RunEnd::Succeeded), ended(RunEnd::Failed)]);
    assert_eq!((desk.output("part"), desk.status()), (json!({"x": 1}), "succeeded"));
    desk.undo(&[]);
    assert!(
        desk.out
            .iter()
            .any(|effect| matches!(effect, Effect::ToChild { run, .. } if *run == child))
    );
    desk.take(vec![ended(RunEnd::Undone)]);
    assert_eq!((desk.is("part"), desk.status()), ("undone", "undone"));
}

const TURNED: &str = "  - id: say
    call: ticket.open
    with: { title: t, text: x }
    undo: { call: network.isolate, with: { host: dc01 } }
";

#[test]
fn an_undo_that_destroys_is_guarded_and_asked_about_like_any_effect() {
    let mut guarded = Desk::of(TURNED).guarded("dc01");
    guarded.tick().all_succeed();
    guarded.undo(&[]);
    assert_eq!((guarded.paths_out().len(), guarded.is("say")), (0, "undo-failed"));

    let mut unguarded = Desk::of(TURNED);
    unguarded.setup.guarded = false;
    unguarded.tick().all_succeed();
    unguarded.undo(&[]);
    assert_eq!((unguarded.paths_out().len(), unguarded.is("say")), (0, "undo-failed"));

    let mut asked = Desk::of(TURNED).with_policy();
    asked.tick().all_succeed();
    asked.undo(&[]);
    assert_eq!(asked.paths_out().len(), 0);
    assert!(asked.asked().iter().any(|need| need.ends_with("Approval")), "{:?}", asked.asked());

    let mut free = Desk::of(TURNED);
    free.tick().all_succeed();
    free.undo(&[]);
    assert_eq!(free.sent(), [("say/undo".to_owned(), "network.isolate".to_owned())]);
    free.all_succeed();
    assert_eq!((free.is("say"), free.shared.holds.iter().count()), ("undone", 0));
}
