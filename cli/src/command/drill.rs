//! A drill's cast: the people and signals of a case, who act in real time.
//!
//! The case stands in the run's opening, so that whoever takes the run up after a kill finds its
//! people again; what they said already is read from the journal.

use std::collections::BTreeMap;

use beistand_connectors::simulator::Canned;
use beistand_core::case::{CasePeople, Wants};
use beistand_core::entry::StreamKind;
use beistand_core::model::{Catalogue, Millis, Mode, NeedId, Path, Person, RunId};
use beistand_core::playbook::{Case, CaseSignal, Plan, SourceText};
use beistand_core::run::{Actor, AnswerError, Command, Event, Head, RunState, decode};
use beistand_journal::{Page, Reader, Run, RunFilter};
use beistand_runtime::{Clock as _, Engine, EngineError, News, WallClock, case_of, view};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use crate::exit::{Exit, Failure, Outcome};
use crate::session::Context;
use crate::watch::rest;

/// How many unfinished runs are looked at for drills with a case.
const RUNS_MAX: u32 = 10_000;

/// Entries read at once.
const PAGE: u32 = 1_000;

/// The answers of a case, as the simulator takes them.
#[derive(serde::Deserialize)]
struct Answers {
    #[serde(default)]
    answers: Vec<Canned>,
}

/// A case that is played: its text, what it says, and what the simulator answers.
pub(super) struct Played {
    pub(super) source: SourceText,
    pub(super) case: Case,
    pub(super) canned: Vec<Canned>,
}

/// The case of a playbook, by name.
pub(super) fn named(context: &Context, plan: &Plan, name: &str) -> Outcome<Played> {
    let playbook = &plan.parts().source;
    let source = context.shelves.case(playbook, name).ok_or_else(|| {
        let all: Vec<String> = context.shelves.cases(playbook).into_iter().collect();
        let failure =
            Failure::not_found(format!("playbook `{}` has no case `{name}`", plan.name()));
        if all.is_empty() { failure } else { failure.hint(format!("it has {}", all.join(", "))) }
    })?;
    read(context, plan, source)
}

fn read(context: &Context, plan: &Plan, source: SourceText) -> Outcome<Played> {
    let (case, findings) = Case::read(&source, plan, &Catalogue::first());
    let wrong = |why: &str| Failure::new(Exit::Check, format!("case `{}` {why}", source.name()));
    let Some(case) = case else {
        context.out.findings(&findings, std::slice::from_ref(&source));
        return Err(wrong("has faults"));
    };
    let answers: Answers =
        serde_yaml::from_str(source.text()).map_err(|error| wrong(&error.to_string()))?;
    Ok(Played { case, canned: answers.answers, source })
}

/// The drills of the store that have not ended and were begun with a case.
pub(super) async fn unfinished(context: &Context) -> Outcome<Vec<(RunId, Played)>> {
    // Where there is no store yet, there is no drill.
    let Ok(reader) = Reader::open(&context.url).await else { return Ok(Vec::new()) };
    let filter = RunFilter { unfinished: true, ..RunFilter::default() };
    let mut found = Vec::new();
    for (_, row) in reader.runs(&filter, Page::first(RUNS_MAX)).await? {
        if row.mode != Mode::Drill || row.parent.is_some() {
            continue;
        }
        match again(context, &reader, &row).await {
            Ok(played) => found.extend(played.map(|played| (row.id, played))),
            // Nothing real may wait for a drill.
            Err(failure) => context.out.loud(format_args!(
                "drill {}: the people of its case are not found again: {failure}",
                row.id
            )),
        }
    }
    Ok(found)
}

async fn again(context: &Context, reader: &Reader, row: &Run) -> Outcome<Option<Played>> {
    let Some(source) = case_of(reader, row).await? else { return Ok(None) };
    let (plan, _, _) = view(reader, row.id, &context.scripts).await?;
    read(context, &plan, source).map(Some)
}

