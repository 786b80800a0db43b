//! Who has command, and how it goes from one person to the next: offered with a briefing, accepted by
//! somebody who has seen how things stand now.
//!
//! What counts is that the next commander saw the state in which they take over. So an acceptance
//! names the briefing that they saw, and it must be the current one: whether it is still the one of
//! the offer does not matter, and what has changed since is said.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::{Differences, Event, Head, IncidentNumber, IncidentState};
use crate::model::{Digest, Millis, Person, Role};
use crate::run::Actor;

/// Command that is offered, and not yet taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// To whom.
    pub to: Person,
    /// By whom.
    pub by: Person,
    /// The digest of the briefing it was offered with.
    pub digest: Digest,
    /// Since when, in ms.
    pub since: Millis,
}

/// What is done about a hand-over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handover {
    /// Who has command offers it.
    Offer {
        /// To whom.
        to: Person,
        /// What they should know besides; may be empty.
        note: String,
    },
    /// Who offered it does not any more.
    Withdraw,
    /// Who it was offered to takes it.
    Accept {
        /// The digest of the briefing that they saw.
        digest: Digest,
    },
}

/// Why command stays where it is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Stays {
    /// The incident is over.
    #[error("incident {0} is closed")]
    Closed(IncidentNumber),
    /// There is nothing to hand over.
    #[error("nobody has command of {0}; `incident assign` gives it")]
    Nobodys(IncidentNumber),
    /// Only who has command hands it over.
    #[error("`{0}` has command, and only who has it can hand it over")]
    Others(Person),
    /// They have it.
    #[error("`{0}` has command already")]
    Theirs(Person),
    /// Nothing is offered.
    #[error("command of {0} is not offered to anybody")]
    NotOffered(IncidentNumber),
    /// It is offered to somebody else.
    #[error("command is offered to `{0}`, who alone can accept it")]
    ToAnother(Person),
    /// Somebody else offered it.
    #[error("`{0}` offered command, and alone can withdraw that")]
    ByAnother(Person),
    /// It is not how things stand.
    #[error("this is not the current briefing; it is {current} now{}", since(.since_offer))]
    Changed {
        /// The digest of the current one.
        current: Digest,
        /// What is another one since the offer.
        since_offer: String,
    },
}

fn since(changed: &str) -> String {
    if changed.is_empty() {
        String::new()
    } else {
        format!(", and since the offer changed: {changed}")
    }
}

impl IncidentState {
    /// What is written down about a hand-over; nothing where it stands so already.
    ///
    /// # Errors
    /// [`Stays`] says why command stays where it is.
    pub fn hand_over(
        &self,
        act: Handover,
        (briefing, digest): (&Value, Digest),
        by: &Actor,
    ) -> Result<Option<Event>, Stays> {
        if self.closed.is_some() {
            return Err(Stays::Closed(self.number.clone()));
        }
        match act {
            Handover::Offer { to, note } => self.offered(to, (briefing, digest), by).map(|event| {
                event.map(|event| if note.is_empty() { event } else { event.text(note) })
            }),
            Handover::Withdraw => {
                let offer = self.open_offer()?;
                if offer.by != by.person {
                    return Err(Stays::ByAnother(offer.by.clone()));
                }
                Ok(Some(Event::new(Head::OfferWithdrawn, by.clone())))
            }
            Handover::Accept { digest: seen } => {
                let offer = self.open_offer()?;
                if offer.to != by.person {
                    return Err(Stays::ToAnother(offer.to.clone()));
                }
                if seen != digest {
                    return Err(Stays::Changed {
                        current: digest,
                        since_offer: self.since(briefing),
                    });
                }
                let mut event = Event::new(Head::CommandTaken { briefing: digest }, by.clone());
                // What was offered is there already.
                if offer.digest != digest {
                    event.body.briefing = Some(briefing.clone());
                }
                Ok(Some(event))
            }
        }
    }

    fn offered(
        &self,
        to: Person,
        (briefing, digest): (&Value, Digest),
        by: &Actor,
    ) -> Result<Option<Event>, Stays> {
        let commander = self.roles.get(&Role::Commander);
        let commander = commander.ok_or_else(|| Stays::Nobodys(self.number.clone()))?;
        if *commander != by.person {
            return Err(Stays::Others(commander.clone()));
        }
        if *commander == to {
            return Err(Stays::Theirs(to));
        }
        if self.offer.as_ref().is_some_and(|offer| offer.to == to && offer.digest == digest) {
            return Ok(None);
        }
        let mut event = Event::new(Head::CommandOffered { to, briefing: digest }, by.clone());
        event.body.briefing = Some(briefing.clone());
        Ok(Some(event))
    }

    fn open_offer(&self) -> Result<&Offer, Stays> {
        self.offer.as_ref().ok_or_else(|| Stays::NotOffered(self.number.clone()))
    }

    /// What is another one since the offer; empty where nothing is, or where it was erased.
    pub fn since(&self, briefing: &Value) -> String {
        let shown = self.offered_briefing.as_ref();
        shown.map_or_else(String::new, |shown| Differences::between(shown, briefing).to_string())
    }
}

#[cfg(test)]
mod tests;
