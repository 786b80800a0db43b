//! One night: three hosts, a mail, a denied undo. What a reader sees of it.

use super::*;
use crate::incident::AssetState;
use crate::model::{ErrorKind, NeedId, Reached, Role, Tlp};
use crate::run::{AnswerKind, AttemptEnd, NeedKind, RunEnd, Section, StepEnd};

pub(super) const TEXT: &str = r#"playbook: ransomware-containment
language: 1
title: Contain ransomware
tlp: AMBER
inputs:
  hosts: { type: array, items: { type: string, format: host }, title: Hosts }
steps:
  - id: triage
    title: Attack or defect?
    task:
      role: responder
      instructions: Look at two of the hosts.
      form: { attack: { type: boolean, title: It is an attack } }
  - id: contain
    title: Cut the affected hosts off
    for_each: inputs.hosts
    as: host
    approval: { role: commander, votes: 2 }
    tolerate: 50%
    steps:
      - id: cut
        title: Cut off
        call: network.isolate
        with: { host: "${host}" }
  - id: mail_staff
    title: Tell everybody
    call: mail.send
    with: { to: [a@example.org], subject: Incident, text: Stay away }
    on_unknown: repeat
on_failure:
  - id: call_commander
    task: { role: commander, instructions: Decide by hand. }
"#;

pub(super) fn need(number: u8) -> NeedId {
    NeedId::new(1, &[number; 10])
}

pub(super) fn asks(number: u8, kind: NeedKind, at: &str, role: Role, votes: u32) -> Event {
    Event::new(Head::NeedOpened {
        id: need(number),
        kind,
        path: Some(path(at)),
        role,
        votes,
        digest: Digest::ZERO,
        group: "g".to_owned(),
        until: None,
    })
}

pub(super) fn ended(at: &str, end: AttemptEnd, error: Option<ErrorKind>) -> Event {
    let reached = (end == AttemptEnd::Succeeded).then_some(Reached::Verified);
    Event::new(Head::AttemptEnded { path: path(at), end, error, reached })
}

pub(super) fn done(at: &str) -> Event {
    let head = Head::StepEnded {
        path: path(at),
        end: StepEnd::Succeeded,
        error: None,
        by_hand: false,
        handled: false,
    };
    Event::new(head)
}

fn answered(number: u8, answer: AnswerKind, name: &str, done_at: Option<Millis>) -> Event {
    Event::new(Head::NeedAnswered { need: need(number), answer, by: actor(name), done_at })
}

/// The run's entries: two towns, three hosts, one of which needs a second attempt.
pub(super) fn run(plan: &Plan) -> Vec<Recorded> {
    let [one, two, three] =
        [("pc-1", "Stadt Hagen"), ("pc-2", "Stadt Hagen"), ("srv-9", "Kreis Olpe")]
            .map(|(name, whose)| host(name, Some(whose)));
    let cut = ["contain[0]/cut", "contain[1]/cut", "contain[2]/cut"];
    let attempts =
        vec![attempt(cut[0], &one, 1), attempt(cut[1], &two, 1), attempt(cut[2], &three, 1)];
    let lost = ended(cut[2], AttemptEnd::Unknown, Some(ErrorKind::Unknown));
    let refused = ended(cut[1], AttemptEnd::Failed, Some(ErrorKind::Unavailable));
    let again = Millis::new(START.get() + 128_000);
    let mut entries = evening(plan);
    entries.extend([
        (125_000, attempts),
        // The answers come in no order.
        (
            126_000,
            vec![lost.text("srv-9 did not answer"), ended(cut[0], AttemptEnd::Succeeded, None)],
        ),
        (
            126_000,
            vec![
                refused.text("pc-2: connection refused"),
                Head::RetryScheduled { path: path(cut[1]), at: again }.into(),
                asks(3, NeedKind::Unknown, cut[2], Role::Commander, 0),
            ],
        ),
        (128_000, vec![attempt(cut[1], &two, 2)]),
        (128_500, vec![ended(cut[1], AttemptEnd::Succeeded, None)]),
    ]);
    entries.extend(morning());
    recorded(1, entries)
}

