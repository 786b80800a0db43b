//! Accounts, credentials and grants are written with their entry; sessions and tallies by themselves.

use std::slice;

use beistand_core::access::{Account, AccountKind, CredentialKind, Grant, Reach};
use beistand_core::entry::StreamKind;
use beistand_core::model::Role;
use beistand_journal::{
    Append, AppendError, Change, Credential, Guard, Holder, Journal, Refusal, Session, To,
};

use super::{Place, at, entry, incident_id, run_id};

fn account(name: &str) -> Account {
    Account {
        name: name.parse().unwrap(),
        kind: AccountKind::Person,
        person: "anna".parse().unwrap(),
        made_at: at(1),
        locked_at: None,
    }
}

fn code(id: &str) -> Credential {
    Credential {
        id: id.to_owned(),
        account: "anna".parse().unwrap(),
        kind: CredentialKind::Code,
        label: "7".to_owned(),
        lookup: None,
        secret: "$argon2id$…".to_owned(),
        made_at: at(1),
        until: Some(at(1_000)),
        used_at: None,
        body: "{}".to_owned(),
    }
}

fn grant(role: Role) -> Grant {
    let reach = Reach::Organisation("stadt-a".parse().unwrap());
    Grant { person: "anna".parse().unwrap(), role, reach, until: Some(at(50)) }
}

async fn changed(journal: &Journal, now: i64, changes: Vec<Change>) {
    let id = journal.meta().store.to_string();
    let mut append: Append = entry(To::End { kind: StreamKind::Store, id }, now);
    append.changes = changes;
    journal.append(append).await.unwrap();
}

pub(crate) async fn accounts_and_grants_are_read_as_they_were_given(place: Place) {
    let journal = place.open(0).await;
    let reader = journal.reader().clone();
    assert!(!reader.has_accounts().await.unwrap());
    let token = Credential {
        kind: CredentialKind::Token,
        lookup: Some("0f".repeat(32)),
        until: None,
        ..code("t1")
    };
    let changes = vec![
        Change::PutAccount(Box::new(account("anna"))),
        Change::PutAccount(Box::new(account("anna.admin"))),
        Change::PutCredential(Box::new(code("c7"))),
        Change::PutCredential(Box::new(token.clone())),
        Change::PutGrant(Box::new(grant(Role::Commander))),
        Change::PutGrant(Box::new(grant(Role::Reviewer))),
    ];
    changed(&journal, 1, changes).await;
    assert!(reader.has_accounts().await.unwrap());
    assert_eq!(reader.accounts().await.unwrap(), [account("anna"), account("anna.admin")]);
    assert_eq!(reader.credential_of(&"0f".repeat(32)).await.unwrap(), Some(token.clone()));
    assert_eq!(reader.credential_of("00").await.unwrap(), None);
    let anna = "anna".parse().unwrap();
    assert_eq!(reader.credentials(&anna).await.unwrap(), [code("c7"), token]);
    let person = "anna".parse().unwrap();
    let both = [grant(Role::Commander), grant(Role::Reviewer)];
    assert_eq!(reader.grants_of(&person).await.unwrap(), both);
    let (incident, role) = (incident_id(1), Role::Deputy);
    let change = Change::SetRole { incident, role, person: Some(person.clone()) };
    changed(&journal, 2, vec![change]).await;
    let there = Grant { role, reach: Reach::Incident(incident), until: None, ..grant(role) };
    assert_eq!(reader.roles_of(&person).await.unwrap(), slice::from_ref(&there));
    let holder = Holder {
        account: account("anna"),
        grants: vec![grant(Role::Commander), grant(Role::Reviewer), there],
        until: None,
        body: String::new(),
    };
    assert_eq!(reader.holder(&anna).await.unwrap(), Some(holder.clone()));
    let shown = Holder { body: code("t1").body, ..holder.clone() };
    assert_eq!(reader.holder_of_token(&"0f".repeat(32)).await.unwrap(), Some(shown));
    assert_eq!(reader.holder_of_token("00").await.unwrap(), None);
    let session = Session {
        id: "0a".repeat(32),
        account: Some(anna.clone()),
        until: at(9),
        body: "{}".to_owned(),
    };
    journal.put_session(session.clone()).await.unwrap();
    let shown = Holder { until: Some(at(9)), body: session.body, ..holder };
    let found = reader.holder_of_session(&session.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&shown));
    assert!(shown.holds(at(8)) && !shown.holds(at(9)));
    assert_eq!(reader.holder_of_session(&"0f".repeat(32)).await.unwrap(), None);
    let nobody = reader.holder(&"nora".parse().unwrap()).await.unwrap();
    assert_eq!(nobody, None);

    let locked = Account { locked_at: Some(at(2)), ..account("anna") };
    let longer = Grant { until: None, ..grant(Role::Commander) };
    let changes = vec![
        Change::PutAccount(Box::new(locked.clone())),
        Change::RemoveCredential { id: "t1".to_owned() },
        Change::PutGrant(Box::new(longer.clone())),
        Change::RemoveGrant(Box::new(Grant { until: None, ..grant(Role::Reviewer) })),
    ];
    changed(&journal, 3, changes).await;
    assert_eq!(reader.account(&anna).await.unwrap(), Some(locked));
    assert_eq!(reader.credential("t1").await.unwrap(), None);
    assert_eq!(reader.grants().await.unwrap(), [longer]);
}

