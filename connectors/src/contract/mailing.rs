//! What a mail relay's answers mean, at each place of the conversation; and the relay of a drill.

use std::sync::Arc;

use beistand_connector_api::{
    CallError, Connector, Millis, Mode, Secret, SecretError, SecretReference, Secrets, Value,
};
use serde_json::json;

use super::call;
use super::double::{Behaviour, Double};
use super::exchange::Server;
use crate::{Surroundings, connect, drill_relay};

#[derive(Debug)]
struct NoSecrets;

impl Secrets for NoSecrets {
    fn read(&self, reference: &SecretReference) -> Result<Secret, SecretError> {
        let reason = "there are none".to_owned();
        Err(SecretError { reference: reference.clone(), reason })
    }
}

fn around() -> Surroundings {
    Surroundings { secrets: Arc::new(NoSecrets), now: || Millis::new(0) }
}

fn settings(port: u16) -> Value {
    json!({ "kind": "smtp", "host": "127.0.0.1", "port": port, "tls": "none", "from": "k@example.org" })
}

fn mail() -> Value {
    json!({ "to": ["anna@example.org"], "cc": ["ben@example.org"], "subject": "S", "text": "T" })
}

/// A conversation that goes well up to the reply with this number, which is `reply` instead.
fn script(number: usize, reply: &str) -> Value {
    let good = [
        "S: 220 x",
        "C: EHLO",
        "S: 250 x",
        "C: MAIL",
        "S: 250 ok",
        "C: RCPT",
        "S: 250 ok",
        "C: RCPT",
        "S: 250 ok",
        "C: DATA",
        "S: 354 go",
        "C: (text)",
        "S: 250 ok",
        "C: QUIT",
        "S: 221 bye",
    ];
    let mut lines: Vec<String> = Vec::new();
    for line in good {
        if line.starts_with("S: ")
            && lines.iter().filter(|l| l.starts_with("S: ")).count() == number
        {
            if !reply.is_empty() {
                lines.push(format!("S: {reply}"));
                lines.push("C: QUIT".to_owned());
            }
            break;
        }
        lines.push(line.to_owned());
    }
    json!(lines)
}

async fn sent(script: Value) -> Result<(), CallError> {
    let double = Double::start(Server::Smtp, script, Behaviour::Answers).await;
    let relay =
        connect(&"it".parse().unwrap(), &settings(double.address.port()), &around()).unwrap();
    relay.call(&call("mail.send", mail())).await.map(drop)
}

#[tokio::test]
async fn a_code_is_an_answer_and_a_loss_counts_only_after_the_text() {
    assert_eq!(sent(script(99, "")).await, Ok(()));
    // 0 greeting, 1 EHLO, 2 MAIL, 3 and 4 RCPT, 5 DATA, 6 the end of the text
    for place in 2..=6 {
        let no = sent(script(place, "550 5.1.1 no")).await;
        assert!(matches!(no, Err(CallError::Refused { .. })), "{place}: {no:?}");
        let later = sent(script(place, "451 4.3.0 later")).await;
        assert!(matches!(later, Err(CallError::Unavailable { .. })), "{place}: {later:?}");
    }
    for place in 0..=5 {
        let lost = sent(script(place, "")).await;
        assert!(matches!(lost, Err(CallError::Unavailable { .. })), "{place}: {lost:?}");
    }
    let lost = sent(script(6, "")).await;
    assert!(matches!(lost, Err(CallError::Unknown { .. })), "{lost:?}");
}

#[tokio::test]
async fn the_relay_of_a_drill_serves_drills_only_and_reaches_one_address_only() {
    let script = json!([
        "S: 220 x",
        "C: EHLO",
        "S: 250 x",
        "C: MAIL",
        "S: 250 ok",
        "C: RCPT TO:<uebung@example.org>",
        "S: 250 ok",
        "C: DATA",
        "S: 354 go",
        "C: (text)",
        "S: 250 ok",
        "C: QUIT",
        "S: 221 bye",
    ]);
    let double = Double::start(Server::Smtp, script, Behaviour::Answers).await;
    let settings = settings(double.address.port());
    let name = "relay".parse().unwrap();
    let relay = drill_relay(&name, &settings, "uebung@example.org", &around()).unwrap();
    let live = call("mail.send", mail());
    assert!(matches!(relay.call(&live).await, Err(CallError::Invalid { .. })));
    assert!(double.heard().is_empty());
    let mut drill = live;
    drill.mode = Mode::Drill;
    relay.call(&drill).await.unwrap();
    assert_eq!(double.heard(), [format!("Message-ID: <{}@example.org>", drill.key)]);
    let http = json!({ "kind": "http", "allow": [] });
    assert_eq!(drill_relay(&name, &http, "u@example.org", &around()).unwrap_err().key, "kind");
    assert_eq!(drill_relay(&name, &settings, "nobody", &around()).unwrap_err().key, "only_to");
}

#[test]
fn mail_in_the_clear_leaves_this_machine_never() {
    for (host, tls, good) in [
        ("mail.example.org", "none", false),
        ("10.0.0.1", "none", false),
        ("localhost.example.org", "none", false),
        ("127.0.0.1", "none", true),
        ("::1", "none", true),
        ("localhost", "none", true),
        ("mail.example.org", "starttls", true),
    ] {
        let mut settings = settings(25);
        settings["host"] = json!(host);
        settings["tls"] = json!(tls);
        let made = connect(&"it".parse().unwrap(), &settings, &around());
        assert_eq!(made.is_ok(), good, "{host} {tls}: {made:?}");
    }
}

#[tokio::test]
async fn a_relay_without_starttls_gets_nothing() {
    let script = json!(["S: 220 x", "C: EHLO", "S: 250 x", "C: QUIT"]);
    let double = Double::start(Server::Smtp, script, Behaviour::Answers).await;
    let mut settings = settings(double.address.port());
    settings["tls"] = json!("starttls");
    let relay: Arc<dyn Connector> = connect(&"it".parse().unwrap(), &settings, &around()).unwrap();
    let error = relay.call(&call("mail.send", mail())).await.unwrap_err();
    assert!(matches!(error, CallError::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("STARTTLS"), "{error}");
    assert!(double.heard().is_empty());
}
