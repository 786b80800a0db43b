//! Commands to the engine: from this process, or through the mailbox from others. One code path.

use std::collections::BTreeSet;
use std::sync::Arc;

use beistand_core::entry::StreamKind;
use beistand_core::incident::store;
use beistand_core::model::{AccountName, ConnectorName, EntryId, IncidentId, Millis, Mode, RunId};
use beistand_core::run::{Actor, AnswerError, Command, LaunchError, Reply};
use beistand_core::timeline::visible;
use beistand_journal::{Append, Change, To};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use crate::access::{AccessAct, Caller, From, USED_UP, of_command};
use crate::drive::{Answer, Job, Order, missing};
use crate::engine::{Engine, Inner};
use crate::error::EngineError;
use crate::incidents::{IncidentAct, Instruction, NewIncident};
use crate::more::NewMore;
use crate::open::NewRun;
use crate::successor::NewSuccessor;

/// So much of why everything was stopped is said to whoever is refused: the rest stands where it is
/// looked up.
const REASON_CHARS_MAX: usize = 200;

/// What can be asked of an engine.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case")]
pub enum Verb {
    /// Launch a run.
    Launch(Box<NewRun>),
    /// Launch a run of the same plan for more items.
    More(Box<NewMore>),
    /// Let a corrected playbook take over from a run.
    Supersede(Box<NewSuccessor>),
    /// A command to one run.
    Run {
        /// Which.
        run: RunId,
        /// What.
        command: Command,
    },
    /// An answer of somebody on the telephone.
    Telephone {
        /// Names their printed code, which was looked at where it was typed; it is used up.
        code: String,
        /// Which run.
        run: RunId,
        /// What: it says who is on the telephone, and through whom.
        command: Command,
    },
    /// Somebody typed in a code that was none: a guess, which is counted against them.
    Misheard {
        /// Whose code it should have been.
        account: AccountName,
        /// Who typed it.
        by: Actor,
    },
    /// Open an incident.
    OpenIncident(NewIncident),
    /// A drill turned out to be real: a live incident of what is known in it, once.
    TurnReal {
        /// Which drill.
        incident: IncidentId,
        /// The provider's short name, for the number.
        short: String,
        /// Who.
        by: Actor,
    },
    /// Write something into an incident's stream.
    Incident {
        /// Which.
        incident: IncidentId,
        /// What.
        act: IncidentAct,
        /// Who.
        by: Actor,
        /// Refused as a conflict unless this is the number of the incident's newest entry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        if_seq: Option<u64>,
    },
    /// The stop switch: nothing starts any more.
    StopAll {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// The stop switch goes off again; another person's act.
    GoOn {
        /// Who.
        by: Actor,
        /// Why: after a restore, the sentence that the old instance is off.
        reason: String,
    },
    /// A connector starts nothing, or goes on.
    PauseConnector {
        /// Which.
        connector: ConnectorName,
        /// Pause or go on.
        paused: bool,
        /// Who.
        by: Actor,
    },
    /// Change who may do what.
    Access {
        /// What.
        #[serde(flatten)]
        act: AccessAct,
        /// Who.
        by: Actor,
    },
}

impl Verb {
    /// When something happened that it tells of, where it says so; of several instants the last.
    fn happened_at(&self) -> Option<Millis> {
        match self {
            Self::Run { command: Command::Answer { answers, .. }, .. }
            | Self::Telephone { command: Command::Answer { answers, .. }, .. } => {
                answers.iter().filter_map(|answer| answer.done_at).max()
            }
            Self::Incident { act, .. } => act.happened_at(),
            Self::Launch(_)
            | Self::More(_)
            | Self::Supersede(_)
            | Self::Run { .. }
            | Self::Telephone { .. }
            | Self::Misheard { .. }
            | Self::OpenIncident(_)
            | Self::TurnReal { .. }
            | Self::StopAll { .. }
            | Self::GoOn { .. }
            | Self::PauseConnector { .. }
            | Self::Access { .. } => None,
        }
    }
}

impl Engine {
    /// Does what is asked; the answer is durable on return.
    ///
    /// # Errors
    /// [`EngineError`], by what the asker can do.
    pub async fn execute(&self, verb: Verb) -> Result<Value, EngineError> {
        self.execute_for(verb, None, From::Here(None)).await
    }

