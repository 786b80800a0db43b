//! Whatever is sent, the answer is what OpenAPI says: schemathesis makes requests from the description,
//! in and out of its bounds, alone and after each other, and holds each answer against it.
//!
//! `BEISTAND_TEST_SCHEMATHESIS_SECS` says for how long; 1200 is the long round. What it can not do:
//! sign an alert, so the hooks answer it nothing but 401 (`alerts.rs`), and prove anew who it is, so a
//! live effect that destroys is asked for and not had (`attacks.rs`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use beistand_tests::tool::{environment, pause};
use beistand_web::table;
use serde_json::json;

use super::doors::is_page;
use super::town::{HERE, Place, Town};

/// How long the short round takes.
const SECONDS: u64 = 75;

/// The same requests each time.
const SEED: u32 = 20_261_122;

/// What it is told beside the description.
///
/// Not checked is that what fits the schema is taken: a schema does not say that a cursor is of this
/// very list, that a time is not yet to come, or what the arguments of another action are. A body
/// that is refused for its size alone (413), an edit of what has moved on (412), or one that does not
/// say what it is of (428), is refused well.
const CONFIG: &str = r#"
seed = SEED
max-stream-events = 1
request-timeout = 20
warnings = { display = [], fail-on = ["unresolvable_reference", "unsupported_regex"] }

[checks]
positive_data_acceptance.enabled = false
missing_required_header.expected-statuses = [400, 401, 403, 415, 428]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 409, 412, 413, 415, 428, 429]

[dictionaries]
run = { values = ["RUN"] }
need = { values = ["NEED"] }
playbook = { values = ["hall"] }

[[operations]]
include-path-regex = "^/api/v1/runs/"
parameters = { id = { dictionary = "run", probability = 0.7 } }

# A stream has no end.
[[operations]]
include-path-regex = "/events$"
request-timeout = 2

[[operations]]
include-path-regex = "^/api/v1/needs/"
parameters = { id = { dictionary = "need", probability = 0.7 } }

[[operations]]
include-path-regex = "^/api/v1/playbooks/"
parameters = { id = { dictionary = "playbook", probability = 0.7 } }
"#;

/// Where the chores put it, or beside what was built.
fn program() -> PathBuf {
    let named = environment("BEISTAND_TEST_SCHEMATHESIS").map(PathBuf::from);
    let ours = std::env::current_exe().unwrap();
    let beside = ours.ancestors().map(|folder| folder.join("tools/schemathesis/bin/schemathesis"));
    let found = named.or_else(|| beside.into_iter().find(|file| file.is_file()));
    found.expect("schemathesis is not there: `cargo xtask test` installs it")
}

/// What schemathesis said, its lines cut: a body may have a million characters.
fn cut(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said).into_owned();
    let lines = text.lines().map(|line| line.chars().take(600).collect::<String>());
    lines.collect::<Vec<_>>().join("\n")
}

fn tried(town: &Town, place: &Place, seconds: u64) -> (bool, String) {
    let Place { run, gate: (need, _), .. } = place;
    let config = CONFIG.replace("SEED", &SEED.to_string()).replace("RUN", run);
    town.desk.write("schemathesis.toml", &config.replace("NEED", need));
    let token = town.account("tess", &["--role", "commander"]).token;
    let url = format!("http://{}", town.client().address);
    // From a file: where it is asked for the description itself, it leaves that route out.
    let description = town.client().get("/api/v1/openapi.json", None);
    town.desk.write("openapi.json", &description.body);
    let output = Command::new(program())
        .args(["--config-file", "schemathesis.toml", "run", "openapi.json", "--url", &url])
        .arg("--no-color")
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--max-time", &seconds.to_string(), "--generation-database", "none"])
        .args(["--suppress-health-check", "all"])
        .current_dir(town.desk.path(""))
        .output()
        .unwrap();
    (output.status.success(), cut(&[output.stdout, output.stderr].concat()))
}

/// Says that it is over, however that comes.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn whatever_is_sent_the_answer_is_what_openapi_says() {
    let seconds = environment("BEISTAND_TEST_SCHEMATHESIS_SECS");
    let seconds = seconds.map_or(SECONDS, |text| text.parse().unwrap());
    let town = Town::new(&json!({}), &BTreeMap::new());
    let place = town.place(HERE, &["pc-a1", "pc-a2"]);
    town.account("gert", &["--role", "commander"]);
    let over = AtomicBool::new(false);
    let (well, said) = thread::scope(|scope| {
        let ends = Ends(&over);
        // Who may much presses the stop switch, and a stopped server says less.
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let words =
                    ["--as", "gert", "--passphrase", "words", "go-on", "--reason", "a test"];
                drop(town.desk.done(&words));
                pause(Duration::from_secs(2));
            }
        });
        let tried = tried(&town, &place, seconds);
        drop(ends);
        tried
    });
    assert!(well, "{said}");
    let all = table().declared().iter().filter(|route| !is_page(route)).count();
    for told in [format!("Selected: {all}/{all}"), format!("Tested: {all}")] {
        assert!(said.contains(&told), "not every route was tried: {said}");
    }
    assert_eq!(town.client().get("/readyz", None).status, 200);
    town.desk.ok(0, &["verify"]);
}
