//! `beistand serve` as it is met from outside: TLS, those who come slowly or with too much, and
//! every way in which it ends.

mod accounts;
mod alerts;
mod attacks;
mod break_in;
mod canary;
mod client;
mod contract;
mod device;
mod doors;
mod drill;
mod house;
mod incidents;
mod inside;
mod on_call;
mod passkeys;
mod race;
mod repeat;
mod sso;
mod telephone;
mod town;
mod void;
mod walk;

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use beistand_tests::program::{DEADLINE, Running};
use beistand_tests::smtp::certify;
use beistand_tests::tool::{now, pause, wait_for};
use beistand_tests::trouble::Trouble;
use rustix::process::Signal;

pub(crate) use self::alerts::{seconds, signed};
use self::client::{Client, answer};
pub(crate) use self::town::ALERTS;
use crate::desk::Desk;

/// Longer than the server lets a client take for its head, shorter than anybody would wait.
const CUT_WITHIN: Duration = Duration::from_secs(12);

/// A server that runs.
pub(crate) struct Served {
    pub(crate) running: Running,
    pub(crate) client: Client,
}

/// Starts a server and waits until it says where it listens.
pub(crate) fn serve(desk: &Desk, words: &[&str]) -> Served {
    serve_at(desk, "127.0.0.1:0", words)
}

/// The same at an address of one's own.
pub(crate) fn serve_at(desk: &Desk, address: &str, words: &[&str]) -> Served {
    let running = desk.call(&[&["serve", "--listen", address], words].concat()).start().unwrap();
    let client = wait_for("the server to listen", DEADLINE, || {
        let said = running.stderr();
        Ok::<_, Trouble>(said.lines().find_map(listening))
    });
    let client = client.unwrap_or_else(|trouble| panic!("{trouble}: {}", running.stderr()));
    Served { running, client }
}

/// Where it listens, from the line in which it says so.
fn listening(line: &str) -> Option<Client> {
    let mut words = line.strip_prefix("listening on ")?.split(' ');
    let url = words.next()?;
    let (_, address) = url.split_once("://")?;
    let pinned = words.next()?.strip_prefix("sha256:").map(str::to_owned);
    Some(Client { address: address.parse().ok()?, pinned })
}