    /// The same for somebody who may do no more than this: a token is made for less than its owner.
    /// Why everything was stopped can be somebody else's affair, and is told to who reads everything.
    ///
    /// # Errors
    /// [`EngineError`], by what the asker can do.
    pub async fn execute_as(&self, caller: &Caller, verb: Verb) -> Result<Value, EngineError> {
        let done = self.execute_for(verb, None, From::Here(Some(caller))).await;
        done.map_err(|error| {
            let stopped = matches!(error, EngineError::Stopped(_));
            if stopped && !caller.rights.scope().is_all() {
                EngineError::Stopped("the stop switch is on; no new run begins".to_owned())
            } else {
                error
            }
        })
    }

    pub(crate) async fn execute_for(
        &self,
        mut verb: Verb,
        mailbox: Option<&str>,
        from: From<'_>,
    ) -> Result<Value, EngineError> {
        self.authorize(&mut verb, from).await?;
        let yet_to_come = |at: &Millis| !at.can_have_been(self.0.clock.now());
        if let Some(at) = verb.happened_at().filter(yet_to_come) {
            return Err(EngineError::Usage(format!("{at} is yet to come, and did not happen")));
        }
        match verb {
            Verb::Launch(new) => {
                let run = self.launch(*new).await?;
                Ok(json!({"run": run}))
            }
            Verb::More(new) => self.more(*new).await,
            Verb::Supersede(new) => self.supersede(*new).await,
            Verb::Run { run, command } => self.run_command((run, command), (mailbox, None)).await,
            Verb::Telephone { code, run, command } => {
                self.telephoned(&code, (run, command), mailbox).await
            }
            Verb::Misheard { account, by } => match self.misheard(&account, &by.person).await {
                Ok(_) => Ok(Value::Null),
                Err(denied) => Err(EngineError::Internal(denied.to_string())),
            },
            Verb::OpenIncident(new) => {
                let incident = self.open_incident(&new).await?;
                Ok(json!({"incident": incident.id, "number": incident.number}))
            }
            Verb::TurnReal { incident, short, by } => self.turn_real(incident, short, by).await,
            Verb::Incident { incident, act, by, if_seq } => {
                self.act(Instruction { incident, act, by, if_seq, entry: None }).await
            }
            Verb::StopAll { by, reason } => self.stop_all(by, reason).await,
            Verb::GoOn { by, reason } => self.go_on(by, reason).await,
            Verb::PauseConnector { connector, paused, by } => {
                let (name, at) = (connector.clone(), self.0.clock.now());
                let (head, change) = if paused {
                    let head = store::Head::ConnectorPaused { connector: name.clone() };
                    (head, Change::Pause { connector: name, at })
                } else {
                    let head = store::Head::ConnectorUnpaused { connector: name.clone() };
                    (head, Change::Unpause { connector: name })
                };
                self.store_event(head, Some(by), String::new(), vec![change]).await?;
                self.0.places.pause(connector, paused);
                Ok(json!({"paused": self.0.places.paused()}))
            }
            Verb::Access { act, by } => self.access(act, by).await,
        }
    }

    /// A command to a run, and the printed code that it uses up; what is refused is written down.
    pub(crate) async fn run_command(
        &self,
        (run, command): (RunId, Command),
        (mailbox, code): (Option<&str>, Option<String>),
    ) -> Result<Value, EngineError> {
        let (by, act) = (command.by().clone(), of_command(&command));
        let mailbox = mailbox.map(str::to_owned);
        let reply = self.ordered(run, Order { command, mailbox, code, reply: None }).await;
        if let Err(EngineError::Answer(AnswerError::NotAllowed(_)) | EngineError::NotAllowed(_)) =
            &reply
        {
            self.refused(&by, act.as_str(), Some(run.to_string())).await?;
        }
        Ok(json!(reply?))
    }

    /// Gives a run a command and waits for what becomes of it.
    ///
    /// # Errors
    /// [`EngineError::Answer`] where the run refuses it.
    pub async fn command(
        &self,
        run: RunId,
        command: Command,
        mailbox: Option<&str>,
    ) -> Result<Reply, EngineError> {
        let mailbox = mailbox.map(str::to_owned);
        self.ordered(run, Order { command, mailbox, code: None, reply: None }).await
    }

