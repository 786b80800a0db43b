//! What kind of line each event gives: its word, its lane, and whether it is noise for most.

use super::entry::Lane;
use crate::access::Changed;
use crate::incident::{self, store};
use crate::on_call::CallOutEnd;
use crate::run::{Head, NeedKind, Section};

/// What kind of line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Class {
    /// The word that does not change: the tag in the journal.
    pub(super) kind: &'static str,
    /// The lane, unless the step says otherwise.
    pub(super) lane: Lane,
    /// Noise for most readers.
    pub(super) detail: bool,
}

const fn line(kind: &'static str, lane: Lane) -> Class {
    Class { kind, lane, detail: false }
}

const fn noise(kind: &'static str, lane: Lane) -> Class {
    Class { kind, lane, detail: true }
}

/// Of a run's event.
pub(super) fn of_run(head: &Head) -> Class {
    use Lane::{Decisions, Detection, Measures, System};
    match head {
        Head::RunOpened { parent: None, .. } => line("run-opened", Decisions),
        Head::RunOpened { parent: Some(_), .. } => noise("run-opened", Measures),
        Head::SectionStarted { section: Section::Steps } => noise("section-started", System),
        Head::SectionStarted { .. } => line("section-started", Measures),
        Head::DeadlineSet { .. } => noise("deadline-set", System),
        Head::DeadlinePassed { .. } => line("deadline-passed", Measures),
        Head::BlockStarted { .. } => noise("block-started", Measures),
        Head::CaseChosen { .. } => noise("case-chosen", Measures),
        Head::ListFixed { .. } => noise("list-fixed", Measures),
        Head::ItemsStarted { .. } => noise("items-started", Measures),
        Head::RoundStarted { .. } => noise("round-started", Measures),
        Head::ReadStarted { .. } => noise("read-started", System),
        Head::PreviousRead { .. } => noise("previous-read", System),
        Head::AttemptStarted(_) => noise("attempt-started", Measures),
        Head::AttemptResumed { .. } => line("attempt-resumed", System),
        Head::AttemptEnded { .. } => line("attempt-ended", Measures),
        Head::RetryScheduled { .. } => noise("retry-scheduled", Measures),
        Head::ProbeScheduled { .. } => noise("probe-scheduled", Measures),
        Head::ProbeStarted { .. } => noise("probe-started", System),
        Head::ProbeEnded { .. } => line("probe-ended", Measures),
        Head::DoneByHand { .. } => noise("done-by-hand", Measures),
        Head::AlreadyHeld { .. } => line("already-held", Measures),
        Head::TakenOver { .. } => line("taken-over", Measures),
        Head::Superseding { .. } => line("superseding", Decisions),
        Head::GaveWay => noise("gave-way", System),
        Head::TimerSet { .. } => line("timer-set", Measures),
        Head::SignalAwaited { .. } => line("signal-awaited", Measures),
        Head::SignalReceived { .. } => line("signal-received", Detection),
        Head::SignalTaken { .. } => noise("signal-taken", Measures),
        Head::StepFailed { .. } => line("step-failed", Measures),
        Head::NeedOpened { kind, .. } => line("need-opened", of_need(*kind)),
        Head::Voted { .. } => line("voted", Decisions),
        Head::NeedAnswered { .. } => line("need-answered", Decisions),
        Head::NeedVoid { .. } => noise("need-void", Decisions),
        Head::NeedEscalated { .. } => line("need-escalated", Decisions),
        Head::ApprovalVoid { .. } => line("approval-void", Decisions),
        Head::ChildOpened { .. } => line("child-opened", Measures),
        Head::Noted { .. } => line("noted", Measures),
        Head::HandlerStarted { .. } => line("handler-started", Measures),
        Head::AlwaysStarted { .. } => noise("always-started", Measures),
        Head::StepEnded { .. } => line("step-ended", Measures),
        Head::StepReopened { .. } => noise("step-reopened", Measures),
        Head::BlockStopped { .. } => noise("block-stopped", Measures),
        Head::Restored { .. } => noise("restored", System),
        Head::Paused { .. } => line("paused", Decisions),
        Head::Unpaused { .. } => line("unpaused", Decisions),
        Head::Closing { by: Some(_), .. } => line("closing", Decisions),
        Head::Closing { by: None, .. } => line("closing", Measures),
        Head::UndoRequested { by: Some(_), .. } => line("undo-requested", Decisions),
        Head::UndoRequested { by: None, .. } => line("undo-requested", Measures),
        Head::UndoStarted { .. } => noise("undo-started", Measures),
        Head::UndoStepsStarted { .. } => noise("undo-steps-started", Measures),
        Head::UndoEnded { .. } => line("undo-ended", Measures),
        Head::UndoFinished { .. } => line("undo-finished", Measures),
        Head::RunEnded { .. } => line("run-ended", Measures),
    }
}

