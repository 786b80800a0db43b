//! `timeline` and `print`: what happened, and what is to be done, on paper if need be.

use std::collections::BTreeMap;
use std::sync::Arc;

use beistand_core::entry::StreamKind;
use beistand_core::incident::{self, store};
use beistand_core::model::{Catalogue, Digest, IncidentId, Tlp};
use beistand_core::playbook::Plan;
use beistand_core::run;
use beistand_core::timeline::{
    Chain, ChainEntry, Document, Events, Lang, Recorded, Scope, TimelineEntry, checklist, csv,
    html, jsonl, table, timeline as weave,
};
use beistand_journal::{Incident, Page, Reader, RunFilter, Stream};
use beistand_runtime::{Clock as _, WallClock, pinned, read_pinned, view};
use serde_json::{Value, json};

use crate::args::{Format, TimelineArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::find;
use crate::session::Context;

/// Entries read at once.
const PAGE: u32 = 1_000;

impl Context {
    fn lang(&self) -> Lang {
        if self.german { Lang::De } else { Lang::En }
    }
}

/// Everything an incident's timeline is made of.
struct Material {
    entries: Vec<Recorded>,
    plans: BTreeMap<Digest, Arc<Plan>>,
    /// The same entries as an export carries them.
    chained: Vec<ChainEntry>,
}

pub(super) async fn timeline(context: &Context, args: &TimelineArgs) -> Outcome {
    if context.out.json && args.format.is_some() {
        return Err(Failure::usage("--json is a format of its own")
            .hint("say --json, or --format, not both"));
    }
    let format = args.format.unwrap_or(Format::Table);
    let reader = context.reader().await?;
    let incident = find::incident(&reader, &args.incident).await?;
    let material = gather(context, &reader, incident.id).await?;
    let mut lines = weave(&material.entries, &material.plans, &Scope::ALL, context.lang());
    if context.out.json {
        context.out.value(&as_array(&lines, &document(context, &incident, "", None))?);
        return Ok(Exit::Ok);
    }
    if !args.all && format == Format::Table {
        lines.retain(|line| !line.detail);
    }
    let chain = match format {
        Format::Jsonl | Format::Html => Some(Chain::new(material.chained)),
        Format::Table | Format::Csv => None,
    };
    let title = format!("{} {}", incident.number, incident.title);
    let document = document(context, &incident, &title, chain.as_ref());
    let text = match format {
        Format::Table => table(&lines, &document, width()),
        Format::Jsonl => jsonl(&lines, &document),
        Format::Csv => csv(&lines),
        Format::Html => html(&lines, &document),
    };
    let text = text.trim_end_matches('\n');
    match format {
        Format::Table => context.out.line(text),
        Format::Jsonl | Format::Csv | Format::Html => context.out.document(text),
    }
    Ok(Exit::Ok)
}

/// The lines of the export as one JSON array: whoever reads one reads the other.
fn as_array(lines: &[TimelineEntry], document: &Document<'_>) -> Outcome<Value> {
    let read = |line: &str| serde_json::from_str(line);
    let lines: Result<Vec<Value>, _> = jsonl(lines, document).lines().map(read).collect();
    lines.map(Value::Array).map_err(|error| Failure::new(Exit::Internal, error.to_string()))
}

fn width() -> usize {
    let columns = crate::config::variable("COLUMNS").and_then(|text| text.parse().ok());
    columns.unwrap_or(100)
}

fn document<'a>(
    context: &Context,
    incident: &Incident,
    title: &'a str,
    chain: Option<&'a Chain>,
) -> Document<'a> {
    Document {
        title,
        mode: incident.mode,
        tlp: incident.tlp,
        lang: context.lang(),
        zone: context.zone(),
        as_of: WallClock.now(),
        chain,
    }
}

