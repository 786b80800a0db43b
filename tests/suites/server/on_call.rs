//! Whoever is on call is called by mail, once: with the server killed in between, too.

use beistand_tests::program::Running;
use beistand_tests::smtp::{Fate, MailPlan, MailServer, Security};
use beistand_tests::tool::{PATIENCE, wait_for};
use serde_json::{Value, json};

use super::{Served, serve};
use crate::desk::{ANNA, Desk, announced, text};

/// Two gates that open at once; each is escalated after some time.
fn gates(within: &str) -> String {
    let gate = format!("approve: {{ role: commander, votes: 1, shows: x, within: {within} }}");
    format!(
        "playbook: gates\nlanguage: 1\ntitle: Gates\nsteps:\n  - id: both\n    parallel:\n\
         \x20     left:\n        - {{ id: one, title: Left, {gate} }}\n\
         \x20     right:\n        - {{ id: two, title: Right, {gate} }}\n"
    )
}

const ROSTER: &str = "role,person,from,until,mail,telephone
commander,ben,,,ben@example.org,+49 171 1
commander,carla,2001-01-01,2001-02-01,carla@example.org,
deputy,dora,,,dora@example.org,
";

struct Night {
    desk: Desk,
    mail: MailServer,
}

impl Night {
    fn new(within: &str) -> Self {
        let desk = Desk::new();
        let mail = MailPlan::new(Security::Clear).start().unwrap();
        let relay = json!({
            "kind": "smtp", "host": "127.0.0.1", "port": mail.address().port(), "tls": "none",
            "from": "krisenstab@example.org",
        });
        desk.configure(&json!({
            "connectors": { "relay": relay },
            "on_call": { "files": ["on-call.csv"], "by": "relay", "telephone": "+49 2761 99" },
            "drill": { "relay": { "only_to": "uebung@example.org" } },
        }));
        desk.write("on-call.csv", ROSTER);
        desk.write("gates.yaml", &gates(within));
        Self { desk, mail }
    }

    /// Starts a run, which the server drives.
    fn run(&self, more: &[&str]) -> String {
        let words = ["run", "gates.yaml", "--detach", "--as", ANNA];
        let ended = self.desk.done(&[&words[..], more].concat());
        ended.expect_code(0).unwrap();
        announced(&ended.stderr).unwrap()
    }

    /// Both gates, once something was heard of a call to them that is `end`.
    fn called(&self, run: &str, end: &Value) -> Vec<Value> {
        wait_for("a call that has ended", PATIENCE, || {
            let needs = self.desk.needs(run);
            let ended =
                |need: &Value| need["called"][0]["end"] == *end && !need["called"][0].is_null();
            Ok((needs.len() == 2 && needs.iter().all(ended)).then_some(needs))
        })
        .unwrap()
    }

    /// A server that dies at a place on its way.
    fn dies(&self, place: &str) -> Running {
        let words = ["serve", "--plain", "--listen", "127.0.0.1:0"];
        self.desk.call(&words).env("BEISTAND_CRASH_AT", format!("{place}:1")).start().unwrap()
    }

    fn recipients(&self) -> Vec<String> {
        self.mail.mails().unwrap().into_iter().flat_map(|mail| mail.to).collect()
    }
}

#[test]
fn what_opens_together_is_one_mail_to_whoever_is_on_call() {
    let night = Night::new("1h");
    let served = serve(&night.desk, &["--plain"]);
    let run = night.run(&[]);
    let needs = night.called(&run, &json!("sent"));
    let mails = night.mail.mails().unwrap();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    let shown = night.desk.show(&run);
    assert_eq!(mail.to, ["ben@example.org"]);
    assert!(mail.subject.contains(text(&shown["incident_number"])), "{}", mail.subject);
    assert!(mail.subject.contains("2× Freigabe"), "{}", mail.subject);
    for need in &needs {
        for part in ["id", "title", "words"] {
            assert!(mail.text.contains(text(&need[part])), "{part}: {}", mail.text);
        }
        assert_eq!(need["called"][0]["person"], "ben");
        let key = format!("<{}@example.org>", text(&need["called"][0]["key"]));
        assert_eq!(mail.message_id, key);
    }
    assert!(mail.text.contains("+49 2761 99"), "{}", mail.text);
    let told = night.desk.ok(0, &["timeline", text(&shown["incident"])]);
    assert!(told.contains("is called by mail"), "{told}");
    assert!(night.desk.ok(0, &["needs"]).contains("called: ben (commander) by mail"));
    assert!(served.client.get("/healthz", None).status == 200);
    night.desk.ok(0, &["verify"]);
}