pub(crate) async fn what_counts_once_is_used_up_once(place: Place) {
    let journal = place.open(0).await;
    changed(&journal, 1, vec![Change::PutCredential(Box::new(code("c7")))]).await;
    let tries = (0..8).map(|_| journal.use_up("c7", at(2)));
    let used = futures_util::future::join_all(tries).await;
    assert_eq!(used.into_iter().filter(|used| *used.as_ref().unwrap()).count(), 1);
    assert!(!journal.use_up("c8", at(2)).await.unwrap());
    let late = Credential { until: Some(at(5)), ..code("c9") };
    changed(&journal, 3, vec![Change::PutCredential(Box::new(late))]).await;
    assert!(!journal.use_up("c9", at(5)).await.unwrap());
}

pub(crate) async fn what_counts_once_is_used_up_with_what_it_was_for_or_not_at_all(place: Place) {
    let journal = place.open(0).await;
    let reader = journal.reader().clone();
    let late = Credential { until: Some(at(5)), ..code("c9") };
    let codes = [code("c7"), code("c8"), late];
    let codes = codes.map(|code| Change::PutCredential(Box::new(code)));
    changed(&journal, 1, codes.to_vec()).await;
    let used_at = async |id: &str| reader.credential(id).await.unwrap().unwrap().used_at;
    let id = journal.meta().store.to_string();
    let uses = |credential: &str, now: i64| {
        let (credential, at) = (credential.to_owned(), at(now));
        entry(To::End { kind: StreamKind::Store, id: id.clone() }, now)
            .guard(Guard::Unused { credential: credential.clone(), at })
            .change(Change::UseUp { credential, at })
    };
    // Something else does not hold: nothing is written, and the code is as it was.
    let elsewhere = Guard::StreamAt { kind: StreamKind::Run, id: run_id(9).to_string(), seq: 3 };
    assert!(journal.append(uses("c7", 2).guard(elsewhere)).await.is_err());
    assert_eq!(used_at("c7").await, None);
    let tries = (0..8).map(|_| journal.append(uses("c7", 2)));
    let tries = futures_util::future::join_all(tries).await;
    assert_eq!(tries.iter().filter(|one| one.is_ok()).count(), 1);
    assert_eq!(used_at("c7").await, Some(at(2)));
    let over = Refusal::UsedUp { credential: "c9".to_owned() };
    let refused = journal.append(uses("c9", 5)).await.unwrap_err();
    assert!(matches!(refused, AppendError::Refused(refusal) if refusal == over));
    // A login took it in the same moment.
    assert!(journal.use_up("c8", at(2)).await.unwrap());
    assert!(journal.append(uses("c8", 2)).await.is_err());
    assert!(journal.append(uses("c0", 2)).await.is_err(), "there never was one");
}

