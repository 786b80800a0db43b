//! German words.

use super::super::{Paper, Situation, TARGETS_NAMED_MAX, Words};
use crate::incident::AssetState;
use crate::model::{ActionName, ErrorKind, Reached, Role, Span, TargetKind};
use crate::run::{RunEnd, StepEnd};

pub(crate) static WORDS: Words = Words {
    asserted: "ungeprüft",
    telephone: "am Telefon",
    on_paper: "auf Papier",
    break_glass: "Notzugang",
    machine: "Maschine",
    typed_by: "eingegeben von",
    round: "Runde",
    undo: "Rücknahme",
    take_back: "Rücknahme",
    timeline: "Zeitleiste",
    drill: "ÜBUNG",
    as_of: "Stand",
    recorded: "nachgetragen",
    length,
    idle: "ohne Eintrag",
    corrected: "berichtigt",
    zone: "Zeitzone",
    filter: "Filter",
    numbered: "ohne personenbezogene Daten",
    starred: "wichtig",
    seal: "Neuestes Siegel",
    no_seal: "Noch nicht gesiegelt",
    lines: "Einträge",
    details: "Einzelheiten zeigen",
    columns: ["Zeit", "Art", "Ereignis", "Protokoll"],
    lanes: ["Erkennung", "Entscheidungen", "Maßnahmen", "Behörden", "Amtshilfe", "System"],
    tick: "Zeit ________ Kürzel ______",
    paper: Paper {
        checklist: "Checkliste",
        only_if: "Nur wenn",
        each: "Für jeden Eintrag von",
        at_once: "Gleichzeitig",
        either: "Das Erste, was zutrifft",
        otherwise: "Sonst",
        repeat: "Wiederholen, bis",
        approval: "Freigabe",
        task: "Aufgabe",
        by_hand: "Von Hand",
        fill_in: "Eintragen",
        wait: "Warten",
        wait_until: "Warten bis",
        signal: "Warten auf",
        within: "Binnen",
        on_failure: "Wenn der Ablauf fehlschlägt",
        at_the_end: "Am Ende, wie es auch kam",
        if_it_fails: "Wenn das fehlschlägt",
        take_back: "Zurücknehmen",
        note: "Notiz",
        stop_failed: "Hier aufhören, fehlgeschlagen",
        stop_done: "Hier aufhören, erledigt",
        compute: "Ermitteln",
        playbook: "Ablauf",
        inputs: "Vorgaben",
        sources: "Quellen",
        unknown: "AUSGANG UNBEKANNT, vor dem Wiederholen nachsehen",
        notes: "Notizen",
    },
    situation: Situation {
        title: "Lagebild",
        severity: "Schwere",
        opened: "eröffnet",
        closed: "abgeschlossen",
        concerned: "Betroffen",
        needs: "Wartet auf Menschen",
        runs: "Abläufe im Gang",
        ended: "Beendet",
        holds: "Getrennt oder gesperrt",
        taking: "Soll getrennt oder gesperrt werden, noch nicht bestätigt",
        releasing: "Wird zurückgenommen, noch nicht bestätigt frei",
        proposals: "Vorgeschlagen und nicht gestartet",
        start: "starten mit",
        assets: "Worum es geht",
        notes: "Neueste Notizen",
        run: "Lauf",
        since: "seit",
        until: "bis",
        by: "von",
        through: "über",
        digest: "Prüfsumme",
        code: "Code",
    },
};

pub(crate) const fn role(role: Role) -> &'static str {
    match role {
        Role::Commander => "Einsatzleitung",
        Role::Deputy => "Stellvertretung",
        Role::Approver => "Freigebende",
        Role::Responder => "Einsatzkräfte",
        Role::Scribe => "Protokollführung",
        Role::Reviewer => "Prüfende",
        Role::Dpo => "Datenschutz",
        Role::Admin => "Administration",
    }
}

pub(crate) const fn error(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unavailable => "nicht erreichbar",
        ErrorKind::Refused => "verweigert",
        ErrorKind::Unknown => "Ausgang unbekannt",
        ErrorKind::Invalid => "so nicht möglich",
        ErrorKind::Guarded => "das Ziel ist geschützt",
        ErrorKind::Limit => "eine Obergrenze für Ziele ist erreicht",
        ErrorKind::Denied => "abgelehnt",
        ErrorKind::Exhausted => "alle Runden verbraucht",
        ErrorKind::Tolerance => "zu viele Einträge fehlgeschlagen",
        ErrorKind::Script => "ein Skript ist fehlgeschlagen",
        ErrorKind::Child => "ein aufgerufener Ablauf ist fehlgeschlagen",
        ErrorKind::Fail => "so will es der Ablauf",
        ErrorKind::Internal => "ein Fehler des Programms",
    }
}

