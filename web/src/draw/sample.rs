//! Words, texts and expected drawings for the tests of this folder.
//!
//! `BEISTAND_BLESS=1` writes the expected drawings anew; look at them before they are kept.

use std::path::PathBuf;

use beistand_core::model::{Catalogue, Role};
use beistand_core::playbook::{CheckRequest, NoLibrary, Plan, SourceText, check};
use beistand_core::run::StepStatus;
use beistand_script::Scripts;

use super::flow::{self, Why};
use super::gantt::{self, What};
use super::glyph::Kind;

/// What nobody should be able to do to a page.
pub(super) const HOSTILE: &str = "</text><script>alert(1)</script>\" onload='x' & \u{202e}gpj.exe";

/// Compares a drawing with what is kept.
pub(super) fn golden(name: &str, svg: &str) {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/draw/golden"));
    let file = folder.join(format!("{name}.svg"));
    if std::env::var_os("BEISTAND_BLESS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&file, svg).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = kept.lines().zip(svg.lines()).find(|(kept, now)| kept != now);
    assert!(kept == svg, "{name}.svg differs, see the head of sample.rs: {differs:?}");
}

/// A playbook from its text.
pub(super) fn plan(text: &str) -> Plan {
    let source = SourceText::new("sample.yaml", text);
    let (plan, findings) = check(CheckRequest {
        source: &source,
        catalogue: &Catalogue::first(),
        library: &NoLibrary,
        expressions: &Scripts::without_budget(),
    });
    plan.unwrap_or_else(|| panic!("{findings:#?}"))
}

/// German, as a page would have it.
pub(super) fn words() -> flow::Words {
    flow::Words {
        kind,
        status,
        role,
        why,
        only_if: "nur wenn {condition}",
        otherwise: "sonst",
        approval: "Freigabe: {votes} × {role}",
        first_counts: "der erste zählt",
        each: "für jedes aus {list}",
        items: "{done} von {total} fertig",
        failed: "{count} fehlgeschlagen",
        rounds: "höchstens {max} Runden, bis {until}",
        attempts: "{count} Versuche",
        late: "verspätet",
        by_hand: "von Hand",
    }
}

/// German, as a page would have it.
pub(super) fn gantt_words() -> gantt::Words {
    gantt::Words {
        status,
        what,
        day: |at| at.strftime("%d.%m.").to_string(),
        zone: |at| at.strftime("%Z").to_string(),
        length: |span| span.to_string(),
        now: "jetzt",
        attempts: "{count} Versuche",
        again: "nächster Versuch in {length}",
        left: "noch {length}",
        overdue: "seit {length} überfällig",
        many: "{title} ({count}×)",
        more: "{count} weitere",
    }
}

const fn what(what: What) -> &'static str {
    match what {
        What::Block => "gesamt",
        What::Wait => "Warten",
        What::Attempt => "Versuch",
        What::Ended => "Versuch, ohne Erfolg",
        What::Failed => "Versuch, fehlgeschlagen",
        What::Unknown => "Versuch, Ausgang unbekannt",
    }
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Call => "Aufruf",
        Kind::Script => "Berechnung",
        Kind::Task => "Aufgabe",
        Kind::Approve => "Freigabe",
        Kind::Wait => "Warten",
        Kind::Playbook => "Ablauf",
        Kind::Undo => "Rücknahme",
        Kind::Note => "Notiz",
        Kind::Fail => "Abbruch",
        Kind::End => "Ende",
        Kind::Group => "nacheinander",
        Kind::Parallel => "gleichzeitig",
        Kind::ForEach => "für jedes",
        Kind::Switch => "eines davon",
        Kind::Repeat => "wiederholen",
    }
}

pub(super) const fn status(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Waiting => "wartet",
        StepStatus::Ready => "bereit",
        StepStatus::Running => "läuft",
        StepStatus::Retrying => "Wiederholung geplant",
        StepStatus::Unknown => "Ausgang unbekannt",
        StepStatus::Probing => "wird geprüft",
        StepStatus::NeedsDecision => "braucht Entscheidung",
        StepStatus::WaitingForApproval => "wartet auf Freigabe",
        StepStatus::WaitingForPerson => "wartet auf jemanden",
        StepStatus::WaitingForSignal => "wartet auf Nachricht",
        StepStatus::WaitingForTime => "wartet auf Zeit",
        StepStatus::WaitingForChild => "wartet auf Ablauf",
        StepStatus::Succeeded => "erledigt",
        StepStatus::Failed => "fehlgeschlagen",
        StepStatus::Skipped => "übersprungen",
        StepStatus::Cancelled => "abgebrochen",
        StepStatus::Undoing => "wird zurückgenommen",
        StepStatus::Undone => "zurückgenommen",
        StepStatus::UndoFailed => "Rücknahme fehlgeschlagen",
    }
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Commander => "Einsatzleitung",
        Role::Deputy => "Vertretung",
        Role::Approver => "Freigabe",
        Role::Responder => "Bearbeitung",
        Role::Scribe => "Protokoll",
        Role::Reviewer => "Auswertung",
        Role::Dpo => "Datenschutz",
        Role::Admin => "Verwaltung",
    }
}

const fn why(why: Why) -> &'static str {
    match why {
        Why::OnError => "bei Fehler",
        Why::OnFailure => "wenn der Ablauf scheitert",
        Why::Always => "in jedem Fall",
        Why::Undo => "zur Rücknahme",
    }
}

/// The style sheet of all drawings.
const STYLE: &str = include_str!("../../static/draw.css");

#[test]
fn what_is_drawn_has_a_look_and_is_as_large_as_was_reckoned() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/draw/golden"));
    let mut classes = std::collections::BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let svg = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let lists = svg.split(" class=\"").skip(1).filter_map(|rest| rest.split('"').next());
        classes.extend(lists.flat_map(str::split_whitespace).map(str::to_owned));
    }
    assert!(classes.len() > 40, "{classes:?}");
    // What only groups others, for the page to take hold of.
    let bare = "flow gantt node head bar span";
    let bare: Vec<String> = bare.split(' ').map(|name| format!("draw-{name}")).collect();
    for class in classes.iter().filter(|class| !bare.contains(class)) {
        let has = |after| STYLE.contains(&format!(".{class}{after}"));
        assert!([" ", ",", ":", "."].into_iter().any(has), "`{class}` has no look");
    }
    for size in [".draw-title {\n  font-size: 13px;", ".draw-small {\n  font-size: 12px;"] {
        assert!(STYLE.contains(size), "{size}");
    }
}
