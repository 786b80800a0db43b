//! What the configuration lets a generic HTTP connector do: methods, and the beginning of a URL.
//!
//! Scheme, host and port must be equal; the path is compared by whole segments, so `/api` allows
//! `/api/hosts` and not `/apiary`, and decoded, so `/%6bill` is `/kill`. What is not listed is
//! refused. Some services take `/Kill` for `/kill`: what hurts in one case hurts in every case,
//! what is allowed is allowed as it is written.

use std::net::IpAddr;

use serde::Deserialize;
use url::{Host, Url};

use super::{forbidden, is_loopback_name};

/// One line of the list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowEntry {
    /// The methods it allows, in capitals.
    pub methods: Vec<String>,
    /// The beginning of the URLs it allows.
    pub url: Url,
    /// Whether such calls hurt: then gates, guard, limits and holds apply to them.
    #[serde(default)]
    pub destructive: bool,
}

/// The whole list.
#[derive(Debug, Clone)]
pub struct Allow(Vec<AllowEntry>);

impl Allow {
    /// Checks the list itself.
    ///
    /// # Errors
    /// The number of the entry that is wrong, from 0, and what is wrong with it.
    pub fn new(entries: Vec<AllowEntry>) -> Result<Self, (usize, String)> {
        for (index, entry) in entries.iter().enumerate() {
            let wrong = |message: &str| Err((index, message.to_owned()));
            if !matches!(entry.url.scheme(), "http" | "https") {
                return wrong("`url` must begin with https:// or http://");
            }
            if !entry.url.username().is_empty() || entry.url.password().is_some() {
                return wrong("`url` must not hold a user or password; they belong into `auth`");
            }
            if entry.url.query().is_some() || entry.url.fragment().is_some() {
                return wrong("`url` is the beginning of a path, without `?` and `#`");
            }
            if let Err(problem) = segments(&entry.url) {
                return wrong(&problem);
            }
            let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
            if entry.methods.iter().any(|method| !known.contains(&method.as_str())) {
                return wrong("`methods` are GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
            }
        }
        Ok(Self(entries))
    }

    /// All entries, in the order of the file.
    pub fn entries(&self) -> &[AllowEntry] {
        &self.0
    }

    /// Whether a request may be sent, and if so, whether it hurts: it does where any entry says so
    /// that is for it, in this or in another case of letters.
    ///
    /// # Errors
    /// A sentence that says what to add to the configuration.
    pub fn permits(&self, method: &str, url: &Url) -> Result<bool, String> {
        let shown = shown(url);
        if !self.0.iter().any(|entry| entry.covers(method, url, Letters::AsWritten)) {
            return Err(format!("{method} {shown} is not on the allow list of this connector"));
        }
        let mut destructive = self.0.iter().filter(|entry| entry.destructive);
        let hurts = destructive.any(|entry| entry.covers(method, url, Letters::InAnyCase));
        match url.host() {
            None => Err(format!("{shown} has no host")),
            Some(Host::Domain(name)) if is_loopback_name(name) => Err(format!(
                "{shown} points at this machine itself; allow its address, not its name, if that \
                 is meant"
            )),
            // An entry that covers a URL with a literal address has named that very address.
            Some(Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_)) => Ok(hurts),
        }
    }
}

/// How the letters of a path are compared.
#[derive(Debug, Clone, Copy)]
enum Letters {
    AsWritten,
    InAnyCase,
}

impl AllowEntry {
    fn covers(&self, method: &str, url: &Url, letters: Letters) -> bool {
        self.methods.iter().any(|allowed| allowed == method)
            && self.url.scheme() == url.scheme()
            && self.url.host() == url.host()
            && self.url.port_or_known_default() == url.port_or_known_default()
            && begins_with(url, &self.url, letters)
    }
}

fn begins_with(url: &Url, prefix: &Url, letters: Letters) -> bool {
    let (Ok(mut url), Ok(mut prefix)) = (segments(url), segments(prefix)) else { return false };
    if let Letters::InAnyCase = letters {
        url = folded(&url);
        prefix = folded(&prefix);
    }
    // `/api/` and `/api` both stand for everything below.
    if prefix.last().is_some_and(Vec::is_empty) {
        prefix.pop();
    }
    url.starts_with(&prefix)
}

