//! Logging in over HTTP with the accounts that the command line made, while the server runs.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::client::Answer;
use super::{Served, serve};
use crate::desk::Desk;
use crate::staff::Staff;
pub(super) use crate::staff::WORDS;

/// A desk with `root`, who keeps the accounts, and `cleo`, who leads; and its server.
pub(super) struct Staffed {
    pub(super) desk: Desk,
    pub(super) words: PathBuf,
    pub(super) served: Served,
    staff: Staff,
}

impl Staffed {
    pub(super) fn new() -> Self {
        let desk = Desk::new();
        let staff = Staff::of(&desk);
        let served = serve(&desk, &["--plain"]);
        let staffed = Self { words: desk.path("words"), desk, served, staff };
        // Through the server that owns the store.
        staffed.add(&["cleo", "--role", "commander"]);
        staffed
    }

    pub(super) fn as_root(&self, words: &[&str], code: i32) -> String {
        self.staff.root(&self.desk, words, code)
    }

    /// Somebody comes: the name, and what else `user add` is told.
    pub(super) fn add(&self, words: &[&str]) {
        self.staff.add(&self.desk, words);
    }

    pub(super) fn log_in(&self, account: &str, words: &str) -> Answer {
        let body = json!({"account": account, "passphrase": words});
        self.served.client.send("POST", "/api/v1/session", None, Some(&body.to_string()))
    }

    /// The cookie of a session that begins now.
    pub(super) fn cookie(&self, account: &str) -> String {
        let answer = self.log_in(account, WORDS);
        assert_eq!(answer.status, 200, "{answer:?}");
        let set = answer.header("set-cookie").unwrap();
        for mark in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(set.contains(mark), "{set}");
        }
        set.split(';').next().unwrap().to_owned()
    }

    pub(super) fn with(
        &self,
        cookie: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let origin = format!("http://{}", self.served.client.address);
        let body = body.map(ToString::to_string).unwrap_or_default();
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\nOrigin: {origin}\r\n{kind}\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.served.client.address,
            body.len()
        );
        self.served.client.raw(head.as_bytes()).unwrap()
    }
}

#[test]
fn who_logs_in_is_who_they_are_until_they_leave() {
    let staffed = Staffed::new();
    assert_eq!(staffed.log_in("cleo", "not these words at all").status, 403);
    assert_eq!(staffed.log_in("nobody", WORDS).status, 403);
    let cookie = staffed.cookie("cleo");
    let me = staffed.with(&cookie, "GET", "/api/v1/me", None).json();
    assert_eq!((&me["person"], &me["fresh"]), (&json!("cleo"), &json!(true)));
    assert_eq!(me["proof"], "passphrase");
    let again = staffed.cookie("cleo");
    assert_ne!(cookie, again, "each session has its own");
    assert_eq!(staffed.with(&cookie, "DELETE", "/api/v1/session", None).status, 204);
    assert_eq!(staffed.with(&cookie, "GET", "/api/v1/me", None).status, 401);
    assert_eq!(staffed.with(&again, "GET", "/api/v1/me", None).status, 200);
    // Locking the account ends what is left, at once.
    staffed.as_root(&["user", "lock", "cleo"], 0);
    assert_eq!(staffed.with(&again, "GET", "/api/v1/me", None).status, 401);
    assert_eq!(staffed.log_in("cleo", WORDS).status, 403);
}

#[test]
fn a_token_does_what_it_was_made_for_and_is_dead_when_it_is_taken_back() {
    let staffed = Staffed::new();
    let out = staffed.as_root(
        &["--json", "token", "add", "cleo", "--title", "wall", "--may", "read", "--may", "stop"],
        0,
    );
    let made: Value = serde_json::from_str(&out).unwrap();
    let (token, id) = (made["token"].as_str().unwrap(), made["id"].as_str().unwrap());
    let me = staffed.served.client.get("/api/v1/me", Some(token)).json();
    assert_eq!(me["everywhere"], json!(["read", "stop"]));
    let reason = json!({"reason": "smoke in the server room"});
    let stopped = staffed.served.client.post("/api/v1/stop", token, &reason);
    assert_eq!(stopped.status, 200, "{stopped:?}");
    assert_eq!(staffed.served.client.post("/api/v1/go-on", token, &reason).status, 403);
    // Another person's act, and one that wants a proof of a moment ago.
    let cookie = staffed.cookie("cleo");
    let gone_on = staffed.with(&cookie, "POST", "/api/v1/go-on", Some(&reason));
    assert_eq!(gone_on.status, 403, "who stopped does not go on: {gone_on:?}");
    staffed.as_root(&["user", "remove", id], 0);
    assert_eq!(staffed.served.client.get("/api/v1/me", Some(token)).status, 401);
}

#[test]
fn with_accounts_a_name_alone_does_nothing_on_the_command_line_either() {
    let staffed = Staffed::new();
    let file = staffed.words.display().to_string();
    let open = ["incident", "open", "It burns"];
    staffed.desk.ok(5, &[&["--as", "cleo"][..], &open].concat());
    let cleo = ["--as", "cleo", "--passphrase", &file];
    staffed.desk.ok(0, &[&cleo[..], &open].concat());
    staffed.as_root(&open, 5);
    let wrong = staffed.words.with_file_name("wrong");
    std::fs::write(&wrong, "these are not the words\n").unwrap();
    let wrong = wrong.display().to_string();
    staffed.desk.ok(5, &["--as", "cleo", "--passphrase", &wrong, "incident", "open", "x"]);
}

