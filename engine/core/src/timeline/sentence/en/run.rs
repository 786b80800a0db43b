//! What happens in a run, in English.

use super::super::{Act, Scene};
use super::words::{done, error, reached, role, run_end, step_end, subject};
use crate::model::ErrorKind;
use crate::run::{
    AnswerKind, AttemptEnd, Head, Intent, NeedKind, ProbeEnd, RunEnd, Section, StepEnd,
};

/// The sentence of an event.
#[expect(
    clippy::too_many_lines,
    reason = "one table: a row for every event, in the order of the enum"
)]
pub(crate) fn sentence(head: &Head, scene: &Scene) -> String {
    let Scene { step, playbook, by, text, .. } = scene;
    match head {
        Head::RunOpened { parent: None, more_of: Some(earlier), .. } => {
            format!("{playbook}: started by {by} for what was added, more of run {}", earlier.run)
        }
        Head::RunOpened { parent: None, supersedes: Some(earlier), .. } => {
            format!("{playbook}: started by {by}, takes over from run {}", earlier.run)
        }
        Head::RunOpened { parent: None, mode: crate::model::Mode::Live, .. } => {
            format!("{playbook}: started by {by}")
        }
        Head::RunOpened { parent: None, mode: crate::model::Mode::Drill, .. } => {
            format!("{playbook}: started by {by} as a drill")
        }
        Head::RunOpened { parent: Some(_), .. } => format!("{playbook}: called by another run"),
        Head::SectionStarted { section: Section::Steps } => format!("{playbook}: its steps begin"),
        Head::SectionStarted { section: Section::OnFailure } => {
            format!("{playbook}: failed, its steps for failure begin")
        }
        Head::SectionStarted { section: Section::Always } => {
            format!("{playbook}: its closing steps begin")
        }
        Head::DeadlineSet { at, .. } => format!("{step}: due in {}", scene.until(*at)),
        Head::DeadlinePassed { role: to, .. } => {
            format!("{step}: late, escalated to the {}", role(*to))
        }
        Head::BlockStarted { .. } => format!("{step}: begins"),
        Head::CaseChosen { case: Some(case), .. } => {
            format!("{step}: case {} applies", u64::from(*case) + 1)
        }
        Head::CaseChosen { case: None, .. } => format!("{step}: no case applies"),
        Head::ListFixed { count: 1, .. } => format!("{step}: one item"),
        Head::ListFixed { count, .. } => format!("{step}: {count} items"),
        Head::ItemsStarted { from, to, .. } if from + 1 == *to => {
            format!("{step}: item {to} begins")
        }
        Head::ItemsStarted { from, to, .. } => format!("{step}: items {} to {to} begin", from + 1),
        Head::RoundStarted { index, .. } => format!("{step}: round {} begins", index + 1),
        Head::ReadStarted { .. } => format!("{step}: being worked out"),
        Head::PreviousRead { .. } => format!("{step}: the state before was recorded"),
        Head::AttemptStarted(intent) => format!("{step}: {}", begins(intent, scene.act.as_ref())),
        Head::AttemptResumed { .. } => {
            format!("{step}: sent again with the same key after a restart")
        }
        Head::AttemptEnded { end, error, reached, .. } => {
            let how = attempt(*end, *error, scene.act.as_ref());
            let by_hand = scene.act.as_ref().is_some_and(|act| act.connector.is_none());
            let reached = reached.filter(|_| !by_hand).map_or("", self::reached);
            scene.with_text(format!("{step}: {how}{reached}"))
        }
        Head::RetryScheduled { at, .. } => format!("{step}: next attempt in {}", scene.until(*at)),
        Head::ProbeScheduled { at, .. } => {
            format!("{step}: in {} it is looked up whether it was done", scene.until(*at))
        }
        Head::ProbeStarted { .. } => format!("{step}: being looked up whether it was done"),
        Head::ProbeEnded { end: ProbeEnd::Done, .. } => {
            format!("{step}: it was done, as a look showed")
        }
        Head::ProbeEnded { end: ProbeEnd::NotDone, .. } => format!("{step}: it was not done"),
        Head::ProbeEnded { end: ProbeEnd::Unknown, .. } => {
            format!("{step}: it can not be told whether it was done")
        }
        Head::DoneByHand { .. } => format!("{step}: done by hand"),
        Head::AlreadyHeld { .. } => {
            let on = scene.act.as_ref().map(|act| subject(&act.targets));
            let what = on.filter(|on| !on.is_empty()).unwrap_or_else(|| "the target".to_owned());
            format!("{step}: nothing sent, {what} is held by another run already")
        }
        Head::TakenOver { run, .. } => {
            format!("{step}: nothing sent, run {run} did it and gave way")
        }
        Head::Superseding { next } => {
            let (run, name) = (next.run, &next.playbook);
            scene.with_text(format!("{playbook}: {by} lets {name} take over, as run {run}"))
        }
        Head::GaveWay => format!("{playbook}: nothing of it is open any more, it gives way"),
        Head::TimerSet { at, .. } => format!("{step}: waits for {}", scene.until(*at)),
        Head::SignalAwaited { .. } => format!("{step}: waits for the signal “{}”", scene.name),
        Head::SignalReceived { .. } => format!("{playbook}: signal “{}” from {by}", scene.name),
        Head::SignalTaken { .. } => format!("{step}: takes the signal “{}”", scene.name),
        Head::StepFailed { error: kind, .. } => {
            scene.with_text(format!("{step}: failed, {}", error(*kind)))
        }
        Head::NeedOpened { kind, role: to, votes, .. } => {
            format!("{step}: {}", asks(*kind, role(*to), *votes))
        }
        Head::Voted { .. } => scene.with_text(format!("{step}: {by} approves")),
        Head::NeedAnswered { answer, .. } => {
            scene.with_text(format!("{step}: {by} {}", answers(*answer, scene.need)))
        }
        Head::NeedVoid { .. } => format!("{step}: no longer asked"),
        Head::NeedEscalated { role: to, .. } => {
            format!("{step}: still open, escalated to the {}", role(*to))
        }
        Head::ApprovalVoid { .. } => {
            format!("{step}: what was approved has changed or lapsed, it is asked again")
        }
        Head::ChildOpened { .. } => format!("{step}: playbook {} called", scene.name),
        Head::Noted { .. } if text.is_empty() => format!("{step}: a note that is not shown"),
        Head::Noted { .. } => text.clone(),
        Head::HandlerStarted { error: kind, .. } => {
            scene.with_text(format!("{step}: failed and handled, {}", error(*kind)))
        }
        Head::AlwaysStarted { .. } => format!("{step}: its closing steps begin"),
        Head::StepEnded { end, error: kind, by_hand, handled, .. } => {
            let kind = kind.filter(|_| *end == StepEnd::Failed).map(error);
            let kind = kind.map_or_else(String::new, |kind| format!(", {kind}"));
            let hand = if *by_hand { " by hand" } else { "" };
            let on = if *handled { "; the run goes on" } else { "" };
            scene.with_text(format!("{step}: {}{hand}{kind}{on}", step_end(*end)))
        }
        Head::StepReopened { renew: false, .. } => format!("{step}: begins again"),
        Head::StepReopened { renew: true, .. } => format!("{step}: begins again as a new effect"),
        Head::BlockStopped { .. } => format!("{step}: starts nothing more"),
        Head::Restored { .. } => format!("{playbook}: came back from a backup"),
        Head::Paused { .. } => scene.with_text(format!("{playbook}: paused by {by}")),
        Head::Unpaused { .. } => scene.with_text(format!("{playbook}: {by} lets it go on")),
        Head::Closing { end, by: Some(_), .. } => {
            scene.with_text(format!("{playbook}: ended by {by}, {}", closing(*end)))
        }
        Head::Closing { end, by: None, error: Some(kind) } => {
            scene.with_text(format!("{playbook}: {}, {}", closing(*end), error(*kind)))
        }
        Head::Closing { end, by: None, error: None } => {
            scene.with_text(format!("{playbook}: {}", closing(*end)))
        }
        Head::UndoRequested { paths, .. } => {
            let who = if by.is_empty() { step } else { by };
            let steps = match paths.len() {
                1 => "one step".to_owned(),
                many => format!("{many} steps"),
            };
            scene.with_text(format!("{playbook}: {who} wants {steps} taken back"))
        }
        Head::UndoStarted { .. } => format!("{step}: being taken back"),
        Head::UndoStepsStarted { .. } => format!("{step}: the steps that take it back begin"),
        Head::UndoEnded { undone: true, still_held_by, .. } if still_held_by.is_empty() => {
            format!("{step}: taken back")
        }
        Head::UndoEnded { undone: true, .. } => {
            format!("{step}: given up here, it stays because another run still holds it")
        }
        Head::UndoEnded { undone: false, error: kind, .. } => {
            let kind = kind.map_or_else(String::new, |kind| format!(", {}", error(kind)));
            scene.with_text(format!("{step}: not taken back{kind}"))
        }
        Head::UndoFinished { complete: true } => {
            format!("{playbook}: everything that was asked for was taken back")
        }
        Head::UndoFinished { complete: false } => {
            format!("{playbook}: not everything could be taken back")
        }
        Head::RunEnded { end } => format!("{playbook}: {}", run_end(*end)),
    }
}

