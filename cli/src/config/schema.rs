//! The configuration for editors, and the sample that a new one begins with: both from one table.
//!
//! Each section says what it is for and shows an example. What a section holds in detail stands at
//! its struct; here is its shape.

use beistand_connectors::CONNECTORS;
use beistand_core::model::{Mode, Role, TargetKind};
use beistand_core::timeline::Lang;
use serde_json::{Map, Value, json};

/// The JSON Schema of `beistand.yaml`.
pub(crate) fn config_schema() -> Value {
    let all = sections().into_iter().map(|section| {
        let mut shape = section.shape;
        if let Value::Object(fields) = &mut shape {
            fields.insert("title".to_owned(), json!(section.title));
            fields.insert("examples".to_owned(), json!([section.example]));
        }
        (section.name.to_owned(), shape)
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "beistand.yaml",
        "type": "object",
        "additionalProperties": false,
        "properties": all.collect::<Map<String, Value>>(),
    })
}

/// A commented file: what is given stands there, every other section as an example that does nothing
/// until somebody takes the `#` away.
pub(crate) fn sample(given: &Map<String, Value>) -> Result<String, serde_yaml::Error> {
    let mut text = String::from(
        "# Beistand. `beistand config check` says what is wrong in here, with its place;\n\
         # `beistand schema config` has every key. What begins with `#` is an example.\n",
    );
    for section in sections() {
        let value = given.get(section.name);
        let shown = json!({ section.name: value.unwrap_or(&section.example) });
        let yaml = serde_yaml::to_string(&shown)?;
        let mark = if value.is_some() { "" } else { "#" };
        for piece in ["\n# ", section.title, "\n"] {
            text.push_str(piece);
        }
        for line in yaml.lines() {
            text.extend([mark, line, "\n"]);
        }
    }
    Ok(text)
}

/// One section of the file.
struct Section {
    name: &'static str,
    /// A sentence.
    title: &'static str,
    shape: Value,
    /// What it may look like.
    example: Value,
}

fn section(name: &'static str, title: &'static str, shape: Value, example: Value) -> Section {
    Section { name, title, shape, example }
}

/// Every section, in the order in which somebody fills the file.
fn sections() -> Vec<Section> {
    let mut all = ours();
    all.extend(products());
    all.extend(people());
    all.extend(outside());
    all
}

fn texts() -> Value {
    json!({"type": "array", "items": {"type": "string"}})
}

/// The words of a vocabulary.
fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|one| word(*one)).collect()
}

fn role() -> Value {
    json!({"enum": words(Role::ALL, Role::as_str)})
}

fn object(properties: &Value) -> Value {
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}

/// Who we are, and where things stand.
fn ours() -> Vec<Section> {
    let text = json!({"type": "string"});
    vec![
        section(
            "provider",
            "Who we are; the short name is part of incident numbers.",
            object(&json!({"id": text, "short": text, "name": text, "land": text,
                "legal_form": text})),
            json!({"id": "sit.example", "short": "SIT", "name": "SIT Beispiel", "land": "NW",
                "legal_form": "zweckverband"}),
        ),
        section(
            "store",
            "Where everything is kept: sqlite:PATH or postgres://…",
            text.clone(),
            json!("sqlite:/var/lib/beistand/beistand.db"),
        ),
        section(
            "witness",
            "The file that keeps the newest seal, at another place than the store.",
            text,
            json!("/media/stick/beistand.witness"),
        ),
        section(
            "playbooks",
            "Folders with playbooks; the shipped ones come after them.",
            texts(),
            json!(["playbooks"]),
        ),
        section(
            "inventory",
            "CSV files with hosts: name, addresses, macs, organisation, groups.",
            texts(),
            json!(["hosts.csv"]),
        ),
    ]
}

