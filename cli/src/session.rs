//! Who owns the store: this process, or another one that is asked through the mailbox.

use std::sync::Arc;
use std::time::Duration;

use beistand_connectors::simulator::Canned;
use beistand_core::model::{EntryId, Millis, Person};
use beistand_core::run::Actor;
use beistand_core::timeline::Zone;
use beistand_journal::{Command, Journal, Mailbox, OpenError, Options, PostError, Reader};
use beistand_runtime::{Clock as _, Drive, Engine, Parts, Verb, Views, WallClock};
use beistand_script::Scripts;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::config::{Config, variable};
use crate::exit::{Exit, Failure, Outcome};
use crate::library::Shelves;
use crate::modes::modes;
use crate::out::Out;
use crate::prove::Proved;

/// The store where none is named.
pub(crate) const STORE: &str = "sqlite:beistand.db";

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
    /// Who acts; nobody where the operating system knows no name either.
    pub(crate) actor: Option<Actor>,
    /// Whether that was said with the call.
    pub(crate) said_who: bool,
    /// The file whose first line is their passphrase.
    pub(crate) passphrase: Option<std::path::PathBuf>,
    /// Who they proved to be; asked for once.
    pub(crate) proved: tokio::sync::OnceCell<Proved>,
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
    /// Another process has it: which, in words that go behind it; empty where that is not known.
    Elsewhere(String),
}

impl Held {
    /// The engine of a store that is needed whole; who else has it is named.
    pub(crate) fn here(self) -> Outcome<Box<Engine>> {
        match self {
            Self::Here(engine) => Ok(engine),
            Self::Elsewhere(owner) => Err(owned_by(&owner)),
        }
    }
}

/// That another process has the store: which, in words that go behind it.
pub(crate) fn owned_by(owner: &str) -> Failure {
    Failure::new(Exit::Conflict, format!("another process{owner} owns the store"))
}

/// What this process does once a verb is carried out.
#[derive(Clone, Copy)]
enum After {
    /// It leaves the store.
    Leave,
    /// It drives the runs.
    Drive,
}

impl Context {
    /// The engine's own work, until it is left: who is due, who asks by mailbox, the stop file.
    pub(crate) fn drive(&self, engine: &Engine) -> JoinHandle<()> {
        let (engine, file) = (engine.clone(), self.stop_file());
        tokio::spawn(async move { engine.run(file).await })
    }

    /// Who did what is written down: a person whose word stands on paper, typed in by who acts, or
    /// who acts where nobody is named.
    pub(crate) async fn wrote(&self, by: Option<&str>) -> Outcome<Actor> {
        let typed_by = self.who().await?;
        let Some(name) = by else { return Ok(typed_by) };
        let person: Person = name.parse().map_err(|error| Failure::usage(format!("{error}")))?;
        if person == typed_by.person {
            return Ok(typed_by);
        }
        Ok(Actor::on_paper(person, &typed_by))
    }

    /// The zone that people read times in.
    pub(crate) fn zone(&self) -> Zone {
        if self.utc { Zone::Utc } else { Zone::Berlin }
    }

    /// An instant for people, in their zone; JSON has UTC.
    pub(crate) fn time(&self, at: Millis) -> String {
        self.zone().shown(at)
    }