fn begins(intent: &Intent, act: Option<&Act>) -> String {
    let on = act.map(|act| subject(&act.targets)).filter(|on| !on.is_empty());
    let on = on.map_or_else(String::new, |on| format!(" for {on}"));
    match &intent.connector {
        Some(connector) => {
            format!("{}{on} goes out through {connector}{}", intent.action, number(intent.attempt))
        }
        None => format!("{}{on} is to be done by hand", intent.action),
    }
}

fn attempt(end: AttemptEnd, kind: Option<ErrorKind>, act: Option<&Act>) -> String {
    let Some(act) = act else {
        return match end {
            AttemptEnd::Succeeded => "done".to_owned(),
            AttemptEnd::Failed => "attempt failed".to_owned(),
            AttemptEnd::Unknown => "outcome unknown".to_owned(),
            AttemptEnd::Withdrawn => "attempt withdrawn, nothing was sent".to_owned(),
        };
    };
    let kind = kind.map_or_else(String::new, |kind| format!(", {}", error(kind)));
    let through = match &act.connector {
        Some(connector) => format!(" through {connector}{}", number(act.attempt)),
        None => " by hand".to_owned(),
    };
    let attempt = act.attempt;
    match end {
        AttemptEnd::Succeeded => format!("{}{through}", done(&act.action, &act.targets)),
        AttemptEnd::Failed => format!("attempt {attempt}{} failed{kind}", bare(act)),
        AttemptEnd::Unknown => format!("outcome unknown after attempt {attempt}{}", bare(act)),
        AttemptEnd::Withdrawn => format!("attempt {attempt} withdrawn, nothing was sent"),
    }
}