/// What is connected, and what it may do.
fn products() -> Vec<Section> {
    let text = json!({"type": "string"});
    vec![
        section(
            "connectors",
            "Products by name. Secrets are references: {file: …}, {env: …} or {credential: …}.",
            json!({"type": "object", "additionalProperties": {"oneOf": kinds()}}),
            json!({"relay": {"kind": "smtp", "host": "mail.example.org",
                "from": "crisis@example.org",
                "password": {"file": "/etc/beistand/relay-password"}}}),
        ),
        section(
            "bindings",
            "Which connector does it, where several could; the most specific one wins.",
            json!({"type": "array", "items": {"type": "object", "additionalProperties": false,
                "required": ["capability", "connector"], "properties": {
                "capability": text, "slot": text, "organisation": text, "range": text,
                "connector": text}}}),
            json!([{"capability": "mail", "connector": "relay"}]),
        ),
        section(
            "guard",
            "What is never touched, by name, address or range. Without it nothing destructive runs live.",
            json!({"type": "object", "additionalProperties": false, "required": ["never"],
                "properties": {"never": texts()}}),
            json!({"never": ["dc01", "backup01", "10.0.0.0/29"]}),
        ),
        section(
            "limits",
            "How many different targets, over all runs.",
            object(&json!({"targets_per_run": {"type": "integer"},
                "targets_per_hour": {"type": "integer"},
                "targets_per_organisation": {"type": "integer"}})),
            json!({"targets_per_run": 500, "targets_per_hour": 1000}),
        ),
        section(
            "policy",
            "Gates beside those of the playbooks.",
            json!({"type": "array", "items": {"type": "object", "additionalProperties": false,
                "required": ["actions", "votes"], "properties": {
                "actions": texts(), "above": {"type": "integer"}, "role": role(),
                "votes": {"type": "integer"}}}}),
            json!([{"actions": ["network.isolate"], "above": 20, "role": "commander", "votes": 2}]),
        ),
    ]
}

/// Who is asked and told.
fn people() -> Vec<Section> {
    vec![
        section(
            "escalation",
            "Who is asked as well when something is late.",
            json!({"type": "object", "additionalProperties": false, "required": ["role"],
                "properties": {"role": role()}}),
            json!({"role": "deputy"}),
        ),
        section(
            "on_call",
            "Who is on call (CSV: role, person, from, until, mail, telephone), and what calls them.",
            object(&json!({
                "files": texts(),
                "by": {"type": "string", "title": "the connector that sends the mails"},
                "telephone": {"type": "string",
                    "title": "where whoever is at the keyboard is reached"},
                "language": {"enum": words(Lang::ALL, Lang::as_str), "default": "de"}})),
            json!({"files": ["on-call.csv"], "by": "relay", "telephone": "+49 2761 12345"}),
        ),
        section(
            "drill",
            "What may leave in a drill: mail, to one address. Everything else is pretended.",
            json!({"type": "object", "additionalProperties": {"type": "object",
                "additionalProperties": false, "required": ["only_to"],
                "properties": {"only_to": {"type": "string", "format": "email"}}}}),
            json!({"relay": {"only_to": "drill@example.org"}}),
        ),
    ]
}

/// Who comes in, and what goes out about ourselves.
fn outside() -> Vec<Section> {
    vec![
        section(
            "telemetry",
            "Where traces go; nowhere without it.",
            object(&json!({"otlp": {"type": "string", "format": "uri"}})),
            json!({"otlp": "http://127.0.0.1:4318"}),
        ),
        section(
            "serve",
            "The server. A certificate is self-made where none is given.",
            object(&json!({
                "listen": {"type": "string", "title": "address and port",
                    "default": "127.0.0.1:8443"},
                "tls": {"type": "object", "additionalProperties": false,
                    "required": ["cert", "key"],
                    "properties": {"cert": {"type": "string"}, "key": {"type": "string"}}},
                "name": texts(), "trusted_proxies": texts()})),
            json!({"listen": "[::]:8443", "name": ["beistand.example.org"]}),
        ),
        section(
            "single_sign_on",
            "An identity provider at which people may log in; it brings nothing but who they are.",
            single_sign_on(),
            json!({"issuer": "https://login.example.org", "client_id": "beistand",
                "client_secret": {"file": "/etc/beistand/sso-secret"},
                "server": "https://beistand.example.org"}),
        ),
        section(
            "hooks",
            "Who outside may send alerts: they open incidents and proposals, never runs.",
            json!({"type": "object", "additionalProperties": hook()}),
            json!({"siem": {"secret": {"file": "/etc/beistand/siem-secret"},
                "title": "{/rule} on {/host}", "key": "/id"}}),
        ),
    ]
}

/// The settings of each kind of connector.
fn kinds() -> Vec<Value> {
    let kind = |maker: &beistand_connectors::Maker| {
        let mut settings = json!((maker.settings)());
        if let Some(Value::Object(properties)) = settings.get_mut("properties") {
            properties
                .insert("kind".to_owned(), json!({"const": maker.kind, "title": maker.title}));
        }
        settings
    };
    CONNECTORS.iter().map(kind).collect()
}

/// A reference to a secret.
fn secret() -> Value {
    json!({"type": "object", "title": "{file: PATH}, {env: NAME} or {credential: NAME}",
        "minProperties": 1, "maxProperties": 1, "additionalProperties": false, "properties": {
        "file": {"type": "string"}, "env": {"type": "string"}, "credential": {"type": "string"}}})
}

