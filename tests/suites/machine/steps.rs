//! What each kind of step does, and the order at a step.

use beistand_core::model::{Millis, Span};
use beistand_core::run::{AnswerKind, Head, Reply};
use serde_json::json;

use super::desk::{Desk, plan, refused, unavailable};

const CUT: &str = "call: network.isolate
    with: { host: pc-1 }";

#[test]
fn leaves_run_one_after_the_other() {
    let mut desk = Desk::of(&format!(
        "  - id: first\n    note: begin\n  - id: cut\n    {CUT}\n  - id: sum\n    script: |\n      1 + 1\n  - id: last\n    note: \"${{steps.sum.output}}\"\n"
    ));
    desk.tick();
    assert_eq!((desk.is("first"), desk.is("sum")), ("succeeded", "-"));
    assert_eq!(desk.sent(), [("cut".to_owned(), "network.state".to_owned())]);
    desk.all_succeed();
    assert_eq!(desk.output("sum"), json!(2));
    assert_eq!(desk.status(), "succeeded");
}

#[test]
fn when_comes_before_all_else_and_anything_but_a_boolean_fails() {
    let mut desk = Desk::of(
        "  - id: skipped\n    when: inputs.no\n    approve: { role: commander, votes: 1 }\n  - id: odd\n    when: parse_json(\"7\")\n    note: never\n",
    );
    desk.tick();
    assert_eq!(desk.is("skipped"), "skipped");
    assert_eq!((desk.is("odd"), desk.error("odd").as_str()), ("needs-decision", "script"));
    // Asked again, it is asked whole: a retry does not jump over `when`.
    desk.say("odd", AnswerKind::Retry);
    assert_eq!(desk.is("odd"), "needs-decision");
}

#[test]
fn a_wait_ends_late_and_never_early() {
    let mut desk = Desk::of("  - id: rest\n    wait: 10m\n");
    desk.tick().after("9m");
    assert_eq!((desk.is("rest"), desk.status()), ("waiting-for-time", "waiting"));
    desk.now = desk.now.minus(Span::from_secs(3600));
    desk.tick();
    assert_eq!(desk.is("rest"), "waiting-for-time");
    desk.after("61m");
    assert_eq!(desk.status(), "succeeded");
}

#[test]
fn a_signal_that_came_early_is_kept_and_one_that_came_twice_counts_once() {
    let mut desk = Desk::of(
        "  - id: rest\n    wait: 1m\n  - id: one\n    wait: { signal: go }\n  - id: two\n    wait: { signal: go }\n",
    );
    desk.tick();
    assert_eq!(desk.signal("go", "k1", json!({})).unwrap(), Reply::Done);
    assert_eq!(desk.signal("go", "k1", json!({})).unwrap(), Reply::Already);
    desk.after("1m");
    assert_eq!((desk.is("one"), desk.is("two")), ("succeeded", "waiting-for-signal"));
    desk.signal("go", "k2", json!({})).unwrap();
    assert_eq!(desk.status(), "succeeded");
}

#[test]
fn a_task_wants_its_form() {
    let mut desk = Desk::of(
        "  - id: look\n    task: { role: responder, instructions: look, form: { ok: { type: boolean }, why: { type: string, default: none } } }\n",
    );
    desk.tick();
    let need = desk.need("look").id;
    assert!(desk.try_say(need, "anna", AnswerKind::Done, json!({"ok": 1})).is_err());
    assert!(desk.try_say(need, "anna", AnswerKind::Skip, json!(null)).is_err());
    desk.fill("look", json!({"ok": true}));
    assert_eq!(desk.output("look"), json!({"ok": true, "why": "none"}));
}