pub(crate) const fn reached(reached: Reached) -> &'static str {
    match reached {
        Reached::Accepted => ", angenommen, Wirkung noch nicht gesehen",
        Reached::Effective => "",
        Reached::Verified => ", durch erneutes Nachsehen bestätigt",
    }
}

pub(crate) const fn step_end(end: StepEnd) -> &'static str {
    match end {
        StepEnd::Succeeded => "erledigt",
        StepEnd::Failed => "fehlgeschlagen",
        StepEnd::Skipped => "übersprungen",
        StepEnd::Cancelled => "abgebrochen",
    }
}

pub(crate) const fn run_end(end: RunEnd) -> &'static str {
    match end {
        RunEnd::Succeeded => "erfolgreich beendet",
        RunEnd::Failed => "fehlgeschlagen",
        RunEnd::Cancelled => "abgebrochen",
        RunEnd::Undone => "vollständig zurückgenommen",
        RunEnd::Superseded => "von einem berichtigten Ablauf abgelöst",
    }
}

pub(crate) const fn asset_state(state: AssetState) -> &'static str {
    match state {
        AssetState::Suspected => "vermutlich betroffen",
        AssetState::Affected => "betroffen",
        AssetState::Contained => "eingedämmt",
        AssetState::Cleared => "bereinigt",
    }
}

pub(crate) const fn target(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::Host => "Host",
        TargetKind::Address => "Adresse",
        TargetKind::Account => "Konto",
        TargetKind::Mailbox => "Postfach",
        TargetKind::Vm => "VM",
        TargetKind::Link => "Leitung",
        TargetKind::Organisation => "Organisation",
    }
}

/// A length of time, days as `T` and hours as `Std.`.
pub(crate) fn length(span: Span) -> String {
    let mut rest = span.millis();
    let mut parts = Vec::new();
    for (unit, size) in
        [("T", 86_400_000), ("Std.", 3_600_000), ("Min.", 60_000), ("s", 1000), ("ms", 1)]
    {
        if rest >= size {
            parts.push(format!("{} {unit}", rest / size));
            rest %= size;
        }
    }
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

/// `Host pc-1, Host pc-2 und 5 weitere`; empty without targets.
pub(crate) fn subject(targets: &[(TargetKind, String)]) -> String {
    let named: Vec<String> = targets
        .iter()
        .take(TARGETS_NAMED_MAX)
        .map(|(kind, name)| format!("{} {name}", target(*kind)))
        .collect();
    let more = targets.len().saturating_sub(named.len());
    let named = named.join(", ");
    if more > 0 { format!("{named} und {more} weitere") } else { named }
}

/// What was done to which targets, as a sentence; `through` stands before the participle.
pub(crate) fn done(action: &ActionName, targets: &[(TargetKind, String)], through: &str) -> String {
    if let Some((what, done)) = told(action.as_str()) {
        return format!("{what} wurde{through} {done}");
    }
    let on = subject(targets);
    let was = if targets.len() == 1 { "wurde" } else { "wurden" };
    match participle(action.as_str()) {
        Some(done) if !on.is_empty() => format!("{on} {was}{through} {done}"),
        _ if on.is_empty() => format!("{action} wurde{through} ausgeführt"),
        _ => format!("{action} wurde für {on}{through} ausgeführt"),
    }
}

/// What is done to a target.
fn participle(action: &str) -> Option<&'static str> {
    Some(match action {
        "network.isolate" => "vom Netz getrennt",
        "network.release" | "vm.connect" => "wieder verbunden",
        "network.block" | "directory.disable_account" => "gesperrt",
        "network.unblock" => "entsperrt",
        "endpoint.isolate" => "durch den Agenten getrennt",
        "endpoint.release" => "durch den Agenten freigegeben",
        "link.cut" => "getrennt",
        "link.restore" => "wiederhergestellt",
        "directory.enable_account" => "wieder freigegeben",
        "directory.revoke_sessions" => "überall abgemeldet",
        "directory.reset_password" => "mit einem neuen Kennwort versehen",
        "mailbox.purge" => "bereinigt",
        "vm.disconnect" => "vom Netz genommen",
        "vm.snapshot" => "als Abbild gesichert",
        "network.state" | "endpoint.state" | "link.state" => "nachgesehen",
        "directory.find" | "mailbox.search" | "vm.list" => "durchsucht",
        _ => return None,
    })
}

/// What is done without a target.
fn told(action: &str) -> Option<(&'static str, &'static str)> {
    Some(match action {
        "mail.send" => ("die Mail", "gesendet"),
        "chat.post" => ("die Nachricht", "veröffentlicht"),
        "sms.send" => ("die Kurznachricht", "gesendet"),
        "ticket.open" => ("das Ticket", "eröffnet"),
        "ticket.comment" => ("das Ticket", "ergänzt"),
        "inventory.hosts" => ("das Inventar", "gelesen"),
        _ => return None,
    })
}
