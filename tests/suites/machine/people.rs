//! What people do to a run as a whole: decisions, pause, park, abort.

use beistand_core::model::Span;
use beistand_core::run::{Actor, AnswerError, AnswerKind, Command, Head};
use serde_json::json;

use super::desk::{Desk, person, plan, refused};

const TICKET: &str = "  - id: open
    call: ticket.open
    with: { title: t, text: x }
";

#[test]
fn skip_goes_on_without_and_abort_fails_the_run() {
    let steps = format!(
        "steps:\n{TICKET}  - id: after\n    note: after\non_failure: [{{ id: f, note: f }}]\n"
    );
    let mut desk = Desk::new(&plan(&steps), json!({}));
    desk.tick().answer("open", refused()).say("open", AnswerKind::Skip);
    assert_eq!(
        (desk.is("open"), desk.is("after"), desk.status()),
        ("skipped", "succeeded", "succeeded")
    );

    let mut desk = Desk::new(&plan(&steps), json!({}));
    desk.tick().answer("open", refused()).say("open", AnswerKind::Abort);
    assert_eq!(
        (desk.is("after"), desk.is("on_failure/f"), desk.status()),
        ("-", "succeeded", "failed")
    );
}

#[test]
fn by_hand_takes_the_output_as_a_form_and_is_marked() {
    let mut desk = Desk::of(TICKET);
    desk.tick().answer("open", refused());
    let need = desk.need("open").id;
    assert!(desk.try_say(need, "anna", AnswerKind::ByHand, json!({"nonsense": 1})).is_err());
    desk.try_say(need, "anna", AnswerKind::ByHand, json!({"id": "paper-7"})).unwrap();
    assert_eq!(desk.output("open"), json!({"id": "paper-7"}));
    assert!(desk.state.steps().next().unwrap().by_hand);
}

#[test]
fn answers_to_several_needs_are_taken_all_or_none() {
    let mut desk = Desk::of(
        "  - id: each\n    for_each: inputs.hosts\n    as: host\n    max_parallel: 3\n    steps:\n      - id: open\n        call: ticket.open\n        with: { title: \"${host}\", text: t }\n",
    );
    desk.tick();
    for n in 0..3 {
        desk.answer(&format!("each[{n}]/open"), refused());
    }
    let needs: Vec<_> = desk.state.needs().cloned().collect();
    assert!(needs.iter().all(|need| need.group == needs[0].group), "one cause, one group");
    let answer = |need, answer| beistand_core::run::Answer {
        need,
        answer,
        reason: "unplugged".to_owned(),
        form: json!(null),
        digest: None,
        done_at: None,
    };
    let by = Actor::asserted("anna".parse().unwrap());
    let mut answers: Vec<_> = needs.iter().map(|need| answer(need.id, AnswerKind::Skip)).collect();
    answers[2].answer = AnswerKind::Approve;
    assert!(
        desk.command(Command::Answer { answers: answers.clone(), by: by.clone(), roles: None })
            .is_err()
    );
    assert_eq!(desk.asked().len(), 3);
    answers[2].answer = AnswerKind::Skip;
    desk.command(Command::Answer { answers, by, roles: None }).unwrap();
    assert_eq!(desk.status(), "succeeded");
}

#[test]
fn a_task_may_have_been_done_on_paper_and_a_vote_may_not() {
    let steps = "  - id: look\n    task: { role: responder, instructions: Look. }\n  - id: gate\n    \
                 approve: { role: commander, votes: 1, shows: go }\n";
    let mut desk = Desk::of(steps);
    desk.tick();
    let by = Actor::on_paper("carla".parse().unwrap(), &person("ben"));
    let answer = |need, answer| Command::Answer {
        answers: vec![beistand_core::run::Answer {
            need,
            answer,
            reason: String::new(),
            form: json!(null),
            digest: None,
            done_at: None,
        }],
        by: by.clone(),
        roles: None,
    };
    desk.command(answer(desk.need("look").id, AnswerKind::Done)).unwrap();
    let gate = desk.need("gate").id;
    let refused = desk.command(answer(gate, AnswerKind::Approve)).unwrap_err();
    assert!(matches!(refused, AnswerError::NotAllowed(_)), "{refused}");
    desk.approve("gate", "carla");
    assert_eq!(desk.status(), "succeeded");
}

