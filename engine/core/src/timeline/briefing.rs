//! A briefing as people read it: on a screen, on paper, aloud.
//!
//! Markdown that reads well as plain text. What is asked of people stands first, each with the code
//! that answers it from paper.

use std::collections::BTreeMap;

use serde_json::Value;

use super::entry::Lang;
use super::escape::{TEXT_CHARS_MAX, is_plain_word, visible};
use super::format::Zone;
use super::run::NAME_CHARS_MAX;
use super::sentence::{Situation, asset, need, need_title, role, tlp, words};
use crate::incident::{Asset, Briefing, Holding, Note, OpenHold, OpenNeed, OpenRun, Proposed};
use crate::model::{Digest, Millis, Mode, NeedCode, RunId};

/// Inputs of a proposal that are written out, and values of one of them: a line that is read aloud.
const INPUTS_MAX: usize = 20;

/// The briefing with its digest, which an acceptance is bound to.
pub fn briefing(briefing: &Briefing, digest: Digest, (lang, zone): (Lang, Zone)) -> String {
    let pen = Pen { lang, zone, words: &words(lang).situation };
    let mut out = pen.head(briefing);
    out.push_str(&open_needs(&briefing.needs, (lang, zone)));
    section(&mut out, pen.words.proposals, &proposals(briefing, (lang, zone)));
    let runs: Vec<String> = briefing.runs.iter().map(|run| pen.run(run)).collect();
    section(&mut out, pen.words.runs, &runs);
    if !briefing.ended.is_empty() {
        let ended: Vec<String> =
            briefing.ended.iter().map(|(status, count)| format!("{count} {status}")).collect();
        line(&mut out, &format!("{}: {}", pen.words.ended, ended.join(", ")));
    }
    // What was only asked for is not cut off, whatever a tired reader hopes.
    for (state, title) in [
        (Holding::Held, pen.words.holds),
        (Holding::Taking, pen.words.taking),
        (Holding::Releasing, pen.words.releasing),
    ] {
        let holds = briefing.holds.iter().filter(|hold| hold.state == state);
        section(&mut out, title, &holds.map(|hold| pen.hold(hold)).collect::<Vec<_>>());
    }
    let assets: Vec<String> = briefing.assets.iter().map(|asset| pen.asset(asset)).collect();
    section(&mut out, pen.words.assets, &assets);
    let notes: Vec<String> = briefing.notes.iter().map(|note| pen.note(note)).collect();
    section(&mut out, pen.words.notes, &notes);
    line(&mut out, "");
    line(&mut out, &format!("{}: {digest}", pen.words.digest));
    out
}

/// What waits for people, each with its code; nothing where nobody is asked.
pub fn open_needs(needs: &[OpenNeed], (lang, zone): (Lang, Zone)) -> String {
    let pen = Pen { lang, zone, words: &words(lang).situation };
    let mut out = String::new();
    let lines: Vec<String> = needs.iter().map(|need| pen.need(need)).collect();
    section(&mut out, pen.words.needs, &lines);
    out
}