#[test]
fn a_switch_takes_the_first_case_that_holds_and_a_failed_branch_cuts_nothing() {
    let mut desk = Desk::of(
        "  - id: choice\n    switch:\n      - when: inputs.no\n        steps: [{ id: a, note: a }]\n      - otherwise: [{ id: b, note: b }]\n  - id: both\n    on_error: fail\n    parallel:\n      left:\n        - id: l\n          call: mail.send\n          with: { to: [a@b.example], subject: s, text: t }\n          on_error: fail\n      right:\n        - id: r\n          wait: 1m\n",
    );
    desk.tick();
    assert_eq!((desk.is("choice/a"), desk.is("choice/b")), ("-", "succeeded"));
    desk.answer("both/left/l", refused());
    assert_eq!(
        (desk.is("both/left/l"), desk.is("both"), desk.is("both/right/r")),
        ("failed", "running", "waiting-for-time")
    );
    desk.after("1m");
    assert_eq!((desk.is("both"), desk.status()), ("failed", "failed"));
}

#[test]
fn join_any_goes_on_at_the_first_success_and_settles_what_is_open() {
    let mut desk = Desk::of(
        "  - id: race\n    join: any\n    parallel:\n      left:\n        - id: quick\n          wait: 1m\n      right:\n        - id: slow\n          call: ticket.open\n          with: { title: t, text: x }\n        - id: never\n          note: never\n  - id: after\n    note: after\n",
    );
    desk.tick().after("1m");
    assert_eq!((desk.is("race"), desk.is("after")), ("running", "-"));
    desk.succeeds("race/right/slow");
    assert_eq!(
        (desk.is("race"), desk.is("race/right/never"), desk.status()),
        ("succeeded", "-", "succeeded")
    );
}

#[test]
fn a_loop_holds_to_its_places_and_an_item_that_waits_for_a_person_holds_none() {
    let mut desk = Desk::of(
        "  - id: each\n    for_each: inputs.hosts\n    as: host\n    max_parallel: 1\n    steps:\n      - id: ask\n        when: host == \"pc-1\"\n        task: { role: responder, instructions: look }\n      - id: open\n        call: ticket.open\n        with: { title: \"${host}\", text: t }\n",
    );
    desk.tick();
    assert_eq!(desk.is("each[0]/ask"), "waiting-for-person");
    assert_eq!(desk.paths_out(), ["each[1]/open"]);
    desk.succeeds("each[1]/open");
    assert_eq!(desk.paths_out(), ["each[2]/open"]);
    desk.succeeds("each[2]/open").fill("each[0]/ask", json!({}));
    desk.all_succeed();
    assert_eq!(desk.status(), "succeeded");
}

#[test]
fn beyond_the_tolerance_no_new_item_starts_and_one_need_asks_for_all() {
    let mut desk = Desk::of(
        "  - id: each\n    for_each: inputs.hosts\n    as: host\n    tolerate: 0\n    steps:\n      - id: open\n        call: ticket.open\n        with: { title: \"${host}\", text: t }\n",
    );
    desk.tick().answer("each[0]/open", refused());
    assert_eq!((desk.is("each[1]/open"), desk.is("each")), ("-", "needs-decision"));
    assert_eq!(desk.asked(), ["each: Decision"]);
    desk.say("each", AnswerKind::Retry);
    assert_eq!(desk.paths_out(), ["each[0]/open"]);
    desk.all_succeed();
    assert_eq!(desk.status(), "succeeded");
}

#[test]
fn percent_of_tolerance_rounds_down_and_counts_are_right() {
    let steps = "steps:\n  - id: each\n    for_each: inputs.hosts\n    as: host\n    max_parallel: 3\n    tolerate: 34%\n    steps:\n      - id: open\n        call: ticket.open\n        with: { title: \"${host}\", text: t }\noutputs:\n  counts: steps.each.counts\n";
    let mut desk = Desk::new(&plan(steps), json!({}));
    desk.tick().answer("each[1]/open", refused());
    desk.all_succeed();
    assert_eq!(desk.status(), "succeeded");
    let counts = json!({"total": 3, "succeeded": 2, "failed": 1, "skipped": 0, "cancelled": 0});
    assert_eq!(desk.state.outputs().unwrap()["counts"], counts);
}

