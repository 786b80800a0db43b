//! Which addresses a request may go to. A name that points inside, whoever made it so, must not
//! turn the engine into a way to its own host or to a cloud's metadata service.
//!
//! Private ranges (RFC 1918, `fc00::/7`) are allowed: that is where municipal products live.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Services that clouds put at addresses which are not link-local.
const METADATA: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254)),
];

/// Why nothing may be sent to this address, as words for a sentence; `None` where it may.
pub fn forbidden(address: IpAddr) -> Option<&'static str> {
    if METADATA.contains(&address) {
        return Some("a metadata service");
    }
    match address {
        IpAddr::V4(v4) => forbidden_v4(v4),
        IpAddr::V6(v6) => forbidden_v6(v6),
    }
}

fn forbidden_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [first, ..] = address.octets();
    if address.is_loopback() {
        Some("this machine itself")
    } else if address.is_link_local() {
        Some("link-local, where metadata services live")
    } else if first == 0 {
        Some("unspecified")
    } else if address.is_multicast() || first >= 240 {
        Some("multicast or reserved")
    } else {
        None
    }
}

fn forbidden_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_loopback() {
        return Some("this machine itself");
    }
    if address.is_unspecified() {
        return Some("unspecified");
    }
    if address.is_unicast_link_local() {
        return Some("link-local");
    }
    if address.is_multicast() {
        return Some("multicast");
    }
    let embedded = |octets: &[u8]| {
        <[u8; 4]>::try_from(octets).ok().and_then(|octets| forbidden_v4(Ipv4Addr::from(octets)))
    };
    match address.octets() {
        // ::ffff:a.b.c.d and the old ::a.b.c.d: a second spelling only hides where it goes.
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ..] => {
            Some("an IPv4 address in IPv6 clothes; write it as IPv4")
        }
        // NAT64 (RFC 6052) and 6to4 (RFC 3056) lead to the IPv4 address they hold.
        [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, last @ ..] => embedded(&last),
        [0x20, 0x02, first, second, third, fourth, ..] => embedded(&[first, second, third, fourth]),
        _ => None,
    }
}

/// Names that mean this machine on every resolver (RFC 6761 section 6.3).
pub fn is_loopback_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// The addresses behind a host of the configuration: itself, or what the system's resolver says.
/// Only names that the configuration spells out are ever given to a resolver.
///
/// # Errors
/// A sentence where there is no address.
pub async fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port))
        .await
        .map_err(|error| format!("could not find the address of `{host}`: {error}"))?
        .collect();
    if found.is_empty() { Err(format!("`{host}` has no address")) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_addresses_are_forbidden_in_every_spelling() {
        for text in [
            "127.0.0.1",
            "127.1.2.3",
            "0.0.0.0",
            "169.254.169.254",
            "::1",
            "::",
            "fe80::1",
            "::ffff:169.254.169.254",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "fd00:ec2::254",
            "100.100.100.200",
            "224.0.0.1",
            "255.255.255.255",
            "ff02::1",
        ] {
            assert!(forbidden(text.parse().unwrap()).is_some(), "{text}");
        }
        for text in ["10.0.0.1", "192.0.2.1", "2001:db8::1", "fd12::1", "64:ff9b::c000:201"] {
            assert_eq!(forbidden(text.parse().unwrap()), None, "{text}");
        }
        assert!(is_loopback_name("localhost.") && is_loopback_name("x.LOCALHOST"));
        assert!(!is_loopback_name("localhost.example.org"));
    }
}
