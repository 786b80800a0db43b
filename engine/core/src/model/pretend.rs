//! What an action gives where nothing real does it: drills, cases, simulations.
//!
//! The output fits the action's schema and says what a working product would say: what was cut off
//! is cut off. Nothing in here looks real enough to be taken for a real answer: texts say
//! `simulated`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{ActionName, ActionSpec, Catalogue, EffectClass, Format, Schema, SchemaType, Target};

/// Things and the states that pretended actions brought them into.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pretence {
    states: BTreeMap<(String, String), Value>,
}

impl Pretence {
    /// The output of an action, as if it had been done; a look shows what was done before.
    pub fn output(
        &mut self,
        catalogue: &Catalogue,
        spec: &ActionSpec,
        arguments: &Value,
        targets: &[Target],
    ) -> Value {
        let capability = spec.name.capability().to_owned();
        let Some(thing) = thing(spec, arguments, targets) else {
            return simulated_output(catalogue, spec, arguments);
        };
        let place = (capability, thing);
        if is_look(catalogue, &spec.name) {
            if let Some(known) = self.states.get(&place) {
                return known.clone();
            }
            return simulated_output(catalogue, spec, arguments);
        }
        let output = simulated_output(catalogue, spec, arguments);
        if output.get("state").is_some() {
            self.states.insert(place, output.clone());
        }
        output
    }
}

/// What an action is about: its target, or the argument that names one.
fn thing(spec: &ActionSpec, arguments: &Value, targets: &[Target]) -> Option<String> {
    if let Some(target) = targets.first() {
        return Some(target.name.clone());
    }
    let named = ["host", "link", "vm", "account", "address"];
    let name = named.iter().find(|name| has_argument(spec, name))?;
    arguments.get(*name)?.as_str().map(str::to_lowercase)
}

fn has_argument(spec: &ActionSpec, name: &str) -> bool {
    spec.arguments.properties.as_ref().is_some_and(|fields| fields.contains_key(name))
}

/// Whether some action reads its previous state by this one.
fn is_look(catalogue: &Catalogue, action: &ActionName) -> bool {
    catalogue.iter().any(|spec| spec.previous.as_ref() == Some(action))
}

/// How an action may be treated where nothing real says otherwise: what only looks is `read`,
/// what sets a state is `idempotent`, all else happens once.
pub fn pretended_class(catalogue: &Catalogue, spec: &ActionSpec, arguments: &Value) -> EffectClass {
    let verb = verb(&spec.name);
    if is_look(catalogue, &spec.name) || ["find", "search", "list", "hosts"].contains(&verb) {
        return EffectClass::Read;
    }
    let flagged = arguments.get("idempotent") == Some(&json!(true));
    match arguments.get("method").and_then(Value::as_str) {
        Some("GET" | "HEAD" | "OPTIONS") => return EffectClass::Read,
        Some("PUT" | "DELETE") => return EffectClass::Idempotent,
        Some(_) | None => {}
    }
    let sets_state = spec.undo.is_some()
        || catalogue
            .iter()
            .any(|other| other.undo.as_ref().is_some_and(|undo| undo.action == spec.name));
    if flagged || sets_state || verb == "revoke_sessions" {
        EffectClass::Idempotent
    } else {
        EffectClass::Once
    }
}

/// An output that fits the action's schema.
pub fn simulated_output(catalogue: &Catalogue, spec: &ActionSpec, arguments: &Value) -> Value {
    let mut output = Map::new();
    for (name, schema) in spec.output.properties.iter().flatten() {
        if !schema.is_required() {
            continue;
        }
        let said = arguments.get(name).filter(|said| schema.problems(said).is_empty());
        let value = match (said, &schema.choices) {
            (Some(said), _) => said.clone(),
            (None, Some(choices)) => chosen(catalogue, spec, choices),
            (None, None) if name == "enabled" => json!(!spec.destructive),
            (None, None) if name == "status" => json!(status(spec)),
            (None, None) => sample(schema),
        };
        output.insert(name.clone(), value);
    }
    Value::Object(output)
}

/// HTTP says 200, a command says 0.
fn status(spec: &ActionSpec) -> u32 {
    if spec.name.capability() == "http" { 200 } else { 0 }
}

fn verb(action: &ActionName) -> &str {
    action.as_str().split_once('.').map_or("", |(_, verb)| verb)
}

/// The state an action brings about: `isolate` gives `isolated`; what takes it back, and a look at
/// what nobody touched, gives the other one.
fn chosen(catalogue: &Catalogue, spec: &ActionSpec, choices: &[Value]) -> Value {
    let brought_by = |choice: &&Value, verb: &str| {
        choice.as_str().is_some_and(|word| word == verb || word.starts_with(verb))
    };
    if let Some(own) = choices.iter().find(|choice| brought_by(choice, verb(&spec.name))) {
        return own.clone();
    }
    let cuts: Vec<&str> = catalogue
        .iter()
        .filter(|other| other.destructive && other.name.capability() == spec.name.capability())
        .map(|other| verb(&other.name))
        .collect();
    let quiet = choices.iter().find(|choice| !cuts.iter().any(|verb| brought_by(choice, verb)));
    quiet.or_else(|| choices.first()).cloned().unwrap_or_default()
}

