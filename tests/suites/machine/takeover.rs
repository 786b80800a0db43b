//! A corrected playbook takes over: what was done is not sent again, what is open is settled first,
//! and no gate becomes weaker.

use std::sync::Arc;

use beistand_core::model::{Digest, Role, RunId};
use beistand_core::playbook::Plan;
use beistand_core::run::{
    AnswerError, AnswerKind, Chance, Command, Earlier, Effect, Head, Input, Legacy, Reply,
    RunState, Successor,
};
use serde_json::json;

use super::desk::{Desk, person, plan, unknown};

const TELL: &str = "  - id: tell
    call: mail.send
    with: { to: [a@example.org], subject: s, text: old }
    retry: { attempts: 1 }
";
const CUT: &str = "  - id: cut
    call: network.isolate
    with: { host: pc-1 }
";
const STAY: &str = "  - { id: stay, wait: { signal: go } }\n";
const REPORT: &str = "  - id: report
    call: ticket.open
    with: { title: t, text: x }
";

fn next(plan: &Arc<Plan>) -> Successor {
    let mut chance = Chance::new([7; 32]);
    Successor {
        run: chance.run_id(beistand_core::model::Millis::new(1_700_000_000_000)),
        playbook: plan.name().clone(),
        digest: plan.digest(),
        sources: Digest::ZERO,
        by_hand_ok: true,
        by: person("cleo"),
    }
}

fn steps(steps: &str) -> Arc<Plan> {
    plan(&format!("steps:\n{steps}"))
}

fn supersede(desk: &mut Desk, plan: &Arc<Plan>) -> Result<Reply, AnswerError> {
    desk.command(Command::Supersede { next: next(plan), reason: "a wrong host".to_owned() })
}

/// Whether the run that takes over is to be opened now.
fn opens(desk: &mut Desk) -> bool {
    let before = desk.out.len();
    desk.out.retain(|effect| !matches!(effect, Effect::OpenSuccessor { .. }));
    desk.out.len() < before
}

/// The run that takes over from one that gave way, which ends.
fn takes_over(old: &mut Desk, plan: &Arc<Plan>) -> Desk {
    assert!(opens(old), "nothing of it is open any more");
    let mut legacy = Legacy::default();
    legacy.learn_gates(&old.plan);
    legacy.learn(old.entries.iter().flat_map(|(_, events)| events));
    let mut desk = Desk::new(plan, json!({}));
    (desk.now, desk.shared, desk.setup) = (old.now, old.shared.clone(), old.setup.clone());
    desk.renamed();
    let (run, before) = (next(plan).run, old.run());
    if let Some((_, events)) = desk.entries.first_mut() {
        if let Head::RunOpened { run: id, supersedes, by, .. } = &mut events[0].head {
            (*id, *by) = (run, person("cleo"));
            *supersedes = Some(Box::new(Earlier { run: before, tree: before, restored: None }));
        }
        let body = Arc::make_mut(events[0].body.value.as_mut().unwrap());
        body["legacy"] = json!(legacy);
    }
    let entries = desk.entries.iter().map(|(at, events)| (*at, events.as_slice()));
    desk.state = RunState::fold(plan, entries).unwrap();
    old.take(vec![Input::Successor { run, refused: None }]);
    assert_eq!((old.status(), old.state.superseded_by()), ("superseded", Some(run)));
    desk.tick();
    desk
}

fn holders(desk: &Desk) -> Vec<RunId> {
    desk.shared.holds.iter().flat_map(|(_, state)| &state.holders).map(|one| one.run).collect()
}

