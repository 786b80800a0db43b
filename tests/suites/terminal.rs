//! Somebody at a terminal: what is asked for again, and what is said before it is too late.

use beistand_tests::program::Ended;
use serde_json::json;

use crate::desk::{ANNA, BEN, Desk, announced, text};
use crate::staff::{Staff, WORDS};

/// Plays a dialogue on a terminal of its own: waits for each question, then types its answer. What
/// is still to be said at the end, or takes too long, is code 99.
const DIALOGUE: &str = r#"
import json, os, pty, signal, sys
answers, seen, said = json.loads(sys.argv[1]), 0, b""
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[2], sys.argv[2:])
def end(code):
    sys.stdout.write(said.decode().replace("\r\n", "\n"))
    sys.stdout.flush()
    os._exit(code)
def late(*_):
    os.kill(child, signal.SIGKILL)
    end(99)
signal.signal(signal.SIGALRM, late)
signal.alarm(60)
while True:
    try:
        part = os.read(terminal, 4096)
    except OSError:
        part = b""
    if not part:
        break
    said += part
    while answers and answers[0][0].encode() in said[seen:]:
        asked, answer = answers.pop(0)
        seen = said.index(asked.encode(), seen) + len(asked.encode())
        os.write(terminal, answer.encode() + b"\n")
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
end(99 if answers else code)
"#;

/// A verb with somebody who answers, question by question; what stood on the terminal is its output.
fn talk(desk: &Desk, words: &[&str], answers: &[(&str, &str)]) -> Ended {
    let answers = json!(answers).to_string();
    desk.under(&["/usr/bin/python3", "-c", DIALOGUE, &answers], words).run().unwrap()
}

#[test]
fn who_mistypes_while_setting_up_is_asked_that_one_again() {
    let desk = Desk::new();
    let again = "New passphrase of root: ";
    let ended = talk(
        &desk,
        &["init"],
        &[
            ("Id of the provider", "SIT Beispiel"),
            ("Id of the provider", "sit.example"),
            ("Short name", ""),
            ("Short name", "SIT"),
            ("Full name", "SIT Beispiel"),
            ("Land", "XX"),
            ("Land", "nw"),
            ("Legal form", ""),
            ("Name of the account", "root"),
            (again, "short"),
            (again, WORDS),
            ("Once more: ", "something else"),
            (again, WORDS),
            ("Once more: ", WORDS),
        ],
    );
    let said = ended.expect_code(0).unwrap();
    assert!(said.contains("for example sit.example") && said.contains("not the same"), "{said}");
    desk.ok(0, &["config", "check"]);
    assert_eq!(desk.json(&["user", "list"])[0]["account"], "root");
}

#[test]
fn a_passphrase_is_tried_three_times_and_proved_before_another_is_thought_of() {
    let desk = Desk::new();
    Staff::of(&desk);
    let words = ["user", "codes", "root", "--count", "1", "--as", "root"];
    let asked = "Passphrase of root: ";
    talk(&desk, &words, &[(asked, "wrong"), (asked, WORDS)]).expect_code(0).unwrap();
    let wrong = [(asked, "wrong"), (asked, "wrong"), (asked, "wrong")];
    talk(&desk, &words, &wrong).expect_code(5).unwrap();
    let add = ["user", "add", "anna", "--role", "commander", "--as", "root"];
    let said = talk(&desk, &add, &wrong);
    said.expect_code(5).unwrap();
    assert!(!said.stdout.contains("New passphrase"), "{}", said.stdout);
    let new = [(asked, WORDS), ("New passphrase of anna: ", WORDS), ("Once more: ", WORDS)];
    talk(&desk, &add, &new).expect_code(0).unwrap();
}

#[test]
fn who_asked_for_it_hears_that_it_does_not_count_before_they_say_yes() {
    let desk = Desk::new();
    let gate = "playbook: gate\nlanguage: 1\ntitle: Gate\nsteps:\n\
                \x20 - { id: may, approve: { role: commander, votes: 1, shows: All of it } }\n";
    desk.write("gate.yaml", gate);
    let ended = desk.done(&["run", "gate.yaml", "--as", ANNA]);
    ended.expect_code(6).unwrap();
    let needs = desk.needs(&announced(&ended.stderr).unwrap());
    let approve = |who| ["approve", text(&needs[0]["id"]), "--as", who];
    let refused = talk(&desk, &approve(ANNA), &[]);
    refused.expect_code(5).unwrap();
    let said = &refused.stdout;
    assert!(said.contains("asked for it") && !said.contains("Approve exactly"), "{said}");
    talk(&desk, &approve(BEN), &[("Approve exactly this?", "y")]).expect_code(0).unwrap();
}

#[test]
fn who_asked_is_known_on_the_telephone_whatever_their_account_is_called() {
    let desk = Desk::new();
    let staff = Staff::of(&desk);
    let gate = "playbook: gate\nlanguage: 1\ntitle: Gate\nsteps:\n\
                \x20 - { id: may, approve: { role: commander, votes: 1, shows: All of it } }\n";
    desk.write("gate.yaml", gate);
    for words in [&[ANNA][..], &["anna.night", "--person", ANNA], &[BEN]] {
        staff.add(&desk, &[words, &["--role", "commander"]].concat());
    }
    let ended = desk.done(&[&["run", "gate.yaml"], &staff.by(ANNA)[..]].concat());
    ended.expect_code(6).unwrap();
    let needs = desk.needs(&announced(&ended.stderr).unwrap());
    let words = ["approve", text(&needs[0]["id"]), "--by", "anna.night"];
    let refused = desk.done(&[&words[..], &staff.by(BEN)].concat());
    refused.expect_code(5).unwrap();
    assert!(refused.stderr.contains("`anna` asked for it"), "{}", refused.stderr);
}
