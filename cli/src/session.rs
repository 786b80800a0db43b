//! Who owns the store: this process, or another one that is asked through the mailbox.

use std::sync::Arc;
use std::time::Duration;

use beistand_connectors::simulator::Canned;
use beistand_core::model::{EntryId, Person};
use beistand_core::run::Actor;
use beistand_journal::{Command, Journal, Mailbox, OpenError, Options, PostError, Reader};
use beistand_runtime::{Clock as _, Drive, Engine, Parts, Verb, WallClock};
use beistand_script::Scripts;
use serde_json::Value;

use crate::config::Config;
use crate::exit::{Exit, Failure, Outcome};
use crate::library::Shelves;
use crate::modes::modes;
use crate::out::Out;

/// How long a verb waits for the store's owner.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How often meanwhile it looks whether there still is one.
const LOOKS_FOR_OWNER: u32 = 10;

/// Everything a verb needs.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) config_file: Option<std::path::PathBuf>,
    pub(crate) url: String,
    pub(crate) actor: Actor,
    pub(crate) out: Out,
    pub(crate) scripts: Arc<Scripts>,
    pub(crate) shelves: Shelves,
    pub(crate) german: bool,
    pub(crate) utc: bool,
}

/// An opened store.
pub(crate) enum Held {
    /// Ours.
    Here(Box<Engine>),
    /// Another process has it.
    Elsewhere,
}

impl Context {
    /// Takes the store, or finds that another process has it.
    pub(crate) async fn take(&self, drive: Drive, canned: Vec<Canned>) -> Outcome<Held> {
        let mut options = Options::new(WallClock.now());
        options.crash_point = crate::crash::POINT;
        options.witness = self.witness()?;
        let journal = match Journal::open(&self.url, options).await {
            Ok(journal) => journal,
            Err(OpenError::Owned(_)) => return Ok(Held::Elsewhere),
            Err(error) => return Err(error.into()),
        };
        let modes = modes(&self.config, journal.meta().store, &self.url, canned)?;
        let parts = Parts {
            journal,
            clock: Arc::new(WallClock),
            modes,
            scripts: Arc::clone(&self.scripts),
            drive,
            random: getrandom::fill,
            crash_point: crate::crash::POINT,
        };
        let engine = Engine::new(parts).await?;
        for (name, value) in &self.config.connectors {
            if let Some(places) = value.get("max_parallel").and_then(Value::as_u64) {
                engine.limit_places(name.clone(), u32::try_from(places).unwrap_or(u32::MAX));
            }
        }
        Ok(Held::Here(Box::new(engine)))
    }

    /// Where the newest seal of the store is kept; nowhere for a PostgreSQL without a configuration.
    pub(crate) fn witness(&self) -> Outcome<Option<std::path::PathBuf>> {
        match &self.config.witness {
            Some(named) => Ok(Some(named.clone())),
            None => Ok(beistand_journal::witness_of(&self.url, self.config_file.as_deref())?),
        }
    }

    /// Opens the store for reading; takes no lock.
    pub(crate) async fn reader(&self) -> Outcome<Reader> {
        Reader::open(&self.url).await.map_err(|error| {
            let missing = matches!(error, OpenError::Missing(_));
            let failure = Failure::from(error);
            if missing {
                failure.hint("the first verb that writes makes a store, for example `beistand run`")
            } else {
                failure
            }
        })
    }

    /// Carries out one verb: here if nobody owns the store, otherwise by its owner.
    pub(crate) async fn act(&self, verb: Verb) -> Outcome<Value> {
        match self.take(Drive::No, Vec::new()).await? {
            Held::Elsewhere => self.post(verb).await,
            Held::Here(engine) => {
                let done = engine.execute(verb).await;
                engine.answer_commands().await?;
                let waiting = engine.journal().reader().next_due().await?.is_some();
                engine.leave().await;
                if waiting && done.is_ok() {
                    self.out.note("continues with `beistand resume`");
                }
                Ok(done?)
            }
        }
    }

    /// Asks the owner of the store.
    pub(crate) async fn post(&self, verb: Verb) -> Outcome<Value> {
        let mut mailbox = Mailbox::open(&self.url).await?;
        let mut random = [0; 10];
        getrandom::fill(&mut random)
            .map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
        let now = WallClock.now();
        let id = EntryId::at(now, &random);
        let body = serde_json::to_string(&verb)
            .map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
        let target = match &verb {
            Verb::Run { run, .. } => run.to_string(),
            Verb::Incident { incident, .. } => incident.to_string(),
            Verb::Launch(_)
            | Verb::OpenIncident(_)
            | Verb::StopAll { .. }
            | Verb::GoOn { .. }
            | Verb::PauseConnector { .. } => String::new(),
        };
        let command =
            Command { id: id.to_string(), at: now, who: self.actor.person.clone(), target, body };
        mailbox.post(&command).await?;
        let answer = self.heard(&mut mailbox, &command.id).await?;
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        match answer.get("error") {
            Some(error) => Err(Failure::from_answer(error)),
            None => Ok(answer.get("ok").cloned().unwrap_or_default()),
        }
    }

    /// Waits for an answer. An owner that left in this very moment has not seen the command: then
    /// nobody owns the store, and it is answered here.
    async fn heard(&self, mailbox: &mut Mailbox, command: &str) -> Outcome<String> {
        for _ in 1..LOOKS_FOR_OWNER {
            match mailbox.answer(command, ANSWER_WITHIN / LOOKS_FOR_OWNER).await {
                Err(PostError::NoAnswer(_)) => {}
                other => return Ok(other?),
            }
            if let Held::Here(engine) = self.take(Drive::No, Vec::new()).await? {
                let answered = engine.answer_commands().await;
                engine.leave().await;
                answered?;
            }
        }
        Ok(mailbox.answer(command, ANSWER_WITHIN / LOOKS_FOR_OWNER).await?)
    }
}

/// Who acts: a given name, or the user of the operating system.
pub(crate) fn actor(named: Option<&str>) -> Outcome<Actor> {
    let name = match named {
        Some(name) => name.to_owned(),
        None => ["SUDO_USER", "USER", "LOGNAME"]
            .iter()
            .find_map(|name| crate::config::variable(name))
            .unwrap_or_else(|| "unknown".to_owned()),
    };
    let person: Person = name.parse().map_err(|error| Failure::usage(format!("{error}")))?;
    Ok(Actor { person, asserted: true })
}
