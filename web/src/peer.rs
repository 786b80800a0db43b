//! Who is at the other end: the address of the connection, or what a trusted proxy says of it.
//!
//! Headers in which proxies say such things are taken away from every request, whoever sent them:
//! nothing behind this file can believe one.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::HeaderMap;
use axum::http::header::{HOST, HeaderName};
use ipnet::IpNet;

/// Headers that only a proxy may set, and that some servers act on.
const SAID_BY_PROXIES: [&str; 16] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-server",
    "x-forwarded-user",
    "x-real-ip",
    "x-original-url",
    "x-original-method",
    "x-rewrite-url",
    "x-http-method-override",
    "x-remote-user",
    "x-user",
    "remote-user",
];

/// The proxies in front of this server, which are believed.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Addresses and ranges: `192.0.2.1`, `10.0.0.0/24`.
    ///
    /// # Errors
    /// The first text that is neither.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let net = |text: &str| {
            let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            net.map_err(|_| text.to_owned())
        };
        texts.into_iter().map(net).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.contains(&address))
    }
}

/// The other end of a request, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// The host it wanted to reach, as it wrote it; with the port where it named one.
    pub(crate) host: Option<String>,
    /// Whether it speaks TLS, to us or to the proxy.
    pub(crate) tls: bool,
}

impl Peer {
    /// What is known of the sender; takes out of the headers what only proxies may say.
    pub(crate) fn of(
        connected: SocketAddr,
        tls: bool,
        headers: &mut HeaderMap,
        proxies: &Proxies,
    ) -> Self {
        let direct = connected.ip().to_canonical();
        let mut hosts = headers.get_all(HOST).iter();
        let host = hosts.next().filter(|_| hosts.next().is_none());
        let host = host.and_then(|host| host.to_str().ok()).map(str::to_ascii_lowercase);
        let mut peer = Self { address: direct, host, tls };
        if proxies.trusts(direct) {
            peer.address = last_stranger(headers, proxies).unwrap_or(direct);
            if let Some(host) = last(headers, "x-forwarded-host") {
                peer.host = Some(host.to_ascii_lowercase());
            }
            if let Some(scheme) = last(headers, "x-forwarded-proto") {
                peer.tls = scheme.eq_ignore_ascii_case("https");
            }
        }
        for name in SAID_BY_PROXIES {
            headers.remove(HeaderName::from_static(name));
        }
        peer
    }
}

impl Peer {
    /// Where it comes from, as guesses are counted: one line has a whole /64 of IPv6 (RFC 6177), so
    /// that each of its addresses would be a stranger.
    pub(crate) fn place(&self) -> String {
        self.within(64)
    }

    /// The largest network that one customer of a provider has: a /48 of IPv6 (RFC 6177, section 2),
    /// in which there are 65,536 places. With IPv4 it is the place itself.
    pub(crate) fn network(&self) -> String {
        self.within(48)
    }

    fn within(&self, prefix: u8) -> String {
        match self.address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let network = address.to_bits() & (u128::MAX << (128 - u32::from(prefix)));
                format!("{}/{prefix}", Ipv6Addr::from_bits(network))
            }
        }
    }
}

/// The nearest address that is no proxy of ours: everything before it somebody could have written.
fn last_stranger(headers: &HeaderMap, proxies: &Proxies) -> Option<IpAddr> {
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let words = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.rsplit(','));
    for word in words {
        let address: IpAddr = word.trim().parse().ok()?;
        if !proxies.trusts(address) {
            return Some(address.to_canonical());
        }
    }
    None
}

/// What the proxy next to us said.
fn last<'h>(headers: &'h HeaderMap, name: &'static str) -> Option<&'h str> {
    let line = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    line.rsplit(',').next().map(str::trim).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [(&str, &str); 6] = [
        ("host", "Beistand.example"),
        ("x-forwarded-for", "203.0.113.9, 198.51.100.7"),
        ("x-forwarded-host", "lage.example"),
        ("x-forwarded-proto", "https"),
        ("x-user", "anna"),
        ("x-original-url", "/healthz"),
    ];

    fn seen(from: &str, trusted: &[&str]) -> (Peer, HeaderMap) {
        let pair = |(name, value): (&str, &str)| {
            (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())
        };
        let mut headers: HeaderMap = LINES.map(pair).into_iter().collect();
        let proxies = Proxies::new(trusted.iter().copied()).unwrap();
        let peer = Peer::of(format!("{from}:4711").parse().unwrap(), false, &mut headers, &proxies);
        (peer, headers)
    }

    #[test]
    fn a_stranger_is_not_believed_about_where_they_come_from() {
        let (peer, headers) = seen("192.0.2.1", &[]);
        assert_eq!(peer.address.to_string(), "192.0.2.1");
        assert_eq!((peer.host.as_deref(), peer.tls), (Some("beistand.example"), false));
        assert_eq!(headers.len(), 1, "only the host is left: {headers:?}");
    }

    #[test]
    fn a_trusted_proxy_is_believed_as_far_as_it_saw_itself() {
        let (peer, headers) = seen("192.0.2.1", &["192.0.2.0/24"]);
        assert_eq!(peer.address.to_string(), "198.51.100.7");
        assert_eq!((peer.host.as_deref(), peer.tls), (Some("lage.example"), true));
        assert_eq!(headers.len(), 1, "{headers:?}");
        let (peer, _) = seen("192.0.2.1", &["192.0.2.1", "198.51.100.7"]);
        assert_eq!(peer.address.to_string(), "203.0.113.9");
    }

    #[test]
    fn guesses_of_one_line_come_from_one_place() {
        let peer = |text: &str| {
            let address: IpAddr = text.parse().unwrap();
            Peer { address: address.to_canonical(), host: None, tls: true }
        };
        let place = |text: &str| peer(text).place();
        assert_eq!(place("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(place("2001:db8:1:2::9"), place("2001:db8:1:2:ffff::1"));
        assert_ne!(place("2001:db8:1:2::9"), place("2001:db8:1:3::9"));
        assert_eq!(place("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(peer("2001:db8:1:2:3:4:5:6").network(), "2001:db8:1::/48");
        assert_eq!(peer("::ffff:192.0.2.7").network(), "192.0.2.7");
    }

    #[test]
    fn a_proxy_is_an_address_or_a_range() {
        assert!(Proxies::new(["10.0.0.0/8", "2001:db8::1"]).is_ok());
        assert_eq!(Proxies::new(["proxy.example"]).unwrap_err(), "proxy.example");
    }
}
