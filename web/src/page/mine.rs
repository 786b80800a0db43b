//! Which of the open needs somebody can answer: what waits for *them*.
//!
//! It shows and decides nothing: the engine asks again when they answer.

use std::collections::BTreeMap;
use std::error::Error;
use std::str::FromStr;

use beistand_core::access::{Permission, stands_in};
use beistand_core::model::{IncidentId, Role, RunId};
use beistand_journal::NeedFilter;
use beistand_runtime::Caller;
use serde_json::Value;

use crate::app::App;
use crate::report::Problem;

/// What waits for somebody, oldest first, as the engine tells it.
pub(crate) async fn needs(app: &App, caller: &Caller) -> Result<Vec<Value>, Problem> {
    let all = app.views.needs(&NeedFilter::default(), &caller.rights.scope()).await?;
    let mut sieve = Sieve::new(app, caller);
    let mut found = Vec::new();
    for need in all {
        if sieve.is_theirs(&need).await? {
            found.push(need);
        }
    }
    found.sort_by(|one, other| text(one, "since").cmp(text(other, "since")));
    Ok(found)
}

/// Tells what is somebody's from what is not; what it found out once it does not ask again.
pub(crate) struct Sieve<'a> {
    app: &'a App,
    caller: &'a Caller,
    roles: BTreeMap<IncidentId, Held>,
    askers: BTreeMap<RunId, String>,
}

/// What somebody holds in an incident.
#[derive(Debug, Clone)]
struct Held {
    /// `None`: every role.
    roles: Option<std::collections::BTreeSet<Role>>,
    approves: bool,
    answers: bool,
}

impl<'a> Sieve<'a> {
    pub(crate) fn new(app: &'a App, caller: &'a Caller) -> Self {
        Self { app, caller, roles: BTreeMap::new(), askers: BTreeMap::new() }
    }

    /// Whether it waits for them: they can answer it, and have not approved it yet.
    pub(crate) async fn is_theirs(&mut self, need: &Value) -> Result<bool, Problem> {
        Ok(!voted(need, self.caller) && self.may_answer(need).await?)
    }

    /// Whether they can answer it.
    pub(crate) async fn may_answer(&mut self, need: &Value) -> Result<bool, Problem> {
        let Ok(incident) = text(need, "incident").parse::<IncidentId>() else { return Ok(false) };
        let held = self.held(incident).await?;
        let is_vote = text(need, "kind") == "approval";
        let may = if is_vote { held.approves } else { held.answers };
        let asked: Option<Role> = text(need, "role").parse().ok();
        let escalated = match text(need, "escalated_at") {
            "" => None,
            _ => Some(self.app.engine.escalation_in(incident).await?),
        };
        let asked: Vec<Role> = [asked, escalated].into_iter().flatten().collect();
        let fits = held.roles.is_none_or(|held| {
            held.iter().any(|held| asked.iter().any(|asked| stands_in(*held, *asked)))
        });
        if !(may && fits) {
            return Ok(false);
        }
        Ok(!is_vote || self.asker(need).await? != self.caller.actor.person.as_str())
    }

    async fn held(&mut self, incident: IncidentId) -> Result<Held, Problem> {
        if let Some(held) = self.roles.get(&incident) {
            return Ok(held.clone());
        }
        let about = self.app.engine.about_incident(incident).await?;
        let rights = &self.caller.rights;
        let held = Held {
            roles: rights.roles(&about),
            approves: rights.may(Permission::Approve, &about),
            answers: rights.may(Permission::Answer, &about),
        };
        self.roles.insert(incident, held.clone());
        Ok(held)
    }

    /// Who asked for what a vote is about.
    async fn asker(&mut self, need: &Value) -> Result<String, Problem> {
        if let Some(by) = need.pointer("/shows/requester").and_then(Value::as_str) {
            return Ok(by.to_owned());
        }
        let Ok(run) = text(need, "run").parse::<RunId>() else { return Ok(String::new()) };
        if let Some(known) = self.askers.get(&run) {
            return Ok(known.clone());
        }
        let row = self.app.engine.journal().reader().run(run).await?;
        let by = row.map(|row| row.requested_by.to_string()).unwrap_or_default();
        self.askers.insert(run, by.clone());
        Ok(by)
    }
}

/// Whether somebody is one of those who approved it so far.
pub(crate) fn voted(need: &Value, caller: &Caller) -> bool {
    let by = need.get("voted_by").and_then(Value::as_array);
    by.is_some_and(|by| by.iter().any(|one| one.as_str() == Some(caller.actor.person.as_str())))
}

/// What a thing in JSON has under a name, as a type of ours. The engine says nothing else; where it would,
/// the page says that something is wrong: whether it is real is not guessed.
///
/// # Errors
/// 500 where it can not be read.
pub(crate) fn read<T>(thing: &Value, name: &str) -> Result<T, Problem>
where
    T: FromStr<Err: Error + 'static>,
{
    text(thing, name).parse().map_err(|error: T::Err| Problem::internal(&error).place(name))
}

/// A text of a thing in JSON; empty where it has none.
pub(crate) fn text<'v>(thing: &'v Value, name: &str) -> &'v str {
    thing.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use crate::api::world::{SOON, World};
    use crate::page::told::look;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_was_escalated_to_somebody_waits_for_them() {
        let world = World::new().await;
        let mut news = world.engine.news();
        let run = world.run("late", "drill", "late").await;
        let title = "Look at it in time";
        let waits = "class=\"need need-approval\"";
        let lists = |page: &str| page.contains(waits) && page.contains(title);
        assert!(lists(&look(&world, "/", "commander").await.2));
        loop {
            let waits = lists(&look(&world, "/", "deputy").await.2);
            if !world.needs(&run, 1).await[0]["escalated_at"].is_null() {
                break;
            }
            assert!(!waits, "nobody was late yet");
            timeout(SOON, news.recv()).await.expect("news").expect("news");
        }
        assert!(lists(&look(&world, "/", "deputy").await.2));
    }
}
