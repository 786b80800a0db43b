//! The mailbox: verbs of other processes while someone owns the store.
//!
//! A command is a row. The owner reads it, decides, and writes the answer in the transaction of
//! what follows from it ([`crate::Change::AnswerCommand`]), so that a command that was answered was
//! done, and done once.

use std::time::Duration;

use beistand_core::model::{Millis, Person};
use thiserror::Error;

use crate::error::{OpenError, StoreError};
use crate::lock::one_name;
use crate::migrate::{Found, inspect};
use crate::place::{Place, check_safety};
use crate::schema::VERSION;
use crate::sql::{Connection, params};

/// Between two looks for an answer.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What another process asks of the owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// A UUID, made by the asker.
    pub id: String,
    /// When it was asked.
    pub at: Millis,
    /// Who asks.
    pub who: Person,
    /// What it is about: a run, an incident, a need, or empty for the store.
    pub target: String,
    /// The command, JSON.
    pub body: String,
}

/// Why no answer came.
#[derive(Debug, Error)]
pub enum PostError {
    /// Nobody answered in time; the command stays and will be answered.
    #[error("the owner of the store did not answer within {0:?}")]
    NoAnswer(Duration),
    /// The store could not be read or written.
    #[error("could not reach the store")]
    Store(#[from] StoreError),
}

/// Posts commands to whoever owns the store.
#[derive(Debug)]
pub struct Mailbox {
    connection: Connection,
}

impl Mailbox {
    /// Opens the store for posting; takes no lock, makes nothing.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        let place = Place::parse(url)?;
        if !place.exists() {
            return Err(OpenError::Missing(place.name()));
        }
        if let Place::Sqlite(path) = &place {
            one_name(path)?;
        }
        let failed = |source| StoreError::Database { what: "open the mailbox", source };
        let mut look = place.look().await.map_err(failed)?;
        let found = inspect(&mut look, &place).await;
        look.close().await.map_err(failed)?;
        match found? {
            Found::Store { version: VERSION } => {}
            Found::Store { version } => {
                return Err(OpenError::Outdated { found: version, known: VERSION });
            }
            Found::Nothing => return Err(OpenError::Missing(place.name())),
        }
        let mut connection = place.connect().await.map_err(failed)?;
        check_safety(&mut connection).await?;
        Ok(Self { connection })
    }

    /// Posts a command; durable on return. The same id twice is one command.
    pub async fn post(&mut self, command: &Command) -> Result<(), StoreError> {
        let what = "post a command";
        if [&command.target, &command.body].iter().any(|text| text.contains('\0')) {
            let why = "a text holds a zero character".to_owned();
            return Err(StoreError::Damaged { what: "command", why });
        }
        let sql = "insert into command (id, at, who, target, body) values ($1, $2, $3, $4, $5)
             on conflict (id) do nothing";
        let params = params![
            command.id.as_str(),
            command.at.get(),
            command.who.as_str(),
            command.target.as_str(),
            command.body.as_str(),
        ];
        let posted = self.connection.execute(sql, params).await;
        posted.map(|_| ()).map_err(|source| StoreError::Database { what, source })
    }

    /// The answer, if there is one yet.
    pub async fn look(&mut self, id: &str) -> Result<Option<String>, StoreError> {
        let what = "look for the answer to a command";
        let sql = "select answer from command where id = $1";
        let row = self.connection.row(sql, params![id]).await;
        let row = row.map_err(|source| StoreError::Database { what, source })?;
        Ok(row.map(|mut row| row.maybe_text("command.answer")).transpose()?.flatten())
    }

    /// Waits for the answer, looking every 20 ms.
    pub async fn answer(&mut self, id: &str, wait: Duration) -> Result<String, PostError> {
        let until = tokio::time::Instant::now() + wait;
        loop {
            if let Some(answer) = self.look(id).await? {
                return Ok(answer);
            }
            if tokio::time::Instant::now() >= until {
                return Err(PostError::NoAnswer(wait));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
