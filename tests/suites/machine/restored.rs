//! A store that came back from a backup: its runs may have done what they are about to do.

use super::desk::{Desk, person};
use beistand_core::model::{CallError, Probed};
use beistand_core::run::{AnswerKind, Command};

const EACH_CLASS: &str = "  - id: cut
    call: network.isolate
    with: { host: pc-1 }
  - id: open
    call: ticket.open
    with: { title: t, text: x }
  - id: tell
    call: mail.send
    with: { to: [a@example.org], subject: s, text: x }
";

fn restored(desk: &mut Desk) {
    let (reason, restored) = ("an old backup".to_owned(), Some("second".to_owned()));
    desk.command(Command::Park { by: person("engine"), reason, restored }).unwrap();
}

/// From the cut on, which may be sent twice: the ticket is looked for, the mail is asked about.
fn nothing_goes_unasked(desk: &mut Desk, below: &str) {
    let [cut, open, tell] = ["cut", "open", "tell"].map(|step| format!("{below}{step}"));
    assert_eq!(desk.paths_out(), [cut.as_str()], "what may be sent twice is sent with its key");
    desk.succeeds(&cut).succeeds(&cut).after("33s");
    assert_eq!(desk.sent(), [(open.clone(), "probe".to_owned())], "{}", desk.is(&open));
    desk.probed(&open, Probed::NotDone).after("10s");
    assert_eq!(desk.paths_out(), [open.as_str()], "surely not done: it is sent");
    desk.succeeds(&open);
    assert_eq!((desk.paths_out().len(), desk.is(&tell)), (0, "unknown"));
    desk.say(&tell, AnswerKind::NotDone);
    assert_eq!(desk.paths_out(), [tell.as_str()]);
    desk.succeeds(&tell);
    assert_eq!(desk.status(), "succeeded");
}

#[test]
fn a_restored_run_asks_first_and_then_for_each_effect_that_may_have_been_sent() {
    let mut desk = Desk::of(EACH_CLASS);
    restored(&mut desk);
    desk.tick();
    assert_eq!((desk.paths_out().len(), desk.asked()), (0, vec![": Decision".to_owned()]));
    desk.say("", AnswerKind::Retry);
    nothing_goes_unasked(&mut desk, "");
}

#[test]
fn what_was_out_when_it_was_backed_up_is_unknown() {
    let mut desk = Desk::of(&EACH_CLASS[EACH_CLASS.find("  - id: tell").unwrap()..]);
    desk.tick();
    assert_eq!(desk.paths_out(), ["tell"]);
    desk.crash();
    restored(&mut desk);
    desk.say("", AnswerKind::Retry);
    assert_eq!((desk.paths_out().len(), desk.is("tell")), (0, "unknown"));
}

#[test]
fn a_retry_after_the_restore_needs_no_second_answer() {
    let mut desk = Desk::of(&format!(
        "{}    retry: {{ attempts: 2, initial: 1s }}\n",
        &EACH_CLASS[EACH_CLASS.find("  - id: tell").unwrap()..]
    ));
    restored(&mut desk);
    desk.say("", AnswerKind::Retry);
    desk.say("tell", AnswerKind::NotDone);
    desk.answer("tell", Err(CallError::unavailable("the relay is busy"))).after("5s");
    assert_eq!(desk.paths_out(), ["tell"]);
}

#[test]
fn a_sub_playbook_that_is_opened_after_a_restore_is_as_careful_as_its_caller() {
    let mut desk = Desk::of(EACH_CLASS);
    desk.called_after_a_restore().tick();
    nothing_goes_unasked(&mut desk, "sub/");
}