    async fn ordered(&self, run: RunId, order: Order) -> Result<Reply, EngineError> {
        let (reply, answered) = oneshot::channel();
        let order = Order { reply: Some(reply), ..order };
        if !self.0.deliver(run, Job::Command(Box::new(order))).await? {
            return Err(missing(run));
        }
        match answered.await {
            Ok(Answer::Written(reply)) => Ok(reply?),
            Ok(Answer::Unwritten(why)) => Err(EngineError::Conflict(why)),
            Ok(Answer::UsedUp) => Err(EngineError::NotAllowed(USED_UP.to_owned())),
            Err(_) => {
                Err(EngineError::Conflict("the run went to another owner; try again".to_owned()))
            }
        }
    }

    pub(crate) fn entry_id(&self, now: Millis) -> Result<EntryId, EngineError> {
        Ok(self.0.chance()?.entry_id(now))
    }

    /// An entry in the store's own stream.
    pub(crate) async fn store_event(
        &self,
        head: store::Head,
        by: Option<Actor>,
        reason: String,
        changes: Vec<Change>,
    ) -> Result<(), EngineError> {
        self.store_events(vec![store::Event::new(head, by).text(reason)], changes).await
    }

    pub(crate) async fn store_events(
        &self,
        events: Vec<store::Event>,
        changes: Vec<Change>,
    ) -> Result<(), EngineError> {
        let mut append = self.store_entry(&events)?.urgent();
        append.changes = changes;
        self.0.journal.append(append).await?;
        Ok(())
    }

    /// An entry in the store's own stream, to be appended; not while the disk is full.
    pub(crate) fn store_entry(&self, events: &[store::Event]) -> Result<Append, EngineError> {
        let now = self.0.clock.now();
        let (head, body) = store::encode(self.entry_id(now)?, events);
        let id = self.0.journal.meta().store.to_string();
        let mut append = Append::new(To::End { kind: StreamKind::Store, id }, now, head);
        append.body = body;
        Ok(append)
    }

    /// The stop switch: checked in the transaction of every intent, so that after this no effect
    /// begins. What is out is named.
    async fn stop_all(&self, by: Actor, reason: String) -> Result<Value, EngineError> {
        // Before anything that may take long or fail: here nothing begins from now on.
        self.0.set_stopped(true);
        let _switch = self.0.switch.lock().await;
        let meta = self.0.journal.reader().meta().await?;
        // Also where it is on: whoever stops last is who does not let things go on. What a restore
        // wants before that stays.
        let mut body: Map<String, Value> =
            serde_json::from_str(&meta.stop_body).unwrap_or_default();
        body.insert("by".to_owned(), json!(by.person));
        body.insert("reason".to_owned(), json!(reason));
        let stop = Change::Stop { at: self.0.clock.now(), body: json!(body).to_string() };
        self.store_event(store::Head::Stopped, Some(by), reason, vec![stop]).await?;
        // Who let things go on before this has said so in memory.
        self.0.set_stopped(true);
        let open: Vec<Value> = self.0.open_effects();
        Ok(json!({"stopped": true, "open": open}))
    }

    async fn go_on(&self, by: Actor, reason: String) -> Result<Value, EngineError> {
        let _switch = self.0.switch.lock().await;
        let meta = self.0.journal.reader().meta().await?;
        if meta.stopped_at.is_none() {
            // Memory may know of a stop that could not be written.
            self.0.set_stopped(false);
            return Ok(json!({"stopped": false}));
        }
        let stopped: Value = serde_json::from_str(&meta.stop_body).unwrap_or_default();
        let stopped_by = stopped.get("by").and_then(Value::as_str);
        let restored = stopped.get("restored").and_then(Value::as_bool).unwrap_or(false);
        if stopped_by == Some(by.person.as_str()) {
            let text =
                format!("`{}` stopped everything; going on is another person's act", by.person);
            return Err(EngineError::NotAllowed(text));
        }
        if restored && reason.trim().is_empty() {
            let text = "after a restore, say with --reason that the old instance is off".to_owned();
            return Err(EngineError::Usage(text));
        }
        self.store_event(store::Head::GoneOn, Some(by), reason, vec![Change::GoOn]).await?;
        self.0.set_stopped(false);
        Ok(json!({"stopped": false}))
    }
}

impl Inner {
    pub(crate) fn set_stopped(&self, stopped: bool) {
        for mode in [Mode::Live, Mode::Drill] {
            self.share(mode, |shared| shared.stopped = stopped);
        }
        self.shared_changed.notify_waiters();
    }

    /// From the first account on a name alone is no vote.
    pub(crate) fn accounts_exist(&self, exist: bool) {
        for mode in [Mode::Live, Mode::Drill] {
            self.share(mode, |shared| shared.accounts = exist);
        }
    }

