//! What a plan says before it does anything.

use serde_json::json;

use super::*;
use crate::model::Role;
use crate::playbook::{
    CheckRequest, Checked, EvalError, Expressions, Fault, Names, NoLibrary, ReadPath, ScriptKind,
    SourceText, Type, check,
};

/// Stands in for the script language: every text is one bare path.
struct Bare;

impl Expressions for Bare {
    fn check(&self, text: &str, _: ScriptKind, _: &Names) -> Result<Checked, Vec<Fault>> {
        let path = ReadPath(text.split('.').map(str::to_owned).collect());
        Ok(Checked { reads: vec![path], ty: Type::Any, bare: true })
    }
    fn evaluate(&self, _: &str, _: ScriptKind, _: &Map<String, Value>) -> Result<Value, EvalError> {
        Err(EvalError { message: "nothing runs in here".to_owned(), at: None })
    }
}

const CUT: &str = r#"
playbook: cut
language: 1
title: Cut
inputs:
  hosts: { type: array, items: { type: string, format: host } }
steps:
  - id: look
    task: { role: responder, instructions: Look., form: { more: { type: array, items: { type: string } } } }
  - id: named
    for_each: inputs.hosts
    as: host
    approval: { role: commander, votes: 2 }
    steps:
      - { id: cut, call: network.isolate, with: { host: "${host}", reason: Cut } }
  - id: found
    for_each: steps.look.output.more
    as: host
    steps:
      - { id: off, call: network.isolate, with: { host: "${host}", reason: Cut }, undo: none }
"#;

fn plan() -> Plan {
    let (source, catalogue) = (SourceText::new("x.yaml", CUT), Catalogue::first());
    let (plan, findings) = check(CheckRequest {
        source: &source,
        catalogue: &catalogue,
        library: &NoLibrary,
        expressions: &Bare,
    });
    plan.unwrap_or_else(|| panic!("{findings:?}"))
}

fn effects(bindings: &[Binding], policy: Option<&[PolicyRule]>) -> Vec<(String, usize, Told)> {
    let (plan, catalogue) = (plan(), Catalogue::first());
    let by = PlannedBy { catalogue: &catalogue, bindings, policy };
    let inputs = json!({"hosts": ["pc-1", "pc-2", "pc-1"]});
    let told = |effect: PlannedEffect<'_>| Told {
        connectors: effect.connectors.iter().map(ToString::to_string).collect(),
        undo: effect.undo,
        targets: effect.targets.known.into_iter().map(|(_, name)| name).collect(),
        more: effect.targets.more,
        asks: effect.asks.map(|asks| (asks.votes, asks.role)),
    };
    let steps = planned(&plan, by, &inputs).into_iter();
    steps.filter_map(|step| Some((step.path, step.depth, told(step.effect?)))).collect()
}

#[derive(Debug, PartialEq)]
struct Told {
    connectors: Vec<String>,
    undo: PlannedUndo,
    targets: Vec<String>,
    more: bool,
    asks: Option<(u32, Role)>,
}

#[test]
fn what_is_hit_is_known_as_far_as_the_inputs_say_it() {
    let [(cut, depth, named), (off, _, found)] = &effects(&[], None)[..] else { panic!("two") };
    assert_eq!((cut.as_str(), *depth), ("named[…]/cut", 1));
    assert_eq!(off, "found[…]/off");
    let release = PlannedUndo::Call("network.release".parse().unwrap());
    let targets = vec!["pc-1".to_owned(), "pc-2".to_owned()];
    let asks = Some((2, Role::Commander));
    let connectors = Vec::new();
    assert_eq!(*named, Told { connectors, undo: release, targets, more: false, asks });
    assert_eq!((&found.undo, found.more, found.asks), (&PlannedUndo::Nothing, true, None));
    assert_eq!(found.targets, [""; 0]);
}

#[test]
fn the_house_asks_beside_the_playbook() {
    let edge = |organisation: Option<&str>, name: &str| Binding {
        organisation: organisation.map(|name| name.parse().unwrap()),
        ..Binding::any("network", name.parse().unwrap())
    };
    let bindings = [edge(Some("stadt-a"), "fw-a"), edge(None, "router"), edge(None, "router")];
    let all = effects(&bindings, Some(&[]));
    let [(_, _, named), (_, _, found)] = &all[..] else { panic!("two") };
    assert_eq!(named.connectors, ["fw-a", "router"]);
    assert_eq!(named.asks, Some((2, Role::Commander)));
    assert_eq!(found.asks, Some((1, Role::Commander)), "the policy's own rule");
}
