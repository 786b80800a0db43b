//! The calls of one incident: a fold of its events, and what they say about another call.

use std::collections::{BTreeMap, BTreeSet};

use crate::incident::{Event, Head};
use crate::model::{IdempotencyKey, Millis, Mode, NeedId, Person, Role, Span, words};

/// Between two mails to one person, whatever they are about: who is woken reads the first one. Nothing
/// waits longer for its call than this, and a moment.
const BETWEEN: Span = Span::from_secs(60);

/// A call of which nothing is heard for so long has lost its outcome: longer than a relay is waited
/// for, by whatever process sent it.
pub(super) const LOST_AFTER: Span = Span::from_secs(120);

/// The first wait after a relay that surely took nothing; each further one is twice as long.
const AGAIN_FIRST: Span = Span::from_secs(60);

/// The longest of these waits.
const AGAIN_MAX: Span = Span::from_secs(15 * 60);

/// So often a person is called to one thing while the relay takes nothing: over two hours.
pub(super) const CALLED_MAX: u32 = 12;

words! {
    /// Why somebody is called.
    CallOutStep = "reason for a call" {
        /// It waits for their role.
        Opened = "opened",
        /// Nobody answered in time, and it was escalated to their role.
        Escalated = "escalated",
    }
    /// What became of a call.
    CallOutEnd = "end of a call" {
        /// The relay took it: not that anybody read it.
        Sent = "sent",
        /// Surely nothing was sent; it is tried again.
        Unavailable = "unavailable",
        /// Surely nothing was sent, and asking again does not help.
        Refused = "refused",
        /// It may have been sent. It is not sent again.
        Unknown = "unknown",
    }
}

/// One mail to one person, as one incident knows it: what else the mail says stands in others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallOut {
    /// Names it; the same call has the same name.
    pub key: IdempotencyKey,
    /// To what, oldest first.
    pub needs: Vec<NeedId>,
    /// Who.
    pub person: Person,
    /// As what they are on call.
    pub role: Role,
    /// Why.
    pub step: CallOutStep,
    /// When it was written down, which is before it was sent.
    pub at: Millis,
    /// What became of it, and when that was known; nothing while it is under way.
    pub end: Option<(CallOutEnd, Millis)>,
    /// Why it did not go out.
    pub message: String,
}

/// Every call of one incident, as its entries tell it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallOuts {
    /// Absent until it was read.
    mode: Option<Mode>,
    all: Vec<CallOut>,
    tries: BTreeMap<(NeedId, CallOutStep, Person), (u32, usize)>,
    /// Those of the newest try under each key.
    newest: BTreeMap<IdempotencyKey, Vec<usize>>,
    under_way: BTreeSet<usize>,
}

impl CallOuts {
    /// After one more event of the incident; most are about something else. What ended once may end
    /// again with an answer that came late: a call that was lost was sent after all.
    pub fn apply(&mut self, event: &Event, at: Millis) {
        if let Head::IncidentOpened { mode, .. } = &event.head {
            self.mode = Some(*mode);
        } else if let Head::CalledOut { key, needs, person, role, step } = &event.head {
            let place = self.all.len();
            for need in needs {
                let tried = self.tries.entry((*need, *step, person.clone())).or_default();
                *tried = (tried.0.saturating_add(1), place);
            }
            let newest = self.newest.entry(*key).or_default();
            let is_later = |place: &usize| self.all.get(*place).is_none_or(|call| call.at != at);
            if newest.iter().any(is_later) {
                newest.clear();
            }
            newest.push(place);
            self.under_way.insert(place);
            self.all.push(CallOut {
                key: *key,
                needs: needs.clone(),
                person: person.clone(),
                role: *role,
                step: *step,
                at,
                end: None,
                message: String::new(),
            });
        } else if let Head::CallOutEnded { key, end } = &event.head {
            for place in self.newest.get(key).into_iter().flatten() {
                self.under_way.remove(place);
                if let Some(call) = self.all.get_mut(*place) {
                    call.end = Some((*end, at));
                    call.message = event.body.text.clone().unwrap_or_default();
                }
            }
        }
    }

    /// Every call, oldest first.
    pub fn all(&self) -> &[CallOut] {
        &self.all
    }

    /// Calls whose outcome nobody will tell any more, each key once.
    pub fn lost(&self, now: Millis) -> BTreeSet<IdempotencyKey> {
        let under_way = self.under_way.iter().filter_map(|place| self.all.get(*place));
        under_way.filter(|call| call.at.plus(LOST_AFTER) <= now).map(|call| call.key).collect()
    }

    /// Whether it need not be known any more where nothing waits: nothing is under way, and nobody
    /// was called so lately that it delays another call.
    pub fn is_past(&self, now: Millis) -> bool {
        self.under_way.is_empty() && self.lately(now).next().is_none()
    }

    /// Real or not; what is not known is taken for real.
    pub(super) fn mode(&self) -> Mode {
        self.mode.unwrap_or(Mode::Live)
    }

    /// From when on somebody may be called to something: at once where they never were, never again
    /// unless it is sure that they were not.
    pub(super) fn next(&self, need: NeedId, step: CallOutStep, person: &Person) -> Option<Millis> {
        let Some((tries, place)) = self.tries.get(&(need, step, person.clone())) else {
            return Some(Millis::new(0));
        };
        match self.all.get(*place).and_then(|call| call.end) {
            Some((CallOutEnd::Unavailable, at)) if *tries < CALLED_MAX => {
                let doubled =
                    AGAIN_FIRST.millis().saturating_mul(1 << tries.saturating_sub(1).min(10));
                Some(at.plus(Span::from_millis(doubled.min(AGAIN_MAX.millis()))))
            }
            Some(_) | None => None,
        }
    }

    /// Calls that may have reached somebody a moment ago.
    pub(super) fn lately(&self, now: Millis) -> impl Iterator<Item = &CallOut> {
        let reached = |call: &&CallOut| match call.end {
            Some((CallOutEnd::Unavailable | CallOutEnd::Refused, _)) => false,
            Some((CallOutEnd::Sent | CallOutEnd::Unknown, _)) | None => true,
        };
        let newest = self.all.iter().rev().take_while(move |call| now < call.at.plus(BETWEEN));
        newest.filter(reached)
    }
}
