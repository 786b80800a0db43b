//! What an alert from outside says to us: by a rule of the configuration, and as text alone.
//!
//! Whoever sends alerts may be the attacker. So nothing of an alert is a template, a script or a
//! command: a rule says where in the JSON to look (RFC 6901), and what stands there is taken as it
//! is. What is filled in is never looked at again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::{
    AssetName, IdError, Mode, Organisation, PlaybookName, Severity, TargetKind, Title,
};

/// Assets of one alert: an attacker's list fills no page.
const ASSETS_MAX: usize = 100;

/// Longest key, in characters.
const KEY_CHARS_MAX: usize = 300;

/// How much of an alert is kept as a note, in characters.
const TEXT_CHARS_MAX: usize = 8_000;

/// A place in a JSON text (RFC 6901): `/labels/instance`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pointer(String);

impl Pointer {
    fn found<'v>(&self, alert: &'v Value) -> Option<&'v Value> {
        alert.pointer(&self.0).filter(|value| !value.is_null())
    }
}

impl TryFrom<String> for Pointer {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        let escapes = |part: &str| part.is_empty() || part.starts_with(['0', '1']);
        let mut parts = text.split('~');
        parts.next();
        if text.starts_with('/') && parts.all(escapes) && !text.ends_with('~') {
            Ok(Self(text))
        } else {
            Err(IdError::new("JSON pointer", &text, "like `/labels/instance` (RFC 6901)"))
        }
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.0
    }
}

/// A text with places in it, `{/labels/name} on {/labels/instance}`; or one place alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    At(Pointer),
}

impl TryFrom<String> for Template {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        if text.starts_with('/') {
            return Ok(Self(vec![Piece::At(text.try_into()?)]));
        }
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("{/") {
            let hint = "close what `{/` opens with `}`";
            let (place, after) =
                after.split_once('}').ok_or_else(|| IdError::new("template", &text, hint))?;
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::At(format!("/{place}").try_into()?));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }
}

impl Template {
    fn places(&self) -> impl Iterator<Item = &Pointer> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::At(place) => Some(place),
        })
    }

    /// The text with what stands at its places, once: it is not read again.
    fn filled(&self, alert: &Value) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::At(place) => place.found(alert).map_or_else(|| "?".to_owned(), said),
        };
        self.0.iter().map(piece).collect()
    }
}

/// Where an alert names something that may be concerned.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetRule {
    /// What kind of thing.
    pub kind: TargetKind,
    /// Where its name stands, or a list of names.
    pub value: Pointer,
}

/// A playbook that people are asked to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Which.
    pub playbook: PlaybookName,
    /// Where its inputs stand.
    pub inputs: BTreeMap<String, Pointer>,
}

/// What becomes of the alerts of one sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRule {
    /// The title of an incident that is opened.
    pub title: Template,
    /// How bad it is.
    pub severity: Severity,
    /// Real or not.
    pub mode: Mode,
    /// Who is concerned.
    pub organisation: Option<Organisation>,
    /// Where that stands which makes two alerts ones of the same incident.
    pub key: Option<Pointer>,
    /// What may be concerned.
    pub assets: Vec<AssetRule>,
    /// What is proposed.
    pub proposal: Option<Proposal>,
}

/// An alert as it was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// One line; empty where the alert has none.
    pub title: String,
    /// What makes it one of an incident's; nothing where it says nothing of that.
    pub key: Option<String>,
    /// What may be concerned, by kind; each name once.
    pub assets: BTreeMap<TargetKind, Vec<String>>,
    /// The alert itself, for people to read.
    pub text: String,
    /// Which playbook is proposed, and its inputs as JSON.
    pub proposed: Option<(PlaybookName, String)>,
    /// Where the rule looked and there was nothing to be used.
    pub missing: BTreeSet<Pointer>,
}

impl AlertRule {
    /// What an alert says.
    pub fn read(&self, alert: &Value) -> Alert {
        let title = one_line(&self.title.filled(alert), Title::CHARS_MAX);
        let key = self.key.as_ref().and_then(|place| place.found(alert));
        let key = key.map(|value| one_line(&said(value), KEY_CHARS_MAX));
        let mut assets: BTreeMap<TargetKind, Vec<String>> = BTreeMap::new();
        let named = self.assets.iter().flat_map(|rule| {
            let found = rule.value.found(alert);
            names(found).into_iter().map(|name| (rule.kind, name))
        });
        for (kind, name) in named.take(ASSETS_MAX) {
            let of_kind = assets.entry(kind).or_default();
            if !of_kind.contains(&name) {
                of_kind.push(name);
            }
        }
        let inputs = |proposal: &Proposal| -> Map<String, Value> {
            let found = |(name, place): (&String, &Pointer)| {
                Some((name.clone(), place.found(alert)?.clone()))
            };
            proposal.inputs.iter().filter_map(found).collect()
        };
        let proposed = self.proposal.as_ref().map(|proposal| {
            let inputs = Value::Object(inputs(proposal)).to_string();
            (proposal.playbook.clone(), cut(&inputs, TEXT_CHARS_MAX))
        });
        let key = key.filter(|key| !key.is_empty());
        let text = cut(&alert.to_string(), TEXT_CHARS_MAX);
        Alert { title, key, assets, text, proposed, missing: self.missing(alert) }
    }

