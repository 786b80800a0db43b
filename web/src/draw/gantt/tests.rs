//! What holds of every row and axis, and some that are looked at.

use beistand_core::model::Span;
use beistand_core::run::StepStatus;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::axis::Scale;
use super::*;
use crate::draw::sample::{HOSTILE, gantt_words, golden};

const PICTURE: Access<'static> = Access::Group { title: "Schritte", description: "" };

fn time(text: &str) -> Millis {
    Millis::parse(&format!("2026-11-{text}+01:00")).unwrap()
}

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

fn setting(width: u16, zone: &TimeZone) -> Setting<'_> {
    Setting { width, zone }
}

fn step(path: &str, kind: &str, status: &str, (from, to): (&str, Option<&str>)) -> Value {
    json!({"path": path, "kind": kind, "status": status, "title": path, "attempts": 1,
           "started_at": time(from).to_string(), "ended_at": to.map(|to| time(to).to_string())})
}

fn happenings(path: &str, list: &[(&str, Happened)]) -> Vec<Happening> {
    let one = |(at, what): &(&str, Happened)| Happening {
        at: time(at),
        path: path.parse().unwrap(),
        what: *what,
    };
    list.iter().map(one).collect()
}

/// A night in the middle of an incident: wire-frame D.
fn night() -> Gantt {
    let mut steps = vec![
        step("triage", "task", "succeeded", ("21T13:30:00", Some("21T13:41:00"))),
        step("accounts", "call", "succeeded", ("21T13:41:00", Some("21T13:47:30"))),
        step("attacked", "group", "running", ("21T13:47:30", None)),
        step("attacked/servers", "call", "succeeded", ("21T13:48:00", Some("21T13:52:00"))),
        step("attacked/clients", "call", "retrying", ("21T13:52:00", None)),
        step("attacked/probe", "call", "unknown", ("21T13:52:00", None)),
        step("attacked/yes", "approve", "waiting-for-approval", ("21T13:55:00", None)),
        step("attacked/later", "call", "ready", ("21T13:55:00", None)),
    ];
    steps[7]["started_at"] = Value::Null;
    steps[1]["attempts"] = json!(5);
    steps[4]["attempts"] = json!(3);
    steps[0]["title"] = json!("Angriff oder Defekt?");
    steps[1]["title"] = json!("Konten sperren");
    steps[3]["title"] = json!("Server vom Netz trennen");
    steps[4]["title"] = json!("Arbeitsplätze der Kämmerei vom Netz trennen");
    steps[5]["title"] = json!("Leitung zum Rechenzentrum trennen");
    steps[6]["title"] = json!("Meldung freigeben");
    for index in 0..20 {
        let path = format!("attacked/hosts[{index}]/cut");
        let status = if index == 4 { "failed" } else { "succeeded" };
        let to = format!("21T13:5{}:00", 1 + index % 8);
        steps.push(step(&path, "call", status, ("21T13:50:00", Some(&to))));
        steps[8 + index]["title"] = json!("Vom Netz trennen");
    }
    let run = json!({"id": "r-9", "mode": "live", "status": "running", "ended_at": null, "steps": steps,
        "needs": [{"step": "attacked/yes", "run": "r-9", "until": time("21T22:10:00").to_string()}],
        "waits": [{"step": "attacked/clients", "until": time("21T21:59:00").to_string()}]});
    let (start, done) = (Happened::AttemptStarted, Happened::AttemptEnded);
    let (wait, probing) = (Happened::WaitBegan, Happened::Probing);
    let mut past = happenings(
        "accounts",
        &[
            ("21T13:41:00", start),
            ("21T13:42:00", done),
            ("21T13:42:00", wait),
            ("21T13:43:00", start),
            ("21T13:44:00", done),
            ("21T13:44:00", wait),
            ("21T13:46:00", start),
            ("21T13:47:30", done),
        ],
    );
    past.extend(happenings("attacked/servers", &[("21T13:48:00", start), ("21T13:52:00", done)]));
    past.extend(happenings(
        "attacked/clients",
        &[
            ("21T13:52:00", start),
            ("21T13:53:30", done),
            ("21T13:53:30", probing),
            ("21T21:54:00", start),
            ("21T21:57:00", done),
            ("21T21:57:00", wait),
        ],
    ));
    past.extend(happenings(
        "attacked/probe",
        &[
            ("21T13:52:00", start),
            ("21T13:56:00", done),
            ("21T13:56:00", probing),
            ("21T21:50:00", start),
        ],
    ));
    past.extend(happenings("attacked/yes", &[("21T13:55:00", wait)]));
    of_run(&run, &past, time("21T21:58:15"), &gantt_words())
}