/// A small value that fits a schema.
pub fn sample(schema: &Schema) -> Value {
    if let Some(default) = &schema.default {
        return default.clone();
    }
    if let Some(choice) = schema.choices.as_ref().and_then(|choices| choices.first()) {
        return choice.clone();
    }
    match schema.kind {
        None => Value::Null,
        Some(SchemaType::Boolean) => json!(true),
        Some(SchemaType::Integer) => json!(whole(schema)),
        Some(SchemaType::Number) => json!(schema.minimum.unwrap_or(0.0)),
        Some(SchemaType::String) => json!(text(schema)),
        Some(SchemaType::Array) => {
            let item = schema.items.as_deref().map(sample).unwrap_or_default();
            let count = usize::try_from(schema.min_items.unwrap_or(0)).unwrap_or(0);
            Value::Array(vec![item; count])
        }
        Some(SchemaType::Object) => {
            let required =
                schema.properties.iter().flatten().filter(|(_, part)| part.is_required());
            Value::Object(required.map(|(name, part)| (name.clone(), sample(part))).collect())
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "bounds of numbers are written by people")]
fn whole(schema: &Schema) -> i64 {
    schema.minimum.unwrap_or(0.0).ceil() as i64
}

fn text(schema: &Schema) -> String {
    let plain = match schema.format {
        None | Some(Format::Account | Format::Organisation) => "simulated",
        Some(Format::Host) => "simulated.invalid",
        Some(Format::Address) => "192.0.2.1",
        Some(Format::Email) => "simulated@example.invalid",
        Some(Format::DateTime) => "2026-01-01T00:00:00Z",
        Some(Format::Duration) => "1h",
        Some(Format::Uri) => "https://simulated.invalid/",
        Some(Format::File) => "simulated.txt",
    };
    let fewest = usize::try_from(schema.min_length.unwrap_or(0)).unwrap_or(0);
    let most = usize::try_from(schema.max_length.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let mut text: String = plain.chars().take(most).collect();
    while text.chars().count() < fewest {
        text.push('.');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(action: &str, arguments: &Value) -> Value {
        let catalogue = Catalogue::first();
        let spec = catalogue.get(&action.parse().unwrap()).unwrap().clone();
        simulated_output(&catalogue, &spec, arguments)
    }

    #[test]
    fn every_action_gives_what_its_schema_wants() {
        let catalogue = Catalogue::first();
        for spec in catalogue.iter() {
            let output = simulated_output(&catalogue, spec, &json!({}));
            assert_eq!(spec.output.problems(&output), [], "{}", spec.name.as_str());
        }
    }

    #[test]
    fn what_was_cut_off_is_cut_off() {
        for (action, state) in [
            ("network.isolate", "isolated"),
            ("network.release", "open"),
            ("network.state", "open"),
            ("network.block", "blocked"),
            ("network.unblock", "open"),
            ("link.cut", "cut"),
            ("link.restore", "up"),
            ("vm.disconnect", "disconnected"),
            ("vm.connect", "connected"),
        ] {
            assert_eq!(said(action, &json!({})), json!({"state": state}), "{action}");
        }
        assert_eq!(said("directory.disable_account", &json!({})), json!({"enabled": false}));
        assert_eq!(said("ticket.comment", &json!({"id": "T-7"})), json!({"id": "T-7"}));
    }

    #[test]
    fn a_look_shows_what_was_done_before() {
        let catalogue = Catalogue::first();
        let mut pretence = Pretence::default();
        let arguments = json!({"host": "PC-1"});
        let mut say = |action: &str| {
            let spec = catalogue.get(&action.parse().unwrap()).unwrap();
            pretence.output(&catalogue, spec, &arguments, &[])
        };
        assert_eq!(say("network.state"), json!({"state": "open"}));
        say("network.isolate");
        assert_eq!(say("network.state"), json!({"state": "isolated"}));
        say("network.release");
        assert_eq!(say("network.state"), json!({"state": "open"}));
    }

    #[test]
    fn what_sets_a_state_may_be_repeated_and_what_tells_people_may_not() {
        let catalogue = Catalogue::first();
        for (action, class) in [
            ("network.isolate", EffectClass::Idempotent),
            ("network.state", EffectClass::Read),
            ("inventory.hosts", EffectClass::Read),
            ("mail.send", EffectClass::Once),
            ("ticket.open", EffectClass::Once),
        ] {
            let spec = catalogue.get(&action.parse().unwrap()).unwrap();
            assert_eq!(pretended_class(&catalogue, spec, &json!({})), class, "{action}");
        }
    }
}
