//! What a call wants, read and checked before anything is contacted.

use std::collections::BTreeSet;
use std::net::IpAddr;

use beistand_connector_api::{Call, CallError, Direction, Millis, Span, TargetKind, Value};
use ipnet::IpNet;

use super::script::Change;
use crate::kit::excerpt;

/// What a call wants, with everything checked.
#[derive(Debug)]
pub(super) enum Wanted {
    State {
        addresses: BTreeSet<IpAddr>,
        macs: BTreeSet<String>,
    },
    Change(Change),
    /// An undo of something that was so before us.
    Nothing {
        state: &'static str,
    },
}

impl Wanted {
    /// Reads a call. `now` is what `until` is measured from.
    ///
    /// # Errors
    /// `Invalid`: nothing was sent.
    pub(super) fn read(call: &Call, now: fn() -> Millis) -> Result<Self, CallError> {
        let host = || host(call);
        match call.action.as_str() {
            "network.state" => {
                let (addresses, macs) = host()?;
                Ok(Self::State { addresses, macs })
            }
            "network.isolate" => {
                let (addresses, macs) = host()?;
                Ok(Self::Change(Change::Isolate { addresses, macs }))
            }
            "network.release" => {
                let before = call.previous.as_ref().and_then(|value| value.get("state"));
                if call.direction == Direction::Undo
                    && before.and_then(Value::as_str) == Some("isolated")
                {
                    return Ok(Self::Nothing { state: "isolated" });
                }
                let (addresses, macs) = host()?;
                Ok(Self::Change(Change::Release { addresses, macs }))
            }
            "network.block" => {
                let span = span(&call.arguments, now)?;
                Ok(Self::Change(Change::Block { range: address(call)?, span }))
            }
            "network.unblock" => Ok(Self::Change(Change::Unblock { range: address(call)? })),
            other => Err(CallError::invalid(format!("`{other}` is not offered here"))),
        }
    }
}

/// How long a block lasts: `for`, or up to `until`.
fn span(arguments: &Value, now: fn() -> Millis) -> Result<Option<Span>, CallError> {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str);
    match (text("for"), text("until")) {
        (None, None) => Ok(None),
        (Some(span), None) => {
            Span::parse(span).map(Some).map_err(|error| CallError::invalid(error.to_string()))
        }
        (None, Some(until)) => {
            let until =
                Millis::parse(until).map_err(|error| CallError::invalid(error.to_string()))?;
            match until.since(now()) {
                Span::ZERO => Err(CallError::invalid(format!("`until` {until} is over"))),
                span => Ok(Some(span)),
            }
        }
        (Some(_), Some(_)) => Err(CallError::invalid("give `for` or `until`, not both")),
    }
}

/// The host's addresses and hardware addresses, from the resolved targets.
fn host(call: &Call) -> Result<(BTreeSet<IpAddr>, BTreeSet<String>), CallError> {
    let name = call.arguments.get("host").and_then(Value::as_str).unwrap_or_default();
    let mut addresses = BTreeSet::new();
    let mut macs = BTreeSet::new();
    for target in call.targets.iter().filter(|target| target.kind == TargetKind::Host) {
        addresses.extend(target.addresses.iter().map(IpAddr::to_canonical));
        macs.extend(target.macs.iter().filter(|mac| is_mac(mac)).cloned());
    }
    if call.targets.is_empty() {
        // A look has no targets of its own; an address stands for itself.
        addresses.extend(name.parse::<IpAddr>().ok().map(|address| address.to_canonical()));
    }
    if addresses.is_empty() {
        return Err(CallError::invalid(format!(
            "no address is known of `{}`; add it to the inventory",
            excerpt(name.as_bytes(), 60)
        )));
    }
    Ok((addresses, macs))
}

fn is_mac(text: &str) -> bool {
    text.split(':').count() == 6
        && text
            .split(':')
            .all(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn address(call: &Call) -> Result<IpNet, CallError> {
    let text = call.arguments.get("address").and_then(Value::as_str).unwrap_or_default();
    let range = range(text).ok_or_else(|| {
        CallError::invalid(format!("`{}` is no address or range", excerpt(text.as_bytes(), 60)))
    })?;
    if range.prefix_len() == 0 {
        return Err(CallError::invalid(format!("{range} is every address there is")));
    }
    Ok(range)
}

/// An address, or a range from its first address on.
pub(super) fn range(text: &str) -> Option<IpNet> {
    text.parse::<IpAddr>()
        .map(|address| IpNet::from(address.to_canonical()))
        .ok()
        .or_else(|| text.parse::<IpNet>().ok().map(|range| range.trunc()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::call;
    use beistand_connector_api::{Inventory, Target};
    use serde_json::json;

    fn now() -> Millis {
        Millis::parse("2026-11-21T02:00:00Z").unwrap()
    }

    fn target(text: &str) -> Target {
        Inventory::of_names().resolve(TargetKind::Host, text).unwrap()
    }

    #[test]
    fn a_target_without_an_address_is_invalid() {
        let mut call = call("network.isolate", json!({ "host": "pc-1" }));
        call.targets = vec![target("pc-1")];
        assert!(matches!(Wanted::read(&call, now), Err(CallError::Invalid { .. })));
        call.targets = vec![target("10.0.0.5")];
        assert!(matches!(Wanted::read(&call, now), Ok(Wanted::Change(Change::Isolate { .. }))));
    }

    #[test]
    fn an_undo_leaves_what_was_so_before_us() {
        let mut call = call("network.release", json!({ "host": "10.0.0.5" }));
        call.direction = Direction::Undo;
        call.previous = Some(json!({ "state": "isolated" }));
        assert!(matches!(Wanted::read(&call, now), Ok(Wanted::Nothing { state: "isolated" })));
        call.previous = Some(json!({ "state": "open" }));
        assert!(matches!(Wanted::read(&call, now), Ok(Wanted::Change(Change::Release { .. }))));
    }

    #[test]
    fn a_block_ends_after_its_span_or_at_its_time() {
        let span = |arguments| span(&arguments, now).map(|span| span.map(|span| span.to_string()));
        assert_eq!(span(json!({})), Ok(None));
        assert_eq!(span(json!({ "for": "4h" })), Ok(Some("4h".into())));
        assert_eq!(span(json!({ "until": "2026-11-21T03:30:00+01:00" })), Ok(Some("30m".into())));
        assert!(span(json!({ "until": "2026-11-21T01:00:00Z" })).is_err());
        assert!(span(json!({ "for": "4h", "until": "2026-11-21T03:00:00Z" })).is_err());
    }

    #[test]
    fn an_address_is_one_in_every_spelling_and_never_all() {
        assert_eq!(range("::ffff:10.0.0.1"), range("10.0.0.1"));
        assert_eq!(range("10.0.0.7/24"), range("10.0.0.0/24"));
        for text in ["0.0.0.0/0", "10.0.0.1; flush ruleset", "::/0", "*"] {
            assert!(address(&call("network.block", json!({ "address": text }))).is_err(), "{text}");
        }
    }
}
