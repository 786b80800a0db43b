//! Reading the table back: what `nft -j list table inet beistand` says, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use beistand_connector_api::Value;
use ipnet::IpNet;

/// The set of isolated hardware addresses.
pub(super) const ISOLATED_MAC: &str = "isolated_mac";

/// The set in which an isolated address stands.
pub(super) const fn isolated_set(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "isolated4" } else { "isolated6" }
}

/// The set in which a blocked address or range stands.
pub(super) fn set_of(range: &IpNet) -> &'static str {
    let single = range.prefix_len() == range.max_prefix_len();
    match (range.addr().is_ipv4(), single) {
        (true, true) => "blocked4",
        (false, true) => "blocked6",
        (true, false) => "ranges4",
        (false, false) => "ranges6",
    }
}

/// The table as it is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    /// The elements of each set, in nft's spelling.
    elements: BTreeMap<String, BTreeSet<String>>,
    /// The sets that a dropping rule of the forward chain looks into.
    drops: BTreeSet<String>,
    /// Whether the forward chain hangs in the hook.
    hooked: bool,
}

impl Table {
    /// Reads nft's JSON (libnftables-json(5)). No output at all is a table that is not there.
    ///
    /// # Errors
    /// A sentence, where it is no such JSON.
    pub(super) fn read(json: &[u8]) -> Result<Self, String> {
        if json.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let value: Value = serde_json::from_slice(json)
            .map_err(|error| format!("nft did not answer in JSON: {error}"))?;
        let entries = value
            .get("nftables")
            .and_then(Value::as_array)
            .ok_or_else(|| "nft answered without a list `nftables`".to_owned())?;
        let mut table = Self::default();
        for entry in entries {
            if let Some(set) = entry.get("set") {
                let name = word(set, "name").to_owned();
                let listed = set.get("elem").and_then(Value::as_array);
                table
                    .elements
                    .insert(name, listed.into_iter().flatten().filter_map(spelled).collect());
            } else if let Some(chain) = entry.get("chain") {
                table.hooked |=
                    word(chain, "name") == "forward" && word(chain, "hook") == "forward";
            } else if let Some(rule) = entry.get("rule")
                && word(rule, "chain") == "forward"
            {
                table.drops.extend(dropped_set(rule));
            }
        }
        Ok(table)
    }

    /// Whether all of a host's addresses are cut.
    pub(super) fn isolates(&self, addresses: &BTreeSet<IpAddr>, macs: &BTreeSet<String>) -> bool {
        addresses.iter().all(|address| self.cuts(isolated_set(*address), &address.to_string()))
            && macs.iter().all(|mac| self.cuts(ISOLATED_MAC, mac))
    }

    /// Whether any of a host's addresses is cut.
    pub(super) fn touches(&self, addresses: &BTreeSet<IpAddr>, macs: &BTreeSet<String>) -> bool {
        addresses.iter().any(|address| self.cuts(isolated_set(*address), &address.to_string()))
            || macs.iter().any(|mac| self.cuts(ISOLATED_MAC, mac))
    }

    /// Whether an address or range is blocked.
    pub(super) fn blocks(&self, range: &IpNet) -> bool {
        let single = range.prefix_len() == range.max_prefix_len();
        let element = if single { range.addr().to_string() } else { range.trunc().to_string() };
        self.cuts(set_of(range), &element)
    }

    /// An element without a rule that drops it cuts nothing.
    fn cuts(&self, set: &str, element: &str) -> bool {
        self.hooked
            && self.drops.contains(set)
            && self.elements.get(set).is_some_and(|elements| elements.contains(element))
    }
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// `"10.0.0.5"`, `{"prefix": {"addr": …, "len": …}}`, or either below `{"elem": {"val": …}}`.
fn spelled(element: &Value) -> Option<String> {
    let value = element.get("elem").and_then(|elem| elem.get("val")).unwrap_or(element);
    if let Some(prefix) = value.get("prefix") {
        return Some(format!("{}/{}", word(prefix, "addr"), prefix.get("len")?));
    }
    value.as_str().map(str::to_owned)
}

fn dropped_set(rule: &Value) -> Option<String> {
    let expressions = rule.get("expr")?.as_array()?;
    if !expressions.iter().any(|expression| expression.get("drop").is_some()) {
        return None;
    }
    expressions.iter().find_map(|expression| {
        expression.get("match")?.get("right")?.as_str()?.strip_prefix('@').map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn table(rules: bool) -> Table {
        let rule = |set: &str| {
            json!({ "rule": { "chain": "forward", "expr": [
                { "match": { "op": "==", "right": set } }, { "counter": {} }, { "drop": null },
            ] } })
        };
        let mut entries = vec![
            json!({ "metainfo": { "json_schema_version": 1 } }),
            json!({ "chain": { "name": "forward", "hook": "forward", "prio": -300 } }),
            json!({ "set": { "name": "isolated4", "elem": ["10.0.0.5"] } }),
            json!({ "set": { "name": "blocked4", "elem": [
                { "elem": { "val": "192.0.2.7", "timeout": 60, "expires": 59 } }] } }),
            json!({ "set": { "name": "ranges4", "elem": [
                { "elem": { "val": { "prefix": { "addr": "192.0.2.0", "len": 24 } } } }] } }),
        ];
        if rules {
            entries.extend(["@isolated4", "@blocked4", "@ranges4"].map(rule));
        }
        Table::read(json!({ "nftables": entries }).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn an_element_cuts_only_where_a_rule_drops_it() {
        let host = BTreeSet::from(["10.0.0.5".parse().unwrap()]);
        let both = BTreeSet::from(["10.0.0.5".parse().unwrap(), "10.0.0.6".parse().unwrap()]);
        let none = BTreeSet::new();
        assert!(table(true).isolates(&host, &none));
        assert!(!table(false).isolates(&host, &none));
        assert!(!table(true).isolates(&both, &none));
        assert!(table(true).touches(&both, &none));
        assert!(table(true).blocks(&"192.0.2.7/32".parse().unwrap()));
        assert!(table(true).blocks(&"192.0.2.9/24".parse().unwrap()));
        assert!(!table(true).blocks(&"192.0.2.8/32".parse().unwrap()));
    }

    #[test]
    fn a_table_that_is_not_there_cuts_nothing_and_rubbish_is_no_table() {
        assert_eq!(Table::read(b" \n"), Ok(Table::default()));
        assert!(Table::read(b"Error: no such command").is_err());
        assert!(Table::read(b"{}").is_err());
    }
}
