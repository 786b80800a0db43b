//! Compiled texts, bounded by bytes. Two generations: what was not asked for while the young one
//! filled up is dropped with the old one.

use std::collections::HashMap;
use std::sync::Arc;

use beistand_core::playbook::ScriptKind;

/// A tree takes some thirty times its text.
const TREE_PER_TEXT: usize = 32;
/// What the smallest tree takes.
const TREE_BYTES_MIN: usize = 1024;
/// Trees of one generation: 8 MiB, some thousand scripts or ten thousand expressions; two
/// generations are 16 MiB at most.
const GENERATION_BYTES_MAX: usize = 8 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Cache<T> {
    young: Generation<T>,
    old: Generation<T>,
    young_bytes: usize,
}

/// By kind, so that a text can be looked up without being copied.
#[derive(Debug)]
struct Generation<T> {
    expressions: HashMap<Box<str>, Arc<T>>,
    scripts: HashMap<Box<str>, Arc<T>>,
}

impl<T> Default for Generation<T> {
    fn default() -> Self {
        Self { expressions: HashMap::new(), scripts: HashMap::new() }
    }
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self { young: Generation::default(), old: Generation::default(), young_bytes: 0 }
    }
}

impl<T> Generation<T> {
    fn of(&mut self, kind: ScriptKind) -> &mut HashMap<Box<str>, Arc<T>> {
        match kind {
            ScriptKind::Expression => &mut self.expressions,
            ScriptKind::Script => &mut self.scripts,
        }
    }
}

impl<T> Cache<T> {
    /// What was kept for a text.
    pub(crate) fn get(&mut self, kind: ScriptKind, text: &str) -> Option<Arc<T>> {
        if let Some(found) = self.young.of(kind).get(text) {
            return Some(Arc::clone(found));
        }
        let found = self.old.of(kind).remove(text)?;
        self.insert(kind, text, Arc::clone(&found));
        Some(found)
    }

    /// Keeps something for a text, for as long as there is room.
    pub(crate) fn insert(&mut self, kind: ScriptKind, text: &str, tree: Arc<T>) {
        let bytes = text.len() * TREE_PER_TEXT + TREE_BYTES_MIN;
        if self.young_bytes + bytes > GENERATION_BYTES_MAX {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        if self.young.of(kind).insert(text.into(), tree).is_none() {
            self.young_bytes += bytes;
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        [&self.young, &self.old].iter().map(|g| g.expressions.len() + g.scripts.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_use_outlives_a_flood_of_others() {
        let mut cache = Cache::default();
        cache.insert(ScriptKind::Expression, "used", Arc::new(1));
        for n in 0..100_000 {
            cache.insert(ScriptKind::Expression, &format!("other {n}"), Arc::new(0));
            assert_eq!(cache.get(ScriptKind::Expression, "used").as_deref(), Some(&1));
        }
        assert!(cache.len() <= 2 * GENERATION_BYTES_MAX / TREE_BYTES_MIN, "{}", cache.len());
        assert!(cache.get(ScriptKind::Expression, "other 0").is_none());
    }

    #[test]
    fn one_text_as_expression_and_as_script_is_two() {
        let mut cache = Cache::default();
        cache.insert(ScriptKind::Expression, "1", Arc::new("expression"));
        assert!(cache.get(ScriptKind::Script, "1").is_none());
    }
}