/// A task is work; the others are decisions.
pub(super) const fn of_need(kind: NeedKind) -> Lane {
    match kind {
        NeedKind::Task => Lane::Measures,
        NeedKind::Approval | NeedKind::Decision | NeedKind::Unknown => Lane::Decisions,
    }
}

/// The lane of what a capability does: telling people is told apart from doing.
pub(super) fn of_capability(capability: &str) -> Lane {
    match capability {
        "mail" | "chat" | "sms" | "ticket" => Lane::Authorities,
        _ => Lane::Measures,
    }
}

/// Of an incident's event.
pub(super) const fn of_incident(head: &incident::Head) -> Class {
    use Lane::{Decisions, Detection, System};
    use incident::Head;
    match head {
        Head::IncidentOpened { .. } => line("incident-opened", Detection),
        Head::IncidentChanged { .. } => line("incident-changed", Decisions),
        Head::IncidentClosed => line("incident-closed", Decisions),
        Head::NoteAdded { .. } => line("note-added", Detection),
        Head::NoteCopied { .. } => line("note-copied", Detection),
        Head::TurnedReal { .. } => line("turned-real", Decisions),
        Head::PlaybookProposed { .. } => line("playbook-proposed", Decisions),
        Head::RoleAssigned { .. } => line("role-assigned", Decisions),
        Head::CommandOffered { .. } => line("command-offered", Decisions),
        Head::OfferWithdrawn => line("offer-withdrawn", Decisions),
        Head::CommandTaken { .. } => line("command-taken", Decisions),
        Head::OrganisationLinked => line("organisation-linked", Detection),
        Head::AssetChanged { .. } => line("asset-changed", Detection),
        Head::EvidenceAdded { .. } => line("evidence-added", Detection),
        Head::CalledOut { .. } => line("called-out", Decisions),
        Head::CallOutEnded { end: CallOutEnd::Sent, .. } => noise("call-out-ended", System),
        Head::CallOutEnded {
            end: CallOutEnd::Unavailable | CallOutEnd::Refused | CallOutEnd::Unknown,
            ..
        } => line("call-out-ended", Decisions),
        // It stands in the lane of the line that it corrects.
        Head::LineCorrected { .. } => line("line-corrected", Detection),
        Head::LineStarred { .. } => noise("line-starred", System),
        Head::StarRemoved { .. } => noise("star-removed", System),
        Head::StoryTold { .. } => noise("story-told", System),
        Head::StoryLeftOut { .. } => noise("story-left-out", System),
    }
}

/// Of the store's event.
pub(super) const fn of_store(head: &store::Head) -> Class {
    use Lane::{Decisions, System};
    use store::Head;
    match head {
        Head::Stopped => line("stopped", Decisions),
        Head::GoneOn => line("gone-on", Decisions),
        Head::Restored { .. } => line("restored", System),
        Head::ConnectorPaused { .. } => line("connector-paused", Decisions),
        Head::ConnectorUnpaused { .. } => line("connector-unpaused", Decisions),
        Head::AccessChanged { change: Changed::BreakGlassUsed { .. } } => {
            line("access-changed", Decisions)
        }
        Head::AccessChanged { .. } => noise("access-changed", System),
        Head::BackupMade { .. } => line("backup-made", System),
        Head::Sealed { .. } => noise("sealed", System),
    }
}
