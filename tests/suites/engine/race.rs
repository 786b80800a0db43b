//! Two voters race, a thousand times: each vote counts once or comes too late, and whatever the order
//! there is one effect.

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier};

use beistand_core::access::{AccountKind, Grant, Reach};
use beistand_core::model::{NeedId, Role, RunId};
use beistand_core::run::{Actor, Answer, AnswerError, AnswerKind, Command, Proof, Reply};
use beistand_journal::NeedFilter;
use beistand_runtime::{AccessAct, Engine, EngineError, NewRun, Verb, compare};
use beistand_script::Scripts;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::world::{Calls, anna, engine_with, new_run, noting};

/// Races in all, a third of each kind.
const RACES: usize = 1_000;

fn asking(votes: u32) -> String {
    format!(
        "playbook: ask-{votes}\nlanguage: 1\ntitle: Ask\nsteps:\n  - id: post\n    \
         approval: {{ role: approver, votes: {votes} }}\n    call: chat.post\n    \
         with: {{ room: crisis, text: go }}\n"
    )
}

fn actor(person: &str, account: &str) -> Actor {
    Actor::proved(person.parse().unwrap(), Proof::Passphrase).with_account(account.parse().unwrap())
}

async fn account(engine: &Engine, (name, person): (&str, &str), role: Option<Role>, by: Actor) {
    let person: beistand_core::model::Person = person.parse().unwrap();
    let grant = |role| Grant { person: person.clone(), role, reach: Reach::Instance, until: None };
    let act = AccessAct::AddAccount {
        account: name.parse().unwrap(),
        kind: AccountKind::Person,
        person: Some(person.clone()),
        credentials: Vec::new(),
        grants: role.map(grant).into_iter().collect(),
    };
    engine.execute(Verb::Access { act, by }).await.unwrap();
}

struct Race {
    engine: Engine,
    calls: Calls,
}

impl Race {
    async fn new(folder: &std::path::Path) -> Self {
        let calls = Calls::default();
        let others = vec![("chat", "noting", noting(&calls))];
        let engine = engine_with(&folder.join("a.db"), others, |parts| parts).await;
        let root = actor("root", "root");
        account(&engine, ("root", "root"), Some(Role::Admin), anna()).await;
        account(&engine, ("cleo", "cleo"), Some(Role::Commander), root.clone()).await;
        account(&engine, ("ben", "ben"), Some(Role::Approver), root.clone()).await;
        account(&engine, ("dora", "dora"), Some(Role::Deputy), root.clone()).await;
        account(&engine, ("dora.duty", "dora"), None, root).await;
        Self { engine, calls }
    }

    /// A run at its gate.
    async fn gate(&self, text: &str) -> (RunId, NeedId) {
        let new = NewRun { by: actor("cleo", "cleo"), ..new_run(text, json!({})) };
        let run = self.engine.execute(Verb::Launch(Box::new(new))).await.unwrap();
        let run: RunId = run["run"].as_str().unwrap().parse().unwrap();
        let filter = NeedFilter { run: Some(run), ..NeedFilter::default() };
        let needs = self.engine.journal().reader().needs(&filter).await.unwrap();
        assert_eq!(needs.len(), 1, "the gate is written with the run");
        (run, needs[0].id)
    }

    async fn vote(&self, (run, need): (RunId, NeedId), by: Actor) -> Result<Reply, EngineError> {
        vote(&self.engine, (run, need), by).await
    }

    /// Two vote on threads of their own; what each is told.
    async fn both(
        &self,
        at: (RunId, NeedId),
        voters: [Actor; 2],
    ) -> [Result<Reply, EngineError>; 2] {
        let together = Arc::new(Barrier::new(2));
        let [one, other] = voters.map(|by| {
            let (engine, together) = (self.engine.clone(), Arc::clone(&together));
            tokio::task::spawn_blocking(move || {
                together.wait();
                Handle::current().block_on(vote(&engine, at, by))
            })
        });
        [one.await.unwrap(), other.await.unwrap()]
    }
}

async fn vote(
    engine: &Engine,
    (run, need): (RunId, NeedId),
    by: Actor,
) -> Result<Reply, EngineError> {
    let answers = vec![Answer {
        need,
        answer: AnswerKind::Approve,
        reason: String::new(),
        form: Value::Null,
        digest: None,
        done_at: None,
    }];
    let command = Command::Answer { answers, by, roles: None };
    let told = engine.execute(Verb::Run { run, command }).await?;
    Ok(serde_json::from_value(told).unwrap())
}

/// The replies of those who counted, and how many came too late.
fn counted(told: [Result<Reply, EngineError>; 2]) -> (Vec<Reply>, usize) {
    let (mut replies, mut late) = (Vec::new(), 0);
    for told in told {
        match told {
            Ok(reply) => replies.push(reply),
            Err(EngineError::Answer(AnswerError::Conflict(_))) => late += 1,
            Err(error) => panic!("{error}"),
        }
    }
    replies.sort_by_key(|reply| *reply == Reply::Done);
    (replies, late)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_voters_race_a_thousand_times_and_there_is_one_effect_each() {
    let folder = tempfile::tempdir().unwrap();
    let race = Race::new(folder.path()).await;
    let (one, two) = (asking(1), asking(2));
    let (ben, dora, duty) =
        (actor("ben", "ben"), actor("dora", "dora"), actor("dora", "dora.duty"));
    let voted = Reply::Voted { votes: 1, needed: 2 };
    let mut runs = Vec::new();
    for round in 0..RACES {
        let at = match round % 3 {
            0 => {
                let at = race.gate(&one).await;
                let told = race.both(at, [ben.clone(), dora.clone()]).await;
                assert_eq!(counted(told), (vec![Reply::Done], 1), "round {round}");
                at
            }
            1 => {
                let at = race.gate(&two).await;
                let told = race.both(at, [ben.clone(), dora.clone()]).await;
                assert_eq!(counted(told), (vec![voted.clone(), Reply::Done], 0), "round {round}");
                at
            }
            _ => {
                let at = race.gate(&two).await;
                let told = race.both(at, [dora.clone(), duty.clone()]).await;
                assert_eq!(counted(told), (vec![voted.clone()], 1), "round {round}");
                assert_eq!(race.vote(at, ben.clone()).await.unwrap(), Reply::Done);
                at
            }
        };
        runs.push(at.0);
    }
    race.engine.rest().await;
    let keys: Vec<_> = race.calls.lock().unwrap().iter().map(|call| call.key).collect();
    let each: BTreeSet<_> = keys.iter().collect();
    assert_eq!((keys.len(), each.len()), (RACES, RACES), "one effect each");
    let reader = race.engine.journal().reader();
    for run in runs {
        assert_eq!(reader.run(run).await.unwrap().unwrap().status, "succeeded");
    }
    let found = compare(reader, &Scripts::without_budget()).await.unwrap();
    assert_eq!(found.differences, []);
    race.engine.leave().await;
}
