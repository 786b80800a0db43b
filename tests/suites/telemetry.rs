//! Traces outlive a kill, and secrets are nowhere but where they are sent.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use beistand_tests::http::{Manner, Reply, serve};
use beistand_tests::ledger::Ledger;
use beistand_tests::network::Network;
use beistand_tests::otlp::Receiver;
use beistand_tests::program::{Call, Ended};
use beistand_tests::smtp::{MailPlan, MailServer, Security, USER as MAIL_USER};
use beistand_tests::sshd::{Sshd, USER};
use beistand_tests::tool::{PATIENCE, call, wait_for};
use serde_json::json;

use crate::desk::{ANNA, BEN, Desk, announced, service, text};

/// Spans leave at once, so that a kill takes none along that was there before.
fn prompt(call: Call) -> Call {
    call.env("OTEL_BSP_SCHEDULE_DELAY", "20")
}

#[test]
fn a_trace_goes_on_after_a_kill() {
    let desk = Desk::new();
    let ledger = Ledger::start(&desk.path("ledger")).unwrap();
    let receiver = Receiver::start().unwrap();
    let mut config = service(&ledger.url());
    config["telemetry"] = json!({ "otlp": receiver.endpoint() });
    desk.configure(&config);
    let url = ledger.url();
    let put = |id: &str| {
        format!(
            "  - {{ id: {id}, call: http.request, with: {{ method: PUT, url: \"{url}/{id}\" }} }}\n"
        )
    };
    let steps = [put("one"), "  - { id: pause, wait: 1s }\n".to_owned(), put("two"), put("three")];
    let head = "playbook: traced\nlanguage: 1\ntitle: A trace\nsteps:\n";
    desk.write("traced.yaml", &format!("{head}{}", steps.concat()));

    let killed = prompt(desk.call(&["run", "traced.yaml", "--as", ANNA]));
    let killed = killed.env("BEISTAND_CRASH_AT", "before_effect:2").run().unwrap();
    killed.expect_code(-9).unwrap();
    let run = announced(&killed.stderr).unwrap();
    let opened = receiver.wait_for_span("run", |span| span.name == "run").unwrap();
    assert_eq!(opened.attributes["run.id"], run);
    prompt(desk.call(&["resume"])).run().unwrap().expect_code(0).unwrap();

    let attempts = |step: &str| {
        let found = receiver.spans().into_iter().filter(|span| span.name == "attempt");
        found.filter(|span| span.attributes["step.path"] == step).collect::<Vec<_>>()
    };
    for step in ["one", "two", "three"] {
        let all = || Ok((!attempts(step).is_empty()).then_some(()));
        wait_for(step, PATIENCE, all).unwrap();
        let attempt = attempts(step).pop().unwrap();
        assert_eq!(attempt.trace, opened.trace, "{step} is in the run's trace");
        assert_eq!(attempt.attributes["attempt.no"], "1");
        let call = receiver.spans().into_iter().find(|span| span.parent == attempt.id).unwrap();
        assert_eq!((call.name.as_str(), &call.trace), ("call", &opened.trace));
        assert!(call.ended >= call.started && call.started > 0);
        // The server on the other side joins the very same span.
        let records = ledger.records().unwrap();
        let sent = records.iter().find(|record| record.path == format!("/{step}")).unwrap();
        let expected = format!("00-{}-{}-01", call.trace, call.id);
        assert_eq!(sent.traceparent.as_deref(), Some(expected.as_str()));
    }
    assert_eq!(receiver.unread(), 0);
}

/// A value that is nowhere else in the world, and all that it could be written as.
struct Canary {
    name: &'static str,
    value: String,
}

impl Canary {
    fn new(name: &'static str) -> Self {
        let mut random = [0; 12];
        getrandom::fill(&mut random).unwrap();
        // A character that URLs encode and one that base64 does not know.
        Self { name, value: format!("canary+{}/{name}", hex::encode(random)) }
    }

