//! "Did you mean": the nearest name by edits.

/// The hint for a name that does not exist, if one that exists is near enough.
pub(super) fn hint<'names>(
    wrong: &str,
    names: impl IntoIterator<Item = &'names str>,
) -> Option<String> {
    nearest(wrong, names).map(|name| format!("did you mean `{name}`?"))
}

/// The name with the fewest edits; at most a third of the letters may differ.
fn nearest<'names>(
    wrong: &str,
    names: impl IntoIterator<Item = &'names str>,
) -> Option<&'names str> {
    let most = (wrong.chars().count() / 3).max(1);
    names
        .into_iter()
        .map(|name| (edits(wrong, name), name))
        .filter(|(edits, _)| *edits <= most)
        .min()
        .map(|(_, name)| name)
}

/// How many letters must be put in, taken out, changed, or swapped with their neighbour.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.to_lowercase().chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    let mut last: Option<char> = None;
    for (line, letter) in from.to_lowercase().chars().enumerate() {
        let mut next = vec![line + 1];
        for (column, other) in to.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX);
            let changed = at(&row, column).saturating_add(usize::from(letter != *other));
            let shorter = at(&row, column + 1).saturating_add(1);
            let longer = at(&next, column).saturating_add(1);
            let mut fewest = changed.min(shorter).min(longer);
            let swapped = column > 0
                && last == Some(*other)
                && column.checked_sub(1).and_then(|left| to.get(left)) == Some(&letter);
            if swapped && line > 0 {
                fewest = fewest.min(at(&before, column - 1).saturating_add(1));
            }
            next.push(fewest);
        }
        before = std::mem::replace(&mut row, next);
        last = Some(letter);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_finds_the_name_and_a_stranger_does_not() {
        let names = ["severity", "title", "number", "tlp"];
        for (wrong, right) in [
            ("severty", Some("severity")),
            ("sevreity", Some("severity")),
            ("Title", Some("title")),
            ("tpl", Some("tlp")),
            ("customer", None),
            ("x", None),
        ] {
            assert_eq!(nearest(wrong, names), right, "{wrong}");
        }
        assert_eq!((edits("ab", "ba"), edits("", "abc"), edits("abc", "abc")), (1, 3, 0));
    }
}