#[test]
fn a_self_made_certificate_is_the_one_whose_fingerprint_was_printed_and_stays() {
    let desk = Desk::new();
    let served = serve(&desk, &[]);
    let alive = served.client.get("/healthz", None);
    assert_eq!((alive.status, alive.body.as_str()), (200, "alive\n"));
    assert!(alive.header("strict-transport-security").is_some());
    let printed = served.client.pinned.clone().unwrap();
    let groups = printed.to_uppercase();
    let groups: Vec<&str> = (0..16).map(|at| &groups[4 * at..4 * at + 4]).collect();
    assert!(served.running.stderr().contains(&groups.join(" ")), "{}", served.running.stderr());
    let stranger = Client { pinned: Some("0".repeat(64)), ..served.client.clone() };
    assert!(stranger.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").is_err());
    let plain = Client { pinned: None, ..served.client.clone() };
    assert!(plain.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").is_err());
    let file = desk.path("beistand.db.tls.pem");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    served.running.kill().unwrap();
    let again = serve(&desk, &[]);
    assert_eq!(again.client.pinned, Some(printed));
    assert_eq!(again.client.get("/readyz", None).status, 200);
}

#[test]
fn a_given_certificate_is_shown_and_one_that_does_not_fit_its_key_is_refused() {
    let desk = Desk::new();
    let folder = desk.path("");
    certify(&folder, Ipv4Addr::LOCALHOST.into()).unwrap();
    let words = ["--tls-cert", "certificate.pem", "--tls-key", "certificate.key"];
    let served = serve(&desk, &words);
    assert_eq!(served.client.get("/healthz", None).status, 200);
    assert!(!desk.path("beistand.db.tls.pem").exists());
    served.running.kill().unwrap();
    let wrong = ["serve", "--tls-cert", "certificate.pem", "--tls-key", "authority.key"];
    let ended = desk.done(&wrong);
    ended.expect_code(3).unwrap();
    assert!(ended.stderr.contains("does not belong to the key"), "{}", ended.stderr);
    let half = desk.done(&["serve", "--tls-cert", "certificate.pem"]);
    half.expect_code(2).unwrap();
}

#[test]
fn without_tls_it_serves_this_machine_alone() {
    let desk = Desk::new();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let ended = desk.done(&["serve", "--plain", "--listen", address]);
        ended.expect_code(2).unwrap();
        assert!(ended.stderr.contains("only on this very machine"), "{}", ended.stderr);
    }
    let served = serve(&desk, &["--plain"]);
    assert_eq!(served.client.pinned, None);
    let alive = served.client.get("/healthz", None);
    assert_eq!(alive.status, 200);
    assert_eq!(alive.header("strict-transport-security"), None);
}

#[test]
fn a_taken_address_and_an_owned_store_are_said_in_words() {
    let desk = Desk::new();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = desk.done(&["serve", "--listen", &address]);
    ended.expect_code(69).unwrap();
    assert!(ended.stderr.contains(&format!("could not listen on {address}")), "{}", ended.stderr);
    let served = serve(&desk, &[]);
    let second = desk.done(&["serve", "--listen", "127.0.0.1:0"]);
    second.expect_code(7).unwrap();
    assert!(second.stderr.contains("one store has one server"), "{}", second.stderr);
    drop(served);
}

#[test]
fn who_comes_byte_by_byte_is_cut_off() {
    let desk = Desk::new();
    let served = serve(&desk, &[]);
    let plain = Client { pinned: None, ..served.client.clone() };
    let begun = now();
    // One never begins the handshake, the other never ends its head.
    let mut silent = plain.connect().unwrap();
    let mut slow = served.client.connect().unwrap();
    let head = served.client.head("GET", "/healthz", None);
    for byte in head.as_bytes() {
        let sent = slow.write_all(&[*byte]).and_then(|()| slow.flush());
        if sent.is_err() || begun.elapsed() > CUT_WITHIN {
            break;
        }
        pause(Duration::from_secs(1));
    }
    let answered = answer(&mut slow).map(|answer| answer.status);
    assert!(!matches!(answered, Ok(200)), "{answered:?}");
    assert!(begun.elapsed() < CUT_WITHIN, "it was let go on for {:?}", begun.elapsed());
    assert!(answer(&mut silent).is_err());
    assert_eq!(served.client.get("/healthz", None).status, 200);
}

#[test]
fn a_head_of_any_size_is_refused_and_the_server_lives() {
    let desk = Desk::new();
    let served = serve(&desk, &["--plain"]);
    let many = "x-many: 1\r\n".repeat(10_000);
    let long = format!("x-long: {}\r\n", "y".repeat(1 << 20));
    let line = format!("GET /{} HTTP/1.1\r\n\r\n", "z".repeat(1 << 20));
    let head = served.client.head("GET", "/healthz", None);
    for text in [format!("{head}{many}\r\n"), format!("{head}{long}\r\n"), line] {
        // It may have closed before all was sent.
        match served.client.raw(text.as_bytes()) {
            Ok(answer) => assert!([414, 431].contains(&answer.status), "{answer:?}"),
            Err(error) => assert!(
                matches!(
                    error.kind(),
                    std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe
                ),
                "{error}"
            ),
        }
    }
    for text in ["\0\0\0\0", "GET\r\n\r\n", "GET /healthz HTTP/9.9\r\n\r\n"] {
        let refused = served.client.raw(format!("{text}\r\n\r\n").as_bytes());
        assert!(refused.map_or(true, |answer| answer.status == 400), "{text:?}");
    }
    assert_eq!(served.client.get("/healthz", None).status, 200);
}

#[test]
fn whoever_is_nobody_is_let_in_nowhere() {
    let desk = Desk::new();
    let served = serve(&desk, &["--plain"]);
    for path in ["/api/v1/me", "/metrics"] {
        let refused = served.client.get(path, Some("rubbish"));
        assert_eq!(refused.status, 401, "{path}");
        assert_eq!(refused.header("content-type"), Some("application/problem+json"));
        assert_eq!(served.client.get(path, None).status, 401, "{path}");
    }
    for path in ["/api/v1/nothing", "/nothing", "/healthz/", "//healthz"] {
        assert_eq!(served.client.get(path, None).status, 404, "{path}");
        assert_eq!(served.client.get(path, Some("rubbish")).status, 404, "{path}");
    }
    let stop = served.client.post("/api/v1/stop", "rubbish", &serde_json::json!({"reason": "x"}));
    assert_eq!(stop.status, 401);
    let described = served.client.get("/api/v1/openapi.json", None).json();
    assert!(described["paths"]["/api/v1/stop"]["post"].is_object());
}

#[test]
fn who_tries_doors_stands_in_the_log_and_does_not_fill_it() {
    let desk = Desk::new();
    let served = serve(&desk, &["--plain", "-v"]);
    for number in 0..40 {
        let token = format!("bst_guess-{number}");
        assert_eq!(served.client.get("/api/v1/runs/x/events", Some(&token)).status, 401);
    }
    let body = serde_json::json!({"account": "cleo", "passphrase": "geheime Wörter im Flur"});
    let wrong = served.client.send("POST", "/api/v1/session", None, Some(&body.to_string()));
    assert_eq!(wrong.status, 403);
    let said = served.running.stderr();
    let lines: Vec<&str> =
        said.lines().filter(|line| line.contains("Somebody was refused.")).collect();
    assert_eq!(lines.len(), 6, "{said}");
    for part in ["INFO", "127.0.0.1", "/api/v1/runs/{id}/events", "unauthorized", "401"] {
        assert!(lines[0].contains(part), "{part}: {}", lines[0]);
    }
    for secret in ["bst_guess", "geheime"] {
        assert!(!said.contains(secret), "{said}");
    }
}

#[test]
fn a_signal_ends_it_in_order_and_another_one_stops_every_effect() {
    let desk = Desk::new();
    let served = serve(&desk, &[]);
    served.running.signal(Signal::USR1).unwrap();
    let refused = wait_for("the stop switch", DEADLINE, || {
        let ended = desk.done(&["go-on", "--as", "stop-file"]);
        Ok::<_, Trouble>((ended.code() == 5).then_some(ended))
    });
    assert!(refused.unwrap().stderr.contains("another person's act"));
    desk.ok(0, &["go-on", "--as", "anna", "--reason", "a test"]);
    // One that never began its handshake keeps nobody from leaving.
    let idle = Client { pinned: None, ..served.client.clone() }.connect().unwrap();
    let begun = now();
    served.running.signal(Signal::TERM).unwrap();
    let ended = served.running.wait(DEADLINE).unwrap();
    ended.expect_code(0).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    drop(idle);
    desk.ok(0, &["verify"]);
}

#[test]
fn a_server_that_was_killed_starts_again_on_its_store() {
    let desk = Desk::new();
    let first = serve(&desk, &[]);
    desk.ok(0, &["incident", "open", "Before the kill"]);
    first.running.kill().unwrap();
    let second = serve(&desk, &[]);
    assert_eq!(second.client.get("/readyz", None).status, 200);
    let incidents = desk.json(&["incident", "list"]);
    assert_eq!(incidents.as_array().unwrap().len(), 1);
    drop(second);
}
