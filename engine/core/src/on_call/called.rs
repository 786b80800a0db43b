//! Who is to be called to what: a pure function of what waits, who is on call, and what was sent.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{CallOutStep, CallOuts, Roster, Shift};
use crate::model::{IdempotencyKey, IncidentId, Millis, Mode, NeedId, Person, Role, Span, StoreId};

/// What opens within this of each other makes one mail: a loop opens its gates one after the other.
const MOMENT: Span = Span::from_secs(5);

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
        .flat_map(|one| one.lately(now).map(move |call| (one.mode(), &call.person)))
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
