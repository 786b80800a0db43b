//! What an effect acts on, and the inventory that resolves names to identities.
//!
//! Names are never resolved by DNS unless the configuration says so: in a crisis DNS belongs to
//! the attacker. The resolved identity is fixed before the gate.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Organisation, words};

words! {
    /// What kind of thing a target is.
    TargetKind = "kind of target" {
        /// A machine on the network.
        Host = "host",
        /// An address or range.
        Address = "address",
        /// An account in a directory.
        Account = "account",
        /// A mailbox.
        Mailbox = "mailbox",
        /// A virtual machine.
        Vm = "vm",
        /// A customer's line.
        Link = "link",
        /// A whole organisation.
        Organisation = "organisation",
    }
}

/// A resolved target. Equal targets are the same thing to holds and limits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Target {
    /// What kind of thing.
    pub kind: TargetKind,
    /// The name it goes by: the inventory's name, or the text as given, in small letters.
    pub name: String,
    /// Its addresses, in rising order; empty where none are known.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub addresses: BTreeSet<IpAddr>,
    /// Its hardware addresses, `aa:bb:cc:dd:ee:ff`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub macs: BTreeSet<String>,
    /// Whose it is, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Organisation>,
}

impl Target {
    /// What holds and limits count it by: `host:pc-17`.
    pub fn identity(&self) -> String {
        format!("{}:{}", self.kind.as_str(), self.name)
    }
}

/// A line of the inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryHost {
    /// The name, in small letters.
    pub name: String,
    /// Its addresses.
    pub addresses: BTreeSet<IpAddr>,
    /// Its hardware addresses.
    pub macs: BTreeSet<String>,
    /// Whose it is.
    pub organisation: Option<Organisation>,
    /// Groups it is in.
    pub groups: BTreeSet<String>,
}

/// The local inventory: where names become identities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    hosts: Vec<InventoryHost>,
    by_name: BTreeMap<String, usize>,
    by_address: BTreeMap<IpAddr, usize>,
    /// Without an inventory (drills, cases) every name resolves to itself.
    names_stand_for_themselves: bool,
}

/// A name that the inventory does not know.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not in the inventory and is no address; add it there and retry")]
pub struct Unresolved(pub String);

impl Inventory {
    /// The inventory of a drill without one, and of cases: every name resolves to itself.
    pub fn of_names() -> Self {
        Self { names_stand_for_themselves: true, ..Self::default() }
    }

    /// From its lines. A name that stands twice is answered with it.
    pub fn new(hosts: Vec<InventoryHost>) -> Result<Self, String> {
        let mut inventory = Self::default();
        for (index, host) in hosts.iter().enumerate() {
            if inventory.by_name.insert(host.name.clone(), index).is_some() {
                return Err(host.name.clone());
            }
            for address in &host.addresses {
                inventory.by_address.insert(address.to_canonical(), index);
            }
        }
        inventory.hosts = hosts;
        Ok(inventory)
    }

    /// All lines, in the order of the files.
    pub fn hosts(&self) -> &[InventoryHost] {
        &self.hosts
    }

    /// The identity behind a text.
    ///
    /// Hosts are found by name, by first label where that is unique, or by address; an address
    /// outside the inventory stands for itself. Other kinds stand for themselves.
    pub fn resolve(&self, kind: TargetKind, text: &str) -> Result<Target, Unresolved> {
        let name = text.trim().trim_end_matches('.').to_lowercase();
        if name.is_empty() {
            return Err(Unresolved(text.to_owned()));
        }
        let plain = |addresses: BTreeSet<IpAddr>| Target {
            kind,
            name: name.clone(),
            addresses,
            macs: BTreeSet::new(),
            organisation: None,
        };
        match kind {
            TargetKind::Host => {
                let address = name.parse::<IpAddr>().ok().map(|address| address.to_canonical());
                if let Some(host) = self.find(&name, address) {
                    return Ok(Target {
                        kind,
                        name: host.name.clone(),
                        addresses: host.addresses.clone(),
                        macs: host.macs.clone(),
                        organisation: host.organisation.clone(),
                    });
                }
                match address {
                    Some(address) => {
                        Ok(Target { name: address.to_string(), ..plain(BTreeSet::from([address])) })
                    }
                    None if self.names_stand_for_themselves => Ok(plain(BTreeSet::new())),
                    None => Err(Unresolved(text.to_owned())),
                }
            }
            TargetKind::Address => {
                let name = canonical(&name).unwrap_or_else(|| name.clone());
                let addresses = name.parse().into_iter().collect();
                Ok(Target { name, ..plain(addresses) })
            }
            TargetKind::Account
            | TargetKind::Mailbox
            | TargetKind::Vm
            | TargetKind::Link
            | TargetKind::Organisation => Ok(plain(BTreeSet::new())),
        }
    }

