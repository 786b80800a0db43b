//! `timeline` and `print`: what happened, and what is to be done, on paper if need be.

use std::sync::Arc;

use beistand_core::model::{Catalogue, Span, Value};
use beistand_core::timeline::{Lang, Persons, Scope, checklist, open_needs, table};
use beistand_journal::Reader;
use beistand_runtime::{Clock as _, Selection, Telling, TimelineFormat, Told, WallClock, brief};
use serde_json::json;

use crate::args::{Format, TimelineArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::find;
use crate::session::Context;

impl Context {
    /// The language that people read.
    pub(super) fn lang(&self) -> Lang {
        if self.german { Lang::De } else { Lang::En }
    }

    fn telling(&self) -> Telling {
        Telling { lang: self.lang(), zone: self.zone(), now: WallClock.now() }
    }
}

pub(super) async fn timeline(context: &Context, args: &TimelineArgs) -> Outcome {
    if context.out.json && args.format.is_some() {
        return Err(Failure::usage("--json is a format of its own")
            .hint("say --json, or --format, not both"));
    }
    if args.incident.is_none() && args.format == Some(Format::Stix) {
        return Err(Failure::usage("a STIX bundle is of one incident")
            .hint("`beistand timeline INCIDENT --format stix`"));
    }
    let zone = args.export.zone.unwrap_or_else(|| context.zone());
    let telling = Telling { zone, ..context.telling() };
    let told = told(context, args).await?;
    if args.instead.metrics {
        return Ok(metrics(context, &told));
    }
    if args.instead.review {
        context.out.value(&json!(told.review(&telling)));
        return Ok(Exit::Ok);
    }
    if context.out.json {
        context.out.value(&json!(told.values(&telling)?));
        return Ok(Exit::Ok);
    }
    let format = match args.format.unwrap_or(Format::Table) {
        Format::Table => TimelineFormat::Table { width: width(), all: args.all, ids: args.ids },
        Format::Jsonl => TimelineFormat::Jsonl,
        Format::Csv => TimelineFormat::Csv,
        Format::Html => TimelineFormat::Html,
        Format::Stix => TimelineFormat::Stix,
    };
    let text = told.text(format, &telling);
    match format {
        TimelineFormat::Table { .. } => context.out.line(text),
        TimelineFormat::Jsonl
        | TimelineFormat::Csv
        | TimelineFormat::Html
        | TimelineFormat::Stix => {
            context.out.document(text);
        }
    }
    Ok(Exit::Ok)
}

/// The lines that are asked for; figures are of all of them.
async fn told(context: &Context, args: &TimelineArgs) -> Outcome<Told> {
    let reader = context.reader().await?;
    let views = context.views(&reader);
    let anonymous = args.export.without_personal_data;
    let persons = if anonymous { Persons::Numbered } else { Persons::Named };
    let selection = Selection { filter: args.lines.filter(), persons, up_to: args.export.up_to };
    let Some(incident) = &args.incident else {
        let told = views.told_of_store(context.lang(), &Scope::ALL).await?;
        return Ok(told.filtered(&selection.filter));
    };
    let incident = find::incident(&reader, incident).await?;
    Ok(views.selected(incident.id, &selection, context.lang(), &Scope::ALL).await?)
}

/// The figures as a list; lengths of time in words that a shell reads too.
fn metrics(context: &Context, told: &Told) -> Exit {
    let figures = json!(told.metrics(&context.telling()));
    if context.out.json {
        context.out.value(&figures);
        return Exit::Ok;
    }
    for (name, value) in figures.as_object().into_iter().flatten() {
        let length = value.as_u64().filter(|_| name.ends_with("_ms")).map(Span::from_millis);
        let text = match (length, value) {
            (Some(length), _) => length.to_string(),
            (None, Value::Null) => "-".to_owned(),
            (None, Value::String(text)) => text.clone(),
            (None, other) => other.to_string(),
        };
        context.out.line(format_args!("{}: {text}", name.trim_end_matches("_ms")));
    }
    Exit::Ok
}

fn width() -> usize {
    let columns = crate::config::variable("COLUMNS").and_then(|text| text.parse().ok());
    columns.unwrap_or(100)
}

/// A checklist: of a run, of an incident's runs, or of a playbook.
pub(super) async fn print(context: &Context, what: &str) -> Outcome {
    if let Ok(reader) = Reader::open(&context.url).await {
        if let Ok(run) = find::run(&reader, what).await {
            let views = context.views(&reader);
            let text = views.checklist(run, context.lang(), &Scope::ALL).await?;
            return Ok(page(context, "run", &run.to_string(), text));
        }
        if let Ok(incident) = find::incident(&reader, what).await {
            let views = context.views(&reader);
            let mut told = views.told(incident.id, context.lang(), &Scope::ALL).await?;
            Arc::make_mut(&mut told.lines).retain(|line| !line.detail);
            let title = told.heading();
            let document = told.document(&title, &context.telling(), None);
            let mut text = table(&told.lines, &document, width());
            let briefed = brief(&reader, incident.id).await?;
            text.push_str(&open_needs(&briefed.briefing.needs, (context.lang(), context.zone())));
            return Ok(page(context, "incident", &incident.number, text));
        }
    }
    let plan = context.shelves.plan(what, &context.scripts, &context.out)?;
    let text = checklist(&plan, &Catalogue::first(), None, context.lang());
    Ok(page(context, "playbook", plan.name().as_str(), text))
}

/// A page for paper; as JSON with what it is of.
fn page(context: &Context, of: &str, name: &str, text: String) -> Exit {
    if context.out.json {
        context.out.value(&json!({"of": of, "name": name, "text": text}));
    } else {
        context.out.line(text);
    }
    Exit::Ok
}
