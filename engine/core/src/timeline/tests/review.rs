//! How a timeline is laid out and counted.

use super::marks::{corrects, entries as incident_entries, note};
use super::story::{self, TEXT, ended, entries, need};
use super::*;
use crate::model::{Role, Span};
use crate::run::{AnswerKind, AttemptEnd, NeedKind, RunEnd};

const HOUR: i64 = 3_600_000;

fn layout() -> Layout {
    Layout { lang: Lang::En, zone: Zone::Berlin, now: Millis::new(START.get() + 10 * HOUR) }
}

fn night() -> Vec<TimelineEntry> {
    let plan = plan(TEXT);
    bound(timeline(&entries(&plan), &plans(&[&plan]), &Scope::ALL, Lang::En))
}

fn lane(review: &Review, lane: Lane) -> &ReviewLane {
    review.lanes.iter().find(|one| one.lane == lane).unwrap()
}

#[test]
fn a_night_is_laid_out_in_lanes() {
    let lines = night();
    let review = review(&lines, &layout()).unwrap();
    let points: usize = review.lanes.iter().map(|lane| lane.points.len()).sum();
    assert_eq!(points, lines.iter().filter(|line| !line.detail).count(), "a mark for each line");
    let shown: Vec<String> = review
        .lanes
        .iter()
        .flat_map(|lane| lane.bars.iter().map(move |bar| (lane, bar)))
        .map(|(lane, bar)| {
            let end = bar.end.map_or("lasts", BarEnd::as_str);
            format!("{} {} {end} {}: {}", lane.title, bar.kind, bar.length, bar.text)
        })
        .collect();
    let goes = "network.isolate for host";
    let wanted = [
        "Decisions need well 1 min: Cut the affected hosts off: needs 2 approvals, role commander",
        "Decisions need well 1 min 14 s: Cut off [srv-9]: the commander must find out whether it was done",
        "Measures run well 6 min 41 s: Contain ransomware: started by anna",
        "Measures need well 1 min 5 s: Attack or defect? task for the responder",
        &format!(
            "Measures attempt well 1 s: Cut off [pc-1]: {goes} pc-1 goes out through core-router"
        ),
        &format!(
            "Measures attempt badly 1 s: Cut off [pc-2]: {goes} pc-2 goes out through core-router"
        ),
        &format!(
            "Measures attempt unknown 1 s: Cut off [srv-9]: {goes} srv-9 goes out through core-router"
        ),
        &format!(
            "Measures attempt well 500 ms: Cut off [pc-2]: {goes} pc-2 goes out through core-router (attempt 2)"
        ),
        "Authorities attempt well 1 s: Tell everybody: mail.send goes out through core-router",
    ];
    assert_eq!(shown, wanted);
    let [gap] = review.gaps.as_slice() else { panic!("{:?}", review.gaps) };
    assert_eq!((gap.left, gap.right), (0, 24));
    assert_eq!(gap.text, "1 h 59 min without an entry");
    assert_eq!(review.ticks[0].day.as_deref(), Some("Sat 2026-11-21"));
    assert!(review.ticks.len() > 4 && review.ticks.is_sorted_by_key(|tick| tick.left));
}

#[test]
fn an_idle_stretch_is_collapsed_from_half_an_hour_on() {
    let at = |times: &[i64]| {
        let notes = times.iter().map(|at| (*at, note("seen", None)));
        let lines =
            timeline(&incident_entries(notes.collect()), &BTreeMap::new(), &Scope::ALL, Lang::De);
        review(&bound(lines), &Layout { lang: Lang::De, ..layout() }).unwrap()
    };
    assert_eq!(at(&[0, 1_799_999]).gaps, []);
    let again = 600_000 + 3 * HOUR + 720_000;
    let review = at(&[0, 600_000, again, again + 1_200_000]);
    let [gap] = review.gaps.as_slice() else { panic!("{:?}", review.gaps) };
    assert_eq!(gap.text, "3 Std. 12 Min. ohne Eintrag");
    assert_eq!(gap.right - gap.left, 24);
    let points: Vec<u16> = review.lanes[0].points.iter().map(|point| point.left).collect();
    assert_eq!((points[0], points[1], points[2]), (0, gap.left, gap.right));
    assert_eq!(points[3], 1000);
    // However long the idle stretches are, what happened has room.
    let days: Vec<i64> = (0..40).map(|day| day * 24 * HOUR).collect();
    let review = at(&days);
    assert_eq!(review.gaps.len(), 12);
    assert!(review.lanes[0].points.is_sorted_by_key(|point| point.left));
    assert_eq!(review.bins.iter().map(|bin| bin.lines).sum::<usize>(), 40);
    let one = at(&[7]);
    assert_eq!((one.from, one.gaps.len(), one.bins.len()), (one.to, 0, 1));
    assert!(super::super::review(&[], &layout()).is_none());
}

fn asked(number: u8, until: Option<i64>) -> Event {
    let mut event = story::asks(number, NeedKind::Task, "triage", Role::Responder, 0);
    if let Head::NeedOpened { until: due, .. } = &mut event.head {
        *due = until.map(|after| Millis::new(START.get() + after));
    }
    event
}

