//! When an append is not acknowledged or a decision breaks down: back to what is durable.
//!
//! Nothing here decides anything; it only sees to it that no input is lost and no effect starts
//! from a state that was never written.

use std::time::Duration;

use beistand_core::run::{Actor, Command, Input};
use beistand_journal::{AppendError, Refusal};

use super::{
    Answer, Driver, LOOK_AGAIN, OWN, Order, Ownership, PANICS_MAX, READ_AGAIN, REFUSED_MAX,
    SLEEP_MAX, Turn,
};
use crate::load::load;

impl Driver {
    /// An append was not acknowledged: what is to be done next follows from why.
    pub(super) async fn not_written(&mut self, kept: Vec<Input>, error: AppendError) -> Turn {
        match error {
            AppendError::LostOwnership { stream } => {
                tracing::warn!(%stream, "A run went to another owner.");
                return Turn::Lost;
            }
            AppendError::Dead(why) => {
                self.inner.die(why);
                return Turn::Lost;
            }
            AppendError::Full => {
                tracing::warn!(run.id = %self.run, "The disk is full; the run waits for space.");
                self.refuse_orders("the disk of the store is full; nothing was written");
                tokio::time::sleep(SLEEP_MAX).await;
            }
            AppendError::Invalid(why) => return self.broken(kept, &why).await,
            AppendError::Refused(Refusal::UsedUp { credential }) => self.refuse_used(&credential),
            AppendError::Stopped | AppendError::Refused(_) => {
                self.refused += 1;
                if self.refused > REFUSED_MAX {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
            }
        }
        self.again(kept).await
    }

    /// People are told at once; their commands are not tried again behind their backs. Who waits at
    /// the mailbox hears it from whoever looks after that: nothing of this run is written now.
    fn refuse_orders(&mut self, why: &str) {
        for (_, order) in std::mem::take(&mut self.orders) {
            if let Some(sender) = order.reply {
                drop(sender.send(Answer::Unwritten(why.to_owned())));
            }
        }
    }

    /// Who votes with a code that was used meanwhile has no vote; the others' are decided on again.
    fn refuse_used(&mut self, code: &str) {
        let used = |_: &u64, order: &mut Order| order.code.as_deref() == Some(code);
        for (_, order) in self.orders.extract_if(.., used) {
            if let Some(sender) = order.reply {
                drop(sender.send(Answer::UsedUp));
            }
        }
    }

    /// The same inputs wait again, with a fresh state.
    pub(super) async fn again(&mut self, kept: Vec<Input>) -> Turn {
        if let Err(error) = self.inner.load_shared().await {
            tracing::warn!(%error, "What runs share could not be read.");
        }
        let Ownership::Owned(lease) = &self.ownership else { return Turn::Lost };
        let stream = lease.stream().clone();
        let loaded = loop {
            match load(&self.inner, self.run, &stream).await {
                Ok(loaded) => break loaded,
                // What is out answers here and nowhere else: the run stays, and asks again.
                Err(error) if error.is_passing() && !self.inner.is_leaving() => {
                    tracing::warn!(run.id = %self.run, %error, "A run could not be read again yet.");
                    self.refuse_orders("the store gave no answer; nothing was written");
                    let pause = Duration::from_millis(READ_AGAIN.millis());
                    // Nothing is in either arm that could be lost.
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = self.inner.leave.notified() => {}
                    }
                }
                Err(error) => {
                    tracing::error!(run.id = %self.run, %error, "A run could not be read again.");
                    if error.is_passing() {
                        self.give_back().await;
                    }
                    return Turn::Lost;
                }
            }
        };
        self.state = loaded.state;
        let orders = &self.orders;
        let open = |input: &Input| match input {
            Input::Command(number, _) => *number == OWN || orders.contains_key(number),
            Input::Tick
            | Input::Answered(_)
            | Input::ChildEnded { .. }
            | Input::Successor { .. }
            | Input::Recovered => true,
        };
        self.inputs = kept.into_iter().filter(open).collect();
        self.inputs.push(Input::Tick);
        Turn::On
    }

    /// Whoever leaves gives back what could not be read: the next one takes it up.
    async fn give_back(&mut self) {
        let given = std::mem::replace(&mut self.ownership, Ownership::Released);
        let Ownership::Owned(lease) = given else { return };
        let now = self.inner.clock.now();
        if let Err(error) = self.inner.journal.release(lease, Some(now)).await {
            tracing::warn!(run.id = %self.run, %error, "A run could not be given back.");
        }
    }

    /// A decision broke down. It is tried again from what is durable; after three times the run is
    /// parked and a person decides.
    pub(super) async fn broken(&mut self, kept: Vec<Input>, why: &str) -> Turn {
        self.panics += 1;
        tracing::error!(run.id = %self.run, why, times = self.panics, "A decision broke down.");
        self.refuse_orders("the run could not take this; see the log");
        if self.panics > PANICS_MAX {
            return Turn::Lost;
        }
        let kept = if self.panics == PANICS_MAX {
            let by = Actor::asserted(self.state.opened().by.person.clone());
            let reason = format!("the run broke down {PANICS_MAX} times: {why}");
            vec![Input::Command(OWN, Command::Park { by, reason, restored: None })]
        } else {
            kept
        };
        self.again(kept).await
    }
}
