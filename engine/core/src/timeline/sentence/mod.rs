//! Sentences for people. One folder a language; in each, one table a vocabulary with a row for
//! every event. A sentence begins with what it is about, and has no full stop.

mod de;
mod en;

use super::entry::{Lane, Lang};
use crate::incident::{self, AssetState, store};
use crate::model::{AccountName, ActionName, Digest, Millis, Path, Role, Span, TargetKind, Tlp};
use crate::run::{Head, NeedKind};

/// What a sentence is made of. All texts are already fit to be shown; an empty one is not shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Scene {
    /// The step, its item in brackets.
    pub(super) step: String,
    /// The playbook's title.
    pub(super) playbook: String,
    /// Who acted.
    pub(super) by: String,
    /// A reason, an error, a note, a title.
    pub(super) text: String,
    /// The name of an asset, a file, an organisation or a person, or the number of another incident.
    pub(super) name: String,
    /// When it was decided.
    pub(super) now: Millis,
    /// What the step last sent.
    pub(super) act: Option<Act>,
    /// The kind of the need it is about.
    pub(super) need: Option<NeedKind>,
}

/// An effect.
#[derive(Debug, Clone)]
pub(super) struct Act {
    /// Which.
    pub(super) action: ActionName,
    /// On what; names already fit to be shown.
    pub(super) targets: Vec<(TargetKind, String)>,
    /// Through what; a person where absent.
    pub(super) connector: Option<String>,
    /// From 1.
    pub(super) attempt: u32,
}

/// So many targets are named; the others are counted.
const TARGETS_NAMED_MAX: usize = 3;

impl Scene {
    /// A sentence and, after a colon, the text where there is one.
    fn with_text(&self, sentence: String) -> String {
        if self.text.is_empty() { sentence } else { format!("{sentence}: {}", self.text) }
    }

    /// How long it is from now to an instant.
    fn until(&self, at: Millis) -> Span {
        at.since(self.now)
    }
}

/// The sentence of a run's event.
pub(super) fn of_run(lang: Lang, head: &Head, scene: &Scene) -> String {
    match lang {
        Lang::De => de::run::sentence(head, scene),
        Lang::En => en::run::sentence(head, scene),
    }
}

/// The sentence of an incident's event.
pub(super) fn of_incident(lang: Lang, head: &incident::Head, scene: &Scene) -> String {
    match lang {
        Lang::De => de::incident::sentence(head, scene),
        Lang::En => en::incident::sentence(head, scene),
    }
}

/// The sentence of the store's event.
pub(super) fn of_store(lang: Lang, head: &store::Head, scene: &Scene) -> String {
    match lang {
        Lang::De => de::incident::of_store(head, scene),
        Lang::En => en::incident::of_store(head, scene),
    }
}

/// The sentence of a sheet of so many printed codes for an account.
pub(super) fn of_sheet(lang: Lang, sheet: (&AccountName, usize), scene: &Scene) -> String {
    match lang {
        Lang::De => de::access::sheet(sheet, &scene.by),
        Lang::En => en::access::sheet(sheet, &scene.by),
    }
}