fn answered(number: u8, done_at: Option<i64>) -> Event {
    let done_at = done_at.map(|after| Millis::new(START.get() + after));
    let (answer, by) = (AnswerKind::Done, actor("ben"));
    Event::new(Head::NeedAnswered { need: need(number), answer, by, done_at })
}

#[test]
fn what_is_due_is_kept_missed_or_open() {
    let plan = plan(TEXT);
    let due = |after: i64| Millis::new(START.get() + after);
    let late =
        Head::DeadlineSet { path: path("contain"), at: due(60_000), every: Span::from_secs(60) };
    let passed = Head::DeadlinePassed { path: path("contain"), role: Role::Commander };
    let again =
        Head::DeadlineSet { path: path("contain"), at: due(120_000), every: Span::from_secs(60) };
    let entries = recorded(
        1,
        vec![
            (0, vec![opened(&plan, 1, &json!({})), late.into(), asked(1, Some(30_000))]),
            (10_000, vec![answered(1, None), asked(2, Some(20 * HOUR))]),
            (60_000, vec![passed.into(), again.into()]),
        ],
    );
    let lines = bound(timeline(&entries, &plans(&[&plan]), &Scope::ALL, Lang::En));
    let review = review(&lines, &layout()).unwrap();
    let shown: Vec<_> = review
        .deadlines
        .iter()
        .map(|one| (one.at.since(START).millis(), one.state, one.beyond))
        .collect();
    assert_eq!(
        shown,
        [
            (60_000, DeadlineState::Missed, false),
            (30_000, DeadlineState::Kept, false),
            (20 * 3_600_000, DeadlineState::Open, true),
        ]
    );
    assert_eq!(review.deadlines[2].left, 1000);
}

#[test]
fn where_the_program_was_down_the_bar_goes_on() {
    let plan = plan(TEXT);
    let target = host("pc-1", None);
    let resumed = Head::AttemptResumed { path: path("contain[0]/cut") };
    let entries = recorded(
        1,
        vec![
            (0, vec![opened(&plan, 1, &json!({})), attempt("contain[0]/cut", &target, 1)]),
            (120_000, vec![resumed.into()]),
            (121_000, vec![ended("contain[0]/cut", AttemptEnd::Succeeded, None)]),
            (122_000, vec![Head::RunEnded { end: RunEnd::Failed }.into()]),
        ],
    );
    let lines = bound(timeline(&entries, &plans(&[&plan]), &Scope::ALL, Lang::En));
    let review = review(&lines, &layout()).unwrap();
    let [down] = review.breaks.as_slice() else { panic!("{:?}", review.breaks) };
    assert_eq!((down.to.since(down.from).millis(), down.length.as_str()), (120_000, "2 min"));
    let bars = &lane(&review, Lane::Measures).bars;
    let attempt = bars.iter().find(|bar| bar.kind == BarKind::Attempt).unwrap();
    assert_eq!(attempt.went_on, [down.right]);
    let run = bars.iter().find(|bar| bar.kind == BarKind::Run).unwrap();
    assert_eq!((run.left, run.right, run.end), (0, 1000, Some(BarEnd::Badly)));
    assert_ne!(run.row, attempt.row);
}

#[test]
fn a_hold_lasts_until_it_is_taken_back() {
    let plan = plan(TEXT);
    let mut cut = attempt("contain[0]/cut", &host("pc-1", None), 1);
    let (action, arguments) = ("network.release".parse().unwrap(), json!({}));
    cut.body.undo = Some(Arc::new(crate::run::UndoCall { action, arguments }));
    let back = Head::UndoEnded {
        path: path("contain[0]/cut"),
        undone: true,
        error: None,
        still_held_by: vec![],
    };
    let mut entries = vec![
        (0, vec![opened(&plan, 1, &json!({})), cut]),
        (1_000, vec![ended("contain[0]/cut", AttemptEnd::Succeeded, None)]),
    ];
    let held = |entries: Vec<(i64, Vec<Event>)>| {
        let entries = recorded(1, entries);
        let lines = bound(timeline(&entries, &plans(&[&plan]), &Scope::ALL, Lang::En));
        let review = review(&lines, &layout()).unwrap();
        let bars = lane(&review, Lane::Measures).bars.clone();
        bars.into_iter().find(|bar| bar.kind == BarKind::Hold).unwrap()
    };
    let bar = held(entries.clone());
    assert_eq!((bar.right, bar.end, bar.ended), (1000, None, None));
    assert_eq!(bar.length, "9 h 59 min");
    // Another step lets go of another host, and then of this one.
    let release = |at: i64, host_name: &str| {
        let mut free = attempt("recover", &host(host_name, None), 1);
        if let Head::AttemptStarted(intent) = &mut free.head {
            (intent.action, intent.destructive) = ("network.release".parse().unwrap(), false);
        }
        [(at, vec![free]), (at + 1_000, vec![ended("recover", AttemptEnd::Succeeded, None)])]
    };
    let mut let_go = entries.clone();
    let_go.extend(release(30_000, "pc-2"));
    assert_eq!(held(let_go.clone()).end, None, "another host");
    let_go.extend(release(120_000, "pc-1"));
    let bar = held(let_go);
    assert_eq!((bar.end, bar.length.as_str()), (Some(BarEnd::Gone), "2 min"));
    entries.push((61_000, vec![back.into()]));
    let bar = held(entries);
    assert_eq!((bar.end, bar.length.as_str()), (Some(BarEnd::Gone), "1 min"));
}

