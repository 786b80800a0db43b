//! Who was refused, for whoever watches the log while somebody tries doors.
//!
//! A line says from where, at which route, and for which kind of reason; never what was shown, and no
//! path as it was written. How many lines there are is not for who is refused to say: a few of each
//! place, a few more of each network, some in all, and one for the rest.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use tokio::time::Instant;

use crate::peer::Peer;

/// Lines are counted within this.
const WINDOW: Duration = Duration::from_mins(1);

/// Lines within a window: what a person can look through.
const LINES_MAX: u32 = 60;

/// Of one place: one that tries everything hides nobody else.
const LINES_OF_ONE_MAX: u32 = 6;

/// Of all places of one network: whoever has thousands of them hides nobody else either.
const LINES_OF_A_NETWORK_MAX: u32 = 12;

/// What a refusal is for, in a word; it goes along with an answer and is not sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reason(pub(crate) &'static str);

/// What was asked for, as the table has it; it goes along with an answer and is not sent.
#[derive(Debug, Clone)]
pub(crate) struct Route(pub(crate) String);

/// Refusals of a while.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<Option<Window>>);

#[derive(Debug)]
struct Window {
    began: Instant,
    lines: u32,
    /// Lines by place and by network; no more of each than lines.
    of_one: BTreeMap<String, u32>,
    of_network: BTreeMap<String, u32>,
    /// Those without a line, by reason.
    untold: BTreeMap<&'static str, u64>,
}

impl Refusals {
    /// Looks at an answer; says it where it refuses somebody.
    pub(crate) fn see(&self, response: &Response, method: &Method, peer: &Peer) {
        let now = Instant::now();
        let refused = matches!(
            response.status(),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS
        );
        let reason = response.extensions().get::<Reason>().map_or("none", |reason| reason.0);
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(over) = window.take_if(|window| now.duration_since(window.began) >= WINDOW) {
            over.end();
        }
        let told = refused && {
            let window = window.get_or_insert_with(|| Window::new(now));
            window.takes((&peer.place(), &peer.network()), reason)
        };
        drop(window);
        if told {
            let route =
                response.extensions().get::<Route>().map_or("none", |route| route.0.as_str());
            let (status, from) = (response.status().as_u16(), peer.address);
            say(status, reason, (known(method), route), from);
        }
    }
}

fn say(status: u16, reason: &str, (method, route): (&str, &str), from: IpAddr) {
    tracing::info!(status, reason, method, route, %from, "Somebody was refused.");
}

/// A method by its name. Who makes one up does not write it into the log.
fn known(method: &Method) -> &'static str {
    let all = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];
    all.into_iter().find(|known| method.as_str() == *known).unwrap_or("another")
}

impl Window {
    const fn new(began: Instant) -> Self {
        Self {
            began,
            lines: 0,
            of_one: BTreeMap::new(),
            of_network: BTreeMap::new(),
            untold: BTreeMap::new(),
        }
    }

    /// Whether one more has a line; counted otherwise.
    fn takes(&mut self, (place, network): (&str, &str), reason: &'static str) -> bool {
        let of_one = self.of_one.get(place).copied().unwrap_or(0);
        let of_network = self.of_network.get(network).copied().unwrap_or(0);
        if self.lines >= LINES_MAX
            || of_one >= LINES_OF_ONE_MAX
            || of_network >= LINES_OF_A_NETWORK_MAX
        {
            *self.untold.entry(reason).or_default() += 1;
            return false;
        }
        self.lines += 1;
        self.of_one.insert(place.to_owned(), of_one + 1);
        self.of_network.insert(network.to_owned(), of_network + 1);
        true
    }

    /// Says what had no line.
    fn end(self) {
        for (reason, more) in self.untold {
            let seconds = WINDOW.as_secs();
            tracing::info!(reason, more, seconds, "More were refused than there are lines for.");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_tries_everything_neither_fills_the_log_nor_hides_others() {
        let mut window = Window::new(Instant::now());
        let lines = |window: &mut Window, place: &str, tries: u32| {
            let network = place.split_once(":0:").map_or(place, |(network, _)| network);
            (0..tries).filter(|_| window.takes((place, network), "unauthorized")).count()
        };
        assert_eq!(lines(&mut window, "192.0.2.1", 1_000), 6);
        assert_eq!(lines(&mut window, "192.0.2.2", 2), 2, "somebody else is still seen");
        assert!(!window.takes(("192.0.2.1", "192.0.2.1"), "too-many"));
        assert_eq!(window.untold, BTreeMap::from([("unauthorized", 994), ("too-many", 1)]));
        let of = |window: &mut Window, network: &str, places: u32| -> usize {
            let place = |number: u32| format!("{network}:0:{number}::/64");
            (0..places).map(|number| lines(window, &place(number), 10)).sum()
        };
        assert_eq!(of(&mut window, "2001:db8", 500), 12, "a network is no crowd");
        assert_eq!(lines(&mut window, "192.0.2.3", 1), 1, "somebody else is still seen");
        let told: usize =
            (1..500).map(|number| of(&mut window, &format!("2001:db8:{number}"), 3)).sum();
        assert_eq!(told, 60 - 8 - 12 - 1);
        assert!(window.of_one.len() <= 60, "nothing grows with who comes");
        assert!(window.of_network.len() <= 60);
    }

    #[test]
    fn a_method_that_somebody_made_up_is_not_said() {
        assert_eq!(known(&Method::POST), "POST");
        assert_eq!(known(&"BREW".parse().unwrap()), "another");
    }
}
