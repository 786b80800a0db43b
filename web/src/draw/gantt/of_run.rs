//! Rows from a run and from what happened in it.

use std::collections::{BTreeMap, BTreeSet};

use beistand_core::model::{Millis, Path};
use beistand_core::run::StepStatus;
use serde_json::Value;

use super::{Bar, Gantt, Happened, Happening, Row, What, Words};
use crate::draw::filled;
use crate::draw::glyph::Look;
use crate::draw::seen::{Run, Step};

/// Steps of one kind in a loop that have a row each; more of them share one.
const ITEMS_MAX: usize = 8;

/// Rows of one drawing: a longer one is not looked at, and the table beside it has all steps.
const ROWS_MAX: usize = 300;

/// Bars of what happened to many in one row.
const BARS_MAX: usize = 200;

/// The JSON of a run (`GET /runs/{id}`) and what happened in it, oldest first, as rows. Steps that have
/// not begun have none. `now` counts as long as the run has not ended.
pub(crate) fn of_run(run: &Value, happenings: &[Happening], now: Millis, words: &Words) -> Gantt {
    let run = Run::read(run).unwrap_or_default();
    let now = run.ended_at.is_none().then_some(now);
    let maker = Maker { run: &run, past: by_path(happenings), until: untils(&run), now, words };
    let mut rows = Vec::new();
    let many = run.by_id();
    let mut folded = BTreeSet::new();
    let mut left_out: u64 = 0;
    for step in &run.steps {
        let alike = many.get(step.id()).map_or(&[][..], Vec::as_slice);
        let row = if alike.len() <= ITEMS_MAX {
            maker.row(step)
        } else if folded.insert(step.id()) {
            maker.folded(alike)
        } else {
            None
        };
        match row {
            Some(row) if rows.len() < ROWS_MAX => rows.push(row),
            Some(_) => left_out += 1,
            None => {}
        }
    }
    if left_out > 0 {
        let title = filled(words.more, &[("count", &left_out.to_string())]);
        rows.push(Row {
            title,
            depth: 0,
            status: None,
            href: None,
            note: String::new(),
            bars: Vec::new(),
            until: None,
        });
    }
    Gantt { rows, now }
}

struct Maker<'a> {
    run: &'a Run,
    past: BTreeMap<&'a str, Vec<&'a Happening>>,
    until: BTreeMap<&'a str, Millis>,
    now: Option<Millis>,
    words: &'a Words,
}

impl Maker<'_> {
    fn row(&self, step: &Step) -> Option<Row> {
        let bars = self.bars(step);
        if bars.is_empty() {
            return None;
        }
        let until = self.until.get(step.path.as_str()).copied();
        Some(Row {
            title: title(step),
            depth: depth(&step.path),
            status: step.status,
            href: self.run.href(step),
            note: self.note(step, until),
            bars,
            until: until.filter(|_| self.now.is_some()),
        })
    }

    /// Many of one kind: how long it took all of them, and what did not go well.
    fn folded(&self, steps: &[&Step]) -> Option<Row> {
        let urgent = steps.iter().rev().max_by_key(|step| Look::of(step.status).urgency())?;
        let all: Vec<Bar> = steps.iter().flat_map(|step| self.bars(step)).collect();
        let from = all.iter().map(|bar| bar.from).min()?;
        let goes_on = all.iter().any(|bar| bar.to.is_none());
        let to = all.iter().filter_map(|bar| bar.to).max().filter(|_| !goes_on);
        let whole = Bar { from, to, what: What::Block, title: String::new() };
        let odd = all.into_iter().filter(|bar| match bar.what {
            What::Failed | What::Unknown => true,
            What::Block | What::Wait | What::Attempt | What::Ended => false,
        });
        let count = steps.len().to_string();
        let attempts = steps.iter().map(|step| step.attempts).max().unwrap_or_default();
        let named = step_name(urgent);
        Some(Row {
            title: filled(self.words.many, &[("count", &count), ("title", &named)]),
            depth: depth(&urgent.path),
            status: urgent.status,
            href: self.run.href(urgent),
            note: self.attempts(attempts).unwrap_or_default(),
            bars: std::iter::once(whole).chain(odd.take(BARS_MAX)).collect(),
            until: None,
        })
    }

    fn bars(&self, step: &Step) -> Vec<Bar> {
        let past = self.past.get(step.path.as_str()).map_or(&[][..], Vec::as_slice);
        let mut bars = Bars::default();
        for happening in past {
            bars.learn(happening);
        }
        let mut bars = bars.settled(step);
        let is_of_its_own = !matches!(
            step.kind.as_str(),
            "group" | "parallel" | "for_each" | "switch" | "repeat" | "playbook"
        );
        if bars.is_empty()
            && let Some(from) = step.started_at
        {
            let waits = matches!(step.kind.as_str(), "task" | "approve" | "wait");
            let what = match (is_of_its_own, waits) {
                (false, _) => What::Block,
                (true, true) => What::Wait,
                (true, false) if Look::of(step.status) == Look::Failed => What::Failed,
                (true, false) => What::Attempt,
            };
            bars.push(Bar { from, to: step.ended_at, what, title: String::new() });
        }
        // Nothing goes on in a run that has ended.
        let end = step.ended_at.or(self.run.ended_at);
        for bar in &mut bars {
            bar.to = bar.to.or(end);
        }
        bars
    }

    fn note(&self, step: &Step, until: Option<Millis>) -> String {
        let until = until.and_then(|until| {
            let now = self.now?;
            let (pattern, length) = match step.status {
                Some(StepStatus::Retrying) if now <= until => (self.words.again, until.since(now)),
                _ if now <= until => (self.words.left, until.since(now)),
                _ => (self.words.overdue, now.since(until)),
            };
            Some(filled(pattern, &[("length", &(self.words.length)(length))]))
        });
        let notes: Vec<String> =
            [self.attempts(step.attempts), until].into_iter().flatten().collect();
        notes.join(" · ")
    }

    fn attempts(&self, count: u64) -> Option<String> {
        (count > 1).then(|| filled(self.words.attempts, &[("count", &count.to_string())]))
    }
}

