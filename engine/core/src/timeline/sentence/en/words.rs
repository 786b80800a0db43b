//! English words.

use super::super::{Paper, Situation, TARGETS_NAMED_MAX, Words};
use crate::incident::AssetState;
use crate::model::{ActionName, ErrorKind, Reached, Role, Span, TargetKind};
use crate::run::{RunEnd, StepEnd};

pub(crate) static WORDS: Words = Words {
    asserted: "asserted",
    telephone: "by telephone",
    on_paper: "on paper",
    break_glass: "sealed account",
    machine: "machine",
    typed_by: "typed in by",
    round: "round",
    undo: "undo",
    take_back: "take back",
    timeline: "Timeline",
    drill: "DRILL",
    as_of: "As of",
    recorded: "recorded",
    length,
    idle: "without an entry",
    corrected: "corrected",
    zone: "time zone",
    filter: "filter",
    numbered: "without personal data",
    starred: "important",
    seal: "Newest seal",
    no_seal: "Not sealed yet",
    lines: "lines",
    details: "Show details",
    columns: ["Time", "Kind", "Event", "Entry"],
    lanes: ["Detection", "Decisions", "Measures", "Authorities", "Aid", "System"],
    tick: "Time ________ Initials ______",
    paper: Paper {
        checklist: "Checklist",
        only_if: "Only if",
        each: "For each of",
        at_once: "At the same time",
        either: "The first that holds",
        otherwise: "Otherwise",
        repeat: "Repeat until",
        approval: "Approval",
        task: "Task",
        by_hand: "By hand",
        fill_in: "Fill in",
        wait: "Wait",
        wait_until: "Wait until",
        signal: "Wait for",
        within: "Within",
        on_failure: "If the playbook fails",
        at_the_end: "At the end, however it came",
        if_it_fails: "If this fails",
        take_back: "Take back",
        note: "Note",
        stop_failed: "Stop here, as failed",
        stop_done: "Stop here, as done",
        compute: "Work out",
        playbook: "Playbook",
        inputs: "Given",
        sources: "Sources",
        unknown: "OUTCOME UNKNOWN, look before doing it again",
        notes: "Notes",
    },
    situation: Situation {
        title: "Briefing",
        severity: "severity",
        opened: "opened",
        closed: "closed",
        concerned: "Concerned",
        needs: "Waits for people",
        runs: "Runs that go on",
        ended: "Ended",
        holds: "Cut off or locked",
        taking: "Asked to be cut off or locked, not yet known to be done",
        releasing: "Being taken back, not yet known to be free",
        proposals: "Proposed and not started",
        start: "start it with",
        assets: "What it is about",
        notes: "Newest notes",
        run: "run",
        since: "since",
        until: "until",
        by: "by",
        through: "through",
        digest: "Digest",
        code: "code",
    },
};

pub(crate) const fn role(role: Role) -> &'static str {
    match role {
        Role::Commander => "commander",
        Role::Deputy => "deputy",
        Role::Approver => "approver",
        Role::Responder => "responder",
        Role::Scribe => "scribe",
        Role::Reviewer => "reviewer",
        Role::Dpo => "data protection officer",
        Role::Admin => "administrator",
    }
}

pub(crate) const fn error(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unavailable => "not reachable",
        ErrorKind::Refused => "refused",
        ErrorKind::Unknown => "outcome unknown",
        ErrorKind::Invalid => "not possible as written",
        ErrorKind::Guarded => "the target is guarded",
        ErrorKind::Limit => "a limit of targets is reached",
        ErrorKind::Denied => "denied",
        ErrorKind::Exhausted => "all rounds used up",
        ErrorKind::Tolerance => "too many items failed",
        ErrorKind::Script => "a script failed",
        ErrorKind::Child => "a called playbook failed",
        ErrorKind::Fail => "as the playbook says",
        ErrorKind::Internal => "a fault of the program",
    }
}

pub(crate) const fn reached(reached: Reached) -> &'static str {
    match reached {
        Reached::Accepted => ", accepted and not yet seen to work",
        Reached::Effective => "",
        Reached::Verified => ", confirmed by a second look",
    }
}