/// Everybody who acts in the drills that this process drives.
pub(super) struct Cast {
    people: Vec<People>,
    news: Receiver<News>,
    /// Whether somebody acted just now: there may be more to do.
    acted: bool,
    /// Whether somebody will still do something, as of the last look.
    expected: bool,
    /// When somebody does something next.
    next: Option<Millis>,
}

impl Cast {
    /// The people of these runs, with what they said already behind them.
    pub(super) async fn new(
        engine: &Engine,
        context: &Context,
        played: impl IntoIterator<Item = (RunId, Case)>,
    ) -> Outcome<Self> {
        let (news, reader) = (engine.news(), engine.journal().reader());
        let mut people = Vec::new();
        for (run, case) in played {
            people.push(People::of(&case, run, context, reader).await?);
        }
        let acted = !people.is_empty();
        Ok(Self { people, news, acted, expected: false, next: None })
    }

    /// Says which drills have people, and that nothing goes faster for them.
    pub(super) fn announce(&self, context: &Context) {
        for people in &self.people {
            let run = people.run;
            context.out.note(format_args!("drill {run}: people of its case answer, in real time"));
        }
    }

    /// Whether a drill is not at rest yet, or somebody ends its rest.
    pub(super) async fn goes_on(&mut self, engine: &Engine, context: &Context) -> Outcome<bool> {
        let mut resting = true;
        for people in &self.people {
            resting &= rest(engine.journal().reader(), people.run).await?.is_some();
        }
        Ok(self.act(engine, context, resting).await? || !resting)
    }

    /// Does what somebody would do now; says whether somebody still will. Nothing is read while
    /// nothing happened, except where `resting` is about to be believed.
    pub(super) async fn act(
        &mut self,
        engine: &Engine,
        context: &Context,
        resting: bool,
    ) -> Outcome<bool> {
        let mut changed = std::mem::take(&mut self.acted);
        while let Ok(_) | Err(TryRecvError::Lagged(_)) = self.news.try_recv() {
            changed = true;
        }
        let now = WallClock.now();
        changed |= self.next.is_some_and(|at| at <= now) || (resting && !self.expected);
        if self.people.is_empty() || !changed {
            return Ok(self.expected);
        }
        (self.expected, self.next) = (false, None);
        for people in &mut self.people {
            match people.act(engine, context, now).await? {
                Some(Next::Again) => (self.acted, self.expected) = (true, true),
                Some(Next::At(at)) => {
                    self.next = Some(self.next.map_or(at, |next| next.min(at)));
                    self.expected = true;
                }
                None => {}
            }
        }
        Ok(self.expected)
    }
}

/// When the people of a drill do something again.
enum Next {
    /// They did something; there may be more.
    Again,
    /// Then.
    At(Millis),
}

impl Next {
    fn sooner(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(Self::At(one)), Some(Self::At(other))) => Some(Self::At(one.min(other))),
            (Some(Self::Again), _) | (_, Some(Self::Again)) => Some(Self::Again),
            (one, other) => one.or(other),
        }
    }
}

/// The people of one drill: they answer when their need is open and their time has come. And what
/// reaches the drill from outside: signals, each at its time.
struct People {
    case: CasePeople,
    signals: Vec<CaseSignal>,
    /// How many of the signals were sent, the earliest first.
    sent: usize,
    run: RunId,
    began: Millis,
}

impl People {
    async fn of(case: &Case, run: RunId, context: &Context, reader: &Reader) -> Outcome<Self> {
        let mut signals = case.signals.clone();
        signals.sort_by_key(|signal| signal.at);
        let (_, state, _) = view(reader, run, &context.scripts).await?;
        let (began, anybody) = (state.opened().at, state.opened().by.person.clone());
        let mut people =
            Self { case: CasePeople::new(case, anybody), signals, sent: 0, run, began };
        for run in family(reader, run, false).await? {
            let (_, state, _) = view(reader, run, &context.scripts).await?;
            people.remember(reader, &state).await?;
        }
        Ok(people)
    }

