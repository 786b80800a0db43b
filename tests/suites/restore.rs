//! An old backup comes back: what happened since is not known to it, and nothing is done a second
//! time without its key or a person.

use beistand_tests::ledger::Ledger;
use serde_json::Value;

use crate::desk::{ANNA, BEN, Desk, announced, service, step, text};

/// Two effects before a person is asked, two after it, and another question to rest at.
fn playbook(url: &str) -> String {
    let call = |method: &str, name: &str| {
        format!(
            "  - {{ id: {name}, call: http.request, with: {{ method: {method}, \
             url: \"{url}/{name}\" }} }}\n"
        )
    };
    let asked = |name: &str| {
        format!("  - {{ id: {name}, task: {{ role: responder, instructions: Look }} }}\n")
    };
    [
        "playbook: old\nlanguage: 1\ntitle: An old backup\nsteps:\n".to_owned(),
        call("PUT", "put_before"),
        call("POST", "once_before"),
        asked("first"),
        call("PUT", "put_after"),
        call("POST", "once_after"),
        asked("second"),
    ]
    .concat()
}

/// How often each effect was sent, and under how many keys.
fn sent(ledger: &Ledger, path: &str) -> (usize, usize) {
    let records = ledger.records().unwrap();
    let of: Vec<_> = records.iter().filter(|record| record.path == path).collect();
    let keys: std::collections::BTreeSet<_> = of.iter().map(|record| &record.key).collect();
    (of.len(), keys.len())
}

fn answer(desk: &Desk, run: &str, path: &str) {
    let needs = desk.needs(run);
    let need = needs.iter().find(|need| need["step"] == path);
    let need = need.unwrap_or_else(|| panic!("{path} asks nobody: {needs:#?}"));
    desk.ok(0, &["done", text(&need["id"]), "--as", BEN]);
}

/// The store with all that lies beside it, and the backup.
fn only_its_owner_reads(folder: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mut seen = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let (file, name) = file.map(|file| (file.path(), file.file_name())).unwrap();
        let name = name.to_string_lossy().into_owned();
        if name.contains(".db") || name == "old.backup" {
            let mode = file.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{name}");
            seen += 1;
        }
    }
    assert!(seen > 1);
}

#[test]
fn an_old_backup_repeats_nothing_without_a_key_or_a_person() {
    let desk = Desk::new();
    let ledger = Ledger::start(&desk.path("ledger")).unwrap();
    desk.configure(&service(&ledger.url()));
    desk.write("old.yaml", &playbook(&ledger.url()));
    let ended = desk.done(&["run", "old.yaml", "--as", ANNA]);
    ended.expect_code(6).unwrap();
    let run = announced(&ended.stderr).unwrap();
    desk.ok(0, &["backup", "old.backup"]);
    only_its_owner_reads(&desk.path("."));
    answer(&desk, &run, "first");
    desk.ok(6, &["resume"]);
    for path in ["/put_before", "/once_before", "/put_after", "/once_after"] {
        assert_eq!(sent(&ledger, path), (1, 1), "{path}");
    }

    desk.ok(0, &["restore", "old.backup"]);
    let refused = desk.done(&["run", "old.yaml", "--as", ANNA]);
    refused.expect_code(5).expect("it comes up stopped");
    desk.ok(6, &["resume"]);
    desk.ok(2, &["go-on", "--as", BEN]);
    desk.ok(0, &["go-on", "--reason", "the old instance is off", "--as", BEN]);
    desk.ok(6, &["resume"]);
    let shown = desk.show(&run);
    assert_eq!(shown["status"], "paused", "every unfinished run asks before it goes on");
    let needs = desk.needs(&run);
    let parked = needs.iter().find(|need| need["kind"] == "decision" && need["step"].is_null());
    let parked = parked.unwrap_or_else(|| panic!("nobody is asked: {needs:#?}"));
    desk.ok(0, &["decide", text(&parked["id"]), "retry", "--reason", "looked", "--as", BEN]);
    desk.ok(6, &["resume"]);

    answer(&desk, &run, "first");
    desk.ok(6, &["resume"]);
    assert_eq!(sent(&ledger, "/put_after"), (2, 1), "again, with its key");
    assert_eq!(sent(&ledger, "/once_after"), (1, 1), "not again by itself");
    let shown: Value = desk.show(&run);
    assert_eq!(step(&shown, "once_after")["status"], "unknown");
    desk.ok(0, &["resolve", &run, "once_after", "done", "--reason", "it was", "--as", BEN]);
    desk.ok(6, &["resume"]);
    answer(&desk, &run, "second");
    desk.ok(0, &["resume"]);
    for path in ["/put_before", "/once_before", "/once_after"] {
        assert_eq!(sent(&ledger, path), (1, 1), "{path}");
    }
    desk.ok(0, &["verify"]);
    let timeline = desk.ok(0, &["timeline", text(&shown["incident"])]);
    assert!(timeline.contains("backup"), "who reviews it sees that it came back: {timeline}");
}

