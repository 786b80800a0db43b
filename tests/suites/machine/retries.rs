//! Outcomes joined over attempts, effect classes, keys, and what a crash leaves behind.

use beistand_core::model::{Answer, CallError, Probed, Reached, Span};
use beistand_core::run::{AnswerKind, Answered, Head, Input};
use serde_json::json;

use super::desk::{Desk, at, refused, unavailable, unknown};

const MAIL: &str = "  - id: mail
    call: mail.send
    with: { to: [a@b.example], subject: s, text: t }
    retry: { attempts: 3, initial: 1s }
";
const TICKET: &str = "  - id: open
    call: ticket.open
    with: { title: t, text: x }
    retry: { attempts: 3, initial: 1s }
";
const CUT: &str = "  - id: cut
    call: network.isolate
    with: { host: pc-1 }
    retry: { attempts: 3, initial: 1s }
";

#[test]
fn what_was_surely_not_done_is_tried_again_with_the_same_key() {
    let mut desk = Desk::of(MAIL);
    desk.tick();
    let key = desk.key("mail");
    desk.answer("mail", unavailable());
    assert_eq!(
        (desk.is("mail"), desk.status(), desk.paths_out().len()),
        ("retrying", "running", 0)
    );
    desk.after("2s");
    assert_eq!(desk.key("mail"), key);
    desk.succeeds("mail");
    assert_eq!(desk.status(), "succeeded");
}

#[test]
fn the_pause_grows_and_a_service_may_wish_for_more() {
    let mut desk = Desk::of(MAIL);
    desk.tick();
    let wish = Span::from_secs(90);
    desk.answer(
        "mail",
        Err(CallError::Unavailable { message: "busy".to_owned(), retry_after: Some(wish) }),
    );
    assert_eq!(desk.state.next_due().unwrap(), desk.now.plus(wish));
}

#[test]
fn attempts_used_up_ask_a_person_and_their_retry_is_a_new_generation() {
    let mut desk = Desk::of(MAIL);
    desk.tick();
    let key = desk.key("mail");
    for _ in 0..3 {
        desk.answer("mail", unavailable()).after("1m");
    }
    assert_eq!((desk.is("mail"), desk.error("mail").as_str()), ("needs-decision", "unavailable"));
    desk.say("mail", AnswerKind::Retry);
    assert_ne!(desk.key("mail"), key);
}

#[test]
fn a_refusal_is_not_tried_again() {
    let mut desk = Desk::of(MAIL);
    desk.tick().answer("mail", refused());
    assert_eq!((desk.is("mail"), desk.error("mail").as_str()), ("needs-decision", "refused"));
}

#[test]
fn an_effect_that_happens_once_is_never_sent_again_by_the_program() {
    let mut desk = Desk::of(MAIL);
    desk.tick();
    let key = desk.key("mail");
    desk.answer("mail", unknown()).after("1h");
    assert_eq!((desk.is("mail"), desk.asked()), ("unknown", vec!["mail: Unknown".to_owned()]));
    desk.say("mail", AnswerKind::NotDone);
    assert_eq!(desk.key("mail"), key, "not done: the same key");
    desk.answer("mail", unknown()).say("mail", AnswerKind::SendAgain);
    assert_ne!(desk.key("mail"), key, "send again: a new one");
    desk.answer("mail", unknown()).say("mail", AnswerKind::Done);
    assert_eq!(desk.status(), "succeeded");
}

#[test]
fn an_author_may_let_harmless_mail_come_twice_with_one_key() {
    let mut desk = Desk::of(&format!("{MAIL}    on_unknown: repeat\n"));
    desk.tick();
    let key = desk.key("mail");
    desk.answer("mail", unknown()).after("5s");
    assert_eq!(desk.key("mail"), key);
}

#[test]
fn once_unknown_a_later_refusal_does_not_settle_it() {
    let mut desk = Desk::of(CUT);
    desk.tick().succeeds("cut");
    desk.answer("cut", unknown()).after("5s").answer("cut", refused());
    assert_eq!(desk.is("cut"), "unknown");
    desk.say("cut", AnswerKind::Done);
    assert_eq!((desk.is("cut"), desk.shared.holds.iter().count()), ("succeeded", 1));
}

#[test]
fn retries_used_up_with_an_unknown_among_them_are_unknown_and_continue_does_not_apply() {
    let mut desk = Desk::of(&format!("{CUT}    on_error: continue\n"));
    desk.tick().succeeds("cut");
    desk.answer("cut", unknown()).after("5s");
    desk.answer("cut", unavailable()).after("5s");
    desk.answer("cut", unavailable()).after("5s");
    assert_eq!((desk.is("cut"), desk.asked()), ("unknown", vec!["cut: Unknown".to_owned()]));
}

