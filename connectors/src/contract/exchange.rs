//! The file of a kind's recorded exchanges: `exchanges/<kind>.yaml`.
//!
//! `${address}`, `${port}`, `${folder}`, `${secret}`, `${key}` and the names under `recordings` are
//! filled in when a call is made.

use std::collections::BTreeMap;

use beistand_connector_api::Value;
use serde::Deserialize;

/// What one kind says and hears.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exchanges {
    /// Which double stands at the other end.
    pub(crate) server: Server,
    /// Settings that are right.
    pub(crate) settings: Value,
    /// Whether the key is seen on the wire, so that another key is another effect.
    #[serde(default)]
    pub(crate) keyed: bool,
    /// Files put into `${folder}`.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
    /// Long texts by name.
    #[serde(default)]
    pub(crate) recordings: BTreeMap<String, String>,
    /// At least one for each action that the kind offers.
    pub(crate) calls: Vec<Example>,
    /// What the service says to a wrong secret. Absent where there is none.
    pub(crate) denied: Option<Value>,
    /// What `health` hears. Absent where nothing is contacted.
    pub(crate) health: Option<Value>,
}

/// The double at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Server {
    None,
    Http,
    Smtp,
    Ssh,
}

/// One call that works.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Example {
    pub(crate) action: String,
    #[serde(rename = "with")]
    pub(crate) arguments: Value,
    /// Addresses of the resolved targets.
    #[serde(default)]
    pub(crate) targets: Vec<String>,
    /// Whether the laws of lost answers apply.
    #[serde(default)]
    pub(crate) changes: bool,
    #[serde(default)]
    pub(crate) exchange: Value,
    pub(crate) output: Value,
}

impl Exchanges {
    /// Reads the file of a kind.
    pub(crate) fn of(kind: &str) -> Self {
        let path = format!("{}/exchanges/{kind}.yaml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("every kind has its exchanges: {path}: {error}"));
        serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

/// Puts values in for `${name}`; a text that is only one `${port}` becomes a number.
pub(crate) fn filled(value: &Value, names: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => {
            let mut text = text.clone();
            let only_port = text == "${port}";
            for (name, with) in names {
                text = text.replace(&format!("${{{name}}}"), with);
            }
            match text.parse::<u16>() {
                Ok(port) if only_port => port.into(),
                Ok(_) | Err(_) => text.into(),
            }
        }
        Value::Array(items) => items.iter().map(|item| filled(item, names)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), filled(value, names))).collect()
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other.clone(),
    }
}
