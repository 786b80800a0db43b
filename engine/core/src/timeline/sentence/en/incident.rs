//! What happens in an incident and to the store, in English.

use super::super::{Scene, short, tlp};
use super::access;
use super::words::{asset_state, role, target};
use crate::incident::{Head, store};
use crate::model::{Mode, Person};
use crate::on_call::{CallOutEnd, CallOutStep};
use crate::timeline::escape::visible;
use crate::timeline::run::NAME_CHARS_MAX;

/// The sentence of an incident's event.
pub(crate) fn sentence(head: &Head, scene: &Scene) -> String {
    let Scene { by, name, text, .. } = scene;
    match head {
        Head::IncidentOpened { number, mode, severity, tlp: marking, drill, .. } => {
            let what = match mode {
                Mode::Live => "Incident",
                Mode::Drill => "Drill",
            };
            let (marking, was) =
                (tlp(*marking), drill.as_ref().map_or_else(String::new, |_| was(name)));
            let severity = severity.get();
            scene.with_text(format!(
                "{what} {number} opened by {by}, severity {severity}, {marking}{was}"
            ))
        }
        Head::IncidentChanged { severity, tlp: marking } => {
            let title = (!name.is_empty()).then(|| format!("title “{name}”"));
            let severity = severity.map(|severity| format!("severity {}", severity.get()));
            let parts = [title, severity, marking.map(tlp)];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            let now = if parts.is_empty() { "" } else { ", now " };
            scene.with_text(format!("Incident changed by {by}{now}{}", parts.join(", ")))
        }
        Head::IncidentClosed => scene.with_text(format!("Incident closed by {by}")),
        Head::NoteAdded { .. } if text.is_empty() => format!("{by} wrote a note that is not shown"),
        Head::NoteAdded { .. } => format!("{by}: {text}"),
        Head::NoteCopied { wrote, .. } => copied(wrote, scene),
        Head::TurnedReal { .. } => turned(scene),
        Head::PlaybookProposed { playbook } => {
            scene.with_text(format!("{by} proposes to start the playbook {playbook}"))
        }
        Head::RoleAssigned { role: which, person: Some(_) } => {
            format!("{name} is {} now, by {by}", role(*which))
        }
        Head::RoleAssigned { role: which, person: None } => {
            format!("Nobody is {} any more, by {by}", role(*which))
        }
        Head::CommandOffered { briefing, .. } => {
            let short = short(briefing);
            scene.with_text(format!("{by} offers command to {name}, briefing {short}…"))
        }
        Head::OfferWithdrawn => format!("{by} does not offer command any more"),
        Head::CommandTaken { briefing } => {
            let short = short(briefing);
            format!("{by} has taken command, briefing {short}…")
        }
        Head::OrganisationLinked => format!("{name} is concerned, by {by}"),
        Head::AssetChanged { kind, state } => {
            let kind = target(*kind);
            let what = if name.is_empty() { kind.to_owned() } else { format!("{kind} {name}") };
            format!("Asset {what} is {}, by {by}", asset_state(*state))
        }
        Head::EvidenceAdded { digest, bytes } => {
            let short = short(digest);
            let what = if name.is_empty() { "a file" } else { name };
            format!("Evidence kept by {by}: {what}, {bytes} bytes, SHA-256 {short}…")
        }
        Head::CalledOut { needs, role: which, step, .. } => {
            scene.with_text(called_out(name, role(*which), (*step, needs.len())))
        }
        Head::CallOutEnded { end, .. } => scene.with_text(call_out_ended(*end).to_owned()),
        Head::LineCorrected { .. }
        | Head::LineStarred { .. }
        | Head::StarRemoved { .. }
        | Head::StoryTold { .. }
        | Head::StoryLeftOut { .. } => marked(head, scene),
    }
}

/// What an incident was before it was real; the drill's number is not everybody's to read.
fn was(drill: &str) -> String {
    if drill.is_empty() { ", from a drill".to_owned() } else { format!(", from the drill {drill}") }
}

