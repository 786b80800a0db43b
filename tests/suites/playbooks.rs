//! What ships must hold: every playbook passes the check, and every case plays as it is kept.
//!
//! `playbooks/<name>/playbook.yaml`, `cases/<case>.yaml` beside `<case>.expected`, a timeline in
//! virtual time. `BLESS=1` writes the expected timelines anew; read them before they are committed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use beistand_core::case::{Played, play};
use beistand_core::model::{Catalogue, Span};
use beistand_core::playbook::{
    Case, CaseChoice, CaseGives, CheckRequest, Finding, Kind, NoLibrary, Plan, SourceText, check,
};
use beistand_core::timeline::{
    Bar, BarKind, Events, Lang, Layout, POSITIONS, Recorded, Scope, TimelineEntry, Zone, bound,
    golden, metrics, review, timeline,
};
use beistand_script::Scripts;

/// What is promised to be there; more may come, none may go.
const SHIPPED: [&str; 4] =
    ["compromised-account", "data-leak", "provider-compromised", "ransomware-containment"];

/// The playbook that `cargo xtask drill` plays, with the first of its cases, in real time.
const DRILL: &str = "ransomware-containment";

/// Whoever sees Beistand for the first time does not wait longer.
const DRILL_MAX: Span = Span::from_secs(60);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../playbooks")
}

/// The names of the folders that hold a playbook.
fn shipped() -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = entries
        .filter(|path| path.join("playbook.yaml").exists())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn source(file: &Path) -> SourceText {
    let shown = file.strip_prefix(folder()).unwrap().to_str().unwrap().to_owned();
    SourceText::new(shown, fs::read_to_string(file).unwrap())
}

fn look(name: &str) -> (Option<Plan>, Vec<Finding>) {
    let source = source(&folder().join(name).join("playbook.yaml"));
    let (catalogue, expressions) = (Catalogue::first(), Scripts::without_budget());
    check(CheckRequest {
        source: &source,
        catalogue: &catalogue,
        library: &NoLibrary,
        expressions: &expressions,
    })
}

fn plan(name: &str) -> Arc<Plan> {
    Arc::new(look(name).0.unwrap_or_else(|| panic!("{name} does not pass the check")))
}

/// The files of a playbook's cases with this ending, by name.
fn files(name: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder().join(name).join("cases")).unwrap();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == ending))
        .collect();
    files.sort();
    files
}

fn case(plan: &Plan, file: &Path) -> Case {
    let source = source(file);
    let (case, findings) = Case::read(&source, plan, &Catalogue::first());
    assert_eq!(findings, []);
    case.unwrap()
}

fn played(plan: &Arc<Plan>, case: &Case) -> Played {
    let played = play(plan, case, &Catalogue::first(), &Scripts::without_budget());
    played.unwrap_or_else(|error| panic!("{}: {error}", case.title))
}

/// What the journal would hold, as lines.
fn lines(played: &Played) -> Vec<TimelineEntry> {
    let mut plans = BTreeMap::new();
    let mut entries = Vec::new();
    for run in &played.runs {
        plans.insert(run.plan.digest(), Arc::clone(&run.plan));
        let stream = format!("run:{}", run.state.opened().run);
        entries.extend(run.entries.iter().zip(1..).map(|(entry, seq)| Recorded {
            stream: stream.clone(),
            seq,
            at: entry.at,
            id: None,
            events: Events::Run(entry.events.clone()),
        }));
    }
    timeline(&entries, &plans, &Scope::ALL, Lang::En)
}

/// The same, told as it is kept beside the case.
fn told(played: &Played) -> String {
    golden(&lines(played))
}

#[test]
fn every_shipped_playbook_passes_the_check_without_a_finding() {
    let names = shipped();
    assert!(SHIPPED.iter().all(|name| names.iter().any(|known| known == name)), "{names:?}");
    for name in names {
        let (plan, findings) = look(&name);
        assert_eq!(findings, []);
        let plan = plan.unwrap();
        assert_eq!(plan.name().as_str(), name, "a playbook is named like its folder");
        assert!(!plan.parts().references.is_empty(), "{name} names its sources");
    }
}

#[test]
fn whatever_a_person_reads_at_night_has_a_title() {
    for name in shipped() {
        for node in &plan(&name).parts().nodes {
            let silent = matches!(node.kind, Kind::Note(_) | Kind::Fail(_) | Kind::End(_))
                && node.when.is_none();
            assert!(silent || node.title.is_some(), "{name}: `{}` has no title", node.id);
        }
    }
}

/// Whether two things that lasted lie on each other in one row.
fn overlap(one: &Bar, other: &Bar) -> bool {
    one.row == other.row && one.left < other.right && other.left < one.right
}

