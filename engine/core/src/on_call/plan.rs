//! Who is to be called to what: a pure function of what waits, who is on call, and what was sent.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{Roster, Shift};
use crate::incident::{Event, Head};
use crate::model::{
    IdempotencyKey, IncidentId, Millis, Mode, NeedId, Person, Role, Span, StoreId, words,
};

/// What opens within this of each other makes one mail: a loop opens its gates one after the other.
const MOMENT: Span = Span::from_secs(5);

/// Between two mails to one person, whatever they are about: who is woken reads the first one. Nothing
/// waits longer for its call than this, and a moment.
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
    /// Real or not: a drill delays no call of a real night.
    pub mode: Mode,
    /// For whom.
    pub role: Role,
    /// Since when.
    pub since: Millis,
    /// When it was escalated, and to whom.
    pub escalated: Option<(Millis, Role)>,
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

/// Somebody who is to be called now, to everything that waits for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Names the call.
    pub key: IdempotencyKey,
    /// Who.
    pub person: Person,
    /// Real or not, all of it.
    pub mode: Mode,
    /// Where mail finds them.
    pub mail: Vec<String>,
    /// To what: what was escalated first, then by age. Never empty.
    pub parts: Vec<WantedPart>,
}

/// What waits for somebody in one incident, in one role and for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedPart {
    /// In which incident.
    pub incident: IncidentId,
    /// As what they are on call.
    pub role: Role,
    /// Why.
    pub step: CallOutStep,
    /// To what, oldest first.
    pub needs: Vec<NeedId>,
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

    /// Calls that may have reached somebody a moment ago.
    fn lately(&self, now: Millis) -> impl Iterator<Item = &CallOut> {
        let reached = |call: &&CallOut| match call.end {
            Some((CallOutEnd::Unavailable | CallOutEnd::Refused, _)) => false,
            Some((CallOutEnd::Sent | CallOutEnd::Unknown, _)) | None => true,
        };
        let newest = self.all.iter().rev().take_while(move |call| now < call.at.plus(BETWEEN));
        newest.filter(reached)
    }
}

/// Who is to be called now, each to everything that waits for them, in whatever incidents; `calls` is
/// what was called in each of these before.
///
/// Whoever is on call for the role of something that opened is called to it, and once it was
/// escalated whoever is on call for that role; each of them once for each of these steps. One person
/// gets one mail a minute at most, with all of it: what is escalated never stands behind what opens.
/// What came before `restored_at` may have been sent by the instance that this one was restored from,
/// and is not sent again.
pub fn called(
    store: StoreId,
    waiting: &[Waiting],
    (roster, calls): (&Roster, &BTreeMap<IncidentId, CallOuts>),
    (now, restored_at): (Millis, Option<Millis>),
) -> Vec<Wanted> {
    let lately: BTreeSet<(Mode, &Person)> = calls
        .values()
        .flat_map(|one| {
            one.lately(now).map(move |call| (one.mode.unwrap_or(Mode::Live), &call.person))
        })
        .collect();
    let mut on_call: BTreeMap<Role, Vec<&Shift>> = BTreeMap::new();
    let mut wanted: BTreeMap<(Mode, &Person), Gathered<'_>> = BTreeMap::new();
    for one in waiting {
        // What is not known of an incident may have been a call.
        let Some(known) = calls.get(&one.incident) else { continue };
        let opened = (CallOutStep::Opened, one.since, one.role);
        let escalated = one.escalated.map(|(at, role)| (CallOutStep::Escalated, at, role));
        for (step, at, role) in [Some(opened), escalated].into_iter().flatten() {
            if restored_at.is_some_and(|restored| at < restored) {
                continue;
            }
            let shifts = on_call.entry(role).or_insert_with(|| {
                roster.at(role, now).filter(|shift| !shift.mail.is_empty()).collect()
            });
            for shift in shifts.iter() {
                let to = (one.mode, &shift.person);
                let next = known.next(one.need, step, &shift.person);
                let Some(next) = next.filter(|_| !lately.contains(&to)) else { continue };
                let gathered = wanted.entry(to).or_default();
                // What is not due yet comes with what is: it makes no mail of its own.
                gathered.due |= at.plus(MOMENT).max(next) <= now;
                if next <= now {
                    gathered.mail.extend(shift.mail.iter().map(String::as_str));
                    let part = gathered.parts.entry((one.incident, step, role)).or_default();
                    part.insert((at, one.need));
                }
            }
        }
    }
    let due = wanted.into_iter().filter(|(_, gathered)| gathered.due);
    due.filter_map(|(to, gathered)| gathered.wanted(store, to)).collect()
}

/// What one mail is made of.
#[derive(Debug, Default)]
struct Gathered<'r> {
    parts: BTreeMap<(IncidentId, CallOutStep, Role), BTreeSet<(Millis, NeedId)>>,
    mail: BTreeSet<&'r str>,
    due: bool,
}

impl Gathered<'_> {
    /// Nothing where nothing may be said yet.
    fn wanted(self, store: StoreId, (mode, person): (Mode, &Person)) -> Option<Wanted> {
        let mut parts: Vec<(Option<Millis>, WantedPart)> = Vec::new();
        for ((incident, step, role), needs) in self.parts {
            let oldest = needs.first().map(|(at, _)| *at);
            let needs = needs.into_iter().map(|(_, need)| need).collect();
            parts.push((oldest, WantedPart { incident, role, step, needs }));
        }
        parts.sort_by_key(|(oldest, part)| (Reverse(part.step), *oldest, part.incident));
        let parts: Vec<WantedPart> = parts.into_iter().map(|(_, part)| part).collect();
        let steps: BTreeSet<&str> = parts.iter().map(|part| part.step.as_str()).collect();
        let steps = steps.into_iter().collect::<Vec<_>>().join("+");
        let needs: Vec<NeedId> = parts.iter().flat_map(|part| part.needs.iter().copied()).collect();
        let key = IdempotencyKey::of_call_out(store, &needs, &steps, person);
        let mail = self.mail.into_iter().map(str::to_owned).collect();
        (!parts.is_empty()).then(|| Wanted { key, person: person.clone(), mode, mail, parts })
    }
}
