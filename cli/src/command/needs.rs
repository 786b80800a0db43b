//! What waits for people: what is asked, of whom, about what, and how it is answered.

use std::collections::BTreeMap;

use beistand_core::model::Mode;
use beistand_core::run::NeedKind;
use beistand_core::timeline::Scope;
use beistand_journal::{Need, NeedFilter, Reader};
use serde_json::json;

use super::body::{NeedBody, said};
use super::on_call::called_lines;
use super::{form, gate, handover};
use crate::exit::{Exit, Outcome};
use crate::find;
use crate::out::cell;
use crate::session::Context;

pub(super) async fn needs(context: &Context, incident: Option<&str>, run: Option<&str>) -> Outcome {
    let reader = context.reader().await?;
    context.say_stopped(&reader).await?;
    let incident = match incident {
        Some(text) => Some(find::incident(&reader, text).await?),
        None => None,
    };
    // An offer of command waits for somebody too, and belongs to no run.
    let offers = match run {
        Some(_) => Vec::new(),
        None => handover::offers(&reader, incident.as_ref()).await?,
    };
    let incident = incident.map(|incident| incident.id);
    let run = match run {
        Some(text) => Some(find::run(&reader, text).await?),
        None => None,
    };
    let filter = NeedFilter { run, incident, ..NeedFilter::default() };
    if context.out.json {
        let mut all = context.views(&reader).needs(&filter, &Scope::ALL).await?;
        all.extend(offers.iter().map(handover::offer_json));
        context.out.value(&json!(all));
        return Ok(Exit::Ok);
    }
    let needs = reader.needs(&filter).await?;
    for offer in &offers {
        handover::show_offer(context, offer);
    }
    if needs.is_empty() && offers.is_empty() {
        context.out.note("nothing waits for people");
        return Ok(Exit::Ok);
    }
    // What stands together here is answered together.
    let mut groups: BTreeMap<_, Vec<&Need>> = BTreeMap::new();
    for need in &needs {
        groups.entry(find::place(need)).or_default().push(need);
    }
    let incidents = needs.iter().map(|need| need.incident).collect();
    let called = context.views(&reader).called(incidents, &Scope::ALL).await?;
    for group in groups.values() {
        show(context, &reader, group).await?;
        for line in called_lines(context, &called, group) {
            context.out.line(format_args!("  called: {line}"));
        }
    }
    Ok(Exit::Ok)
}

/// Needs of one cause.
async fn show(context: &Context, reader: &Reader, group: &[&Need]) -> Outcome<()> {
    let Some(first) = group.first() else { return Ok(()) };
    let body = NeedBody::of(first);
    let votes = match body.votes_needed {
        0 | 1 => String::new(),
        _ => format!(", {}", body.tally()),
    };
    let role = first.role.map_or_else(|| "anybody".to_owned(), |role| role.to_string());
    let number = reader.incident(first.incident).await?.map(|incident| incident.number);
    let number = number.unwrap_or_else(|| first.incident.to_string());
    let mode = match first.mode {
        Mode::Live => "",
        Mode::Drill => ", drill",
    };
    context.out.line(format_args!(
        "{}  [{} by {role}{votes}, {number}{mode}]",
        cell(&body.title),
        first.kind
    ));
    for need in group {
        let step = need.step.as_ref().map_or_else(|| "the run".to_owned(), ToString::to_string);
        let since = context.time(need.since);
        let until =
            need.until.map(|at| format!("  until {}", context.time(at))).unwrap_or_default();
        context.out.line(format_args!("  {}  {step}  since {since}{until}", need.id));
        if let (NeedKind::Approval, Some(digest)) = (need.kind, need.digest) {
            context.out.line(format_args!("    in words: {}", digest.spoken()));
        }
        let asks = NeedBody::of(need);
        for effect in asks.effects().into_iter().chain(asks.each("unresolved").map(gate::unfit)) {
            context.out.line(format_args!("    {}", cell(&effect)));
        }
    }
    for name in ["reason", "instructions", "error"] {
        if let Some(value) = body.shown(name) {
            let text = said(value).replace('\n', "\n    ");
            context.out.line(format_args!("  {name}: {text}"));
        }
    }
    let fields = form::fields_of(&body);
    if !fields.is_empty() {
        context.out.line(format_args!("  form: {}", fields.join(", ")));
    }
    let together = if group.len() > 1 {
        format!("  ({} equal ones: --group answers them together)", group.len())
    } else {
        String::new()
    };
    context.out.line(format_args!("  answer: {}{together}", answer(first)));
    Ok(())
}

/// Why somebody is asked.
pub(super) fn error(need: &Need) -> Option<String> {
    NeedBody::of(need).shown("error").map(said)
}

/// The verb that answers it.
pub(super) fn answer(need: &Need) -> String {
    let id = need.id;
    match need.kind {
        NeedKind::Approval => format!("beistand approve {id}, or deny {id} --reason …"),
        NeedKind::Task => {
            let asks = !form::fields_of(&NeedBody::of(need)).is_empty();
            let form = if asks { " --form FIELD=VALUE" } else { "" };
            format!("beistand done {id}{form}")
        }
        NeedKind::Decision if need.step.is_none() => {
            format!("beistand decide {id} retry|abort --reason …")
        }
        NeedKind::Decision if NeedBody::of(need).is_guarded() => {
            format!("beistand decide {id} retry|skip|abort --reason …")
        }
        NeedKind::Decision => {
            format!("beistand decide {id} retry|skip|by-hand|abort --reason …")
        }
        NeedKind::Unknown => {
            let (run, step) = (need.run, need.step.as_ref());
            let run = run.map(|run| run.to_string()).unwrap_or_default();
            let step = step.map(ToString::to_string).unwrap_or_default();
            format!("beistand resolve {run} {step} done|not-done|send-again --reason …")
        }
    }
}
