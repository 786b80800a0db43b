//! The engine's own loops: what is due is claimed, commands are answered, heads are sealed.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use beistand_core::entry::StreamKind;
use beistand_core::run::Actor;
use beistand_journal::StoreError;
use serde_json::json;
use tokio::time::{Instant, interval};

use crate::access::From;
use crate::engine::{Drive, Engine, lock};
use crate::error::EngineError;
use crate::verbs::{Verb, Working, error_json};

/// A command of another process is seen within this: half of what the interface promises.
const COMMANDS_EVERY: Duration = Duration::from_millis(50);

/// Runs that became due are claimed within this.
const CLAIM_EVERY: Duration = Duration::from_millis(50);

/// Runs claimed at once: a burst of timers is taken in portions, so that commands come through.
const CLAIM_MAX: u32 = 256;

/// Runs in memory beyond which no more are claimed.
const IN_MEMORY_MAX: usize = 4_096;

/// Changed heads are sealed so often: what a thief of the store could still rewrite unseen.
const SEAL_EVERY: Duration = Duration::from_secs(10);

/// The stop file is looked for so often: after it appears no effect begins later than a second.
const STOP_FILE_EVERY: Duration = Duration::from_millis(250);

/// How long a graceful end waits for what is out.
const LEAVE_WITHIN: Duration = Duration::from_secs(10);

impl Engine {
    /// Drives what is there until [`Engine::leave`] or the store dies.
    ///
    /// `stop_file` is the switch for when nothing else answers.
    pub async fn run(&self, stop_file: Option<PathBuf>) {
        let working = Working::default();
        let mut commands = interval(COMMANDS_EVERY);
        let mut claims = interval(CLAIM_EVERY);
        let mut seals = interval(SEAL_EVERY);
        let mut stops = interval(STOP_FILE_EVERY);
        loop {
            if self.0.is_leaving() {
                return;
            }
            // Every arm only looks; what it finds is handed to tasks, so none is cut half way.
            tokio::select! {
                _ = commands.tick() => self.check("commands", self.take_commands(&working).await),
                _ = claims.tick() => self.check("due runs", self.claim_due().await),
                _ = seals.tick() => self.check("seal", self.seal().await),
                _ = stops.tick() => self.look_for(stop_file.as_ref()).await,
                () = self.0.leave.notified() => return,
            }
        }
    }

    fn check(&self, what: &str, result: Result<(), EngineError>) {
        match result {
            Ok(()) => {}
            // Who leaves closes the store under whoever still looks.
            Err(_) if self.0.is_leaving() => {}
            Err(EngineError::Store(StoreError::Dead)) => {
                self.0.die("the writer has stopped".to_owned());
            }
            Err(error) => {
                tracing::warn!(what, %error, "The engine could not look; it tries again.");
            }
        }
    }