    fn find(&self, name: &str, address: Option<IpAddr>) -> Option<&InventoryHost> {
        let index = match address {
            Some(address) => self.by_address.get(&address).copied(),
            None => self.by_name.get(name).copied().or_else(|| self.by_first_label(name)),
        };
        index.and_then(|index| self.hosts.get(index))
    }

    fn by_first_label(&self, name: &str) -> Option<usize> {
        let label = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
        // `pc-1` and `pc-1.example` are one machine; `pc-1.a` and `pc-1.b` are two.
        let mut found = self.hosts.iter().enumerate().filter(|(_, host)| {
            (host.name.contains('.') != name.contains('.')) && label(&host.name) == label(name)
        });
        match (found.next(), found.next()) {
            (Some((index, _)), None) => Some(index),
            _ => None,
        }
    }
}

/// An address or a range as it is counted: one machine has one spelling. An IPv4 address written
/// as IPv6 is that IPv4 address, a range begins where it begins, and a range of one is an address.
fn canonical(text: &str) -> Option<String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical().to_string());
    }
    let range = canonical_range(text.parse().ok()?);
    let single = range.prefix_len() == range.max_prefix_len();
    Some(if single { range.addr().to_string() } else { range.to_string() })
}

/// A range, in IPv4 where it was written as IPv6 and is IPv4.
pub(super) fn canonical_range(range: IpNet) -> IpNet {
    if let IpNet::V6(six) = range
        && let Some(address) = six.addr().to_ipv4_mapped()
        && let Some(prefix) = six.prefix_len().checked_sub(96)
        && let Ok(four) = Ipv4Net::new(address, prefix)
    {
        return IpNet::V4(four.trunc());
    }
    range.trunc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_machine_has_one_spelling() {
        let inventory = inventory();
        let name = |kind, text: &str| inventory.resolve(kind, text).unwrap().name;
        for text in ["192.0.2.9", "192.0.2.9/32", "::ffff:192.0.2.9", "::ffff:192.0.2.9/128"] {
            assert_eq!(name(TargetKind::Address, text), "192.0.2.9", "{text}");
        }
        for text in ["192.0.2.0/24", "192.0.2.9/24", "::ffff:192.0.2.9/120"] {
            assert_eq!(name(TargetKind::Address, text), "192.0.2.0/24", "{text}");
        }
        assert_eq!(name(TargetKind::Address, "2001:DB8:0::1"), "2001:db8::1");
        assert_eq!(name(TargetKind::Host, "::ffff:198.51.100.9"), "198.51.100.9");
    }

    fn inventory() -> Inventory {
        let host = |name: &str, address: &str| InventoryHost {
            name: name.to_owned(),
            addresses: BTreeSet::from([address.parse().unwrap()]),
            macs: BTreeSet::new(),
            organisation: None,
            groups: BTreeSet::new(),
        };
        Inventory::new(vec![host("pc-1.example", "192.0.2.1"), host("dc01", "192.0.2.9")]).unwrap()
    }

    #[test]
    fn one_machine_has_one_identity_whatever_it_is_called() {
        let inventory = inventory();
        let names = ["pc-1.example", "PC-1", "pc-1.example.", "192.0.2.1"];
        let found: BTreeSet<Target> =
            names.iter().map(|name| inventory.resolve(TargetKind::Host, name).unwrap()).collect();
        assert_eq!(found.len(), 1);
        assert!(inventory.resolve(TargetKind::Host, "pc-9").is_err());
        assert!(inventory.resolve(TargetKind::Host, "192.0.2.77").is_ok());
    }
}
