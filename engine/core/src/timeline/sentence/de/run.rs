//! What happens in a run, in German.

use super::super::{Act, Scene};
use super::words::{done, error, length, reached, role, run_end, step_end, subject};
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
            let of = earlier.run;
            format!("{playbook}: für Hinzugekommenes gestartet von {by}, mehr von Lauf {of}")
        }
        Head::RunOpened { parent: None, supersedes: Some(earlier), .. } => {
            format!("{playbook}: gestartet von {by}, löst Lauf {} ab", earlier.run)
        }
        Head::RunOpened { parent: None, mode: crate::model::Mode::Live, .. } => {
            format!("{playbook}: gestartet von {by}")
        }
        Head::RunOpened { parent: None, mode: crate::model::Mode::Drill, .. } => {
            format!("{playbook}: als Übung gestartet von {by}")
        }
        Head::RunOpened { parent: Some(_), .. } => {
            format!("{playbook}: von einem anderen Lauf aufgerufen")
        }
        Head::SectionStarted { section: Section::Steps } => {
            format!("{playbook}: die Schritte beginnen")
        }
        Head::SectionStarted { section: Section::OnFailure } => {
            format!("{playbook}: fehlgeschlagen, die Schritte für diesen Fall beginnen")
        }
        Head::SectionStarted { section: Section::Always } => {
            format!("{playbook}: die abschließenden Schritte beginnen")
        }
        Head::DeadlineSet { at, .. } => {
            format!("{step}: fällig in {}", length(scene.until(*at)))
        }
        Head::DeadlinePassed { role: to, .. } => {
            format!("{step}: verspätet, gemeldet an: {}", role(*to))
        }
        Head::BlockStarted { .. } => format!("{step}: beginnt"),
        Head::CaseChosen { case: Some(case), .. } => {
            format!("{step}: Fall {} trifft zu", u64::from(*case) + 1)
        }
        Head::CaseChosen { case: None, .. } => format!("{step}: kein Fall trifft zu"),
        Head::ListFixed { count: 1, .. } => format!("{step}: ein Eintrag"),
        Head::ListFixed { count, .. } => format!("{step}: {count} Einträge"),
        Head::ItemsStarted { from, to, .. } if from + 1 == *to => {
            format!("{step}: Eintrag {to} beginnt")
        }
        Head::ItemsStarted { from, to, .. } => {
            format!("{step}: Einträge {} bis {to} beginnen", from + 1)
        }
        Head::RoundStarted { index, .. } => format!("{step}: Runde {} beginnt", index + 1),
        Head::ReadStarted { .. } => format!("{step}: wird ermittelt"),
        Head::PreviousRead { .. } => format!("{step}: der Zustand davor ist festgehalten"),
        Head::AttemptStarted(intent) => format!("{step}: {}", begins(intent, scene.act.as_ref())),
        Head::AttemptResumed { .. } => {
            format!("{step}: nach einem Neustart mit demselben Schlüssel erneut gesendet")
        }
        Head::AttemptEnded { end, error, reached, .. } => {
            let how = attempt(*end, *error, scene.act.as_ref());
            let by_hand = scene.act.as_ref().is_some_and(|act| act.connector.is_none());
            let reached = reached.filter(|_| !by_hand).map_or("", self::reached);
            scene.with_text(format!("{step}: {how}{reached}"))
        }
        Head::RetryScheduled { at, .. } => {
            format!("{step}: nächster Versuch in {}", length(scene.until(*at)))
        }
        Head::ProbeScheduled { at, .. } => {
            let until = length(scene.until(*at));
            format!("{step}: in {until} wird nachgesehen, ob es geschehen ist")
        }
        Head::ProbeStarted { .. } => format!("{step}: es wird nachgesehen, ob es geschehen ist"),
        Head::ProbeEnded { end: ProbeEnd::Done, .. } => {
            format!("{step}: es ist geschehen, wie sich gezeigt hat")
        }
        Head::ProbeEnded { end: ProbeEnd::NotDone, .. } => {
            format!("{step}: es ist nicht geschehen")
        }
        Head::ProbeEnded { end: ProbeEnd::Unknown, .. } => {
            format!("{step}: ob es geschehen ist, lässt sich nicht feststellen")
        }
        Head::DoneByHand { .. } => format!("{step}: von Hand erledigt"),
        Head::AlreadyHeld { .. } => {
            let on = scene.act.as_ref().map(|act| subject(&act.targets));
            let what = on.filter(|on| !on.is_empty()).unwrap_or_else(|| "das Ziel".to_owned());
            format!("{step}: nichts gesendet, {what} wird schon von einem anderen Lauf gehalten")
        }
        Head::TakenOver { run, .. } => {
            format!("{step}: nichts gesendet, Lauf {run} hat es getan und ist gewichen")
        }
        Head::Superseding { next } => {
            let (run, name) = (next.run, &next.playbook);
            scene.with_text(format!("{playbook}: {by} lässt {name} übernehmen, als Lauf {run}"))
        }
        Head::GaveWay => format!("{playbook}: nichts davon ist mehr offen, der Lauf weicht"),
        Head::TimerSet { at, .. } => format!("{step}: wartet {}", length(scene.until(*at))),
        Head::SignalAwaited { .. } => format!("{step}: wartet auf das Signal „{}“", scene.name),
        Head::SignalReceived { .. } => format!("{playbook}: Signal „{}“ von {by}", scene.name),
        Head::SignalTaken { .. } => format!("{step}: nimmt das Signal „{}“ an", scene.name),
        Head::StepFailed { error: kind, .. } => {
            scene.with_text(format!("{step}: fehlgeschlagen, {}", error(*kind)))
        }
        Head::NeedOpened { kind, role: to, votes, .. } => {
            format!("{step}: {}", asks(*kind, role(*to), *votes))
        }
        Head::Voted { .. } => scene.with_text(format!("{step}: Freigabe durch {by}")),
        Head::NeedAnswered { answer, .. } => {
            scene.with_text(format!("{step}: {}", answers(*answer, scene.need, by)))
        }
        Head::NeedVoid { .. } => format!("{step}: nicht mehr gefragt"),
        Head::NeedEscalated { role: to, .. } => {
            format!("{step}: noch offen, gemeldet an: {}", role(*to))
        }
        Head::ApprovalVoid { .. } => {
            format!(
                "{step}: das Freigegebene hat sich geändert oder ist verfallen, es wird erneut gefragt"
            )
        }
        Head::ChildOpened { .. } => format!("{step}: Ablauf {} aufgerufen", scene.name),
        Head::Noted { .. } if text.is_empty() => {
            format!("{step}: eine Notiz, die nicht gezeigt wird")
        }
        Head::Noted { .. } => text.clone(),
        Head::HandlerStarted { error: kind, .. } => {
            scene.with_text(format!("{step}: fehlgeschlagen und aufgefangen, {}", error(*kind)))
        }
        Head::AlwaysStarted { .. } => format!("{step}: die abschließenden Schritte beginnen"),
        Head::StepEnded { end, error: kind, by_hand, handled, .. } => {
            let kind = kind.filter(|_| *end == StepEnd::Failed).map(error);
            let kind = kind.map_or_else(String::new, |kind| format!(", {kind}"));
            let hand = if *by_hand { ", von Hand" } else { "" };
            let on = if *handled { "; der Lauf geht weiter" } else { "" };
            scene.with_text(format!("{step}: {}{hand}{kind}{on}", step_end(*end)))
        }
        Head::StepReopened { renew: false, .. } => format!("{step}: beginnt erneut"),
        Head::StepReopened { renew: true, .. } => {
            format!("{step}: beginnt erneut, als neue Wirkung")
        }
        Head::BlockStopped { .. } => format!("{step}: beginnt nichts mehr"),
        Head::Restored { .. } => format!("{playbook}: aus einer Sicherung zurückgeholt"),
        Head::Paused { .. } => scene.with_text(format!("{playbook}: angehalten von {by}")),
        Head::Unpaused { .. } => scene.with_text(format!("{playbook}: fortgesetzt von {by}")),
        Head::Closing { end, by: Some(_), .. } => {
            scene.with_text(format!("{playbook}: {}, durch {by}", closing(*end)))
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
                1 => "einen Schritt".to_owned(),
                many => format!("{many} Schritte"),
            };
            scene.with_text(format!("{playbook}: {who} will {steps} zurücknehmen"))
        }
        Head::UndoStarted { .. } => format!("{step}: wird zurückgenommen"),
        Head::UndoStepsStarted { .. } => format!("{step}: die Schritte der Rücknahme beginnen"),
        Head::UndoEnded { undone: true, still_held_by, .. } if still_held_by.is_empty() => {
            format!("{step}: zurückgenommen")
        }
        Head::UndoEnded { undone: true, .. } => {
            format!("{step}: hier aufgegeben, bleibt aber, weil ein anderer Lauf es noch hält")
        }
        Head::UndoEnded { undone: false, error: kind, .. } => {
            let kind = kind.map_or_else(String::new, |kind| format!(", {}", error(kind)));
            scene.with_text(format!("{step}: nicht zurückgenommen{kind}"))
        }
        Head::UndoFinished { complete: true } => {
            format!("{playbook}: alles Gewünschte wurde zurückgenommen")
        }
        Head::UndoFinished { complete: false } => {
            format!("{playbook}: nicht alles konnte zurückgenommen werden")
        }
        Head::RunEnded { end } => format!("{playbook}: {}", run_end(*end)),
    }
}

