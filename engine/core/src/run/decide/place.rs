//! Where an effect happens: everything it touches, and the connector that does it there.
//!
//! Guard, holds, limits, policy and what an approver signs all go by the one list made here.

use serde_json::Value;

use super::super::state::Binding;
use super::super::world::{Connectors, Setup, World};
use super::prepare::Unfit;
use crate::model::{
    ActionName, ActionSpec, ConnectorName, ErrorKind, Inventory, Target, TargetKind,
};

/// What an author says a call is about, resolved in the inventory.
pub(super) fn targets_of(
    world: &World<'_>,
    spec: &ActionSpec,
    arguments: &Value,
) -> Result<Vec<Target>, Unfit> {
    let mut targets = Vec::new();
    for (kind, name) in spec.target_names(arguments) {
        let target = world.setup.inventory.resolve(kind, &name);
        targets.push(target.map_err(|error| (ErrorKind::Invalid, error.to_string()))?);
    }
    targets.sort();
    targets.dedup();
    Ok(targets)
}

/// Everything an effect touches: what its author names, and the host that a generic call goes to.
/// Sorted, each thing once.
pub fn touched(
    (setup, connectors): (&Setup, &dyn Connectors),
    spec: &ActionSpec,
    connector: Option<&ConnectorName>,
    (arguments, named): (&Value, Vec<Target>),
) -> Vec<Target> {
    let mut targets = named;
    for host in hosts_of((setup, connectors), spec, connector, arguments) {
        let identity = host.identity();
        match targets.iter_mut().find(|target| target.identity() == identity) {
            Some(known) => known.addresses.extend(host.addresses),
            None => targets.push(host),
        }
    }
    targets.sort();
    targets
}

/// The host a generic call goes to, under every identity it has: that of the written name and,
/// where the connector goes to an address of another line of the inventory, that one's too.
fn hosts_of(
    (setup, connectors): (&Setup, &dyn Connectors),
    spec: &ActionSpec,
    connector: Option<&ConnectorName>,
    arguments: &Value,
) -> Vec<Target> {
    let Some(argument) = spec.goes_to() else { return Vec::new() };
    let inventory = &setup.inventory;
    let resolved = |name: &str| inventory.resolve(TargetKind::Host, name).ok();
    // What the inventory does not know is still known by its name.
    let by_name = |name: &str| Inventory::of_names().resolve(TargetKind::Host, name).ok();
    let configured =
        connector.and_then(|connector| connectors.goes_to(connector, &spec.name, arguments));
    let written = arguments.get(argument).and_then(Value::as_str);
    let name = written.or_else(|| configured.as_ref().map(|host| host.name.as_str()));
    let Some(mut host) = name.and_then(|name| resolved(name).or_else(|| by_name(name))) else {
        return Vec::new();
    };
    let addresses = configured.map(|host| host.addresses).unwrap_or_default();
    let machines = addresses.iter().filter_map(|address| {
        let machine = resolved(&address.to_string())?;
        (machine.name != address.to_string() && machine.name != host.name).then_some(machine)
    });
    let mut hosts: Vec<Target> = machines.collect();
    host.addresses.extend(addresses);
    hosts.push(host);
    hosts
}

/// The most specific binding: a slot's own, then by range, then by organisation, then any.
pub(super) fn choose(
    bindings: &[Binding],
    (action, via): (&ActionName, Option<&str>),
    targets: &[Target],
) -> Option<ConnectorName> {
    let fits = |binding: &&Binding| {
        let organisation = binding.organisation.as_ref();
        let within = |range: &str| {
            range.parse::<ipnet::IpNet>().is_ok_and(|range| {
                targets.iter().all(|target| {
                    !target.addresses.is_empty()
                        && target.addresses.iter().all(|address| range.contains(address))
                })
            })
        };
        binding.capability == action.capability()
            && binding.slot.as_deref() == via
            && organisation.is_none_or(|organisation| {
                targets.iter().all(|target| target.organisation.as_ref() == Some(organisation))
            })
            && binding.range.as_deref().is_none_or(within)
            && (!targets.is_empty() || (binding.range.is_none() && organisation.is_none()))
    };
    let weight = |binding: &Binding| (binding.range.is_some(), binding.organisation.is_some());
    bindings
        .iter()
        .rev()
        .filter(fits)
        .max_by_key(|binding| weight(binding))
        .map(|binding| binding.connector.clone())
}
