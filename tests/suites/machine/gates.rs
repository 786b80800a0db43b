//! Who must say yes to what, and how long a yes holds.

use beistand_core::model::{Limits, PolicyRule, Role, RunId};
use beistand_core::run::{AnswerError, AnswerKind, Command, Head};
use serde_json::{Value, json};

use super::desk::{Desk, plan, refused, unavailable};

const CUT: &str = "  - id: cut
    approval: { role: commander, votes: 2, within: 15m }
    call: network.isolate
    with: { host: pc-1 }
";
const EACH: &str = "  - id: each
    for_each: inputs.hosts
    as: host
    approval: { role: commander, votes: 1 }
    steps:
      - id: cut
        call: network.isolate
        with: { host: \"${host}\" }
";

#[test]
fn one_person_is_one_vote_and_the_requester_has_none() {
    let mut desk = Desk::of(CUT);
    desk.tick();
    let need = desk.need("cut").id;
    let yes = |desk: &mut Desk, by: &str| desk.try_say(need, by, AnswerKind::Approve, Value::Null);
    assert!(matches!(yes(&mut desk, "requester"), Err(AnswerError::NotAllowed(_))));
    yes(&mut desk, "anna").unwrap();
    assert!(matches!(yes(&mut desk, "anna"), Err(AnswerError::Conflict(_))));
    assert!(desk.paths_out().is_empty());
    yes(&mut desk, "ben").unwrap();
    assert_eq!(desk.paths_out(), ["cut"]);
    assert!(matches!(yes(&mut desk, "cleo"), Err(AnswerError::Conflict(_))));
}

#[test]
fn one_person_can_not_vote_twice_in_one_command() {
    let mut desk = Desk::of(CUT);
    desk.tick();
    let need = desk.need("cut").id;
    let vote = beistand_core::run::Answer {
        need,
        answer: AnswerKind::Approve,
        reason: String::new(),
        form: Value::Null,
        digest: None,
        done_at: None,
    };
    let by = beistand_core::run::Actor::asserted("anna".parse().unwrap());
    let said = desk.command(Command::Answer { answers: vec![vote.clone(), vote], by, roles: None });
    assert!(matches!(said, Err(AnswerError::Usage(_))));
    assert!(desk.need("cut").votes.is_empty());
}

#[test]
fn a_denial_ends_the_step_and_is_not_continued_over() {
    let mut desk =
        Desk::of(&format!("{CUT}    on_error: continue\n  - id: after\n    note: never\n"));
    desk.tick().say("cut", AnswerKind::Deny);
    assert_eq!(
        (desk.error("cut").as_str(), desk.is("after"), desk.status()),
        ("denied", "-", "failed")
    );
}

#[test]
fn a_gate_that_nobody_answers_is_told_again_and_never_passes_by_time() {
    let mut desk = Desk::of(CUT);
    desk.tick().after("15m").after("15m").after("3d");
    assert_eq!(desk.count(|head| matches!(head, Head::NeedEscalated { .. })), 3);
    assert_eq!((desk.is("cut"), desk.status()), ("waiting-for-approval", "waiting"));
    assert!(desk.state.next_due().unwrap() > desk.now);
}

#[test]
fn the_gate_of_a_loop_binds_every_item_and_covers_all_attempts() {
    let mut desk = Desk::of(EACH);
    desk.tick();
    let shows = desk.need("each").shows.unwrap();
    let paths: Vec<&str> = shows["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["each[0]/cut", "each[1]/cut", "each[2]/cut"]);
    desk.approve("each", "anna");
    desk.succeeds("each[0]/cut").answer("each[0]/cut", unavailable()).after("5s");
    assert_eq!(desk.paths_out(), ["each[0]/cut"]);
    desk.all_succeed();
    assert_eq!(desk.status(), "succeeded");
}

#[test]
fn an_argument_that_changed_between_vote_and_effect_voids_the_line() {
    let mut desk = Desk::of(
        "  - id: all\n    approval: { role: commander, votes: 1 }\n    group:\n      - id: rest\n        wait: 1m\n      - id: cut\n        call: network.isolate\n        with: { host: pc-1, reason: \"at ${now}\" }\n",
    );
    desk.tick().approve("all", "anna").after("1m");
    assert_eq!((desk.is("all/cut"), desk.paths_out().len()), ("waiting-for-approval", 0));
    assert_eq!(desk.count(|head| matches!(head, Head::ApprovalVoid { .. })), 1);
}

#[test]
fn the_order_in_which_targets_are_named_changes_nothing() {
    let either = |one: &str, other: &str| {
        format!("'${{if now < \"2026-03-02T03:00:30Z\" {{ \"{one}\" }} else {{ \"{other}\" }}}}'")
    };
    let step = |first: &str, second: &str| {
        format!(
            "  - id: all\n    approval: {{ role: commander, votes: 1 }}\n    group:\n      \
             - id: rest\n        wait: 1m\n      - id: cut\n        call: ssh.run\n        with:\n          \
             host: console\n          command: [cut]\n          targets:\n            \
             - {{ kind: host, value: {} }}\n            - {{ kind: host, value: {} }}\n",
            either("pc-1", first),
            either("pc-2", second),
        )
    };
    let mut turned = Desk::of(&step("pc-2", "pc-1"));
    turned.tick().approve("all", "anna").after("1m");
    assert_eq!(turned.paths_out(), ["all/cut"]);
    let mut other = Desk::of(&step("pc-1", "pc-3"));
    other.tick().approve("all", "anna").after("1m");
    assert_eq!((other.is("all/cut"), other.paths_out().len()), ("waiting-for-approval", 0));
}

#[test]
fn four_hours_after_the_last_vote_what_has_not_begun_is_asked_again() {
    let mut desk = Desk::of(EACH);
    desk.tick().approve("each", "anna").all_or_first();
    desk.after("4h");
    desk.succeeds("each[0]/cut");
    assert_eq!(desk.is("each[1]/cut"), "running", "until four hours it may begin");

    let mut desk = Desk::of(EACH);
    desk.tick().approve("each", "anna").all_or_first();
    desk.after("241m");
    desk.succeeds("each[0]/cut");
    assert_eq!(
        (desk.is("each[0]/cut"), desk.is("each[1]/cut")),
        ("succeeded", "waiting-for-approval")
    );
    let lines = desk.need("each[1]/cut").shows.unwrap()["lines"].clone();
    assert_eq!(lines.as_array().unwrap().len(), 2, "one need for all that has not begun");
    // A waiting item holds no place: the next one comes to the gate too and asks alone.
    assert_eq!(desk.asked(), ["each[1]/cut: Approval", "each[2]/cut: Approval"]);
    desk.approve("each[1]/cut", "ben");
    assert_eq!(
        (desk.asked().len(), desk.paths_out()),
        (0, vec!["each[1]/cut".to_owned(), "each[2]/cut".to_owned()])
    );
    desk.all_succeed();
    assert_eq!(desk.status(), "succeeded");
}

impl Desk {
    /// The look before the first item's effect succeeds, so that its effect is out.
    fn all_or_first(&mut self) -> &mut Self {
        self.succeeds("each[0]/cut")
    }
}

#[test]
fn a_policy_asks_at_the_outermost_loop_and_two_people_above_twenty() {
    let hosts: Vec<String> = (0..21).map(|n| format!("pc-{n}")).collect();
    let steps =
        format!("steps:\n{}", EACH.replace("    approval: { role: commander, votes: 1 }\n", ""));
    let mut desk = Desk::new(&plan(&steps), json!({"hosts": hosts})).with_policy();
    desk.tick();
    assert_eq!((desk.need("each").votes_needed, desk.asked().len()), (2, 1));
    let mut desk = Desk::new(&plan(&steps), json!({})).with_policy();
    desk.tick();
    assert_eq!(desk.need("each").votes_needed, 1);
    desk.approve("each", "anna").all_succeed();
    assert_eq!(desk.status(), "succeeded");
}

/// A loop over so many hosts from `first` on, at a place in a playbook.
fn loop_of(id: &str, (first, count): (usize, usize), indent: usize) -> String {
    let hosts: Vec<String> = (first..first + count).map(|n| format!("\"pc-{n}\"")).collect();
    let lines = [
        format!("- id: {id}"),
        format!("  for_each: '[{}]'", hosts.join(", ")),
        "  as: host".to_owned(),
        "  max_parallel: 50".to_owned(),
        "  steps:".to_owned(),
        format!("    - id: cut_{id}"),
        "      call: network.isolate".to_owned(),
        "      with: { host: \"${host}\" }".to_owned(),
    ];
    let pad = " ".repeat(indent);
    lines.map(|line| format!("{pad}{line}")).join("\n") + "\n"
}

#[test]
fn a_cut_in_parts_asks_as_many_people_as_the_whole() {
    let (a, b) = (loop_of("a", (0, 15), 2), loop_of("b", (15, 15), 2));
    let mut after = Desk::of(&format!("{a}{b}")).with_policy();
    after.tick();
    assert_eq!(after.need("a").votes_needed, 1);
    after.approve("a", "anna").all_succeed();
    assert_eq!(after.need("b").votes_needed, 2, "one after the other");
    after.approve("b", "anna").approve("b", "ben").all_succeed();
    assert_eq!(after.status(), "succeeded");
    after.undo(&["a[0]/cut_a"]);
    assert_eq!(after.need("").votes_needed, 2, "what was cut like that is opened like that");

    let (a, b) = (loop_of("a", (0, 15), 8), loop_of("b", (15, 15), 8));
    let both = format!("  - id: both\n    parallel:\n      left:\n{a}      right:\n{b}");
    let mut beside = Desk::of(&both).with_policy();
    beside.tick();
    let needed = ["both/left/a", "both/right/b"].map(|path| beside.need(path).votes_needed);
    assert_eq!(needed, [1, 2], "side by side");

    let (a, b) = (loop_of("a", (0, 15), 2), loop_of("b", (5, 15), 2));
    let mut again = Desk::of(&format!("{a}{b}")).with_policy();
    again.tick().approve("a", "anna").all_succeed();
    assert_eq!(again.need("b").votes_needed, 1, "20 hosts are 20 hosts");
}

#[test]
fn a_rule_that_asks_nobody_at_first_asks_from_its_number_on() {
    let mut desk = Desk::of(&format!("{}{}", loop_of("a", (0, 3), 2), loop_of("b", (3, 3), 2)));
    let (actions, role) = (vec!["network.isolate".parse().unwrap()], Role::Commander);
    desk.setup.policy = Some(vec![PolicyRule { actions, above: 4, role, votes: 2 }]);
    desk.tick().all_succeed();
    assert_eq!(desk.need("b").votes_needed, 2);
}

#[test]
fn sub_playbooks_of_one_run_do_not_share_a_cut_among_few_people() {
    let part = |first| Desk::of(&loop_of("a", (first, 15), 2)).with_policy();
    let (mut left, mut right) = (part(0), part(15));
    let caller = RunId::new(9, &[9; 10]);
    left.called_by(caller);
    right.renamed();
    right.called_by(caller);
    left.tick().approve("sub/a", "anna");
    right.tick();
    assert_eq!(right.need("sub/a").votes_needed, 1, "neither knows of the other yet");
    left.all_succeed();
    right.shared = left.shared.clone();
    right.approve("sub/a", "anna").all_succeed();
    let cut = (0..15).filter(|n| right.is(&format!("sub/a[{n}]/cut_a")) == "succeeded").count();
    assert_eq!(cut, 5, "20 in all under one vote");
    let need = right.need("sub/a[5]/cut_a");
    let lines = need.shows.unwrap()["lines"].as_array().unwrap().len();
    assert_eq!((need.votes_needed, lines), (2, 10));
    right.approve("sub/a[5]/cut_a", "anna").approve("sub/a[5]/cut_a", "ben").all_succeed();
    assert_eq!(right.status(), "succeeded");
}

#[test]
fn more_of_a_cut_asks_as_many_people_as_the_whole() {
    let part = |first| Desk::of(&loop_of("a", (first, 15), 2)).with_policy();
    let (mut first, mut more) = (part(0), part(15));
    first.tick();
    let lines = |desk: &Desk| desk.need("a").shows.unwrap()["lines"].as_array().unwrap().len();
    assert_eq!((first.need("a").votes_needed, lines(&first)), (1, 15));
    first.approve("a", "anna").all_succeed();
    more.more_of(first.run());
    more.shared = first.shared.clone();
    more.tick();
    assert_eq!((more.need("a").votes_needed, lines(&more)), (2, 15), "for the new items alone");
    more.approve("a", "anna").approve("a", "ben");
    more.all_succeed();
    assert_eq!(more.status(), "succeeded");
    let key = |desk: &Desk| {
        let mut events = desk.entries.iter().flat_map(|(_, events)| events);
        events.find_map(|event| {
            let Head::AttemptStarted(intent) = &event.head else { return None };
            (intent.path.as_str() == "a[0]/cut_a").then_some(intent.key)
        })
    };
    assert!(key(&first).is_some() && key(&first) != key(&more), "other effects at the same places");
}

#[test]
fn what_two_let_through_together_one_can_not_let_through_alone_when_it_lapsed() {
    let hosts: Vec<String> = (0..21).map(|n| format!("pc-{n}")).collect();
    let steps =
        format!("steps:\n{}", EACH.replace("    approval: { role: commander, votes: 1 }\n", ""));
    let mut desk = Desk::new(&plan(&steps), json!({"hosts": hosts})).with_policy();
    desk.tick().approve("each", "anna").approve("each", "ben").all_or_first();
    desk.after("5h");
    desk.succeeds("each[0]/cut");
    assert_eq!(desk.need("each[1]/cut").votes_needed, 2);
}

#[test]
fn the_stricter_of_playbook_and_policy_holds() {
    let mut desk = Desk::of(CUT).with_policy();
    desk.tick();
    assert_eq!(desk.need("cut").votes_needed, 2);
    let scribes = CUT.replace("role: commander", "role: scribe");
    assert_ne!(scribes, CUT);
    let mut weaker = Desk::of(&scribes).with_policy();
    weaker.tick();
    assert_eq!(weaker.need("cut").role, Role::Commander, "a playbook weakens no rule of the house");
}

#[test]
fn a_guarded_host_is_refused_and_no_answer_sends_it() {
    let mut desk =
        Desk::of("  - id: cut\n    call: network.isolate\n    with: { host: dc01.example }\n")
            .guarded("dc01");
    desk.tick();
    assert_eq!((desk.error("cut").as_str(), desk.paths_out().len()), ("guarded", 0));
    desk.say("cut", AnswerKind::Retry);
    assert_eq!((desk.error("cut").as_str(), desk.paths_out().len()), ("guarded", 0));
    let need = desk.need("cut").id;
    let by_hand = desk.try_say(need, "requester", AnswerKind::ByHand, Value::Null);
    let Err(AnswerError::Usage(why)) = by_hand else { panic!("{by_hand:?}") };
    assert!(why.contains("this need takes retry, skip, abort"), "{why}");
    desk.say("cut", AnswerKind::Skip);
    assert_eq!(desk.status(), "succeeded");
}

#[test]
fn a_gate_does_not_list_what_is_guarded_among_what_will_be_done() {
    let mut desk = Desk::of(EACH).guarded("pc-2");
    desk.tick();
    let shows = desk.need("each").shows.unwrap();
    let paths = |list: &str| -> Vec<String> {
        let lines = shows[list].as_array().unwrap().iter();
        lines.map(|line| line["path"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(paths("lines"), ["each[0]/cut", "each[2]/cut"]);
    assert_eq!(paths("unresolved"), ["each[1]/cut"]);
    assert_eq!(shows["unresolved"][0]["error"], "guarded");
    desk.say("each", AnswerKind::Approve);
    desk.all_succeed();
    assert_eq!(
        (desk.is("each[0]/cut"), desk.error("each[1]/cut").as_str()),
        ("succeeded", "guarded")
    );
}

#[test]
fn a_generic_call_is_guarded_by_the_host_it_goes_to() {
    let mut desk = Desk::of(
        "  - id: run\n    call: ssh.run\n    with: { host: dc01, command: [reboot], targets: [{ kind: host, value: pc-5 }] }\n",
    )
    .guarded("dc01");
    desk.tick();
    assert_eq!((desk.error("run").as_str(), desk.paths_out().len()), ("guarded", 0));
}

const RUN: &str = "  - id: run
    call: ssh.run
    with: { host: console, command: [reboot], targets: [{ kind: host, value: pc-5 }] }
";

#[test]
fn the_host_a_generic_call_goes_to_counts_and_is_signed_like_a_target() {
    for limits in [
        Limits { targets_per_run: Some(1), ..Limits::NONE },
        Limits { targets_per_hour: Some(1), ..Limits::NONE },
    ] {
        let mut desk = Desk::of(RUN);
        desk.setup.limits = limits;
        desk.tick();
        assert_eq!((desk.error("run").as_str(), desk.paths_out().len()), ("limit", 0));
    }
    let mut desk = Desk::of(RUN);
    let two = PolicyRule {
        actions: vec!["ssh.run".parse().unwrap()],
        above: 1,
        role: Role::Commander,
        votes: 2,
    };
    desk.setup.policy = Some(vec![two]);
    desk.tick();
    let need = desk.need("run");
    assert_eq!(need.votes_needed, 2);
    let targets = need.shows.unwrap()["lines"][0]["effect"]["targets"].clone();
    let names: Vec<&str> =
        targets.as_array().unwrap().iter().map(|target| target["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["console", "pc-5"]);
}

#[test]
fn a_host_that_only_the_connector_names_is_guarded_by_name_and_address() {
    let unnamed = RUN.replace("host: console, ", "");
    assert_ne!(unnamed, RUN);
    for (steps, guarded) in
        [(RUN, "192.0.2.0/24"), (unnamed.as_str(), "192.0.2.9"), (unnamed.as_str(), "console")]
    {
        let mut desk = Desk::of(steps).guarded(guarded);
        desk.tick();
        assert_eq!(
            (desk.error("run").as_str(), desk.paths_out().len()),
            ("guarded", 0),
            "{guarded}"
        );
    }
}

#[test]
fn without_a_guard_nothing_destructive_goes_out() {
    let mut desk = Desk::of("  - id: cut\n    call: network.isolate\n    with: { host: pc-1 }\n");
    desk.setup.guarded = false;
    desk.tick();
    assert_eq!((desk.error("cut").as_str(), desk.paths_out().len()), ("guarded", 0));
}

#[test]
fn limits_count_distinct_targets_also_within_one_decision() {
    let steps =
        EACH.replace("    approval: { role: commander, votes: 1 }\n", "    max_parallel: 3\n");
    for limits in [
        Limits { targets_per_run: Some(2), ..Limits::NONE },
        Limits { targets_per_hour: Some(2), ..Limits::NONE },
    ] {
        let mut desk = Desk::of(&steps);
        desk.setup.limits = limits;
        desk.tick();
        while let Some(path) = desk.paths_out().first().cloned() {
            desk.succeeds(&path);
        }
        let failed = (0..3).filter(|n| desk.error(&format!("each[{n}]/cut")) == "limit").count();
        assert_eq!(failed, 1, "{limits:?}");
    }
}

#[test]
fn an_approve_step_gives_who_when_and_why() {
    let mut desk = Desk::of("  - id: yes_please\n    approve: { role: commander, votes: 1 }\n");
    desk.tick().approve("yes_please", "anna");
    let output = desk.output("yes_please");
    assert_eq!((output["who"].clone(), output["why"].clone()), (json!(["anna"]), json!("because")));
}

#[test]
fn a_refused_release_is_gated_as_its_effect_was() {
    let mut desk =
        Desk::of("  - id: open_again\n    call: network.release\n    with: { host: pc-1 }\n")
            .with_policy();
    desk.tick();
    assert_eq!(desk.is("open_again"), "waiting-for-approval");
    desk.approve("open_again", "anna").answer("open_again", refused());
    assert_eq!(desk.is("open_again"), "needs-decision");
}
