//! Following a run to rest: a line for what happens, a summary at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use beistand_core::entry::StreamKind;
use beistand_core::model::{Millis, RunId, Span};
use beistand_core::run::{AttemptEnd, Event, Head, ProbeEnd, RunStatus, StepEnd, decode};
use beistand_core::timeline::{Lang, Zone, need_title};
use beistand_journal::{NeedFilter, Page, Reader, Run, RunFilter};
use beistand_runtime::{Clock as _, WallClock};

use crate::exit::{Exit, Outcome};
use crate::out::{Out, cell};
use crate::session::Context;

/// Between two looks at the store while something happens.
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// And while nothing does: a run that waits for an hour costs nothing, and SIGTERM and the stop
/// switch are still heard at once.
const LOOK_EVERY_MAX: Duration = Duration::from_millis(200);

/// How a run stands when it rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// All went as written.
    Succeeded,
    /// It ended otherwise.
    Ended,
    /// It waits for a person, or is paused.
    Waits,
}

impl Rest {
    pub(crate) const fn exit(self) -> Exit {
        match self {
            Self::Succeeded => Exit::Ok,
            Self::Ended => Exit::Ended,
            Self::Waits => Exit::Waits,
        }
    }
}

/// How a run stands, if it rests. The needs of everything below it count as its own.
pub(crate) async fn rest(reader: &Reader, run: RunId) -> Outcome<Option<Rest>> {
    let Some(row) = reader.run(run).await? else { return Ok(Some(Rest::Ended)) };
    // A status that a newer program wrote is no rest.
    let Ok(status) = row.status.parse::<RunStatus>() else { return Ok(None) };
    Ok(match status {
        RunStatus::Succeeded => Some(Rest::Succeeded),
        RunStatus::Failed | RunStatus::Cancelled | RunStatus::Undone | RunStatus::Superseded => {
            Some(Rest::Ended)
        }
        RunStatus::Paused => Some(Rest::Waits),
        RunStatus::Waiting | RunStatus::Cancelling | RunStatus::Undoing => {
            let needs =
                reader.needs(&NeedFilter { run: Some(run), ..NeedFilter::default() }).await?;
            (!needs.is_empty() && all_wait(reader, &row).await?).then_some(Rest::Waits)
        }
        RunStatus::Running => None,
    })
}

async fn all_wait(reader: &Reader, row: &Run) -> Outcome<bool> {
    let mut above = vec![row.id];
    while let Some(parent) = above.pop() {
        let filter = RunFilter { parent: Some(parent), unfinished: true, ..RunFilter::default() };
        for (_, child) in reader.runs(&filter, Page::first(1_000)).await? {
            if child.status == RunStatus::Running.as_str() {
                return Ok(false);
            }
            above.push(child.id);
        }
    }
    Ok(true)
}

/// Prints what happens in a run, as it happens.
#[derive(Debug)]
pub(crate) struct Progress {
    run: RunId,
    seen: u64,
    out: Out,
    zone: Zone,
    open: BTreeSet<String>,
    /// What waits for time, and until when.
    waits: BTreeMap<String, Millis>,
    done: u64,
    shown: bool,
}

impl Progress {
    pub(crate) fn new(run: RunId, context: &Context) -> Self {
        let (out, zone) = (context.out.clone(), context.zone());
        let (open, waits) = (BTreeSet::new(), BTreeMap::new());
        Self { run, seen: 0, out, zone, open, waits, done: 0, shown: false }
    }

    /// Prints what is new; says whether there was anything.
    pub(crate) async fn look(&mut self, reader: &Reader) -> Outcome<bool> {
        let Some(stream) = reader.stream(StreamKind::Run, &self.run.to_string()).await? else {
            return Ok(false);
        };
        let before = self.seen;
        loop {
            let page = reader.entries(&stream, self.seen, 500).await?;
            for entry in &page {
                self.seen = entry.seq;
                if self.out.quiet {
                    continue;
                }
                if let Ok((_, events)) = decode(&entry.head, entry.body.as_deref()) {
                    for event in &events {
                        self.say(event, entry.at);
                    }
                }
            }
            if page.len() < 500 {
                break;
            }
        }
        self.status();
        Ok(self.seen > before)
    }