/// The identity provider that people may log in at.
fn single_sign_on() -> Value {
    let text = |title: &str| json!({"type": "string", "minLength": 1, "title": title});
    json!({"type": "object", "additionalProperties": false,
    "required": ["issuer", "client_id", "client_secret", "server"],
    "properties": {
        "issuer": text("address under which the identity provider names itself, letter by letter"),
        "client_id": text("the name of this server there"),
        "client_secret": secret(),
        "server": text("address under which people open this server: https://lage.example:8443"),
        "ca": text("PEM file with the only authorities that vouch for the identity provider"),
    }})
}

/// Who outside may send alerts. A pointer is one into the JSON that is sent (RFC 6901).
fn hook() -> Value {
    let pointer = json!({"type": "string", "pattern": "^/", "title": "JSON pointer"});
    json!({"type": "object", "additionalProperties": false, "required": ["secret", "title"],
    "properties": {
        "secret": secret(),
        "organisation": {"type": "string"},
        "title": {"type": "string", "title": "a pointer, or a text with pointers: {/a} on {/b}"},
        "severity": {"type": "integer", "minimum": 1, "maximum": 4, "default": 3},
        "key": pointer,
        "assets": {"type": "array", "items": {"type": "object", "additionalProperties": false,
            "required": ["kind", "value"], "properties": {
            "kind": {"enum": words(TargetKind::ALL, TargetKind::as_str)},
            "value": pointer}}},
        "playbook": {"type": "string", "title": "what people are asked to start"},
        "inputs": {"type": "object", "additionalProperties": pointer},
        "quota": {"type": "integer", "minimum": 1, "default": 60, "title": "alerts a minute"},
        "mode": {"enum": words(Mode::ALL, Mode::as_str)},
    }})
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::super::Config;
    use super::*;

    #[test]
    fn every_example_is_read() {
        for section in sections() {
            let text = json!({ section.name: section.example }).to_string();
            let read = Config::read(&text, Path::new("b.yaml"));
            assert!(read.is_ok(), "{}: {:?}", section.name, read.err().map(|error| error.message));
        }
    }

    /// What the reader of the file knows, as it says it of something that it does not know.
    fn known(said: &str) -> BTreeSet<&str> {
        let (_, known) = said.split_once("expected ").expect(said);
        let known = known.split(" (at `").next().unwrap();
        known.split('`').skip(1).step_by(2).collect()
    }

    /// Holds a shape against the struct that reads its place; `whole` puts a value there.
    fn holds(shape: &Value, whole: &dyn Fn(Value) -> Value) {
        let read = |value: Value| {
            let read = Config::read(&whole(value).to_string(), Path::new("b.yaml"));
            read.map(drop).map_err(|failure| failure.message)
        };
        if let Some(words) = shape["enum"].as_array() {
            let said = read(json!("nothing")).unwrap_err();
            assert_eq!(known(&said), words.iter().filter_map(Value::as_str).collect(), "{said}");
        }
        if let Some(fields) = shape["properties"].as_object() {
            let said = read(json!({"nothing": 1})).unwrap_err();
            assert_eq!(known(&said), fields.keys().map(String::as_str).collect(), "{said}");
            let needed = shape["required"].as_array().is_some() || shape["minProperties"] == 1;
            assert_eq!(read(json!({})).is_err(), needed, "{:?} of {shape}", read(json!({})));
            for (name, field) in fields {
                holds(field, &|value| whole(json!({ name: value })));
            }
        }
        if shape["items"].is_object() {
            holds(&shape["items"], &|value| whole(json!([value])));
        }
        if shape["additionalProperties"].is_object() {
            holds(&shape["additionalProperties"], &|value| whole(json!({"x": value})));
        }
    }

    #[test]
    fn what_is_described_is_what_is_read_and_nothing_else() {
        holds(&config_schema(), &|value| value);
    }

    #[test]
    fn a_sample_is_read_as_it_is_and_with_every_example_in_force() {
        let given = json!({"provider": {"id": "a.example", "short": "A", "name": "A: \"#1\""}});
        let text = sample(given.as_object().unwrap()).unwrap();
        let config = Config::read(&text, Path::new("b.yaml")).unwrap();
        assert_eq!(config.provider.name, "A: \"#1\"");
        assert!(config.connectors.is_empty() && config.store.is_none());
        // A comment has one blank behind its mark; an example has none, or its own depth.
        let is_comment = |line: &str| line.starts_with("# ") && !line.starts_with("#  ");
        let bare = |line: &str| line.strip_prefix('#').unwrap_or(line).to_owned() + "\n";
        let all: String = text.lines().filter(|line| !is_comment(line)).map(bare).collect();
        let config = Config::read(&all, Path::new("b.yaml")).unwrap();
        assert_eq!((config.connectors.len(), config.policy.len(), config.hooks.len()), (1, 1, 1));
    }
}
