//! The check, seen through its own types: what it refuses, lets pass, and makes of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::double::Paths;
use super::super::{Kind, Length, ListSource, OnError, Piece, Template, Tolerance};
use super::*;
use crate::model::Span;

const EXAMPLE: &str = r#"playbook: ransomware-containment
language: 1
title: Contain ransomware
tlp: AMBER
references: ["CISA StopRansomware checklist, steps 1-6", "BSI TOP 12"]
inputs:
  hosts:   { type: array, items: { type: string, format: host }, minItems: 1, title: Hosts to isolate }
  contact: { type: string, format: email, default: krisenstab@example.org }
steps:
  - id: triage
    title: Attack or defect?
    task:
      role: responder
      instructions: Look at two of the hosts. Note what you see, not what you think.
      form:
        attack:     { type: boolean, title: It is an attack }
        first_seen: { type: string, format: date-time, optional: true, title: First seen }
    within: 20m
  - id: attacked
    when: steps.triage.output.attack
    group:
      - id: contain
        title: Cut the affected hosts off
        for_each: inputs.hosts
        as: host
        max_parallel: 20
        tolerate: 10%
        approval: { role: commander, votes: 2, within: 15m }
        steps:
          - id: cut
            call: network.isolate
            with: { host: "${host}", reason: "${incident.title}" }
            retry: { attempts: 5, initial: 2s, max: 1m }
      - id: tell
        parallel:
          mail:
            - id: mail_staff
              call: mail.send
              with: { to: ["${inputs.contact}"], subject: "Incident ${incident.number}",
                      text: "${steps.contain.counts.succeeded} of ${steps.contain.counts.total} hosts are cut off." }
              on_unknown: repeat
          log:
            - id: log_it
              note: "${steps.contain.counts.succeeded} hosts isolated"
on_failure:
  - id: call_commander
    task: { role: commander, instructions: The containment failed. Decide by hand. }
outputs:
  isolated: steps.contain.counts?.succeeded ?? 0     # the whole block may have been skipped
"#;

fn look(text: &str, library: &BTreeMap<PlaybookName, SourceText>) -> (Option<Plan>, Vec<Finding>) {
    let source = SourceText::new("x.yaml", text);
    let catalogue = Catalogue::first();
    check(CheckRequest { source: &source, catalogue: &catalogue, library, expressions: &Paths })
}

fn plan(text: &str) -> Plan {
    let (plan, findings) = look(text, &BTreeMap::new());
    assert_eq!(findings, []);
    plan.unwrap()
}

/// Code and line of each finding of a playbook with these steps.
fn codes(body: &str) -> Vec<(String, u32)> {
    let text = format!("playbook: x\nlanguage: 1\nsteps:\n{body}");
    let (_, findings) = look(&text, &BTreeMap::new());
    findings.into_iter().map(|finding| (finding.code, finding.line)).collect()
}

#[test]
fn the_example_of_the_language_becomes_a_plan() {
    let plan = plan(EXAMPLE);
    let shown: Vec<(&str, Option<&str>, Option<&str>, bool)> = plan
        .nodes()
        .map(|(_, node)| {
            let parent = node.parent.map(|parent| plan.node(parent).id.as_str());
            (node.id.as_str(), parent, node.branch.as_deref(), node.possibly_skipped)
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("triage", None, None, false),
            ("attacked", None, None, true),
            ("contain", Some("attacked"), None, true),
            ("cut", Some("contain"), None, true),
            ("tell", Some("attacked"), None, true),
            ("mail_staff", Some("tell"), Some("mail"), true),
            ("log_it", Some("tell"), Some("log"), true),
            ("call_commander", None, Some("on_failure"), false),
        ]
    );
    let node = |id: &str| plan.node(plan.by_id(id).unwrap());
    let Kind::ForEach(each) = &node("contain").kind else { panic!("no loop") };
    assert_eq!((each.max_parallel, each.tolerate), (20, Some(Tolerance::Percent(10))));
    assert!(matches!(&each.list, ListSource::Expression(list) if list.bare));
    let Kind::Call(call) = &node("cut").kind else { panic!("no call") };
    assert_eq!(call.timeout, Length::Fixed(Span::from_secs(30)));
    assert_eq!((call.retry.attempts, call.retry.initial), (5, Span::from_secs(2)));
    assert!(matches!(&call.with["host"], Template::Whole(host) if &*host.text == "host"));
    let Kind::Call(mail) = &node("mail_staff").kind else { panic!("no call") };
    let Template::Text(pieces) = &mail.with["subject"] else { panic!("no text") };
    assert!(matches!(&pieces[1], Piece::Value(number)
        if number.place == Place { line: 39, column: 71 } && &*number.text == "incident.number"));
    // Inside of a loop with a tolerance a failure counts, elsewhere a person is asked.
    assert_eq!(node("cut").on_error, OnError::Fail);
    assert_eq!(node("mail_staff").on_error, OnError::Ask);
}

#[test]
fn a_step_sees_what_came_before_it_and_nothing_of_its_siblings() {
    let body = r#"
  - id: each
    for_each: 3
    as: host
    steps:
      - { id: inside, script: host_index }
      - { id: beside, note: "${steps.inside.output} ${host}" }
  - id: both
    parallel:
      left: [{ id: one, script: "1" }]
      right: [{ id: two, note: "${steps.one.output}" }]
  - { id: after, note: "${steps.one.output} ${steps.inside.output}" }
  - { id: itself, note: "${steps.itself.status}" }
  - { id: gone, note: "${host}" }
"#;
    let unknown = |line| ("unknown-name".to_owned(), line);
    assert_eq!(codes(body), [unknown(14), unknown(15), unknown(16), unknown(17)]);
}

