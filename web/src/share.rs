//! Shares: how much of something one person, or one network, holds at once, so that nobody holds all
//! of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

type Held<W> = Arc<Mutex<BTreeMap<W, u32>>>;

/// What each holds of something.
#[derive(Debug, Clone)]
pub(crate) struct Shares<W> {
    held: Held<W>,
    most: u32,
}

/// One piece, held by one of them; given back when dropped.
#[derive(Debug)]
pub(crate) struct Share<W: Ord> {
    held: Held<W>,
    whose: W,
}

impl<W: Ord + Clone> Shares<W> {
    /// At most so many for each.
    pub(crate) fn new(most: u32) -> Self {
        Self { held: Arc::default(), most }
    }

    /// One more for this one.
    ///
    /// # Errors
    /// How many they hold, where that is the most.
    pub(crate) fn take(&self, whose: &W) -> Result<Share<W>, u32> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.get(whose).copied().unwrap_or(0);
        if count >= self.most {
            return Err(count);
        }
        held.insert(whose.clone(), count + 1);
        Ok(Share { held: Arc::clone(&self.held), whose: whose.clone() })
    }
}

impl<W: Ord> Drop for Share<W> {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.whose) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&self.whose);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use beistand_core::model::Person;

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
        let shares = Shares::<Person>::new(1);
        drop(shares.take(&"anna".parse().unwrap()));
        assert!(shares.held.lock().unwrap().is_empty());
    }
}