/// Until two people said yes.
fn evening(plan: &Plan) -> Vec<(i64, Vec<Event>)> {
    let hosts = json!(["pc-1", "pc-2", "srv-9"]);
    let mut task = asks(1, NeedKind::Task, "triage", Role::Responder, 0);
    let attack = json!({"attack": {"type": "boolean", "title": "It is an attack"}});
    task.body.form = Some(Arc::new(json!({"type": "object", "properties": attack})));
    let steps = Head::SectionStarted { section: Section::Steps };
    let list = Head::ListFixed { path: path("contain"), count: 3 };
    let vote =
        |name: &str| Event::new(Head::Voted { need: need(2), by: actor(name) }).text("seen it");
    let looked = answered(1, AnswerKind::Done, "ben", None).value(json!({"attack": true}));
    let gate = asks(2, NeedKind::Approval, "contain", Role::Commander, 2);
    vec![
        (0, vec![opened(plan, 1, &json!({"hosts": hosts})), steps.into(), task]),
        (65_000, vec![looked, done("triage"), Event::new(list).value(hosts), gate]),
        (90_000, vec![vote("carla")]),
        (125_000, vec![vote("dora")]),
    ]
}

/// From the answer about the unknown outcome on.
fn morning() -> Vec<(i64, Vec<Event>)> {
    let seen = Some(Millis::new(START.get() + 200_000));
    let off = answered(3, AnswerKind::NotDone, "carla", seen).text("srv-9 is off");
    let mut mail = Event::new(Head::AttemptStarted(intent("mail_staff", "mail.send", 1)));
    mail.body.value = Some(Arc::new(json!({"text": "Stay away"})));
    let sent = ended("mail_staff", AttemptEnd::Succeeded, None);
    vec![
        (400_000, vec![off, done("contain"), mail]),
        (401_000, vec![sent, Head::RunEnded { end: RunEnd::Succeeded }.into()]),
    ]
}

pub(super) fn incident() -> Vec<Recorded> {
    let asset = |name: &str, whose: &str| {
        let head =
            incident::Head::AssetChanged { kind: TargetKind::Host, state: AssetState::Affected };
        incident::Event::new(head, actor("ben")).named(name).of(Some(whose.parse().unwrap()))
    };
    let head =
        incident::Head::NoteAdded { happened_at: Some(Millis::new(START.get() - 7_200_000)) };
    let note = incident::Event::new(head, actor("ben")).text("The first file\nwas renamed");
    of_incident(vec![
        (-60_000, incident_opened()),
        (-30_000, asset("pc-1", "Stadt Hagen")),
        (-29_000, asset("srv-9", "Kreis Olpe")),
        (30_000, note),
    ])
}

pub(super) fn entries(plan: &Plan) -> Vec<Recorded> {
    // In any order: the last first.
    incident().into_iter().chain(run(plan)).rev().collect()
}

pub(super) fn document(lang: Lang) -> Document<'static> {
    Document {
        title: "SIT-2026-0007 Nothing opens any more",
        mode: Mode::Drill,
        tlp: Tlp::Amber,
        lang,
        zone: Zone::Berlin,
        as_of: Millis::new(START.get() + 500_000),
        chain: None,
        filter: None,
        persons: Persons::Named,
        head: None,
    }
}

pub(super) fn told(scope: &Scope, lang: Lang) -> Vec<TimelineEntry> {
    let plan = plan(TEXT);
    timeline(&entries(&plan), &plans(&[&plan]), scope, lang)
}

#[test]
fn lines_stand_in_the_order_of_time_stream_and_number() {
    let lines = told(&Scope::ALL, Lang::En);
    assert!(lines.is_sorted_by_key(|line| (line.at, line.stream.clone(), line.seq)));
    assert_eq!(lines.first().unwrap().kind, "incident-opened");
    let mut entries = entries(&plan(TEXT));
    entries.reverse();
    assert_eq!(timeline(&entries, &plans(&[&plan(TEXT)]), &Scope::ALL, Lang::En), lines);
}

