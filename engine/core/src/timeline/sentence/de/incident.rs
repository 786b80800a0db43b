//! What happens in an incident and to the store, in German.

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
                Mode::Live => "Vorfall",
                Mode::Drill => "Übung",
            };
            let (marking, was) =
                (tlp(*marking), drill.as_ref().map_or_else(String::new, |_| was(name)));
            let severity = severity.get();
            scene.with_text(format!(
                "{what} {number} eröffnet von {by}, Schwere {severity}, {marking}{was}"
            ))
        }
        Head::IncidentChanged { severity, tlp: marking } => {
            let title = (!name.is_empty()).then(|| format!("Titel „{name}“"));
            let severity = severity.map(|severity| format!("Schwere {}", severity.get()));
            let parts = [title, severity, marking.map(tlp)];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            let now = if parts.is_empty() { "" } else { ", jetzt " };
            scene.with_text(format!("Vorfall geändert von {by}{now}{}", parts.join(", ")))
        }
        Head::IncidentClosed => scene.with_text(format!("Vorfall abgeschlossen von {by}")),
        Head::NoteAdded { .. } if text.is_empty() => {
            format!("{by} hat eine Notiz geschrieben, die nicht gezeigt wird")
        }
        Head::NoteAdded { .. } => format!("{by}: {text}"),
        Head::NoteCopied { wrote, .. } => copied(wrote, scene),
        Head::TurnedReal { .. } => turned(scene),
        Head::PlaybookProposed { playbook } => {
            scene.with_text(format!("{by} schlägt vor, das Playbook {playbook} zu starten"))
        }
        Head::RoleAssigned { role: which, person: Some(_) } => {
            format!("{}: ab jetzt {name}, eingetragen von {by}", role(*which))
        }
        Head::RoleAssigned { role: which, person: None } => {
            format!("{}: nicht mehr besetzt, eingetragen von {by}", role(*which))
        }
        Head::CommandOffered { briefing, .. } => {
            let short = short(briefing);
            scene.with_text(format!("{by} bietet {name} die Einsatzleitung an, Lagebild {short}…"))
        }
        Head::OfferWithdrawn => format!("{by} bietet die Einsatzleitung nicht mehr an"),
        Head::CommandTaken { briefing } => {
            let short = short(briefing);
            format!("{by} hat die Einsatzleitung übernommen, Lagebild {short}…")
        }
        Head::OrganisationLinked => format!("{name} ist betroffen, eingetragen von {by}"),
        Head::AssetChanged { kind, state } => {
            let kind = target(*kind);
            let what = if name.is_empty() { kind.to_owned() } else { format!("{kind} {name}") };
            format!("{what}: {}, eingetragen von {by}", asset_state(*state))
        }
        Head::EvidenceAdded { digest, bytes } => {
            let short = short(digest);
            let what = if name.is_empty() { "eine Datei" } else { name };
            format!("Beweismittel von {by} aufbewahrt: {what}, {bytes} Bytes, SHA-256 {short}…")
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
    if drill.is_empty() {
        ", aus einer Übung".to_owned()
    } else {
        format!(", aus der Übung {drill}")
    }
}

/// What a drill became; that number is not everybody's to read either.
fn turned(Scene { by, name, .. }: &Scene) -> String {
    if name.is_empty() {
        return format!("Ab hier ist es ernst, eröffnet von {by}");
    }
    format!("Ab hier ist es ernst: Vorfall {name}, eröffnet von {by}")
}

/// A note of that drill.
fn copied(wrote: &Person, Scene { by, text, .. }: &Scene) -> String {
    if text.is_empty() {
        return format!("{by} hat eine Notiz der Übung übernommen, die nicht gezeigt wird");
    }
    let wrote = visible(wrote.as_str(), NAME_CHARS_MAX);
    format!("{wrote}: {text} (aus der Übung übernommen von {by})")
}