pub(crate) const fn step_end(end: StepEnd) -> &'static str {
    match end {
        StepEnd::Succeeded => "done",
        StepEnd::Failed => "failed",
        StepEnd::Skipped => "skipped",
        StepEnd::Cancelled => "cancelled",
    }
}

pub(crate) const fn run_end(end: RunEnd) -> &'static str {
    match end {
        RunEnd::Succeeded => "succeeded",
        RunEnd::Failed => "failed",
        RunEnd::Cancelled => "cancelled",
        RunEnd::Undone => "everything taken back",
        RunEnd::Superseded => "taken over by a corrected playbook",
    }
}

pub(crate) const fn asset_state(state: AssetState) -> &'static str {
    match state {
        AssetState::Suspected => "suspected",
        AssetState::Affected => "affected",
        AssetState::Contained => "contained",
        AssetState::Cleared => "cleared",
    }
}

pub(crate) const fn target(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::Host => "host",
        TargetKind::Address => "address",
        TargetKind::Account => "account",
        TargetKind::Mailbox => "mailbox",
        TargetKind::Vm => "VM",
        TargetKind::Link => "line",
        TargetKind::Organisation => "organisation",
    }
}

/// `host pc-1, host pc-2 and 5 more`; empty without targets.
pub(crate) fn subject(targets: &[(TargetKind, String)]) -> String {
    let named: Vec<String> = targets
        .iter()
        .take(TARGETS_NAMED_MAX)
        .map(|(kind, name)| format!("{} {name}", target(*kind)))
        .collect();
    let more = targets.len().saturating_sub(named.len());
    let named = named.join(", ");
    if more > 0 { format!("{named} and {more} more") } else { named }
}

/// What was done to which targets, as a sentence.
pub(crate) fn done(action: &ActionName, targets: &[(TargetKind, String)]) -> String {
    if let Some(sentence) = told(action.as_str()) {
        return sentence.to_owned();
    }
    let on = subject(targets);
    let was = if targets.len() == 1 { "was" } else { "were" };
    match participle(action.as_str()) {
        Some(done) if !on.is_empty() => format!("{on} {was} {done}"),
        _ if on.is_empty() => format!("{action} was done"),
        _ => format!("{action} was done for {on}"),
    }
}

/// What is done to a target.
fn participle(action: &str) -> Option<&'static str> {
    Some(match action {
        "network.isolate" => "cut off",
        "network.release" | "vm.connect" => "connected again",
        "network.block" => "blocked",
        "network.unblock" => "unblocked",
        "endpoint.isolate" => "isolated by its agent",
        "endpoint.release" => "released by its agent",
        "link.cut" => "cut",
        "link.restore" => "restored",
        "directory.disable_account" => "disabled",
        "directory.enable_account" => "enabled again",
        "directory.revoke_sessions" => "signed out everywhere",
        "directory.reset_password" => "given a new password",
        "mailbox.purge" => "purged",
        "vm.disconnect" => "taken off the network",
        "vm.snapshot" => "kept as a snapshot",
        "network.state" | "endpoint.state" | "link.state" => "looked at",
        "directory.find" | "mailbox.search" | "vm.list" => "searched",
        _ => return None,
    })
}

/// What is done without a target.
fn told(action: &str) -> Option<&'static str> {
    Some(match action {
        "mail.send" => "the mail was sent",
        "chat.post" => "the message was posted",
        "sms.send" => "the text message was sent",
        "ticket.open" => "the ticket was opened",
        "ticket.comment" => "the ticket was commented on",
        "inventory.hosts" => "the inventory was read",
        _ => return None,
    })
}

/// A length of time: `3 h 12 min`.
fn length(span: Span) -> String {
    let mut rest = span.millis();
    let mut parts = Vec::new();
    for (unit, size) in
        [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)]
    {
        if rest >= size {
            parts.push(format!("{} {unit}", rest / size));
            rest %= size;
        }
    }
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}
