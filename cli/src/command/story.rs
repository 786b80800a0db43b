//! `note`, `star` and `story`: what people add to a timeline. No line that is there is changed by it.

use beistand_core::incident::{Mark, Telling};
use beistand_core::model::LineId;
use beistand_core::timeline::Scope;
use beistand_runtime::IncidentAct;
use serde_json::json;

use super::incident::{act, write};
use crate::args::{NoteArgs, StarArgs, StoryVerb, TellArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::find;
use crate::session::Context;

pub(super) async fn note(context: &Context, args: NoteArgs) -> Outcome {
    let at = find::past(args.at.as_deref(), context.zone())?;
    let by = context.wrote(args.by.as_deref()).await?;
    let text = args.text.into();
    let act = match args.corrects {
        None => IncidentAct::Note { text, at },
        Some(line) => {
            let line = line_of(context, &args.incident, &line).await?;
            let reason = args.reason.map(String::from).unwrap_or_default();
            IncidentAct::Mark { line, mark: Mark::Correct { text, happened_at: at, reason } }
        }
    };
    write(context, &args.incident, (act, None), by).await
}

pub(super) async fn star(context: &Context, args: &StarArgs) -> Outcome {
    let line = line_of(context, &args.incident, &args.line).await?;
    let mark = if args.off { Mark::Unstar } else { Mark::Star };
    act(context, &args.incident, IncidentAct::Mark { line, mark }).await
}

pub(super) async fn story(context: &Context, verb: StoryVerb) -> Outcome {
    match verb {
        StoryVerb::Show { incident } => show(context, &incident).await,
        StoryVerb::Tell(args) => tell(context, args).await,
        StoryVerb::LeaveOut { incident, line } => {
            let line = line_of(context, &incident, &line).await?;
            act(context, &incident, IncidentAct::Mark { line, mark: Mark::LeaveOut }).await
        }
    }
}

async fn tell(context: &Context, args: TellArgs) -> Outcome {
    let happened_at = find::past(args.at.as_deref(), context.zone())?;
    let line = line_of(context, &args.incident, &args.line).await?;
    let (title, text) = (args.title.map(String::from), args.text.map(String::from));
    let telling = Telling { title, text, happened_at, place: args.place };
    let mark = Mark::Tell(telling);
    act(context, &args.incident, IncidentAct::Mark { line, mark }).await
}

async fn show(context: &Context, incident: &str) -> Outcome {
    let reader = context.reader().await?;
    let incident = find::incident(&reader, incident).await?;
    let views = context.views(&reader);
    let story = views.told(incident.id, context.lang(), &Scope::ALL).await?.story();
    if context.out.json {
        context.out.value(&json!({"items": story}));
        return Ok(Exit::Ok);
    }
    if story.is_empty() {
        context.out.note("nothing is told of it yet; `beistand story tell` begins");
    }
    for entry in &story {
        let title = entry.title.as_deref().unwrap_or(&entry.message);
        context.out.line(format_args!("{}  {title}", context.time(entry.at)));
        if let Some(text) = &entry.text {
            context.out.line(format_args!("    {text}"));
        }
    }
    Ok(Exit::Ok)
}

/// The line of an incident's timeline with this name, or the only one whose name begins so.
async fn line_of(context: &Context, incident: &str, text: &str) -> Outcome<LineId> {
    let reader = context.reader().await?;
    let incident = find::incident(&reader, incident).await?;
    let told = context.views(&reader).told(incident.id, context.lang(), &Scope::ALL).await?;
    let names = told.lines.iter().filter_map(beistand_core::timeline::TimelineEntry::line);
    let text = text.to_lowercase();
    let mut found: Vec<LineId> = Vec::new();
    for name in names {
        let written = name.to_string();
        if written == text {
            return Ok(name);
        }
        if written.starts_with(&text) {
            found.push(name);
        }
    }
    let hint = "`beistand timeline INCIDENT --all --ids` names every line";
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            Err(Failure::not_found(format!("there is no line `{text}` in this timeline"))
                .hint(hint))
        }
        several => {
            let text = format!("`{text}` is the beginning of {} lines", several.len());
            Err(Failure::usage(text).hint(hint))
        }
    }
}
