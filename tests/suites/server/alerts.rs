//! Alerts from outside: only what is signed is heard, once, and as text.

use beistand_core::incident::{AlertRule, AssetRule, Pointer, Proposal};
use beistand_core::model::{Mode, Severity, TargetKind};
use beistand_journal::RunFilter;
use beistand_runtime::{Clock as _, WallClock};
use beistand_web::{Hook, Hooks, Limits};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::client::{Answer, Client};
use super::inside::Inside;

const SECRET: &[u8] = super::town::ALERTS.as_bytes();
const READS: &str = "reviewer-rita";

fn pointer(text: &str) -> Pointer {
    Pointer::try_from(text.to_owned()).unwrap()
}

fn hooks(quota: u32) -> Hooks {
    let rule = AlertRule {
        title: "{/rule} on {/host}".to_owned().try_into().unwrap(),
        severity: Severity::default(),
        mode: Mode::Live,
        organisation: Some("stadt-a".parse().unwrap()),
        key: Some(pointer("/key")),
        assets: vec![AssetRule { kind: TargetKind::Host, value: pointer("/host") }],
        proposal: Some(Proposal {
            playbook: "ransomware-containment".parse().unwrap(),
            inputs: [("hosts".to_owned(), pointer("/host"))].into(),
        }),
    };
    Hooks::from([("siem".to_owned(), Hook::new(SECRET, rule, quota).unwrap())])
}

fn signature(timestamp: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();
    mac.update(format!("v1:{timestamp}:{body}").as_bytes());
    format!("v1={}", hex::encode(mac.finalize().into_bytes()))
}

fn sent(client: &Client, path: &str, headers: &str, body: &str) -> Answer {
    let (head, length) = (client.head("POST", path, None), body.len());
    let kind = "Content-Type: application/json";
    let text = format!("{head}{headers}{kind}\r\nContent-Length: {length}\r\n\r\n{body}");
    client.raw(text.as_bytes()).unwrap()
}

pub(crate) fn signed(client: &Client, timestamp: i64, body: &str) -> Answer {
    let signature = signature(timestamp, body);
    let headers = format!("Beistand-Timestamp: {timestamp}\r\nBeistand-Signature: {signature}\r\n");
    sent(client, "/api/v1/hooks/siem", &headers, body)
}

pub(crate) fn seconds() -> i64 {
    WallClock.now().get() / 1_000
}