#[test]
fn what_was_done_is_taken_over_and_only_the_rest_is_sent() {
    let mut old = Desk::of(&format!("{TELL}{CUT}{STAY}"));
    old.tick().all_succeed();
    let plan = steps(&format!("{TELL}{CUT}{REPORT}"));
    assert_eq!(supersede(&mut old, &plan), Ok(Reply::Done));
    assert_eq!(old.is("stay"), "cancelled", "nothing begins any more");
    let mut new = takes_over(&mut old, &plan);
    assert_eq!(new.sent(), [("report".to_owned(), "ticket.open".to_owned())]);
    assert_eq!(new.output("cut"), json!({"state": "isolated"}));
    assert_eq!(new.state.step_at(&"tell".parse().unwrap()).unwrap().taken_from, Some(old.run()));
    assert_eq!(holders(&new), [new.run()], "who answers for the host now");
    new.all_succeed();
    assert_eq!(new.status(), "succeeded");

    old.shared = new.shared.clone();
    old.undo(&[]);
    assert_eq!((old.status(), old.paths_out().len()), ("undone", 0), "it is the other one's");
    new.shared = old.shared.clone();
    new.undo(&[]);
    assert_eq!(new.sent(), [("cut/undo".to_owned(), "network.release".to_owned())]);
    assert_eq!(new.previous_of("cut/undo"), json!({"state": "open"}));
    new.all_succeed();
    assert_eq!((new.status(), holders(&new).len()), ("undone", 0));
}

#[test]
fn what_is_not_the_same_is_sent_and_what_was_done_stays() {
    let mut old = Desk::of(&format!("{TELL}{CUT}{STAY}"));
    old.tick().all_succeed();
    let corrected =
        format!("{TELL}{CUT}").replace("text: old", "text: new").replace("pc-1", "pc-2");
    let plan = steps(&corrected);
    supersede(&mut old, &plan).unwrap();
    let mut new = takes_over(&mut old, &plan);
    assert_eq!(new.paths_out(), ["tell"], "a corrected text is told");
    new.all_succeed();
    assert_eq!(holders(&new), [old.run(), new.run()], "the wrong host stays cut off, and known");
    old.shared = new.shared.clone();
    old.undo(&["cut"]);
    assert_eq!(old.sent(), [("cut/undo".to_owned(), "network.release".to_owned())]);
}

#[test]
fn a_run_gives_way_when_nothing_of_it_is_open_any_more() {
    let mut old = Desk::of(&format!("{TELL}{CUT}"));
    old.tick().answer("tell", unknown());
    let plan = steps(&format!("{TELL}{CUT}"));
    supersede(&mut old, &plan).unwrap();
    assert!(!opens(&mut old), "nobody knows whether the mail was sent");
    assert_eq!(supersede(&mut old, &plan), Ok(Reply::Already));
    let other = supersede(&mut old, &steps(CUT));
    assert!(matches!(other, Err(AnswerError::Conflict(_))), "{other:?}");
    old.say("tell", AnswerKind::Done);
    let mut new = takes_over(&mut old, &plan);
    new.all_succeed();
    let sent = |desk: &Desk| desk.count(|head| matches!(head, Head::AttemptStarted(_)));
    assert_eq!((sent(&old), sent(&new)), (1, 1), "the mail once, the cut once");
}

#[test]
fn closing_steps_are_left_to_whoever_takes_over() {
    let closing = "  - id: both
    group:
      - { id: stay, wait: { signal: go } }
    always:
      - { id: inner, note: over }
";
    let mut old = Desk::new(
        &plan(&format!("steps:\n{closing}always:\n  - {{ id: last, note: over }}\n")),
        json!({}),
    );
    old.tick();
    let plan = steps(CUT);
    supersede(&mut old, &plan).unwrap();
    takes_over(&mut old, &plan);
    assert_eq!(old.count(|head| matches!(head, Head::Noted { .. })), 0);
}

#[test]
fn no_gate_becomes_weaker_and_no_vote_is_carried_over() {
    let gated = |gate: &str| {
        format!("  - id: cut\n    call: network.isolate\n    with: {{ host: pc-1 }}\n{gate}")
    };
    let mut old = Desk::of(&gated("    approval: { role: commander, votes: 2 }\n"));
    old.tick().approve("cut", "anna");
    for gate in ["", "    approval: { role: scribe, votes: 1 }\n"] {
        let mut old = Desk::of(&gated("    approval: { role: commander, votes: 2 }\n"));
        old.tick().approve("cut", "anna");
        let plan = steps(&gated(gate));
        supersede(&mut old, &plan).unwrap();
        let mut new = takes_over(&mut old, &plan);
        let need = new.need("cut");
        assert_eq!((need.votes.len(), need.votes_needed, need.role), (0, 2, Role::Commander));
        new.approve("cut", "anna").approve("cut", "ben").all_succeed();
        assert_eq!(new.status(), "succeeded");
        new.undo(&[]);
        assert_eq!(new.need("").votes_needed, 2, "what was cut like that is opened like that");
    }
    let plan = steps(&gated("    approval: { role: scribe, votes: 3 }\n"));
    supersede(&mut old, &plan).unwrap();
    let need = takes_over(&mut old, &plan).need("cut");
    assert_eq!((need.votes_needed, need.role), (3, Role::Commander), "the stricter of both");
}