/// Segments in one case. Capitals first: `ſ` and the Kelvin sign are an `s` and a `k` to some.
fn folded(segments: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let fold = |segment: &Vec<u8>| match std::str::from_utf8(segment) {
        Ok(text) => text.to_uppercase().to_lowercase().into_bytes(),
        // No text: then only the letters of ASCII are letters.
        Err(_) => segment.to_ascii_lowercase(),
    };
    segments.iter().map(fold).collect()
}

/// The path as a server understands it: its segments, decoded.
///
/// What servers do not agree on is no path here. One that takes `//kill`, `/%2Fkill` or `/kill;x`
/// for `/kill` would do what the list says hurts, under a spelling the list does not know.
///
/// # Errors
/// A sentence that says which part of the path can be read in two ways.
pub(crate) fn segments(url: &Url) -> Result<Vec<Vec<u8>>, String> {
    let raw: Vec<&str> = url.path_segments().into_iter().flatten().collect();
    let inner = raw.split_last().map_or(&[][..], |(_, inner)| inner);
    if inner.iter().any(|segment| segment.is_empty()) {
        return Err("the path has an empty part (`//`); write a single `/`".to_owned());
    }
    raw.into_iter().map(decoded).collect()
}

fn decoded(segment: &str) -> Result<Vec<u8>, String> {
    let doubtful = |what: &str| {
        format!(
            "the path holds {what}, which services read in more than one way; leave it out, or \
             send it in the query or the body"
        )
    };
    let mut out = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        let (byte, shown) = if byte == b'%' {
            let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
            let code = digit().zip(digit()).and_then(|(a, b)| u8::try_from(a * 16 + b).ok());
            let byte = code.ok_or_else(|| doubtful("a `%` that begins no code"))?;
            (byte, format!("`%{byte:02X}`"))
        } else {
            (byte, format!("`{}`", char::from(byte).escape_default()))
        };
        if byte.is_ascii_control() || matches!(byte, b'/' | b'\\' | b'%' | b';') {
            return Err(doubtful(&shown));
        }
        out.push(byte);
    }
    Ok(out)
}

/// A URL for sentences: without query, which may hold personal data.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