fn begins(intent: &Intent, act: Option<&Act>) -> String {
    let on = act.map(|act| subject(&act.targets)).filter(|on| !on.is_empty());
    let on = on.map_or_else(String::new, |on| format!(" für {on}"));
    match &intent.connector {
        Some(connector) => {
            format!("{}{on} geht über {connector} hinaus{}", intent.action, number(intent.attempt))
        }
        None => format!("{}{on} ist von Hand zu tun", intent.action),
    }
}

fn attempt(end: AttemptEnd, kind: Option<ErrorKind>, act: Option<&Act>) -> String {
    let Some(act) = act else {
        return match end {
            AttemptEnd::Succeeded => "erledigt".to_owned(),
            AttemptEnd::Failed => "Versuch fehlgeschlagen".to_owned(),
            AttemptEnd::Unknown => "Ausgang unbekannt".to_owned(),
            AttemptEnd::Withdrawn => "Versuch zurückgezogen, nichts wurde gesendet".to_owned(),
        };
    };
    let kind = kind.map_or_else(String::new, |kind| format!(", {}", error(kind)));
    let through = match &act.connector {
        Some(connector) => format!(" über {connector}"),
        None => " von Hand".to_owned(),
    };
    let bare = if act.connector.is_some() { through.as_str() } else { "" };
    let attempt = act.attempt;
    match end {
        AttemptEnd::Succeeded => {
            format!("{}{}", done(&act.action, &act.targets, &through), number(attempt))
        }
        AttemptEnd::Failed => format!("Versuch {attempt}{bare} fehlgeschlagen{kind}"),
        AttemptEnd::Unknown => format!("Ausgang unbekannt nach Versuch {attempt}{bare}"),
        AttemptEnd::Withdrawn => format!("Versuch {attempt} zurückgezogen, nichts wurde gesendet"),
    }
}

