//! A step: its id, its one kind, its modifiers.

use super::super::Code;
use super::super::ids::IdOf;
use super::super::report::{Report, similar};
use super::super::tree::{Entry, Yaml};
use super::fields::short;
use super::value::{expression, id, length, list, place_of, plain_text, role, small, word};
use super::{Arguments, Fields, Gate, Kind, OnError, Spanned, Step, Undo, block, kind};

/// The keys that say what a step does. `undo` is one only where there is no other.
const KINDS: &[&str] = &[
    "call", "script", "task", "approve", "wait", "group", "parallel", "for_each", "switch",
    "repeat", "playbook", "note", "duty", "aid", "fail", "end",
];

/// Kinds that are recognised and come with a later version.
const LATER: &[&str] = &["duty", "aid"];

/// Keys that belong to some kinds only.
const COMPANIONS: &[(&str, &[&str])] = &[
    ("with", &["call", "playbook"]),
    ("as", &["for_each"]),
    ("max_parallel", &["for_each"]),
    ("tolerate", &["for_each"]),
    ("steps", &["for_each", "repeat"]),
    ("join", &["parallel"]),
    ("timeout", &["call"]),
    ("retry", &["call"]),
    ("on_unknown", &["call"]),
    ("reach", &["call"]),
    ("via", &["call"]),
    ("requires", &["call"]),
    ("once_per_incident", &["call"]),
    ("always", &["group", "for_each"]),
];

/// Kinds that do nothing which could be taken back.
const WITHOUT_UNDO: &[&str] = &["approve", "wait", "note", "fail", "end", "undo"];

/// A list of steps; at least one.
pub(super) fn steps<'y>(entry: &'y Entry, report: &mut Report) -> Vec<Step<'y>> {
    let items = list(entry, "a list of steps", report);
    if items.is_empty() && entry.value.list().is_some() {
        let message = format!("`{}` has no steps", entry.name());
        report.add(Code::EmptyBlock, entry.value.place, message);
    }
    items.iter().filter_map(|item| step(item, report)).collect()
}

fn step<'y>(yaml: &'y Yaml, report: &mut Report) -> Option<Step<'y>> {
    let mut fields = Fields::of(yaml, "a step", report)?;
    let written = fields.need("id", report);
    let place = written.map_or(yaml.place, place_of);
    let id = written.and_then(|entry| {
        let text = super::value::text(entry, report)?;
        id(text.as_str(), place, IdOf::Step, report)
    });
    let name = one_kind(&mut fields, report);
    companions(&mut fields, name, report);
    let title = fields.take("title").and_then(|entry| plain_text(entry, report));
    let when = fields.take("when").and_then(|entry| expression(entry, report));
    let approval = fields.take("approval").and_then(|entry| gate(entry, report));
    let within = fields.take("within").and_then(|entry| length(entry, report));
    let on_error = fields.take("on_error").and_then(|entry| on_error(entry, report));
    let undo = match name {
        Some("undo") => None,
        Some(_) | None => fields.take("undo").and_then(|entry| undo(entry, report)),
    };
    let always = match name {
        Some("group" | "for_each") => {
            fields.take("always").map(|entry| steps(entry, report)).unwrap_or_default()
        }
        Some(_) | None => Vec::new(),
    };
    let kind = kind_of(&mut fields, name, report);
    fields.finish(report);
    let id = id.map(|id| id.value);
    Some(Step { id, place, title, when, approval, within, on_error, undo, always, kind })
}