#[test]
fn a_probe_settles_and_comes_not_before_the_settle_time() {
    let mut desk = Desk::of(TICKET);
    desk.tick();
    let key = desk.key("open");
    desk.answer("open", unknown()).after("31s");
    assert_eq!((desk.is("open"), desk.paths_out().len()), ("unknown", 0));
    desk.after("1s");
    assert_eq!(desk.is("open"), "probing");
    desk.probed("open", Probed::NotDone).after("5s");
    assert_eq!(desk.key("open"), key);
    desk.answer("open", unknown()).after("32s");
    let answer = Answer { output: json!({"id": "T-1"}), reached: Reached::Effective };
    desk.probed("open", Probed::Done(answer));
    assert_eq!(desk.output("open"), json!({"id": "T-1"}));
}

#[test]
fn a_probe_that_can_not_tell_asks_a_person() {
    let mut desk = Desk::of(TICKET);
    desk.tick().answer("open", unknown()).after("1m").probed("open", Probed::Unknown);
    assert_eq!(desk.asked(), ["open: Unknown"]);
}

#[test]
fn an_answer_that_came_twice_or_too_late_changes_nothing() {
    let mut desk = Desk::of(&format!("{MAIL}  - id: next\n    wait: 1h\n"));
    desk.tick().answer("mail", unavailable());
    let before = desk.state.clone();
    let late = |attempt| {
        let answer = Answer { output: json!({"message_id": "x"}), reached: Reached::Accepted };
        Input::Answered(Answered::Call { path: at("mail"), attempt, result: Ok(answer) })
    };
    desk.take(vec![late(1), late(1), late(7)]);
    assert_eq!(desk.state, before);
}

#[test]
fn after_a_crash_idempotent_calls_go_again_and_others_are_unknown() {
    let mut desk = Desk::of(&format!("{CUT}{MAIL}"));
    desk.tick().succeeds("cut");
    let key = desk.key("cut");
    desk.crash();
    assert_eq!(desk.key("cut"), key);
    assert_eq!(
        desk.count(|head| matches!(head, Head::AttemptStarted(_))),
        1,
        "no attempt was used up"
    );
    desk.succeeds("cut").crash();
    assert_eq!(desk.asked(), ["mail: Unknown"]);
}

#[test]
fn what_went_out_before_a_crash_may_have_been_done_whatever_is_said_afterwards() {
    let mut desk = Desk::of(CUT);
    desk.tick().succeeds("cut").crash();
    desk.answer("cut", refused());
    assert_eq!(desk.is("cut"), "unknown");
}

#[test]
fn a_look_that_was_out_is_taken_up_and_waits_for_a_place() {
    let mut desk = Desk::of(CUT);
    desk.tick();
    desk.places = 0;
    desk.crash();
    assert!(desk.paths_out().is_empty());
    assert!(desk.state.is_held_back());
    desk.places = 1;
    desk.tick().all_succeed();
    assert_eq!(desk.status(), "succeeded");
}

#[test]
fn an_intent_that_was_never_sent_is_withdrawn_and_uses_nothing_up() {
    let mut desk = Desk::of(MAIL);
    desk.tick();
    let key = desk.key("mail");
    desk.places = 0;
    desk.out.clear();
    desk.take(vec![Input::Answered(Answered::Withdrawn { path: at("mail"), attempt: 1 })]);
    assert_eq!((desk.is("mail"), desk.paths_out().len()), ("ready", 0));
    desk.places = 1;
    desk.tick();
    assert_eq!(desk.key("mail"), key);
    assert_eq!(desk.state.step_at(&at("mail")).unwrap().attempts_total, 1);
}

#[test]
fn a_look_that_fails_is_tried_again_and_nothing_was_begun() {
    let mut desk = Desk::of(CUT);
    desk.tick().answer("cut", unavailable());
    assert_eq!((desk.is("cut"), desk.shared.holds.iter().count()), ("retrying", 0));
    desk.after("2s").answer("cut", unavailable());
    desk.after("5s").answer("cut", unavailable());
    assert_eq!(
        (desk.is("cut"), desk.count(|head| matches!(head, Head::AttemptStarted(_)))),
        ("needs-decision", 0)
    );
}

#[test]
fn what_waits_for_a_place_goes_in_the_order_of_becoming_ready() {
    let mut desk = Desk::of(
        "  - id: each\n    for_each: inputs.hosts\n    as: host\n    max_parallel: 3\n    steps:\n      - id: open\n        call: ticket.open\n        with: { title: \"${host}\", text: t }\n",
    );
    desk.places = 1;
    desk.tick();
    assert_eq!(desk.paths_out(), ["each[0]/open"]);
    desk.succeeds("each[0]/open");
    assert_eq!(desk.paths_out(), ["each[1]/open"]);
    desk.all_succeed();
    assert_eq!(desk.status(), "succeeded");
}
