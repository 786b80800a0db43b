//! Incidents over HTTP: what may be done with one, by whom, and what of another organisation's is
//! seen: nothing.

use beistand_web::Limits;
use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::inside::Inside;

const LEADS: &str = "commander-cleo";
const READS: &str = "reviewer-rita";
const TOWN: &str = "reviewer-ada@organisation:stadt-a";

fn opened(client: &Client, title: &str) -> String {
    let answer = client.post("/api/v1/incidents", LEADS, &json!({"title": title}));
    assert_eq!(answer.status, 201, "{answer:?}");
    let told = answer.json();
    let id = told["incident"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("location"), Some(format!("/api/v1/incidents/{id}").as_str()));
    id
}

fn add(client: &Client, (id, what): (&str, &str), token: &str, body: &Value) -> Answer {
    client.post(&format!("/api/v1/incidents/{id}/{what}"), token, body)
}

fn patch(client: &Client, id: &str, if_match: Option<&str>, body: &Value) -> Answer {
    let head = client.head("PATCH", &format!("/api/v1/incidents/{id}"), Some(LEADS));
    let if_match = if_match.map(|value| format!("If-Match: {value}\r\n")).unwrap_or_default();
    let (body, kind) = (body.to_string(), "Content-Type: application/json");
    let length = body.len();
    let text = format!("{head}{if_match}{kind}\r\nContent-Length: {length}\r\n\r\n{body}");
    client.raw(text.as_bytes()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_opened_found_and_told() {
    let inside = Inside::new(Limits::default()).await;
    inside
        .talk(|client| {
            let id = opened(&client, "Night");
            let one = client.get(&format!("/api/v1/incidents/{id}"), Some(READS));
            assert_eq!((one.status, one.header("etag")), (200, Some("\"1\"")));
            let one = one.json();
            assert_eq!(
                (&one["title"], &one["mode"], &one["severity"]),
                (&json!("Night"), &json!("live"), &json!(3))
            );
            let number = one["number"].as_str().unwrap().to_lowercase();
            let same = client.get(&format!("/api/v1/incidents/{number}"), Some(READS)).json();
            assert_eq!(same["id"], one["id"]);
            let noted = add(&client, (&id, "notes"), LEADS, &json!({"text": "${7*7} $(id)"}));
            assert_eq!((noted.status, noted.header("etag")), (200, Some("\"2\"")), "{noted:?}");
            let late = json!({"text": "x", "at": "2999-01-01T00:00:00Z"});
            assert_eq!(add(&client, (&id, "notes"), LEADS, &late).status, 400);
            let named = json!({"kind": "host", "values": ["PC-1"], "state": "suspected"});
            assert_eq!(add(&client, (&id, "assets"), LEADS, &named).json()["already"], false);
            assert_eq!(add(&client, (&id, "assets"), LEADS, &named).json()["already"], true);
            let path = format!("/api/v1/incidents/{id}/timeline");
            let lines = client.get(&format!("{path}?q=7*7"), Some(READS)).json();
            assert_eq!(lines["items"].as_array().unwrap().len(), 1, "{lines}");
            assert!(lines["items"][0]["message"].as_str().unwrap().contains("${7*7} $(id)"));
            let bearer = format!("Bearer {READS}");
            for (path, wish, word) in [
                (path.clone(), "en-GB, de;q=0.5", " opened by "),
                (path.clone(), "fr", " eröffnet von "),
                (format!("{path}?lang=de"), "en", " eröffnet von "),
            ] {
                let lines = [("Authorization", bearer.as_str()), ("Accept-Language", wish)];
                let told = client.ask(("GET", &path), &lines, None);
                assert!(told.body.contains(word), "{wish}: {told:?}");
                assert_eq!(told.header("vary"), Some("accept-language"));
            }
            for (format, begins) in [("csv", "recorded_at"), ("jsonl", "{"), ("html", "<!")] {
                let file = client.get(&format!("{path}?format={format}"), Some(READS));
                assert_eq!(file.status, 200, "{file:?}");
                assert!(file.header("content-disposition").unwrap().starts_with("attachment"));
                assert!(file.body.to_lowercase().contains(begins), "{format}");
            }
            for wrong in [
                "?format=csv&cursor=x",
                "?format=pdf",
                "?lane=road",
                "?from=now",
                "?cursor=x",
                "?x=1",
            ] {
                assert_eq!(
                    client.get(&format!("{path}{wrong}"), Some(READS)).status,
                    400,
                    "{wrong}"
                );
            }
            let page = client.get("/api/v1/incidents", Some(READS)).json();
            assert_eq!((page["items"].as_array().unwrap().len(), &page["next"]), (1, &Value::Null));
            assert_eq!(client.get("/api/v1/incidents?cursor=x", Some(READS)).status, 400);
            assert_eq!(client.get("/api/v1/holds", Some(READS)).json(), json!({"items": []}));
        })
        .await;
    inside.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_is_of_what_was_seen() {
    let inside = Inside::new(Limits::default()).await;
    inside
        .talk(|client| {
            let id = opened(&client, "Night");
            let graver = json!({"severity": 4});
            assert_eq!(patch(&client, &id, None, &graver).status, 428);
            for wrong in ["7", "*", "W/\"1\"", "\"1\", \"2\"", "\"\"", "\"x\""] {
                assert_eq!(patch(&client, &id, Some(wrong), &graver).status, 400, "{wrong}");
            }
            assert_eq!(patch(&client, &id, Some("\"2\""), &graver).status, 412);
            let done = patch(&client, &id, Some("\"1\""), &graver);
            assert_eq!((done.status, done.header("etag")), (200, Some("\"2\"")), "{done:?}");
            assert_eq!(patch(&client, &id, Some("\"1\""), &json!({"title": "x"})).status, 412);
            let open = json!({"tlp": "CLEAR"});
            assert_eq!(patch(&client, &id, Some("\"2\""), &open).status, 400, "without a reason");
            for wrong in [
                json!({"closed": true}),
                json!({"closed": false, "reason": "x"}),
                json!({"closed": true, "reason": "x", "title": "y"}),
                json!({"mode": "drill"}),
                json!({"title": " "}),
                json!({"severity": 5}),
            ] {
                assert_eq!(patch(&client, &id, Some("\"2\""), &wrong).status, 400, "{wrong}");
            }
            let over = json!({"closed": true, "reason": "all clean"});
            assert_eq!(patch(&client, &id, Some("\"2\""), &over).status, 200);
            assert_eq!(patch(&client, &id, Some("\"3\""), &over).status, 409, "closed already");
        })
        .await;
    inside.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_does_more_than_they_may_and_sees_what_is_another_organisations() {
    let inside = Inside::new(Limits::default()).await;
    let (ours, other) =
        inside.talk(|client| (opened(&client, "Stadt A"), opened(&client, "Kreis B"))).await;
    for (id, organisation) in [(&ours, "stadt-a"), (&other, "kreis-b")] {
        let act =
            beistand_runtime::IncidentAct::Link { organisation: organisation.parse().unwrap() };
        let (incident, by) = (id.parse().unwrap(), crate::engine::world::anna());
        let verb = beistand_runtime::Verb::Incident { incident, act, by, if_seq: None };
        inside.engine.execute(verb).await.unwrap();
    }
    inside
        .talk(move |client| {
            let bodies = [
                ("notes", json!({"text": "x"})),
                ("assets", json!({"kind": "host", "values": ["x"], "state": "affected"})),
                ("roles", json!({"role": "scribe", "person": "ben"})),
                ("handover", json!({"withdraw": true})),
                ("evidence", json!({"name": "x", "base64": "eA=="})),
                (
                    "calls",
                    json!({"action": "network.isolate", "with": {"host": "x"}, "reason": "x"}),
                ),
            ];
            for (what, body) in &bodies {
                // The gate knows that a reviewer may do none of these anywhere.
                assert_eq!(add(&client, (&ours, what), READS, body).status, 403, "{what}");
                let commander = "commander-carl@organisation:stadt-a";
                let hidden = add(&client, (&other, what), commander, body);
                assert_eq!(hidden.status, 404, "{what}: {hidden:?}");
                assert!(!hidden.body.contains("Kreis"), "{what}: {hidden:?}");
                let none = add(&client, ("SIT-2026-9999", what), commander, body);
                assert_eq!(none.status, 404, "{what}");
            }
            for what in [
                "",
                "/timeline",
                "/timeline?format=jsonl",
                "/timeline/review",
                "/metrics",
                "/story",
                "/briefing",
                "/evidence/00",
            ] {
                let path = format!("/api/v1/incidents/{other}{what}");
                let hidden = client.get(&path, Some(TOWN));
                assert_eq!(hidden.status, 404, "{what}: {hidden:?}");
            }
            let path = format!("/api/v1/incidents/{ours}/briefing");
            assert_eq!(client.get(&path, Some(TOWN)).status, 403, "a briefing is a whole");
            let seen = client.get("/api/v1/incidents", Some(TOWN));
            assert!(seen.body.contains("Stadt A") && !seen.body.contains("Kreis"), "{seen:?}");
        })
        .await;
    inside.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_are_marked_by_who_may_note_and_only_where_they_are() {
    let inside = Inside::new(Limits::default()).await;
    inside
        .talk(|client| {
            let (id, other) = (opened(&client, "Night"), opened(&client, "Day"));
            let told = |id: &str, query: &str| {
                let path = format!("/api/v1/incidents/{id}/{query}");
                let answer = client.get(&path, Some(READS));
                assert_eq!(answer.status, 200, "{path}: {answer:?}");
                answer.json()
            };
            let noted = json!({"text": "It was pc-2", "at": "2026-01-01T02:00:00Z"});
            assert_eq!(add(&client, (&id, "notes"), LEADS, &noted).status, 200);
            let line = told(&id, "timeline?q=pc-2")["items"][0]["line"].clone();
            let foreign = told(&other, "timeline")["items"][0]["line"].clone();
            let marks = [
                ("notes", json!({"text": "pc-3", "corrects": line, "reason": "misheard"})),
                ("stars", json!({"line": line, "starred": true})),
                ("story", json!({"line": line, "title": "It begins", "place": 1})),
            ];
            for (what, body) in &marks {
                assert_eq!(add(&client, (&id, what), READS, body).status, 403, "{what}");
                for already in [false, true] {
                    let done = add(&client, (&id, what), LEADS, body);
                    assert_eq!(done.status, 200, "{what}: {done:?}");
                    assert_eq!(done.json()["already"], already, "{what}");
                }
                // A line of another incident is none of this one.
                let name = if *what == "notes" { "corrects" } else { "line" };
                let mut wrong = body.clone();
                wrong[name] = foreign.clone();
                assert_eq!(add(&client, (&id, what), LEADS, &wrong).status, 404, "{what}");
                wrong[name] = json!("7");
                assert_eq!(add(&client, (&id, what), LEADS, &wrong).status, 400, "{what}");
            }
            for (what, wrong) in [
                ("notes", json!({"text": "x", "corrects": line})),
                ("notes", json!({"text": "x", "reason": "y"})),
                ("story", json!({"line": line, "leave_out": false})),
                ("story", json!({"line": line, "place": 0})),
                ("story", json!({"line": line, "at": "2999-01-01T00:00:00Z"})),
                ("stars", json!({"line": line})),
            ] {
                assert_eq!(add(&client, (&id, what), LEADS, &wrong).status, 400, "{wrong}");
            }
            let starred = told(&id, "timeline?starred=true&significant=true");
            assert_eq!(starred["items"].as_array().unwrap().len(), 1);
            assert_eq!(starred["items"][0]["starred_by"], "cleo");
            assert!(starred["items"][0]["corrected_by"].is_string(), "{starred}");
            assert_eq!(told(&id, "story")["items"][0]["title"], "It begins");
            let figures = told(&id, "metrics");
            assert!(
                figures["detect_ms"].as_u64() > Some(0) && figures["corrected"] == 1,
                "{figures}"
            );
            let review = told(&id, "timeline/review?lang=en");
            assert_eq!(review["review"]["lanes"].as_array().unwrap().len(), 6);
            let nothing = told(&id, "timeline/review?lane=aid");
            assert!(nothing["review"].is_null(), "{nothing}");
        })
        .await;
    inside.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_of_what_was_selected() {
    let inside = Inside::new(Limits::default()).await;
    inside
        .talk(|client| {
            let id = opened(&client, "Night");
            let stix = format!("/api/v1/incidents/{id}/timeline?format=stix&persons=numbered");
            let bundle = client.get(&format!("{stix}&zone=UTC&up_to=AMBER"), Some(READS));
            assert_eq!(bundle.status, 200, "{bundle:?}");
            assert!(
                bundle.body.contains("person 1") && !bundle.body.contains("cleo"),
                "{bundle:?}"
            );
            for wrong in
                ["starred=false", "lanes=aid", "persons=numbered", "zone=Mars/Base", "role=king"]
            {
                let path = format!("/api/v1/incidents/{id}/timeline?{wrong}");
                assert_eq!(client.get(&path, Some(READS)).status, 400, "{wrong}");
            }
            let above = format!("/api/v1/incidents/{id}/timeline?format=csv&up_to=GREEN");
            assert_eq!(client.get(&above, Some(READS)).status, 400);
        })
        .await;
    inside.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn command_goes_to_who_has_read_how_things_stand() {
    let inside = Inside::new(Limits::default()).await;
    inside
        .talk(|client| {
            let id = opened(&client, "Night");
            let hand = |token: &str, body: Value| add(&client, (&id, "handover"), token, &body);
            assert_eq!(hand(LEADS, json!({"to": "ben"})).status, 409, "nobody has command");
            let role = json!({"role": "commander", "person": "cleo"});
            assert_eq!(add(&client, (&id, "roles"), LEADS, &role).status, 200);
            for wrong in [json!({"role": "commander"}), json!({"role": "boss", "person": null})] {
                assert_eq!(add(&client, (&id, "roles"), LEADS, &wrong).status, 400, "{wrong}");
            }
            let offered = hand(LEADS, json!({"to": "ben", "note": "coffee is out"})).json();
            let path = format!("/api/v1/incidents/{id}/briefing");
            let briefing = client.get(&path, Some("commander-ben")).json();
            assert_eq!(briefing["digest"], offered["digest"]);
            assert_eq!(briefing["briefing"]["roles"]["commander"], "cleo");
            let accept = json!({"accept": briefing["digest"]});
            let zero = json!({"accept": "0".repeat(64)});
            assert_eq!(hand("commander-ben", zero).status, 409);
            assert_eq!(hand("commander-dora", accept.clone()).status, 403);
            for wrong in [json!({}), json!({"withdraw": false}), json!({"to": "x", "accept": "y"})]
            {
                assert_eq!(hand(LEADS, wrong.clone()).status, 400, "{wrong}");
            }
            assert_eq!(hand("commander-ben", accept).status, 200);
            let one = client.get(&format!("/api/v1/incidents/{id}"), Some(READS)).json();
            assert_eq!(one["roles"], json!([{"role": "commander", "person": "ben"}]));
        })
        .await;
    inside.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_evidence_is_called_is_only_ever_data() {
    let inside = Inside::new(Limits::default()).await;
    inside
        .talk(|client| {
            let id = opened(&client, "Night");
            let long = "x".repeat(300);
            for name in ["../../etc/x", "CON", "a\r\nSet-Cookie: x", "=1+1", "\"; rm", &long] {
                let kept = json!({"name": name, "base64": "PGh0bWw+"});
                let answer = add(&client, (&id, "evidence"), LEADS, &kept);
                assert_eq!(answer.status, 200, "{name}: {answer:?}");
            }
            for wrong in
                [json!({"name": "a\0b", "base64": ""}), json!({"name": "x", "base64": "%"})]
            {
                assert_eq!(add(&client, (&id, "evidence"), LEADS, &wrong).status, 400, "{wrong}");
            }
            let one = client.get(&format!("/api/v1/incidents/{id}"), Some(READS)).json();
            let shown = one["evidence"].as_array().unwrap();
            assert_eq!((shown.len(), &shown[0]["name"]), (6, &json!("../../etc/x")));
            let digest = shown[0]["digest"].as_str().unwrap().trim_start_matches("sha256:");
            let path = format!("/api/v1/incidents/{id}/evidence/{digest}");
            let file = client.get(&path, Some(READS));
            assert_eq!((file.status, file.body.as_str()), (200, "<html>"));
            assert_eq!(file.header("content-type"), Some("application/octet-stream"));
            assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
            let name = format!("attachment; filename=\"evidence-{digest}.bin\"");
            assert_eq!(file.header("content-disposition"), Some(name.as_str()));
            let none = format!("/api/v1/incidents/{id}/evidence/{}", "0".repeat(64));
            assert_eq!(client.get(&none, Some(READS)).status, 404);
            let csv = format!("/api/v1/incidents/{id}/timeline?format=csv");
            let csv = client.get(&csv, Some(READS)).body;
            assert!(!csv.lines().any(|line| line.contains(",=") || line.starts_with('=')), "{csv}");
        })
        .await;
    inside.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_call_is_a_run_of_one_step() {
    let inside = Inside::new(Limits::default()).await;
    inside
        .talk(|client| {
            let id = opened(&client, "Night");
            let call = |body: Value| add(&client, (&id, "calls"), LEADS, &body);
            let with = |with: Value| json!({"action": "network.isolate", "with": with, "reason": "it beacons"});
            for (body, wanted) in [
                (with(json!({"host": 7})), 400),
                (with(json!({})), 400),
                (with(json!([])), 400),
                (json!({"action": "network.explode", "with": {}, "reason": "x"}), 404),
                (json!({"action": "nonsense", "with": {}, "reason": "x"}), 400),
            ] {
                assert_eq!(call(body.clone()).status, wanted, "{body}");
            }
            let done = call(with(json!({"host": "pc-1"})));
            assert_eq!(done.status, 201, "{done:?}");
            let run = done.json()["run"].as_str().unwrap().to_owned();
            assert_eq!(done.header("location"), Some(format!("/api/v1/runs/{run}").as_str()));
            let path = format!("/api/v1/incidents/{id}/timeline?q=beacons");
            let lines = client.get(&path, Some(READS)).json();
            assert_eq!(lines["items"].as_array().unwrap().len(), 1, "{lines}");
        })
        .await;
    inside.engine.rest().await;
    inside.end().await;
}
