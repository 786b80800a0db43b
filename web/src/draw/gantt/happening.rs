//! What happened at a step, as far as bars are made of it.
//!
//! Two ways lead here. The events of a run say how each attempt ended. The lines of a timeline do not:
//! they say it in a sentence, for people; from these an attempt that was not the last one has just ended.

use beistand_core::model::{Millis, Path};
use beistand_core::run::{AttemptEnd, Event, Head};
use beistand_core::timeline::TimelineEntry;

/// Something at a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// When.
    pub at: Millis,
    /// The step.
    pub path: Path,
    /// What.
    pub what: Happened,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// An attempt went out.
    AttemptStarted,
    /// It ended; how, where that is known.
    AttemptEnded(Option<AttemptEnd>),
    /// From here on it waits.
    WaitBegan,
    /// From here on its outcome is looked for: what went out before may have been done.
    Probing,
    /// It is over.
    Ended,
}

impl Happening {
    /// From an event of the run. Other events make no bars.
    pub fn of_event(at: Millis, event: &Event) -> Option<Self> {
        let head = &event.head;
        let (path, what) = if let Head::AttemptStarted(intent) = head {
            (&intent.path, Happened::AttemptStarted)
        } else if let Head::AttemptEnded { path, end, .. } = head {
            (path, Happened::AttemptEnded(Some(*end)))
        } else if let Head::ProbeScheduled { path, .. } | Head::ProbeStarted { path } = head {
            (path, Happened::Probing)
        } else if let Head::StepEnded { path, .. } = head {
            (path, Happened::Ended)
        } else if let Head::RetryScheduled { path, .. }
        | Head::TimerSet { path, .. }
        | Head::SignalAwaited { path, .. }
        | Head::NeedOpened { path: Some(path), .. } = head
        {
            (path, Happened::WaitBegan)
        } else {
            return None;
        };
        Some(Self { at, path: path.clone(), what })
    }

    /// From a line of the timeline. Other lines make no bars.
    pub fn of_line(line: &TimelineEntry) -> Option<Self> {
        Some(Self { at: line.at, path: line.path.clone()?, what: of_word(line.kind)? })
    }
}

/// What a line's word says of it.
fn of_word(word: &str) -> Option<Happened> {
    match word {
        "attempt-started" => Some(Happened::AttemptStarted),
        "attempt-ended" => Some(Happened::AttemptEnded(None)),
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
    use beistand_core::timeline::Events;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_says_the_same_as_its_event() {
        let (path, at) = ("a/b", 1);
        let heads = [
            json!({"k": "attempt-ended", "path": path, "end": "unknown"}),
            json!({"k": "probe-scheduled", "path": path, "at": at}),
            json!({"k": "probe-started", "path": path}),
            json!({"k": "retry-scheduled", "path": path, "at": at}),
            json!({"k": "timer-set", "path": path, "at": at}),
            json!({"k": "signal-awaited", "path": path, "name": "x"}),
            json!({"k": "step-ended", "path": path, "end": "failed"}),
            json!({"k": "read-started", "path": path}),
            json!({"k": "deadline-set", "path": path, "at": at, "every": 1}),
        ];
        for head in heads {
            let event = Event::new(serde_json::from_value(head).unwrap());
            let of_event = Happening::of_event(Millis::new(at), &event).map(|one| one.what);
            let word = Events::Run(vec![event]).words()[0];
            let is_end = |what: &Happened| matches!(what, Happened::AttemptEnded(_));
            let of_event = match of_event.filter(is_end) {
                Some(_) => Some(Happened::AttemptEnded(None)),
                None => of_event,
            };
            assert_eq!(of_word(word), of_event, "{word}");
        }
        assert_eq!(of_word("attempt-started"), Some(Happened::AttemptStarted));
        assert_eq!(of_word("need-opened"), Some(Happened::WaitBegan));
    }
}