#[test]
fn an_empty_list_asks_nobody_and_runs_always() {
    let mut desk = Desk::new(
        &plan(
            "steps:\n  - id: each\n    for_each: inputs.hosts\n    as: host\n    approval: { role: commander, votes: 2 }\n    steps:\n      - id: cut\n        call: network.isolate\n        with: { host: \"${host}\" }\n    always: [{ id: last, note: last }]\n",
        ),
        json!({"hosts": []}),
    );
    desk.tick();
    assert_eq!((desk.is("each/always/last"), desk.status()), ("succeeded", "succeeded"));
}

#[test]
fn rounds_are_repeated_until_and_used_up_rounds_fail_as_exhausted() {
    let steps = |until: &str| {
        format!(
            "  - id: poll\n    repeat:\n      until: {until}\n      max: 2\n      every: 30s\n    steps:\n      - id: ask\n        call: network.state\n        with: {{ host: pc-1 }}\n"
        )
    };
    let mut desk = Desk::of(&steps("steps.ask.output.state == \"open\""));
    desk.tick().all_succeed();
    assert_eq!(
        (desk.status(), desk.output("poll")),
        ("succeeded", json!({"ask": {"state": "open"}}))
    );

    let mut desk = Desk::of(&steps("steps.ask.output.state == \"isolated\""));
    desk.tick().succeeds("poll[0]/ask");
    assert_eq!((desk.is("poll"), desk.paths_out().len()), ("waiting-for-time", 0));
    desk.after("30s").succeeds("poll[1]/ask");
    assert_eq!((desk.is("poll"), desk.error("poll").as_str()), ("needs-decision", "exhausted"));
    // A person lets it go on for as many rounds again.
    desk.say("poll", AnswerKind::Retry);
    desk.succeeds("poll[2]/ask").after("30s").succeeds("poll[3]/ask");
    assert_eq!(desk.error("poll"), "exhausted");
    assert_eq!(desk.is("poll[0]/ask"), "-", "rounds that left nothing to take back are forgotten");
}

#[test]
fn fail_runs_on_failure_and_end_only_always() {
    let steps = |word: &str| {
        format!(
            "steps:\n  - id: stop\n    when: inputs.yes\n    {word}: enough\n  - id: never\n    note: never\non_failure:\n  - id: f\n    note: failed\nalways:\n  - id: a\n    note: always\n"
        )
    };
    for (word, status, on_failure) in [("fail", "failed", "succeeded"), ("end", "succeeded", "-")] {
        let mut desk = Desk::new(&plan(&steps(word)), json!({}));
        desk.tick();
        let seen = (desk.status(), desk.is("on_failure/f"), desk.is("always/a"), desk.is("never"));
        assert_eq!(seen, (status, on_failure, "succeeded", "-"), "{word}");
    }
}

#[test]
fn end_inside_a_branch_cancels_the_rest_like_a_cancel() {
    let mut desk = Desk::of(
        "  - id: both\n    parallel:\n      left:\n        - id: rest\n          wait: 1h\n      right:\n        - id: stop\n          when: inputs.yes\n          end: done\n",
    );
    desk.tick();
    assert_eq!((desk.is("both/left/rest"), desk.status()), ("cancelled", "succeeded"));
}

#[test]
fn on_error_steps_handle_a_failure_and_see_the_error() {
    let mut desk = Desk::of(
        "  - id: open\n    call: ticket.open\n    with: { title: t, text: x }\n    on_error:\n      - id: tell\n        note: \"${error.kind}\"\n  - id: after\n    note: \"${steps.open.status}\"\n",
    );
    desk.tick().answer("open", refused());
    assert_eq!(
        (desk.is("open"), desk.is("open/on_error/tell"), desk.status()),
        ("failed", "succeeded", "succeeded")
    );
    let notes: Vec<String> = desk
        .entries
        .iter()
        .flat_map(|(_, events)| events)
        .filter(|e| matches!(e.head, Head::Noted { .. }))
        .filter_map(|e| e.body.text.clone())
        .collect();
    assert_eq!(notes, ["refused", "failed"]);
}