#[test]
fn a_call_that_a_kill_left_open_is_not_made_again_and_the_deputy_is_called_all_the_same() {
    for (place, mails) in [("before_call_out", 1), ("after_call_out", 2)] {
        let night = Night::new("20s");
        let dying = night.dies(place);
        let run = wait_for("a server that takes a run", PATIENCE, || {
            let listens = dying.stderr().contains("listening on");
            Ok(listens.then(|| night.run(&[])))
        });
        let run = run.unwrap();
        drop(dying.wait(PATIENCE).unwrap());
        let served = serve(&night.desk, &["--plain"]);
        let taken = night.mail.wait_for_mails(mails).unwrap();
        let last = taken.last().unwrap();
        assert_eq!(last.to, ["dora@example.org"], "{place}");
        let recipients = night.recipients();
        let to_ben = recipients.iter().filter(|to| *to == "ben@example.org").count();
        assert_eq!((to_ben, recipients.len()), (mails - 1, mails), "{place}");
        let needs = night.called(&run, &Value::Null);
        assert_eq!(needs[0]["called"][0]["person"], "ben");
        drop(served);
    }
}

#[test]
fn in_a_drill_nobody_but_the_one_address_is_called() {
    let night = Night::new("1h");
    let _served: Served = serve(&night.desk, &["--plain"]);
    night.run(&["--drill"]);
    let mails = night.mail.wait_for_mails(1).unwrap();
    assert_eq!(mails[0].to, ["uebung@example.org"]);
    assert!(mails[0].subject.starts_with("[ÜBUNG] "), "{}", mails[0].subject);
    assert!(!mails[0].raw.contains("ben@example.org"));
}

#[test]
fn a_mail_that_was_refused_is_shown_and_no_run_waits_for_it() {
    let night = Night::new("1h");
    night.mail.plan(&[Fate::Refuse]).unwrap();
    let _served: Served = serve(&night.desk, &["--plain"]);
    let run = night.run(&[]);
    let needs = night.called(&run, &json!("refused"));
    assert!(!text(&needs[0]["called"][0]["message"]).is_empty());
    assert!(night.desk.ok(0, &["needs"]).contains("refused: "));
    assert_eq!(night.desk.approve(&run, "ben"), 2);
    let ended = || {
        let shown = night.desk.show(&run);
        Ok((shown["status"] == "succeeded").then_some(()))
    };
    wait_for("the end of the run", PATIENCE, ended).unwrap();
}

#[test]
fn who_is_on_call_is_told_now_and_then() {
    let night = Night::new("1h");
    let people = |words: &[&str]| {
        let on_call = night.desk.json(&[&["on-call"], words].concat());
        let shifts = on_call.as_array().unwrap().clone();
        shifts.iter().map(|shift| text(&shift["person"]).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(people(&[]), ["ben", "dora"]);
    assert_eq!(people(&["--at", "2001-01-15 12:00"]), ["ben", "carla", "dora"]);
    night.desk.write("on-call.csv", "role,person,mail\ncommander,ben,ben\nboss,,b@example.org\n");
    for words in [&["on-call"][..], &["config", "check"], &["serve", "--plain"]] {
        let ended = night.desk.done(words);
        ended.expect_code(3).unwrap();
        assert!(ended.stderr.contains("on-call.csv:2:3"), "{}", ended.stderr);
    }
    let checked = night.desk.done(&["config", "check"]).stderr;
    for place in ["on-call.csv:3:1", "on-call.csv:3:2"] {
        assert!(checked.contains(place), "{checked}");
    }
}
