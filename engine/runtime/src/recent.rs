//! A map that keeps what was asked for last, within a number and a weight.

use std::collections::BTreeMap;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// So many.
    pub(crate) count: usize,
    /// So many bytes, as whoever puts something in counts them.
    pub(crate) bytes: usize,
}

#[derive(Debug)]
struct Kept<V> {
    value: V,
    bytes: usize,
    turn: u64,
}

/// What was asked for last.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    bounds: Bounds,
    kept: BTreeMap<K, Kept<V>>,
    /// Keys by the turn in which they were last asked for.
    turns: BTreeMap<u64, K>,
    turn: u64,
    bytes: usize,
}

impl<K: Ord + Clone, V: Clone> Recent<K, V> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, kept: BTreeMap::new(), turns: BTreeMap::new(), turn: 0, bytes: 0 }
    }

    /// What is kept, which is now the last to go.
    pub(crate) fn get(&mut self, key: &K) -> Option<V> {
        let kept = self.kept.get_mut(key)?;
        self.turns.remove(&kept.turn);
        self.turn += 1;
        kept.turn = self.turn;
        self.turns.insert(self.turn, key.clone());
        Some(kept.value.clone())
    }

    /// A place for what is about to be made: the one that is there, or an empty one that weighs nothing
    /// yet. Whoever comes while it is being made gets the same.
    pub(crate) fn place(&mut self, key: &K) -> V
    where
        V: Default,
    {
        self.get(key).unwrap_or_else(|| {
            let place = V::default();
            self.put(key.clone(), place.clone(), 0);
            place
        })
    }

    /// Keeps something, instead of what was kept there; what was not asked for longest goes. What
    /// alone is too heavy is not kept.
    pub(crate) fn put(&mut self, key: K, value: V, bytes: usize) {
        self.remove(&key);
        if bytes > self.bounds.bytes {
            return;
        }
        self.turn += 1;
        self.turns.insert(self.turn, key.clone());
        self.bytes += bytes;
        self.kept.insert(key, Kept { value, bytes, turn: self.turn });
        while self.kept.len() > self.bounds.count || self.bytes > self.bounds.bytes {
            let Some((_, oldest)) = self.turns.pop_first() else { return };
            if let Some(gone) = self.kept.remove(&oldest) {
                self.bytes -= gone.bytes;
            }
        }
    }

    pub(crate) fn remove(&mut self, key: &K) {
        if let Some(gone) = self.kept.remove(key) {
            self.turns.remove(&gone.turn);
            self.bytes -= gone.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn what_was_not_asked_for_longest_goes_first() {
        let mut recent = Recent::new(Bounds { count: 2, bytes: 100 });
        recent.put("a", 1, 1);
        recent.put("b", 2, 1);
        assert_eq!(recent.get(&"a"), Some(1));
        recent.put("c", 3, 1);
        assert_eq!(
            [recent.get(&"a"), recent.get(&"b"), recent.get(&"c")],
            [Some(1), None, Some(3)]
        );
    }

    #[test]
    fn who_comes_while_it_is_made_gets_the_same_place() {
        let mut recent: Recent<&str, Arc<Mutex<u32>>> = Recent::new(Bounds { count: 2, bytes: 9 });
        let (one, other) = (recent.place(&"a"), recent.place(&"a"));
        assert!(Arc::ptr_eq(&one, &other));
        *one.lock().unwrap() = 7;
        recent.put("a", one, 9);
        assert_eq!(*recent.place(&"a").lock().unwrap(), 7);
        assert_eq!(*recent.place(&"b").lock().unwrap(), 0);
        assert_eq!(recent.bytes, 9);
    }

    #[test]
    fn neither_bound_is_ever_passed() {
        let mut recent = Recent::new(Bounds { count: 10, bytes: 100 });
        for turn in 0..1_000_usize {
            recent.put(turn % 17, turn, turn % 53);
            let weight: usize = recent.kept.values().map(|kept| kept.bytes).sum();
            assert_eq!(weight, recent.bytes);
            assert_eq!(recent.kept.len(), recent.turns.len());
            assert!(recent.kept.len() <= 10 && recent.bytes <= 100);
        }
        recent.put(1, 0, 101);
        assert_eq!(
            recent.get(&1),
            None,
            "too heavy alone, and what was there is not true any more"
        );
        for key in 0..17 {
            recent.remove(&key);
        }
        assert_eq!((recent.bytes, recent.turns.len()), (0, 0));
    }
}