#[test]
fn a_handler_that_failed_and_is_retried_runs_again_under_a_new_key() {
    let mut desk = Desk::of(
        "  - id: all\n    group:\n      - id: open\n        call: ticket.open\n        with: { title: t, text: x }\n        on_error:\n          - id: tell\n            call: mail.send\n            with: { to: [a@b.example], subject: s, text: t }\n            on_error: fail\n",
    );
    desk.tick().answer("all/open", refused());
    let first = desk.key("all/open/on_error/tell");
    desk.answer("all/open/on_error/tell", refused());
    assert_eq!(desk.is("all"), "needs-decision");
    desk.say("all", AnswerKind::Retry);
    desk.answer("all/open", refused());
    assert_ne!(desk.key("all/open/on_error/tell"), first);
    desk.all_succeed();
    assert_eq!(desk.status(), "succeeded");
}

#[test]
fn a_late_step_is_marked_and_told_again_but_nothing_fails_by_time() {
    let mut desk = Desk::of(
        "  - id: look\n    within: 20m\n    task: { role: responder, instructions: look }\n",
    );
    desk.tick();
    let due = Some(desk.now.plus(Span::parse("20m").unwrap()));
    assert_eq!(desk.due("look"), due);
    desk.after("19m");
    let late = |desk: &Desk| desk.count(|head| matches!(head, Head::DeadlinePassed { .. }));
    assert_eq!(late(&desk), 0);
    desk.after("1m");
    assert_eq!(late(&desk), 1);
    // Three days of outage are told once.
    desk.after("3d");
    assert_eq!(late(&desk), 2);
    desk.after("20m");
    assert_eq!(late(&desk), 3);
    assert!(desk.state.next_due().unwrap() > desk.now);
    assert_eq!(desk.due("look"), due, "what it is late for stays what it was");
    desk.fill("look", json!({}));
    assert_eq!(desk.due("look"), None);
    assert_eq!((desk.status(), desk.state.next_due()), ("succeeded", None::<Millis>));
}

#[test]
fn cancel_settles_what_is_out_and_undoes_nothing() {
    let mut desk = Desk::of(&format!(
        "  - id: both\n    parallel:\n      left:\n        - id: cut\n          {}\n      right:\n        - id: look\n          task: {{ role: responder, instructions: look }}\n  - id: after\n    note: never\n",
        CUT.replace("\n    ", "\n          ")
    ));
    desk.tick().succeeds("both/left/cut");
    desk.cancel();
    assert_eq!((desk.is("both/right/look"), desk.status()), ("cancelled", "cancelling"));
    desk.succeeds("both/left/cut");
    assert_eq!(
        (desk.is("both/left/cut"), desk.status(), desk.is("after")),
        ("succeeded", "cancelled", "-")
    );
    assert_eq!(desk.shared.holds.iter().count(), 1);
}

#[test]
fn cancel_ends_backoff_and_runs_always_but_not_on_failure() {
    let mut desk = Desk::new(
        &plan(
            "steps:\n  - id: open\n    call: ticket.open\n    with: { title: t, text: x }\non_failure: [{ id: f, note: f }]\nalways: [{ id: a, note: a }]\n",
        ),
        json!({}),
    );
    desk.tick().answer("open", unavailable());
    assert_eq!(desk.is("open"), "retrying");
    desk.cancel();
    assert_eq!(
        (desk.status(), desk.is("on_failure/f"), desk.is("always/a")),
        ("cancelled", "-", "succeeded")
    );
}
