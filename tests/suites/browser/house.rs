//! A house whose people sit at browsers: accounts, a server, windows that are logged in.

use std::collections::BTreeMap;

use beistand_tests::browser::{Browser, Look, Session};
use beistand_tests::program::DEADLINE;
use beistand_tests::tool::wait_for;
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::server::{Served, seconds, serve, serve_at, signed};
use crate::staff::{Staff, WORDS};

/// May everything.
pub(super) const VERA: &str = "vera";

/// `cleo` leads, `ben` says yes, `rita` reads what was.
const PEOPLE: [(&str, &str); 4] =
    [("cleo", "commander"), ("ben", "approver"), ("rita", "reviewer"), (VERA, "admin")];

/// The real server with TLS, under a certificate that it made itself, and a browser before it.
pub(super) struct House {
    pub(super) desk: Desk,
    served: Served,
    browser: Browser,
    cookies: BTreeMap<&'static str, String>,
}

impl House {
    /// Of a desk with its configuration; the server runs, and everybody is logged in.
    pub(super) fn of(desk: Desk) -> Self {
        let staff = Staff::of(&desk);
        for (name, role) in PEOPLE {
            staff.add(&desk, &[name, "--role", role]);
        }
        for role in ["commander", "responder"] {
            staff.root(&desk, &["user", "grant", VERA, role], 0);
        }
        let served = serve(&desk, &[]);
        let cookies = PEOPLE.map(|(name, _)| {
            let body = json!({"account": name, "passphrase": WORDS}).to_string();
            let began = served.client.send("POST", "/api/v1/session", None, Some(&body));
            let set = began.header("set-cookie").unwrap_or_else(|| panic!("{began:?}"));
            (name, set.split(';').next().unwrap().to_owned())
        });
        Self { desk, served, browser: Browser::start().unwrap(), cookies: cookies.into() }
    }

    /// Where the pages are.
    pub(super) fn origin(&self) -> String {
        format!("https://{}", self.served.client.address)
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// What somebody sends to the interface, which must be in order; what is answered.
    pub(super) fn sent(&self, who: &str, path: &str, body: &Value) -> Value {
        let origin = self.origin();
        let lines = [("Cookie", self.cookies[who].as_str()), ("Origin", origin.as_str())];
        let answer = self.served.client.ask(("POST", path), &lines, Some(&body.to_string()));
        assert!((200..300).contains(&answer.status), "{path} {body}: {answer:?}");
        answer.json()
    }

    /// Ends the session that somebody has in every window.
    pub(super) fn logged_out(&self, who: &str) {
        let origin = self.origin();
        let lines = [("Cookie", self.cookies[who].as_str()), ("Origin", origin.as_str())];
        let answer = self.served.client.ask(("POST", "/logout"), &lines, None);
        assert_eq!(answer.status, 303, "{answer:?}");
    }

    /// What the interface shows somebody.
    pub(super) fn got(&self, who: &str, path: &str) -> Value {
        serde_json::from_str(&self.text(who, path)).unwrap()
    }

    /// The same where it is no JSON.
    pub(super) fn text(&self, who: &str, path: &str) -> String {
        let lines = [("Cookie", self.cookies[who].as_str())];
        let answer = self.served.client.ask(("GET", path), &lines, None);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }

    /// The first open need of this kind of a run, as soon as there is one.
    pub(super) fn need(&self, run: &str, kind: &str) -> Value {
        wait_for("a need", DEADLINE, || {
            let needs = self.got(VERA, &format!("/api/v1/needs?run={run}"));
            let needs = needs["items"].as_array().unwrap().clone();
            Ok(needs.into_iter().find(|need| need["kind"] == kind))
        })
        .unwrap()
    }

    /// What a monitoring system sends, signed.
    pub(super) fn alerted(&self, body: &Value) {
        let heard = signed(&self.served.client, seconds(), &body.to_string());
        assert_eq!(heard.status, 200, "{heard:?}");
    }

    /// A window of somebody whom nobody knows.
    pub(super) fn stranger(&self, look: &Look) -> Session {
        self.browser.open(look).unwrap()
    }

    /// A window in which somebody is logged in.
    pub(super) fn window(&self, who: &str, look: &Look) -> Session {
        let session = self.stranger(look);
        session.set_cookie(&self.origin(), &self.cookies[who]).unwrap();
        session
    }

    /// The server is killed, and is not back until it is started again.
    pub(super) fn while_dead<T>(self, meanwhile: impl FnOnce() -> T) -> (Self, T) {
        let Self { desk, served, browser, cookies } = self;
        let address = served.client.address.to_string();
        served.running.kill().unwrap();
        let seen = meanwhile();
        let served = serve_at(&desk, &address, &[]);
        (Self { desk, served, browser, cookies }, seen)
    }
}
