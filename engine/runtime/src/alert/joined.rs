//! Which incident alerts about the same join, by their hook and their words. Senders choose these
//! words anew for as long as they like, so only those are kept that were heard last.

use std::collections::BTreeMap;

use beistand_core::model::{IncidentId, Millis, Person};

/// Words that are kept of one hook: more than waits for anybody in a night, and a few MiB. A loud one
/// takes no other's.
const KEPT_MAX: usize = 10_000;

/// A hook, and what its alerts say they are about.
pub(super) type About = (Person, String);

/// What is kept of each hook: the incident, and when an alert joined it last.
#[derive(Debug, Default)]
pub(super) struct Joined(BTreeMap<Person, BTreeMap<String, (IncidentId, Millis)>>);

impl Joined {
    pub(super) fn incident(&self, about: &About) -> Option<IncidentId> {
        let (hook, words) = about;
        self.0.get(hook)?.get(words).map(|(incident, _)| *incident)
    }

    /// Keeps that an alert about this joined an incident; whatever was heard of longest ago goes for it.
    pub(super) fn keep(&mut self, about: About, incident: IncidentId, at: Millis) {
        let (hook, words) = about;
        let theirs = self.0.entry(hook).or_default();
        if theirs.len() >= KEPT_MAX && !theirs.contains_key(&words) {
            let oldest = theirs.iter().min_by_key(|(_, (_, at))| *at);
            let oldest = oldest.map(|(words, _)| words.clone());
            oldest.and_then(|words| theirs.remove(&words));
        }
        theirs.insert(words, (incident, at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_that_always_says_something_else_fills_no_memory() {
        let hook: Person = "hook-siem".parse().unwrap();
        let other = ("hook-edr".parse().unwrap(), "a lost key".to_owned());
        let about = |words: &str| (hook.clone(), words.to_owned());
        let incident = |number: u8| IncidentId::at(Millis::new(0), &[number; 10]);
        let mut joined = Joined::default();
        joined.keep(about("a beacon"), incident(1), Millis::new(0));
        joined.keep(other.clone(), incident(3), Millis::new(0));
        for number in 0..KEPT_MAX + 50 {
            let now = Millis::new(i64::try_from(number).unwrap());
            joined.keep(about(&format!("no. {number}")), incident(2), now);
            // It goes on, and is kept for as long as it does.
            joined.keep(about("a beacon"), incident(1), now);
        }
        assert_eq!(joined.0[&hook].len(), KEPT_MAX);
        assert_eq!(joined.incident(&other), Some(incident(3)), "a loud one takes no other's");
        assert_eq!(joined.incident(&about("a beacon")), Some(incident(1)));
        assert_eq!(joined.incident(&about("no. 0")), None);
    }
}
