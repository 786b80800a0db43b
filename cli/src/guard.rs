//! What is never touched: the list of the configuration, and the way the engine itself goes to what
//! it works with. Who cuts that off can neither go on nor take anything back.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs as _};

use beistand_core::model::{Guard, GuardIdentity, Inventory};
use serde_json::Value;

use crate::config::Config;

/// What the configuration guards, under all names the inventory knows, and the engine's own host,
/// store, gateways, and what its connectors go to.
pub(crate) fn guard(config: &Config, hosts: &Inventory, url: &str) -> Guard {
    let mut identities = Vec::new();
    for text in config.guard.iter().flat_map(|guard| &guard.never) {
        identities.push(with_inventory(GuardIdentity::from_text(text), hosts));
    }
    for (why, host) in own_hosts(config, url) {
        let mut identity = GuardIdentity::from_text(&host);
        identity.label = why;
        if identity.ranges.is_empty() {
            for address in (host.as_str(), 0).to_socket_addrs().into_iter().flatten() {
                identity.ranges.push(ipnet::IpNet::from(address.ip()));
            }
        }
        identities.push(with_inventory(identity, hosts));
    }
    for (why, names) in services(config) {
        let parts = names.iter().map(|name| GuardIdentity::from_text(name));
        let mut identity = GuardIdentity { label: why, ..GuardIdentity::from_text("") };
        identity.names.clear();
        for part in parts {
            identity.names.extend(part.names);
            identity.ranges.extend(part.ranges);
        }
        identities.push(with_inventory(identity, hosts));
    }
    Guard::new(identities)
}

/// A guarded name stands for all of its machine: other names, addresses, hardware addresses.
fn with_inventory(mut identity: GuardIdentity, hosts: &Inventory) -> GuardIdentity {
    for host in hosts.hosts() {
        let label = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
        let named = identity
            .names
            .iter()
            .any(|name| *name == host.name || label(name) == label(&host.name));
        let addressed = host
            .addresses
            .iter()
            .any(|address| identity.ranges.iter().any(|range| range.contains(address)));
        let wired = host.macs.iter().any(|mac| identity.macs.contains(mac));
        // One address of a machine stands for the machine; a range stands for its addresses.
        let meant = identity.ranges.iter().any(|range| {
            range.prefix_len() == range.max_prefix_len() && host.addresses.contains(&range.addr())
        });
        if named || wired || meant {
            identity
                .ranges
                .extend(host.addresses.iter().map(|address| ipnet::IpNet::from(*address)));
        }
        if named || addressed || wired {
            identity.names.insert(host.name.clone());
            identity.macs.extend(host.macs.iter().cloned());
        }
    }
    identity
}

/// The addresses of this machine's interfaces, as Linux lists them: `fib_trie` the IPv4 addresses
/// that are local, `if_inet6` those of IPv6.
fn own_addresses() -> Vec<IpAddr> {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    local_addresses(&read("/proc/net/fib_trie"), &read("/proc/net/if_inet6"))
}

fn local_addresses(trie: &str, inet6: &str) -> Vec<IpAddr> {
    let mut found = BTreeSet::new();
    let mut leaf = None;
    for line in trie.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            leaf = address.parse::<IpAddr>().ok();
        } else if line == "/32 host LOCAL" {
            found.extend(leaf);
        }
    }
    let digits = inet6.lines().filter_map(|line| line.split_whitespace().next());
    let six = digits.filter_map(|digits| u128::from_str_radix(digits, 16).ok());
    found.extend(six.map(|bits| IpAddr::V6(bits.into())));
    found.into_iter().collect()
}

fn own_hosts(config: &Config, url: &str) -> Vec<(String, String)> {
    let mut own = vec![("the engine's own host".to_owned(), "localhost".to_owned())];
    if let Ok(name) = std::fs::read_to_string("/proc/sys/kernel/hostname") {
        own.push(("the engine's own host".to_owned(), name.trim().to_owned()));
    }
    for address in own_addresses() {
        own.push(("the engine's own host".to_owned(), address.to_string()));
    }
    for gateway in gateways() {
        own.push(("the engine's gateway".to_owned(), gateway.to_string()));
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        own.extend(store_hosts(url).map(|host| ("the engine's store".to_owned(), host)));
    }
    for (name, value) in &config.connectors {
        if let Some(host) = value.get("host").and_then(Value::as_str) {
            own.push((format!("the host of connector `{name}`"), host.to_owned()));
        }
        for range in texts(value.get("management")) {
            own.push((format!("the management path of connector `{name}`"), range.to_owned()));
        }
    }
    own
}

/// The services that connectors may ask, and the addresses that the configuration has for them.
/// Their names are not looked up: that would cost each start a question to a server that may be
/// gone.
fn services(config: &Config) -> Vec<(String, Vec<String>)> {
    let mut services = Vec::new();
    for (name, value) in &config.connectors {
        let allowed = value.get("allow").and_then(Value::as_array).into_iter().flatten();
        let urls = allowed.filter_map(|entry| entry.get("url")?.as_str());
        let hosts: BTreeSet<String> = urls.filter_map(host_of).collect();
        for host in hosts {
            let known = value.get("addresses").and_then(|addresses| addresses.get(&host));
            let also = texts(known).map(str::to_owned);
            let all = std::iter::once(host.clone()).chain(also).collect();
            services.push((format!("the service of connector `{name}`"), all));
        }
    }
    services
}

fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// The host in a URL, in small letters; an IPv6 address without its brackets.
fn host_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(six) => six.split(']').next()?,
        None => host.split(':').next()?,
    };
    Some(host.to_lowercase()).filter(|host| !host.is_empty())
}

/// The hosts of a PostgreSQL URL: the one before the path, and those that its query names. A path
/// is a socket of this machine.
fn store_hosts(url: &str) -> impl Iterator<Item = String> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let named = query.split('&').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let is_host = matches!(name, "host" | "hostaddr") && !value.starts_with(['/', '%']);
        is_host.then(|| value.to_lowercase())
    });
    host_of(url).into_iter().chain(named)
}

/// Where this machine's routes lead over: the default gateway, and those of all other routes.
fn gateways() -> BTreeSet<IpAddr> {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    next_hops(&read("/proc/net/route"), &read("/proc/net/ipv6_route"))
}

/// Next hops as Linux lists them: `route` has a line of titles and the address in the byte order
/// of the machine, `ipv6_route` none and the digits in order. Zeros are no next hop.
fn next_hops(route: &str, ipv6_route: &str) -> BTreeSet<IpAddr> {
    let four = route.lines().skip(1).filter_map(|line| {
        let digits = line.split_whitespace().nth(2)?;
        let bits = u32::from_str_radix(digits, 16).ok().filter(|bits| *bits != 0)?;
        Some(IpAddr::V4(Ipv4Addr::from(bits.to_ne_bytes())))
    });
    let six = ipv6_route.lines().filter_map(|line| {
        let digits = line.split_whitespace().nth(4)?;
        let bits = u128::from_str_radix(digits, 16).ok().filter(|bits| *bits != 0)?;
        Some(IpAddr::V6(Ipv6Addr::from(bits)))
    });
    four.chain(six).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use beistand_core::model::TargetKind;

    use super::*;

    #[test]
    fn what_the_engine_goes_to_is_guarded_in_both_families() {
        let text = "connectors:
  router: { kind: nftables-ssh, host: 192.0.2.1, management: [198.51.100.0/28, 'fd00:1::/64'] }
  edr: { kind: http, allow: [ { methods: [GET], url: 'https://EDR.example:8443/api' },
      { methods: [GET], url: 'https://[2001:db8::7]/' } ], addresses: { edr.example: [192.0.2.7, '2001:db8::8'] } }
";
        let config = Config::read(text, Path::new("b.yaml")).unwrap();
        let url = "postgres://beistand:secret@[2001:db8::5]/journal?host=192.0.2.6";
        let guard = guard(&config, &Inventory::of_names(), url);
        let label = |name: &str| {
            let target = Inventory::of_names().resolve(TargetKind::Host, name).unwrap();
            guard.hit(&[target]).map(|hit| hit.label)
        };
        for name in ["192.0.2.1", "2001:db8::5", "192.0.2.6", "198.51.100.3", "fd00:1::9"] {
            assert!(label(name).is_some(), "{name}");
        }
        for name in ["edr.example", "192.0.2.7", "2001:db8::8", "2001:db8::7"] {
            assert_eq!(label(name).as_deref(), Some("the service of connector `edr`"), "{name}");
        }
        for name in ["203.0.113.77", "198.51.100.16", "fd00:2::9", "pc-1"] {
            assert_eq!(label(name), None, "{name}");
        }
    }

    #[test]
    fn every_next_hop_of_both_families_is_found() {
        let words = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
        let route = format!(
            "Iface\tDestination\tGateway \tFlags\neth0\t00000000\t{}\t0003\neth0\t{}\t00000000\t0001\neth1\t{}\t{}\t0003\n",
            words([10, 1, 0, 1]),
            words([10, 1, 0, 0]),
            words([128, 0, 0, 0]),
            words([10, 2, 0, 1]),
        );
        let zeros = "0".repeat(32);
        let six = format!(
            "fd000000000000000000000000000000 40 {zeros} 00 {zeros} 00000100 00000001 00000000 00000001 eth0\n\
             {zeros} 00 {zeros} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003 eth0\n\
             {zeros} 00 {zeros} 00 {zeros} ffffffff 00000001 00000000 00200200 lo\n"
        );
        let found: Vec<String> = next_hops(&route, &six).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["10.1.0.1", "10.2.0.1", "fe80::1"]);
    }

    #[test]
    fn the_addresses_of_the_machine_itself_are_found() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.1.0.0\n        /24 link UNICAST\n     \
                    |-- 10.1.0.5\n        /32 host LOCAL\n     |-- 10.1.0.255\n        /32 link BROADCAST\n";
        let six = "fd000000000000000000000000000002 02 40 00 80     eth0\n";
        let found: Vec<String> =
            local_addresses(trie, six).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["10.1.0.5", "fd00::2"]);
    }
}