/// The first attempt needs no number.
fn number(attempt: u32) -> String {
    if attempt > 1 { format!(" (Versuch {attempt})") } else { String::new() }
}

fn asks(kind: NeedKind, role: &str, votes: u32) -> String {
    match (kind, votes) {
        (NeedKind::Approval, 0 | 1) => format!("braucht eine Freigabe, Rolle: {role}"),
        (NeedKind::Approval, votes) => format!("braucht {votes} Freigaben, Rolle: {role}"),
        (NeedKind::Task, _) => format!("Aufgabe für: {role}"),
        (NeedKind::Decision, _) => format!("braucht eine Entscheidung von: {role}"),
        (NeedKind::Unknown, _) => format!("Ausgang unbekannt, bitte prüfen: {role}"),
    }
}

fn answers(answer: AnswerKind, need: Option<NeedKind>, by: &str) -> String {
    match (answer, need) {
        (AnswerKind::Approve, _) => format!("Freigabe durch {by}"),
        (AnswerKind::Deny, _) => format!("abgelehnt von {by}"),
        (AnswerKind::Done, Some(NeedKind::Unknown)) => {
            format!("{by} hat festgestellt, dass es geschehen ist")
        }
        (AnswerKind::Done, _) => format!("erledigt von {by}"),
        (AnswerKind::Retry, _) => format!("{by} lässt es erneut versuchen"),
        (AnswerKind::Skip, _) => format!("{by} macht ohne diesen Schritt weiter"),
        (AnswerKind::ByHand, _) => format!("{by} hat es von Hand erledigt"),
        (AnswerKind::Abort, _) => format!("{by} lässt den Lauf scheitern"),
        (AnswerKind::NotDone, _) => format!("{by} hat festgestellt, dass es nicht geschehen ist"),
        (AnswerKind::SendAgain, _) => format!("{by} lässt es als neue Wirkung senden"),
    }
}

const fn closing(end: RunEnd) -> &'static str {
    match end {
        RunEnd::Succeeded => "endet vorzeitig",
        RunEnd::Failed => "schlägt fehl",
        RunEnd::Cancelled => "wird abgebrochen",
        RunEnd::Undone => "wird zurückgenommen",
        RunEnd::Superseded => "weicht einem berichtigten Ablauf",
    }
}
