//! What a line begins and what it ends, for whoever draws and counts: runs, attempts, what waits for
//! people, what is held, and what is due. Sentences are not made here.

use std::sync::LazyLock;

use super::entry::Recorded;
use super::seen::{OpenedNeed, Seen, Tried};
use crate::model::{Catalogue, Direction, Millis, NeedId, Path, words};
use crate::run::{
    AnswerKind, AttemptEnd, Head, Intent, NeedKind, ProbeEnd, RunEnd, StepEnd, family_of,
};

/// Which action takes which back: looked up at every effect.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::first);

words! {
    /// Something that lasts.
    BarKind = "kind of bar" {
        /// A run of a playbook.
        Run = "run",
        /// One attempt of a step.
        Attempt = "attempt",
        /// Something waits for people.
        Need = "need",
        /// A target is held: cut off, locked, blocked.
        Hold = "hold",
    }
    /// How something that lasts ended.
    BarEnd = "end of a bar" {
        /// As it should.
        Well = "well",
        /// It did not work, or was denied.
        Badly = "badly",
        /// Nobody knows.
        Unknown = "unknown",
        /// It was called off, or taken back.
        Gone = "gone",
    }
}

/// What a line does to something that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stroke {
    /// What lasts; together with the kind it is one thing.
    pub(super) key: String,
    /// What is done to it.
    pub(super) what: Edge,
}

/// What is done to something that lasts, or that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    /// It begins.
    Begins(BarKind),
    /// It ends, if it lasts.
    Ends(BarKind, BarEnd),
    /// The hold that just began is on this target.
    Grips,
    /// This target is let go, by whatever step and run it was held.
    LetsGo,
    /// It goes on after the program was down.
    GoesOn,
    /// It should have ended by then.
    Due(Millis),
    /// It should have ended by now.
    Missed,
}

impl Edge {
    fn of(self, key: impl Into<String>) -> Stroke {
        Stroke { key: key.into(), what: self }
    }
}

/// What an event of a run does. `seen` has learned the event already.
#[expect(clippy::wildcard_enum_match_arm, reason = "nothing else begins, ends or is due")]
pub(super) fn strokes(
    recorded: &Recorded,
    head: &Head,
    (seen, path): (&Seen, Option<&Path>),
) -> Vec<Stroke> {
    let run = recorded.stream.as_str();
    let at = |path: &Path| format!("{run}/{path}");
    let tried = path.and_then(|path| seen.tried(path));
    let hold = |path: &Path| tried.map(|tried| of_holds(tried, at(path))).unwrap_or_default();
    let mut found = of_run(run, head);
    found.extend(of_needs(head));
    // The last vote answers.
    if let Head::Voted { need, .. } = head
        && seen.asked(head).is_some_and(OpenedNeed::is_let_through)
    {
        found.push(Edge::Ends(BarKind::Need, BarEnd::Well).of(need.to_string()));
    }
    match head {
        Head::DeadlineSet { path, at: due, .. } => found.push(Edge::Due(*due).of(at(path))),
        Head::DeadlinePassed { path, .. } => found.push(Edge::Missed.of(at(path))),
        // Attempt 0 sends nothing.
        Head::AttemptStarted(intent) if intent.attempt > 0 => {
            found.push(Edge::Begins(BarKind::Attempt).of(at(&intent.path)));
        }
        Head::AttemptResumed { path } => found.push(Edge::GoesOn.of(at(path))),
        Head::AttemptEnded { path, end, .. } => {
            let how = match end {
                AttemptEnd::Succeeded => BarEnd::Well,
                AttemptEnd::Failed => BarEnd::Badly,
                AttemptEnd::Unknown => BarEnd::Unknown,
                AttemptEnd::Withdrawn => BarEnd::Gone,
            };
            found.push(Edge::Ends(BarKind::Attempt, how).of(at(path)));
            if *end == AttemptEnd::Succeeded {
                found.extend(hold(path));
            }
        }
        Head::ProbeEnded { path, end: ProbeEnd::Done, .. }
        | Head::DoneByHand { path }
        | Head::AlreadyHeld { intent: Intent { path, .. }, .. }
        | Head::TakenOver { intent: Intent { path, .. }, .. } => found.extend(hold(path)),
        Head::StepEnded { path, end, .. } => {
            let how = match end {
                StepEnd::Succeeded => BarEnd::Well,
                StepEnd::Failed => BarEnd::Badly,
                StepEnd::Skipped | StepEnd::Cancelled => BarEnd::Gone,
            };
            found.push(Edge::Ends(BarKind::Attempt, how).of(at(path)));
            found.extend(seen.asked_at(path).map(no_longer));
        }
        Head::RunEnded { .. } => found.extend(seen.all_asked().map(no_longer)),
        Head::UndoEnded { path, undone: true, .. } => {
            found.push(Edge::Ends(BarKind::Hold, BarEnd::Gone).of(at(path)));
        }
        _ => {}
    }
    found
}

