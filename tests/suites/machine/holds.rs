//! Effects on one thing: holds, turns, and what happens once in an incident.

use serde_json::json;

use super::desk::{Desk, plan, refused, unknown};

const CUT: &str = "  - id: cut
    call: network.isolate
    with: { host: pc-1 }
    retry: { attempts: 2, initial: 1s }
";

/// A second run in the same store.
fn beside(first: &Desk, steps: &str) -> Desk {
    let mut desk = Desk::of(steps);
    desk.now = first.now;
    desk.shared = first.shared.clone();
    desk.renamed();
    desk
}

#[test]
fn a_held_target_is_not_touched_again_and_the_last_release_restores_the_first_state() {
    let mut first = Desk::of(CUT);
    first.tick().all_succeed();
    let mut second = beside(&first, CUT);
    second.tick();
    assert_eq!((second.paths_out().len(), second.is("cut")), (0, "succeeded"));
    assert_eq!(second.output("cut"), json!({"state": "isolated"}));
    assert_eq!(second.state.steps().next().unwrap().already_held_by, [first.run()]);

    first.shared = second.shared.clone();
    first.undo(&[]);
    assert_eq!(
        (first.status(), first.paths_out().len()),
        ("undone", 0),
        "the other one still holds it"
    );
    assert_eq!(first.state.steps().next().unwrap().still_held_by, [second.run()]);

    second.shared = first.shared.clone();
    second.undo(&[]);
    assert_eq!(second.sent(), [("cut/undo".to_owned(), "network.release".to_owned())]);
    assert_eq!(
        second.previous_of("cut/undo"),
        json!({"state": "open"}),
        "what it was before the first"
    );
    second.all_succeed();
    assert_eq!((second.status(), second.shared.holds.iter().count()), ("undone", 0));
}

#[test]
fn what_was_cut_off_before_anybody_came_is_not_opened_by_an_undo() {
    let mut desk = Desk::of(CUT);
    desk.tick().answer("cut", Ok(json!({"state": "isolated"}))).all_succeed();
    desk.undo(&[]);
    assert_eq!(
        (desk.status(), desk.paths_out().len(), desk.shared.holds.iter().count()),
        ("undone", 0, 0)
    );
}

#[test]
fn two_steps_of_one_run_hold_together_and_an_undo_of_both_releases_once() {
    let mut desk = Desk::of(
        "  - id: both\n    parallel:\n      left:\n        - id: a\n          call: network.isolate\n          with: { host: pc-1 }\n      right:\n        - id: b\n          call: network.isolate\n          with: { host: pc-1 }\n",
    );
    desk.tick().succeeds("both/left/a").succeeds("both/right/b");
    assert_eq!(desk.paths_out(), ["both/left/a"], "effects on one target run one after the other");
    desk.succeeds("both/left/a");
    assert_eq!((desk.is("both/right/b"), desk.status()), ("succeeded", "succeeded"));
    desk.undo(&[]);
    assert_eq!(desk.paths_out().len(), 1);
    desk.all_succeed();
    assert_eq!((desk.status(), desk.shared.holds.iter().count()), ("undone", 0));
}

#[test]
fn a_state_that_was_read_while_another_effect_went_on_is_read_again() {
    let mut first = Desk::of(CUT);
    first.tick();
    let mut second = beside(&first, CUT);
    second.tick();
    assert_eq!(second.sent(), [("cut".to_owned(), "network.state".to_owned())]);
    // Meanwhile the first one cuts the target off and takes it back.
    first.shared = second.shared.clone();
    first.all_succeed().undo(&[]);
    first.all_succeed();
    second.shared = first.shared.clone();
    second.answer("cut", Ok(json!({"state": "isolated"})));
    assert_eq!(second.sent(), [("cut".to_owned(), "network.state".to_owned())], "once more");
    second.succeeds("cut");
    assert_eq!(second.previous_of("cut"), json!({"state": "open"}));
}

#[test]
fn one_name_behind_two_connectors_is_two_things() {
    let there = CUT.replace("id: cut", "id: cut_there");
    let slots = "slots: { annex: { capability: network } }";
    let text = format!("{slots}\nsteps:\n{CUT}{there}    via: annex\n");
    let mut desk = Desk::new(&plan(&text), json!({}));
    desk.tick().succeeds("cut").succeeds("cut");
    assert_eq!(desk.paths_out(), ["cut_there"], "what the one cut off the other one did not");
    desk.all_succeed();
    assert_eq!((desk.status(), desk.shared.holds.iter().count()), ("succeeded", 2));
    desk.undo(&["cut"]);
    assert_eq!(desk.sent(), [("cut/undo".to_owned(), "network.release".to_owned())]);
    desk.all_succeed();
    assert_eq!(desk.shared.holds.iter().count(), 1, "the annex is as it was");
}