    fn forms(&self) -> Vec<Vec<u8>> {
        let mut forms = vec![
            self.value.clone().into_bytes(),
            self.value.replace('+', "%2B").replace('/', "%2F").into_bytes(),
            self.value.replace('+', "%2b").replace('/', "%2f").into_bytes(),
            self.value.replace('/', "\\/").into_bytes(),
            hex::encode(&self.value).into_bytes(),
        ];
        // Inside a longer text base64 depends on where it begins: the part that never does.
        for before in 0..3 {
            let padded = [&vec![b'x'; before][..], self.value.as_bytes()].concat();
            let encoded = base64(&padded);
            let inner = encoded.get(4..encoded.len() - 4).unwrap().to_owned();
            forms.push(inner.clone().into_bytes());
            forms.push(inner.replace('+', "-").replace('/', "_").into_bytes());
        }
        forms
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        self.forms().iter().any(|form| bytes.windows(form.len()).any(|window| window == form))
    }
}

fn base64(bytes: &[u8]) -> String {
    let script = "import base64,sys; print(base64.b64encode(bytes.fromhex(sys.argv[1])).decode())";
    call("/usr/bin/python3", &["-c", script, &hex::encode(bytes)]).unwrap().trim().to_owned()
}

/// Places in which no secret may be, by name.
type Places = Vec<(String, Vec<u8>)>;

/// Every connector with a secret of its own, a service that repeats them, and who listens.
struct Scene {
    desk: Desk,
    canaries: [Canary; 3],
    relay: MailServer,
    receiver: Receiver,
    echoed: Arc<Mutex<u32>>,
    _router: Sshd,
    _network: Network,
}

impl Scene {
    fn set() -> Self {
        let network = Network::build().unwrap();
        let router = Sshd::start(network.router(), network.router().v4()).unwrap();
        let (token, mail) = (Canary::new("token"), Canary::new("mail"));
        let key_text = fs::read_to_string(router.key()).unwrap();
        let key = Canary { name: "key", value: key_text.lines().nth(2).unwrap().to_owned() };
        let relay = MailPlan::new(Security::StartTls).with_password(&mail.value);
        let relay = relay.on(network.management()).start().unwrap();
        let echoed = Arc::new(Mutex::new(0));
        let gossip = gossip(&network, Arc::clone(&echoed));
        let receiver = network.management().within(Receiver::start).unwrap();

        let desk = Desk::new().on(network.management());
        desk.write("token", &token.value);
        let host = network.host(1).unwrap().v4();
        desk.write("hosts.csv", &format!("name,addresses\npc-1,{host}\n"));
        desk.configure(&json!({
            "telemetry": { "otlp": receiver.endpoint() },
            "inventory": ["hosts.csv"],
            "guard": { "never": [] },
            "connectors": {
                "api": { "kind": "http", "auth": { "bearer": { "file": desk.path("token") } },
                    "allow": [{ "methods": ["GET", "POST"], "url": format!("{gossip}/") }] },
                "relay": { "kind": "smtp", "host": relay.address().ip(),
                    "port": relay.address().port(), "tls": "starttls", "ca": relay.authority(),
                    "user": MAIL_USER, "password": { "env": "RELAY_PASSWORD" },
                    "from": "beistand@example.org" },
                "router": { "kind": "nftables-ssh", "host": router.address().ip(),
                    "port": router.address().port(), "user": USER, "key": { "file": router.key() },
                    "known_hosts": router.known_hosts() },
            },
        }));
        desk.write("secrets.yaml", &SECRETS.replace("GOSSIP", &gossip));
        let canaries = [token, mail, key];
        Self { desk, canaries, relay, receiver, echoed, _router: router, _network: network }
    }

    /// Runs the program, its log wide open.
    fn drive(&self, words: &[&str]) -> Call {
        prompt(self.desk.call(words).env("RELAY_PASSWORD", &self.canaries[1].value))
    }
}

fn said(ended: &Ended) -> Vec<u8> {
    format!("{}{}", ended.stdout, ended.stderr).into_bytes()
}