pub(crate) async fn a_session_ends_and_what_was_seen_is_forgotten_in_time(place: Place) {
    let journal = place.open(0).await;
    let reader = journal.reader().clone();
    let session = |id: &str, account: Option<&str>| Session {
        id: id.to_owned(),
        account: account.map(|name| name.parse().unwrap()),
        until: at(100),
        body: r#"{"a":1}"#.to_owned(),
    };
    journal.put_session(session("a", None)).await.unwrap();
    journal.put_session(session("a", Some("anna"))).await.unwrap();
    journal.put_session(session("b", Some("anna"))).await.unwrap();
    assert_eq!(reader.session("a", at(99)).await.unwrap(), Some(session("a", Some("anna"))));
    assert_eq!(reader.session("a", at(100)).await.unwrap(), None);
    assert!(journal.drop_session("b").await.unwrap());
    assert!(!journal.drop_session("b").await.unwrap());
    assert_eq!(reader.session("b", at(1)).await.unwrap(), None);
    journal.put_session(session("other", Some("bernd"))).await.unwrap();
    let account = "anna".parse().unwrap();
    changed(&journal, 1, vec![Change::EndSessions { account }]).await;
    assert_eq!(reader.session("a", at(1)).await.unwrap(), None);
    assert!(reader.session("other", at(1)).await.unwrap().is_some());

    assert!(journal.see("hook/1", at(0), at(10)).await.unwrap());
    assert!(!journal.see("hook/1", at(9), at(10)).await.unwrap());
    assert!(journal.see("hook/1", at(10), at(20)).await.unwrap());
    assert_eq!(journal.count("login/anna", at(0), at(10)).await.unwrap(), 1);
    assert_eq!(journal.count("login/anna", at(1), at(11)).await.unwrap(), 2);
    assert_eq!(reader.tally("login/anna", at(2)).await.unwrap(), (2, at(11)));
    assert_eq!(journal.count("login/anna", at(11), at(12)).await.unwrap(), 1);
    journal.forget("login/anna").await.unwrap();
    assert_eq!(reader.tally("login/anna", at(11)).await.unwrap().0, 0);
    journal.put_session(session("c", None)).await.unwrap();
    journal.sweep(at(100)).await.unwrap();
    assert!(journal.see("hook/1", at(0), at(10)).await.unwrap(), "it was swept away");
}

pub(crate) async fn what_is_counted_changes_nothing_that_is_known_of_accounts(place: Place) {
    let journal = place.open(0).await;
    let version = || journal.access_version();
    // Somebody else may write a store of PostgreSQL.
    let before = version();
    assert_eq!(before.is_some(), place.is_sqlite());
    journal.count("login/anna", at(0), at(10)).await.unwrap();
    assert!(journal.see("hook/1", at(0), at(10)).await.unwrap());
    journal.forget("login/anna").await.unwrap();
    assert_eq!(version(), before, "strangers guess as often as they like");

    let mut known = vec![before];
    let session =
        Session { id: "a".to_owned(), account: None, until: at(100), body: "{}".to_owned() };
    journal.put_session(session).await.unwrap();
    known.push(version());
    journal.drop_session("a").await.unwrap();
    known.push(version());
    journal.use_up("none", at(1)).await.unwrap();
    known.push(version());
    journal.note_use("none", String::new(), at(1)).await.unwrap();
    known.push(version());
    journal.sweep(at(1)).await.unwrap();
    known.push(version());
    changed(&journal, 1, vec![Change::PutAccount(Box::new(account("anna")))]).await;
    known.push(version());
    let is_later = |pair: &[Option<u64>]| pair[0] < pair[1];
    assert!(!place.is_sqlite() || known.windows(2).all(is_later), "{known:?}");
}