/// A command for one host, and the one that takes it back.
fn command(id: &str, verb: &str, target: &str) -> String {
    let with = |verb: &str| {
        format!(
            "{{ host: console, command: [{verb}], targets: [{{ kind: host, value: {target} }}] }}"
        )
    };
    let (run, back) = (with(verb), with(&format!("no-{verb}")));
    format!(
        "  - id: {id}\n    call: ssh.run\n    with: {run}\n    undo: {{ call: ssh.run, with: {back} }}\n"
    )
}

#[test]
fn effects_through_one_host_run_one_after_the_other() {
    let inside =
        |step: String| step.lines().fold(String::new(), |all, line| all + "      " + line + "\n");
    let left = format!("      left:\n{}", inside(command("a", "cut", "pc-1")));
    let right = format!("      right:\n{}", inside(command("b", "cut", "pc-2")));
    let mut desk = Desk::of(&format!("  - id: both\n    parallel:\n{left}{right}"));
    desk.tick();
    assert_eq!(desk.paths_out(), ["both/left/a"]);
    desk.succeeds("both/left/a");
    assert_eq!(desk.paths_out(), ["both/right/b"]);
}

#[test]
fn another_command_on_a_held_host_is_another_effect() {
    let (stop, cut) = (command("stop", "stop", "pc-1"), command("cut", "cut", "pc-1"));
    let mut first = Desk::of(&format!("{stop}{cut}"));
    first.tick().succeeds("stop");
    assert_eq!(first.paths_out(), ["cut"], "what was not done is not said to be");
    first.all_succeed();

    let mut second = beside(&first, &cut);
    second.tick();
    assert_eq!((second.is("cut"), second.paths_out().len()), ("succeeded", 0), "the same again");
    first.shared = second.shared.clone();
    first.undo(&[]);
    first.all_succeed();
    let steps: Vec<_> = first.state.steps().map(|step| step.still_held_by.clone()).collect();
    assert_eq!((first.status(), &steps[1]), ("undone", &vec![second.run()]));
    assert_eq!(steps[0], [], "nobody else needs what the first command did");
    second.shared = first.shared.clone();
    second.undo(&[]);
    assert_eq!(second.paths_out(), ["cut/undo"]);
    second.all_succeed();
    assert_eq!((second.status(), second.shared.holds.iter().count()), ("undone", 0));
}

#[test]
fn a_busy_target_waits_until_the_other_effect_is_settled() {
    let mut first = Desk::of(CUT);
    first.tick().succeeds("cut");
    let mut second = beside(&first, CUT);
    second.tick();
    assert!(second.paths_out().is_empty() && second.state.is_held_back());
    first.answer("cut", refused());
    second.shared = first.shared.clone();
    second.tick();
    assert_eq!(second.paths_out(), ["cut"]);
}

#[test]
fn an_unknown_effect_keeps_its_target_and_its_own_retry_is_not_in_its_way() {
    let mut first = Desk::of(CUT);
    first.tick().succeeds("cut").answer("cut", unknown());
    let mut second = beside(&first, CUT);
    second.tick();
    assert!(second.paths_out().is_empty());
    first.after("5s");
    assert_eq!(first.paths_out(), ["cut"]);
}

#[test]
fn a_direct_release_frees_a_target_of_all_holds() {
    let mut desk = Desk::of(&format!(
        "{CUT}  - id: open_again\n    call: network.release\n    with: {{ host: pc-1 }}\n"
    ));
    desk.tick().all_succeed();
    assert_eq!((desk.status(), desk.shared.holds.iter().count()), ("succeeded", 0));
}

#[test]
fn once_per_incident_is_the_first_ones_until_it_surely_failed() {
    let steps = "  - id: open\n    call: ticket.open\n    with: { title: t, text: x }\n    once_per_incident: true\n    on_error: continue\n";
    let mut first = Desk::of(steps);
    first.tick();
    let mut second = beside(&first, steps);
    second.tick();
    assert_eq!((second.is("open"), second.status()), ("skipped", "succeeded"));
    first.answer("open", refused());
    assert_eq!(first.is("open"), "failed");
    let mut third = beside(&first, steps);
    third.tick();
    assert_eq!(third.paths_out(), ["open"]);
}
