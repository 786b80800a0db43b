//! Corrections, stars and the story, as readers see them.

use super::*;
use crate::incident::{Event as IncidentEvent, Head as IncidentHead};
use crate::model::{LineId, Role};

/// Entries of the incident, each with an id of its own.
pub(super) fn entries(events: Vec<(i64, IncidentEvent)>) -> Vec<Recorded> {
    let mut entries = of_incident(events);
    for (entry, number) in entries.iter_mut().zip(1..) {
        entry.id = Some(EntryId::new(1_795_227_000_000, &[number; 10]));
    }
    entries
}

fn line(number: u8) -> LineId {
    LineId::new(EntryId::new(1_795_227_000_000, &[number; 10]), 1)
}

pub(super) fn note(text: &str, of: Option<&str>) -> IncidentEvent {
    let head = IncidentHead::NoteAdded { happened_at: None };
    IncidentEvent::new(head, actor("ben")).text(text).of(of.map(|name| name.parse().unwrap()))
}

pub(super) fn corrects(number: u8, happened: Option<i64>, of: Option<&str>) -> IncidentEvent {
    let happened_at = happened.map(|after| Millis::new(START.get() + after));
    let head = IncidentHead::LineCorrected { line: line(number), happened_at };
    let mut event = IncidentEvent::new(head, actor("carla")).text("It was pc-3");
    event.body.reason = Some("misheard".to_owned());
    event.of(of.map(|name| name.parse().unwrap()))
}

fn told(events: Vec<(i64, IncidentEvent)>, scope: &Scope) -> Vec<TimelineEntry> {
    bound(timeline(&entries(events), &BTreeMap::new(), scope, Lang::En))
}

fn texts(lines: &[TimelineEntry]) -> Vec<&str> {
    lines.iter().map(|line| line.text.as_str()).collect()
}

#[test]
fn what_is_corrected_stays_and_is_struck_through() {
    let events = vec![
        (0, incident_opened()),
        (60_000, note("It was pc-2", None)),
        (120_000, note("Later", None)),
        (7_200_000, corrects(2, None, None)),
    ];
    let lines = told(events, &Scope::ALL);
    let [_, wrong, right, later] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(wrong.text, "ben: It was pc-2");
    assert_eq!(wrong.corrected_by, right.line());
    assert_eq!(right.text, "carla corrects: It was pc-3 (reason: misheard)");
    assert_eq!((right.about, right.corrected_by), (wrong.line(), None));
    assert_eq!(right.when(), wrong.when(), "words alone are about the same moment");
    assert_eq!(right.late_by(), Some(crate::model::Span::from_secs(7_140)));
    assert_eq!(later.text, "ben: Later");
}

#[test]
fn a_corrected_time_moves_the_correction_and_a_correction_can_be_corrected() {
    let events = vec![
        (0, incident_opened()),
        (60_000, note("It was pc-2", None)),
        (70_000, corrects(2, Some(-3_600_000), None)),
        (80_000, corrects(3, Some(-1_800_000), None)),
    ];
    let lines = told(events, &Scope::ALL);
    let kinds: Vec<_> = lines.iter().map(|line| (line.kind, line.corrected_by)).collect();
    assert_eq!(
        kinds,
        [
            ("line-corrected", Some(line(4))),
            ("line-corrected", None),
            ("incident-opened", None),
            ("note-added", Some(line(3))),
        ]
    );
}

#[test]
fn stars_say_by_whom_and_go_off_again() {
    let star = |number| {
        IncidentEvent::new(IncidentHead::LineStarred { line: line(number) }, actor("dora"))
    };
    let off =
        |number| IncidentEvent::new(IncidentHead::StarRemoved { line: line(number) }, actor("ben"));
    let events = vec![
        (0, incident_opened()),
        (1, note("a", None)),
        (2, note("b", None)),
        (3, star(2)),
        (4, star(3)),
        (5, off(2)),
    ];
    let lines = told(events, &Scope::ALL);
    let starred: Vec<_> = lines.iter().filter(|line| line.starred_by.is_some()).collect();
    assert_eq!(starred.len(), 1);
    assert_eq!(
        (starred[0].text.as_str(), &starred[0].starred_by),
        ("ben: b", &Some("dora".parse().unwrap()))
    );
    let mut filter = Filter::default();
    filter.set("starred", "true").unwrap();
    assert_eq!(texts(&filter.of(lines)), ["ben: b"]);
}