#[test]
fn a_gate_asks_only_for_what_is_not_taken_over() {
    let each = "  - id: each
    for_each: inputs.hosts
    as: host
    approval: { role: commander, votes: 1 }
    steps:
      - id: cut
        call: network.isolate
        with: { host: \"${host}\" }
";
    let mut old = Desk::of(&format!("{each}{STAY}"));
    old.tick().approve("each", "anna").all_succeed();
    let plan = steps(&format!("{each}{REPORT}"));
    supersede(&mut old, &plan).unwrap();
    let new = takes_over(&mut old, &plan);
    assert_eq!(new.paths_out(), ["report"], "nothing is left to say yes to");

    let mut old = Desk::of(&format!("{each}{STAY}"));
    old.tick().approve("each", "anna").succeeds("each[0]/cut").succeeds("each[0]/cut");
    supersede(&mut old, &plan).unwrap();
    old.all_succeed();
    let done = (0..3).filter(|n| old.is(&format!("each[{n}]/cut")) == "succeeded").count();
    let new = takes_over(&mut old, &plan);
    let lines = new.need("each").shows.unwrap()["lines"].as_array().unwrap().len();
    assert_eq!(lines, 3 - done);
    assert!(done > 0 && done < 3, "{done}");
}

#[test]
fn what_was_released_meanwhile_is_not_done_any_more() {
    let mut old = Desk::of(&format!("{CUT}{STAY}"));
    old.tick().all_succeed();
    let plan = steps(&format!("{STAY}{CUT}"));
    supersede(&mut old, &plan).unwrap();
    let mut new = takes_over(&mut old, &plan);
    old.shared = new.shared.clone();
    old.undo(&[]).all_succeed();
    new.shared = old.shared.clone();
    new.signal("go", "k", json!({})).unwrap();
    new.tick();
    assert_eq!(new.paths_out(), ["cut"], "it is looked at and cut off anew");
}

#[test]
fn a_kill_before_the_other_run_is_there_has_it_opened_again() {
    let mut old = Desk::of(STAY);
    old.tick();
    let plan = steps(CUT);
    supersede(&mut old, &plan).unwrap();
    assert!(opens(&mut old));
    old.tick();
    assert!(!opens(&mut old), "once is enough");
    old.crash();
    assert_eq!(old.status(), "cancelling");
    let undo = Command::Undo { by: person("anna"), paths: Vec::new(), reason: String::new() };
    assert!(matches!(old.command(undo), Err(AnswerError::Conflict(_))));
    takes_over(&mut old, &plan);
}

#[test]
fn a_playbook_that_can_not_be_launched_fails_the_run_that_gave_way() {
    let mut old = Desk::of(STAY);
    old.tick();
    let plan = steps(CUT);
    supersede(&mut old, &plan).unwrap();
    assert!(opens(&mut old));
    let refused = Some("the incident is closed".to_owned());
    old.take(vec![Input::Successor { run: next(&plan).run, refused }]);
    assert_eq!((old.status(), old.state.superseded_by()), ("failed", None));
}

#[test]
fn who_is_ended_or_called_by_another_does_not_give_way() {
    let plan = steps(CUT);
    let mut ended = Desk::of("  - { id: say, note: x }\n");
    ended.tick();
    let mut cancelled = Desk::of(&format!("{TELL}{STAY}"));
    cancelled.tick().cancel();
    let mut called = Desk::of(STAY);
    called.called_by(RunId::new(9, &[9; 10]));
    called.tick();
    for mut desk in [ended, cancelled, called] {
        let answer = supersede(&mut desk, &plan);
        assert!(matches!(answer, Err(AnswerError::Conflict(_))), "{answer:?}");
    }
}
