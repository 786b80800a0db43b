//! The place of a step in a run: part of every key, so its text never changes.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::StepId;

/// The path of a step: every enclosing block adds its id; loop rounds carry their index, from 0.
///
/// `attacked/contain[1]/cut`, `poll[3]/ask`, `attacked/tell/mail/mail_staff`,
/// `cut/on_error/tell`, `on_failure/call_commander`, `attacked/contain[1]/cut/undo`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Path(Arc<str>);

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no path of a step, like `contain[1]/cut`")]
pub struct PathError(pub String);

impl Path {
    /// The path above all steps: empty.
    pub fn root() -> Self {
        Self("".into())
    }
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// This path and one more segment.
    #[must_use]
    pub fn child(&self, segment: &str) -> Self {
        if self.0.is_empty() {
            Self(segment.into())
        } else {
            let mut text = String::with_capacity(self.0.len() + 1 + segment.len());
            text.push_str(&self.0);
            text.push('/');
            text.push_str(segment);
            Self(text.into())
        }
    }
    /// This path's loop at one round: `contain` becomes `contain[1]`.
    #[must_use]
    pub fn at(&self, index: u64) -> Self {
        Self(format!("{}[{index}]", self.0).into())
    }
    /// Whether this is `other` or below it.
    pub fn is_within(&self, other: &Self) -> bool {
        other.0.is_empty()
            || self
                .0
                .strip_prefix(&*other.0)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '[']))
    }
    /// The id of the step itself: the last segment without an index.
    pub fn id(&self) -> &str {
        let last = self.0.rsplit('/').next().unwrap_or_default();
        last.split_once('[').map_or(last, |(id, _)| id)
    }
    /// The path of the step that is taken back, where this is that of taking it back: no step of an
    /// author is called `undo`.
    pub fn taken_back(&self) -> Option<&str> {
        self.0.strip_suffix("/undo")
    }
    /// Whether this is the path of taking a step back, or of something done for that.
    pub fn is_within_undo(&self) -> bool {
        self.0.split('/').any(|segment| segment == "undo")
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Path {
    type Err = PathError;
    fn from_str(text: &str) -> Result<Self, PathError> {
        let segment = |segment: &str| {
            let (id, index) = match segment.split_once('[') {
                Some((id, index)) => (id, index.strip_suffix(']').unwrap_or_default()),
                None => (segment, "0"),
            };
            id.parse::<StepId>().is_ok() && index.parse::<u64>().is_ok()
        };
        if text.split('/').all(segment) {
            Ok(Self(text.into()))
        } else {
            Err(PathError(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_grows_by_segments_and_rounds() {
        let path = Path::root().child("attacked").child("contain").at(1).child("cut");
        assert_eq!(path.as_str(), "attacked/contain[1]/cut");
        assert_eq!(path.id(), "cut");
        assert_eq!(path.as_str().parse(), Ok(path.clone()));
        assert!(path.is_within(&Path::root().child("attacked").child("contain")));
        assert!(!path.is_within(&Path::root().child("attack")));
        assert!("a//b".parse::<Path>().is_err());
        assert!("a[x]/b".parse::<Path>().is_err());
    }

    #[test]
    fn taking_a_step_back_is_told_from_what_is_done_for_it() {
        let undo = Path::root().child("contain").at(1).child("cut").child("undo");
        assert_eq!(undo.taken_back(), Some("contain[1]/cut"));
        assert!(undo.is_within_undo());
        let tell = undo.child("tell");
        assert_eq!(tell.taken_back(), None);
        assert!(tell.is_within_undo());
        let undone = Path::root().child("undone");
        assert_eq!((undone.taken_back(), undone.is_within_undo()), (None, false));
    }
}
