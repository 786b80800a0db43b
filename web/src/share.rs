//! Shares: how much of something one person holds at once, so that nobody holds all of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use beistand_core::model::Person;

type Held = Arc<Mutex<BTreeMap<Person, u32>>>;

/// What people hold of something.
#[derive(Debug, Clone)]
pub(crate) struct Shares {
    held: Held,
    most: u32,
}

/// One piece, held by one person; given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    held: Held,
    person: Person,
}

impl Shares {
    /// At most so many for each.
    pub(crate) fn new(most: u32) -> Self {
        Self { held: Held::default(), most }
    }

    /// One more for this person.
    ///
    /// # Errors
    /// How many they hold, where that is the most.
    pub(crate) fn take(&self, person: &Person) -> Result<Share, u32> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.get(person).copied().unwrap_or(0);
        if count >= self.most {
            return Err(count);
        }
        held.insert(person.clone(), count + 1);
        Ok(Share { held: Arc::clone(&self.held), person: person.clone() })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.person) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&self.person);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_share_and_gets_it_back() {
        let (anna, ben): (Person, Person) = ("anna".parse().unwrap(), "ben".parse().unwrap());
        let shares = Shares::new(2);
        let first = shares.take(&anna).unwrap();
        let _second = shares.take(&anna).unwrap();
        assert_eq!(shares.take(&anna).unwrap_err(), 2);
        let _other = shares.take(&ben).unwrap();
        drop(first);
        let _third = shares.take(&anna).unwrap();
        assert!(shares.take(&anna).is_err());
    }

    #[test]
    fn who_holds_nothing_is_not_remembered() {
        let shares = Shares::new(1);
        drop(shares.take(&"anna".parse().unwrap()));
        assert!(shares.held.lock().unwrap().is_empty());
    }
}
