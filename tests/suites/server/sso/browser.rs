//! As much of a browser as a login needs: it follows from page to page, and knows which cookies go
//! along when another server's page sent it.

use std::collections::BTreeMap;

use super::SET_OUT;
use crate::server::client::{Answer, Client};

/// Pages that a login may take; more lead nowhere.
const PAGES_MAX: usize = 12;

/// Who made a browser go to a page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Its owner, or a page of the same server.
    Itself,
    /// A page of another server.
    Another,
}

/// As much of a browser as a login needs: cookies by host, and which of them go along.
#[derive(Default)]
pub(super) struct Browser {
    pub(super) jar: BTreeMap<(String, String), (String, bool)>,
}

impl Browser {
    /// One page, without following.
    pub(super) fn open(&mut self, url: &str, by: By) -> Answer {
        let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let goes = |of: &str, strict: bool| of == host && !(strict && by == By::Another);
        let sent = self.jar.iter().filter(|((of, _), (_, strict))| goes(of, *strict));
        let pairs = sent.map(|((_, name), (value, _))| format!("{name}={value}; "));
        let cookies: String = pairs.collect();
        let client = Client { address: host.parse().unwrap(), pinned: None };
        let head = client.head("GET", &format!("/{path}"), None);
        let answer = client.raw(format!("{head}Cookie: {cookies}a=b\r\n\r\n").as_bytes()).unwrap();
        self.keep(host, &answer);
        answer
    }

    /// Keeps the cookies that a host's answer sets.
    pub(super) fn keep(&mut self, host: &str, answer: &Answer) {
        for line in answer.headers("set-cookie") {
            let (pair, marks) = line.split_once(';').unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').unwrap();
            let key = (host.to_owned(), name.to_owned());
            if value.is_empty() {
                self.jar.remove(&key);
            } else {
                let strict = marks.to_ascii_lowercase().contains("samesite=strict");
                self.jar.insert(key, (value.to_owned(), strict));
            }
        }
    }

    /// From a page of the server to the identity provider, there as somebody, to the address that leads
    /// back.
    pub(super) fn find_the_way_back(&mut self, server: &str, account: &str) -> String {
        let (mut url, mut by) = (format!("{server}{SET_OUT}"), By::Itself);
        for _ in 0..PAGES_MAX {
            let answer = self.open(&url, std::mem::replace(&mut by, By::Another));
            assert!([302, 303].contains(&answer.status), "{url}: {answer:?}");
            let next = answer.header("location").unwrap();
            let origin = url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
            let next =
                if next.starts_with('/') { format!("{origin}{next}") } else { next.to_owned() };
            if next.starts_with(&format!("{server}{SET_OUT}/return?")) {
                return next;
            }
            let asked = next.contains("/people/");
            url = if asked { format!("{next}?{account}") } else { next };
        }
        panic!("no way leads back from {url}");
    }

    pub(super) fn cookie(&self, host: &str, name: &str) -> Option<String> {
        self.jar.get(&(host.to_owned(), name.to_owned())).map(|(value, _)| value.clone())
    }
}