/// Bars that are being made.
#[derive(Default)]
struct Bars {
    done: Vec<Bar>,
    open: Option<Bar>,
}

impl Bars {
    fn learn(&mut self, happening: &Happening) {
        let at = happening.at;
        match happening.what {
            Happened::AttemptStarted => self.begin(at, What::Attempt),
            Happened::WaitBegan => {
                // An attempt that is asked about meanwhile goes on.
                if self.open.as_ref().is_none_or(|bar| bar.what == What::Wait) {
                    self.begin(at, What::Wait);
                }
                if let Some(last) = self.last_attempt() {
                    last.what = last.what.max(What::Ended);
                }
            }
            Happened::AttemptEnded | Happened::Ended => self.finish(at),
            Happened::Probing => {
                if let Some(last) = self.last_attempt() {
                    last.what = What::Unknown;
                }
                if self.open.is_none() {
                    self.begin(at, What::Wait);
                }
            }
        }
    }

    /// The attempt that ended last.
    fn last_attempt(&mut self) -> Option<&mut Bar> {
        self.done.iter_mut().rev().find(|bar| bar.what != What::Wait)
    }

    fn begin(&mut self, at: Millis, what: What) {
        self.finish(at);
        self.open = Some(Bar { from: at, to: None, what, title: String::new() });
    }

    fn finish(&mut self, at: Millis) {
        if let Some(open) = self.open.take() {
            self.done.push(Bar { to: Some(at), ..open });
        }
    }

    /// All of them; how the last attempt ended is what became of the step, where nothing else says it.
    fn settled(mut self, step: &Step) -> Vec<Bar> {
        let look = Look::of(step.status);
        if self.open.as_ref().is_none_or(|bar| bar.what == What::Wait)
            && let Some(last) = self.last_attempt()
            && matches!(last.what, What::Attempt | What::Ended)
        {
            last.what = match look {
                Look::Unknown => What::Unknown,
                Look::Failed => last.what.max(What::Ended),
                Look::Open
                | Look::Waiting
                | Look::Running
                | Look::Retrying
                | Look::Asking
                | Look::Succeeded
                | Look::Skipped
                | Look::Cancelled
                | Look::Undone => last.what,
            };
        }
        self.done.extend(self.open);
        self.done
    }
}

fn by_path(happenings: &[Happening]) -> BTreeMap<&str, Vec<&Happening>> {
    let mut paths: BTreeMap<&str, Vec<&Happening>> = BTreeMap::new();
    for happening in happenings {
        paths.entry(Path::as_str(&happening.path)).or_default().push(happening);
    }
    paths
}

/// Until when a step waits: the earliest of its own.
fn untils(run: &Run) -> BTreeMap<&str, Millis> {
    let own = |need: &&crate::draw::seen::Need| need.run.is_empty() || need.run == run.id;
    let needs = run.needs.iter().filter(own);
    let needs = needs.filter_map(|need| Some((need.step.as_deref()?, need.until?)));
    let waits = run.waits.iter().filter_map(|wait| Some((wait.step.as_str(), wait.until?)));
    let mut untils: BTreeMap<&str, Millis> = BTreeMap::new();
    for (step, until) in needs.chain(waits) {
        let earliest = untils.entry(step).or_insert(until);
        *earliest = (*earliest).min(until);
    }
    untils
}

fn step_name(step: &Step) -> String {
    step.title.clone().unwrap_or_else(|| step.id().to_owned())
}

fn title(step: &Step) -> String {
    let name = step_name(step);
    match &step.item {
        Some(item) => format!("{name} [{item}]"),
        None => name,
    }
}

fn depth(path: &str) -> u8 {
    u8::try_from(path.matches('/').count()).unwrap_or(u8::MAX)
}
