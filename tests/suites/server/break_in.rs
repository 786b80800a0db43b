//! What an intruder tries with accounts and with what is kept: guessing, codes that were used,
//! sessions that were slipped in, secrets in the store and the log, lines that are not the log's.

use std::collections::BTreeMap;
use std::fs;

use beistand_web::SESSION_COOKIE;
use serde_json::json;

use super::alerts::{seconds, signed};
use super::client::Answer;
use super::town::{ALERTS, HERE, Town, WORDS};
use crate::desk::text;

fn town() -> Town {
    Town::new(&json!({}), &BTreeMap::new())
}

fn log_in(town: &Town, body: &serde_json::Value) -> Answer {
    town.client().send("POST", "/api/v1/session", None, Some(&body.to_string()))
}

#[test]
fn a_sealed_account_that_is_guessed_at_waits_and_one_that_is_used_is_seen() {
    let town = town();
    let sealed = ["user", "add", "sealed-1", "--break-glass", "--role", "commander"];
    town.as_root(&[&sealed[..], &["--new", "words"]].concat());
    let place = town.place(HERE, &["pc-a1"]);
    let right = json!({"account": "sealed-1", "passphrase": WORDS});
    let used = log_in(&town, &right);
    assert_eq!((used.status, &used.json()["proof"]), (200, &json!("break-glass")), "{used:?}");
    let path = format!("/api/v1/incidents/{}/timeline?lang=en", place.incident);
    let lines = town.got(&path, &town.leads);
    let told = lines["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| line["detail"] == false && text(&line["message"]).contains("sealed-1"));
    let told: Vec<_> = told.collect();
    assert_eq!(told.len(), 1, "{lines}");
    assert_eq!(told[0]["lane"], "decisions", "nobody overlooks it: {told:?}");

    let mut counts = BTreeMap::<u16, u32>::new();
    for number in 0..1_000 {
        let guess = json!({"account": "sealed-1", "passphrase": format!("guess {number}")});
        *counts.entry(log_in(&town, &guess).status).or_default() += 1;
    }
    let tried = counts.get(&403).copied().unwrap_or_default();
    assert!((5..=7).contains(&tried), "{counts:?}");
    assert_eq!(counts.get(&429), Some(&(1_000 - tried)), "{counts:?}");
    let loud = town.served.running.stderr();
    assert!(loud.contains("WARN Somebody gave wrong words for a sealed account."), "{loud}");
    let later = log_in(&town, &right);
    assert_eq!(later.status, 429, "the right words wait as well");
    assert!(later.header("retry-after").is_some(), "{later:?}");
    // Whoever is in stays in, and others come in from the same place.
    let cookie = used.header("set-cookie").unwrap().split(';').next().unwrap();
    assert_eq!(town.client().ask(("GET", "/api/v1/me"), &[("Cookie", cookie)], None).status, 200);
    town.cookie("cleo");
}

#[test]
fn a_printed_code_is_dead_once_it_was_used() {
    let town = town();
    let sheet = town.as_root(&["user", "codes", "cleo", "--count", "2"]);
    let with = |at: usize, number: &str| {
        let code = json!({"number": number, "code": sheet[at]["code"]});
        log_in(&town, &json!({"account": "cleo", "passphrase": WORDS, "code": code}))
    };
    let first = with(0, "1");
    assert_eq!((first.status, &first.json()["proof"]), (200, &json!("second-factor")), "{first:?}");
    assert_eq!(with(0, "1").status, 403, "it counts once");
    assert_eq!(with(0, "2").status, 403, "it is no other one");
    let only_code = json!({"account": "cleo", "passphrase": "not these words", "code": {"number": "2", "code": sheet[1]["code"]}});
    assert_eq!(log_in(&town, &only_code).status, 403, "it is no passphrase");
    assert_eq!(with(1, "2").status, 200, "and what was refused used none up");
}

#[test]
fn a_session_is_nobodys_gift() {
    let town = town();
    town.account("alma", &["--role", "reviewer"]);
    let me = |cookie: &str| town.client().ask(("GET", "/api/v1/me"), &[("Cookie", cookie)], None);
    let body = json!({"account": "alma", "passphrase": WORDS}).to_string();
    // Slipped in before the login: it is not the one that counts afterwards.
    let chosen = format!("{SESSION_COOKIE}=chosen-by-somebody-else");
    let thiefs = town.cookie("cleo");
    for slipped in [&chosen, &thiefs] {
        let lines = [("Cookie", slipped.as_str())];
        let own = format!("http://{}", town.client().address);
        let lines = [lines[0], ("Origin", own.as_str())];
        let answer = town.client().ask(("POST", "/api/v1/session"), &lines, Some(&body));
        assert_eq!(answer.status, 200, "{answer:?}");
        let set = answer.header("set-cookie").unwrap().split(';').next().unwrap();
        assert_ne!(set, slipped);
        assert_eq!(me(set).json()["person"], "alma");
        assert_eq!(me(slipped).status, 401, "who slipped it in is not logged in by it");
    }
    // Two are one too many, whichever comes first.
    let (one, two) = (town.cookie("alma"), town.cookie("cleo"));
    for both in [format!("{one}; {two}"), format!("{two}; {one}")] {
        assert_eq!(me(&both).status, 401, "{both}");
    }
    // A token proves nothing anew, so what destroys is not had by who finds one.
    let anew = json!({"passphrase": WORDS});
    let refused = town.client().post("/api/v1/session/proof", &town.leads, &anew);
    assert_eq!(refused.status, 409, "{refused:?}");
    let call = json!({"reason": "x"});
    let place = town.place(HERE, &["pc-a1"]);
    let undo = town.client().post(&format!("/api/v1/runs/{}/undo", place.run), &town.leads, &call);
    assert_eq!(undo.status, 403, "{undo:?}");
    assert_eq!(undo.json()["type"], "urn:beistand:problem:prove-again");
}

/// Everything that the store and the server's log have on the disk and on standard error.
fn kept(town: &Town) -> Vec<(String, Vec<u8>)> {
    let files = ["beistand.db", "beistand.db-wal", "beistand.db-shm"];
    let read = |name: &&str| Some(((*name).to_owned(), fs::read(town.desk.path(name)).ok()?));
    let mut all: Vec<_> = files.iter().filter_map(read).collect();
    all.push(("log".to_owned(), town.served.running.stderr().into_bytes()));
    all.push(("user list".to_owned(), town.as_root(&["user", "list"]).to_string().into_bytes()));
    all
}

fn has(bytes: &[u8], sought: &str) -> bool {
    bytes.windows(sought.len()).any(|window| window == sought.as_bytes())
}

#[test]
fn no_secret_of_anybody_is_in_the_store_the_log_or_an_answer() {
    let town = town();
    let token = town.account("alma", &["--role", "commander"]).token;
    let sheet = town.as_root(&["user", "codes", "alma", "--count", "1"]);
    let cookie = town.cookie("alma");
    let cookie = cookie.split_once('=').unwrap().1;
    let guessed = "kanarie was guessed";
    let wrong = log_in(&town, &json!({"account": "alma", "passphrase": guessed}));
    let typed = log_in(&town, &json!({"account": guessed, "passphrase": "x"}));
    let me = town.client().get("/api/v1/me", Some(&token));
    let in_path = town.client().get(&format!("/api/v1/runs/{token}"), Some(&token));
    let heard = signed(town.client(), seconds(), &json!({"rule": "r", "host": "h"}).to_string());
    assert_eq!((wrong.status, typed.status, me.status, heard.status), (403, 403, 200, 200));
    let secrets = [WORDS, &token, cookie, text(&sheet[0]["code"]), ALERTS, guessed];
    let all = kept(&town);
    let read = all.iter().any(|(place, bytes)| place.contains(".db") && has(bytes, "alma"));
    assert!(read, "the store is not read at all");
    for (place, bytes) in &all {
        for secret in secrets {
            // Who writes a token where a path is written has told everybody.
            let told = place == "log" && secret == token;
            assert!(told || !has(bytes, secret), "{secret:?} is in {place}");
        }
    }
    for answer in [wrong, typed, me, in_path, heard] {
        let told = answer.whole();
        assert!(secrets.iter().all(|secret| !told.contains(secret)), "{told}");
    }
}

#[test]
fn nobody_writes_a_line_of_the_log_but_the_server() {
    let town = town();
    let place = town.place(HERE, &["pc-a1"]);
    let hidden = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}\u{2066}\u{9b}31m";
    let forged = "2026-01-01T00:00:00Z ERROR forged";
    let written = format!("\n{forged}{hidden}\r\n");
    let encoded =
        written.bytes().fold(String::new(), |text, byte| text + format!("%{byte:02x}").as_str());
    let long = "l".repeat(6_000);
    for path in [
        format!("/{encoded}"),
        format!("/api/v1/incidents/{encoded}"),
        format!("/api/v1/incidents/{long}"),
    ] {
        let refused = town.client().get(&path, Some(&town.leads));
        assert!([400, 404].contains(&refused.status), "{refused:?}");
    }
    let note = json!({"text": format!("\n{forged} {hidden}")});
    let path = format!("/api/v1/incidents/{}/notes", place.incident);
    let noted = town.client().post(&path, &town.leads, &note);
    assert!([200, 400].contains(&noted.status), "{noted:?}");
    let half = Some(r#"{"text": "\ud800"}"#);
    let refused = town.client().send("POST", &path, Some(&town.leads), half);
    assert_eq!(refused.status, 400, "{refused:?}");
    let megabyte = json!({"text": "x".repeat(1 << 20)});
    assert_eq!(town.client().post(&path, &town.leads, &megabyte).status, 413);
    let as_account = json!({"account": format!("\n{forged}{hidden}"), "passphrase": "x"});
    assert_eq!(log_in(&town, &as_account).status, 403);
    let told = town.served.running.stderr();
    assert!(told.contains("A request was"), "the log is not read at all: {told}");
    for line in told.lines() {
        assert!(!line.trim_start().starts_with(forged), "{line:?}");
        let steers = |c: char| {
            (c.is_control() && c != '\t')
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!line.chars().any(steers), "{line:?}");
        assert!(line.len() < 64 << 10, "a line of {} bytes", line.len());
    }
}
