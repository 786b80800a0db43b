//! A passkey beside the passphrase: added, asked for, copied, shown on another page, taken back.

use serde_json::{Value, json};

use super::accounts::{Staffed, WORDS};
use super::client::Answer;
use super::device::Device;

const SESSION: &str = "/api/v1/session";
const CHALLENGE: &str = "/api/v1/session/challenge";
const IN_SESSION: &str = "/api/v1/session/proof/challenge";
const OWN: &str = "/api/v1/me/passkeys";

fn ask(staffed: &Staffed, account: &str) -> Answer {
    let body = json!({"account": account, "passphrase": WORDS}).to_string();
    staffed.served.client.send("POST", CHALLENGE, None, Some(&body))
}

fn log_in(staffed: &Staffed, account: &str, challenge: &Value, credential: &Value) -> Answer {
    let passkey = json!({"challenge": challenge, "credential": credential});
    let body = json!({"account": account, "passphrase": WORDS, "passkey": passkey}).to_string();
    staffed.served.client.send("POST", SESSION, None, Some(&body))
}

/// Cleo's device, added to her account; its name there.
fn added(staffed: &Staffed) -> (Device, String) {
    let device = Device::new("https://localhost:8443");
    let cookie = staffed.cookie("cleo");
    let asked = staffed.with(&cookie, "POST", &format!("{OWN}/challenge"), None);
    assert_eq!(asked.status, 200, "{asked:?}");
    let asked = asked.json();
    let credential = device.create(&asked["options"]);
    let body = json!({
        "title": "key ring", "challenge": asked["challenge"], "credential": credential
    });
    let made = staffed.with(&cookie, "POST", OWN, Some(&body));
    assert_eq!(made.status, 201, "{made:?}");
    // What was answered is answered.
    assert_eq!(staffed.with(&cookie, "POST", OWN, Some(&body)).status, 409);
    (device, made.json()["id"].as_str().unwrap().to_owned())
}

#[test]
fn who_asks_a_device_again_and_again_is_refused_and_nobody_else_is() {
    let staffed = Staffed::new();
    let (mut device, _) = added(&staffed);
    let first = ask(&staffed, "cleo").json();
    for _ in 1..10 {
        assert_eq!(ask(&staffed, "cleo").status, 200);
    }
    let refused = ask(&staffed, "cleo");
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!(refused.header("retry-after").is_some());
    assert!(refused.json()["detail"].as_str().unwrap().contains("questions"), "{refused:?}");
    let cookie = staffed.cookie("root");
    let other = staffed.with(&cookie, "POST", &format!("{OWN}/challenge"), None);
    assert_eq!(other.status, 200, "{other:?}");
    // What was asked before is answered as ever, and makes room.
    let credential = device.get(&first["options"]);
    assert_eq!(log_in(&staffed, "cleo", &first["challenge"], &credential).status, 200);
    assert_eq!(ask(&staffed, "cleo").status, 200);
}

#[test]
fn who_is_logged_in_proves_it_whatever_strangers_asked_of_their_account() {
    let staffed = Staffed::new();
    let (mut device, _) = added(&staffed);
    let asked = ask(&staffed, "cleo").json();
    let credential = device.get(&asked["options"]);
    let answer = log_in(&staffed, "cleo", &asked["challenge"], &credential);
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    // Somebody has learned her passphrase, and leaves no room for a question by it; then they guess.
    while ask(&staffed, "cleo").status == 200 {}
    for _ in 0..6 {
        staffed.log_in("cleo", "not these words at all");
    }
    assert_eq!(ask(&staffed, "cleo").status, 429);
    let mut asked = Value::Null;
    for _ in 0..15 {
        let answer = staffed.with(&cookie, "POST", IN_SESSION, None);
        assert_eq!(answer.status, 200, "{answer:?}");
        asked = answer.json();
    }
    let credential = device.get(&asked["options"]);
    let passkey = json!({"challenge": asked["challenge"], "credential": credential});
    let body = json!({"passphrase": WORDS, "passkey": passkey});
    let proved = staffed.with(&cookie, "POST", &format!("{SESSION}/proof"), Some(&body));
    assert_eq!((proved.status, &proved.json()["fresh"]), (200, &json!(true)), "{proved:?}");
    let cookie = proved.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let another = staffed.with(&cookie, "POST", &format!("{OWN}/challenge"), None);
    assert_eq!(another.status, 200, "a new device is no stranger's question: {another:?}");
    // Who has no passkey needs none, and nobody is asked by a token.
    let root = staffed.cookie("root");
    assert_eq!(staffed.with(&root, "POST", IN_SESSION, None).status, 409);
    let made = ["--json", "token", "add", "cleo", "--title", "wall", "--may", "read"];
    let made: Value = serde_json::from_str(&staffed.as_root(&made, 0)).unwrap();
    let refused = staffed.served.client.send("POST", IN_SESSION, made["token"].as_str(), None);
    assert_eq!(refused.status, 409, "{refused:?}");
}

