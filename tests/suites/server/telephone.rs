//! Votes by telephone: one person reads out a printed code, another one types it in.

use std::thread;

use serde_json::{Value, json};

use super::accounts::Staffed;
use super::client::Answer;
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
        let (leads, types) = ("commander", "scribe");
        let people = [
            ("ben", leads),
            ("dora", leads),
            ("carl", types),
            ("emil", types),
            ("rita", "reviewer"),
        ];
        for (name, role) in people {
            staffed.add(&[name, "--role", role]);
        }
        staffed.desk.write("gate.yaml", GATE);
        let file = staffed.words.display().to_string();
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

/// A vote of ben's over HTTP, typed in by carl.
fn typed(
    office: &Office,
    cookie: &str,
    need: &Value,
    (answer, digest): (&str, &Value),
    code: &str,
) -> Answer {
    let (number, letters) = code.split_once(':').unwrap();
    let telephone = json!({"account": "ben", "number": number, "code": letters});
    let body = json!({"answer": answer, "digest": digest, "telephone": telephone});
    let path = format!("/api/v1/needs/{}", text(&need["id"]));
    office.staffed.with(cookie, "POST", &path, Some(&body))
}

#[test]
fn a_code_that_was_heard_in_vain_is_struck_out_by_its_number() {
    let office = Office::new();
    let (heard, next) = (office.code("ben"), office.code("ben"));
    let strike = |account: &str, code: &str, exit| {
        let (number, _) = code.split_once(':').unwrap();
        office.staffed.as_root(&["user", "remove", account, "--code", number], exit)
    };
    // The sheet of somebody else has the same numbers.
    office.code("dora");
    strike("ben", &heard, 0);
    office.votes("carl", ("ben", &heard), 5);
    strike("ben", &heard, 4);
    strike("carl", &next, 4);
    office.votes("carl", ("ben", &next), 0);
    strike("ben", &next, 4);
    let sheets = office.staffed.as_root(&["--json", "user", "list"], 0);
    let sheets: Value = serde_json::from_str(&sheets).unwrap();
    let of = |name: &str| sheets.as_array().unwrap().iter().find(|one| one["account"] == name);
    let codes = |name: &str| {
        of(name).unwrap()["credentials"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["kind"] == "code" && one["used_at"].is_null())
            .count()
    };
    assert_eq!((codes("ben"), codes("dora")), (0, 1));
}

#[test]
fn a_vote_by_telephone_is_taken_over_http() {
    let office = Office::new();
    let (need, code) = (office.need(), office.code("ben"));
    let cookie = office.staffed.cookie("carl");
    let vote =
        |answer: &str, code: &str| typed(&office, &cookie, &need, (answer, &need["digest"]), code);
    assert_eq!(vote("approve", "1:AAAAA-AAAAA").status, 403);
    assert_eq!(vote("done", &code).status, 400, "people vote on the telephone");
    let voted = vote("approve", &code);
    assert_eq!((voted.status, &voted.json()["votes"]), (200, &json!(1)), "{voted:?}");
    assert_eq!(vote("approve", &code).status, 403, "it is used up");
    // Without somebody on the telephone carl has no vote.
    let path = format!("/api/v1/needs/{}", text(&need["id"]));
    let body = json!({"answer": "approve", "digest": need["digest"]});
    assert_eq!(office.staffed.with(&cookie, "POST", &path, Some(&body)).status, 403);
}

#[test]
fn a_token_types_in_the_vote_of_nobody() {
    let office = Office::new();
    let (need, code) = (office.need(), office.code("ben"));
    let token =
        ["--json", "token", "add", "carl", "--title", "x", "--may", "note", "--may", "read"];
    let token: Value = serde_json::from_str(&office.staffed.as_root(&token, 0)).unwrap();
    let (number, letters) = code.split_once(':').unwrap();
    let telephone = json!({"account": "ben", "number": number, "code": letters});
    let one =
        |code: &Value| json!({"answer": "approve", "digest": need["digest"], "telephone": code});
    let client = &office.staffed.served.client;
    let path = format!("/api/v1/needs/{}", text(&need["id"]));
    let wrong = json!({"account": "ben", "number": number, "code": "AAAAA-AAAAA"});
    let mut said = Vec::new();
    for code in [&telephone, &wrong] {
        let refused = client.post(&path, text(&token["token"]), &one(code));
        assert_eq!(refused.status, 403, "{refused:?}");
        said.push(refused.json()["detail"].clone());
    }
    assert!(text(&said[0]).contains("token"), "{said:?}");
    assert_eq!(said[0], said[1], "nor does it find out by guesses what a code is");
    assert_eq!(office.need()["votes"], 0);
    // The code is as good as before, and so is carl himself.
    let cookie = office.staffed.cookie("carl");
    let voted = typed(&office, &cookie, &need, ("approve", &need["digest"]), &code);
    assert_eq!(voted.status, 200, "{voted:?}");
}

#[test]
fn a_code_is_used_up_by_a_vote_that_counts_and_by_no_other() {
    let office = Office::new();
    let (need, code, second) = (office.need(), office.code("ben"), office.code("ben"));
    let cookie = office.staffed.cookie("carl");
    let file = office.staffed.words.display().to_string();
    // Something else was shown: on the command line and over HTTP alike.
    let other = json!(format!("sha256:{}", "0".repeat(64)));
    let refused = typed(&office, &cookie, &need, ("approve", &other), &code);
    assert_eq!(refused.status, 409, "{refused:?}");
    let words = ["approve", text(&need["id"]), "--digest", text(&other)];
    let by = ["--by", "ben", "--code", &code, "--as", "carl", "--passphrase", &file];
    office.staffed.desk.done(&[&words[..], &by].concat()).expect_code(7).unwrap();
    // His role was taken back for a while.
    office.staffed.as_root(&["user", "revoke", "ben", "commander"], 0);
    assert_eq!(typed(&office, &cookie, &need, ("approve", &need["digest"]), &code).status, 403);
    office.staffed.as_root(&["user", "grant", "ben", "commander"], 0);
    assert_eq!(office.need()["votes"], 0);
    let voted = typed(&office, &cookie, &need, ("approve", &need["digest"]), &code);
    assert_eq!(voted.status, 200, "{voted:?}");
    // Who has voted already has no second vote, and keeps the code.
    let again = typed(&office, &cookie, &need, ("approve", &need["digest"]), &second);
    assert_eq!(again.status, 409, "{again:?}");
    let body = json!({"account": "ben", "passphrase": super::accounts::WORDS,
        "code": {"number": second.split_once(':').unwrap().0,
                 "code": second.split_once(':').unwrap().1}});
    let client = &office.staffed.served.client;
    let in_again = client.send("POST", "/api/v1/session", None, Some(&body.to_string()));
    assert_eq!(in_again.status, 200, "{in_again:?}");
}

#[test]
fn one_code_read_out_to_many_at_once_is_one_vote() {
    let office = Office::new();
    let (need, code) = (office.need(), office.code("ben"));
    let cookie = office.staffed.cookie("carl");
    let statuses = thread::scope(|scope| {
        let one = || typed(&office, &cookie, &need, ("approve", &need["digest"]), &code).status;
        let all = [(); 6].map(|()| scope.spawn(one));
        all.map(|one| one.join().unwrap())
    });
    let counted = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(counted, 1, "{statuses:?}");
    assert_eq!(office.need()["votes"], 1);
}
