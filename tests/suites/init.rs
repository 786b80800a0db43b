//! `init`: a configuration that is in order as it is made, and nothing written over.

use serde_json::Value;

use crate::desk::Desk;
use crate::staff::WORDS;

const WHO: [&str; 8] =
    ["--id", "sit.example", "--short", "SIT", "--name", "SIT: \"Beispiel\"", "--land", "nw"];

fn init(desk: &Desk, code: i32, more: &[&str]) -> String {
    let ended = desk.done(&[&["init"], &WHO[..], more].concat());
    ended.expect_code(code).unwrap();
    ended.stderr
}

#[test]
fn what_it_makes_is_in_order_and_runs_a_drill() {
    let desk = Desk::new();
    let said = init(&desk, 0, &["--legal-form", "zweckverband"]);
    assert!(said.contains("config check") && said.contains("user add"), "{said}");
    desk.ok(0, &["config", "check"]);
    let text = std::fs::read_to_string(desk.path("beistand.yaml")).unwrap();
    for section in ["connectors", "guard", "on_call", "drill", "serve", "hooks"] {
        assert!(text.contains(&format!("\n#{section}:")), "{section}: {text}");
    }
    let opened = desk.json(&["incident", "open", "A test", "--as", "anna"]);
    let number = opened["number"].as_str().unwrap();
    assert!(number.starts_with("SIT-"), "{opened}");
    assert!(desk.path("beistand.db").exists());
    // Nothing is written over, whatever it would be.
    let said = init(&desk, 7, &[]);
    assert!(said.contains("is there already"), "{said}");
    assert_eq!(std::fs::read_to_string(desk.path("beistand.yaml")).unwrap(), text);
}

#[test]
fn the_account_that_keeps_the_accounts_is_made_with_it() {
    let desk = Desk::new();
    desk.write("words", &format!("{WORDS}\n"));
    let admin = ["--admin", "root", "--new", "words", "--json"];
    let ended = desk.done(&[&["init"], &WHO[..], &admin].concat());
    let made: Value = serde_json::from_str(ended.expect_code(0).unwrap()).unwrap();
    assert_eq!(made["admin"], "root");
    let accounts = desk.json(&["user", "list"]);
    assert_eq!(accounts[0]["account"], "root");
    desk.ok(5, &["incident", "open", "A name alone", "--as", "root"]);
}

#[test]
fn without_a_terminal_everything_is_said_and_what_does_not_fit_makes_nothing() {
    let desk = Desk::new();
    let missing = desk.done(&["init", "--id", "sit.example"]);
    missing.expect_code(2).unwrap();
    let said = &missing.stderr;
    assert!(said.contains("--short and --name are missing"), "all at once: {said}");
    let nothing = desk.done(&["init"]).stderr;
    assert!(nothing.contains("--id, --short and --name are missing"), "{nothing}");
    for wrong in [
        ["--id", "SIT Beispiel"],
        ["--short", "S I T"],
        ["--land", "XX"],
        ["--name", "a\nb"],
        ["--legal-form", "a\nb"],
    ] {
        let others: Vec<&str> =
            WHO.chunks(2).filter(|pair| pair[0] != wrong[0]).flatten().copied().collect();
        desk.ok(2, &[&["init"], &others[..], &wrong].concat());
        assert!(!desk.path("beistand.yaml").exists(), "{wrong:?}");
    }
}
