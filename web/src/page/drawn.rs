//! The words of drawings, in the language of a page, and both sizes of each for it.
//!
//! A drawing knows no language: it is given functions without a memory. What they say is read from
//! `locales/` once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use beistand_core::model::{Millis, Role};
use beistand_core::run::StepStatus;
use beistand_core::timeline::{Lang, Zone};

use crate::draw::flow::{Flow, Kind, Why};
use crate::draw::gantt::{Gantt, Setting, What};
use crate::draw::{Access, flow, gantt};
use crate::words::{Words, Zoned};

use super::frame::Frame;

/// Pixels of a drawing for a screen.
const WIDE: u16 = 1_180;

/// And for a telephone.
const NARROW: u16 = 343;

/// Sentences with gaps that drawings fill in themselves.
const PATTERNS: [&str; 17] = [
    "only-if",
    "otherwise",
    "approval",
    "first-counts",
    "each",
    "items",
    "failed",
    "rounds",
    "attempts",
    "late",
    "by-hand",
    "now",
    "again",
    "left",
    "overdue",
    "many",
    "more",
];

/// What stands in their gaps.
const GAPS: [&str; 10] =
    ["condition", "votes", "role", "list", "done", "total", "count", "max", "until", "length"];

/// A language, a vocabulary, a word of it.
type Key = (&'static str, &'static str, &'static str);

static SAID: LazyLock<BTreeMap<Key, String>> = LazyLock::new(|| {
    let mut all = BTreeMap::new();
    for lang in [Lang::De, Lang::En] {
        let words = Words(lang);
        let mut learn = |vocabulary, word| {
            all.insert((lang.as_str(), vocabulary, word), words.of(vocabulary, word));
        };
        for one in StepStatus::ALL {
            learn("step", one.as_str());
        }
        for one in Role::ALL {
            learn("role", one.as_str());
        }
        for one in Kind::ALL {
            learn("kind", kind(*one));
        }
        for one in WHYS {
            learn("why", why(one));
        }
        for one in WHATS {
            learn("bar", what(one));
        }
        let gaps = GAPS.map(|gap| (gap, format!("{{{gap}}}").into()));
        let title = ("title", "{title}".into());
        let gaps: Vec<_> = gaps.into_iter().chain([title]).collect();
        for word in PATTERNS {
            let said = words.say_with(&format!("draw-{word}"), &gaps);
            all.insert((lang.as_str(), "draw", word), said);
        }
    }
    all
});

const WHYS: [Why; 4] = [Why::OnError, Why::OnFailure, Why::Always, Why::Undo];

const WHATS: [What; 6] =
    [What::Block, What::Wait, What::Attempt, What::Ended, What::Failed, What::Unknown];

fn said(lang: Lang, vocabulary: &'static str, word: &'static str) -> &'static str {
    SAID.get(&(lang.as_str(), vocabulary, word)).map_or(word, String::as_str)
}

/// The word of a kind of step, as a run's JSON has it.
const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Call => "call",
        Kind::Script => "script",
        Kind::Task => "task",
        Kind::Approve => "approve",
        Kind::Wait => "wait",
        Kind::Playbook => "playbook",
        Kind::Undo => "undo",
        Kind::Note => "note",
        Kind::Fail => "fail",
        Kind::End => "end",
        Kind::Group => "group",
        Kind::Parallel => "parallel",
        Kind::ForEach => "for_each",
        Kind::Switch => "switch",
        Kind::Repeat => "repeat",
    }
}

const fn why(why: Why) -> &'static str {
    match why {
        Why::OnError => "on-error",
        Why::OnFailure => "on-failure",
        Why::Always => "always",
        Why::Undo => "undo",
    }
}

const fn what(what: What) -> &'static str {
    match what {
        What::Block => "block",
        What::Wait => "wait",
        What::Attempt => "attempt",
        What::Ended => "ended",
        What::Failed => "failed",
        What::Unknown => "unknown",
    }
}

/// Lengths and days are said alike whatever the instant is.
const fn timeless(lang: Lang) -> Zoned {
    Zoned { zone: Zone::Utc, words: Words(lang), now: Millis::new(0) }
}

