//! What somebody new types, from the page; what they are told before it counts.

use std::fs;
use std::path::Path;

use beistand_tests::tool::{PATIENCE, wait_for};
use serde_json::{Value, json};

use crate::desk::{ANNA, BEN, Desk, announced, text};
use crate::staff::WORDS;

/// A block of a language after a heading of the README.
fn shown(heading: &str, language: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let page = fs::read_to_string(path).unwrap();
    let after = page.split(heading).nth(1).expect("the heading is there");
    let block = after.split(&format!("```{language}\n")).nth(1).expect("a block is there");
    block.split("```").next().unwrap().to_owned()
}

#[test]
fn the_program_is_built_before_it_is_called() {
    let page = shown("# Beistand", "sh");
    let lines = ["npm ci --ignore-scripts", "cargo build --release --locked", "export PATH="];
    let places = lines.map(|line| page.find(line).unwrap_or_else(|| panic!("{line}: {page}")));
    assert!(places.is_sorted(), "{page}");
}

#[test]
fn the_first_playbook_goes_as_it_is_typed() {
    let desk = Desk::new();
    desk.write("cut-off.yaml", &shown("## A first playbook", "yaml"));
    let (mut need, mut incident) = (None::<Value>, String::new());
    for line in shown("## A first playbook", "sh").lines() {
        let typed = line.split('#').next().unwrap().trim();
        let words: Vec<&str> = typed.strip_prefix("beistand ").unwrap().split(' ').collect();
        let (code, words): (i32, Vec<&str>) = match words[0] {
            "run" => (6, [&words[..], &["--as", ANNA]].concat()),
            "approve" => {
                let need = need.as_ref().unwrap();
                let digest = ["--digest", text(&need["digest"])];
                let words: Vec<&str> = words
                    .into_iter()
                    .map(|word| if word == "ID" { text(&need["id"]) } else { word })
                    .collect();
                (0, [&words[..], &digest].concat())
            }
            "timeline" => (0, vec!["timeline", &incident]),
            _ => (0, words),
        };
        let ended = desk.done(&words);
        ended.expect_code(code).unwrap_or_else(|trouble| panic!("{line}: {trouble}"));
        if let Some(run) = announced(&ended.stderr) {
            need = desk.needs(&run).first().cloned();
            text(&desk.show(&run)["incident_number"]).clone_into(&mut incident);
        }
    }
    let told = desk.ok(0, &["timeline", &incident]);
    assert!(told.contains("pc-17"), "{told}");
}

#[test]
fn the_plan_and_the_drill_say_what_a_live_run_would_miss() {
    let desk = Desk::new();
    desk.write("cut-off.yaml", &shown("## A first playbook", "yaml"));
    let input = ["cut-off.yaml", "--input", "host=pc-17"];
    let wanted = [
        "no connector is configured for `network.isolate`",
        "no connector is configured for `mail.send`",
        "there is no `guard:` section",
        "`pc-17` is not in the inventory",
    ];
    let planned = desk.done(&[&["plan"], &input[..]].concat());
    planned.expect_code(0).unwrap();
    let drilled = desk.done(&[&["run"], &input[..], &["--drill", "--as", ANNA]].concat());
    drilled.expect_code(6).unwrap();
    for text in wanted {
        for said in [&planned.stderr, &drilled.stderr] {
            assert!(said.contains(&format!("missing for a live run: {text}")), "{text}: {said}");
        }
    }
    let plan = desk.json(&[&["plan"], &input[..]].concat());
    assert_eq!(plan["missing"].as_array().unwrap().len(), wanted.len(), "{plan:#}");

    desk.configure(&json!({ "inventory": ["hosts.csv"], "guard": { "never": ["dc01"] } }));
    desk.write("hosts.csv", "name,addresses\npc-17,10.77.3.1\ndc01,10.77.3.2\n");
    let plan = desk.json(&[&["plan"], &input[..]].concat());
    let missing = plan["missing"].as_array().unwrap();
    assert!(missing.iter().all(|one| text(one).contains("no connector")), "{missing:#?}");
    assert_eq!(missing.len(), 2);
}

