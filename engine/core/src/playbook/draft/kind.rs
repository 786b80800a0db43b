//! Kinds that are no blocks: calls, scripts, what people do, waits, sub-playbooks.

use super::super::report::Report;
use super::super::tree::{Entry, Text};
use super::super::{Code, OnUnknown, Retry};
use super::schema::{form, named};
use super::step::{arguments, gate_fields};
use super::value::{
    action_name, boolean, expression, id, length, playbook_name, role, small, span, text, texts,
    word,
};
use super::{Call, Fields, Kind, Length, Shows, Spanned, Wait};
use crate::model::{Reached, Schema, Span};
use crate::playbook::ids::IdOf;
use crate::playbook::tree::Meaning;

/// Largest script: what a person can still review at a stretch, thirty times over.
const SCRIPT_BYTES_MAX: usize = 64 * 1024;
/// Most attempts of a call: with the longest pauses a day of trying.
const ATTEMPTS_MAX: u32 = 100;
/// Largest factor between pauses.
const FACTOR_MAX: f64 = 10.0;

pub(super) fn call<'y>(entry: &'y Entry, fields: &mut Fields<'y>, report: &mut Report) -> Kind<'y> {
    let reach = [
        ("accepted", Reached::Accepted),
        ("effective", Reached::Effective),
        ("verified", Reached::Verified),
    ];
    let unknown = [("ask", OnUnknown::Ask), ("repeat", OnUnknown::Repeat)];
    Kind::Call(Call {
        action: action_name(entry, report),
        with: arguments(fields, report),
        via: fields.take("via").and_then(|entry| {
            id(text(entry, report)?.as_str(), entry.value.place, IdOf::Name, report)
        }),
        timeout: fields.take("timeout").and_then(|entry| length(entry, report)),
        retry: fields.take("retry").and_then(|entry| retry(entry, report)),
        on_unknown: fields.take("on_unknown").and_then(|entry| {
            let value = word(entry, &unknown, report)?;
            Some(Spanned { value, place: entry.value.place })
        }),
        reach: fields.take("reach").and_then(|entry| word(entry, &reach, report)),
        automatic: fields
            .take("requires")
            .and_then(|entry| word(entry, &[("automatic", true)], report))
            .unwrap_or_default(),
        once_per_incident: fields
            .take("once_per_incident")
            .and_then(|entry| boolean(entry, report))
            .unwrap_or_default(),
    })
}

fn retry(entry: &Entry, report: &mut Report) -> Option<Spanned<Retry>> {
    let mut fields = Fields::of(&entry.value, "a retry", report)?;
    let usual = Retry::default();
    let attempts = fields.take("attempts").and_then(|entry| small(entry, 1..=ATTEMPTS_MAX, report));
    let initial = fields.take("initial").and_then(|entry| span(entry, report));
    let factor = fields.take("factor").and_then(|entry| factor(entry, report));
    let max = fields.take("max").and_then(|entry| span(entry, report));
    fields.finish(report);
    let initial = initial.unwrap_or(usual.initial);
    // A long first pause with the usual longest one would never grow: it is its own longest.
    let longest = max.unwrap_or_else(|| usual.max.max(initial));
    if longest < initial {
        let message = format!("the longest pause {longest} is shorter than the first {initial}");
        report.add(Code::OutOfRange, entry.value.place, message);
    }
    let retry = Retry {
        attempts: attempts.unwrap_or(usual.attempts),
        initial,
        factor: factor.unwrap_or(usual.factor),
        max: longest,
    };
    Some(Spanned { value: retry, place: entry.place })
}

fn factor(entry: &Entry, report: &mut Report) -> Option<f64> {
    let found = match entry.value.scalar().map(|scalar| &scalar.meaning) {
        Some(Meaning::Number(number)) => number.as_f64(),
        Some(Meaning::Null | Meaning::Boolean(_) | Meaning::Text) | None => None,
    };
    let factor = found.filter(|factor| (1.0..=FACTOR_MAX).contains(factor));
    if factor.is_none() {
        let message = format!("`factor` must be a number from 1 to {FACTOR_MAX}");
        report.add(Code::OutOfRange, entry.value.place, message);
    }
    factor
}

pub(super) fn script<'y>(entry: &'y Entry, report: &mut Report) -> Option<&'y Text> {
    let text = expression(entry, report)?;
    if text.as_str().len() > SCRIPT_BYTES_MAX {
        let message = format!("the script has more than {} KiB", SCRIPT_BYTES_MAX / 1024);
        report.add(Code::ScriptTooLarge, entry.value.place, message);
        return None;
    }
    if !text.is_exact() {
        let hint = "begin it with `script: |` and put the lines below";
        report.hint(
            Code::ScriptBlock,
            entry.value.place,
            "the script is folded over several lines",
            hint,
        );
    }
    Some(text)
}

pub(super) fn task<'y>(entry: &'y Entry, report: &mut Report) -> Option<Kind<'y>> {
    let mut fields = Fields::of(&entry.value, "a task", report)?;
    let role = fields.need("role", report).and_then(|entry| role(entry, report));
    let instructions = fields.need("instructions", report).and_then(|entry| text(entry, report));
    let form = form_of(&mut fields, report);
    fields.finish(report);
    // Without a role the other parts are still looked at.
    Some(Kind::Task { role: role.unwrap_or(crate::model::Role::Responder), instructions, form })
}

fn form_of(fields: &mut Fields<'_>, report: &mut Report) -> Schema {
    let named = fields.take("form").map(|entry| named(entry, report)).unwrap_or_default();
    form(&named)
}

pub(super) fn approve<'y>(entry: &'y Entry, report: &mut Report) -> Option<Kind<'y>> {
    let mut fields = Fields::of(&entry.value, "an `approve`", report)?;
    let gate = gate_fields(&mut fields, report);
    let shows = match fields.take("shows") {
        None => Shows::Title,
        Some(entry) if entry.value.list().is_some() => Shows::Steps(texts(entry, report)),
        Some(entry) => text(entry, report).map_or(Shows::Title, Shows::Text),
    };
    fields.finish(report);
    Some(Kind::Approve { gate: gate?, shows })
}

pub(super) fn wait<'y>(entry: &'y Entry, report: &mut Report) -> Option<Wait<'y>> {
    if entry.value.map().is_none() {
        return length(entry, report).map(Wait::For);
    }
    let mut fields = Fields::of(&entry.value, "a `wait`", report)?;
    let wait = if let Some(time) = fields.take("time") {
        expression(time, report).map(Wait::Until)
    } else if let Some(signal) = fields.take("signal") {
        Some(Wait::Signal {
            name: text(signal, report),
            role: fields.take("role").and_then(|entry| role(entry, report)),
            form: Box::new(form_of(&mut fields, report)),
            within: within(&mut fields, report),
        })
    } else {
        let hint = "like `wait: 4h`, `wait: {time: …}` or `wait: {signal: …}`";
        report.hint(Code::MissingKey, entry.value.place, "a `wait` needs `time` or `signal`", hint);
        None
    };
    fields.finish(report);
    wait
}

fn within<'y>(fields: &mut Fields<'y>, report: &mut Report) -> Option<Length<'y>> {
    fields.take("within").and_then(|entry| length(entry, report))
}

pub(super) fn playbook<'y>(
    entry: &'y Entry,
    fields: &mut Fields<'y>,
    report: &mut Report,
) -> Kind<'y> {
    Kind::Playbook { name: playbook_name(entry, report), with: arguments(fields, report) }
}

/// The timeout of one attempt where none is written.
pub(in crate::playbook) const TIMEOUT: Span = Span::from_secs(30);
