//! Accounts, and what each may do: every verb is let through or refused by what the store says now.

use beistand_core::access::{AccountKind, Grant, Permission, Reach};
use beistand_core::model::{Mode, Person, Role};
use beistand_core::run::{Actor, Answer, AnswerKind, Command, Proof};
use beistand_journal::Mailbox;
use beistand_runtime::{
    AccessAct, Denied, Engine, EngineError, IncidentAct, NewCredential, NewIncident, NewRun,
    Secret, Verb, code_as_heard, digested, new_code, new_token,
};

use serde_json::json;

use super::world::{anna, engine, new_run};
use crate::staff::WORDS;

fn person(name: &str) -> Person {
    name.parse().unwrap()
}

fn proved(name: &str) -> Actor {
    Actor::proved(person(name), Proof::Passphrase)
}

fn secret(words: &str) -> Secret {
    Secret::new(words.to_owned())
}

fn passphrase() -> NewCredential {
    NewCredential::passphrase(digested(&secret(WORDS), getrandom::fill).unwrap())
}

fn grant(name: &str, role: Role) -> Grant {
    Grant { person: person(name), role, reach: Reach::Instance, until: None }
}

fn account(name: &str, credentials: Vec<NewCredential>, roles: &[Role]) -> AccessAct {
    AccessAct::AddAccount {
        account: name.parse().unwrap(),
        kind: AccountKind::Person,
        person: None,
        credentials,
        grants: roles.iter().map(|role| grant(name, *role)).collect(),
    }
}

async fn does(
    engine: &Engine,
    act: AccessAct,
    by: Actor,
) -> Result<serde_json::Value, EngineError> {
    engine.execute(Verb::Access { act, by }).await
}

async fn opens(engine: &Engine, by: Actor, mode: Mode) -> Result<String, EngineError> {
    let new = NewIncident {
        title: "It burns".to_owned(),
        mode,
        severity: 3.try_into().unwrap(),
        tlp: beistand_core::model::Tlp::Amber,
        short: "SIT".to_owned(),
        by,
    };
    let opened = engine.execute(Verb::OpenIncident(new)).await?;
    Ok(opened["incident"].as_str().unwrap().to_owned())
}

