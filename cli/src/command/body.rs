//! What a need tells people beside what stands in its columns: read here and nowhere else.

use beistand_core::model::Schema;
use beistand_core::run::requester;
use beistand_core::timeline::{Lang, is_plain_word, need_title};
use beistand_journal::Need;
use serde_json::Value;

use crate::out::cell;

/// The body of a need. What is missing in it is empty.
pub(super) struct NeedBody {
    /// What it is about; an undo is told from what it takes back.
    pub(super) title: String,
    /// How many have said yes.
    votes: u64,
    /// Who they are.
    voted_by: Vec<String>,
    /// How many must.
    pub(super) votes_needed: u64,
    /// What is to be filled in.
    pub(super) form: Option<Schema>,
    shows: Value,
}

impl NeedBody {
    pub(super) fn of(need: &Need) -> Self {
        let mut body: Value = serde_json::from_str(&need.body).unwrap_or_default();
        let mut part = |name: &str| body.get_mut(name).map(Value::take).unwrap_or_default();
        let title = part("title");
        let title = title.as_str().unwrap_or_default();
        Self {
            title: need_title(Lang::En, (need.kind, need.step.as_ref()), title),
            votes: part("votes").as_u64().unwrap_or_default(),
            voted_by: serde_json::from_value(part("voted_by")).unwrap_or_default(),
            votes_needed: part("votes_needed").as_u64().unwrap_or_default(),
            form: serde_json::from_value(part("form")).ok(),
            shows: part("shows"),
        }
    }

    /// Who asks for it; nobody where it is no gate.
    pub(super) fn requester(&self) -> Option<&str> {
        requester(&self.shows)
    }

    /// Whether it is asked because of the guard: then nobody does it by hand either.
    pub(super) fn is_guarded(&self) -> bool {
        let kind = self.shown("error").and_then(|error| error.get("kind"));
        kind.and_then(Value::as_str) == Some("guarded")
    }

    /// `1 of 2 votes (ben)`.
    pub(super) fn tally(&self) -> String {
        let by = self.voted_by.join(", ");
        let by = if by.is_empty() { by } else { format!(" ({})", cell(&by)) };
        format!("{} of {} votes{by}", self.votes, self.votes_needed)
    }

    /// Something that it shows, where it is there.
    pub(super) fn shown(&self, name: &str) -> Option<&Value> {
        self.shows.get(name).filter(|value| !value.is_null())
    }

    /// Some things that it shows, each.
    pub(super) fn each(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.shown(name).and_then(Value::as_array).into_iter().flatten()
    }

    /// What a gate is about, an effect a line.
    pub(super) fn effects(&self) -> Vec<String> {
        let effect = |line: &Value| {
            let part = |name: &str| line.pointer(&format!("/effect/{name}")).cloned();
            let connector = part("connector").filter(|connector| !connector.is_null());
            let through = connector.map_or_else(|| "a person".to_owned(), |name| said(&name));
            let text = |name: &str| part(name).map(|value| said(&value)).unwrap_or_default();
            let (path, action) = (text("path"), text("action"));
            let arguments = part("arguments").map(|value| named(&value)).unwrap_or_default();
            format!("{path}  {action} through {through} with {arguments}")
        };
        self.each("lines").map(effect).collect()
    }
}

/// Arguments by their names. What is more than a plain word stands in quotes, so that no text looks
/// like another argument.
fn named(arguments: &Value) -> String {
    let Value::Object(fields) = arguments else { return one(arguments) };
    let field = |(name, value): (&String, &Value)| format!("{name}={}", one(value));
    fields.iter().map(field).collect::<Vec<_>>().join(", ")
}

fn one(value: &Value) -> String {
    match value {
        Value::String(text) if is_word(text) => text.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(one).collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

/// Whether a text without quotes looks like nothing else: `22` would be the number, `null` nothing.
fn is_word(text: &str) -> bool {
    is_plain_word(text) && serde_json::from_str::<Value>(text).is_err()
}

/// A text as it is, an error as a sentence, all else as JSON.
pub(super) fn said(value: &Value) -> String {
    let field = |name: &str| value.get(name).and_then(Value::as_str);
    match (value.as_str(), field("kind").zip(field("message"))) {
        (Some(text), _) => text.to_owned(),
        (None, Some((kind, message))) => format!("{kind}: {message}"),
        (None, None) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_gate_asks_is_said_in_words() {
        let shows = json!({"requester": "anna", "others": null, "lines": [{"effect": {
            "path": "cut", "action": "network.isolate", "connector": null,
            "arguments": {"host": "pc-1", "reason": "a, host=pc-2", "to": ["a@b.de", 1]}
        }}]});
        let title = "Cut off".to_owned();
        let body = NeedBody {
            title,
            votes: 1,
            voted_by: vec!["ben".to_owned()],
            votes_needed: 2,
            form: None,
            shows,
        };
        assert_eq!(body.tally(), "1 of 2 votes (ben)");
        let effect = r#"cut  network.isolate through a person with host=pc-1, reason="a, host=pc-2", to=[a@b.de, 1]"#;
        assert_eq!(body.effects(), [effect]);
        let texts = json!({"a": "null", "b": "true", "c": "22", "d": "10.0.0.1", "e": 22});
        assert_eq!(named(&texts), r#"a="null", b="true", c="22", d=10.0.0.1, e=22"#);
        assert_eq!(body.requester(), Some("anna"));
        assert_eq!(body.shown("others"), None);
        let error = json!({"kind": "guarded", "message": "dc01 is guarded", "sure": true});
        assert_eq!(said(&error), "guarded: dc01 is guarded");
    }
}
