//! The playbook itself: name, language, inputs, slots, steps, outputs.

use super::super::Code;
use super::super::Slot;
use super::super::ids::IdOf;
use super::super::report::Report;
use super::super::tree::{Entry, Meaning, Yaml};
use super::step::steps;
use super::value::{boolean, expression, id, place_of, plain_text, playbook_name, text, texts};
use super::{Draft, Fields, Spanned, schema};
use crate::model::{StepId, Tlp};

/// The version of the language that this program reads.
pub(in crate::playbook) const LANGUAGE: u32 = 1;

/// Reads a whole file. Nothing only where the file is no mapping at all.
pub(in crate::playbook) fn read<'y>(yaml: &'y Yaml, report: &mut Report) -> Option<Draft<'y>> {
    let mut fields = Fields::of(yaml, "a playbook", report)?;
    let name = fields.need("playbook", report).and_then(|entry| playbook_name(entry, report));
    let language = fields.need("language", report).and_then(|entry| language(entry, report));
    let title = fields.take("title").and_then(|entry| plain_text(entry, report));
    let tlp = fields.take("tlp").and_then(|entry| tlp(entry, report));
    let references = fields.take("references").map(|entry| texts(entry, report));
    let inputs = fields.take("inputs").map(|entry| schema::named(entry, report));
    let slots = fields.take("slots").map(|entry| slots(entry, report));
    let body = fields.need("steps", report).map(|entry| steps(entry, report));
    let on_failure = fields.take("on_failure").map(|entry| steps(entry, report));
    let always = fields.take("always").map(|entry| steps(entry, report));
    let outputs = fields.take("outputs").map(|entry| outputs(entry, report));
    fields.finish(report);
    let name = name.map(|name| name.value);
    Some(Draft {
        title: title
            .or_else(|| name.as_ref().map(|name| name.as_str().to_owned()))
            .unwrap_or_default(),
        name,
        language: language.unwrap_or(LANGUAGE),
        tlp: tlp.unwrap_or(Tlp::Amber),
        references: references
            .unwrap_or_default()
            .into_iter()
            .map(|reference| reference.value.to_owned())
            .collect(),
        inputs: inputs.unwrap_or_default(),
        slots: slots.unwrap_or_default(),
        steps: body.unwrap_or_default(),
        on_failure: on_failure.unwrap_or_default(),
        always: always.unwrap_or_default(),
        outputs: outputs.unwrap_or_default(),
    })
}

fn language(entry: &Entry, report: &mut Report) -> Option<u32> {
    let known = entry
        .value
        .scalar()
        .is_some_and(|scalar| scalar.meaning == Meaning::Number(LANGUAGE.into()));
    if !known {
        let message = format!("the language version must be {LANGUAGE}");
        let hint = "a newer playbook needs a newer program";
        report.hint(Code::UnknownLanguage, place_of(entry), message, hint);
    }
    known.then_some(LANGUAGE)
}

fn tlp(entry: &Entry, report: &mut Report) -> Option<Tlp> {
    let words: Vec<(&str, Tlp)> = Tlp::ALL.iter().map(|tlp| (tlp.as_str(), *tlp)).collect();
    super::value::word(entry, &words, report)
}

/// The entries of a mapping; a finding where it is none.
fn entries<'y>(entry: &'y Entry, report: &mut Report) -> &'y [Entry] {
    entry.value.map().unwrap_or_else(|| {
        let message = format!("`{}` must be a mapping, is {}", entry.name(), entry.value.word());
        report.add(Code::WrongType, place_of(entry), message);
        &[]
    })
}

fn slots(entry: &Entry, report: &mut Report) -> Vec<(Spanned<StepId>, Slot)> {
    let mut slots = Vec::new();
    for entry in entries(entry, report) {
        let name = id(entry.name(), entry.place, IdOf::Name, report);
        let Some(mut fields) = Fields::of(&entry.value, "a slot", report) else { continue };
        let capability = fields.need("capability", report).and_then(|entry| text(entry, report));
        let optional = fields.take("optional").and_then(|entry| boolean(entry, report));
        fields.finish(report);
        if let (Some(name), Some(capability)) = (name, capability) {
            let capability = capability.as_str().to_owned();
            slots.push((name, Slot { capability, optional: optional.unwrap_or_default() }));
        }
    }
    slots
}

fn outputs<'y>(
    entry: &'y Entry,
    report: &mut Report,
) -> Vec<(Spanned<StepId>, &'y super::super::tree::Text)> {
    let mut outputs = Vec::new();
    for entry in entries(entry, report) {
        let name = id(entry.name(), entry.place, IdOf::Name, report);
        let value = expression(entry, report);
        outputs.extend(name.zip(value));
    }
    outputs
}