/// What is proposed and not started, each with the call that starts it.
pub fn proposals(briefing: &Briefing, (lang, zone): (Lang, Zone)) -> Vec<String> {
    let pen = Pen { lang, zone, words: &words(lang).situation };
    briefing.proposals.iter().map(|one| pen.proposed(one, briefing)).collect()
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

/// A headed list; nothing where the list is empty.
fn section(out: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    line(out, &format!("\n## {title} ({})", lines.len()));
    for text in lines {
        line(out, &format!("- {text}"));
    }
}

struct Pen {
    lang: Lang,
    zone: Zone,
    words: &'static Situation,
}

impl Pen {
    fn head(&self, briefing: &Briefing) -> String {
        let mut out = String::new();
        let title = visible(&briefing.title, TEXT_CHARS_MAX);
        line(&mut out, &format!("# {} {}: {title}", self.words.title, briefing.number));
        let mut facts = vec![
            format!("{} {}", self.words.severity, briefing.severity.get()),
            tlp(briefing.tlp),
            format!("{} {}", self.words.opened, self.at(briefing.opened_at)),
        ];
        match briefing.mode {
            Mode::Live => {}
            Mode::Drill => facts.insert(0, format!("*** {} ***", words(self.lang).drill)),
        }
        if briefing.closed {
            facts.push(self.words.closed.to_owned());
        }
        line(&mut out, &facts.join(" · "));
        for (which, person) in &briefing.roles {
            let person = visible(person.as_str(), NAME_CHARS_MAX);
            line(&mut out, &format!("{}: {person}", role(self.lang, *which)));
        }
        if !briefing.organisations.is_empty() {
            let names: Vec<String> = briefing
                .organisations
                .iter()
                .map(|name| visible(name.as_str(), NAME_CHARS_MAX))
                .collect();
            line(&mut out, &format!("{}: {}", self.words.concerned, names.join(", ")));
        }
        out
    }

    fn at(&self, at: Millis) -> String {
        self.zone.shown(at)
    }

    fn run_id(&self, run: RunId) -> String {
        // The first two parts of the id are its time: enough to find it, short enough to read out.
        let id = run.to_string();
        format!("{} {}", self.words.run, id.get(..13).unwrap_or(&id))
    }

    fn need(&self, open: &OpenNeed) -> String {
        let code = NeedCode::of(open.id, open.digest);
        let title = need_title(self.lang, (open.kind, open.step.as_ref()), &open.title);
        let title = visible(&title, TEXT_CHARS_MAX);
        let votes = if open.votes_needed > 1 {
            format!(" {}/{}", open.votes, open.votes_needed)
        } else {
            String::new()
        };
        let kind = need(self.lang, open.kind);
        let mut parts = vec![format!("[ ] {code}  {kind}: {title}{votes}")];
        parts.extend(open.role.map(|which| role(self.lang, which).to_owned()));
        parts.extend(open.step.as_ref().map(|step| visible(step.as_str(), TEXT_CHARS_MAX)));
        parts.extend(open.run.map(|run| self.run_id(run)));
        parts.push(format!("{} {}", self.words.since, self.at(open.since)));
        parts.extend(open.until.map(|until| format!("{} {}", self.words.until, self.at(until))));
        parts.join(" · ")
    }

    fn run(&self, run: &OpenRun) -> String {
        let by = visible(run.requested_by.as_str(), NAME_CHARS_MAX);
        let (playbook, status) = (visible(&run.playbook, NAME_CHARS_MAX), &run.status);
        let since = format!("{} {}", self.words.since, self.at(run.started_at));
        format!(
            "{playbook} ({status}) · {} · {since} · {} {by}",
            self.run_id(run.id),
            self.words.by
        )
    }

    fn hold(&self, hold: &OpenHold) -> String {
        let target = visible(&hold.target, NAME_CHARS_MAX);
        let since = format!("{} {}", self.words.since, self.at(hold.since));
        format!(
            "{target}  {} {} {} · {} · {since}",
            hold.effect,
            self.words.through,
            hold.connector,
            self.run_id(hold.run)
        )
    }

    fn proposed(&self, one: &Proposed, briefing: &Briefing) -> String {
        let by = visible(one.by.as_str(), NAME_CHARS_MAX);
        // Inputs stand in the call, as far as they are harmless. The rest may be words of an attacker,
        // who would write a call of their own before it; it stands in the timeline.
        let why = Some(visible(&one.text, TEXT_CHARS_MAX));
        let why = why.filter(|text| !text.is_empty() && !is_for_a_machine(text));
        let (since, words) = (self.at(one.at), self.words);
        format!(
            "{} · {} {since} · {} {by}{} · {}: {}",
            one.playbook,
            words.since,
            words.by,
            why.map(|why| format!(": {why}")).unwrap_or_default(),
            words.start,
            starts(one, briefing)
        )
    }

    fn asset(&self, one: &Asset) -> String {
        let (kind, state) = asset(self.lang, one.kind, one.state);
        let whose = one.organisation.as_ref();
        let whose = whose.map(|whose| format!(" ({})", visible(whose.as_str(), NAME_CHARS_MAX)));
        let name = visible(&one.value, TEXT_CHARS_MAX);
        format!("{kind} {name}: {state}{}", whose.unwrap_or_default())
    }

    fn note(&self, note: &Note) -> String {
        let by = visible(note.by.as_str(), NAME_CHARS_MAX);
        let at = self.at(note.happened_at.unwrap_or(note.at));
        let text = visible(&note.text, TEXT_CHARS_MAX);
        match &note.corrected {
            Some(truth) => {
                let (word, truth) = (words(self.lang).corrected, visible(truth, TEXT_CHARS_MAX));
                format!("{at} {by}: ~~{text}~~ ({word}: {truth})")
            }
            None => format!("{at} {by}: {text}"),
        }
    }
}

/// Whether somebody outside wrote inputs and no reason: also where there were so many that the text
/// was cut, and can not be read as inputs any more.
fn is_for_a_machine(text: &str) -> bool {
    text.starts_with('{')
}

/// The inputs that something outside proposes; a person gives a reason instead.
fn inputs_of(one: &Proposed) -> Option<BTreeMap<String, Value>> {
    serde_json::from_str(&one.text).ok()
}

/// The call that starts what is proposed. Its inputs may be an attacker's words, and people copy what
/// stands here into a shell: what is more than a plain word is left for them to write.
fn starts(one: &Proposed, briefing: &Briefing) -> String {
    let mut call = format!("beistand run {} --incident {}", one.playbook, briefing.number);
    match briefing.mode {
        Mode::Live => {}
        Mode::Drill => call.push_str(" --drill"),
    }
    let inputs = inputs_of(one).unwrap_or_default();
    for (name, value) in inputs.iter().filter(|(name, _)| is_plain_word(name)).take(INPUTS_MAX) {
        let values = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
        let plain: Option<Vec<&str>> =
            values.iter().map(|value| value.as_str().filter(|text| is_plain_word(text))).collect();
        match plain.filter(|values| values.len() <= INPUTS_MAX) {
            Some(values) => {
                for value in values {
                    for piece in [" --input ", name, "=", value] {
                        call.push_str(piece);
                    }
                }
            }
            None => {
                for piece in [" --input ", name, "=…"] {
                    call.push_str(piece);
                }
            }
        }
    }
    call
}