    /// Where there is nothing, or no name where one is looked for.
    fn missing(&self, alert: &Value) -> BTreeSet<Pointer> {
        let inputs = self.proposal.iter().flat_map(|proposal| proposal.inputs.values());
        let places = self.title.places().chain(&self.key).chain(inputs);
        let empty = places.filter(|place| place.found(alert).is_none());
        let assets = self.assets.iter().map(|rule| &rule.value);
        let nameless = assets.filter(|place| names(place.found(alert)).is_empty());
        empty.chain(nameless).cloned().collect()
    }
}

/// A value as text: a string is what it says, all else is JSON.
fn said(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

/// The names in a text or a list of texts.
fn names(found: Option<&Value>) -> Vec<String> {
    let of = |value: &Value| match value {
        Value::String(text) => {
            Some(one_line(text, AssetName::CHARS_MAX)).filter(|name| !name.is_empty())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    };
    match found {
        Some(Value::Array(items)) => items.iter().filter_map(of).collect(),
        Some(value) => of(value).into_iter().collect(),
        None => Vec::new(),
    }
}

fn one_line(text: &str, chars_max: usize) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = text.chars().take(chars_max).map(plain).collect();
    text.trim().to_owned()
}

fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule() -> AlertRule {
        let at = |text: &str| Pointer::try_from(text.to_owned()).unwrap();
        AlertRule {
            title: Template::try_from("{/name} on {/host}".to_owned()).unwrap(),
            severity: Severity::default(),
            mode: Mode::Live,
            organisation: None,
            key: Some(at("/fingerprint")),
            assets: vec![
                AssetRule { kind: TargetKind::Host, value: at("/host") },
                AssetRule { kind: TargetKind::Address, value: at("/addresses") },
            ],
            proposal: Some(Proposal {
                playbook: "contain".parse().unwrap(),
                inputs: BTreeMap::from([("hosts".to_owned(), at("/host"))]),
            }),
        }
    }

    #[test]
    fn an_alert_is_read_where_the_rule_says() {
        let alert = json!({
            "name": "Beacon", "host": "pc-7", "fingerprint": 17,
            "addresses": ["192.0.2.1", "192.0.2.1", 7, ""],
        });
        let read = rule().read(&alert);
        assert_eq!((read.title.as_str(), read.key.as_deref()), ("Beacon on pc-7", Some("17")));
        let wanted = BTreeMap::from([
            (TargetKind::Host, vec!["pc-7".to_owned()]),
            (TargetKind::Address, vec!["192.0.2.1".to_owned()]),
        ]);
        assert_eq!(read.assets, wanted);
        let (playbook, inputs) = read.proposed.unwrap();
        assert_eq!((playbook.as_str(), inputs.as_str()), ("contain", r#"{"hosts":"pc-7"}"#));
    }

    #[test]
    fn what_an_alert_says_is_text_and_is_not_read_again() {
        for hostile in ["${7*7}", "{{7*7}}", "{/host}", "$(id)", "'; DROP TABLE incident; --"] {
            let read = rule().read(&json!({"name": hostile, "host": hostile}));
            assert_eq!(read.title, format!("{hostile} on {hostile}"));
            assert_eq!(read.assets[&TargetKind::Host], [hostile]);
        }
    }

    #[test]
    fn an_alert_without_what_the_rule_looks_for_is_still_one() {
        for alert in [json!({}), json!([]), json!("x"), json!({"host": {"a": 1}, "name": null})] {
            let read = rule().read(&alert);
            assert_eq!((read.key, read.assets.len()), (None, 0), "{alert}");
            let missing: Vec<String> = read.missing.into_iter().map(String::from).collect();
            let host = if alert.pointer("/host").is_some() { "/host" } else { "/name" };
            assert!(missing.contains(&host.to_owned()), "{alert}: {missing:?}");
            assert!(missing.contains(&"/fingerprint".to_owned()), "{alert}: {missing:?}");
        }
        let whole = json!({"name": "a", "host": "b", "fingerprint": 1, "addresses": ["192.0.2.1"]});
        assert!(rule().read(&whole).missing.is_empty());
        assert_eq!(rule().read(&json!({"host": null})).title, "? on ?");
    }

    #[test]
    fn what_is_long_or_has_several_lines_becomes_short_and_one() {
        let many: Vec<String> = (0..1_000).map(|number| format!("192.0.2.{number}")).collect();
        let long = "x\u{0}\n".repeat(1_000);
        let read = rule().read(&json!({"name": long, "addresses": many}));
        assert!(read.title.chars().count() <= Title::CHARS_MAX && !read.title.contains('\n'));
        assert_eq!(read.assets[&TargetKind::Address].len(), ASSETS_MAX);
        assert!(read.text.chars().count() <= TEXT_CHARS_MAX + 1);
    }

    #[test]
    fn a_place_is_a_json_pointer() {
        for right in ["/a", "/a/0/b", "/", "/a~1b~0c"] {
            assert!(Pointer::try_from(right.to_owned()).is_ok(), "{right}");
        }
        for wrong in ["", "a", "/a~2", "/a~", "$.a"] {
            assert!(Pointer::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
        for wrong in ["{/a", "x {/a~} y"] {
            assert!(Template::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
        assert!(Template::try_from("no place {} ${x}".to_owned()).is_ok());
    }
}
