//! The pretended world: what was cut stays cut until it is joined again.

use std::collections::BTreeMap;

use beistand_connector_api::{ActionName, Call, CallError, Catalogue, Schema, SchemaType, Value};
use serde_json::json;

/// What an action does to the state of the thing that its argument names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Sets(&'static str),
    Looks,
}

/// Everything that was changed, and how outputs look.
#[derive(Debug)]
pub(super) struct World {
    outputs: BTreeMap<ActionName, Schema>,
    /// (capability, thing) → the word of its state, where it is not the first.
    states: BTreeMap<(String, String), &'static str>,
    pub(super) hosts: Vec<(String, Option<String>, Vec<String>)>,
}

/// Whether an action only looks.
pub(super) fn reads(action: &ActionName) -> bool {
    let verb = action.as_str().rsplit('.').next().unwrap_or_default();
    matches!(verb, "state" | "find" | "search" | "list" | "hosts")
}

/// The actions that have a state: capability, argument, the state before anything happened, and
/// what each verb does.
fn stateful(action: &str) -> Option<(&'static str, &'static str, Effect)> {
    let open = |argument, effect| Some((argument, "open", effect));
    let up = |effect| Some(("link", "up", effect));
    let vm = |effect| Some(("vm", "connected", effect));
    match action {
        "network.isolate" | "endpoint.isolate" => open("host", Effect::Sets("isolated")),
        "network.release" | "endpoint.release" => open("host", Effect::Sets("open")),
        "network.state" | "endpoint.state" => open("host", Effect::Looks),
        "network.block" => open("address", Effect::Sets("blocked")),
        "network.unblock" => open("address", Effect::Sets("open")),
        "link.cut" => up(Effect::Sets("cut")),
        "link.restore" => up(Effect::Sets("up")),
        "link.state" => up(Effect::Looks),
        "vm.disconnect" => vm(Effect::Sets("disconnected")),
        "vm.connect" => vm(Effect::Sets("connected")),
        _ => None,
    }
}

impl World {
    pub(super) fn new(catalogue: &Catalogue) -> Self {
        let outputs = catalogue.iter().map(|spec| (spec.name.clone(), spec.output.clone()));
        Self { outputs: outputs.collect(), states: BTreeMap::new(), hosts: Vec::new() }
    }

    /// Changes the world as a call that succeeded elsewhere would have.
    pub(super) fn note(&mut self, call: &Call) {
        drop(self.act(call));
    }

    /// Does a call and says what came out.
    pub(super) fn act(&mut self, call: &Call) -> Result<Value, CallError> {
        let action = call.action.as_str();
        let text =
            |name: &str| call.arguments.get(name).and_then(Value::as_str).unwrap_or_default();
        if let Some((argument, first, effect)) = stateful(action) {
            let thing = (call.action.capability().to_owned(), text(argument).to_lowercase());
            let state = match effect {
                Effect::Sets(state) => {
                    self.states.insert(thing, state);
                    state
                }
                Effect::Looks => self.states.get(&thing).copied().unwrap_or(first),
            };
            return Ok(json!({ "state": state }));
        }
        let account = || ("directory".to_owned(), text("account").to_lowercase());
        Ok(match action {
            "directory.disable_account" => {
                self.states.insert(account(), "disabled");
                json!({ "enabled": false })
            }
            "directory.enable_account" => {
                self.states.remove(&account());
                json!({ "enabled": true })
            }
            "directory.find" => {
                json!({ "found": true, "enabled": !self.states.contains_key(&account()) })
            }
            "mail.send" | "chat.post" | "sms.send" => {
                json!({ "message_id": format!("<{}@drill.invalid>", call.key) })
            }
            "http.request" => json!({ "status": expected(call, 200), "headers": {}, "body": null }),
            "ssh.run" => json!({ "status": expected(call, 0), "stdout": "", "stderr": "" }),
            "inventory.hosts" => self.listed(text("group"), text("organisation")),
            _ => {
                let schema = self.outputs.get(&call.action).ok_or_else(|| {
                    CallError::invalid(format!("`{action}` is not in the catalogue"))
                })?;
                made(schema, call)
            }
        })
    }

    fn listed(&self, group: &str, organisation: &str) -> Value {
        let wanted = |(_, own, groups): &&(String, Option<String>, Vec<String>)| {
            (group.is_empty() || groups.iter().any(|own| own == group))
                && (organisation.is_empty() || own.as_deref() == Some(organisation))
        };
        let names: Vec<&str> =
            self.hosts.iter().filter(wanted).map(|(name, ..)| name.as_str()).collect();
        json!({ "hosts": names })
    }
}

/// The first status that the author expects.
fn expected(call: &Call, otherwise: u64) -> u64 {
    let codes = call.arguments.get("expect").and_then(Value::as_array);
    codes.and_then(|codes| codes.first()?.as_u64()).unwrap_or(otherwise)
}

/// The plainest value that fits a schema: required parts only, texts made of the key.
fn made(schema: &Schema, call: &Call) -> Value {
    if let Some(choice) = schema.choices.as_ref().and_then(|choices| choices.first()) {
        return choice.clone();
    }
    match schema.kind {
        Some(SchemaType::String) => json!(format!("drill-{}", call.key)),
        Some(SchemaType::Integer | SchemaType::Number) => json!(0),
        Some(SchemaType::Boolean) => json!(true),
        Some(SchemaType::Array) => json!([]),
        Some(SchemaType::Object) => {
            let parts = schema.properties.iter().flatten();
            let required = parts.filter(|(_, part)| part.is_required());
            required.map(|(name, part)| (name.clone(), made(part, call))).collect()
        }
        None => Value::Null,
    }
}