#[test]
fn with_a_passkey_the_passphrase_alone_opens_nothing() {
    let staffed = Staffed::new();
    assert_eq!(ask(&staffed, "cleo").status, 409, "she has none yet");
    let (mut device, id) = added(&staffed);
    let alone = staffed.log_in("cleo", WORDS);
    assert_eq!(alone.status, 403);
    assert!(alone.json()["hint"].as_str().unwrap().contains(CHALLENGE), "{alone:?}");
    let asked = ask(&staffed, "cleo").json();
    let credential = device.get(&asked["options"]);
    let answer = log_in(&staffed, "cleo", &asked["challenge"], &credential);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["proof"], "second-factor");
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let mine = staffed.with(&cookie, "GET", OWN, None).json();
    assert_eq!(
        (&mine["items"][0]["id"], &mine["items"][0]["title"]),
        (&json!(id), &json!("key ring"))
    );
    assert!(mine["items"][0]["used_at"].is_string());
    let removed = staffed.with(&cookie, "DELETE", &format!("{OWN}/{id}"), None);
    assert_eq!(removed.status, 204, "{removed:?}");
    assert_eq!(staffed.with(&cookie, "GET", "/api/v1/me", None).status, 401);
    assert_eq!(staffed.log_in("cleo", WORDS).status, 200);
}

#[test]
fn an_answer_counts_once_for_one_account_and_from_one_page() {
    let staffed = Staffed::new();
    let (mut device, _) = added(&staffed);
    let asked = ask(&staffed, "cleo").json();
    let credential = device.get(&asked["options"]);
    assert_eq!(log_in(&staffed, "root", &asked["challenge"], &credential).status, 403);
    // Shown to another account it is used up.
    assert_eq!(log_in(&staffed, "cleo", &asked["challenge"], &credential).status, 403);
    let asked = ask(&staffed, "cleo").json();
    let credential = device.get(&asked["options"]);
    assert_eq!(log_in(&staffed, "cleo", &asked["challenge"], &credential).status, 200);
    assert_eq!(log_in(&staffed, "cleo", &asked["challenge"], &credential).status, 403);
    // The page of somebody else, which looks like ours.
    let asked = ask(&staffed, "cleo").json();
    device.origin = "https://beistand.example".to_owned();
    let credential = device.get(&asked["options"]);
    assert_eq!(log_in(&staffed, "cleo", &asked["challenge"], &credential).status, 403);
}

#[test]
fn a_copied_device_and_a_strangers_open_nothing() {
    let staffed = Staffed::new();
    let (mut device, _) = added(&staffed);
    let asked = ask(&staffed, "cleo").json();
    let credential = device.get(&asked["options"]);
    assert_eq!(log_in(&staffed, "cleo", &asked["challenge"], &credential).status, 200);
    device.count = 0;
    let asked = ask(&staffed, "cleo").json();
    let credential = device.get(&asked["options"]);
    assert_eq!(log_in(&staffed, "cleo", &asked["challenge"], &credential).status, 403);
    let asked = ask(&staffed, "cleo").json();
    let stranger = Device::new(&device.origin).get(&asked["options"]);
    assert_eq!(log_in(&staffed, "cleo", &asked["challenge"], &stranger).status, 403);
}

#[test]
fn a_token_changes_no_way_in() {
    let staffed = Staffed::new();
    let out =
        staffed.as_root(&["--json", "token", "add", "cleo", "--title", "wall", "--may", "read"], 0);
    let made: Value = serde_json::from_str(&out).unwrap();
    let token = made["token"].as_str().unwrap();
    let refused =
        staffed.served.client.send("POST", &format!("{OWN}/challenge"), Some(token), None);
    assert_eq!(refused.status, 403, "{refused:?}");
    let none = staffed.served.client.send("DELETE", &format!("{OWN}/passkey-0"), Some(token), None);
    assert_eq!(none.status, 403, "{none:?}");
}
