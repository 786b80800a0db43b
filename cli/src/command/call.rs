//! `call`: one effect now, as a run of one step: with guard, limits, policy, journal and undo.

use beistand_core::model::{ActionName, ActionSpec, Catalogue, IncidentId, Mode, RunId};
use beistand_core::playbook::{Plan, SourceText};
use beistand_core::run::{Actor, Connectors as _, Launch, Legacy, launch, never_sent, touched};
use beistand_journal::Incident;
use beistand_runtime::{IncidentAct, ModeSetup, Verb};
use serde_json::{Value, json};

use crate::args::{CallArgs, Inputs, RunArgs, Watching};
use crate::exit::{Exit, Failure, Outcome};
use crate::find;
use crate::modes::modes;
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
    let mut filled = with.clone();
    spec.arguments.fill(&mut filled);
    let problems = spec.arguments.problems(&filled);
    if !problems.is_empty() {
        let said = problems.iter().map(|p| format!("\n  `{}` {}", p.at, p.message));
        return Err(Failure::usage(format!(
            "the arguments do not fit{}",
            said.collect::<String>()
        )));
    }
    let incident = find::incident(&context.reader().await?, &args.incident).await?;
    if (incident.mode == Mode::Drill) != args.drill {
        let text = format!("incident {} is {}", incident.number, incident.mode);
        return Err(
            Failure::new(Exit::Conflict, text).hint("--drill goes with drills, and only with them")
        );
    }
    if incident.closed_at.is_some() {
        let text = format!("incident {} is closed", incident.number);
        return Err(Failure::new(Exit::Conflict, text));
    }
    let plan = plan(context, &action, &spec.title, &with)?;
    let by = context.who().await?;
    may_be_sent(context, (&args, by), (spec, &filled), &plan, &incident)?;
    let text = format!("{action}: {}", args.reason);
    let act = IncidentAct::Note { text, at: None };
    let verb =
        Verb::Incident { incident: incident.id, act, by: context.who().await?, if_seq: None };
    context.act(verb).await?;
    let run = RunArgs {
        playbook: plan.name().to_string(),
        inputs: Inputs { pairs: Vec::new(), inputs: None },
        incident: Some(incident.number),
        title: None,
        drill: args.drill,
        case: None,
        watching: Watching {
            start_key: None,
            by_hand_ok: args.by_hand_ok,
            detach: false,
            timeout: None,
        },
    };
    super::run::run_plan(context, run, &plan).await
}

/// Refuses before anything is written what would be refused anyway: a target that is not known or
/// never touched, no guard section, nobody who does it.
fn may_be_sent(
    context: &Context,
    (args, by): (&CallArgs, Actor),
    (spec, with): (&ActionSpec, &Value),
    plan: &Plan,
    incident: &Incident,
) -> Outcome<()> {
    let store = beistand_core::model::StoreId::new(0, &[0; 10]);
    let modes = modes(&context.config, store, &context.url, Vec::new())?;
    let ModeSetup { setup, bindings, .. } = modes.of(incident.mode);
    let mut targets = Vec::new();
    for (kind, name) in spec.target_names(with) {
        let found = setup.inventory.resolve(kind, &name);
        let target = found.map_err(|error| {
            Failure::not_found(error.to_string()).hint("`beistand inventory list` shows all hosts")
        })?;
        targets.push(target);
    }
    let connectors = modes.of(incident.mode);
    let capability = spec.name.capability();
    let bound = bindings.iter().filter(|binding| binding.capability == capability);
    // Whichever of them it will be; by hand where there is none.
    let does = bound.map(|binding| Some(&binding.connector)).chain([None]);
    let mut hurts = spec.destructive;
    for connector in does {
        hurts |= connector.is_some_and(|name| connectors.destructive(name, &spec.name, with));
        targets = touched((setup, connectors), spec, connector, (with, targets));
    }
    if let Some(why) = hurts.then(|| never_sent(setup, incident.mode, &targets)).flatten() {
        return Err(Failure::new(Exit::NotAllowed, why));
    }
    let wanted = Launch {
        run: RunId::new(0, &[0; 10]),
        incident: IncidentId::new(0, &[0; 10]),
        mode: incident.mode,
        incident_facts: json!({}),
        by,
        inputs: json!({}),
        bindings: bindings.clone(),
        // On a terminal people are asked when the run is started.
        by_hand_ok: args.by_hand_ok || std::io::IsTerminal::is_terminal(&std::io::stdin()),
        guarded: setup.guarded,
        parent: None,
        more_of: None,
        supersedes: None,
        legacy: Legacy::default(),
        trace: None,
    };
    launch(plan, &Catalogue::first(), &wanted).map(drop).map_err(Failure::from)
}

/// The plan of one step. Values are data: they stand in it as JSON, never as templates.
fn plan(context: &Context, action: &ActionName, title: &str, with: &Value) -> Outcome<Plan> {
    let playbook = json!({
        "playbook": "single-call",
        "language": 1,
        "title": title,
        "steps": [{"id": "act", "title": title, "call": action, "with": literal(with)}],
    });
    let text = serde_json::to_string_pretty(&playbook).unwrap_or_default();
    let source = SourceText::new("single-call", text);
    let (plan, findings) = context.shelves.check(&source, &context.scripts);
    plan.ok_or_else(|| {
        context.out.findings(&findings, &[source]);
        Failure::usage(format!("`{action}` can not be called like this"))
    })
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