    /// Whether the stop switch is on, as far as memory knows.
    pub(crate) fn is_stopped(&self) -> bool {
        self.shared(Mode::Live).stopped
    }

    /// Lets a run begin, unless the stop switch is on. What memory does not know yet is found in the
    /// transaction that opens the run.
    pub(crate) async fn may_begin(&self) -> Result<(), EngineError> {
        if !self.is_stopped() {
            return Ok(());
        }
        let meta = self.journal.reader().meta().await?;
        let body: Value = serde_json::from_str(&meta.stop_body).unwrap_or_default();
        let word = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let mut text = "the stop switch is on".to_owned();
        for (before, word) in [(", by ", word("by")), (": ", word("reason"))] {
            if !word.is_empty() {
                text.push_str(before);
                // One line, whatever somebody wrote.
                text.push_str(&visible(word, REASON_CHARS_MAX));
            }
        }
        text.push_str("; no new run begins");
        Err(EngineError::Stopped(text))
    }

    /// Effects that are out now, by target.
    fn open_effects(&self) -> Vec<Value> {
        let mut open = Vec::new();
        for mode in [Mode::Live, Mode::Drill] {
            let shared = self.shared(mode);
            for (key, state) in shared.holds.iter() {
                if let Some((run, path)) = &state.busy {
                    open.push(json!({"target": key.target, "effect": key.effect, "run": run, "path": path}));
                }
            }
        }
        open
    }
}

/// A reply as the mailbox and `--json` carry it.
pub(crate) fn reply_json(reply: &Result<Reply, AnswerError>) -> Value {
    match reply {
        Ok(reply) => json!({"ok": reply}),
        Err(error) => json!({"error": error_json(&EngineError::Answer(error.clone()))}),
    }
}

/// An error as the mailbox carries it: the word says what the asker can do.
pub fn error_json(error: &EngineError) -> Value {
    let kind = match error {
        EngineError::NotFound(_) | EngineError::Answer(AnswerError::NotFound(_)) => "not-found",
        EngineError::Conflict(_)
        | EngineError::Moved { .. }
        | EngineError::Answer(AnswerError::Conflict(_)) => "conflict",
        EngineError::Usage(_)
        | EngineError::Answer(AnswerError::Usage(_) | AnswerError::Form(_))
        | EngineError::Launch(LaunchError::Inputs(_)) => "usage",
        EngineError::NotAllowed(_)
        | EngineError::Stopped(_)
        | EngineError::ProveAgain
        | EngineError::Answer(AnswerError::NotAllowed(_))
        | EngineError::Launch(LaunchError::Missing(_))
        | EngineError::Append(beistand_journal::AppendError::Stopped) => "not-allowed",
        EngineError::Append(beistand_journal::AppendError::Full) | EngineError::Open(_) => {
            "unreachable"
        }
        EngineError::Broken { .. } => "broken",
        EngineError::Unreadable { .. }
        | EngineError::Store(_)
        | EngineError::Append(_)
        | EngineError::Internal(_) => "internal",
    };
    let mut told = json!({"kind": kind, "message": error.to_string(), "problems": problems(error)});
    if let (EngineError::Launch(LaunchError::Missing(missing)), Value::Object(told)) =
        (error, &mut told)
    {
        told.insert("missing".to_owned(), json!(missing));
    }
    if let (
        EngineError::Stopped(_) | EngineError::Append(beistand_journal::AppendError::Stopped),
        Value::Object(told),
    ) = (error, &mut told)
    {
        told.insert("stopped".to_owned(), json!(true));
    }
    told
}

fn problems(error: &EngineError) -> Value {
    match error {
        EngineError::Launch(LaunchError::Inputs(problems))
        | EngineError::Answer(AnswerError::Form(problems)) => json!(problems),
        EngineError::NotFound(_)
        | EngineError::Conflict(_)
        | EngineError::Moved { .. }
        | EngineError::NotAllowed(_)
        | EngineError::Stopped(_)
        | EngineError::ProveAgain
        | EngineError::Usage(_)
        | EngineError::Unreadable { .. }
        | EngineError::Broken { .. }
        | EngineError::Launch(_)
        | EngineError::Answer(_)
        | EngineError::Open(_)
        | EngineError::Store(_)
        | EngineError::Append(_)
        | EngineError::Internal(_) => Value::Null,
    }
}

/// Commands of the mailbox that are being worked on.
pub(crate) type Working = Arc<std::sync::Mutex<BTreeSet<String>>>;