#[test]
fn every_case_is_laid_out_with_a_mark_for_each_line() {
    for name in shipped() {
        let plan = plan(&name);
        for file in files(&name, "yaml") {
            let played = played(&plan, &case(&plan, &file));
            let lines = bound(lines(&played));
            let now = lines.iter().map(|line| line.at).max().unwrap();
            let layout = Layout { lang: Lang::De, zone: Zone::Berlin, now };
            let drawn = review(&lines, &layout).unwrap();
            assert_eq!(Some(&drawn), review(&lines, &layout).as_ref(), "the same of the same");
            let points: usize = drawn.lanes.iter().map(|lane| lane.points.len()).sum();
            let told = lines.iter().filter(|line| !line.detail).count();
            let shown: usize = drawn.bins.iter().map(|bin| bin.lines).sum();
            assert_eq!((points, shown), (told, told), "{}", file.display());
            for lane in &drawn.lanes {
                assert!(lane.points.iter().all(|point| point.left <= POSITIONS));
                assert!(lane.points.is_sorted_by_key(|point| point.left), "{}", file.display());
                for (place, bar) in lane.bars.iter().enumerate() {
                    assert!(bar.left <= bar.right && bar.right <= POSITIONS && bar.row < lane.rows);
                    let other = lane.bars[place + 1..].iter().find(|other| overlap(bar, other));
                    assert_eq!(other, None, "{}: {bar:?}", file.display());
                }
            }
            // A run that has ended leaves nothing going on but what it holds.
            let going = drawn.lanes.iter().flat_map(|lane| &lane.bars);
            let going: Vec<&Bar> =
                going.filter(|bar| bar.end.is_none() && bar.kind != BarKind::Hold).collect();
            assert!(going.is_empty(), "{}: {going:#?}", file.display());
            let figures = metrics(&lines, now);
            assert_eq!(figures.waiting, 0, "{}", file.display());
            assert!(figures.waited_together_ms <= figures.waited_ms, "{}", file.display());
        }
    }
}

#[test]
fn every_case_plays_as_it_is_kept() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    for name in shipped() {
        let plan = plan(&name);
        for file in files(&name, "yaml") {
            let case = case(&plan, &file);
            let played = played(&plan, &case);
            let shown = file.strip_prefix(folder()).unwrap().display().to_string();
            wrong.extend(played.differences.iter().map(|why| format!("{shown}: {why}")));
            let told = told(&played);
            let expected = file.with_extension("expected");
            if bless {
                fs::write(&expected, &told).unwrap();
            }
            let kept = fs::read_to_string(&expected).unwrap_or_default();
            wrong.extend(first_difference(&kept, &told).map(|why| format!("{shown}: {why}")));
        }
    }
    assert!(wrong.is_empty(), "see BLESS in the head comment\n{}", wrong.join("\n"));
}

/// Where two texts part, and what either says there.
fn first_difference(kept: &str, told: &str) -> Option<String> {
    if kept == told {
        return None;
    }
    let same = kept.lines().zip(told.lines()).take_while(|(kept, told)| kept == told).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("(nothing)").to_owned();
    Some(format!("line {}\n  kept: {}\n  now:  {}", same + 1, line(kept), line(told)))
}

#[test]
fn every_playbook_has_a_case_that_goes_wrong_and_no_timeline_is_stale() {
    for name in shipped() {
        let plan = plan(&name);
        let files = (files(&name, "yaml"), files(&name, "expected"));
        let kept: Vec<PathBuf> =
            files.0.iter().map(|file| file.with_extension("expected")).collect();
        assert_eq!(kept, files.1, "{name}: a timeline without a case, or a case without one");
        let cases: Vec<Case> = files.0.iter().map(|file| case(&plan, file)).collect();
        assert!(cases.len() >= 2, "{name} has at least two cases");
        let fails = |case: &Case| {
            case.answers.iter().any(|answer| !matches!(answer.gives, CaseGives::Output(_)))
                || case.people.iter().any(|said| matches!(said.answer, CaseChoice::Deny(_)))
        };
        assert!(cases.iter().any(fails), "{name} has a case in which something goes wrong");
        assert!(cases.iter().any(|case| !fails(case)), "{name} has a case that goes well");
    }
}

#[test]
fn the_drill_succeeds_within_a_minute_of_real_time() {
    let plan = plan(DRILL);
    let case = case(&plan, files(DRILL, "yaml").first().unwrap());
    let played = played(&plan, &case);
    let run = played.runs.first().unwrap();
    assert_eq!(run.state.status().as_str(), "succeeded");
    let (first, last) = (run.entries.first().unwrap().at, run.entries.last().unwrap().at);
    assert!(last.since(first) <= DRILL_MAX, "the drill takes {}", last.since(first));
}
