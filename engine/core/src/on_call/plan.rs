//! Who is to be called to what: a pure function of what waits, who is on call, and what was sent.

use std::collections::{BTreeMap, BTreeSet};

use super::Roster;
use crate::incident::{Event, Head};
use crate::model::{
    IdempotencyKey, IncidentId, Millis, NeedId, Person, Role, Span, StoreId, words,
};

/// What opens within this of each other makes one mail: a loop opens its gates one after the other.
const MOMENT: Span = Span::from_secs(5);

/// Between two mails to one person about one incident: who is woken reads the first one.
const BETWEEN: Span = Span::from_secs(60);

/// A call of which nothing is heard for so long has lost its outcome: longer than a relay is waited
/// for, by whatever process sent it.
pub const LOST_AFTER: Span = Span::from_secs(120);

/// The first wait after a relay that surely took nothing; each further one is twice as long.
const AGAIN_FIRST: Span = Span::from_secs(60);

/// The longest of these waits.
const AGAIN_MAX: Span = Span::from_secs(15 * 60);

/// So often a person is called to one thing while the relay takes nothing: over two hours.
pub const CALLED_MAX: u32 = 12;

words! {
    /// Why somebody is called.
    CallOutStep = "reason for a call" {
        /// It waits for their role.
        Opened = "opened",
        /// Nobody answered in time, and it was escalated to their role.
        Escalated = "escalated",
    }
}

words! {
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

/// Something open that waits for a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The need.
    pub need: NeedId,
    /// Of which incident.
    pub incident: IncidentId,
    /// For whom.
    pub role: Role,
    /// Since when.
    pub since: Millis,
    /// When it was escalated, and to whom.
    pub escalated: Option<(Millis, Role)>,
}

/// One mail to one person.
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

/// Somebody who is to be called now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Names the call.
    pub key: IdempotencyKey,
    /// To what, oldest first.
    pub needs: Vec<NeedId>,
    /// Who.
    pub person: Person,
    /// As what they are on call.
    pub role: Role,
    /// Why.
    pub step: CallOutStep,
    /// Where mail finds them.
    pub mail: Vec<String>,
}

/// Every call of one incident, as its entries tell it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallOuts {
    all: Vec<CallOut>,
    tries: BTreeMap<(NeedId, CallOutStep, Person), (u32, usize)>,
}

impl CallOuts {
    /// After one more event of the incident; most are about something else. What ended once may end
    /// again with an answer that came late: a call that was lost was sent after all.
    pub fn apply(&mut self, event: &Event, at: Millis) {
        if let Head::CalledOut { key, needs, person, role, step } = &event.head {
            let place = self.all.len();
            for need in needs {
                let tried = self.tries.entry((*need, *step, person.clone())).or_default();
                *tried = (tried.0.saturating_add(1), place);
            }
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
        } else if let Head::CallOutEnded { key, end } = &event.head
            && let Some(call) = self.all.iter_mut().rev().find(|call| call.key == *key)
        {
            call.end = Some((*end, at));
            call.message = event.body.text.clone().unwrap_or_default();
        }
    }

    /// Every call, oldest first.
    pub fn all(&self) -> &[CallOut] {
        &self.all
    }

    /// Calls whose outcome nobody will tell any more.
    pub fn lost(&self, now: Millis) -> impl Iterator<Item = &CallOut> {
        self.all.iter().filter(move |call| call.end.is_none() && call.at.plus(LOST_AFTER) <= now)
    }

    /// From when on somebody may be called to something: at once where they never were, never again
    /// unless it is sure that they were not.
    fn next(&self, need: NeedId, step: CallOutStep, person: &Person) -> Option<Millis> {
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

    /// When somebody was called last, with a call that may have reached them.
    fn last(&self, person: &Person) -> Option<Millis> {
        let reached = |call: &&CallOut| match call.end {
            Some((CallOutEnd::Unavailable | CallOutEnd::Refused, _)) => false,
            Some((CallOutEnd::Sent | CallOutEnd::Unknown, _)) | None => true,
        };
        let theirs = self.all.iter().rev().filter(|call| call.person == *person);
        theirs.filter(reached).map(|call| call.at).next()
    }
}

/// Who is to be called now, about one incident.
///
/// Whoever is on call for the role of something that opened is called to it, and once it was
/// escalated whoever is on call for that role; each of them once for each of these steps. What came
/// before `restored_at` may have been sent by the instance that this one was restored from, and is
/// not sent again.
pub fn called(
    store: StoreId,
    waiting: &[Waiting],
    (roster, calls): (&Roster, &CallOuts),
    (now, restored_at): (Millis, Option<Millis>),
) -> Vec<Wanted> {
    let mut wanted: BTreeMap<(CallOutStep, Role, Person), Gathered> = BTreeMap::new();
    for one in waiting {
        let opened = (CallOutStep::Opened, one.since, one.role);
        let escalated = one.escalated.map(|(at, role)| (CallOutStep::Escalated, at, role));
        for (step, at, role) in [Some(opened), escalated].into_iter().flatten() {
            if restored_at.is_some_and(|restored| at < restored) {
                continue;
            }
            for shift in roster.at(role, now).filter(|shift| !shift.mail.is_empty()) {
                let Some(next) = calls.next(one.need, step, &shift.person) else { continue };
                let gathered = wanted.entry((step, role, shift.person.clone())).or_default();
                gathered.mail.extend(shift.mail.iter().cloned());
                // What is not due yet comes with what is: it makes no mail of its own.
                gathered.due |= at.plus(MOMENT).max(next) <= now;
                if next <= now {
                    gathered.needs.insert((at, one.need));
                }
            }
        }
    }
    let mut spoken: BTreeSet<Person> = BTreeSet::new();
    let mut due = Vec::new();
    for ((step, role, person), gathered) in wanted {
        let is_soon = calls.last(&person).is_some_and(|last| now < last.plus(BETWEEN));
        if !gathered.due || gathered.needs.is_empty() || is_soon || !spoken.insert(person.clone()) {
            continue;
        }
        let needs: Vec<NeedId> = gathered.needs.into_iter().map(|(_, need)| need).collect();
        let key = IdempotencyKey::of_call_out(store, &needs, step.as_str(), &person);
        due.push(Wanted {
            key,
            needs,
            person,
            role,
            step,
            mail: gathered.mail.into_iter().collect(),
        });
    }
    due
}

/// What one mail is made of.
#[derive(Debug, Default)]
struct Gathered {
    needs: BTreeSet<(Millis, NeedId)>,
    mail: BTreeSet<String>,
    due: bool,
}