#[test]
fn a_store_that_a_restore_replaces_is_kept_each_time() {
    let desk = Desk::new();
    let ledger = Ledger::start(&desk.path("ledger")).unwrap();
    desk.configure(&service(&ledger.url()));
    desk.write("old.yaml", &playbook(&ledger.url()));
    desk.done(&["run", "old.yaml", "--as", ANNA]).expect_code(6).unwrap();
    desk.ok(0, &["backup", "old.backup"]);
    for number in [1, 2] {
        desk.ok(0, &["restore", "old.backup"]);
        assert!(desk.path(&format!("beistand.db.replaced-{number}")).exists());
    }
}

#[test]
fn an_undo_after_a_restore_is_no_second_time_without_a_person() {
    let desk = Desk::new();
    let ledger = Ledger::start(&desk.path("ledger")).unwrap();
    desk.configure(&service(&ledger.url()));
    let url = ledger.url();
    desk.write(
        "back.yaml",
        &format!(
            "playbook: back\nlanguage: 1\ntitle: Back\nsteps:\n  - id: put\n    call: http.request\n    \
             with: {{ method: PUT, url: \"{url}/put\" }}\n    undo: {{ call: http.request, \
             with: {{ method: POST, url: \"{url}/back\" }} }}\n"
        ),
    );
    let ended = desk.done(&["run", "back.yaml", "--as", ANNA]);
    ended.expect_code(0).unwrap();
    let run = announced(&ended.stderr).unwrap();
    desk.ok(0, &["backup", "old.backup"]);
    desk.ok(0, &["undo", &run, "--reason", "back", "--as", ANNA]);
    assert_eq!(sent(&ledger, "/back"), (1, 1));
    desk.ok(0, &["restore", "old.backup"]);
    desk.ok(0, &["go-on", "--reason", "the old instance is off", "--as", BEN]);
    desk.ok(6, &["undo", &run, "--reason", "back", "--as", ANNA]);
    assert_eq!(sent(&ledger, "/back"), (1, 1), "it may have been taken back: a person says");
}

#[test]
fn an_older_store_that_was_put_in_place_by_hand_is_refused() {
    let desk = Desk::new();
    let ledger = Ledger::start(&desk.path("ledger")).unwrap();
    desk.configure(&service(&ledger.url()));
    desk.write("old.yaml", &playbook(&ledger.url()));
    let run = announced(&desk.done(&["run", "old.yaml", "--as", ANNA]).stderr).unwrap();
    desk.ok(0, &["backup", "old.backup"]);
    answer(&desk, &run, "first");
    desk.ok(6, &["resume"]);
    std::fs::copy(desk.path("old.backup"), desk.path("beistand.db")).unwrap();
    for log in ["beistand.db-wal", "beistand.db-shm"] {
        drop(std::fs::remove_file(desk.path(log)));
    }
    let refused = desk.done(&["resume"]);
    refused.expect_code(7).unwrap();
    assert!(refused.stderr.contains("witness"), "{}", refused.stderr);
    assert_eq!(sent(&ledger, "/once_after"), (1, 1));
}