#[test]
fn what_was_done_long_before_the_run_is_mistyped() {
    let mut desk = Desk::of("  - id: look\n    task: { role: responder, instructions: Look. }\n");
    desk.tick();
    let (need, began) = (desk.need("look").id, desk.now);
    let day = Span::from_secs(24 * 3600).millis();
    let mut done = |days: u64| {
        let answers = vec![beistand_core::run::Answer {
            need,
            answer: AnswerKind::Done,
            reason: String::new(),
            form: json!(null),
            digest: None,
            done_at: Some(began.minus(Span::from_millis(days * day))),
        }];
        desk.command(Command::Answer { answers, by: person("ben"), roles: None })
    };
    let refused = done(1_100).unwrap_err();
    assert!(refused.to_string().contains("long before the run began"), "{refused}");
    done(2).unwrap();
    assert_eq!(desk.status(), "succeeded");
}

#[test]
fn paused_nothing_starts_but_answers_votes_and_time_are_taken() {
    let mut desk = Desk::of(&format!("  - id: rest\n    wait: 1m\n{TICKET}"));
    desk.tick().pause().after("2m");
    assert_eq!(
        (desk.is("rest"), desk.status(), desk.paths_out().len()),
        ("succeeded", "paused", 0)
    );
    assert_eq!(desk.state.next_due(), None, "a paused run has no reason to wake");
    assert!(!desk.state.is_held_back());
    desk.unpause();
    assert_eq!(desk.paths_out(), ["open"]);
    desk.pause().all_succeed();
    assert_eq!(desk.is("open"), "succeeded");
}

#[test]
fn the_stop_switch_keeps_every_effect_from_starting() {
    let mut desk = Desk::of(TICKET);
    desk.shared.stopped = true;
    desk.tick();
    assert!(desk.paths_out().is_empty());
    desk.shared.stopped = false;
    desk.tick();
    assert_eq!(desk.paths_out(), ["open"]);
}

#[test]
fn a_run_that_was_only_opened_is_running_and_waits_for_nobody() {
    let mut desk = Desk::of(TICKET);
    assert_eq!((desk.status(), desk.state.is_at_rest()), ("running", false));
    let by = Actor::asserted("anna".parse().unwrap());
    desk.command(Command::Pause { by, reason: "look".to_owned(), with_caller: false }).unwrap();
    assert_eq!(desk.status(), "paused");
}

#[test]
fn a_parked_run_asks_and_goes_on_or_fails() {
    for (answer, status) in [(AnswerKind::Retry, "succeeded"), (AnswerKind::Abort, "failed")] {
        let mut desk = Desk::of(TICKET);
        let by = Actor::program("engine".parse().unwrap());
        desk.command(Command::Park { by, reason: "three panics".to_owned(), restored: None })
            .unwrap();
        assert_eq!((desk.status(), desk.asked()), ("paused", vec![": Decision".to_owned()]));
        assert!(desk.state.is_at_rest());
        desk.say("", answer).all_succeed();
        assert_eq!((desk.status(), desk.asked().len()), (status, 0));
    }
}

#[test]
fn a_pause_of_its_own_outlives_that_of_the_calling_run() {
    let mut desk = Desk::of(TICKET);
    let by = Actor::asserted("anna".parse().unwrap());
    let pause =
        |with_caller| Command::Pause { by: by.clone(), reason: "look".to_owned(), with_caller };
    let go_on = |with_caller| Command::Unpause { by: by.clone(), with_caller };
    desk.command(pause(true)).unwrap();
    desk.command(go_on(true)).unwrap();
    assert_eq!(desk.status(), "running");
    desk.command(pause(false)).unwrap();
    desk.command(pause(true)).unwrap();
    desk.command(go_on(true)).unwrap();
    assert_eq!(desk.status(), "paused");
    desk.command(go_on(false)).unwrap();
    assert_eq!(desk.status(), "running");
}

#[test]
fn a_cancelled_parked_run_asks_no_more() {
    let mut desk = Desk::of("  - id: rest\n    wait: 1h\n");
    let by = Actor::program("engine".parse().unwrap());
    desk.tick();
    desk.command(Command::Park { by, reason: "restored".to_owned(), restored: None }).unwrap();
    desk.cancel();
    assert_eq!((desk.status(), desk.asked().len()), ("cancelled", 0));
}

#[test]
fn nothing_bound_becomes_a_task_with_the_same_gate_and_hold() {
    let mut desk =
        Desk::of("  - id: post\n    call: chat.post\n    with: { room: crisis, text: hello }\n");
    desk.tick();
    assert_eq!(desk.is("post"), "waiting-for-person");
    let shows = desk.need("post").shows.unwrap();
    assert_eq!(shows["instructions"], json!("Post to crisis: hello"));
    desk.fill("post", json!({"message_id": "on paper"}));
    assert_eq!(
        (desk.status(), desk.count(|head| matches!(head, Head::AttemptStarted(_)))),
        ("succeeded", 1)
    );
    assert!(desk.state.steps().next().unwrap().by_hand);
}