#[test]
fn a_night_reads_like_a_report() {
    let lines: Vec<TimelineEntry> =
        bound(told(&Scope::ALL, Lang::En)).into_iter().filter(|line| !line.detail).collect();
    insta::assert_snapshot!(table(&lines, &document(Lang::En), 100), @r##"
*** DRILL ***
SIT-2026-0007 Nothing opens any more (TLP:AMBER)

Sat 2026-11-21, CET
01:11:04  Detection    ben: The first file ⏎ was renamed (recorded Sat 2026-11-21, 03:11:34 CET)
03:10:04  Detection    Incident SIT-2026-0007 opened by anna, severity 3, TLP:AMBER: Nothing opens
                       any more
03:10:34  Detection    Asset host pc-1 is affected, by ben
03:10:35  Detection    Asset host srv-9 is affected, by ben
03:11:04  Decisions    Contain ransomware: started by anna
03:11:04  Measures     Attack or defect? task for the responder
03:12:09  Decisions    Attack or defect? ben has done it
03:12:09  Decisions    Cut the affected hosts off: needs 2 approvals, role commander
03:12:34  Decisions    Cut the affected hosts off: carla approves: seen it
03:13:09  Decisions    Cut the affected hosts off: dora approves: seen it
03:13:10  Measures     Cut off [srv-9]: outcome unknown after attempt 1 through core-router: srv-9
                       did not answer
03:13:10  Measures     Cut off [pc-1]: host pc-1 was cut off through core-router, confirmed by a
                       second look
03:13:10  Measures     Cut off [pc-2]: attempt 1 through core-router failed, not reachable: pc-2:
                       connection refused
03:13:10  Decisions    Cut off [srv-9]: the commander must find out whether it was done
03:13:12  Measures     Cut off [pc-2]: host pc-2 was cut off through core-router (attempt 2),
                       confirmed by a second look
03:14:24  Decisions    Cut off [srv-9]: carla has found that it was not done: srv-9 is off (recorded
                       Sat 2026-11-21, 03:17:44 CET)
03:17:44  Measures     Cut the affected hosts off: done
03:17:45  Authorities  Tell everybody: the mail was sent through core-router, confirmed by a second
                       look
03:17:45  Measures     Contain ransomware: succeeded
"##);
    let lines: Vec<TimelineEntry> =
        bound(told(&Scope::ALL, Lang::De)).into_iter().filter(|line| !line.detail).collect();
    insta::assert_snapshot!(table(&lines, &document(Lang::De), 100), @r##"
*** ÜBUNG ***
SIT-2026-0007 Nothing opens any more (TLP:AMBER)

Sa 21.11.2026, MEZ
01:11:04  Erkennung       ben: The first file ⏎ was renamed (nachgetragen Sa 21.11.2026, 03:11:34
                          MEZ)
03:10:04  Erkennung       Vorfall SIT-2026-0007 eröffnet von anna, Schwere 3, TLP:AMBER: Nothing
                          opens any more
03:10:34  Erkennung       Host pc-1: betroffen, eingetragen von ben
03:10:35  Erkennung       Host srv-9: betroffen, eingetragen von ben
03:11:04  Entscheidungen  Contain ransomware: gestartet von anna
03:11:04  Maßnahmen       Attack or defect? Aufgabe für: Einsatzkräfte
03:12:09  Entscheidungen  Attack or defect? erledigt von ben
03:12:09  Entscheidungen  Cut the affected hosts off: braucht 2 Freigaben, Rolle: Einsatzleitung
03:12:34  Entscheidungen  Cut the affected hosts off: Freigabe durch carla: seen it
03:13:09  Entscheidungen  Cut the affected hosts off: Freigabe durch dora: seen it
03:13:10  Maßnahmen       Cut off [srv-9]: Ausgang unbekannt nach Versuch 1 über core-router: srv-9
                          did not answer
03:13:10  Maßnahmen       Cut off [pc-1]: Host pc-1 wurde über core-router vom Netz getrennt, durch
                          erneutes Nachsehen bestätigt
03:13:10  Maßnahmen       Cut off [pc-2]: Versuch 1 über core-router fehlgeschlagen, nicht
                          erreichbar: pc-2: connection refused
03:13:10  Entscheidungen  Cut off [srv-9]: Ausgang unbekannt, bitte prüfen: Einsatzleitung
03:13:12  Maßnahmen       Cut off [pc-2]: Host pc-2 wurde über core-router vom Netz getrennt
                          (Versuch 2), durch erneutes Nachsehen bestätigt
03:14:24  Entscheidungen  Cut off [srv-9]: carla hat festgestellt, dass es nicht geschehen ist:
                          srv-9 is off (nachgetragen Sa 21.11.2026, 03:17:44 MEZ)
03:17:44  Maßnahmen       Cut the affected hosts off: erledigt
03:17:45  Behörden        Tell everybody: die Mail wurde über core-router gesendet, durch erneutes
                          Nachsehen bestätigt
03:17:45  Maßnahmen       Contain ransomware: erfolgreich beendet
"##);
}

#[test]
fn the_expected_text_does_not_depend_on_which_answer_came_first() {
    let plan = plan(TEXT);
    let expected = golden(&timeline(&run(&plan), &plans(&[&plan]), &Scope::ALL, Lang::En));
    insta::assert_snapshot!(expected, @r##"
+00:00 Contain ransomware: started by anna
+00:00 Attack or defect? task for the responder
+01:05 Attack or defect? ben has done it
+01:05 Cut the affected hosts off: needs 2 approvals, role commander
+01:30 Cut the affected hosts off: carla approves: seen it
+02:05 Cut the affected hosts off: dora approves: seen it
+02:06 Cut off [pc-1]: host pc-1 was cut off through core-router, confirmed by a second look
+02:06 Cut off [pc-2]: attempt 1 through core-router failed, not reachable: pc-2: connection refused
+02:06 Cut off [srv-9]: outcome unknown after attempt 1 through core-router: srv-9 did not answer
+02:06 Cut off [srv-9]: the commander must find out whether it was done
+02:08.500 Cut off [pc-2]: host pc-2 was cut off through core-router (attempt 2), confirmed by a second look
+06:40 Cut off [srv-9]: carla has found that it was not done: srv-9 is off
+06:40 Cut the affected hosts off: done
+06:41 Tell everybody: the mail was sent through core-router, confirmed by a second look
+06:41 Contain ransomware: succeeded
"##);
    let mut other = run(&plan);
    // At 126 s the answers come the other way round, all in one entry.
    let taken =
        [5, 6].map(|at: usize| std::mem::replace(&mut other[at].events, Events::Run(vec![])));
    let mut events: Vec<Event> = taken
        .into_iter()
        .flat_map(|events| match events {
            Events::Run(events) => events,
            Events::Incident(_) | Events::Store(_) => Vec::new(),
        })
        .collect();
    let host = |event: &Event| {
        let text = json!(event.head).to_string();
        ["contain[1]", "contain[2]", "contain[0]"].iter().position(|at| text.contains(at))
    };
    events.sort_by_key(host);
    other[5].events = Events::Run(events);
    assert_eq!(golden(&timeline(&other, &plans(&[&plan]), &Scope::ALL, Lang::En)), expected);
    for id in ["0000", "run:", "2026"] {
        assert!(!expected.contains(id), "{id}");
    }
}

#[test]
fn mail_is_communication_and_a_vote_is_a_decision() {
    let lanes: Vec<(Lane, &str)> = told(&Scope::ALL, Lang::En)
        .iter()
        .filter(|line| ["voted", "attempt-ended", "note-added"].contains(&line.kind))
        .map(|line| (line.lane, line.kind))
        .collect();
    assert_eq!(lanes.first(), Some(&(Lane::Detection, "note-added")));
    assert!(lanes.contains(&(Lane::Decisions, "voted")));
    assert_eq!(lanes.last(), Some(&(Lane::Authorities, "attempt-ended")));
}