/// Where a step or its run is over, nobody is asked any more; what was answered has ended already.
fn no_longer(need: NeedId) -> Stroke {
    Edge::Ends(BarKind::Need, BarEnd::Gone).of(need.to_string())
}

/// What an effect does to holds: it is one, or lets go of what others hold.
fn of_holds(tried: &Tried, key: String) -> Vec<Stroke> {
    let intent = &tried.intent;
    let by = intent.connector.as_ref().map(ToString::to_string).unwrap_or_default();
    let family = family_of(&CATALOGUE, &intent.action, intent.destructive);
    let what = family.map(|family| format!("{family}/{by}"));
    let on = |edge: Edge| {
        let targets = what.iter().flat_map(|what| tried.targets.iter().map(move |on| (what, on)));
        targets.map(move |(what, on)| edge.of(format!("{what}/{}/{}", on.kind, on.name)))
    };
    if is_hold(intent, tried.undoable) {
        return [Edge::Begins(BarKind::Hold).of(key)].into_iter().chain(on(Edge::Grips)).collect();
    }
    let lets_go = intent.direction == Direction::Do && !intent.destructive;
    on(Edge::LetsGo).filter(|_| lets_go).collect()
}

/// What takes something away from somebody, and can be given back.
fn is_hold(intent: &Intent, undoable: bool) -> bool {
    intent.destructive && undoable && intent.direction == Direction::Do
}

fn of_run(run: &str, head: &Head) -> Vec<Stroke> {
    if let Head::RunOpened { .. } = head {
        return vec![Edge::Begins(BarKind::Run).of(run)];
    }
    let Head::RunEnded { end } = head else { return Vec::new() };
    let how = match end {
        RunEnd::Succeeded => BarEnd::Well,
        RunEnd::Failed => BarEnd::Badly,
        RunEnd::Cancelled | RunEnd::Undone | RunEnd::Superseded => BarEnd::Gone,
    };
    vec![Edge::Ends(BarKind::Run, how).of(run)]
}

#[expect(clippy::wildcard_enum_match_arm, reason = "nothing else begins, ends or is due")]
fn of_needs(head: &Head) -> Vec<Stroke> {
    match head {
        Head::NeedOpened { id, until, .. } => {
            let mut found = vec![Edge::Begins(BarKind::Need).of(id.to_string())];
            found.extend(until.map(|until| Edge::Due(until).of(id.to_string())));
            found
        }
        Head::NeedEscalated { need, .. } => vec![Edge::Missed.of(need.to_string())],
        Head::NeedAnswered { need, answer, .. } => {
            let how = match answer {
                AnswerKind::Deny | AnswerKind::Abort => BarEnd::Badly,
                AnswerKind::Approve
                | AnswerKind::Done
                | AnswerKind::Retry
                | AnswerKind::Skip
                | AnswerKind::ByHand
                | AnswerKind::NotDone
                | AnswerKind::SendAgain => BarEnd::Well,
            };
            vec![Edge::Ends(BarKind::Need, how).of(need.to_string())]
        }
        Head::NeedVoid { need } => {
            vec![Edge::Ends(BarKind::Need, BarEnd::Gone).of(need.to_string())]
        }
        _ => Vec::new(),
    }
}

/// Whether an event of a run says that something did not work, or is late.
pub(super) fn is_failure(head: &Head) -> bool {
    matches!(
        head,
        Head::AttemptEnded { end: AttemptEnd::Failed | AttemptEnd::Unknown, .. }
            | Head::ProbeEnded { end: ProbeEnd::NotDone | ProbeEnd::Unknown, .. }
            | Head::DeadlinePassed { .. }
            | Head::StepFailed { .. }
            | Head::StepEnded { end: StepEnd::Failed, .. }
            | Head::NeedOpened { kind: NeedKind::Decision | NeedKind::Unknown, .. }
            | Head::NeedEscalated { .. }
            | Head::ApprovalVoid { .. }
            | Head::UndoEnded { undone: false, .. }
            | Head::UndoFinished { complete: false }
            | Head::RunEnded { end: RunEnd::Failed }
    )
}