#[test]
fn figures_are_read_from_the_lines() {
    let lines = night();
    let figures = metrics(&lines, layout().now);
    assert_eq!(figures.opened_at, Some(Millis::new(START.get() - 60_000)));
    assert_eq!(figures.detect_ms, Some(7_140_000), "a note says when the first file was renamed");
    assert_eq!((figures.attempts, figures.repeats, figures.attempts_failed), (5, 1, 2));
    assert_eq!(figures.notify_ms, Some(461_000));
    assert_eq!((figures.contain_ms, figures.first_hold_ms, figures.close_ms), (None, None, None));
    assert_eq!((figures.waits, figures.waiting), (3, 0), "the second vote answers");
    assert_eq!(figures.late, 2);
}

#[test]
fn what_waits_for_several_people_at_once_is_counted_each_and_once() {
    let plan = plan(TEXT);
    let entries = recorded(
        1,
        vec![
            (0, vec![opened(&plan, 1, &json!({})), asked(1, None), asked(2, None)]),
            (600_000, vec![answered(1, None)]),
            // Typed in later than it was done.
            (900_000, vec![answered(2, Some(300_000))]),
        ],
    );
    let lines = bound(timeline(&entries, &plans(&[&plan]), &Scope::ALL, Lang::En));
    let figures = metrics(&lines, layout().now);
    assert_eq!((figures.waits, figures.waiting), (2, 0));
    assert_eq!((figures.waited_ms, figures.waited_together_ms), (900_000, 600_000));
    assert_eq!(figures.waited_longest_ms, Some(600_000));
}

#[test]
fn contained_is_when_nothing_is_affected_any_more() {
    use crate::incident::AssetState::{self, Affected, Cleared, Contained, Suspected};
    let state = |name: &str, state: AssetState| {
        let head = incident::Head::AssetChanged { kind: TargetKind::Host, state };
        incident::Event::new(head, actor("ben")).named(name)
    };
    let figures = |steps: &[(i64, &str, AssetState)]| {
        let mut events = vec![(0, incident_opened())];
        events.extend(steps.iter().map(|(at, name, how)| (*at, state(name, *how))));
        let entries = incident_entries(events);
        let lines = timeline(&entries, &BTreeMap::new(), &Scope::ALL, Lang::En);
        metrics(&bound(lines), layout().now).contain_ms
    };
    let both = [(1, "a", Affected), (2, "b", Affected), (3, "c", Suspected), (4, "a", Contained)];
    assert_eq!(figures(&both), None);
    assert_eq!(figures(&[&both[..], &[(9, "b", Cleared)]].concat()), Some(9));
    let again = [(9, "b", Cleared), (10, "a", Affected)];
    assert_eq!(figures(&[&both[..], &again[..]].concat()), None);
    assert_eq!(figures(&[(3, "c", Suspected), (4, "c", Cleared)]), None, "it never was");
}

#[test]
fn what_was_corrected_is_no_beginning() {
    let early =
        incident::Head::NoteAdded { happened_at: Some(Millis::new(START.get() - 5 * HOUR)) };
    let early = incident::Event::new(early, actor("ben")).text("The first call");
    let events = vec![(0, incident_opened()), (1, early), (2, corrects(2, Some(-HOUR), None))];
    let lines = timeline(&incident_entries(events), &BTreeMap::new(), &Scope::ALL, Lang::En);
    let figures = metrics(&bound(lines), layout().now);
    assert_eq!((figures.detect_ms, figures.corrected), (Some(3_600_000), 1));
}

#[test]
fn ten_thousand_lines_are_laid_out_at_once() {
    let plan = plan(TEXT);
    let mut entries = vec![(0, vec![opened(&plan, 1, &json!({}))])];
    for number in 0..5_000 {
        let at = format!("contain[{number}]/cut");
        let begun = i64::from(number) * 997;
        entries.push((begun, vec![attempt(&at, &host("pc-1", None), 1)]));
        entries.push((begun + 40_000, vec![ended(&at, AttemptEnd::Succeeded, None)]));
    }
    let lines = bound(timeline(&recorded(1, entries), &plans(&[&plan]), &Scope::ALL, Lang::En));
    assert!(lines.len() > 10_000);
    let review = review(&lines, &layout()).unwrap();
    let bars: usize = review.lanes.iter().map(|lane| lane.bars.len()).sum();
    assert_eq!(bars, 5_001);
}
