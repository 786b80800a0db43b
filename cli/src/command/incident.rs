//! Incidents, notes, evidence.

use beistand_core::incident::AssetState;
use beistand_core::model::{FileName, Mode, Organisation, Person, Severity, TargetKind};
use beistand_core::run::Actor;
use beistand_core::timeline::{Scope, proposals};
use beistand_journal::{Asset, Page, RunFilter};
use beistand_runtime::{IncidentAct, NewIncident, VIEW_ROWS_MAX, Verb, ViewPage, brief, offer_of};
use serde_json::{Value, json};

use super::handover;
use crate::args::{EditArgs, EvidenceVerb, IncidentVerb};
use crate::exit::{Exit, Failure, Outcome};
use crate::find;
use crate::session::Context;
use crate::values;

pub(super) fn usage(error: impl std::fmt::Display) -> Failure {
    Failure::usage(error.to_string())
}

pub(super) async fn incident(context: &Context, verb: IncidentVerb) -> Outcome {
    match verb {
        IncidentVerb::Open { title, drill, severity, tlp } => {
            let new = NewIncident {
                title: title.into(),
                mode: if drill { Mode::Drill } else { Mode::Live },
                severity: Severity::try_from(severity).map_err(usage)?,
                tlp,
                short: context.config.provider.short.clone(),
                by: context.who().await?,
            };
            let opened = context.act(Verb::OpenIncident(new)).await?;
            if context.out.json {
                context.out.value(&opened);
            } else {
                context.out.line(opened.get("number").and_then(Value::as_str).unwrap_or_default());
            }
            Ok(Exit::Ok)
        }
        IncidentVerb::Real { drill } => real(context, &drill).await,
        IncidentVerb::List => list(context).await,
        IncidentVerb::Show { incident } => show(context, &incident).await,
        IncidentVerb::Close { incident, reason } => {
            let reason = reason.map(String::from).unwrap_or_default();
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
        IncidentVerb::Asset { incident, kind, value, state, organisation } => {
            let organisation = organisation.map(|name| name.parse().map_err(usage)).transpose()?;
            assets(context, &incident, (kind, &value), (state, organisation)).await
        }
        IncidentVerb::Edit(args) => edit(context, args).await,
        IncidentVerb::Briefing { incident } => handover::briefing(context, &incident).await,
        IncidentVerb::Handover(args) => handover::handover(context, args).await,
    }
}

/// What is known in a drill, as a live incident: its number, also where it was opened before.
async fn real(context: &Context, drill: &str) -> Outcome {
    let incident = find::incident(&context.reader().await?, drill).await?.id;
    let (short, by) = (context.config.provider.short.clone(), context.who().await?);
    let opened = context.act(Verb::TurnReal { incident, short, by }).await?;
    if context.out.json {
        context.out.value(&opened);
        return Ok(Exit::Ok);
    }
    if opened.get("already").is_some() {
        context.out.note("it was opened before");
    }
    context.out.line(opened.get("number").and_then(Value::as_str).unwrap_or_default());
    context.out.note("no run, approval, hold, role or file goes along: give the roles anew");
    Ok(Exit::Ok)
}

pub(super) async fn act(context: &Context, incident: &str, act: IncidentAct) -> Outcome {
    write(context, incident, (act, None), context.who().await?).await
}

/// Something done to an incident: only if its newest entry has this number, where one is given.
pub(super) async fn write(
    context: &Context,
    incident: &str,
    (act, if_seq): (IncidentAct, Option<u64>),
    by: Actor,
) -> Outcome {
    let found = find::incident(&context.reader().await?, incident).await?;
    let verb = Verb::Incident { incident: found.id, act, by, if_seq };
    let answer = context.act(verb).await?;
    if context.out.json {
        context.out.value(&answer);
    } else if answer.get("already").is_some() {
        context.out.note(format_args!("{} stands so already", found.number));
    } else {
        context.out.note(format_args!("written into {}", found.number));
    }
    Ok(Exit::Ok)
}

async fn edit(context: &Context, args: EditArgs) -> Outcome {
    let EditArgs { incident, change, reason, if_seq } = args;
    let severity = change.severity.map(Severity::try_from).transpose().map_err(usage)?;
    let (title, tlp) = (change.title.map(String::from), change.tlp);
    let reason = reason.map(String::from).unwrap_or_default();
    let act = IncidentAct::Edit { title, severity, tlp, reason };
    write(context, &incident, (act, if_seq), context.who().await?).await
}

/// One asset, or those of a file.
async fn assets(
    context: &Context,
    incident: &str,
    (kind, value): (TargetKind, &str),
    (state, organisation): (AssetState, Option<Organisation>),
) -> Outcome {
    let values = match value.strip_prefix('@') {
        Some(file) => values::lines(file)?,
        None => vec![value.to_owned()],
    };
    if values.is_empty() {
        return Err(usage(format!("`{value}` names nothing")));
    }
    act(context, incident, IncidentAct::Assets { kind, values, state, organisation }).await
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
    context.say_stopped(&reader).await?;
    let incident = find::incident(&reader, text).await?;
    let assets = reader.assets(incident.id).await?;
    let offer = offer_of(&incident);
    let mut all = context.views(&reader).incident(incident.id, &Scope::ALL).await?;
    let briefed = brief(&reader, incident.id).await?;
    if context.out.json {
        if let Value::Object(fields) = &mut all {
            fields.insert("proposals".to_owned(), json!(briefed.briefing.proposals));
        }
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
        fields.insert(
            "assets".to_owned(),
            assets.iter().map(said).collect::<Vec<_>>().join("; ").into(),
        );
        let offered = offer.as_ref().map(|offer| {
            let (to, by, since) = (&offer.to, &offer.by, context.time(offer.since));
            format!("command to {to} by {by} since {since}, briefing {}", offer.digest)
        });
        let proposals = proposals(&briefed.briefing, (context.lang(), context.zone()));
        let proposals = if proposals.is_empty() { "-".to_owned() } else { proposals.join("; ") };
        fields.insert("proposals".to_owned(), proposals.into());
        fields.insert("offer".to_owned(), offered.unwrap_or_else(|| "-".to_owned()).into());
        for (name, value) in fields {
            let text = match &value {
                Value::Null => "-".to_owned(),
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    value.to_string()
                }
            };
            context.out.line(format_args!("{name}: {}", crate::out::cell(&text)));
        }
    }
    Ok(Exit::Ok)
}

/// An asset in a line: `host pc-2 affected (stadt-a)`.
fn said(asset: &Asset) -> String {
    let whose = asset.organisation.as_ref().map(|whose| format!(" ({whose})"));
    format!("{} {} {}{}", asset.kind, asset.value, asset.state, whose.unwrap_or_default())
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
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = name.parse::<FileName>().map_err(usage)?.into();
    let base64 = base64::engine::general_purpose::STANDARD.encode(bytes);
    act(context, &incident, IncidentAct::Evidence { name, base64 }).await
}
