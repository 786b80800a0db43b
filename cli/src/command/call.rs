//! `call`: one effect now, as a run of one step: with guard, limits, policy, journal and undo.

use beistand_core::model::{ActionName, Catalogue, Mode};
use beistand_core::playbook::SourceText;
use beistand_runtime::{IncidentAct, Verb};
use serde_json::{Value, json};

use crate::args::{CallArgs, Inputs, RunArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::find;
use crate::session::Context;
use crate::values;

pub(super) async fn call(context: &Context, args: CallArgs) -> Outcome {
    let action: ActionName =
        args.action.parse().map_err(|error| Failure::usage(format!("{error}")))?;
    let catalogue = Catalogue::first();
    let spec = catalogue.get(&action).ok_or_else(|| {
        let all: Vec<String> = catalogue.iter().map(|spec| spec.name.to_string()).collect();
        Failure::not_found(format!("there is no action `{action}`"))
            .hint(format!("there are: {}", all.join(", ")))
    })?;
    let with = values::read(&args.with, &spec.arguments)?;
    let incident = find::incident(&context.reader().await?, &args.incident).await?;
    if (incident.mode == Mode::Drill) != args.drill {
        let text = format!("incident {} is {}", incident.number, incident.mode);
        return Err(
            Failure::new(Exit::Conflict, text).hint("--drill goes with drills, and only with them")
        );
    }
    let reason = format!("{action}: {}", args.reason);
    let note = IncidentAct::Note { text: reason, at: None };
    context
        .act(Verb::Incident { incident: incident.id, act: note, by: context.who()? })
        .await?;
    let file = write(&action, &spec.title, &with)?;
    let run = RunArgs {
        playbook: file.display().to_string(),
        inputs: Inputs { pairs: Vec::new(), inputs: None },
        incident: Some(incident.number),
        title: None,
        drill: args.drill,
        case: None,
        start_key: None,
        by_hand_ok: args.by_hand_ok,
        detach: false,
        timeout: None,
    };
    let exit = super::run::run(context, run).await;
    drop(std::fs::remove_file(&file));
    exit
}

/// The playbook of one step. Values are data: they stand in it as JSON, never as templates.
fn write(action: &ActionName, title: &str, with: &Value) -> Outcome<std::path::PathBuf> {
    let playbook = json!({
        "playbook": "single-call",
        "language": 1,
        "title": title,
        "steps": [{"id": "act", "title": title, "call": action, "with": literal(with)}],
    });
    let text = serde_json::to_string_pretty(&playbook).unwrap_or_default();
    debug_assert!(text.len() < SourceText::BYTES_MAX, "arguments of one call are small");
    let mut random = [0; 8];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
    let file = std::env::temp_dir().join(format!("beistand-call-{}.yaml", hex::encode(random)));
    std::fs::write(&file, text)?;
    Ok(file)
}

/// `${` in a value from the command line is text.
fn literal(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("${", "$${")),
        Value::Array(items) => items.iter().map(literal).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), literal(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}