#[test]
fn a_passphrase_of_ones_own_wants_the_one_before_and_ends_every_session() {
    let staffed = Staffed::new();
    let (here, elsewhere) = (staffed.cookie("cleo"), staffed.cookie("cleo"));
    let path = "/api/v1/me/passphrase";
    let change = |words: &str, new: &str| {
        let body = json!({"passphrase": words, "new": new});
        staffed.with(&here, "POST", path, Some(&body))
    };
    assert_eq!(change("not these words at all", "blauer Kran am Hafen").status, 403);
    let weak = change(WORDS, "cleocleocleocleo");
    assert_eq!((weak.status, &weak.json()["place"]), (400, &json!("new")));
    assert_eq!(staffed.with(&elsewhere, "GET", "/api/v1/me", None).status, 200);
    let changed = change(WORDS, "blauer Kran am Hafen");
    assert_eq!(changed.status, 204, "{changed:?}");
    for cookie in [&here, &elsewhere] {
        assert_eq!(staffed.with(cookie, "GET", "/api/v1/me", None).status, 401);
    }
    assert_eq!(staffed.log_in("cleo", WORDS).status, 403);
    assert_eq!(staffed.log_in("cleo", "blauer Kran am Hafen").status, 200);
}

#[test]
fn on_the_command_line_too_a_passphrase_is_ones_own() {
    let staffed = Staffed::new();
    let (old, new) = (staffed.words.display().to_string(), staffed.desk.path("new"));
    std::fs::write(&new, "blauer Kran am Hafen\n").unwrap();
    let new = new.display().to_string();
    let cleo = ["--as", "cleo", "--passphrase", &old, "user", "passphrase"];
    staffed.desk.ok(5, &[&cleo[..], &["root", "--new", &new]].concat());
    staffed.desk.ok(0, &[&cleo[..], &["cleo", "--new", &new]].concat());
    assert_eq!(staffed.log_in("cleo", "blauer Kran am Hafen").status, 200);
    let token =
        staffed.as_root(&["--json", "token", "add", "root", "--title", "x", "--may", "manage"], 0);
    let token: Value = serde_json::from_str(&token).unwrap();
    let token = token["token"].as_str().unwrap();
    // A token is of its account alone, whatever name is said beside it.
    let call = |words: &[&str], token: &str| {
        staffed.desk.call(words).env("BEISTAND_TOKEN", token).run().unwrap()
    };
    let other = call(&["--as", "cleo", "user", "lock", "cleo"], token);
    other.expect_code(2).unwrap();
    assert!(other.stderr.contains("is of `root`"), "{}", other.stderr);
    let rubbish = call(&["user", "lock", "cleo"], "bst_rubbish");
    rubbish.expect_code(5).unwrap();
    assert!(rubbish.stderr.contains("BEISTAND_TOKEN"), "{}", rubbish.stderr);
    call(&["user", "lock", "cleo"], token).expect_code(0).unwrap();
}

#[test]
fn who_guesses_is_told_how_long_to_wait() {
    let staffed = Staffed::new();
    for _ in 0..5 {
        let wrong = staffed.log_in("cleo", "not these words at all");
        assert_eq!(wrong.status, 403);
        assert!(wrong.json()["hint"].is_string());
    }
    let later = staffed.log_in("cleo", WORDS);
    assert_eq!(later.status, 429, "{later:?}");
    let seconds: u64 = later.header("retry-after").unwrap().parse().unwrap();
    assert!((2..=15).contains(&seconds), "{seconds}");
    // Somebody else from the same place is let in.
    assert_eq!(staffed.log_in("root", WORDS).status, 200);
}

#[test]
fn who_may_let_things_through_is_made_by_who_just_proved_it() {
    let staffed = Staffed::new();
    staffed.add(&["mallory", "--role", "reviewer"]);
    let token = ["token", "add", "cleo", "--title", "x", "--may", "assign", "--may", "read"];
    let made = staffed.as_root(&[&["--json"][..], &token].concat(), 0);
    let made: Value = serde_json::from_str(&made).unwrap();
    let token = made["token"].as_str().unwrap();
    let cookie = staffed.cookie("cleo");
    let opened = json!({"title": "It burns"});
    let opened = staffed.with(&cookie, "POST", "/api/v1/incidents", Some(&opened));
    let id = opened.json()["incident"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/incidents/{id}/roles");
    let role = |role: &str| json!({"role": role, "person": "mallory"});
    for (word, status) in [("commander", 403), ("approver", 403), ("scribe", 200)] {
        let answer = staffed.served.client.post(&path, token, &role(word));
        assert_eq!(answer.status, status, "{word}: {answer:?}");
        if status == 403 {
            assert_eq!(answer.json()["type"], "urn:beistand:problem:prove-again", "{word}");
        }
    }
    let given = staffed.with(&cookie, "POST", &path, Some(&role("approver")));
    assert_eq!(given.status, 200, "{given:?}");
}
