//! Whoever changes the store behind its back is found, and what is erased by right is not a change.

use std::fs;
use std::path::Path;

use beistand_tests::tool::call;
use serde_json::{Value, json};

use crate::desk::{ANNA, BEN, Desk, announced, text};

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

/// A run that holds three hosts, and asks for a fourth.
const HOLDING: &str = "
playbook: holding
language: 1
title: Holds what it cut off
inputs: { hosts: { type: array, items: { type: string } } }
steps:
  - { id: ask, task: { role: responder, instructions: Is it an attack? } }
  - for_each: inputs.hosts
    as: host
    id: cut
    steps: [{ id: off, call: network.isolate, with: { host: \"${host}\" } }]
  - { id: look, task: { role: responder, instructions: Look at one of them. } }
";

/// A desk whose store has open needs and holds.
fn holding() -> (Desk, String, String) {
    let desk = Desk::new();
    desk.configure(&json!({"guard": {"never": ["dc01"]}}));
    desk.write("holding.yaml", HOLDING);
    let words =
        ["run", "holding.yaml", "--drill", "--input", "hosts=pc-1", "--input", "hosts=pc-2"];
    let ended = desk.done(&[&words[..], &["--as", ANNA]].concat());
    ended.expect_code(6).unwrap();
    let run = announced(&ended.stderr).unwrap();
    let asked = desk.needs(&run);
    desk.ok(0, &["done", text(&asked[0]["id"]), "--as", BEN]);
    desk.done(&["resume"]).expect_code(6).unwrap();
    let incident = text(&desk.show(&run)["incident"]).to_owned();
    desk.ok(0, &["incident", "assign", &incident, "scribe", "carl"]);
    (desk, run, incident)
}

/// What somebody does to the tables, and what must be named then.
fn rows() -> Vec<(&'static str, &'static str, &'static str)> {
    vec![
        ("status", "update run set status = 'succeeded', ended_at = 1 where id = RUN", "`status`"),
        ("asker", "update run set requested_by = 'mallory' where id = RUN", "`requested_by`"),
        ("no run", "delete from run where id = RUN", "no row in the table of runs"),
        ("need", "update need set role = 'approver' where closed_at is null", "`role`"),
        (
            "words of a need",
            "update need set body = replace(body, 'Look at one', 'Look at none') \
             where closed_at is null",
            "`body`",
        ),
        ("no need", "delete from need where closed_at is null", "open by the entries"),
        (
            "another need",
            "update need set closed_at = null where closed_at is not null",
            "open in the table",
        ),
        ("no hold", "delete from hold where target = 'host:pc-1'", "holds `network.isolate`"),
        ("another hold", "update hold set target = 'host:pc-9' where target = 'host:pc-1'", "pc-9"),
        ("a hold's state", "update hold set state = 'taking'", "as taking"),
        (
            "what was before",
            "update hold set body = '{\"previous\": \"cut\"}' where target = 'host:pc-2'",
            "pc-2",
        ),
        ("incident", "update incident set title = 'Nothing'", "`title`"),
        ("role", "update incident_role set person = 'mallory'", "`mallory` as scribe"),
        ("stop switch", "update meta set stopped_at = 1", "stop switch"),
        ("pause", "insert into pause (connector, at) values ('relay', 1)", "pause of `relay`"),
        (
            "snapshot",
            "insert into snapshot (stream, seq, bytes) select no, 2, cast('{}' as blob) \
             from stream where id = RUN",
            "snapshot",
        ),
        (
            "stray need",
            "update need set run = 'another' where closed_at is not null; \
             update need set closed_at = null where run = 'another'",
            "belongs to no stream",
        ),
    ]
}

#[test]
fn a_row_that_is_not_what_the_entries_say_is_found_and_named() {
    let (desk, run, incident) = holding();
    let in_order = desk.json(&["verify"]);
    assert_eq!(in_order["differences"], json!([]));
    assert!(desk.json(&["holds"]).as_array().unwrap().len() == 2, "{}", desk.json(&["holds"]));
    let story = Story { desk, stream: format!("run:{run}"), incident };
    for (name, sql, named) in rows() {
        let copy = story.changed(name, sql);
        let ended = copy.done(&["verify"]);
        ended.expect_code(10).unwrap_or_else(|trouble| panic!("{name}: {trouble}"));
        assert!(ended.stdout.contains(named), "{name}: {}", ended.stdout);
    }
}

#[test]
fn an_erased_body_leaves_the_chain_in_order() {
    let story = Story::told();
    let erase =
        format!("update entry set body = null, salt = null where {OF_RUN} and body is not null");
    let copy = story.changed("erased", &erase);
    let verified = copy.json(&["verify"]);
    assert!(verified["erased"].as_u64().unwrap() > 0, "{verified}");
    assert_eq!(verified["not_comparable"], json!([story.stream]), "named, and not judged");
    assert_eq!(verified["differences"], json!([]));
    assert_eq!(verified["entries"], story.desk.json(&["verify"])["entries"]);
}

#[test]
fn what_is_no_export_is_refused_with_a_way_out() {
    let away = Desk::new();
    let deep = "[".repeat(100_000);
    for bytes in [&b""[..], b"\n\n", b"{\"chain\": 1}", b"\xff\xfe\x00", deep.as_bytes()] {
        fs::write(away.path("file"), bytes).unwrap();
        let ended = away.done(&["verify", "file"]);
        ended.expect_code(10).unwrap();
        assert!(ended.stderr.contains("export anew"), "{}", ended.stderr);
    }
}

#[test]
fn an_export_is_checked_without_its_store() {
    let story = Story::told();
    for format in ["jsonl", "html"] {
        let export = story.desk.ok(0, &["timeline", &story.incident, "--format", format]);
        let away = Desk::new();
        away.write("export", &export);
        let checked = away.json(&["verify", "export"]);
        let digest = text(&checked["digest"]);
        away.ok(0, &["verify", "export", "--expect", digest]);
        away.ok(10, &["verify", "export", "--expect", &format!("sha256:{}", "a".repeat(64))]);
        for (what, changed, named) in changes(&export, &story) {
            assert_ne!(changed, export, "{format}, {what}: the test itself must change something");
            away.write("changed", &changed);
            let ended = away.done(&["verify", "changed"]);
            ended.expect_code(10).unwrap_or_else(|trouble| panic!("{format}, {what}: {trouble}"));
            assert!(ended.stderr.contains(&named), "{format}, {what}: {}", ended.stderr);
        }
    }
}

/// What somebody does to an export, and what must be named then.
fn changes(export: &str, story: &Story) -> Vec<(&'static str, String, String)> {
    let lines: Vec<&str> = export.lines().collect();
    let place = |needle: &str| lines.iter().position(|line| line.contains(needle)).unwrap();
    let (said, block) = (place("kept for the files"), place(r#""chain":"#));
    let edited = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        change(&mut lines);
        lines.join("\n")
    };
    let chained = |change: &dyn Fn(&mut Value)| {
        let (before, after) = lines[block].split_once('{').unwrap();
        let (json, behind) = after.rsplit_once('}').unwrap();
        let mut chain: Value = serde_json::from_str(&format!("{{{json}}}")).unwrap();
        change(&mut chain);
        let line = format!("{before}{chain}{behind}");
        edited(&|lines| lines[block].clone_from(&line))
    };
    let of_run = |entry: &Value| entry["stream"] == story.stream.as_str();
    let entries = |chain: &Value| {
        let entries = chain["chain"]["entries"].as_array().unwrap();
        entries.iter().filter(|entry| of_run(entry)).count()
    };
    let length = std::cell::Cell::new(0);
    let tail = chained(&|chain| {
        length.set(entries(chain));
        let entries = chain["chain"]["entries"].as_array_mut().unwrap();
        let last = entries.iter().rposition(of_run).unwrap();
        entries.remove(last);
    });
    let stream = chained(&|chain| {
        chain["chain"]["entries"].as_array_mut().unwrap().retain(|entry| !of_run(entry));
    });
    let unnamed = chained(&|chain| {
        let chain = &mut chain["chain"];
        chain["entries"].as_array_mut().unwrap().retain(|entry| !of_run(entry));
        chain["streams"].as_array_mut().unwrap().retain(|stream| !of_run(stream));
    });
    let head = chained(&|chain| {
        let first = &mut chain["chain"]["entries"][0]["head"];
        *first = json!(format!("{} ", text(first)));
    });
    let line = said + 1;
    vec![
        (
            "a line",
            export.replace("kept for the files", "left for the files"),
            format!("line {line} "),
        ),
        (
            "a removed line",
            edited(&|lines| drop(lines.remove(said))),
            format!("line {line} is missing"),
        ),
        ("swapped lines", edited(&|lines| lines.swap(said - 1, said)), format!("line {said} ")),
        (
            "an added line",
            edited(&|lines| lines.insert(said, "more".to_owned())),
            format!("line {line} "),
        ),
        ("a tail", tail, format!("entry {} of {}", length.get(), story.stream)),
        ("a stream", stream, format!("entry 1 of {}", story.stream)),
        ("a stream and its name", unnamed, "digest".to_owned()),
        ("a head", head, "entry 1 of ".to_owned()),
        ("the chain", edited(&|lines| drop(lines.remove(block))), "no chain".to_owned()),
    ]
}

#[test]
fn a_hash_on_paper_is_found_in_the_store_and_nowhere_else() {
    let story = Story::told();
    let anchor = story.desk.json(&["verify"])["anchor"].clone();
    story.desk.ok(0, &["verify", "--expect", text(&anchor)]);
    let other: Value = json!(format!("sha256:{}", "a".repeat(64)));
    story.desk.ok(10, &["verify", "--expect", text(&other)]);
}