    /// Takes the store, or finds that another process has it.
    pub(crate) async fn take(&self, drive: Drive, canned: Vec<Canned>) -> Outcome<Held> {
        let mut options = Options::new(WallClock.now());
        options.crash_point = crate::crash::POINT;
        options.witness = self.witness()?;
        let journal = match Journal::open(&self.url, options).await {
            Ok(journal) => journal,
            Err(OpenError::Owned(owner)) => return Ok(Held::Elsewhere(owner)),
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
        if drive == Drive::Yes && self.present_stop_file().is_some() {
            // Before anything begins: who drives looks for it only from time to time.
            engine.stop_from_outside("the stop file is there").await;
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
                failure.hint(
                    "name another one by --store or --config; the first verb that writes makes one, \
                     for example `beistand init` or `beistand run`",
                )
            } else {
                failure
            }
        })
    }

    /// What is read through a reader, as JSON and as files.
    pub(crate) fn views(&self, reader: &Reader) -> Views {
        Views::new(reader.clone(), Arc::clone(&self.scripts))
    }

    /// Carries out one verb: here if nobody owns the store, otherwise by its owner. Where nobody
    /// drives what waits then, it says so.
    pub(crate) async fn act(&self, verb: Verb) -> Outcome<Value> {
        self.carry_out(verb, After::Leave).await
    }

    /// Carries out one verb whose effects are driven here right afterwards.
    pub(crate) async fn act_and_drive(&self, verb: Verb) -> Outcome<Value> {
        self.carry_out(verb, After::Drive).await
    }

    async fn carry_out(&self, verb: Verb, after: After) -> Outcome<Value> {
        self.proved().await?.may(&verb)?;
        let stops = matches!(verb, Verb::StopAll { .. });
        match self.take(Drive::No, Vec::new()).await? {
            Held::Elsewhere(_) => self.post(verb).await,
            Held::Here(engine) => {
                let done = engine.execute(verb).await;
                engine.answer_commands().await?;
                let said = match after {
                    After::Leave if !stops && done.is_ok() => {
                        self.say_who_goes_on(engine.journal().reader()).await
                    }
                    After::Leave | After::Drive => Ok(()),
                };
                engine.leave().await;
                let done = done?;
                said?;
                Ok(done)
            }
        }
    }

    /// What becomes of the runs of a store that nobody drives.
    pub(crate) async fn say_who_goes_on(&self, reader: &Reader) -> Outcome<()> {
        let Some(due) = reader.next_due().await? else { return Ok(()) };
        if self.say_stopped(reader).await? {
            return Ok(());
        }
        if due <= WallClock.now() {
            self.out.note("continues with `beistand resume`");
        } else {
            let at = self.time(due);
            self.out.note(format_args!(
                "something is due at {at}, and nothing drives the runs: `beistand resume` does"
            ));
        }
        Ok(())
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
            Verb::Run { run, .. } | Verb::Telephone { run, .. } => run.to_string(),
            Verb::Supersede(new) => new.run.to_string(),
            Verb::More(more) => more.run.to_string(),
            Verb::TurnReal { incident, .. } | Verb::Incident { incident, .. } => {
                incident.to_string()
            }
            Verb::Launch(_)
            | Verb::OpenIncident(_)
            | Verb::StopAll { .. }
            | Verb::GoOn { .. }
            | Verb::PauseConnector { .. }
            | Verb::Misheard { .. }
            | Verb::Access { .. } => String::new(),
        };
        let command =
            Command { id: id.to_string(), at: now, who: self.who().await?.person, target, body };
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
pub(crate) fn actor(given: Option<&str>) -> Outcome<Option<Actor>> {
    let ours = || ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| variable(name));
    let name = given.map(str::to_owned).or_else(ours).or_else(|| {
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        name_of(&users, rustix::process::getuid().as_raw())
    });
    name.as_deref().map(named).transpose()
}

/// Somebody of this name. While there are no accounts that is asserted.
pub(crate) fn named(name: &str) -> Outcome<Actor> {
    let person: Person = name.parse().map_err(|error| Failure::usage(format!("{error}")))?;
    Ok(Actor::asserted(person))
}

/// The name of a user in the form of passwd(5). Where a directory knows the users, this does not:
/// such a directory may be what was attacked.
fn name_of(users: &str, user: u32) -> Option<String> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(user)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn the_user_of_the_operating_system_has_a_name_where_the_machine_knows_it() {
        let users = "root:x:0:0:root:/root:/bin/sh\nanna:x:1000:1000::/home/anna:/bin/sh\n";
        assert_eq!(name_of(users, 1000).as_deref(), Some("anna"));
        assert_eq!(name_of(users, 4242), None);
    }
}
