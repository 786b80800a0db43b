//! From the configuration to what the engine works with, for live runs and for drills.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use beistand_connector_api::Connector;
use beistand_connectors::simulator::{Canned, Simulator};
use beistand_connectors::{
    CONNECTORS, SettingsError, Surroundings, connect, drill_relay, inventory,
};
use beistand_core::model::{
    Catalogue, ConnectorName, GuardIdentity, Inventory, Limits, StoreId, capabilities,
};
use beistand_core::run::{Binding, Setup};
use beistand_runtime::{Clock as _, ModeSetup, Modes, WallClock};
use serde_json::Value;

use crate::config::{Config, Resolver};
use crate::exit::{Exit, Failure, Outcome};
use crate::guard::guard;

/// What is wrong in the configuration, and where: `bindings[2].range`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) path: String,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Fault {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), hint: None }
    }
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl From<SettingsError> for Fault {
    fn from(error: SettingsError) -> Self {
        let path = format!("connectors.{}.{}", error.connector, error.key);
        Self { path, message: error.message, hint: Some(error.hint) }
    }
}

impl From<Fault> for Failure {
    fn from(Fault { path, message, hint }: Fault) -> Self {
        let failure = Self::new(Exit::Check, format!("{path}: {message}"));
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// The first fault, as what keeps a verb from working.
fn first(faults: Vec<Fault>) -> Outcome<()> {
    faults.into_iter().next().map_or(Ok(()), |fault| Err(fault.into()))
}

/// Everything the engine works with.
pub(crate) fn modes(
    config: &Config,
    store: StoreId,
    url: &str,
    canned: Vec<Canned>,
) -> Outcome<Modes> {
    let catalogue = Catalogue::first();
    first(policy_faults(config, &catalogue))?;
    first(guard_faults(config))?;
    let hosts = inventory_of(config)?;
    let live = live(config, &hosts, (store, url))?;
    let drill = drill(config, &hosts, store, &catalogue, canned)?;
    Ok(Modes { live, drill })
}

/// The same for who only looks: no store is opened, so no key is made of its name.
pub(crate) fn without_store(config: &Config, url: &str) -> Outcome<Modes> {
    modes(config, StoreId::new(0, &[0; 10]), url, Vec::new())
}

/// Actions that the policy names and the catalogue does not have.
pub(crate) fn policy_faults(config: &Config, catalogue: &Catalogue) -> Vec<Fault> {
    let rules = config.policy.iter().zip(0..).flat_map(|(rule, number)| {
        rule.actions.iter().zip(0..).map(move |(action, at)| (action, number, at))
    });
    let unknown = rules.filter(|(action, ..)| catalogue.get(action).is_none());
    let fault = |(action, number, at)| {
        Fault::new(
            format!("policy[{number}].actions[{at}]"),
            format!("there is no action `{action}`"),
        )
    };
    unknown.map(fault).collect()
}

/// What the guard list holds that can guard nothing.
pub(crate) fn guard_faults(config: &Config) -> Vec<Fault> {
    let never = config.guard.iter().flat_map(|guard| &guard.never).zip(0..);
    let fault = |(text, number): (&String, u32)| {
        let what = format!("`{text}` is no range, address, MAC or name; it would guard nothing");
        Fault::new(format!("guard.never[{number}]"), what)
            .hint("ranges are written 10.0.0.0/29; each thing is an entry of its own")
    };
    never.filter(|(text, _)| !GuardIdentity::is_meant(text)).map(fault).collect()
}

/// The inventory of the configuration; empty without one.
pub(crate) fn inventory_of(config: &Config) -> Outcome<Inventory> {
    inventory::load(&config.inventory).map_err(|error| Failure::new(Exit::Check, error.to_string()))
}

fn surroundings() -> Surroundings {
    Surroundings { secrets: Arc::new(Resolver), now: || WallClock.now() }
}

/// Connectors by name.
type Made = BTreeMap<ConnectorName, Arc<dyn Connector>>;

/// The configured connectors.
pub(crate) fn connectors(config: &Config) -> Outcome<Made> {
    let (made, faults) = all_connectors(config);
    first(faults).map(|()| made)
}

/// The connectors that can be made, and why the others can not.
pub(crate) fn all_connectors(config: &Config) -> (Made, Vec<Fault>) {
    let around = surroundings();
    let (mut made, mut faults) = (Made::new(), Vec::new());
    for (name, value) in &config.connectors {
        match connect(name, value, &around) {
            Ok(connector) => drop(made.insert(name.clone(), connector)),
            Err(error) => faults.push(error.into()),
        }
    }
    (made, faults)
}

fn live(config: &Config, hosts: &Inventory, (store, url): (StoreId, &str)) -> Outcome<ModeSetup> {
    let connectors = connectors(config)?;
    let (bindings, faults) = bindings(config);
    first(faults)?;
    let setup = Setup {
        store,
        guarded: config.guard.is_some(),
        guard: guard(config, hosts, url),
        limits: config.limits.into(),
        policy: Some(config.policy.clone()),
        inventory: hosts.clone(),
        escalation: config.escalation.role,
    };
    Ok(ModeSetup { setup, connectors, bindings })
}

fn drill(
    config: &Config,
    hosts: &Inventory,
    store: StoreId,
    catalogue: &Catalogue,
    canned: Vec<Canned>,
) -> Outcome<ModeSetup> {
    let simulator: Arc<dyn Connector> =
        Arc::new(Simulator::new(catalogue, canned).with_hosts(hosts.clone()));
    let name = name("simulator")?;
    let mut connectors = BTreeMap::from([(name.clone(), Arc::clone(&simulator))]);
    for configured in config.connectors.keys() {
        connectors.insert(configured.clone(), Arc::clone(&simulator));
    }
    let (relays, faults) = relays(config);
    first(faults)?;
    connectors.extend(relays);
    let mut bindings = explicit(config);
    for capability in capabilities(catalogue) {
        let bound = bindings
            .iter()
            .any(|binding| binding.capability == capability && binding.slot.is_none());
        if !bound {
            let relay = config.drill.keys().find(|_| capability == "mail");
            let connector = relay.cloned().unwrap_or_else(|| name.clone());
            bindings.push(Binding::any(capability, connector));
        }
    }
    let inventory = if config.inventory.is_empty() { Inventory::of_names() } else { hosts.clone() };
    let setup = Setup {
        store,
        guarded: true,
        guard: guard(config, hosts, ""),
        limits: Limits::NONE,
        policy: None,
        inventory,
        escalation: config.escalation.role,
    };
    Ok(ModeSetup { setup, connectors, bindings })
}

/// What a drill may let out, and what is wrong there.
pub(crate) fn relays(config: &Config) -> (Made, Vec<Fault>) {
    let (mut made, mut faults) = (Made::new(), Vec::new());
    for (relay, wanted) in &config.drill {
        let Some(value) = config.connectors.get(relay) else {
            faults.push(Fault::new(format!("drill.{relay}"), "there is no such connector"));
            continue;
        };
        match drill_relay(relay, value, &wanted.only_to, &surroundings()) {
            Ok(connector) => drop(made.insert(relay.clone(), connector)),
            Err(error) => faults.push(error.into()),
        }
    }
    (made, faults)
}

fn name(text: &str) -> Outcome<ConnectorName> {
    text.parse().map_err(|error| Failure::new(Exit::Internal, format!("{error}")))
}

fn explicit(config: &Config) -> Vec<Binding> {
    let binding = |binding: &crate::config::BindingConfig| Binding {
        capability: binding.capability.clone(),
        slot: binding.slot.clone(),
        organisation: binding.organisation.clone(),
        range: binding.range.clone(),
        connector: binding.connector.clone(),
    };
    config.bindings.iter().map(binding).collect()
}

/// What each connector's kind offers, by capability.
fn offers(config: &Config) -> BTreeMap<String, BTreeSet<ConnectorName>> {
    let mut offers: BTreeMap<String, BTreeSet<ConnectorName>> = BTreeMap::new();
    for (name, value) in &config.connectors {
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
        let Some(maker) = CONNECTORS.iter().find(|maker| maker.kind == kind) else { continue };
        for offer in (maker.spec)().offers {
            let capability = offer.action.capability().to_owned();
            offers.entry(capability).or_default().insert(name.clone());
        }
    }
    offers
}

/// Explicit bindings, then what only one connector offers. A tie is a fault.
pub(crate) fn bindings(config: &Config) -> (Vec<Binding>, Vec<Fault>) {
    let mut bindings = explicit(config);
    let offers = offers(config);
    let mut faults: Vec<Fault> = Vec::new();
    for (binding, number) in bindings.iter().zip(0..) {
        let at = format!("bindings[{number}]");
        faults.extend(binding_fault(config, &offers, binding, &at));
        let same = |other: &&Binding| {
            (&other.capability, &other.slot, &other.organisation, &other.range)
                == (&binding.capability, &binding.slot, &binding.organisation, &binding.range)
        };
        if bindings.iter().filter(same).count() > 1 {
            let text = format!("`{}` is bound twice in the same way", binding.capability);
            faults.push(Fault::new(at, text));
        }
    }
    for (capability, who) in offers {
        if bindings.iter().any(|binding| binding.capability == capability && binding.slot.is_none())
        {
            continue;
        }
        let mut who = who.into_iter();
        match (who.next(), who.next()) {
            (Some(connector), None) => bindings.push(Binding::any(capability, connector)),
            (Some(a), Some(b)) => {
                let text = format!("`{capability}` is offered by `{a}` and `{b}`");
                let hint = "say under `bindings:` which of them does it";
                faults.push(Fault::new(format!("connectors.{b}"), text).hint(hint));
            }
            (None, _) => {}
        }
    }
    (bindings, faults)
}

/// Why a binding can not be meant.
fn binding_fault(
    config: &Config,
    offers: &BTreeMap<String, BTreeSet<ConnectorName>>,
    binding: &Binding,
    at: &str,
) -> Option<Fault> {
    let Binding { capability, connector, range, .. } = binding;
    if !config.connectors.contains_key(connector) {
        let text = format!("there is no connector `{connector}`");
        return Some(Fault::new(format!("{at}.connector"), text));
    }
    if !offers.get(capability).is_some_and(|who| who.contains(connector)) {
        let text = format!("`{connector}` does not offer `{capability}`");
        let hint = "`beistand connectors` lists what each can do";
        return Some(Fault::new(format!("{at}.capability"), text).hint(hint));
    }
    let range = range.as_ref().filter(|range| range.parse::<ipnet::IpNet>().is_err())?;
    let text = format!("`{range}` is no range of addresses like 192.0.2.0/24");
    Some(Fault::new(format!("{at}.range"), text))
}