/// A folder for one store, gone when it is dropped.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// An engine with `root`, who keeps the accounts, and `cleo`, who leads.
async fn staffed(folder: &tempfile::TempDir) -> Engine {
    let engine = engine(&folder.path().join("store.db"), Vec::new()).await;
    let root = account("root", vec![passphrase()], &[Role::Admin]);
    does(&engine, root, anna()).await.unwrap();
    let cleo = account("cleo", vec![passphrase()], &[Role::Commander]);
    does(&engine, cleo, proved("root")).await.unwrap();
    engine
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_account_keeps_the_accounts_and_from_then_on_a_name_is_nothing() {
    let folder = folder();
    let engine = engine(&folder.path().join("store.db"), Vec::new()).await;
    opens(&engine, anna(), Mode::Live).await.unwrap();
    let first = account("cleo", vec![passphrase()], &[Role::Commander]);
    assert!(matches!(does(&engine, first, anna()).await, Err(EngineError::Usage(_))));
    let root = account("root", vec![passphrase()], &[Role::Admin]);
    does(&engine, root, anna()).await.unwrap();
    assert!(matches!(opens(&engine, anna(), Mode::Live).await, Err(EngineError::NotAllowed(_))));
    let second = account("eve", vec![passphrase()], &[Role::Admin]);
    assert!(matches!(does(&engine, second, anna()).await, Err(EngineError::NotAllowed(_))));
    // In a drill a name is still a name.
    opens(&engine, anna(), Mode::Drill).await.unwrap();
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_keeps_the_accounts_opens_no_incident_and_who_leads_makes_no_account() {
    let folder = folder();
    let engine = staffed(&folder).await;
    opens(&engine, proved("cleo"), Mode::Live).await.unwrap();
    let opened = opens(&engine, proved("root"), Mode::Live).await;
    assert!(matches!(opened, Err(EngineError::NotAllowed(_))));
    let made = does(&engine, account("eve", vec![], &[]), proved("cleo")).await;
    assert!(matches!(made, Err(EngineError::NotAllowed(_))));
    let own = AccessAct::Grant(grant("root", Role::Commander));
    assert!(matches!(does(&engine, own, proved("root")).await, Err(EngineError::NotAllowed(_))));
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_taken_back_is_gone_at_once_and_one_in_an_incident_reaches_no_further() {
    let folder = folder();
    let engine = staffed(&folder).await;
    does(&engine, account("ben", vec![passphrase()], &[]), proved("root")).await.unwrap();
    let incident = opens(&engine, proved("cleo"), Mode::Live).await.unwrap().parse().unwrap();
    let other = opens(&engine, proved("cleo"), Mode::Live).await.unwrap().parse().unwrap();
    let note = |incident, by| Verb::Incident {
        incident,
        act: IncidentAct::Note { text: "seen".to_owned(), at: None },
        by,
        if_seq: None,
    };
    let noted = async |incident| engine.execute(note(incident, proved("ben"))).await.is_ok();
    assert!(!noted(incident).await);
    let assign = |person| Verb::Incident {
        incident,
        act: IncidentAct::Assign { role: Role::Scribe, person },
        by: proved("cleo"),
        if_seq: None,
    };
    engine.execute(assign(Some(person("ben")))).await.unwrap();
    assert!(noted(incident).await);
    assert!(!noted(other).await);
    engine.execute(assign(None)).await.unwrap();
    assert!(!noted(incident).await);
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_locks_out_the_last_who_keeps_the_accounts() {
    let folder = folder();
    let engine = staffed(&folder).await;
    let root = "root".parse().unwrap();
    let locked = does(&engine, AccessAct::Lock { account: root }, proved("root")).await;
    assert!(matches!(locked, Err(EngineError::Conflict(_))));
    let revoked = AccessAct::Revoke(grant("root", Role::Admin));
    assert!(matches!(does(&engine, revoked, proved("root")).await, Err(EngineError::Conflict(_))));
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_right_words_log_in_and_who_guesses_waits() {
    let folder = folder();
    let engine = staffed(&folder).await;
    let log_in = async |name: &str, words: &str, from: &str| {
        engine.log_in(&name.parse().unwrap(), secret(words), None, from).await
    };
    let caller = log_in("cleo", WORDS, "192.0.2.1").await.unwrap();
    assert_eq!(caller.actor, proved("cleo"));
    assert!(matches!(log_in("nobody", WORDS, "192.0.2.2").await, Err(Denied::Wrong)));
    for _ in 0..5 {
        assert!(matches!(log_in("cleo", "rot rot rot rot", "192.0.2.3").await, Err(Denied::Wrong)));
    }
    // The right words do not help any more, from there; from elsewhere they do.
    assert!(matches!(log_in("cleo", WORDS, "192.0.2.3").await, Err(Denied::Later { .. })));
    assert!(log_in("cleo", WORDS, "192.0.2.1").await.is_ok());
    let lock = AccessAct::Lock { account: "cleo".parse().unwrap() };
    does(&engine, lock, proved("root")).await.unwrap();
    assert!(matches!(log_in("cleo", WORDS, "192.0.2.1").await, Err(Denied::Wrong)));
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_dead_when_it_ends_and_when_its_account_is_locked() {
    let folder = folder();
    let engine = staffed(&folder).await;
    let caller = engine.log_in(&"cleo".parse().unwrap(), secret(WORDS), None, "here").await;
    let caller = caller.unwrap();
    let (one, other) = (
        engine.begin_session(&caller).await.unwrap(),
        engine.begin_session(&caller).await.unwrap(),
    );
    let found = engine.caller_by_session(&one.cookie).await.unwrap();
    assert_eq!(found, caller);
    assert!(found.is_fresh(engine.now()));
    let later = engine.now().plus(beistand_runtime::FRESH_FOR);
    assert!(!found.is_fresh(later.plus(beistand_core::model::Span::from_secs(1))));
    engine.end_session(&one.cookie).await.unwrap();
    assert!(matches!(engine.caller_by_session(&one.cookie).await, Err(Denied::Wrong)));
    engine.caller_by_session(&other.cookie).await.unwrap();
    let lock = AccessAct::Lock { account: "cleo".parse().unwrap() };
    does(&engine, lock, proved("root")).await.unwrap();
    let unlock = AccessAct::Unlock { account: "cleo".parse().unwrap() };
    does(&engine, unlock, proved("root")).await.unwrap();
    let dead = engine.caller_by_session(&other.cookie).await;
    assert!(matches!(dead, Err(Denied::Wrong)), "it stays dead when the account is back");
    let root = engine.log_in(&"root".parse().unwrap(), secret(WORDS), None, "here").await.unwrap();
    let third = engine.begin_session(&root).await.unwrap();
    assert!(matches!(engine.renew_session(&third.cookie, &caller).await, Err(Denied::Wrong)));
    let renewed = engine.renew_session(&third.cookie, &root).await.unwrap();
    let copied = engine.caller_by_session(&third.cookie).await;
    assert!(matches!(copied, Err(Denied::Wrong)), "a copy of the cookie is not fresh, it is dead");
    engine.caller_by_session(&renewed.cookie).await.unwrap();
    assert_eq!(renewed.until, third.until, "who proves it again and again stays no longer");
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_and_ends_the_sessions_of_their_own_account_alone() {
    let folder = folder();
    let engine = staffed(&folder).await;
    let who = async |name: &str| {
        engine.log_in(&name.parse().unwrap(), secret(WORDS), None, "here").await.unwrap()
    };
    let (cleo, root) = (who("cleo").await, who("root").await);
    let here = engine.begin_session_on(&cleo, "Firefox, Windows").await.unwrap();
    let there = engine.begin_session_on(&cleo, "Chrome, Android").await.unwrap();
    let theirs = engine.begin_session(&root).await.unwrap();
    // Who proves it once more stays where they are.
    let here = engine.renew_session(&here.cookie, &cleo).await.unwrap();
    engine.caller_by_session(&here.cookie).await.unwrap();
    let own = engine.own_sessions(&cleo, &here.cookie).await.unwrap();
    let mut told: Vec<_> =
        own.iter().map(|one| (one.device.as_str(), one.this, one.used_at.is_some())).collect();
    told.sort_unstable();
    assert_eq!(told, [("Chrome, Android", false, false), ("Firefox, Windows", true, true)]);
    assert!(own.iter().all(|one| one.began_at.is_some()));
    let others = engine.own_sessions(&root, &theirs.cookie).await.unwrap();
    assert!(
        !engine.end_own_session(&cleo, &others[0].id).await.unwrap(),
        "another's is not theirs"
    );
    engine.caller_by_session(&theirs.cookie).await.unwrap();
    let phone = own.iter().find(|one| !one.this).unwrap();
    assert!(engine.end_own_session(&cleo, &phone.id).await.unwrap());
    let dead = engine.caller_by_session(&there.cookie).await;
    assert!(matches!(dead, Err(Denied::Wrong)), "its cookie is dead at once");
    let third = engine.begin_session(&cleo).await.unwrap();
    assert_eq!(engine.end_other_sessions(&cleo, &here.cookie).await.unwrap(), 1);
    assert!(matches!(engine.caller_by_session(&third.cookie).await, Err(Denied::Wrong)));
    engine.caller_by_session(&here.cookie).await.unwrap();
    engine.caller_by_session(&theirs.cookie).await.unwrap();
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_dead_when_it_is_taken_back_and_never_more_than_it_was_made_for() {
    let folder = folder();
    let engine = staffed(&folder).await;
    let token = new_token(getrandom::fill).unwrap();
    let title = "dashboard".parse().unwrap();
    let may = [Permission::Read, Permission::Manage];
    let credential = NewCredential::token(&token, title, &may, None);
    let (account, credentials) = ("cleo".parse().unwrap(), vec![credential]);
    let add = AccessAct::AddCredentials { account, credentials };
    let added = does(&engine, add, proved("root")).await.unwrap();
    let caller = engine.caller_by_token(&token).await.unwrap();
    assert_eq!(caller.actor.proof, Some(Proof::Token));
    let about = beistand_core::access::About::Instance;
    let may = |permission| caller.rights.may(permission, &about);
    assert!(may(Permission::Read));
    assert!(!may(Permission::Launch), "it was not made for that");
    assert!(!may(Permission::Manage), "its owner may not");
    let id = added["credentials"][0].as_str().unwrap().to_owned();
    let remove = AccessAct::RemoveCredential { credential: id };
    does(&engine, remove, proved("root")).await.unwrap();
    assert!(matches!(engine.caller_by_token(&token).await, Err(Denied::Wrong)));
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_stops_everything_and_only_a_person_lets_it_go_on() {
    let folder = folder();
    let engine = staffed(&folder).await;
    let ben = account("ben", vec![passphrase()], &[Role::Commander]);
    does(&engine, ben, proved("root")).await.unwrap();
    let reason = "smoke".to_owned();
    let program = |proof| Actor::proved(person("ben"), proof);
    let stop = Verb::StopAll { by: program(Proof::Token), reason: reason.clone() };
    engine.execute(stop).await.unwrap();
    let go_on = async |by| engine.execute(Verb::GoOn { by, reason: reason.clone() }).await;
    for proof in [Proof::Token, Proof::Machine] {
        let refused = go_on(program(proof)).await;
        assert!(matches!(refused, Err(EngineError::NotAllowed(_))), "{refused:?}");
    }
    go_on(proved("cleo")).await.unwrap();
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_many_guesses_at_once_has_no_more_of_them() {
    let folder = folder();
    let engine = staffed(&folder).await;
    let name: beistand_core::model::AccountName = "cleo".parse().unwrap();
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..24 {
        let (engine, name) = (engine.clone(), name.clone());
        let words = secret("rot rot rot rot");
        tries.spawn(async move { engine.log_in(&name, words, None, "here").await });
    }
    let answers = tries.join_all().await;
    let wrong = answers.iter().filter(|answer| matches!(answer, Err(Denied::Wrong))).count();
    let later = answers.iter().filter(|answer| matches!(answer, Err(Denied::Later { .. }))).count();
    assert_eq!((wrong, later), (5, 19), "{answers:?}");
    // Nothing is held of tries that are over, and elsewhere she is let in.
    assert!(engine.log_in(&name, secret(WORDS), None, "elsewhere").await.is_ok());
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_neighbours_guess_keeps_nobody_out_of_a_sealed_account_and_that_one_is_limited_too() {
    let folder = folder();
    let engine = staffed(&folder).await;
    for name in ["sealed-1", "sealed-2", "sealed-3"] {
        let sealed = AccessAct::AddAccount {
            account: name.parse().unwrap(),
            kind: AccountKind::BreakGlass,
            person: None,
            credentials: vec![passphrase()],
            grants: vec![grant(name, Role::Commander)],
        };
        does(&engine, sealed, proved("root")).await.unwrap();
    }
    let log_in = async |name: &str, words: &str| {
        engine.log_in(&name.parse().unwrap(), secret(words), None, "the town hall").await
    };
    let (now, hour) = (engine.now(), beistand_core::model::Span::from_secs(3600));
    for _ in 0..50 {
        let counted = engine.journal().count("login-from/the town hall", now, now.plus(hour));
        counted.await.unwrap();
    }
    assert!(matches!(log_in("cleo", WORDS).await, Err(Denied::Later { .. })));
    let caller = log_in("sealed-1", WORDS).await.unwrap();
    assert_eq!(caller.actor.proof, Some(Proof::BreakGlass));
    for name in ["sealed-1", "sealed-2"] {
        for _ in 0..5 {
            assert!(matches!(log_in(name, "rot rot rot rot").await, Err(Denied::Wrong)));
        }
    }
    for name in ["sealed-1", "sealed-3"] {
        assert!(matches!(log_in(name, WORDS).await, Err(Denied::Later { .. })), "{name}");
    }
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_printed_code_says_who_is_on_the_telephone_and_is_never_ones_own() {
    let folder = folder();
    let engine = staffed(&folder).await;
    let code = new_code(getrandom::fill).unwrap();
    let credential = NewCredential::code(7, digested(&code, getrandom::fill).unwrap());
    let (account, credentials) = ("cleo".parse().unwrap(), vec![credential]);
    let add = AccessAct::AddCredentials { account, credentials };
    let added = does(&engine, add, proved("root")).await.unwrap();
    let heard = code.expose().to_lowercase();
    let call = async |typed_by: &str| {
        let code = ("7", code_as_heard(&heard));
        engine.by_telephone(&"cleo".parse().unwrap(), code, &person(typed_by)).await
    };
    assert!(matches!(call("cleo").await, Err(Denied::Wrong)), "with herself");
    // Whoever hears it has no vote yet: it is the vote that uses it up.
    for _ in 0..2 {
        let (caller, credential) = call("scribe").await.unwrap();
        assert_eq!(caller.actor.proof, Some(Proof::Telephone));
        assert_eq!(caller.actor.through, Some(person("scribe")));
        assert_eq!(json!(credential), added["credentials"][0]);
    }
    let id = added["credentials"][0].as_str().unwrap();
    assert!(engine.journal().use_up(id, engine.now()).await.unwrap());
    assert!(matches!(call("scribe").await, Err(Denied::Wrong)), "it is used up");
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_stands_in_the_journal_and_does_not_fill_it() {
    let folder = folder();
    let engine = staffed(&folder).await;
    for _ in 0..40 {
        assert!(opens(&engine, proved("root"), Mode::Live).await.is_err());
    }
    let reader = engine.journal().reader().clone();
    let own = reader.meta().await.unwrap().store.to_string();
    let stream = reader.stream(beistand_core::entry::StreamKind::Store, &own).await.unwrap();
    let entries = reader.entries(&stream.unwrap(), 0, 1_000).await.unwrap();
    let refused = entries.iter().filter(|entry| {
        let head = String::from_utf8_lossy(&entry.head);
        head.contains(r#""a":"refused""#) && head.contains("root")
    });
    assert_eq!(refused.count(), 30);
    assert!(reader.has_accounts().await.unwrap());
    let scripts = beistand_script::Scripts::without_budget();
    let found = beistand_runtime::compare(&reader, &scripts).await.unwrap();
    assert_eq!(found.differences, []);
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_makes_up_names_is_refused_in_their_own_and_uses_up_nobody_elses_lines() {
    let folder = folder();
    let engine = staffed(&folder).await;
    does(&engine, account("ben", vec![passphrase()], &[]), proved("root")).await.unwrap();
    let incident = opens(&engine, proved("cleo"), Mode::Live).await.unwrap().parse().unwrap();
    let notes = async |by: Actor| {
        let act = IncidentAct::Note { text: "seen".to_owned(), at: None };
        let refused = engine.execute(Verb::Incident { incident, act, by, if_seq: None }).await;
        assert!(matches!(refused, Err(EngineError::NotAllowed(_))), "{refused:?}");
    };
    for number in 0..40 {
        notes(Actor::on_paper(person(&format!("name-{number}")), &proved("ben"))).await;
    }
    let told = Actor::proved(person("root"), Proof::Telephone).through(person("ben"));
    notes(told).await;
    notes(proved("root")).await;
    let token = Actor::proved(person("cleo"), Proof::Token);
    notes(Actor::on_paper(person("dora"), &token)).await;
    let reader = engine.journal().reader().clone();
    let own = reader.meta().await.unwrap().store.to_string();
    let stream = reader.stream(beistand_core::entry::StreamKind::Store, &own).await.unwrap();
    let entries = reader.entries(&stream.unwrap(), 0, 1_000).await.unwrap();
    let heads = entries.iter().map(|entry| String::from_utf8_lossy(&entry.head));
    let refused: Vec<_> = heads.filter(|head| head.contains(r#""a":"refused""#)).collect();
    let of = |name: &str| {
        let name = format!(r#""person":"{name}""#);
        refused.iter().filter(|head| head.contains(&name)).count()
    };
    assert_eq!((of("ben"), of("root"), of("cleo"), refused.len()), (30, 1, 1, 32), "{refused:#?}");
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_types_in_from_paper_does_so_by_their_own_right() {
    let folder = folder();
    let engine = staffed(&folder).await;
    does(&engine, account("ben", vec![passphrase()], &[]), proved("root")).await.unwrap();
    let incident = opens(&engine, proved("cleo"), Mode::Live).await.unwrap().parse().unwrap();
    let typed = async |on_paper: &str, typed_by: Actor| {
        let act = IncidentAct::Note { text: "seen".to_owned(), at: None };
        let by = Actor::on_paper(person(on_paper), &typed_by);
        engine.execute(Verb::Incident { incident, act, by, if_seq: None }).await.is_ok()
    };
    assert!(typed("ben", proved("cleo")).await, "whoever wrote it");
    assert!(!typed("cleo", proved("ben")).await, "a name on paper gives nobody its rights");
    assert!(!typed("ben", Actor::asserted(person("cleo"))).await, "nor does a name that is said");
    engine.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_type_in_nothing_is_told_nothing_of_who_votes() {
    let folder = folder();
    let engine = staffed(&folder).await;
    does(&engine, account("ben", vec![passphrase()], &[]), proved("root")).await.unwrap();
    let incident = opens(&engine, proved("cleo"), Mode::Live).await.unwrap().parse().unwrap();
    let say = "playbook: say\nlanguage: 1\ntitle: Say\nsteps:\n  - { id: say, note: seen }\n";
    let new = NewRun { incident: Some(incident), by: proved("cleo"), ..new_run(say, json!({})) };
    let run = engine.launch(new).await.unwrap();
    let url = format!("sqlite:{}", folder.path().join("store.db").display());
    let mut mailbox = Mailbox::open(&url).await.unwrap();
    let mut told = Vec::new();
    // Who leads may vote, who keeps the accounts may not; the one who hears them may do nothing.
    for (number, voter) in ["cleo", "root"].into_iter().enumerate() {
        let by = Actor::proved(person(voter), Proof::Telephone).through(person("ben"));
        let answers = vec![Answer {
            need: run.to_string().parse().unwrap(),
            answer: AnswerKind::Approve,
            reason: String::new(),
            form: json!(null),
            digest: None,
            done_at: None,
        }];
        let command = Command::Answer { answers, by: by.typed_with(&proved("ben")), roles: None };
        let verb = Verb::Telephone { code: "code-0".to_owned(), run, command };
        let (id, body) = (format!("post-{number}"), serde_json::to_string(&verb).unwrap());
        let (at, who, target) = (engine.now(), person("ben"), run.to_string());
        let posted = beistand_journal::Command { id: id.clone(), at, who, target, body };
        mailbox.post(&posted).await.unwrap();
        engine.answer_commands().await.unwrap();
        told.push(mailbox.look(&id).await.unwrap().unwrap());
    }
    assert!(told[0].contains("who types this in needs `note`"), "{told:?}");
    assert_eq!(told[0], told[1]);
    engine.leave().await;
}