/// What somebody does to a line of the timeline; the reason of a correction and the title in a story
/// come as the name.
#[expect(clippy::wildcard_enum_match_arm, reason = "the caller passes on these alone")]
fn marked(head: &Head, Scene { by, name, text, .. }: &Scene) -> String {
    let what = match head {
        Head::LineStarred { .. } => "hat einen Eintrag als wichtig markiert",
        Head::StarRemoved { .. } => "hat die Markierung eines Eintrags entfernt",
        Head::StoryTold { .. } => "erzählt einen Eintrag",
        Head::StoryLeftOut { .. } => "erzählt einen Eintrag nicht mehr",
        _ if text.is_empty() => "hat einen Eintrag berichtigt; womit, wird nicht gezeigt",
        _ if name.is_empty() => return format!("{by} berichtigt: {text}"),
        _ => return format!("{by} berichtigt: {text} (Grund: {name})"),
    };
    if name.is_empty() { format!("{by} {what}") } else { format!("{by} {what}: {name}") }
}

fn called_out(name: &str, role: &str, (step, count): (CallOutStep, usize)) -> String {
    let what = match (step, count) {
        (CallOutStep::Opened, 1) => "ein offener Punkt wartet".to_owned(),
        (CallOutStep::Opened, many) => format!("{many} offene Punkte warten"),
        (CallOutStep::Escalated, 1) => "ein offener Punkt wurde eskaliert".to_owned(),
        (CallOutStep::Escalated, many) => format!("{many} offene Punkte wurden eskaliert"),
    };
    format!("{name} ({role}, Bereitschaft) wird per Mail gerufen, {what}")
}

const fn call_out_ended(end: CallOutEnd) -> &'static str {
    match end {
        CallOutEnd::Sent => "Die Mail an die Bereitschaft ging hinaus",
        CallOutEnd::Unavailable => {
            "Die Mail an die Bereitschaft ging nicht hinaus und wird erneut versucht"
        }
        CallOutEnd::Refused => "Die Mail an die Bereitschaft wurde abgelehnt",
        CallOutEnd::Unknown => {
            "Ob die Mail an die Bereitschaft hinausging, ist nicht bekannt; sie wird nicht erneut gesendet"
        }
    }
}

/// The sentence of the store's event.
pub(crate) fn of_store(head: &store::Head, scene: &Scene) -> String {
    let Scene { by, .. } = scene;
    match head {
        store::Head::Stopped => {
            scene.with_text(format!("Not-Halt ein, durch {by}: keine Wirkung beginnt mehr"))
        }
        store::Head::GoneOn => {
            scene.with_text(format!("Not-Halt aus, durch {by}: Wirkungen beginnen wieder"))
        }
        store::Head::Restored { voided: None, .. } => scene.with_text(format!(
            "Der Speicher wurde aus einer Sicherung wiederhergestellt, durch {by}; gedruckte Codes und \
             Token aus ihr blieben gültig"
        )),
        store::Head::Restored { voided: Some(0), .. } => scene.with_text(format!(
            "Der Speicher wurde aus einer Sicherung wiederhergestellt, durch {by}; gültige gedruckte \
             Codes und Token enthielt sie nicht"
        )),
        store::Head::Restored { voided: Some(voided), .. } => scene.with_text(format!(
            "Der Speicher wurde aus einer Sicherung wiederhergestellt, durch {by}; seitdem ungültige \
             gedruckte Codes und Token: {voided}"
        )),
        store::Head::ConnectorPaused { connector } => {
            scene.with_text(format!("Anbindung {connector} angehalten von {by}"))
        }
        store::Head::ConnectorUnpaused { connector } => {
            scene.with_text(format!("Anbindung {connector} fortgesetzt von {by}"))
        }
        store::Head::AccessChanged { change } => scene.with_text(access::sentence(change, by)),
        store::Head::BackupMade { .. } => {
            scene.with_text(format!("Sicherung angelegt, durch {by}"))
        }
        store::Head::Sealed { streams: 1 } => "Das Protokoll wurde gesiegelt: ein Strom".to_owned(),
        store::Head::Sealed { streams } => {
            format!("Das Protokoll wurde gesiegelt: {streams} Ströme")
        }
    }
}