fn bare(act: &Act) -> String {
    let connector = act.connector.as_ref();
    connector.map_or_else(String::new, |connector| format!(" through {connector}"))
}

/// The first attempt needs no number.
fn number(attempt: u32) -> String {
    if attempt > 1 { format!(" (attempt {attempt})") } else { String::new() }
}

fn asks(kind: NeedKind, role: &str, votes: u32) -> String {
    match (kind, votes) {
        (NeedKind::Approval, 0 | 1) => format!("needs approval, role {role}"),
        (NeedKind::Approval, votes) => format!("needs {votes} approvals, role {role}"),
        (NeedKind::Task, _) => format!("task for the {role}"),
        (NeedKind::Decision, _) => format!("the {role} must decide what to do"),
        (NeedKind::Unknown, _) => format!("the {role} must find out whether it was done"),
    }
}

fn answers(answer: AnswerKind, need: Option<NeedKind>) -> &'static str {
    match (answer, need) {
        (AnswerKind::Approve, _) => "approves",
        (AnswerKind::Deny, _) => "denies it",
        (AnswerKind::Done, Some(NeedKind::Unknown)) => "has found that it was done",
        (AnswerKind::Done, _) => "has done it",
        (AnswerKind::Retry, _) => "wants it tried again",
        (AnswerKind::Skip, _) => "goes on without it",
        (AnswerKind::ByHand, _) => "has done it by hand",
        (AnswerKind::Abort, _) => "lets the run fail",
        (AnswerKind::NotDone, _) => "has found that it was not done",
        (AnswerKind::SendAgain, _) => "wants it sent again as a new effect",
    }
}

const fn closing(end: RunEnd) -> &'static str {
    match end {
        RunEnd::Succeeded => "ends early",
        RunEnd::Failed => "fails",
        RunEnd::Cancelled => "is cancelled",
        RunEnd::Undone => "is taken back",
        RunEnd::Superseded => "gives way to a corrected playbook",
    }
}