/// The words around sentences.
#[derive(Debug)]
pub(super) struct Words {
    /// After the name of somebody whose name was not proved.
    pub(super) asserted: &'static str,
    /// After the name of who said it on the telephone.
    pub(super) telephone: &'static str,
    /// After the name of who wrote it on paper.
    pub(super) on_paper: &'static str,
    /// After a name that came in by a sealed account.
    pub(super) break_glass: &'static str,
    /// After the name of a program.
    pub(super) machine: &'static str,
    /// Before the name of who typed it in.
    pub(super) typed_by: &'static str,
    /// Before the number of a round.
    pub(super) round: &'static str,
    /// After a step that is being taken back.
    pub(super) undo: &'static str,
    /// Before the title of what people are asked to let be taken back.
    pub(super) take_back: &'static str,
    /// `Timeline`.
    pub(super) timeline: &'static str,
    /// `DRILL`.
    pub(super) drill: &'static str,
    /// Before the instant a document was made at.
    pub(super) as_of: &'static str,
    /// Before the time at which something was written down that happened before.
    pub(super) recorded: &'static str,
    /// How long something lasted.
    pub(super) length: fn(Span) -> String,
    /// After how long nothing happened.
    pub(super) idle: &'static str,
    /// Before what was corrected since.
    pub(super) corrected: &'static str,
    /// Before the name of the time zone.
    pub(super) zone: &'static str,
    /// Before the filter of an export.
    pub(super) filter: &'static str,
    /// Where persons are numbers.
    pub(super) numbered: &'static str,
    /// Beside what is starred.
    pub(super) starred: &'static str,
    /// Before the newest seal.
    pub(super) seal: &'static str,
    /// Where there is no seal.
    pub(super) no_seal: &'static str,
    /// After the number of lines.
    pub(super) lines: &'static str,
    /// Beside the switch that shows details.
    pub(super) details: &'static str,
    /// Over the columns.
    pub(super) columns: [&'static str; 4],
    /// The lanes, in the order of the enum.
    pub(super) lanes: [&'static str; 6],
    /// On paper: when, and who.
    pub(super) tick: &'static str,
    /// On paper: what a step is.
    pub(super) paper: Paper,
    /// In a briefing: what a part is.
    pub(super) situation: Situation,
}

/// Words of a briefing.
#[derive(Debug)]
pub(super) struct Situation {
    pub(super) title: &'static str,
    pub(super) severity: &'static str,
    pub(super) opened: &'static str,
    pub(super) closed: &'static str,
    pub(super) concerned: &'static str,
    pub(super) needs: &'static str,
    pub(super) runs: &'static str,
    pub(super) ended: &'static str,
    pub(super) holds: &'static str,
    pub(super) taking: &'static str,
    pub(super) releasing: &'static str,
    pub(super) proposals: &'static str,
    /// Before the call that starts a playbook.
    pub(super) start: &'static str,
    pub(super) assets: &'static str,
    pub(super) notes: &'static str,
    pub(super) run: &'static str,
    pub(super) since: &'static str,
    pub(super) until: &'static str,
    pub(super) by: &'static str,
    pub(super) through: &'static str,
    pub(super) digest: &'static str,
    /// Before the code of a need on paper.
    pub(super) code: &'static str,
}

/// Words of a checklist on paper.
#[derive(Debug)]
pub(super) struct Paper {
    pub(super) checklist: &'static str,
    pub(super) only_if: &'static str,
    pub(super) each: &'static str,
    pub(super) at_once: &'static str,
    pub(super) either: &'static str,
    pub(super) otherwise: &'static str,
    pub(super) repeat: &'static str,
    pub(super) approval: &'static str,
    pub(super) task: &'static str,
    pub(super) by_hand: &'static str,
    pub(super) fill_in: &'static str,
    pub(super) wait: &'static str,
    pub(super) wait_until: &'static str,
    pub(super) signal: &'static str,
    pub(super) within: &'static str,
    pub(super) on_failure: &'static str,
    pub(super) at_the_end: &'static str,
    pub(super) if_it_fails: &'static str,
    pub(super) take_back: &'static str,
    pub(super) note: &'static str,
    pub(super) stop_failed: &'static str,
    pub(super) stop_done: &'static str,
    pub(super) compute: &'static str,
    pub(super) playbook: &'static str,
    pub(super) inputs: &'static str,
    pub(super) sources: &'static str,
    pub(super) unknown: &'static str,
    pub(super) notes: &'static str,
}

impl Lane {
    /// What people call it: the same word in a list, in a drawing and in a file.
    pub fn said(self, lang: Lang) -> &'static str {
        words(lang).lanes.get(self as usize).copied().unwrap_or_default()
    }
}

/// The words of a language.
pub(super) const fn words(lang: Lang) -> &'static Words {
    match lang {
        Lang::De => &de::words::WORDS,
        Lang::En => &en::words::WORDS,
    }
}

/// How long something lasted, in words: its largest unit, and the next one below.
pub(super) fn lasted(lang: Lang, span: Span) -> String {
    let millis = span.millis();
    let units = [86_400_000, 3_600_000, 60_000, 1_000, 1];
    let largest = units.iter().position(|unit| millis >= *unit).unwrap_or(0);
    let next = units.get(largest + 1).copied().unwrap_or(1);
    (words(lang).length)(Span::from_millis(millis / next * next))
}

/// Who a role is.
pub(super) const fn role(lang: Lang, role: Role) -> &'static str {
    match lang {
        Lang::De => de::words::role(role),
        Lang::En => en::words::role(role),
    }
}

/// What kind of thing waits for people.
pub(super) const fn need(lang: Lang, kind: NeedKind) -> &'static str {
    match (lang, kind) {
        (Lang::De, NeedKind::Approval) => "Freigabe",
        (Lang::De, NeedKind::Task) => "Aufgabe",
        (Lang::De, NeedKind::Decision) => "Entscheidung",
        (Lang::De, NeedKind::Unknown) => "Ausgang unbekannt",
        (Lang::En, NeedKind::Approval) => "approval",
        (Lang::En, NeedKind::Task) => "task",
        (Lang::En, NeedKind::Decision) => "decision",
        (Lang::En, NeedKind::Unknown) => "outcome unknown",
    }
}

/// What a need is called. The title is that of its step, or of the run; whoever is asked about taking
/// that back is told so, and does not read the title of the very thing that is to end.
pub fn need_title(lang: Lang, (kind, step): (NeedKind, Option<&Path>), title: &str) -> String {
    // A gate of the run itself is that of taking something back.
    let takes_back = step.map_or(kind == NeedKind::Approval, |path| path.taken_back().is_some());
    if takes_back { format!("{}: {title}", words(lang).take_back) } else { title.to_owned() }
}

/// What an asset is, and how it stands.
pub(super) const fn asset(
    lang: Lang,
    kind: TargetKind,
    state: AssetState,
) -> (&'static str, &'static str) {
    match lang {
        Lang::De => (de::words::target(kind), de::words::asset_state(state)),
        Lang::En => (en::words::target(kind), en::words::asset_state(state)),
    }
}

/// So much of a digest as people compare.
pub(super) fn short(digest: &Digest) -> String {
    digest.hex().chars().take(12).collect()
}

/// A marking, as it is written on every page.
pub(super) fn tlp(tlp: Tlp) -> String {
    format!("TLP:{tlp}")
}