#[expect(clippy::map_entry, reason = "a query stands between the question and the insertion")]
async fn gather(context: &Context, reader: &Reader, id: IncidentId) -> Outcome<Material> {
    let mut material =
        Material { entries: Vec::new(), plans: BTreeMap::new(), chained: Vec::new() };
    // Before all others: what its seals name is there when the others are read.
    let own = reader.meta().await?.store.to_string();
    if let Some(stream) = reader.stream(StreamKind::Store, &own).await? {
        read(reader, &stream, &mut material).await?;
    }
    if let Some(stream) = reader.stream(StreamKind::Incident, &id.to_string()).await? {
        read(reader, &stream, &mut material).await?;
    }
    let filter = RunFilter { incident: Some(id), ..RunFilter::default() };
    for (_, row) in reader.runs(&filter, Page::first(100_000)).await? {
        if !material.plans.contains_key(&row.plan) {
            let body: Value = serde_json::from_str(&row.body).unwrap_or_default();
            let digest =
                body.get("sources").and_then(Value::as_str).and_then(|text| text.parse().ok());
            if let Some(digest) = digest
                && let Some(kept) = pinned(reader, digest).await?
                && let Ok(plan) = read_pinned(&kept, &Catalogue::first(), &context.scripts)
            {
                material.plans.insert(row.plan, Arc::new(plan));
            }
        }
        if let Some(stream) = reader.stream(StreamKind::Run, &row.id.to_string()).await? {
            read(reader, &stream, &mut material).await?;
        }
    }
    Ok(material)
}

async fn read(reader: &Reader, stream: &Stream, material: &mut Material) -> Outcome<()> {
    let (mut after, mut prev) = (0, Digest::ZERO);
    loop {
        let page = reader.entries(stream, after, PAGE).await?;
        for entry in &page {
            material.chained.push(entry.chained(stream, prev)?);
            (after, prev) = (entry.seq, entry.hash);
            let body = entry.body.as_deref();
            let decoded = match stream.kind() {
                StreamKind::Run => run::decode(&entry.head, body)
                    .map(|(id, events)| (Some(id), Events::Run(events))),
                StreamKind::Incident => incident::decode(&entry.head, body)
                    .map(|(id, events)| (Some(id), Events::Incident(events))),
                StreamKind::Store | StreamKind::Aid => {
                    store::decode(&entry.head, body).map(|(id, events)| (id, Events::Store(events)))
                }
            };
            let (id, events) = decoded.map_err(|error| {
                Failure::new(
                    Exit::Broken,
                    format!("entry {} of `{}`: {error}", entry.seq, stream.name()),
                )
                .hint("`beistand verify` looks at all of the store")
            })?;
            let recorded = Recorded {
                stream: stream.name().to_owned(),
                seq: entry.seq,
                at: entry.at,
                id,
                events,
            };
            material.entries.push(recorded);
        }
        if page.len() < PAGE as usize {
            return Ok(());
        }
    }
}

/// A checklist: of a run, of an incident's runs, or of a playbook.
pub(super) async fn print(context: &Context, what: &str) -> Outcome {
    let catalogue = Catalogue::first();
    if let Ok(reader) = Reader::open(&context.url).await {
        if let Ok(run) = find::run(&reader, what).await {
            let (plan, state, _) = view(&reader, run, &context.scripts).await?;
            let text = checklist(&plan, &catalogue, Some(&state), context.lang());
            return Ok(page(context, "run", &run.to_string(), text));
        }
        if let Ok(incident) = find::incident(&reader, what).await {
            let material = gather(context, &reader, incident.id).await?;
            let mut lines = weave(&material.entries, &material.plans, &Scope::ALL, context.lang());
            lines.retain(|line| !line.detail);
            let title = format!(
                "{} {} (TLP:{})",
                incident.number,
                incident.title,
                Tlp::as_str(incident.tlp)
            );
            let text = table(&lines, &document(context, &incident, &title, None), width());
            return Ok(page(context, "incident", &incident.number, text));
        }
    }
    let plan = context.shelves.plan(what, &context.scripts, &context.out)?;
    let text = checklist(&plan, &catalogue, None, context.lang());
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