#[test]
fn it_is_drawn_as_it_was() {
    let (night, words, zone) = (night(), gantt_words(), berlin());
    golden("gantt-wide", &gantt(&night, &words, setting(1200, &zone), &PICTURE));
    golden("gantt-narrow", &gantt(&night, &words, setting(343, &zone), &Access::Hidden));
}

#[test]
fn what_went_wrong_on_the_way_stays_to_be_seen() {
    let night = night();
    let accounts = &night.rows[1];
    let what: Vec<What> = accounts.bars.iter().map(|bar| bar.what).collect();
    let (ended, wait) = (What::Ended, What::Wait);
    assert_eq!(what, [ended, wait, ended, wait, What::Attempt]);
    assert_eq!(accounts.note, "5 Versuche");
    let clients = &night.rows[4];
    let what: Vec<What> = clients.bars.iter().map(|bar| bar.what).collect();
    assert_eq!(what, [What::Unknown, wait, ended, wait]);
    assert_eq!(clients.note, "3 Versuche · nächster Versuch in 45s");
    assert_eq!(clients.bars[3].to, None);
    // What has not begun has no row; twenty alike share one, and the one that failed shows.
    assert_eq!(night.rows.len(), 8);
    assert_eq!(night.rows[7].title, "Vom Netz trennen (20×)");
    assert_eq!(night.rows[7].status, Some(StepStatus::Failed));
}

#[test]
fn what_a_timeline_does_not_tell_is_not_made_up() {
    let run = json!({"id": "r", "ended_at": null, "steps": [
        step("a", "call", "succeeded", ("21T13:00:00", Some("21T13:09:00"))),
        step("b", "call", "unknown", ("21T13:00:00", None)),
    ]});
    let told = Happened::AttemptEnded;
    let (start, wait) = (Happened::AttemptStarted, Happened::WaitBegan);
    let a = [
        ("21T13:00:00", start),
        ("21T13:01:00", told),
        ("21T13:01:00", wait),
        ("21T13:02:00", start),
        ("21T13:09:00", told),
        ("21T13:09:00", Happened::Ended),
    ];
    let b = [("21T13:00:00", start), ("21T13:01:00", told)];
    let past = [happenings("a", &a), happenings("b", &b)].concat();
    let gantt = of_run(&run, &past, time("21T13:10:00"), &gantt_words());
    let what = |row: usize| gantt.rows[row].bars.iter().map(|bar| bar.what).collect::<Vec<_>>();
    assert_eq!(what(0), [What::Ended, What::Wait, What::Attempt]);
    assert_eq!(what(1), [What::Unknown]);
}

fn row(bars: Vec<Bar>) -> Gantt {
    let row = Row {
        title: HOSTILE.to_owned(),
        depth: 200,
        status: Some(StepStatus::Running),
        href: Some(HOSTILE.to_owned()),
        note: HOSTILE.to_owned(),
        bars,
        until: None,
    };
    Gantt { rows: vec![row], now: None }
}

fn bar(from: i64, to: Option<i64>, what: What) -> Bar {
    let (from, to) = (Millis::new(from), to.map(Millis::new));
    Bar { from, to, what, title: HOSTILE.to_owned() }
}