    /// Answers the commands that wait in the mailbox.
    ///
    /// # Errors
    /// [`EngineError::Store`] when it can not be read.
    pub async fn answer_commands(&self) -> Result<(), EngineError> {
        let working = Working::default();
        self.take_commands(&working).await?;
        while !lock(&working).is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    async fn take_commands(&self, working: &Working) -> Result<(), EngineError> {
        for command in self.0.journal.reader().commands().await? {
            if !lock(working).insert(command.id.clone()) {
                continue;
            }
            let engine = self.clone();
            let working = Arc::clone(working);
            tokio::spawn(async move {
                engine.answer_command(&command.id, &command.body).await;
                lock(&working).remove(&command.id);
            });
        }
        Ok(())
    }

    async fn answer_command(&self, id: &str, body: &str) {
        let answer = match serde_json::from_str::<Verb>(body) {
            // A run answers in the transaction of what follows from the command; only what it
            // could not take is answered here.
            Ok(verb @ (Verb::Run { .. } | Verb::Telephone { .. })) => {
                match self.execute_for(verb, Some(id), From::Mailbox).await {
                    Ok(_) | Err(EngineError::Answer(_)) => return,
                    Err(error) => json!({"error": error_json(&error)}),
                }
            }
            Ok(verb) => match self.execute_for(verb, Some(id), From::Mailbox).await {
                Ok(answer) => json!({"ok": answer}),
                Err(error) => json!({"error": error_json(&error)}),
            },
            Err(error) => {
                let message =
                    format!("this command is not known to the owner of the store: {error}");
                json!({"error": {"kind": "usage", "message": message}})
            }
        };
        let at = self.0.clock.now();
        if let Err(error) = self.0.journal.answer(id, answer.to_string(), at).await {
            tracing::warn!(%error, "A command could not be answered.");
        }
    }

    /// Takes up what is due and nobody drives.
    ///
    /// # Errors
    /// [`EngineError::Store`] when it can not be claimed.
    pub async fn claim_due(&self) -> Result<(), EngineError> {
        if self.0.drive == Drive::No || self.in_memory() >= IN_MEMORY_MAX {
            return Ok(());
        }
        let now = self.0.clock.now();
        let due = self.0.journal.reader().next_due().await?;
        if due.is_none_or(|due| due > now) {
            return Ok(());
        }
        // Who leaves waits for this: what is claimed here is in memory before the store is closed.
        let _claiming = self.0.claiming.lock().await;
        if self.0.is_leaving() {
            return Ok(());
        }
        for lease in self.0.journal.claim(now, CLAIM_MAX).await? {
            if lease.stream().kind() != StreamKind::Run {
                self.0.journal.release(lease, None).await?;
                continue;
            }
            match lease.stream().id().parse() {
                Ok(run) => self.0.spawn(run, lease, Vec::new()),
                Err(error) => tracing::error!(%error, "A stream of a run has no run's id."),
            }
        }
        Ok(())
    }

    async fn seal(&self) -> Result<(), EngineError> {
        let now = self.0.clock.now();
        self.0.journal.sweep(now).await?;
        self.0.journal.seal(now).await?;
        Ok(())
    }

    async fn look_for(&self, stop_file: Option<&PathBuf>) {
        let Some(file) = stop_file else { return };
        if tokio::fs::try_exists(file).await.unwrap_or(false) {
            self.stop_from_outside("the stop file is there").await;
        }
    }

    /// The stop switch without a person's command: a file, or SIGUSR1.
    pub async fn stop_from_outside(&self, reason: &str) {
        // Memory first: it stops within this process even when the store can not be written. Whether
        // that is done the store says, not memory: it may know of a stop that was never written.
        let known = self.0.is_stopped();
        self.0.set_stopped(true);
        let meta = self.0.journal.reader().meta().await;
        if meta.is_ok_and(|meta| meta.stopped_at.is_some()) {
            return;
        }
        let Ok(person) = "stop-file".parse() else { return };
        let by = Actor::program(person);
        let verb = Verb::StopAll { by, reason: reason.to_owned() };
        // It is tried again as long as the file is there, and said once.
        if let Err(error) = self.execute(verb).await
            && !known
        {
            tracing::error!(%error, "The stop switch is on in memory but could not be written.");
        }
    }

    /// Waits until no run is in memory and nothing is due by now.
    pub async fn rest(&self) {
        loop {
            if self.0.is_leaving() {
                return;
            }
            let now = self.0.clock.now();
            let due = self.0.journal.reader().next_due().await.ok().flatten();
            if self.in_memory() == 0 && due.is_none_or(|due| due > now) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until a run has left memory: it ended, or waits as a row.
    pub async fn ended(&self, run: beistand_core::model::RunId) {
        loop {
            let left = self.0.left.notified();
            tokio::pin!(left);
            left.as_mut().enable();
            if !lock(&self.0.runs).contains_key(&run) || self.0.is_leaving() {
                return;
            }
            left.await;
        }
    }

    /// Ends gracefully: nothing starts, what is out is waited for, leases are given back, heads are
    /// sealed. Says how many runs still had something out.
    pub async fn leave(&self) -> usize {
        self.0.leaving.store(true, Ordering::SeqCst);
        self.0.leave.notify_waiters();
        let until = Instant::now() + LEAVE_WITHIN;
        // A store that hangs must not keep anybody from leaving.
        drop(tokio::time::timeout_at(until, self.0.claiming.lock()).await);
        while self.in_memory() > 0 && Instant::now() < until && self.dead().is_none() {
            self.0.leave.notify_waiters();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let left = self.in_memory();
        if self.dead().is_none()
            && let Err(error) = self.0.journal.clone().close(self.0.clock.now()).await
        {
            tracing::warn!(%error, "The store could not be closed in order.");
        }
        left
    }

    /// Counters in Prometheus' text format (exposition format 0.0.4).
    pub fn metrics(&self) -> String {
        let counters = &self.0.counters;
        let journal = self.0.journal.metrics();
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let [called, unsent, unknown] = &counters.call_outs;
        let lines: [(&str, &str, u64); 11] = [
            ("beistand_decisions_total", "counter", read(&counters.decisions)),
            ("beistand_effects_total", "counter", read(&counters.effects)),
            ("beistand_runs_ended_total", "counter", read(&counters.runs_ended)),
            ("beistand_call_outs_sent_total", "counter", read(called)),
            ("beistand_call_outs_unsent_total", "counter", read(unsent)),
            ("beistand_call_outs_unknown_total", "counter", read(unknown)),
            ("beistand_runs_in_memory", "gauge", self.in_memory() as u64),
            ("beistand_journal_commits_total", "counter", journal.commits),
            ("beistand_journal_entries_total", "counter", journal.entries),
            ("beistand_journal_refused_total", "counter", journal.refused),
            ("beistand_journal_queue", "gauge", journal.queue),
        ];
        let mut text = String::new();
        for (name, kind, value) in lines {
            text.push_str("# TYPE ");
            text.push_str(name);
            text.push(' ');
            text.push_str(kind);
            text.push('\n');
            text.push_str(name);
            text.push(' ');
            text.push_str(&value.to_string());
            text.push('\n');
        }
        text
    }
}