    /// A wait, with its end: nobody shall wonder whether it still works.
    fn until(&mut self, path: &str, what: &str, from: Millis, at: Millis) -> String {
        self.waits.insert(path.to_owned(), at);
        format!("… {path}  {what} {} ({})", self.zone.shown(at), at.since(from))
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "who watches sees what is sent, what comes of it and what is asked"
    )]
    fn say(&mut self, event: &Event, at: Millis) {
        let reason = event.body.text.as_deref().unwrap_or_default();
        let line = match &event.head {
            Head::TimerSet { path, at: until } => {
                self.until(path.as_str(), "waits until", at, *until)
            }
            Head::RetryScheduled { path, at: until } => {
                self.until(path.as_str(), "is tried again at", at, *until)
            }
            Head::ProbeScheduled { path, at: until } => {
                self.until(path.as_str(), "is looked at again at", at, *until)
            }
            Head::SignalAwaited { path, name } => format!("… {path}  waits for signal {name}"),
            Head::AttemptStarted(intent) => {
                self.waits.remove(intent.path.as_str());
                self.open.insert(intent.path.to_string());
                let who =
                    intent.connector.as_ref().map_or("a person", |connector| connector.as_str());
                format!(
                    "→ {}  {} through {who} (attempt {})",
                    intent.path, intent.action, intent.attempt
                )
            }
            Head::AttemptEnded { path, end: AttemptEnd::Withdrawn, .. } => {
                self.open.remove(path.as_str());
                format!("– {path}  was not sent")
            }
            Head::AttemptEnded { path, error: Some(error), .. } => {
                self.open.remove(path.as_str());
                format!("✗ {path}  {error}: {reason}")
            }
            Head::AttemptEnded { path, .. } => {
                self.open.remove(path.as_str());
                self.done += 1;
                format!("✓ {path}")
            }
            Head::ProbeEnded { path, end: ProbeEnd::Done, .. } => {
                self.done += 1;
                format!("✓ {path}  a look at it shows that it was done")
            }
            Head::ProbeEnded { path, end: ProbeEnd::NotDone, .. } => {
                format!("– {path}  a look at it shows that it was not done")
            }
            Head::StepEnded { path, end: StepEnd::Succeeded, .. } | Head::Noted { path } => {
                self.waits.remove(path.as_str());
                self.done += 1;
                format!("✓ {path}  {reason}")
            }
            Head::StepEnded { path, end: StepEnd::Skipped, .. } => {
                format!("– {path}  skipped {reason}")
            }
            Head::StepEnded { path, end: StepEnd::Failed, .. } => format!("✗ {path}  {reason}"),
            Head::AlreadyHeld { intent, run, .. } => {
                format!("✓ {}  already held by run {run}", intent.path)
            }
            Head::TakenOver { intent, run, .. } => {
                self.done += 1;
                format!("✓ {}  taken over from run {run}", intent.path)
            }
            Head::Superseding { next } => format!("⇥ gives way to run {}", next.run),
            Head::NeedOpened { id, kind, role, path, .. } => {
                let title = need_title(Lang::En, (*kind, path.as_ref()), reason);
                format!("? {title}  {kind} by {role}: {id}")
            }
            Head::RunEnded { end } => {
                format!("■ run {}", RunStatus::from(*end).as_str())
            }
            _ => return,
        };
        self.clear();
        self.out.note(cell(line.trim_end()));
    }

    /// A line that moves, on a terminal only.
    fn status(&mut self) {
        if self.out.live {
            use std::io::Write as _;
            let now: Vec<&str> = self.open.iter().take(2).map(String::as_str).collect();
            let waits = self.waits.iter().min_by_key(|(_, until)| **until);
            let waits = waits
                .filter(|_| self.open.is_empty())
                .map(|(path, until)| format!("{path} waits until {}", self.zone.shown(*until)));
            let text = format!(
                "  {} steps done, {} under way  {}",
                self.done,
                self.open.len(),
                waits.unwrap_or_else(|| now.join(", "))
            );
            let text: String = cell(&text).chars().take(78).collect();
            drop(write!(std::io::stderr().lock(), "\r\u{1b}[2K{text}"));
            self.shown = true;
        }
    }

    /// Takes the moving line away.
    pub(crate) fn clear(&mut self) {
        if self.shown {
            use std::io::Write as _;
            drop(write!(std::io::stderr().lock(), "\r\u{1b}[2K"));
            self.shown = false;
        }
    }
}

/// How watching ended.
pub(crate) enum Watched {
    Rested(Rest),
    TimedOut,
    Interrupted,
}

/// What happens between two looks at a run.
pub(crate) enum Tick {
    /// Nothing that keeps from leaving.
    Idle,
    /// Somebody of a case answers what waits, now or soon: waiting for them is no rest.
    Expected,
    /// The program is to end.
    Leave,
}

/// Watches a run until it rests, time is up, or Ctrl-C. `tick` is called between two looks, with
/// whether the run seems to rest.
pub(crate) async fn follow(
    reader: &Reader,
    progress: &mut Progress,
    timeout: Option<Span>,
    mut tick: impl AsyncFnMut(bool) -> Outcome<Tick>,
) -> Outcome<Watched> {
    let until = timeout.map(|span| WallClock.now().plus(span));
    let interrupt = tokio::signal::ctrl_c();
    tokio::pin!(interrupt);
    let mut pause = LOOK_EVERY;
    let watched = loop {
        // Looked at before the new lines are read, so that the last line is never missed.
        let rest = rest(reader, progress.run).await?;
        let moved = progress.look(reader).await?;
        pause = if moved { LOOK_EVERY } else { (pause * 2).min(LOOK_EVERY_MAX) };
        let rest = match rest {
            Some(rest @ (Rest::Succeeded | Rest::Ended)) => break Watched::Rested(rest),
            Some(Rest::Waits) | None => rest,
        };
        if until.is_some_and(|until| WallClock.now() >= until) {
            break Watched::TimedOut;
        }
        match (tick(rest.is_some()).await?, rest) {
            (Tick::Leave, _) => break Watched::Interrupted,
            (Tick::Idle, Some(rest)) => break Watched::Rested(rest),
            (Tick::Idle, None) | (Tick::Expected, _) => {}
        }
        tokio::select! {
            _ = &mut interrupt => break Watched::Interrupted,
            () = tokio::time::sleep(pause) => {}
        }
    };
    progress.clear();
    Ok(watched)
}
