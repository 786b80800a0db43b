//! Whoever changes the store behind its back is found, and what is erased by right is not a change.

use std::fs;
use std::path::Path;

use beistand_tests::tool::call;
use serde_json::{Value, json};

use crate::desk::{ANNA, Desk, announced, text};

const STORY: &str = "
playbook: story
language: 1
title: A story to be changed
steps:
  - { id: begun, note: It began in the town hall }
  - { id: asked, wait: { signal: go, role: responder } }
  - { id: reckon, script: \"6 * 7\" }
  - { id: ended, note: \"It came to ${steps.reckon.output}\" }
";

/// A store with a run that has ended, sealed, and owned by nobody.
struct Story {
    desk: Desk,
    stream: String,
    incident: String,
}

impl Story {
    fn told() -> Self {
        let desk = Desk::new();
        desk.configure(&json!({}));
        desk.write("story.yaml", STORY);
        let ended = desk.done(&["run", "story.yaml", "--as", ANNA]);
        ended.expect_code(6).unwrap();
        let run = announced(&ended.stderr).unwrap();
        desk.ok(0, &["signal", &run, "go"]);
        desk.ok(0, &["resume"]);
        let incident = text(&desk.show(&run)["incident"]).to_owned();
        desk.ok(0, &["note", &incident, "kept for the files"]);
        Self { desk, stream: format!("run:{run}"), incident }
    }

    /// A copy of the store, changed by hand.
    fn changed(&self, name: &str, sql: &str) -> Desk {
        let copy = Desk::at(&self.desk.path(name));
        for file in fs::read_dir(self.desk.path(".")).unwrap().map(Result::unwrap) {
            if file.file_type().unwrap().is_file() {
                fs::copy(file.path(), copy.path(file.file_name().to_str().unwrap())).unwrap();
            }
        }
        let run = self.stream.strip_prefix("run:").unwrap();
        let changes = sqlite(&copy.path("beistand.db"), &sql.replace("RUN", &format!("'{run}'")));
        assert_ne!(changes.trim(), "0", "{name}: the test itself must change something");
        copy
    }
}

/// Answers how many rows the last statement changed.
fn sqlite(database: &Path, sql: &str) -> String {
    call("sqlite3", &[database.to_str().unwrap(), &format!("{sql}; select changes();")]).unwrap()
}

const OF_RUN: &str = "stream = (select no from stream where kind = 'run' and id = RUN)";

#[test]
fn verify_names_the_first_entry_that_was_changed() {
    let story = Story::told();
    let in_order = story.desk.json(&["verify"]);
    assert!(in_order["entries"].as_u64().unwrap() > 6, "{in_order}");
    assert!(in_order["anchored_until"].is_string(), "sealed at the end: {in_order}");

    let at = |seq: u64| format!("{OF_RUN} and seq = {seq}");
    let flip = "cast(replace(cast(body as text), 'town hall', 'town hell') as blob)";
    let cases: [(&str, String, Option<u64>); 8] = [
        (
            "body",
            format!(
                "update entry set body = {flip} where {OF_RUN} and instr(body, 'town hall') > 0"
            ),
            None,
        ),
        (
            "head",
            format!("update entry set head = cast(head || ' ' as blob) where {}", at(2)),
            Some(2),
        ),
        ("time", format!("update entry set at = at + 1 where {}", at(2)), Some(2)),
        ("middle", format!("delete from entry where {}", at(2)), Some(2)),
        (
            "stream",
            format!(
                "delete from entry where {OF_RUN}; delete from stream where kind = 'run' and id = RUN"
            ),
            None,
        ),
        ("emptied", format!("delete from entry where {OF_RUN}"), None),
        ("tail", cut_tail(), None),
        ("swapped", swapped(), Some(2)),
    ];
    for (name, sql, seq) in cases {
        let copy = story.changed(name, &sql);
        let ended = copy.done(&["verify"]);
        ended.expect_code(10).unwrap_or_else(|trouble| panic!("{name}: {trouble}"));
        let named = match seq {
            Some(seq) => format!("entry {seq} of `{}`", story.stream),
            None => story.stream.clone(),
        };
        assert!(ended.stderr.contains(&named), "{name}: {}", ended.stderr);
    }
}

/// The last entry goes, and the stream's row is made to fit: the chain alone can not see it.
fn cut_tail() -> String {
    let last = format!("{OF_RUN} and seq = (select max(seq) from entry where {OF_RUN})");
    format!(
        "delete from entry where {last}; update stream set \
         seq = (select max(seq) from entry where {OF_RUN}), \
         head = (select hash from entry where {last}) where kind = 'run' and id = RUN"
    )
}

fn swapped() -> String {
    format!(
        "update entry set seq = 1000000 where {OF_RUN} and seq = 2; \
         update entry set seq = 2 where {OF_RUN} and seq = 3; \
         update entry set seq = 3 where {OF_RUN} and seq = 1000000"
    )
}

#[test]
fn an_erased_body_leaves_the_chain_in_order() {
    let story = Story::told();
    let erase =
        format!("update entry set body = null, salt = null where {OF_RUN} and body is not null");
    let copy = story.changed("erased", &erase);
    let verified = copy.json(&["verify"]);
    assert!(verified["erased"].as_u64().unwrap() > 0, "{verified}");
    assert_eq!(verified["entries"], story.desk.json(&["verify"])["entries"]);
}

#[test]
fn an_export_is_checked_without_its_store() {
    let story = Story::told();
    for format in ["jsonl", "html"] {
        let export = story.desk.ok(0, &["timeline", &story.incident, "--format", format]);
        story.desk.write("export", &export);
        let away = Desk::new();
        away.write("export", &export);
        away.ok(0, &["verify", "export"]);
        // The last time it is said is in the chain.
        let (before, after) = export.rsplit_once("note-added").unwrap();
        let changed = [before, "note-edded", after].concat();
        away.write("changed", &changed);
        away.ok(10, &["verify", "changed"]);
    }
}

#[test]
fn a_hash_on_paper_is_found_in_the_store_and_nowhere_else() {
    let story = Story::told();
    let anchor = story.desk.json(&["verify"])["anchor"].clone();
    story.desk.ok(0, &["verify", "--expect", text(&anchor)]);
    let other: Value = json!(format!("sha256:{}", "a".repeat(64)));
    story.desk.ok(10, &["verify", "--expect", text(&other)]);
}