fn count(client: &Client) -> usize {
    client.get("/api/v1/incidents", Some(READS)).json()["items"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_signed_now_with_the_secret_is_not_heard() {
    let inside = Inside::hearing(Limits::default(), hooks(100)).await;
    inside
        .talk(|client| {
            let body = json!({"rule": "Beacon", "host": "pc-1"}).to_string();
            let (at, right) = (seconds(), signature(seconds(), &body));
            let time = format!("Beistand-Timestamp: {at}\r\n");
            let other = signature(at, "{}");
            for (headers, said) in [
                (String::new(), "`Beistand-Timestamp` is missing"),
                (time.clone(), "`Beistand-Signature` is missing"),
                (format!("Beistand-Signature: {right}\r\n"), "`Beistand-Timestamp` is missing"),
                (format!("{time}Beistand-Signature: {other}\r\n"), "no such sender, or the"),
                ("Authorization: Bearer commander-cleo\r\n".to_owned(), "is missing"),
            ] {
                let told = ["siem", "nobody"].map(|name| {
                    let path = format!("/api/v1/hooks/{name}");
                    let refused = sent(&client, &path, &headers, &body);
                    assert_eq!(refused.status, 401, "{name} {headers}");
                    let problem = refused.json();
                    assert_eq!(problem["title"], "It is not signed as it was agreed");
                    problem["detail"].as_str().unwrap().to_owned()
                });
                assert!(told[0].contains(said), "{headers}: {told:?}");
                assert_eq!(told[0], told[1], "who is a sender is not told");
            }
            let right = format!("{time}Beistand-Signature: {right}\r\n");
            assert_eq!(sent(&client, "/api/v1/hooks/nobody", &right, &body).status, 401);
            for off in [-400, 400] {
                let refused = signed(&client, seconds() + off, &body);
                let late = refused.json()["detail"].to_string().contains("this server's clock");
                assert_eq!((refused.status, late), (401, true), "{off}");
            }
            assert_eq!(count(&client), 0);
            for wrong in ["[]", "7", "{\"a\": 1, \"a\": 2}", "{", ""] {
                assert_eq!(signed(&client, seconds(), wrong).status, 400, "{wrong}");
            }
            let long = json!({"rule": "x".repeat(70_000)}).to_string();
            assert_eq!(signed(&client, seconds(), &long).status, 413);
            assert_eq!(count(&client), 0);
            let heard = signed(&client, seconds(), &body);
            assert_eq!((heard.status, &heard.json()["missing"]), (200, &json!(["/key"])));
            assert_eq!(count(&client), 1);
        })
        .await;
    inside.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_that_is_replayed_a_thousand_times_is_one_incident_and_one_note() {
    let inside = Inside::hearing(Limits::default(), hooks(5)).await;
    let client = inside.talk(|client| client).await;
    let body = json!({"rule": "Beacon", "host": "pc-1", "key": "k"}).to_string();
    let at = seconds();
    let mut sending = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (client, body) = (client.clone(), body.clone());
        sending.spawn_blocking(move || {
            let told: Vec<Value> = (0..250).map(|_| signed(&client, at, &body).json()).collect();
            told
        });
    }
    let told: Vec<Value> = sending.join_all().await.into_iter().flatten().collect();
    assert_eq!(told.iter().filter(|one| one["opened"] == true).count(), 1);
    assert_eq!(told.iter().filter(|one| one["again"] == true).count(), 999);
    assert!(told.iter().all(|one| one["incident"] == told[0]["incident"]));
    inside
        .talk(move |client| {
            assert_eq!(count(&client), 1);
            let id = told[0]["incident"].as_str().unwrap();
            let lines = client.get(&format!("/api/v1/incidents/{id}/timeline"), Some(READS)).json();
            let kinds: Vec<&str> = lines["items"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|line| line["actor"] == "hook-siem")
                .filter_map(|line| line["kind"].as_str())
                .collect();
            let wanted = [
                "incident-opened",
                "organisation-linked",
                "note-added",
                "asset-changed",
                "playbook-proposed",
            ];
            assert_eq!(kinds, wanted);
            assert_eq!(client.get("/api/v1/holds", Some(READS)).json(), json!({"items": []}));
        })
        .await;
    let reader = inside.engine.journal().reader().clone();
    let runs = reader.runs(&RunFilter::default(), beistand_journal::Page::first(10)).await.unwrap();
    assert_eq!(runs, [], "an alert starts nothing");
    let scripts = beistand_script::Scripts::without_budget();
    let compared = beistand_runtime::compare(&reader, &scripts).await.unwrap();
    assert_eq!(compared.differences, []);
    inside.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_about_the_same_go_into_one_incident_while_it_is_open() {
    let inside = Inside::hearing(Limits::default(), hooks(100)).await;
    let first = inside
        .talk(|client| {
            let alert = |host: &str, key: &str| {
                let body = json!({"rule": "Beacon", "host": host, "key": key}).to_string();
                signed(&client, seconds(), &body).json()
            };
            let first = alert("pc-1", "k");
            let second = alert("pc-2", "k");
            assert_eq!(
                (&second["incident"], &second["opened"]),
                (&first["incident"], &json!(false))
            );
            assert_ne!(alert("pc-1", "other")["incident"], first["incident"]);
            let path = format!("/api/v1/incidents/{}", first["incident"].as_str().unwrap());
            let one = client.get(&path, Some(READS)).json();
            let names: Vec<&Value> =
                one["assets"].as_array().unwrap().iter().map(|asset| &asset["value"]).collect();
            assert_eq!(names, ["pc-1", "pc-2"]);
            assert_eq!(one["title"], "Beacon on pc-1");
            first["incident"].as_str().unwrap().to_owned()
        })
        .await;
    let act = beistand_runtime::IncidentAct::Close { reason: "clean".to_owned() };
    let (incident, by) = (first.parse().unwrap(), crate::engine::world::anna());
    let verb = beistand_runtime::Verb::Incident { incident, act, by, if_seq: None };
    inside.engine.execute(verb).await.unwrap();
    inside
        .talk(move |client| {
            let body = json!({"rule": "Beacon", "host": "pc-3", "key": "k"}).to_string();
            let anew = signed(&client, seconds(), &body).json();
            assert_eq!(anew["opened"], true);
            assert_ne!(anew["incident"], first.as_str());
        })
        .await;
    inside.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_has_a_quota_and_what_it_says_is_text() {
    let inside = Inside::hearing(Limits::default(), hooks(4)).await;
    inside
        .talk(|client| {
            let hostile = ["${7*7}", "{{7*7}}", "$(id)", "'; DROP TABLE incident; --"];
            let mut statuses = Vec::new();
            for round in 0..3 {
                for text in hostile {
                    let body = json!({"rule": text, "host": text, "round": round}).to_string();
                    let answer = signed(&client, seconds(), &body);
                    statuses.push(answer.status);
                    if answer.status == 200 {
                        let id = answer.json()["incident"].as_str().unwrap().to_owned();
                        let path = format!("/api/v1/incidents/{id}");
                        let one = client.get(&path, Some(READS)).json();
                        assert_eq!(one["title"], format!("{text} on {text}"));
                        assert_eq!(one["assets"][0]["value"], text.to_lowercase());
                        let lines = client.get(&format!("{path}/timeline?lang=en"), Some(READS));
                        let opened = &lines.json()["items"][0]["message"];
                        let said = format!("{text} on {text}");
                        assert!(opened.as_str().unwrap().ends_with(&said), "{opened}");
                    } else {
                        assert!(answer.header("retry-after").is_some(), "{answer:?}");
                    }
                }
            }
            assert_eq!(&statuses[..4], [200; 4]);
            // Twelve within two minutes at the most, whenever this one began.
            assert!(statuses[4..].contains(&429), "{statuses:?}");
        })
        .await;
    inside.end().await;
}