    /// What the journal of a run says was answered is not said again.
    async fn remember(&mut self, reader: &Reader, state: &RunState) -> Outcome<()> {
        let run = state.opened().run.to_string();
        let Some(stream) = reader.stream(StreamKind::Run, &run).await? else { return Ok(()) };
        let mut asked: BTreeMap<NeedId, Path> = BTreeMap::new();
        let mut after = 0;
        loop {
            let page = reader.entries(&stream, after, PAGE).await?;
            for entry in &page {
                after = entry.seq;
                let (_, events) = decode(&entry.head, entry.body.as_deref())
                    .map_err(|error| Failure::new(Exit::Broken, error.to_string()))?;
                for event in events {
                    self.recall(state, event, &mut asked);
                }
            }
            if page.len() < PAGE as usize {
                return Ok(());
            }
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "what people say, and what they are asked")]
    fn recall(&mut self, state: &RunState, event: Event, asked: &mut BTreeMap<NeedId, Path>) {
        match event.head {
            Head::NeedOpened { id, path: Some(path), .. } => drop(asked.insert(id, path)),
            Head::NeedAnswered { need, .. } => {
                if let Some(path) = asked.remove(&need) {
                    self.case.answered(state, &path);
                }
            }
            Head::SignalReceived { key, .. } => self.case.signalled(&key),
            _ => {}
        }
    }

    async fn act(
        &mut self,
        engine: &Engine,
        context: &Context,
        now: Millis,
    ) -> Outcome<Option<Next>> {
        let reader = engine.journal().reader();
        let mut states = Vec::new();
        for run in family(reader, self.run, true).await? {
            states.push((run, view(reader, run, &context.scripts).await?.1));
        }
        if states.first().is_some_and(|(_, state)| state.status().is_ended()) {
            return Ok(None);
        }
        let mut next = self.signal(engine, &states, now).await?;
        for (run, state) in states {
            let wants = match self.case.wants(&state, now.since(self.began)) {
                None => None,
                Some(Wants::At(span)) => Some(Next::At(self.began.plus(span))),
                Some(Wants::Now(commands)) => {
                    for command in commands {
                        say(engine, run, command).await?;
                    }
                    Some(Next::Again)
                }
            };
            next = Next::sooner(next, wants);
        }
        Ok(next)
    }

    /// Sends the signals that are due to the run that waits for them, or to the first one.
    async fn signal(
        &mut self,
        engine: &Engine,
        states: &[(RunId, RunState)],
        now: Millis,
    ) -> Outcome<Option<Next>> {
        while let Some(signal) = self.signals.get(self.sent) {
            let at = signal.at.map_or(self.began, |at| self.began.plus(at));
            if at > now {
                return Ok(Some(Next::At(at)));
            }
            self.sent += 1;
            let waits = states.iter().find(|(_, state)| state.awaits(&signal.name));
            let command = Command::Signal {
                name: signal.name.clone(),
                form: signal.form.clone().into(),
                key: format!("signal-{}", self.sent),
                by: Actor::asserted(outside()?),
            };
            say(engine, waits.map_or(self.run, |(run, _)| *run), command).await?;
        }
        Ok(None)
    }
}

/// Gives a run what somebody says. What was answered meanwhile needs no answer any more: a vote
/// may have been written before a kill, or a real person was faster.
async fn say(engine: &Engine, run: RunId, command: Command) -> Outcome<()> {
    match engine.command(run, command, None).await {
        Ok(_) => Ok(()),
        Err(EngineError::Answer(AnswerError::Conflict(why))) => {
            tracing::debug!(%run, why, "What somebody of the case says comes too late.");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Who sends what nobody in the house sends.
fn outside() -> Outcome<Person> {
    "outside".parse().map_err(|error| Failure::new(Exit::Internal, format!("{error}")))
}

/// A run and what it called.
async fn family(reader: &Reader, run: RunId, unfinished: bool) -> Outcome<Vec<RunId>> {
    let mut all = vec![run];
    let mut at = 0;
    while let Some(parent) = all.get(at).copied() {
        let filter = RunFilter { parent: Some(parent), unfinished, ..RunFilter::default() };
        all.extend(reader.runs(&filter, Page::first(1_000)).await?.iter().map(|(_, row)| row.id));
        at += 1;
    }
    Ok(all)
}