macro_rules! flow_words {
    ($lang:expr) => {
        flow::Words {
            kind: |one| said($lang, "kind", kind(one)),
            status: |one| said($lang, "step", one.as_str()),
            role: |one| said($lang, "role", one.as_str()),
            why: |one| said($lang, "why", why(one)),
            only_if: said($lang, "draw", "only-if"),
            otherwise: said($lang, "draw", "otherwise"),
            approval: said($lang, "draw", "approval"),
            first_counts: said($lang, "draw", "first-counts"),
            each: said($lang, "draw", "each"),
            items: said($lang, "draw", "items"),
            failed: said($lang, "draw", "failed"),
            rounds: said($lang, "draw", "rounds"),
            attempts: said($lang, "draw", "attempts"),
            late: said($lang, "draw", "late"),
            by_hand: said($lang, "draw", "by-hand"),
        }
    };
}

macro_rules! gantt_words {
    ($lang:expr) => {
        gantt::Words {
            status: |one| said($lang, "step", one.as_str()),
            what: |one| said($lang, "bar", what(one)),
            day: |at| timeless($lang).short_day(at),
            zone: |at| timeless($lang).zone_word(at),
            length: |span| timeless($lang).span(span),
            now: said($lang, "draw", "now"),
            attempts: said($lang, "draw", "attempts"),
            again: said($lang, "draw", "again"),
            left: said($lang, "draw", "left"),
            overdue: said($lang, "draw", "overdue"),
            many: said($lang, "draw", "many"),
            more: said($lang, "draw", "more"),
        }
    };
}

/// The words of a flow.
pub(crate) fn flow_words(lang: Lang) -> flow::Words {
    match lang {
        Lang::De => flow_words!(Lang::De),
        Lang::En => flow_words!(Lang::En),
    }
}

/// The words of a Gantt chart.
pub(crate) fn gantt_words(lang: Lang) -> gantt::Words {
    match lang {
        Lang::De => gantt_words!(Lang::De),
        Lang::En => gantt_words!(Lang::En),
    }
}

/// A drawing as a page carries it: SVG for a screen, and SVG for a telephone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drawn {
    pub(crate) wide: String,
    pub(crate) narrow: String,
}

impl Drawn {
    /// When steps did what. The list of steps beside it has the same links.
    pub(crate) fn gantt(frame: &Frame, gantt: &Gantt) -> Self {
        let (words, zone) = (gantt_words(frame.show.lang), frame.times.place());
        let draw =
            |width| gantt::gantt(gantt, &words, Setting { width, zone: &zone }, &Access::Hidden);
        Self { wide: draw(WIDE), narrow: draw(NARROW) }
    }

    /// What a playbook does before anybody ran it: nothing in it leads anywhere. `title` and
    /// `description` say it to who can not see it.
    pub(crate) fn plan(frame: &Frame, flow: &Flow, (title, description): (&str, &str)) -> Self {
        Self::with(frame, flow, &Access::Image { title, description })
    }

    /// What a playbook does and how far it is. `title` and `description` say it to who can not see it.
    pub(crate) fn flow(frame: &Frame, flow: &Flow, (title, description): (&str, &str)) -> Self {
        Self::with(frame, flow, &Access::Group { title, description })
    }

    fn with(frame: &Frame, flow: &Flow, access: &Access<'_>) -> Self {
        let words = flow_words(frame.show.lang);
        let draw = |width| flow::flow(flow, &words, width, access);
        Self { wide: draw(WIDE), narrow: draw(NARROW) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_drawing_is_said_in_both_languages() {
        for ((lang, vocabulary, word), said) in &*SAID {
            assert_ne!(said, &format!("{vocabulary}-{word}"), "{lang}");
            // A vocabulary's own word is no sentence, but for the few that are English ones.
            let is_word = said == word && *lang == "de";
            assert!(!is_word, "{vocabulary}-{word} is not written");
        }
        assert_eq!(flow_words(Lang::De).only_if, "nur wenn {condition}");
        assert_eq!(gantt_words(Lang::En).many, "{title} ({count}×)");
    }
}