#[test]
fn who_reads_past_a_condition_must_reckon_with_it() {
    let body = r#"
  - id: outer
    when: incident.severity > 2
    group:
      - { id: look, task: { role: responder, instructions: Look., form: { bad: { type: boolean } } } }
      - { id: inner, note: "${steps.look.output.bad}" }
  - { id: status, note: "${steps.look.status}" }
  - { id: after, note: "${steps.look.output.bad}" }
  - { id: safe, note: "${steps.look.output?.bad ?? false}" }
  - id: choose
    switch:
      - when: incident.severity > 3
        steps: [{ id: ask, script: "1" }]
  - { id: chosen, note: "${steps.ask.output}" }
  - id: race
    join: any
    parallel: { left: [{ id: quick, task: { role: scribe, instructions: Run., form: { a: { type: string } } } }] }
  - { id: raced, note: "${steps.quick.output.a}" }
"#;
    let skipped = |line| ("maybe-skipped".to_owned(), line);
    assert_eq!(codes(body), [skipped(11), skipped(21)]);
}

#[test]
fn handlers_see_the_error_and_everything_that_may_have_run() {
    let body = r#"
  - id: work
    group:
      - { id: look, task: { role: responder, instructions: Look., form: { a: { type: string } } } }
    on_error:
      - { id: told, note: "${error.message} ${steps.look.output?.a}" }
      - { id: wrong, note: "${steps.look.output.a}" }
    always:
      - { id: ended, note: "${error?.message}" }
  - { id: after, note: "${steps.look.output.a} ${steps.told.status}" }
  - { id: outside, note: "${error.message}" }
on_failure:
  - { id: last, note: "${steps.told.status} ${error.message} ${steps.look.output?.a}" }
"#;
    assert_eq!(
        codes(body),
        [
            ("maybe-skipped".to_owned(), 10),
            ("unknown-name".to_owned(), 13),
            ("unknown-name".to_owned(), 14),
        ]
    );
}

#[test]
fn ids_that_are_named_stand_before_and_in_scope() {
    let body = r"
  - { id: cut, call: network.isolate, with: { host: pc-1 } }
  - { id: each, for_each: 2, steps: [{ id: inside, call: network.isolate, with: { host: pc-2 } }] }
  - { id: good, undo: [cut, each] }
  - { id: bad, undo: [inside, later, bad, nobody] }
  - { id: later, note: Hello }
";
    let unknown = || ("unknown-step".to_owned(), 8);
    assert_eq!(codes(body), [unknown(), unknown(), unknown(), unknown()]);
}

#[test]
fn a_sub_playbook_is_part_of_the_plan_and_of_its_digest() {
    let child = |note: &str| {
        let text = format!(
            "playbook: restore\nlanguage: 1\ninputs:\n  host: {{ type: string, format: host }}\n\
             steps:\n  - {{ id: tell, note: \"{note} ${{inputs.host}}\" }}\noutputs:\n  done: inputs.host\n"
        );
        BTreeMap::from([("restore".parse().unwrap(), SourceText::new("restore.yaml", text))])
    };
    let caller = |with: &str| {
        format!(
            "playbook: x\nlanguage: 1\nsteps:\n  - {{ id: back, playbook: restore, with: {with} }}\n  \
             - {{ id: tell, note: \"${{steps.back.output.done}}\" }}\n"
        )
    };
    let (plan, findings) = look(&caller("{ host: pc-1 }"), &child("Hello"));
    assert_eq!(findings, []);
    let plan = plan.unwrap();
    assert_eq!(plan.sources().len(), 2);
    let (other, _) = look(&caller("{ host: pc-1 }"), &child("Good bye"));
    assert_ne!(plan.digest(), other.unwrap().digest());
    let (none, findings) = look(&caller("{ hots: pc-1 }"), &child("Hello"));
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
    assert!(none.is_none());
    assert_eq!(codes, ["missing-argument", "unknown-argument"]);
    // What a run pins is enough to make the same plan again.
    let (again, _) = look(&caller("{ host: pc-1 }"), &plan.sources());
    assert_eq!(again.unwrap().digest(), plan.digest());
}

#[test]
fn a_thousand_steps_that_read_each_other_are_checked() {
    let mut body = String::new();
    for number in 0..1000 {
        let before =
            if number == 0 { "now".to_owned() } else { format!("steps.s{}.status", number - 1) };
        _ = writeln!(
            body,
            "  - {{ id: s{number}, when: {before} != \"x\", note: \"${{{before}}}\" }}"
        );
    }
    assert_eq!(codes(&body), []);
}

#[test]
fn a_file_that_takes_all_steps_at_once_is_checked_until_the_budget_is_used_up() {
    let mut text = "playbook: x\nlanguage: 1\nsteps:\n".to_owned();
    for number in 0..900 {
        _ = writeln!(text, "  - {{ id: s{number}, script: 'json(steps)' }}");
    }
    let (plan, findings) = look(&text, &BTreeMap::new());
    assert!(plan.is_none());
    assert!(findings.iter().all(|finding| finding.code == "expression-limit"));
    assert!((100..600).contains(&findings.len()), "{}", findings.len());
}