#[test]
fn a_run_says_whether_its_effects_are_real() {
    let desk = Desk::new();
    desk.write(
        "wait.yaml",
        "playbook: wait\nlanguage: 1\ntitle: Wait\nsteps:\n\
         \x20 - { id: look, task: { role: responder, instructions: Look. } }\n",
    );
    for (more, wanted) in [(&[][..], "live: its effects are real"), (&["--drill"], "drill: ")] {
        let ended = desk.done(&[&["run", "wait.yaml", "--as", ANNA], more].concat());
        ended.expect_code(6).unwrap();
        assert!(ended.stderr.contains(wanted), "{more:?}: {}", ended.stderr);
    }
    let help = desk.ok(0, &["run", "--help"]);
    assert!(help.contains("live, unless --drill"), "{help}");
}

/// A desk with an account that keeps the accounts, and with what making it said.
fn staffed() -> (Desk, String) {
    let desk = Desk::new();
    desk.write("words", &format!("{WORDS}\n"));
    let ended = desk.done(&["user", "add", "root", "--role", "admin", "--new", "words"]);
    ended.expect_code(0).unwrap();
    (desk, ended.stderr)
}

fn as_root<'w>(words: &[&'w str]) -> Vec<&'w str> {
    [words, &["--as", "root", "--passphrase", "words"]].concat()
}

#[test]
fn a_store_that_is_not_there_is_no_riddle_for_who_makes_accounts() {
    let desk = Desk::new();
    let missing = desk.done(&["user", "list"]);
    missing.expect_code(4).unwrap();
    assert!(missing.stderr.contains("user add NAME --role admin"), "{}", missing.stderr);
    let (desk, said) = staffed();
    assert!(said.contains("every act is proved") && said.contains("in drills too"), "{said}");
    let drill = ["incident", "open", "--drill", "A name alone", "--as", "root"];
    desk.ok(5, &drill);
}

#[test]
fn a_token_that_is_to_have_more_than_its_account_is_told_so() {
    let (desk, _) = staffed();
    desk.ok(0, &as_root(&["user", "add", "wall", "--service"]));
    let token = ["token", "add", "wall", "--title", "wall", "--may", "read", "--may", "launch"];
    let ended = desk.done(&as_root(&token));
    ended.expect_code(0).unwrap();
    assert!(ended.stderr.contains("wall has no `read`, `launch`"), "{}", ended.stderr);
    desk.ok(0, &as_root(&["user", "grant", "wall", "reviewer"]));
    let made = desk.json(&as_root(&token));
    assert_eq!(made["beyond_account"], json!(["launch"]));
    desk.ok(0, &as_root(&["user", "grant", "wall", "responder"]));
    let ended = desk.done(&as_root(&token));
    assert!(!ended.stderr.contains("never has more"), "{}", ended.stderr);
}