/// The step's one kind; a finding where it has none or several.
fn one_kind(fields: &mut Fields<'_>, report: &mut Report) -> Option<&'static str> {
    let found: Vec<(&'static str, &Entry)> =
        KINDS.iter().filter_map(|name| Some((*name, fields.take(name)?))).collect();
    match found.as_slice() {
        [(name, _)] => Some(name),
        [] => {
            let ids = fields.take("undo").filter(|entry| entry.value.list().is_some());
            if ids.is_some() {
                return Some("undo");
            }
            let run = fields.take("run");
            if let Some(run) = run {
                let hint = "commands on hosts are `call: ssh.run`, calculations are `script: |`";
                report.hint(Code::RunKey, run.place, "there is no `run:`", hint);
            }
            // A misspelt kind is an unknown key with a hint; saying it twice helps nobody.
            if run.is_some() || !fields.misspells(KINDS) {
                let now: Vec<&str> =
                    KINDS.iter().copied().filter(|kind| !LATER.contains(kind)).collect();
                let hint = format!("one of: {}, undo", now.join(", "));
                report.hint(Code::NoKind, fields.place, "the step does not say what it does", hint);
            }
            None
        }
        [(first, _), others @ ..] => {
            for (name, entry) in others {
                let message = format!("`{first}` and `{name}` in one step");
                let hint = "make two steps of it";
                report.hint(Code::ManyKinds, entry.place, message, hint);
            }
            None
        }
    }
}

impl Fields<'_> {
    /// Whether a key that nobody asked for is nearly one of `words`.
    fn misspells(&self, words: &[&'static str]) -> bool {
        self.names().any(|name| similar(name, words.iter().copied()).is_some())
    }
}

/// Keys of other kinds are findings; with a broken kind nothing is known.
fn companions(fields: &mut Fields<'_>, name: Option<&'static str>, report: &mut Report) {
    for (companion, kinds) in COMPANIONS {
        let Some(entry) = fields.take(companion) else { continue };
        let Some(name) = name.filter(|name| !kinds.contains(name)) else { continue };
        let message = format!("`{companion}` does not belong to a `{name}` step");
        let hint = format!("it belongs to `{}`", kinds.join("` and `"));
        report.hint(Code::ModifierNotHere, entry.place, message, hint);
    }
    let Some(name) = name else { return };
    if let Some(entry) = fields.take("approval").filter(|_| name == "approve") {
        let message = "an `approve` step is a gate already";
        report.add(Code::ModifierNotHere, entry.place, message);
    }
    let undo = fields.take("undo").filter(|_| name != "undo" && WITHOUT_UNDO.contains(&name));
    if let Some(entry) = undo {
        let message = format!("a `{name}` step does nothing that could be taken back");
        report.add(Code::ModifierNotHere, entry.place, message);
    }
}

fn kind_of<'y>(
    fields: &mut Fields<'y>,
    name: Option<&'static str>,
    report: &mut Report,
) -> Kind<'y> {
    let Some(name) = name else { return Kind::Broken };
    let Some(entry) = fields.take(name) else { return Kind::Broken };
    let kind = match name {
        "call" => Some(kind::call(entry, fields, report)),
        "script" => kind::script(entry, report).map(Kind::Script),
        "task" => kind::task(entry, report),
        "approve" => kind::approve(entry, report),
        "wait" => kind::wait(entry, report).map(Kind::Wait),
        "group" => Some(Kind::Group(steps(entry, report))),
        "parallel" => Some(block::parallel(entry, fields, report)),
        "for_each" => Some(Kind::ForEach(block::for_each(entry, fields, report))),
        "switch" => Some(Kind::Switch(block::switch(entry, report))),
        "repeat" => block::repeat(entry, fields, report).map(Kind::Repeat),
        "playbook" => Some(kind::playbook(entry, fields, report)),
        "undo" => Some(Kind::UndoSteps(super::value::texts(entry, report))),
        "note" => super::value::text(entry, report).map(Kind::Note),
        "fail" => super::value::text(entry, report).map(Kind::Fail),
        "end" => super::value::text(entry, report).map(Kind::End),
        later => {
            let message = format!("`{later}` steps come with a later version");
            report.add(Code::LaterVersion, entry.place, message);
            fields.forgive();
            Some(if later == "duty" { Kind::Duty } else { Kind::Aid })
        }
    };
    kind.unwrap_or(Kind::Broken)
}

/// `approval: { role, votes, within }`.
fn gate<'y>(entry: &'y Entry, report: &mut Report) -> Option<Gate<'y>> {
    let mut fields = Fields::of(&entry.value, "an approval", report)?;
    let gate = gate_fields(&mut fields, report);
    fields.finish(report);
    gate
}

/// Most votes of a gate: more people than a crisis staff has.
const VOTES_MAX: u32 = 16;

/// The three keys of a gate.
pub(super) fn gate_fields<'y>(fields: &mut Fields<'y>, report: &mut Report) -> Option<Gate<'y>> {
    let found = fields.need("role", report).and_then(|entry| role(entry, report));
    let votes = fields.take("votes").and_then(|entry| small(entry, 1..=VOTES_MAX, report));
    let within = fields.take("within").and_then(|entry| length(entry, report));
    Some(Gate { role: found?, votes: votes.unwrap_or(1), within })
}

fn on_error<'y>(entry: &'y Entry, report: &mut Report) -> Option<OnError<'y>> {
    if entry.value.list().is_some() {
        return Some(OnError::Steps(steps(entry, report)));
    }
    let found = word(entry, &[("ask", 0), ("fail", 1), ("continue", 2)], report)?;
    Some(match found {
        0 => OnError::Ask,
        1 => OnError::Fail,
        _ => OnError::Continue,
    })
}

fn undo<'y>(entry: &'y Entry, report: &mut Report) -> Option<Undo<'y>> {
    if entry.value.list().is_some() {
        return Some(Undo::Steps(steps(entry, report)));
    }
    if entry.value.map().is_some() {
        let mut fields = Fields::of(&entry.value, "an undo", report)?;
        let action =
            fields.need("call", report).and_then(|entry| super::value::action_name(entry, report));
        let with = arguments(&mut fields, report);
        fields.finish(report);
        return Some(Undo::Call { action, with });
    }
    word(entry, &[("none", ())], report).map(|()| Undo::None)
}

/// `with`: named arguments; none where it is left out.
pub(super) fn arguments<'y>(fields: &mut Fields<'y>, report: &mut Report) -> Arguments<'y> {
    let Some(entry) = fields.take("with") else {
        return Arguments { place: fields.place, fields: Vec::new() };
    };
    let Some(entries) = entry.value.map() else {
        let message = format!("`with` must be a mapping, is {}", short(entry.value.word()));
        report.add(Code::WrongType, place_of(entry), message);
        return Arguments { place: entry.place, fields: Vec::new() };
    };
    let fields = entries
        .iter()
        .map(|entry| (Spanned { value: entry.name(), place: entry.place }, &entry.value))
        .collect();
    Arguments { place: entry.place, fields }
}
