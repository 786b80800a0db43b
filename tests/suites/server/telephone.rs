//! Votes by telephone: one person reads out a printed code, another one types it in.

use serde_json::{Value, json};

use super::accounts::Staffed;
use crate::desk::{announced, text};

const GATE: &str = "playbook: gate\nlanguage: 1\ntitle: A gate\nsteps:\n\
    \x20 - { id: may, approve: { role: commander, votes: 2, shows: All of it. } }\n";

/// An office where cleo has asked for something, ben and dora are at home, and carl or emil types.
struct Office {
    staffed: Staffed,
    run: String,
}

impl Office {
    fn new() -> Self {
        let staffed = Staffed::new();
        let file = staffed.words.display().to_string();
        let people =
            [("ben", "commander"), ("dora", "commander"), ("carl", "scribe"), ("emil", "scribe")];
        for (name, role) in people {
            staffed.as_root(&["user", "add", name, "--role", role, "--new", &file], 0);
        }
        staffed.as_root(&["user", "add", "rita", "--role", "reviewer", "--new", &file], 0);
        staffed.desk.write("gate.yaml", GATE);
        let words = ["run", "gate.yaml", "--detach", "--as", "cleo", "--passphrase", &file];
        let run = announced(&staffed.desk.done(&words).stderr).unwrap();
        Self { staffed, run }
    }

    /// The letters of a new code, and its number.
    fn code(&self, of: &str) -> String {
        let sheet = self.staffed.as_root(&["--json", "user", "codes", of, "--count", "1"], 0);
        let sheet: Value = serde_json::from_str(&sheet).unwrap();
        format!("{}:{}", sheet[0]["number"], text(&sheet[0]["code"]))
    }

    fn need(&self) -> Value {
        let needs = self.staffed.desk.needs(&self.run);
        assert_eq!(needs.len(), 1);
        needs[0].clone()
    }

    fn votes(&self, typed_by: &str, (voter, code): (&str, &str), exit: i32) -> String {
        let (need, file) = (self.need(), self.staffed.words.display().to_string());
        let words = ["approve", text(&need["id"]), "--digest", text(&need["digest"])];
        let by = ["--by", voter, "--code", code, "--as", typed_by, "--passphrase", &file];
        let ended = self.staffed.desk.done(&[&words[..], &by].concat());
        ended.expect_code(exit).unwrap();
        ended.stderr
    }
}

#[test]
fn a_vote_by_telephone_is_the_voters_and_says_who_typed_it() {
    let office = Office::new();
    let need = office.need();
    let spoken = text(&need["words"]).to_owned();
    assert_eq!(spoken.split(' ').count(), 6, "{spoken}");
    assert!(office.staffed.desk.ok(0, &["needs"]).contains(&spoken));
    let code = office.code("ben");
    let (number, letters) = code.split_once(':').unwrap();
    // As it was heard: small letters, no dash.
    let heard = format!("{number} {}", letters.to_lowercase().replace('-', " "));
    office.votes("carl", ("ben", &heard), 0);
    assert_eq!(office.need()["votes"], 1);
    // It is used up, and he has voted.
    office.votes("carl", ("ben", &code), 5);
    office.votes("carl", ("ben", &office.code("ben")), 7);
    // One typist is one pair of hands.
    office.votes("carl", ("dora", &office.code("dora")), 5);
    office.votes("emil", ("dora", &office.code("dora")), 0);
    let shown = office.staffed.desk.show(&office.run);
    assert_eq!(shown["status"], "succeeded");
    let told = office.staffed.desk.ok(0, &["timeline", text(&shown["incident"])]);
    assert!(told.contains("ben (by telephone, typed in by carl)"), "{told}");
}

#[test]
fn who_asked_for_it_who_may_not_vote_and_who_is_alone_have_no_vote_by_telephone() {
    let office = Office::new();
    office.votes("carl", ("cleo", &office.code("cleo")), 5);
    office.votes("carl", ("rita", &office.code("rita")), 5);
    // Nobody is on the telephone with themselves, and who may write nothing types in nothing.
    office.votes("ben", ("ben", &office.code("ben")), 5);
    office.votes("rita", ("ben", &office.code("ben")), 5);
    // Who asked for it types in no vote for it.
    office.votes("cleo", ("ben", &office.code("ben")), 5);
    assert_eq!(office.need()["votes"], 0);
}

#[test]
fn wrong_codes_are_guesses_and_who_guesses_waits() {
    let office = Office::new();
    let code = office.code("ben");
    for _ in 0..5 {
        let said = office.votes("carl", ("ben", "1:AAAAA-AAAAA"), 5);
        assert!(said.contains("guess"), "{said}");
    }
    let said = office.votes("carl", ("ben", &code), 5);
    assert!(said.contains("try again after"), "{said}");
    // Somebody else's telephone is another one's.
    office.votes("emil", ("ben", &code), 0);
}

#[test]
fn a_vote_by_telephone_is_taken_over_http() {
    let office = Office::new();
    let (need, code) = (office.need(), office.code("ben"));
    let (number, letters) = code.split_once(':').unwrap();
    let cookie = office.staffed.cookie("carl");
    let path = format!("/api/v1/needs/{}", text(&need["id"]));
    let vote = |answer: &str, letters: &str| {
        let telephone = json!({"account": "ben", "number": number, "code": letters});
        let body = json!({"answer": answer, "digest": need["digest"], "telephone": telephone});
        office.staffed.with(&cookie, "POST", &path, Some(&body))
    };
    assert_eq!(vote("approve", "AAAAA-AAAAA").status, 403);
    assert_eq!(vote("done", letters).status, 400, "people vote on the telephone");
    let voted = vote("approve", letters);
    assert_eq!((voted.status, &voted.json()["votes"]), (200, &json!(1)), "{voted:?}");
    assert_eq!(vote("approve", letters).status, 403, "it is used up");
    // Without somebody on the telephone carl has no vote.
    let body = json!({"answer": "approve", "digest": need["digest"]});
    assert_eq!(office.staffed.with(&cookie, "POST", &path, Some(&body)).status, 403);
}