#[test]
fn accounts_are_of_the_stores_timeline_and_of_no_incidents() {
    let (desk, _) = staffed();
    desk.ok(0, &as_root(&["user", "add", "anna", "--role", "commander", "--new", "words"]));
    let as_anna = ["--as", "anna", "--passphrase", "words"];
    let number = desk.ok(0, &[&["incident", "open", "Beacons"], &as_anna[..]].concat());
    let number = number.trim();
    let reviewer = ["incident", "close", number, "--as", "root", "--passphrase", "words"];
    desk.ok(5, &reviewer);
    desk.ok(0, &[&["stop-all", "--reason", "a test"], &as_anna[..]].concat());
    let kinds = |words: &[&str]| -> Vec<String> {
        let lines = desk.json(words);
        let kinds = lines.as_array().unwrap().iter();
        kinds.map(|line| format!("{} {}", text(&line["kind"]), text(&line["message"]))).collect()
    };
    let of_incident = kinds(&["timeline", number]);
    let access: Vec<&String> =
        of_incident.iter().filter(|line| line.starts_with("access-changed")).collect();
    assert_eq!(access.len(), 1, "who was refused something of it: {of_incident:#?}");
    assert!(access[0].contains("Refused"), "{access:?}");
    assert!(of_incident.iter().any(|line| line.starts_with("stopped ")), "{of_incident:#?}");
    let own = kinds(&["timeline"]);
    for wanted in ["account anna made by root", "account root made", "Refused", "Stop switch on"] {
        let wanted = wanted.to_lowercase();
        assert!(own.iter().any(|line| line.to_lowercase().contains(&wanted)), "{wanted}: {own:#?}");
    }
    let table = desk.ok(0, &["timeline"]);
    assert!(table.contains("anna") && !table.contains("sealed"), "{table}");
    // A sheet says whose it is where it is printed, and is one line.
    let sheet = desk.ok(0, &as_root(&["user", "codes", "anna", "--count", "3"]));
    assert!(sheet.starts_with("Printed codes of anna.") && sheet.lines().count() == 4, "{sheet}");
    let own = kinds(&["timeline"]);
    let codes: Vec<&String> = own.iter().filter(|line| line.contains("rinted code")).collect();
    let wanted = "access-changed 3 printed codes given to account anna by root";
    assert!(codes.len() == 1 && codes[0].starts_with(wanted), "{codes:?}");
    desk.write("own.jsonl", &desk.ok(0, &["timeline", "--format", "jsonl"]));
    desk.ok(0, &["verify", "own.jsonl"]);
}

#[test]
fn an_incident_is_not_told_what_was_over_before_it_began() {
    let desk = Desk::new();
    let stops = |title: &str| {
        let opened = desk.json(&["incident", "open", title, "--as", ANNA]);
        let lines = desk.json(&["timeline", text(&opened["number"])]);
        let kinds = lines.as_array().unwrap().iter().map(|line| text(&line["kind"]).to_owned());
        kinds.filter(|kind| ["stopped", "gone-on"].contains(&kind.as_str())).collect::<Vec<_>>()
    };
    desk.ok(0, &["incident", "open", "Before", "--as", ANNA]);
    desk.ok(0, &["stop-all", "--reason", "a test", "--as", ANNA]);
    assert_eq!(stops("While nothing starts"), ["stopped"]);
    desk.ok(0, &["go-on", "--as", BEN]);
    assert_eq!(stops("After it"), [""; 0]);
}

#[test]
fn what_is_void_looks_void() {
    let (desk, _) = staffed();
    let add = ["token", "add", "root", "--title", "x", "--may", "manage"];
    desk.ok(0, &as_root(&add));
    let soon = [&add[..], &["--until", "2020-01-01T00:00:00Z"]].concat();
    desk.ok(0, &as_root(&soon));
    let listed = desk.ok(0, &["user", "list"]);
    let tokens: Vec<&str> = listed.lines().filter(|line| line.starts_with("token-")).collect();
    assert!(tokens[0].ends_with(" usable") && tokens[1].contains(" ended 2020-01-01"), "{listed}");
    desk.ok(0, &["backup", "old.backup"]);
    desk.ok(0, &["restore", "old.backup"]);
    let listed = desk.ok(0, &["user", "list"]);
    assert_eq!(listed.matches("void by a restore").count(), 2, "{listed}");
    assert!(!listed.contains("token,") && !listed.contains("× token"), "{listed}");
    let accounts = desk.json(&["user", "list"]);
    let credentials = accounts[0]["credentials"].as_array().unwrap().iter();
    let usable: Vec<&str> =
        credentials.filter(|one| one["usable"] == true).map(|one| text(&one["kind"])).collect();
    assert_eq!(usable, ["passphrase"]);
}

