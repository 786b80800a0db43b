//! From the configuration to what the engine works with, for live runs and for drills.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use beistand_connector_api::Connector;
use beistand_connectors::simulator::{Canned, Simulator};
use beistand_connectors::{CONNECTORS, Surroundings, connect, drill_relay, inventory};
use beistand_core::model::{Catalogue, ConnectorName, Inventory, Limits, StoreId, capabilities};
use beistand_core::run::{Binding, Setup};
use beistand_runtime::{Clock as _, ModeSetup, Modes, WallClock};
use serde_json::Value;

use crate::config::{Config, Resolver};
use crate::exit::{Exit, Failure, Outcome};
use crate::guard::guard;

/// Everything the engine works with.
pub(crate) fn modes(
    config: &Config,
    store: StoreId,
    url: &str,
    canned: Vec<Canned>,
) -> Outcome<Modes> {
    let catalogue = Catalogue::first();
    if let Some(action) = config.unknown_actions(&catalogue).first() {
        return Err(Failure::new(Exit::Check, format!("policy: there is no action `{action}`")));
    }
    let hosts = inventory_of(config)?;
    let live = live(config, &hosts, (store, url))?;
    let drill = drill(config, &hosts, store, &catalogue, canned)?;
    Ok(Modes { live, drill })
}

/// The inventory of the configuration; empty without one.
pub(crate) fn inventory_of(config: &Config) -> Outcome<Inventory> {
    inventory::load(&config.inventory).map_err(|error| Failure::new(Exit::Check, error.to_string()))
}

fn surroundings() -> Surroundings {
    Surroundings { secrets: Arc::new(Resolver), now: || WallClock.now() }
}

/// The configured connectors, by name.
pub(crate) fn connectors(config: &Config) -> Outcome<BTreeMap<ConnectorName, Arc<dyn Connector>>> {
    let around = surroundings();
    let mut made = BTreeMap::new();
    for (name, value) in &config.connectors {
        let connector = connect(name, value, &around)
            .map_err(|error| Failure::new(Exit::Check, error.to_string()).hint(error.hint))?;
        made.insert(name.clone(), connector);
    }
    Ok(made)
}

fn live(config: &Config, hosts: &Inventory, (store, url): (StoreId, &str)) -> Outcome<ModeSetup> {
    let connectors = connectors(config)?;
    let bindings = bindings(config, &connectors)?;
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
    for (relay, wanted) in &config.drill {
        let Some(value) = config.connectors.get(relay) else {
            return Err(Failure::new(
                Exit::Check,
                format!("drill.{relay}: there is no such connector"),
            ));
        };
        let connector = drill_relay(relay, value, &wanted.only_to, &surroundings())
            .map_err(|error| Failure::new(Exit::Check, error.to_string()).hint(error.hint))?;
        connectors.insert(relay.clone(), connector);
    }
    let mut bindings = explicit(config);
    for capability in capabilities(catalogue) {
        let bound = bindings
            .iter()
            .any(|binding| binding.capability == capability && binding.slot.is_none());
        if !bound {
            let relay = config.drill.keys().find(|_| capability == "mail");
            let connector = relay.cloned().unwrap_or_else(|| name.clone());
            bindings.push(Binding {
                capability,
                slot: None,
                organisation: None,
                range: None,
                connector,
            });
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

/// Explicit bindings, then what only one connector offers. A tie is a finding.
fn bindings(
    config: &Config,
    connectors: &BTreeMap<ConnectorName, Arc<dyn Connector>>,
) -> Outcome<Vec<Binding>> {
    let mut bindings = explicit(config);
    let offers = offers(config);
    for (binding, number) in bindings.iter().zip(0..) {
        let at = format!("bindings[{number}]");
        if !connectors.contains_key(&binding.connector) {
            let text = format!("{at}: there is no connector `{}`", binding.connector);
            return Err(Failure::new(Exit::Check, text));
        }
        let known =
            offers.get(&binding.capability).is_some_and(|who| who.contains(&binding.connector));
        if !known {
            let text =
                format!("{at}: `{}` does not offer `{}`", binding.connector, binding.capability);
            return Err(Failure::new(Exit::Check, text)
                .hint("`beistand connectors` lists what each can do"));
        }
        if let Some(range) = &binding.range
            && range.parse::<ipnet::IpNet>().is_err()
        {
            let text = format!("{at}: `{range}` is no range of addresses like 192.0.2.0/24");
            return Err(Failure::new(Exit::Check, text));
        }
        let same = |other: &&Binding| {
            (&other.capability, &other.slot, &other.organisation, &other.range)
                == (&binding.capability, &binding.slot, &binding.organisation, &binding.range)
        };
        if bindings.iter().filter(same).count() > 1 {
            let text = format!("{at}: `{}` is bound twice in the same way", binding.capability);
            return Err(Failure::new(Exit::Check, text));
        }
    }
    for (capability, who) in offers {
        if bindings.iter().any(|binding| binding.capability == capability && binding.slot.is_none())
        {
            continue;
        }
        let mut who = who.into_iter();
        match (who.next(), who.next()) {
            (Some(connector), None) => {
                bindings.push(Binding {
                    capability,
                    slot: None,
                    organisation: None,
                    range: None,
                    connector,
                });
            }
            (Some(a), Some(b)) => {
                let text = format!("`{capability}` is offered by `{a}` and `{b}`");
                return Err(Failure::new(Exit::Check, text)
                    .hint("say under `bindings:` which of them does it"));
            }
            (None, _) => {}
        }
    }
    Ok(bindings)
}
