//! What a turn decided is written: one entry, or where nothing happened, none.

use std::mem;

use beistand_core::model::Millis;
use beistand_core::run::{Decision, encode};
use beistand_journal::{Append, AppendError, Change, Guard, Next, To};

use super::{Driver, ENTRIES_WITHOUT_SNAPSHOT, Ownership, Turn};
use crate::rows::{changes, has_intent};

impl Driver {
    /// One entry with all that was decided, and what follows from it in the tables.
    pub(super) async fn append(
        &mut self,
        decision: &Decision,
        now: Millis,
        leaves: bool,
    ) -> Result<(), AppendError> {
        let mut chance =
            self.inner.chance().map_err(|error| AppendError::Dead(error.to_string()))?;
        let id = chance.entry_id(now);
        let (head, body) = encode(id, &decision.events);
        let mut append = match &self.ownership {
            Ownership::Opening(opening) => opening.append(&self.state, head),
            Ownership::Owned(lease) => Append::new(To::Lease(lease.clone()), now, head),
            Ownership::Released => {
                return Err(AppendError::LostOwnership { stream: self.run.to_string() });
            }
        };
        append.body = body;
        if has_intent(&decision.events) {
            append = append.unless_stopped();
        }
        if !decision.replies.is_empty() {
            append = append.urgent();
        }
        if leaves {
            append = append.next(Next::Release { due: self.due(now) });
            if self.entries >= ENTRIES_WITHOUT_SNAPSHOT && !self.state.status().is_ended() {
                append.changes.push(Change::Snapshot { bytes: self.snapshot() });
                self.entries = 0;
            }
        }
        let mode = self.state.opened().mode;
        let (shared, limits) = (self.inner.shared(mode), self.inner.modes.of(mode).setup.limits);
        changes(&mut append, decision, &self.state, &self.written, (&shared, &limits));
        for (number, reply) in &decision.replies {
            let Some(order) = self.orders.get(number) else { continue };
            if let Some(command) = order.mailbox.clone() {
                let answer = crate::verbs::reply_json(reply).to_string();
                append.changes.push(Change::AnswerCommand { command, answer, at: now });
            }
            if let Some(code) = order.code.clone().filter(|_| reply.is_ok()) {
                append.guards.push(Guard::Unused { credential: code.clone(), at: now });
                append.changes.push(Change::UseUp { credential: code, at: now });
            }
        }
        self.inner.crash_at("before_append");
        let appended = self.inner.journal.append(append).await?;
        self.inner.crash_at("after_append");
        self.ownership =
            if leaves { Ownership::Released } else { Ownership::Owned(appended.lease) };
        self.entries += 1;
        Ok(())
    }

    fn snapshot(&self) -> Vec<u8> {
        serde_json::to_vec(&self.state).unwrap_or_default()
    }

    /// Nothing happened; askers are answered all the same, and a run that only waits leaves.
    pub(super) async fn without_events(&mut self, decision: Decision, leaves: bool) -> Turn {
        for (number, reply) in decision.replies {
            if let Some(command) = self.orders.get(&number).and_then(|order| order.mailbox.clone())
            {
                let answer = crate::verbs::reply_json(&reply).to_string();
                let at = self.inner.clock.now();
                if let Err(error) = self.inner.journal.answer(&command, answer, at).await {
                    tracing::warn!(%error, "A command could not be answered.");
                }
            }
            self.reply(number, reply);
        }
        for effect in decision.effects {
            self.begin(effect, None);
        }
        if !leaves || self.out > 0 {
            return Turn::On;
        }
        let Ownership::Owned(lease) = mem::replace(&mut self.ownership, Ownership::Released) else {
            return Turn::Lost;
        };
        let due = self.due(self.inner.clock.now());
        match self.inner.journal.release(lease, due).await {
            Ok(true) => Turn::Released,
            Ok(false) => Turn::Lost,
            Err(error) => {
                self.inner.die(error.to_string());
                Turn::Lost
            }
        }
    }
}