#[test]
fn who_is_on_call_without_an_account_is_named() {
    let (desk, _) = staffed();
    desk.ok(0, &as_root(&["user", "add", "anna", "--role", "commander", "--new", "words"]));
    let roster =
        "role,person,mail\ncommander,anna,anna@example.org\ncommander,cleo,c@example.org\n";
    desk.write("on-call.csv", roster);
    desk.configure(&json!({ "on_call": { "files": ["on-call.csv"] } }));
    let checked = desk.done(&["config", "check"]);
    checked.expect_code(0).unwrap();
    let said = format!("{}{}", checked.stdout, checked.stderr);
    assert!(said.contains("`cleo` is on call, and has no account"), "{said}");
    assert!(!said.contains("`anna`"), "{said}");
    desk.ok(0, &as_root(&["user", "lock", "anna"]));
    let said = desk.json(&["config", "check"]).to_string();
    assert!(said.contains("`anna` is on call, and their account is locked"), "{said}");
}

#[test]
fn a_store_with_a_server_says_which_process_that_is() {
    let desk = Desk::new();
    let serve = ["serve", "--plain", "--listen", "127.0.0.1:0"];
    let first = desk.call(&serve).start().unwrap();
    wait_for("the server", PATIENCE, || Ok(first.stderr().contains("listening").then_some(())))
        .unwrap();
    let second = desk.done(&serve);
    second.expect_code(7).unwrap();
    let named = format!("another process (process {})", first.id());
    assert!(second.stderr.contains(&named), "{}", second.stderr);
    drop(first);
}

#[test]
fn a_file_that_is_not_there_and_a_service_that_is_not_there_are_named_with_a_way_out() {
    let desk = Desk::new();
    let missing = desk.done(&["check", "nofile.yaml"]);
    missing.expect_code(4).unwrap();
    assert!(missing.stderr.contains("there is no file `nofile.yaml`"), "{}", missing.stderr);
    desk.configure(&crate::desk::service("http://127.0.0.1:9"));
    let silent = desk.done(&["connectors", "test"]);
    silent.expect_code(69).unwrap();
    for wanted in ["api: ", "127.0.0.1:9", "firewall"] {
        assert!(silent.stderr.contains(wanted), "{wanted}: {}", silent.stderr);
    }
}

#[test]
fn whoever_restores_is_told_who_comes_in_and_no_code_or_token_lives_again() {
    let (desk, _) = staffed();
    desk.ok(0, &["backup", "bare.backup"]);
    desk.ok(0, &as_root(&["user", "codes", "root", "--count", "2"]));
    let token = desk.json(&as_root(&["token", "add", "root", "--title", "x", "--may", "manage"]));
    desk.ok(0, &["backup", "old.backup"]);
    desk.ok(0, &as_root(&["user", "remove", text(&token["id"])]));
    let by_token = || {
        let call = desk.call(&["user", "codes", "root", "--count", "1"]);
        call.env("BEISTAND_TOKEN", text(&token["token"])).run().unwrap()
    };
    by_token().expect_code(5).unwrap();

    let restored = desk.done(&["restore", "old.backup"]);
    restored.expect_code(0).unwrap();
    for wanted in ["all sessions are ended", "void now: 3", "user codes ACCOUNT"] {
        assert!(restored.stderr.contains(wanted), "{wanted}: {}", restored.stderr);
    }
    by_token().expect_code(5).unwrap();
    let accounts = desk.json(&["user", "list"]);
    let codes = accounts[0]["credentials"].as_array().unwrap().iter();
    let codes: Vec<&Value> = codes.filter(|one| one["kind"] == "code").collect();
    assert_eq!(codes.len(), 2);
    assert!(codes.iter().all(|code| !code["used_at"].is_null()), "{codes:#?}");
    desk.ok(0, &["verify"]);
    let told = || desk.json(&["timeline"]).to_string();
    assert!(told().contains("void since: 3"), "{}", told());

    let kept = desk.done(&["restore", "old.backup", "--keep-credentials"]);
    kept.expect_code(0).unwrap();
    assert!(kept.stderr.contains("good again"), "{}", kept.stderr);
    assert!(told().contains("tokens of it stayed good"), "{}", told());
    by_token().expect_code(0).unwrap();

    let bare = desk.done(&["restore", "bare.backup"]);
    bare.expect_code(0).unwrap();
    assert!(!bare.stderr.contains("void now"), "{}", bare.stderr);
    assert!(told().contains("held no printed code and no token that was good"), "{}", told());
}