/// What a drill became; that number is not everybody's to read either.
fn turned(Scene { by, name, .. }: &Scene) -> String {
    if name.is_empty() {
        return format!("From here on it is real, opened by {by}");
    }
    format!("From here on it is real: incident {name}, opened by {by}")
}

/// A note of that drill.
fn copied(wrote: &Person, Scene { by, text, .. }: &Scene) -> String {
    if text.is_empty() {
        return format!("{by} copied a note of the drill that is not shown");
    }
    let wrote = visible(wrote.as_str(), NAME_CHARS_MAX);
    format!("{wrote}: {text} (copied from the drill by {by})")
}

/// What somebody does to a line of the timeline; the reason of a correction and the title in a story
/// come as the name.
#[expect(clippy::wildcard_enum_match_arm, reason = "the caller passes on these alone")]
fn marked(head: &Head, Scene { by, name, text, .. }: &Scene) -> String {
    let what = match head {
        Head::LineStarred { .. } => "marked a line as important",
        Head::StarRemoved { .. } => "took the mark off a line",
        Head::StoryTold { .. } => "tells a line",
        Head::StoryLeftOut { .. } => "tells a line no more",
        _ if text.is_empty() => "corrected a line; how is not shown",
        _ if name.is_empty() => return format!("{by} corrects: {text}"),
        _ => return format!("{by} corrects: {text} (reason: {name})"),
    };
    if name.is_empty() { format!("{by} {what}") } else { format!("{by} {what}: {name}") }
}

fn called_out(name: &str, role: &str, (step, count): (CallOutStep, usize)) -> String {
    let what = match (step, count) {
        (CallOutStep::Opened, 1) => "one thing waits".to_owned(),
        (CallOutStep::Opened, many) => format!("{many} things wait"),
        (CallOutStep::Escalated, 1) => "one thing was escalated".to_owned(),
        (CallOutStep::Escalated, many) => format!("{many} things were escalated"),
    };
    format!("{name}, {role} on call, is called by mail, {what}")
}

const fn call_out_ended(end: CallOutEnd) -> &'static str {
    match end {
        CallOutEnd::Sent => "The mail that calls somebody went out",
        CallOutEnd::Unavailable => "The mail that calls somebody did not go out and is tried again",
        CallOutEnd::Refused => "The mail that calls somebody was refused",
        CallOutEnd::Unknown => {
            "Whether the mail that calls somebody went out is not known; it is not sent again"
        }
    }
}

/// The sentence of the store's event.
pub(crate) fn of_store(head: &store::Head, scene: &Scene) -> String {
    let Scene { by, .. } = scene;
    match head {
        store::Head::Stopped => {
            scene.with_text(format!("Stop switch on, by {by}: no effect starts"))
        }
        store::Head::GoneOn => {
            scene.with_text(format!("Stop switch off, by {by}: effects start again"))
        }
        store::Head::Restored { voided: None, .. } => scene.with_text(format!(
            "The store was restored from a backup by {by}; printed codes and tokens of it stayed good"
        )),
        store::Head::Restored { voided: Some(0), .. } => scene.with_text(format!(
            "The store was restored from a backup by {by}; it held no printed code and no token that \
             was good"
        )),
        store::Head::Restored { voided: Some(voided), .. } => scene.with_text(format!(
            "The store was restored from a backup by {by}; printed codes and tokens that are void \
             since: {voided}"
        )),
        store::Head::ConnectorPaused { connector } => {
            scene.with_text(format!("Connector {connector} paused by {by}"))
        }
        store::Head::ConnectorUnpaused { connector } => {
            scene.with_text(format!("Connector {connector} goes on, by {by}"))
        }
        store::Head::AccessChanged { change } => scene.with_text(access::sentence(change, by)),
        store::Head::BackupMade { .. } => scene.with_text(format!("Backup made by {by}")),
        store::Head::Sealed { streams: 1 } => "The journal was sealed: one stream".to_owned(),
        store::Head::Sealed { streams } => format!("The journal was sealed: {streams} streams"),
    }
}