#[test]
fn a_story_is_told_in_own_words_and_order() {
    let tell = |number, title: Option<&str>, place, words: Option<&str>| {
        let head = IncidentHead::StoryTold { line: line(number), happened_at: None, place };
        let mut event = IncidentEvent::new(head, actor("dora"));
        event.body.name = title.map(str::to_owned);
        event.body.text = words.map(str::to_owned);
        event
    };
    let out = IncidentEvent::new(IncidentHead::StoryLeftOut { line: line(4) }, actor("dora"));
    let events = vec![
        (0, incident_opened()),
        (1_000, note("a", None)),
        (2_000, note("b", None)),
        (3_000, note("c", None)),
        (4_000, tell(1, None, None, None)),
        (5_000, tell(3, Some("First"), Some(1), Some("At two it began\nto burn"))),
        (6_000, tell(2, Some("Draft"), None, None)),
        (7_000, tell(2, Some("Then"), None, None)),
        (8_000, tell(4, Some("Gone"), None, None)),
        (9_000, out),
    ];
    let lines = told(events, &Scope::ALL);
    let story = story(&lines);
    let shown: Vec<_> = story
        .iter()
        .map(|entry| (entry.title.as_deref(), entry.text.as_deref(), entry.message.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            (Some("First"), Some("At two it began ⏎ to burn"), "ben: b"),
            (
                None,
                None,
                "Incident SIT-2026-0007 opened by anna, severity 3, TLP:AMBER: Nothing opens any more"
            ),
            (Some("Then"), None, "ben: a"),
        ]
    );
    assert!(lines.iter().filter(|line| line.kind == "story-told").all(|line| line.detail));
}

#[test]
fn who_may_not_see_a_line_sees_nothing_that_is_about_it() {
    let mine = Scope { organisations: Some(["stadt-a".parse().unwrap()].into()), ..Scope::ALL };
    let star = IncidentEvent::new(IncidentHead::LineStarred { line: line(3) }, actor("dora"));
    let events = vec![
        (0, incident_opened()),
        (1, note("ours", Some("stadt-a"))),
        (2, note("theirs", Some("stadt-b"))),
        (3, corrects(2, None, Some("stadt-a"))),
        (4, corrects(3, None, Some("stadt-b"))),
        // As an older program or another hand might have written it: whose it is was not said.
        (5, corrects(3, None, None)),
        (6, star),
    ];
    assert_eq!(told(events.clone(), &Scope::ALL).len(), 7);
    let lines = told(events, &mine);
    let kinds: Vec<_> = lines.iter().map(|line| line.kind).collect();
    assert_eq!(kinds, ["incident-opened", "note-added", "line-corrected"]);
    assert_eq!(lines[2].text, "carla corrects: It was pc-3 (reason: misheard)");
    assert!(!format!("{lines:?}").contains(&line(3).to_string()), "{lines:?}");
}

#[test]
fn who_acts_acts_in_the_roles_they_have_then() {
    let given = |role, person: Option<&str>| {
        let person = person.map(|name| name.parse().unwrap());
        IncidentEvent::new(IncidentHead::RoleAssigned { role, person }, actor("anna"))
    };
    let events = vec![
        (0, incident_opened()),
        (1, note("before", None)),
        (2, given(Role::Commander, Some("ben"))),
        (3, note("as commander", None)),
        (4, given(Role::Scribe, Some("ben"))),
        (5, note("as both", None)),
        (6, given(Role::Commander, Some("dora"))),
        (7, given(Role::Scribe, None)),
        (8, note("after", None)),
    ];
    let lines = told(events, &Scope::ALL);
    let roles: Vec<_> = lines
        .iter()
        .filter(|line| line.kind == "note-added")
        .map(|line| line.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>())
        .collect();
    let both: &[&str] = &["commander", "scribe"];
    assert_eq!(roles.len(), 4);
    assert_eq!((roles[0].len(), roles[3].len()), (0, 0));
    assert_eq!(roles[1], ["commander"]);
    assert!(both.iter().all(|role| roles[2].contains(role)), "{roles:?}");
}
