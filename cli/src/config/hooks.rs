//! The section `hooks`: who outside may send alerts, and what becomes of them.

use std::collections::BTreeMap;

use beistand_connector_api::{SecretReference, Secrets as _};
use beistand_core::incident::{AlertRule, AssetRule, Pointer, Proposal, Template};
use beistand_core::model::{Mode, Organisation, PlaybookName, Severity};
use beistand_web::{Hook, Hooks, SECRET_BYTES_MIN};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::secrets::Resolver;
use crate::modes::Fault;

/// Alerts within a minute where nobody says otherwise: more than people can look at.
const QUOTA: u32 = 60;

/// One sender. Places are JSON pointers into what it sends.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HookConfig {
    /// What its signatures are made with.
    #[serde(deserialize_with = "reference")]
    pub(crate) secret: SecretReference,
    /// Who is concerned by what it sends.
    organisation: Option<Organisation>,
    /// The title of an incident: a place, or a text with places in it, `{/a} on {/b}`.
    title: Template,
    /// How bad it is.
    #[serde(default)]
    severity: Severity,
    /// Where that stands which makes two alerts ones of the same incident.
    key: Option<Pointer>,
    /// What may be concerned.
    #[serde(default)]
    assets: Vec<AssetRule>,
    /// What people are asked to start. Nothing starts by it.
    playbook: Option<PlaybookName>,
    /// Where the inputs stand that it would have.
    #[serde(default)]
    inputs: BTreeMap<String, Pointer>,
    /// How many alerts are taken in within a minute.
    #[serde(default = "quota")]
    quota: u32,
    /// Whether its incidents are real.
    #[serde(default = "live")]
    mode: Mode,
}

/// As connectors have it: `{ file: PATH }`, which YAML has no words of its own for.
pub(super) fn reference<'d, D: Deserializer<'d>>(from: D) -> Result<SecretReference, D::Error> {
    serde_json::from_value(Value::deserialize(from)?).map_err(D::Error::custom)
}

const fn quota() -> u32 {
    QUOTA
}

const fn live() -> Mode {
    Mode::Live
}

impl HookConfig {
    fn rule(&self) -> AlertRule {
        let playbook = self.playbook.clone();
        let inputs = self.inputs.clone();
        AlertRule {
            title: self.title.clone(),
            severity: self.severity,
            mode: self.mode,
            organisation: self.organisation.clone(),
            key: self.key.clone(),
            assets: self.assets.clone(),
            proposal: playbook.map(|playbook| Proposal { playbook, inputs }),
        }
    }

    /// What is wrong with it besides its secret.
    fn faults(&self, name: &str) -> Vec<Fault> {
        let at = |field: &str| format!("hooks.{name}.{field}");
        let mut faults = Vec::new();
        // A playbook's name has the same shape, and no path reads it in two ways.
        if name.parse::<PlaybookName>().is_err() {
            let text = format!("`{name}` is no name of a hook");
            let hint = "small letters, digits and `-`, beginning with a letter";
            faults.push(Fault::new(format!("hooks.{name}"), text).hint(hint));
        }
        if self.quota == 0 {
            let hint = "leave the hook out where it may send nothing";
            faults.push(Fault::new(at("quota"), "no alert would be taken in").hint(hint));
        }
        if self.playbook.is_none() && !self.inputs.is_empty() {
            faults.push(Fault::new(at("inputs"), "these are inputs of no `playbook`"));
        }
        faults
    }
}

/// Everything that is wrong with the section, but for secrets that can not be read here.
pub(crate) fn faults(hooks: &BTreeMap<String, HookConfig>) -> Vec<Fault> {
    let faults = hooks.iter().flat_map(|(name, hook)| {
        let short = Resolver.read(&hook.secret).is_ok_and(|secret| !is_long(secret.expose()));
        hook.faults(name).into_iter().chain(short.then(|| too_short(name)))
    });
    faults.collect()
}

fn is_long(secret: &str) -> bool {
    secret.len() >= SECRET_BYTES_MIN
}

fn too_short(name: &str) -> Fault {
    let text = format!("a secret has at least {SECRET_BYTES_MIN} bytes");
    Fault::new(format!("hooks.{name}.secret"), text).hint("`openssl rand -hex 32` makes one")
}

/// All senders with their secrets, which are read once.
pub(crate) fn hooks(section: &BTreeMap<String, HookConfig>) -> Result<Hooks, Fault> {
    let hook = |(name, hook): (&String, &HookConfig)| {
        if let Some(fault) = hook.faults(name).into_iter().next() {
            return Err(fault);
        }
        let place = || format!("hooks.{name}.secret");
        let secret = Resolver.read(&hook.secret);
        let secret = secret.map_err(|error| Fault::new(place(), error.to_string()))?;
        let made = Hook::new(secret.expose().as_bytes(), hook.rule(), hook.quota);
        Ok((name.clone(), made.ok_or_else(|| too_short(name))?))
    };
    section.iter().map(hook).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;

    fn read(hook: &str) -> Result<Config, String> {
        let text = format!("hooks:\n  siem: {hook}\n");
        Config::read(&text, Path::new("b.yaml")).map_err(|failure| failure.message)
    }

    #[test]
    fn a_hook_says_where_to_look_and_nothing_else() {
        let whole = "{ secret: { env: X }, title: \"{/rule} on {/host}\", key: /id, severity: 4,
            organisation: stadt-a, mode: drill, quota: 5, playbook: contain, inputs: { hosts: /host },
            assets: [ { kind: host, value: /host } ] }";
        assert_eq!(super::faults(&read(whole).unwrap().hooks).len(), 0);
        for (wrong, said) in [
            ("{ title: x }", "secret"),
            ("{ secret: { env: X } }", "title"),
            ("{ secret: { env: X }, title: x, run: contain }", "run"),
            ("{ secret: { env: X }, title: \"{/a\" }", "close"),
            ("{ secret: { env: X }, title: x, key: id }", "JSON pointer"),
            ("{ secret: { env: X }, title: x, assets: [ { kind: town, value: /a } ] }", "town"),
            ("{ secret: plain, title: x }", "plain"),
        ] {
            let message = read(wrong).unwrap_err();
            assert!(message.contains(said), "{wrong}: {message}");
        }
        let faulty = "{ secret: { env: X }, title: x, quota: 0, inputs: { a: /a } }";
        assert_eq!(super::faults(&read(faulty).unwrap().hooks).len(), 2);
    }
}
