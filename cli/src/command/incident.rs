//! Incidents, notes, evidence.

use beistand_core::model::{Mode, Person, Severity};
use beistand_core::timeline::Scope;
use beistand_journal::{Page, RunFilter};
use beistand_runtime::{IncidentAct, NewIncident, VIEW_ROWS_MAX, Verb, ViewPage};
use serde_json::{Value, json};

use crate::args::{EvidenceVerb, IncidentVerb};
use crate::exit::{Exit, Failure, Outcome};
use crate::find;
use crate::session::Context;

fn usage(error: impl std::fmt::Display) -> Failure {
    Failure::usage(error.to_string())
}

pub(super) async fn incident(context: &Context, verb: IncidentVerb) -> Outcome {
    match verb {
        IncidentVerb::Open { title, drill, severity, tlp } => {
            let new = NewIncident {
                title,
                mode: if drill { Mode::Drill } else { Mode::Live },
                severity: Severity::try_from(severity).map_err(usage)?,
                tlp,
                short: context.config.provider.short.clone(),
                by: context.who()?,
            };
            let opened = context.act(Verb::OpenIncident(new)).await?;
            if context.out.json {
                context.out.value(&opened);
            } else {
                context.out.line(opened.get("number").and_then(Value::as_str).unwrap_or_default());
            }
            Ok(Exit::Ok)
        }
        IncidentVerb::List => list(context).await,
        IncidentVerb::Show { incident } => show(context, &incident).await,
        IncidentVerb::Close { incident, reason } => {
            let exit = act(context, &incident, IncidentAct::Close { reason }).await?;
            still_going(context, &incident).await?;
            Ok(exit)
        }
        IncidentVerb::Assign { incident, role, person } => {
            let person: Person = person.parse().map_err(usage)?;
            act(context, &incident, IncidentAct::Assign { role, person: Some(person) }).await
        }
        IncidentVerb::Link { incident, organisation } => {
            let organisation = organisation.parse().map_err(usage)?;
            act(context, &incident, IncidentAct::Link { organisation }).await
        }
    }
}

async fn act(context: &Context, incident: &str, act: IncidentAct) -> Outcome {
    let found = find::incident(&context.reader().await?, incident).await?;
    let verb = Verb::Incident { incident: found.id, act, by: context.who()? };
    let answer = context.act(verb).await?;
    if context.out.json {
        context.out.value(&answer);
    } else {
        context.out.note(format_args!("written into {}", found.number));
    }
    Ok(Exit::Ok)
}

/// Closing an incident ends nothing that goes on in it.
async fn still_going(context: &Context, incident: &str) -> Outcome<()> {
    let reader = context.reader().await?;
    let found = find::incident(&reader, incident).await?;
    let filter = RunFilter { incident: Some(found.id), unfinished: true, ..RunFilter::default() };
    let count = reader.runs(&filter, Page::first(1_000)).await?.len();
    if count > 0 {
        context.out.loud(format_args!(
            "{count} of its runs have not ended and go on; `beistand cancel --incident {} --reason …` \
             ends them",
            found.number
        ));
    }
    Ok(())
}

async fn list(context: &Context) -> Outcome {
    let reader = context.reader().await?;
    if context.out.json {
        let page = ViewPage::first(VIEW_ROWS_MAX);
        let all = context.views(&reader).incidents(&page, &Scope::ALL).await?;
        context.out.value(&json!(all.items));
        return Ok(Exit::Ok);
    }
    let rows = reader.incidents(Page::first(VIEW_ROWS_MAX)).await?;
    let lines: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(_, incident)| {
            let state = if incident.closed_at.is_some() { "closed" } else { "open" };
            vec![
                incident.number,
                state.to_owned(),
                incident.mode.to_string(),
                incident.severity.get().to_string(),
                context.time(incident.opened_at),
                incident.title,
            ]
        })
        .collect();
    if lines.is_empty() {
        context.out.note("there are no incidents; `beistand incident open TITLE` opens one");
    } else {
        context.out.table(&["NUMBER", "STATE", "MODE", "SEVERITY", "OPENED", "TITLE"], &lines);
    }
    Ok(Exit::Ok)
}

async fn show(context: &Context, text: &str) -> Outcome {
    let reader = context.reader().await?;
    let incident = find::incident(&reader, text).await?;
    let mut all = context.views(&reader).incident(incident.id, &Scope::ALL).await?;
    if context.out.json {
        context.out.value(&all);
    } else if let Value::Object(fields) = &mut all {
        let times = [("opened_at", Some(incident.opened_at)), ("closed_at", incident.closed_at)];
        for (name, at) in times {
            let at = at.map_or_else(|| "-".to_owned(), |at| context.time(at));
            fields.insert(name.to_owned(), at.into());
        }
        let kept = reader.evidence(incident.id).await?;
        let kept: Vec<String> = kept
            .iter()
            .map(|one| {
                format!("{} {} by {}, {}", one.name, one.digest, one.by, context.time(one.at))
            })
            .collect();
        fields.insert("evidence".to_owned(), kept.join("; ").into());
        // Where there are none, a line would say nothing.
        if fields.get("assets").is_some_and(|assets| *assets == json!([])) {
            fields.remove("assets");
        }
        for (name, value) in fields {
            let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            context.out.line(format_args!("{name}: {}", crate::out::cell(&text)));
        }
    }
    Ok(Exit::Ok)
}

pub(super) async fn note(
    context: &Context,
    incident: &str,
    text: String,
    at: Option<&str>,
) -> Outcome {
    let at = find::past(at)?;
    act(context, incident, IncidentAct::Note { text, at }).await
}

/// Largest file kept as evidence through the command line: the size of a blob.
const EVIDENCE_BYTES_MAX: u64 = 16 * 1024 * 1024;

pub(super) async fn evidence(context: &Context, verb: EvidenceVerb) -> Outcome {
    use base64::Engine as _;
    let EvidenceVerb::Add { incident, file } = verb;
    let length = std::fs::metadata(&file)
        .map_err(|error| {
            Failure::not_found(format!("could not read `{}`: {error}", file.display()))
        })?
        .len();
    if length > EVIDENCE_BYTES_MAX {
        return Err(usage(format!(
            "`{}` has {length} bytes, at most {EVIDENCE_BYTES_MAX} are kept",
            file.display()
        ))
        .hint("keep it elsewhere and note its SHA-256"));
    }
    let bytes = std::fs::read(&file)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let base64 = base64::engine::general_purpose::STANDARD.encode(bytes);
    act(context, &incident, IncidentAct::Evidence { name, base64 }).await
}
