//! The text that `nft -f -` reads: one transaction, all of it or nothing.
//!
//! ```text
//! forward, input at priority -300, before connection tracking and every other table:
//!   management accept        a way in for us stays, whatever is cut
//!   isolated   drop          by address, both ways, and by hardware address
//!   blocked    drop          single addresses and ranges, both ways
//! ```
//! No rule looks at connection states, so what is established is cut like what is new. `accept`
//! ends this table only: the router's own rules still decide.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::IpAddr;

use beistand_connector_api::Span;
use ipnet::IpNet;

use super::table::{ISOLATED_MAC, isolated_set, set_of};

/// The table that is ours; nothing outside it is ever touched.
pub(super) const TABLE: &str = "inet beistand";

/// The sets: name, type, flags. Single addresses and ranges are apart, because a set of intervals
/// refuses what overlaps and merges what touches, and then an undo could not tell its own.
const SETS: [(&str, &str, &str); 9] = [
    ("management4", "ipv4_addr", "flags interval; auto-merge;"),
    ("management6", "ipv6_addr", "flags interval; auto-merge;"),
    ("isolated4", "ipv4_addr", ""),
    ("isolated6", "ipv6_addr", ""),
    (ISOLATED_MAC, "ether_addr", ""),
    ("blocked4", "ipv4_addr", "flags timeout;"),
    ("blocked6", "ipv6_addr", "flags timeout;"),
    ("ranges4", "ipv4_addr", "flags interval, timeout;"),
    ("ranges6", "ipv6_addr", "flags interval, timeout;"),
];

/// What a transaction changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// A host is cut off.
    Isolate { addresses: BTreeSet<IpAddr>, macs: BTreeSet<String> },
    /// A host is joined again.
    Release { addresses: BTreeSet<IpAddr>, macs: BTreeSet<String> },
    /// An address or range is blocked, for a while or for good.
    Block { range: IpNet, span: Option<Span> },
    /// A block is lifted.
    Unblock { range: IpNet },
}

/// The whole transaction.
pub(super) fn transaction(management: &[IpNet], change: &Change) -> String {
    let mut text = String::new();
    let mut line = |args: std::fmt::Arguments<'_>| {
        // Writing to a String can not fail; a lost line would be a syntax error, not a hole.
        if writeln!(text, "{args}").is_err() {
            text.clear();
        }
    };
    line(format_args!("add table {TABLE}"));
    for (name, kind, flags) in SETS {
        line(format_args!("add set {TABLE} {name} {{ type {kind}; {flags} }}"));
    }
    for hook in ["forward", "input"] {
        line(format_args!(
            "add chain {TABLE} {hook} {{ type filter hook {hook} priority -300; policy accept; }}"
        ));
        line(format_args!("flush chain {TABLE} {hook}"));
    }
    for rule in rules() {
        line(format_args!("add rule {TABLE} {rule}"));
    }
    for family in ["4", "6"] {
        line(format_args!("flush set {TABLE} management{family}"));
        let ours = management.iter().filter(|range| range.addr().is_ipv4() == (family == "4"));
        for range in ours {
            line(format_args!("add element {TABLE} management{family} {{ {} }}", element(range)));
        }
    }
    for order in orders(change) {
        line(format_args!("{order}"));
    }
    text
}

fn rules() -> Vec<String> {
    let mut rules = vec!["input iifname \"lo\" accept".to_owned()];
    for (ip, family) in [("ip", "4"), ("ip6", "6")] {
        for (hook, way) in [("forward", "saddr"), ("forward", "daddr"), ("input", "saddr")] {
            rules.push(format!("{hook} {ip} {way} @management{family} accept"));
        }
    }
    for hook in ["forward", "input"] {
        rules.push(format!("{hook} ether saddr @{ISOLATED_MAC} counter drop"));
    }
    for (ip, family) in [("ip", "4"), ("ip6", "6")] {
        for set in ["isolated", "blocked", "ranges"] {
            for (hook, way) in [("forward", "saddr"), ("forward", "daddr"), ("input", "saddr")] {
                rules.push(format!("{hook} {ip} {way} @{set}{family} counter drop"));
            }
        }
    }
    rules
}

fn orders(change: &Change) -> Vec<String> {
    let mut orders = Vec::new();
    match change {
        Change::Isolate { addresses, macs } => {
            for address in addresses {
                orders.push(format!(
                    "add element {TABLE} {} {{ {address} }}",
                    isolated_set(*address)
                ));
            }
            for mac in macs {
                orders.push(format!("add element {TABLE} {ISOLATED_MAC} {{ {mac} }}"));
            }
        }
        Change::Release { addresses, macs } => {
            for address in addresses {
                orders.extend(removed(isolated_set(*address), &address.to_string()));
            }
            for mac in macs {
                orders.extend(removed(ISOLATED_MAC, mac));
            }
        }
        Change::Block { range, span } => {
            let (set, what) = (set_of(range), element(range));
            // An element that is there keeps its old end unless it goes first.
            orders.extend(removed(set, &what));
            let end = span.map(|span| format!(" timeout {}s", seconds(span))).unwrap_or_default();
            orders.push(format!("add element {TABLE} {set} {{ {what}{end} }}"));
        }
        Change::Unblock { range } => orders.extend(removed(set_of(range), &element(range))),
    }
    orders
}

/// Taking out what is not there is an error to nft; adding what is there is none.
fn removed(set: &str, element: &str) -> [String; 2] {
    ["add", "delete"].map(|verb| format!("{verb} element {TABLE} {set} {{ {element} }}"))
}

fn element(range: &IpNet) -> String {
    if range.prefix_len() == range.max_prefix_len() {
        range.addr().to_string()
    } else {
        range.trunc().to_string()
    }
}

/// Whole seconds, and never none: nft takes 0 for "for ever".
fn seconds(span: Span) -> u64 {
    span.millis().div_ceil(1000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_management_path_comes_before_every_drop() {
        for hook in ["forward", "input"] {
            let rules: Vec<String> =
                rules().into_iter().filter(|rule| rule.starts_with(hook)).collect();
            let last_accept = rules.iter().rposition(|rule| rule.ends_with("accept")).unwrap();
            let first_drop = rules.iter().position(|rule| rule.ends_with("drop")).unwrap();
            assert!(last_accept < first_drop, "{rules:?}");
            assert!(!rules.iter().any(|rule| rule.contains("ct state")));
        }
    }

    #[test]
    fn a_block_is_replaced_and_an_end_is_never_for_ever() {
        let range = "192.0.2.7/32".parse().unwrap();
        let text = transaction(&[], &Change::Block { range, span: Some(Span::from_millis(1)) });
        let tail: Vec<&str> = text.lines().rev().take(3).collect();
        assert_eq!(
            tail,
            [
                "add element inet beistand blocked4 { 192.0.2.7 timeout 1s }",
                "delete element inet beistand blocked4 { 192.0.2.7 }",
                "add element inet beistand blocked4 { 192.0.2.7 }",
            ]
        );
        assert_eq!(element(&"192.0.2.7/24".parse().unwrap()), "192.0.2.0/24");
    }
}