#[test]
fn time_never_runs_backwards_on_the_axis_and_nothing_leaves_it() {
    let lengths = [0, 1, 999, 60_000, 3_600_000, 86_400_000, 366 * 86_400_000];
    let whats = [What::Block, What::Wait, What::Attempt, What::Ended, What::Failed, What::Unknown];
    for (first, what) in lengths.into_iter().zip(whats.into_iter().cycle()) {
        for second in lengths {
            for pause in lengths {
                let from = 1_795_000_000_000;
                let bars = vec![
                    bar(from, Some(from + first), what),
                    bar(from + first + pause, Some(from + first + pause + second), What::Attempt),
                ];
                let gantt = row(bars);
                for (left, right) in [(6, 335), (306, 1000)] {
                    let scale = Scale::new(&gantt, (left, right), 54);
                    let instants =
                        [from, from + first, from + first + pause, from + first + pause + second];
                    let places: Vec<i32> =
                        instants.iter().map(|at| scale.x(Millis::new(*at))).collect();
                    assert!(places.is_sorted(), "{instants:?} {places:?}");
                    assert!(places.iter().all(|x| (left..=right).contains(x)), "{places:?}");
                    let ticks = scale.ticks(&berlin());
                    let apart = ticks.iter().zip(ticks.iter().skip(1));
                    assert!(apart.clone().all(|(a, b)| b.x - a.x >= 60), "{ticks:?}");
                    assert!(ticks.iter().all(|t| (left..=right).contains(&t.x)), "{ticks:?}");
                }
            }
        }
    }
}

#[test]
fn ticks_stand_at_round_times_of_the_zone_also_when_its_clocks_change() {
    for (day, hours) in [("2026-10-24T12:00:00+02:00", 30), ("2026-03-28T12:00:00+01:00", 30)] {
        let from = Millis::parse(day).unwrap();
        let to = from.plus(Span::from_secs(hours * 3600));
        let gantt = row(vec![bar(from.get(), Some(to.get()), What::Attempt)]);
        // In spring one is left out: the hour that is missing was its room.
        for (right, step, expected) in [(700, 3, 10), (340, 6, 5)] {
            let ticks = Scale::new(&gantt, (0, right), 54).ticks(&berlin());
            assert_eq!(ticks.len(), expected, "{ticks:?}");
            for tick in ticks {
                assert_eq!((tick.at.hour() % step, tick.at.minute()), (0, 0), "{}", tick.at);
            }
        }
    }
}

#[test]
fn a_night_is_folded_and_an_hour_of_work_is_not() {
    let hour = 3_600_000;
    let night = row(vec![
        bar(0, Some(hour), What::Attempt),
        bar(hour, Some(10 * hour), What::Wait),
        bar(10 * hour, Some(11 * hour), What::Attempt),
    ]);
    let folds: Vec<_> = Scale::new(&night, (0, 900), 80).folds().collect();
    assert_eq!(folds.len(), 1);
    assert_eq!(folds[0].2, Span::from_secs(9 * 3600));
    assert_eq!(folds[0].1 - folds[0].0, 80);
    let work =
        row(vec![bar(0, Some(hour), What::Attempt), bar(hour, Some(10 * hour), What::Failed)]);
    assert_eq!(Scale::new(&work, (0, 900), 80).folds().count(), 0);
}

#[test]
fn a_name_is_text() {
    let whats = [What::Block, What::Wait, What::Attempt, What::Ended, What::Failed, What::Unknown];
    let bars = whats.into_iter().zip(0..).map(|(what, at)| bar(at * 1000, None, what)).collect();
    let mut gantt = row(bars);
    gantt.now = Some(Millis::new(90_000));
    let svg = super::gantt(&gantt, &gantt_words(), setting(343, &TimeZone::UTC), &PICTURE);
    assert!(!svg.contains("<script") && !svg.contains("<a ") && !svg.contains("style="), "{svg}");
    let empty =
        super::gantt(&Gantt::default(), &gantt_words(), setting(1, &TimeZone::UTC), &PICTURE);
    assert!(empty.starts_with("<svg") && empty.ends_with("</svg>\n"), "{empty}");
}