/// Uses every secret, is killed in the middle and ends; the run, and all places it wrote to.
fn use_every_secret(scene: &Scene) -> (String, Places) {
    let (desk, mut places) = (&scene.desk, Places::new());
    let run = scene.drive(&["run", "secrets.yaml", "-vv", "--as", ANNA]).run().unwrap();
    run.expect_code(6).unwrap();
    places.push(("log of the run".to_owned(), said(&run)));
    let id = announced(&run.stderr).unwrap();
    assert_eq!(desk.approve(&id, BEN), 1);
    // The log is cut off by a kill, so that what is in the write-ahead log stays there.
    let killed = scene.drive(&["resume", "-vv"]).env("BEISTAND_CRASH_AT", "after_effect:1");
    let killed = killed.run().unwrap();
    killed.expect_code(-9).unwrap();
    places.push(("log of the killed".to_owned(), said(&killed)));
    assert!(desk.path("beistand.db-wal").exists(), "there is a write-ahead log to look into");
    files(desk, "killed ", &mut places);
    for words in [
        &["resume", "-vv"][..],
        &["connectors", "test", "api"],
        &["connectors", "test", "relay"],
        &["connectors", "test", "router"],
    ] {
        places.push((words.join(" "), said(&scene.drive(words).run().unwrap())));
    }
    (id, places)
}

#[test]
fn a_secret_is_nowhere_but_where_it_is_sent() {
    let scene = Scene::set();
    let desk = &scene.desk;
    let (id, mut places) = use_every_secret(&scene);
    let shown = desk.show(&id);
    assert_eq!(shown["status"], "succeeded", "{shown:#}");
    assert_eq!(scene.relay.mails().unwrap().len(), 1);
    assert!(*scene.echoed.lock().unwrap() >= 2, "the service did echo the token");
    places.push(("show".to_owned(), shown.to_string().into_bytes()));
    for format in ["table", "jsonl", "csv", "html"] {
        let export = desk.ok(0, &["timeline", text(&shown["incident"]), "--format", format]);
        places.push((format!("timeline {format}"), export.into_bytes()));
    }
    desk.ok(0, &["backup", "backup.sqlite"]);
    files(desk, "", &mut places);
    scene.receiver.wait_for_span("call", |span| span.name == "call").unwrap();
    places.push(("spans".to_owned(), scene.receiver.bytes()));

    let names: BTreeSet<&str> = places.iter().map(|(name, _)| name.as_str()).collect();
    for name in ["beistand.db", "killed beistand.db-wal", "backup.sqlite", "spans"] {
        assert!(names.contains(name), "{name} was looked at: {names:?}");
    }
    for canary in &scene.canaries {
        let found: Vec<&str> = places
            .iter()
            .filter(|(_, bytes)| canary.is_in(bytes))
            .map(|(name, _)| name.as_str())
            .collect();
        assert!(found.is_empty(), "the {} is in {found:?}", canary.name);
    }
}

const SECRETS: &str = r#"
playbook: secrets
language: 1
title: Every secret is used
steps:
  - id: said
    call: http.request
    with: { method: GET, url: "GOSSIP/ok" }
  - id: refused
    call: http.request
    with: { method: POST, url: "GOSSIP/refused" }
    on_error: continue
  - id: cut
    call: network.isolate
    with: { host: pc-1 }
  - id: tell
    call: mail.send
    with: { to: [krisenstab@example.org], subject: Said, text: "${json(steps.said.output)}" }
"#;

/// A service that repeats whatever it was told, the token above all.
fn gossip(network: &Network, echoed: Arc<Mutex<u32>>) -> String {
    let address = network.management().v4();
    let listener = network.management().within(move || {
        use beistand_tests::trouble::While as _;
        TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).or_trouble("opening a port")
    });
    let listener = listener.unwrap();
    let port = listener.local_addr().unwrap().port();
    serve(listener, move |request| {
        let token = request.header("authorization").unwrap_or_default().to_owned();
        if token.contains("canary") {
            *echoed.lock().unwrap() += 1;
        }
        let status = if request.path == "/ok" { 200 } else { 403 };
        let body = json!({ "you": token, "raw": token.trim_start_matches("Bearer ") });
        Reply {
            status,
            content_type: "application/json",
            headers: vec![format!("x-you: {token}")],
            body: body.to_string().into_bytes(),
            manner: Manner::Plain,
        }
    });
    format!("http://{address}:{port}")
}

/// All files of the desk but the one that holds a secret, and the reserve, which holds zeros.
fn files(desk: &Desk, prefix: &str, places: &mut Places) {
    for entry in fs::read_dir(desk.path(".")).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let looked_at = name != "token" && !name.ends_with(".reserve");
        if entry.file_type().unwrap().is_file() && looked_at {
            let path: PathBuf = entry.path();
            places.push((format!("{prefix}{name}"), fs::read(path).unwrap()));
        }
    }
}
