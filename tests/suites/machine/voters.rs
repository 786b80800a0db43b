//! Whose vote counts: a known person's, in a role that is asked.

use std::collections::BTreeSet;

use beistand_core::model::{NeedId, Role};
use beistand_core::run::{Actor, Answer, AnswerError, AnswerKind, Command, Proof, Reply};
use serde_json::Value;

use super::desk::Desk;

const CUT: &str = "  - id: cut
    approval: { role: commander, votes: 1, within: 15m }
    call: network.isolate
    with: { host: pc-1 }
";

const TWICE: &str = "  - id: cut
    approval: { role: commander, votes: 2 }
    call: network.isolate
    with: { host: pc-1 }
";

fn proved(name: &str, proof: Proof) -> Actor {
    Actor::proved(name.parse().unwrap(), proof)
}

fn vote(
    desk: &mut Desk,
    need: NeedId,
    by: Actor,
    roles: Option<&[Role]>,
) -> Result<Reply, AnswerError> {
    let answer = Answer {
        need,
        answer: AnswerKind::Approve,
        reason: String::new(),
        form: Value::Null,
        digest: None,
        done_at: None,
    };
    let roles = roles.map(|roles| roles.iter().copied().collect::<BTreeSet<Role>>());
    desk.command(Command::Answer { answers: vec![answer], by, roles })
}

#[test]
fn a_machine_and_paper_have_no_vote() {
    let mut desk = Desk::of(CUT);
    desk.tick();
    let need = desk.need("cut").id;
    for proof in [Proof::Machine, Proof::Paper] {
        let said = vote(&mut desk, need, proved("monitoring", proof), None);
        assert!(matches!(said, Err(AnswerError::NotAllowed(_))), "{proof:?}");
    }
    assert!(desk.paths_out().is_empty());
    vote(&mut desk, need, proved("ben", Proof::Telephone), None).unwrap();
    assert_eq!(desk.paths_out(), ["cut"]);
}

#[test]
fn one_person_with_two_accounts_is_one_vote() {
    let mut desk = Desk::of(TWICE);
    desk.tick();
    let need = desk.need("cut").id;
    let anna = proved("anna", Proof::Passphrase);
    vote(&mut desk, need, anna.clone(), None).unwrap();
    let second = anna.with_account("anna.admin".parse().unwrap());
    assert!(matches!(vote(&mut desk, need, second, None), Err(AnswerError::Conflict(_))));
    let requester = proved("requester", Proof::Passphrase);
    let second = requester.with_account("spare".parse().unwrap());
    assert!(matches!(vote(&mut desk, need, second, None), Err(AnswerError::NotAllowed(_))));
    assert!(desk.paths_out().is_empty());
}

#[test]
fn who_is_asked_answers_and_who_stands_above_and_whom_it_was_escalated_to() {
    let answered = |held: &[Role], late: bool| {
        let mut desk = Desk::of(CUT);
        desk.setup.escalation = Role::Dpo;
        desk.tick();
        if late {
            desk.after("16m").tick();
        }
        let need = desk.need("cut").id;
        vote(&mut desk, need, proved("ben", Proof::Passphrase), Some(held)).is_ok()
    };
    assert!(answered(&[Role::Reviewer, Role::Commander], false));
    for held in [&[][..], &[Role::Deputy], &[Role::Approver], &[Role::Admin], &[Role::Dpo]] {
        assert!(!answered(held, false), "{held:?}");
    }
    assert!(answered(&[Role::Dpo], true));
    assert!(!answered(&[Role::Deputy], true));
}

#[test]
fn a_name_alone_is_no_vote_once_there_are_accounts() {
    let mut desk = Desk::of(CUT);
    desk.tick();
    desk.shared.accounts = true;
    let need = desk.need("cut").id;
    let said = vote(&mut desk, need, Actor::asserted("ben".parse().unwrap()), None);
    assert!(matches!(said, Err(AnswerError::NotAllowed(_))));
    assert!(desk.paths_out().is_empty());
}

#[test]
fn what_names_alone_let_through_before_there_were_accounts_is_asked_anew() {
    let mut desk = Desk::of(CUT);
    desk.places = 0;
    desk.tick().approve("cut", "ben");
    assert!(desk.paths_out().is_empty(), "the connector has no place");
    desk.shared.accounts = true;
    desk.places = 1;
    desk.tick();
    assert!(desk.paths_out().is_empty());
    let need = desk.need("cut").id;
    vote(&mut desk, need, proved("ben", Proof::Passphrase), None).unwrap();
    assert_eq!(desk.paths_out(), ["cut"]);
}

#[test]
fn one_pair_of_hands_gives_one_vote_of_a_gate_and_who_asked_gives_none() {
    let told =
        |name: &str, typist: &str| proved(name, Proof::Telephone).through(typist.parse().unwrap());
    let own = |name: &str| proved(name, Proof::Passphrase);
    let refused = |first: Option<Actor>, second: Actor| {
        let mut desk = Desk::of(TWICE);
        desk.tick();
        let need = desk.need("cut").id;
        if let Some(first) = first {
            vote(&mut desk, need, first, None).unwrap();
        }
        let said = vote(&mut desk, need, second, None);
        assert!(!matches!(said, Err(AnswerError::Conflict(_))), "{said:?}");
        matches!(said, Err(AnswerError::NotAllowed(_)))
    };
    assert!(refused(None, told("ben", "requester")));
    // Two votes that carl typed in; his own beside one; one that is typed in by who voted already.
    assert!(refused(Some(told("ben", "carl")), told("dora", "carl")));
    assert!(refused(Some(told("ben", "carl")), own("carl")));
    assert!(refused(Some(told("ben", "carl")), told("carl", "dora")));
    assert!(refused(Some(own("carl")), told("ben", "carl")));
    assert!(!refused(Some(told("ben", "carl")), told("dora", "eva")));
    assert!(!refused(Some(told("ben", "carl")), own("dora")));
}

#[test]
fn who_typed_in_a_yes_may_type_in_a_no() {
    let mut desk = Desk::of(TWICE);
    desk.tick();
    let need = desk.need("cut").id;
    let told = |name: &str| proved(name, Proof::Telephone).through("carl".parse().unwrap());
    vote(&mut desk, need, told("ben"), None).unwrap();
    let answer = Answer {
        need,
        answer: AnswerKind::Deny,
        reason: "not yet".to_owned(),
        form: Value::Null,
        digest: None,
        done_at: None,
    };
    desk.command(Command::Answer { answers: vec![answer], by: told("dora"), roles: None }).unwrap();
    assert!(desk.paths_out().is_empty());
    assert_eq!(desk.is("cut"), "failed");
}
