//! `plan`: what a run would do, before it does anything.

use std::path::Path;

use beistand_core::model::{Catalogue, Schema};
use beistand_core::playbook::Plan;
use beistand_core::run::{
    LaunchError, PlannedBy, PlannedEffect, PlannedStep, PlannedUndo, kind_word, planned,
};
use serde_json::{Map, Value, json};

use crate::args::{Inputs, PlanArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::missing::sentences;
use crate::modes::without_store;
use crate::session::Context;
use crate::values;

/// The inputs of a call, with defaults filled in and checked.
pub(super) fn inputs(inputs: &Inputs, schema: &Schema) -> Outcome<Value> {
    let mut value = match &inputs.inputs {
        Some(file) => from_file(file)?,
        None => json!({}),
    };
    let typed = values::read(&inputs.pairs, schema)?;
    if let (Value::Object(all), Value::Object(more)) = (&mut value, typed) {
        all.extend(more);
    }
    Ok(value)
}

fn from_file(file: &Path) -> Outcome<Value> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("could not read `{}`: {error}", file.display())))?;
    serde_yaml::from_str(&text)
        .map_err(|error| Failure::usage(format!("`{}` can not be read: {error}", file.display())))
}

pub(super) fn plan(context: &Context, args: &PlanArgs) -> Outcome {
    let plan = context.shelves.plan(&args.playbook, &context.scripts, &context.out)?;
    let mut inputs = inputs(&args.inputs, &plan.parts().inputs)?;
    plan.parts().inputs.fill(&mut inputs);
    let problems = plan.parts().inputs.problems(&inputs);
    let modes = without_store(&context.config, &context.url)?;
    let by = PlannedBy {
        catalogue: &Catalogue::first(),
        bindings: &modes.live.bindings,
        policy: modes.live.setup.policy.as_deref(),
    };
    let steps: Vec<Value> = planned(&plan, by, &inputs).iter().map(step).collect();
    let missing = sentences(&plan, &inputs, &modes.live);
    let by_hand = steps.iter().filter(|step| step.get("by_hand") == Some(&json!(true))).count();
    if context.out.json {
        context.out.value(&json!({
            "playbook": plan.name(), "title": plan.parts().title, "digest": plan.digest(),
            "inputs": inputs, "problems": problems, "steps": steps, "by_hand": by_hand,
            "missing": missing,
        }));
    } else {
        text(context, &plan, &steps);
        say_missing(context, &missing);
    }
    // The plan was shown; with these inputs no run of it would begin.
    if problems.is_empty() { Ok(Exit::Ok) } else { Err(LaunchError::Inputs(problems).into()) }
}

/// A step as it is shown; a call with what does it, and what would take it back.
fn step(step: &PlannedStep<'_>) -> Value {
    let node = step.node;
    let gate = node.approval.as_ref();
    let mut shown = json!({
        "id": node.id, "path": step.path, "kind": kind_word(&node.kind),
        "title": node.title, "when": node.when.as_ref().map(|when| when.text.clone()),
        "approval": gate.map(|gate| json!({"role": gate.role, "votes": gate.votes})),
    });
    if let (Some(known), Value::Object(shown)) = (&step.effect, &mut shown) {
        shown.extend(effect(known));
    }
    shown
}

fn effect(effect: &PlannedEffect<'_>) -> Map<String, Value> {
    let call = effect.call;
    let connector = effect.connectors.first();
    let undo = match &effect.undo {
        PlannedUndo::Nothing => None,
        PlannedUndo::Call(action) => Some(action.to_string()),
        PlannedUndo::Steps => Some("steps".to_owned()),
    };
    let arguments = call.with.iter().map(|(name, with)| (name.clone(), with.written()));
    let facts = [
        ("action", json!(call.action)),
        ("arguments", Value::Object(arguments.collect())),
        ("destructive", json!(effect.destructive)),
        ("by_hand", json!(connector.is_none())),
        ("connector", json!(connector)),
        ("undo", json!(undo)),
    ];
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Warns of what a live run would still miss.
fn say_missing(context: &Context, missing: &[String]) {
    for text in missing {
        context.out.loud(format_args!("missing for a live run: {text}"));
    }
}

/// The same before a live run begins, and after a drill, which pretends whatever is not there.
pub(super) fn say_missing_live(context: &Context, plan: &Plan, inputs: &Value) -> Outcome<()> {
    if !context.out.json {
        let modes = without_store(&context.config, &context.url)?;
        say_missing(context, &sentences(plan, inputs, &modes.live));
    }
    Ok(())
}

fn text(context: &Context, plan: &Plan, steps: &[Value]) {
    context.out.line(format_args!(
        "{}  ({})",
        crate::out::cell(&plan.parts().title),
        plan.digest()
    ));
    let word =
        |step: &Value, name: &str| step.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
    let rows: Vec<Vec<String>> = steps
        .iter()
        .map(|step| {
            let by_hand = step.get("by_hand") == Some(&json!(true));
            let who = if by_hand { "a person".to_owned() } else { word(step, "connector") };
            let gate =
                step.get("approval").filter(|gate| !gate.is_null()).map_or(String::new(), |gate| {
                    format!(
                        "{} × {}",
                        gate.get("votes").unwrap_or(&Value::Null),
                        word(gate, "role")
                    )
                });
            let what = if word(step, "action").is_empty() {
                word(step, "kind")
            } else {
                word(step, "action")
            };
            vec![word(step, "path"), what, who, gate, word(step, "undo")]
        })
        .collect();
    context.out.table(&["STEP", "WHAT", "THROUGH", "GATE", "UNDO"], &rows);
}