/// Whether a literal address in a URL may be asked at all when only a *name* was allowed.
pub(super) fn refuse_address(address: IpAddr) -> Option<String> {
    forbidden(address).map(|why| format!("{address} is {why}: requests never go there by a name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(url: &str) -> Allow {
        let entry = AllowEntry {
            methods: vec!["GET".into()],
            url: url.parse().unwrap(),
            destructive: false,
        };
        Allow::new(vec![entry]).unwrap()
    }

    #[test]
    fn a_prefix_covers_whole_segments_of_the_same_origin_only() {
        let list = allow("https://api.example.org/v1/hosts/");
        let ok = |url: &str| list.permits("GET", &url.parse().unwrap()).is_ok();
        assert!(ok("https://api.example.org/v1/hosts"));
        assert!(ok("https://api.example.org:443/v1/hosts/7?x=1"));
        for url in [
            "https://api.example.org/v1/hostsx",
            "https://api.example.org/v1/",
            "https://api.example.org/v1/hosts/../keys",
            "https://api.example.org/v1/hosts/%2e%2e/keys",
            "http://api.example.org/v1/hosts/",
            "https://api.example.org:444/v1/hosts/",
            "https://api.example.org.evil.example/v1/hosts/",
            "https://api.example.org@evil.example/v1/hosts/",
        ] {
            assert!(!ok(url), "{url}");
        }
        assert!(
            list.permits("POST", &"https://api.example.org/v1/hosts".parse().unwrap()).is_err()
        );
    }

    fn entry(url: &str, destructive: bool) -> AllowEntry {
        AllowEntry { methods: vec!["POST".into()], url: url.parse().unwrap(), destructive }
    }

    #[test]
    fn another_spelling_of_a_path_hurts_as_much() {
        let list = Allow::new(vec![
            entry("https://edr.example/", false),
            entry("https://edr.example/kill!", true),
            entry("https://edr.example/a%64d", true),
        ])
        .unwrap();
        let hurts = |url: &str| list.permits("POST", &url.parse().unwrap());
        assert_eq!(hurts("https://edr.example/hosts"), Ok(false));
        for url in ["/kill!/dc01", "/%6bill!/dc01", "/%6Bill%21/dc01", "/x/../kill!", "/%61dd"] {
            assert_eq!(hurts(&format!("https://edr.example{url}")), Ok(true), "{url}");
        }
        for url in ["//kill!/dc01", "/kill!//dc01", "/kill!%2Fdc01", "/x/..%5ckill!", "/%256bill!"]
        {
            assert!(hurts(&format!("https://edr.example{url}")).is_err(), "{url}");
        }
    }

    #[test]
    fn another_case_of_a_path_hurts_as_much_and_is_not_allowed_by_it() {
        let list = Allow::new(vec![
            entry("https://edr.example/", false),
            entry("https://edr.example/Hosts/kill", true),
            entry("https://edr.example/stra%C3%9Fe", true),
            entry("https://only.example/kill", true),
        ])
        .unwrap();
        let hurts = |url: &str| list.permits("POST", &url.parse().unwrap());
        for path in
            ["/Hosts/kill", "/hosts/KILL/7", "/HOSTS/%4bill", "/hosts/\u{212a}ill", "/STRA%C3%9fE"]
        {
            assert_eq!(hurts(&format!("https://edr.example{path}")), Ok(true), "{path}");
        }
        assert_eq!(hurts("https://edr.example/hosts/killer"), Ok(false));
        assert!(hurts("https://only.example/KILL").is_err(), "what is allowed is as written");
    }

    #[test]
    fn a_path_that_can_be_read_in_two_ways_is_none() {
        let read = |path: &str| segments(&format!("https://x.example{path}").parse().unwrap());
        for path in ["/", "/a", "/a/", "/a%20b/%C3%A4", "/a:b,c=d@e"] {
            assert!(read(path).is_ok(), "{path}");
        }
        for (path, what) in [
            ("//a", "//"),
            ("/a//b", "//"),
            ("/a//", "//"),
            ("/a\\\\b", "//"),
            ("/a%2fb", "%2F"),
            ("/a%5Cb", "%5C"),
            ("/a%252fb", "%25"),
            ("/a;b", ";"),
            ("/a%3bb", "%3B"),
            ("/a%00b", "%00"),
            ("/a%zz", "no code"),
            ("/a%2", "no code"),
        ] {
            let said = read(path).unwrap_err();
            assert!(said.contains(what), "{path}: {said}");
        }
    }

    #[test]
    fn an_address_is_reached_only_where_an_entry_names_it() {
        let named = allow("http://127.0.0.1:8080/");
        let by_name = allow("http://localhost:8080/");
        for url in ["http://127.0.0.1:8080/x", "http://0x7f.1:8080/", "http://2130706433:8080/"] {
            let url: Url = url.parse().unwrap();
            assert!(named.permits("GET", &url).is_ok(), "{url}");
            assert!(by_name.permits("GET", &url).is_err(), "{url}");
        }
        for url in ["http://localhost:8080/", "http://localhost.:8080/", "http://[::1]:8080/"] {
            let url: Url = url.parse().unwrap();
            assert!(named.permits("GET", &url).is_err(), "{url}");
            assert!(by_name.permits("GET", &url).is_err(), "{url}");
        }
    }

    #[test]
    fn an_entry_without_sense_is_named_by_its_number() {
        for url in [
            "ftp://x.example/",
            "https://user:pass@x.example/",
            "https://x.example/?a=1",
            "https://x.example/a//b",
        ] {
            let entry = AllowEntry {
                methods: vec!["GET".into()],
                url: url.parse().unwrap(),
                destructive: false,
            };
            assert_eq!(Allow::new(vec![entry]).unwrap_err().0, 0, "{url}");
        }
    }
}
