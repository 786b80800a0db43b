//! A house with people: a desk with accounts, and a server that may die at any moment. What is asked
//! while it dies is asked again, word for word, of the next one, as a client would.

use std::collections::BTreeMap;
use std::fs;

use beistand_tests::program::{DEADLINE, Ended, Running};
use beistand_tests::tool::{PATIENCE, wait_for};
use beistand_tests::trouble::Trouble;
use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::listening;
use crate::desk::Desk;
use crate::staff::{Staff, WORDS};

/// The machine: an account of its own, that may even vote as far as its role goes.
pub(super) const MACHINE: &str = "monitoring";

/// `cleo` leads, `ben` says yes, `dora` is deputy and has a second account, `dora.duty`.
pub(super) struct House {
    pub(super) desk: Desk,
    /// The last thing was asked again, because the server died while it was asked.
    pub(super) again: bool,
    /// How often it died by itself, at a named place.
    pub(super) deaths: usize,
    served: Option<(Running, Client)>,
    cookies: BTreeMap<&'static str, String>,
    token: String,
    staff: Staff,
}

impl House {
    /// Of a desk with its configuration; the server runs, and everybody is logged in.
    pub(super) fn of(desk: Desk) -> Self {
        let staff = Staff::of(&desk);
        for words in [
            ["cleo", "--role", "commander"],
            ["ben", "--role", "approver"],
            ["dora", "--role", "deputy"],
            ["dora.duty", "--person", "dora"],
        ] {
            staff.add(&desk, &words);
        }
        staff.root(&desk, &["user", "add", MACHINE, "--service", "--role", "approver"], 0);
        let token = staff.token(&desk, MACHINE, &["read", "approve", "answer"]).token;
        let (cookies, served) = (BTreeMap::new(), None);
        let mut house = Self { desk, staff, again: false, deaths: 0, served, cookies, token };
        house.serve(None);
        for name in ["cleo", "ben", "dora", "dora.duty"] {
            let body = json!({"account": name, "passphrase": WORDS}).to_string();
            let began = house.client().send("POST", "/api/v1/session", None, Some(&body));
            let set = began.header("set-cookie").unwrap_or_else(|| panic!("{began:?}"));
            house.cookies.insert(name, set.split(';').next().unwrap().to_owned());
        }
        house
    }

    /// Starts the server; `at` is a named place at which it is to die.
    pub(super) fn serve(&mut self, at: Option<&str>) {
        self.served = None;
        let mut call = self.desk.call(&["serve", "--listen", "127.0.0.1:0", "--plain"]);
        if let Some(at) = at {
            call = call.env("BEISTAND_CRASH_AT", at);
        }
        let running = call.start().unwrap();
        let listens = wait_for("the server to listen", DEADLINE, || {
            let found = running.stderr().lines().find_map(listening);
            Ok::<_, Trouble>(found.map(Some).or_else(|| is_gone(&running).then_some(None)))
        });
        match listens.unwrap_or_else(|trouble| panic!("{trouble}: {}", running.stderr())) {
            Some(client) => self.served = Some((running, client)),
            None if at.is_some() => {
                self.deaths += 1;
                drop(running);
                self.serve(None);
            }
            None => panic!("{}", running.stderr()),
        }
    }

    /// Whether the server died; then it runs again.
    pub(super) fn revived(&mut self) -> bool {
        let died = self.served.as_ref().is_none_or(|(running, _)| is_gone(running));
        if died {
            self.deaths += 1;
            self.serve(None);
        }
        died
    }

    /// Somebody who can speak while others do.
    pub(super) fn voice(&self, who: &str) -> Voice {
        Voice { client: self.client().clone(), credential: self.credential(who) }
    }

    fn client(&self) -> &Client {
        &self.served.as_ref().expect("a server runs").1
    }

    /// What somebody shows, as lines of a request's head.
    fn credential(&self, who: &str) -> String {
        let origin = format!("Origin: http://{}\r\n", self.client().address);
        match self.cookies.get(who) {
            Some(cookie) => format!("Cookie: {cookie}\r\n{origin}"),
            None => format!("Authorization: Bearer {}\r\n", self.token),
        }
    }

    /// A request of somebody's over HTTP.
    pub(super) fn ask(&mut self, who: &str, method: &str, path: &str, body: &Value) -> Answer {
        self.ask_with(method, path, body, |house| house.credential(who))
    }

    /// A request with these lines in its head.
    pub(super) fn ask_with(
        &mut self,
        method: &str,
        path: &str,
        body: &Value,
        head: impl Fn(&Self) -> String,
    ) -> Answer {
        self.again = false;
        let send = |house: &Self| house.client().said((method, path), &head(house), body);
        match send(self) {
            Ok(answer) => answer,
            Err(error) => {
                // It may still be in the middle of its end.
                let gone = || Ok::<_, Trouble>(self.is_dead().then_some(()));
                wait_for("the end of the server", PATIENCE, gone)
                    .unwrap_or_else(|trouble| panic!("{method} {path}: {error}: {trouble}"));
                self.revived();
                self.again = true;
                send(self).unwrap_or_else(|error| panic!("{method} {path}, again: {error}"))
            }
        }
    }

    fn is_dead(&self) -> bool {
        self.served.as_ref().is_none_or(|(running, _)| is_gone(running))
    }

    /// What somebody reads.
    pub(super) fn get(&mut self, who: &str, path: &str) -> Value {
        let answer = self.ask(who, "GET", path, &Value::Null);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// Something that must be done: with this status, or on asking again that it is done already.
    pub(super) fn does(&mut self, who: &str, path: &str, body: &Value, status: u16) -> Answer {
        let answer = self.ask(who, "POST", path, body);
        let was_done = self.again && [200, 409].contains(&answer.status);
        assert!(answer.status == status || was_done, "{who} {path}: {answer:?}");
        answer
    }

    /// Something on the command line that must be done. Where the server died and nobody can say
    /// whether it was, it is said again.
    pub(super) fn types(&mut self, account: &str, words: &[&str]) -> Ended {
        let staff = self.staff.clone();
        let all = [&staff.by(account)[..], words].concat();
        let ended = self.desk.done(&all);
        self.again = self.revived();
        if self.again && ended.code() != 0 {
            let again = self.desk.done(&all);
            assert!([0, 7].contains(&again.code()), "{words:?}, again: {}", again.stderr);
            return again;
        }
        ended.expect_code(0).unwrap_or_else(|trouble| panic!("{words:?}: {trouble}"));
        ended
    }

    /// The gate that a run waits at.
    pub(super) fn gate(&mut self, run: &str) -> Value {
        let path = format!("/api/v1/needs?run={run}");
        for _ in 0..2_000 {
            let needs = self.get("cleo", &path)["items"].take();
            let gate = needs.as_array().unwrap().iter().find(|need| need["kind"] == "approval");
            if let Some(gate) = gate {
                return gate.clone();
            }
        }
        panic!("{run} never came to its gate");
    }
}

/// Somebody with their credential, for a thread of their own.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    client: Client,
    credential: String,
}

impl Voice {
    pub(super) fn post(&self, path: &str, body: &Value) -> Answer {
        let said = self.client.said(("POST", path), &self.credential, body);
        said.unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

/// Whether a process has ended and only waits to be asked about it.
fn is_gone(running: &Running) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", running.id())).unwrap_or_default();
    stat.rsplit(") ").next().is_none_or(|rest| rest.is_empty() || rest.starts_with(['Z', 'X']))
}
