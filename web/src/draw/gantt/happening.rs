//! What happened at a step, as far as bars are made of it.
//!
//! The lines of a timeline say how an attempt ended in a sentence, for people: here one that was not the
//! last has just ended.

use beistand_core::model::{Millis, Path};
use beistand_core::timeline::TimelineEntry;

/// Something at a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Happening {
    /// When.
    pub(crate) at: Millis,
    /// The step.
    pub(crate) path: Path,
    /// What.
    pub(crate) what: Happened,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happened {
    /// An attempt went out.
    AttemptStarted,
    /// It ended.
    AttemptEnded,
    /// From here on it waits.
    WaitBegan,
    /// From here on its outcome is looked for: what went out before may have been done.
    Probing,
    /// It is over.
    Ended,
}

impl Happening {
    /// From a line of the timeline. Other lines make no bars.
    pub(crate) fn of_line(line: &TimelineEntry) -> Option<Self> {
        Some(Self { at: line.at, path: line.path.clone()?, what: of_word(line.kind)? })
    }
}

/// What a line's word says of it.
fn of_word(word: &str) -> Option<Happened> {
    match word {
        "attempt-started" => Some(Happened::AttemptStarted),
        "attempt-ended" => Some(Happened::AttemptEnded),
        "probe-scheduled" | "probe-started" => Some(Happened::Probing),
        "retry-scheduled" | "timer-set" | "signal-awaited" | "need-opened" => {
            Some(Happened::WaitBegan)
        }
        "step-ended" => Some(Happened::Ended),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use beistand_core::run::Event;
    use beistand_core::timeline::Events;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_says_what_its_event_is() {
        let (path, at) = ("a/b", 1);
        let ended = json!({"k": "attempt-ended", "path": path, "end": "unknown"});
        let heads = [
            (ended, Some(Happened::AttemptEnded)),
            (json!({"k": "probe-scheduled", "path": path, "at": at}), Some(Happened::Probing)),
            (json!({"k": "probe-started", "path": path}), Some(Happened::Probing)),
            (json!({"k": "retry-scheduled", "path": path, "at": at}), Some(Happened::WaitBegan)),
            (json!({"k": "timer-set", "path": path, "at": at}), Some(Happened::WaitBegan)),
            (json!({"k": "signal-awaited", "path": path, "name": "x"}), Some(Happened::WaitBegan)),
            (json!({"k": "step-ended", "path": path, "end": "failed"}), Some(Happened::Ended)),
            (json!({"k": "read-started", "path": path}), None),
            (json!({"k": "deadline-set", "path": path, "at": at, "every": 1}), None),
        ];
        for (head, happened) in heads {
            let event = Event::new(serde_json::from_value(head).unwrap());
            let word = Events::Run(vec![event]).words()[0];
            assert_eq!(of_word(word), happened, "{word}");
        }
        assert_eq!(of_word("attempt-started"), Some(Happened::AttemptStarted));
        assert_eq!(of_word("need-opened"), Some(Happened::WaitBegan));
    }
}
