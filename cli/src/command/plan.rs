//! `plan`: what a run would do, before it does anything.

use std::path::Path;

use beistand_core::model::{Catalogue, Schema};
use beistand_core::playbook::{Kind, Node, NodeId, Plan};
use beistand_core::run::{LaunchError, kind_word};
use serde_json::{Value, json};

use crate::args::{Inputs, PlanArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::missing::missing;
use crate::modes::modes;
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
    let store = beistand_core::model::StoreId::new(0, &[0; 10]);
    let modes = modes(&context.config, store, &context.url, Vec::new())?;
    let bound = |capability: &str, via: Option<&str>| {
        let fits = |b: &&beistand_core::run::Binding| {
            b.capability == capability && b.slot.as_deref() == via
        };
        modes.live.bindings.iter().find(fits).map(|b| b.connector.to_string())
    };
    let catalogue = Catalogue::first();
    let steps: Vec<Value> = plan
        .nodes()
        .map(|(id, node)| {
            let mut line = json!({
                "id": node.id, "path": path(&plan, id), "kind": kind_word(&node.kind),
                "title": node.title, "when": node.when.as_ref().map(|when| when.text.clone()),
                "approval": node.approval.as_ref().map(|gate| json!({"role": gate.role, "votes": gate.votes})),
            });
            if let (Kind::Call(call), Value::Object(line)) = (&node.kind, &mut line) {
                let spec = catalogue.get(&call.action);
                let connector = bound(call.action.capability(), call.via.as_ref().map(beistand_core::model::StepId::as_str));
                let undo = spec.and_then(|spec| spec.undo.as_ref()).map(|undo| undo.action.to_string());
                line.insert("action".to_owned(), json!(call.action));
                let arguments: serde_json::Map<_, _> =
                    call.with.iter().map(|(name, with)| (name.clone(), with.written())).collect();
                line.insert("arguments".to_owned(), Value::Object(arguments));
                line.insert("destructive".to_owned(), json!(spec.is_some_and(|spec| spec.destructive)));
                line.insert("by_hand".to_owned(), json!(connector.is_none()));
                line.insert("connector".to_owned(), json!(connector));
                line.insert("undo".to_owned(), json!(undo));
            }
            line
        })
        .collect();
    let missing = missing(&plan, &inputs, &modes.live);
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

/// Warns of what a live run would still miss.
fn say_missing(context: &Context, missing: &[String]) {
    for text in missing {
        context.out.loud(format_args!("missing for a live run: {text}"));
    }
}

/// The same after a drill of it, which pretends whatever is not there.
pub(super) fn say_missing_live(context: &Context, plan: &Plan, inputs: &Value) -> Outcome<()> {
    if !context.out.json {
        let store = beistand_core::model::StoreId::new(0, &[0; 10]);
        let modes = modes(&context.config, store, &context.url, Vec::new())?;
        say_missing(context, &missing(plan, inputs, &modes.live));
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

/// The path of a node with `[…]` for loop rounds.
fn path(plan: &Plan, id: NodeId) -> String {
    let node: &Node = plan.node(id);
    let mut text = match node.parent {
        None => String::new(),
        Some(parent) => {
            let looping = matches!(plan.node(parent).kind, Kind::ForEach(_) | Kind::Repeat(_));
            let rounds = if looping && node.branch.is_none() { "[…]" } else { "" };
            format!("{}{rounds}/", path(plan, parent))
        }
    };
    if let Some(branch) = &node.branch {
        text.push_str(branch);
        text.push('/');
    }
    text.push_str(node.id.as_str());
    text
}
