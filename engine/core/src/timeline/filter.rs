//! Which lines of a timeline somebody wants to see. One type for a URL, the command line and exports;
//! it writes itself back as a query, so that a view can be handed on as a link.

use std::fmt::Write as _;

use thiserror::Error;

use super::entry::{Lane, TimelineEntry};
use crate::model::{Millis, Path, Person, PlaybookName, Role, Sought};

/// Which lines. What is absent, or not asked for, leaves out nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only this kind of doing.
    pub lane: Option<Lane>,
    /// Only what this person did, or typed in for somebody else.
    pub person: Option<Person>,
    /// Only what whoever had this role did then, and what the role was asked for.
    pub role: Option<Role>,
    /// Only what is about this host, account or other item, by its name in small letters or large.
    pub item: Option<String>,
    /// Only this step and what is inside of it; an id alone means the step wherever it stands.
    pub step: Option<Path>,
    /// Only runs of this playbook.
    pub playbook: Option<PlaybookName>,
    /// Only what matters to most readers.
    pub significant: bool,
    /// Only what did not work, or was late.
    pub failures: bool,
    /// Only what somebody starred.
    pub starred: bool,
    /// Only sentences that hold this text, in small letters or large.
    pub text: Option<String>,
    /// Only what happened at or after this instant.
    pub from: Option<Millis>,
    /// Only what happened before this instant.
    pub to: Option<Millis>,
}

/// Why a part of a filter can not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FilterError {
    /// There is no such part.
    #[error("a timeline is not filtered by `{0}`; it is by {names}", names = NAMES.join(", "))]
    Unknown(String),
    /// It is there, and says something else.
    #[error("`{name}`: {why}")]
    Wrong {
        /// Which part.
        name: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

/// What the parts are called in a URL, in the order in which they are written.
pub(super) const NAMES: [&str; 12] = [
    "lane",
    "person",
    "role",
    "item",
    "step",
    "playbook",
    "significant",
    "failures",
    "starred",
    "q",
    "from",
    "to",
];

impl Filter {
    /// Sets a part from what stands in a URL.
    ///
    /// # Errors
    /// [`FilterError`] for a part that there is not, or a value that is none.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), FilterError> {
        let known = NAMES.into_iter().find(|known| *known == name);
        let name = known.ok_or_else(|| FilterError::Unknown(name.chars().take(40).collect()))?;
        let wrong = |why: &dyn std::fmt::Display| FilterError::Wrong { name, why: why.to_string() };
        let yes = || match value {
            "true" => Ok(true),
            _ => Err(wrong(&"only `true` asks for something")),
        };
        let text = || value.parse::<Sought>().map(String::from).map_err(|error| wrong(&error));
        match name {
            "lane" => self.lane = Some(value.parse().map_err(|error| wrong(&error))?),
            "person" => self.person = Some(value.parse().map_err(|error| wrong(&error))?),
            "role" => self.role = Some(value.parse().map_err(|error| wrong(&error))?),
            "item" => self.item = Some(text()?),
            "step" => self.step = Some(value.parse().map_err(|error| wrong(&error))?),
            "playbook" => self.playbook = Some(value.parse().map_err(|error| wrong(&error))?),
            "significant" => self.significant = yes()?,
            "failures" => self.failures = yes()?,
            "starred" => self.starred = yes()?,
            "q" => self.text = Some(text()?),
            "from" => self.from = Some(Millis::parse(value).map_err(|error| wrong(&error))?),
            _ => self.to = Some(Millis::parse(value).map_err(|error| wrong(&error))?),
        }
        Ok(())
    }

    /// Its parts as a URL names them, without those that leave out nothing.
    pub fn parts(&self) -> Vec<(&'static str, String)> {
        let yes = |asked: bool| asked.then(|| "true".to_owned());
        let values = [
            self.lane.map(|lane| lane.to_string()),
            self.person.as_ref().map(ToString::to_string),
            self.role.map(|role| role.to_string()),
            self.item.clone(),
            self.step.as_ref().map(ToString::to_string),
            self.playbook.as_ref().map(ToString::to_string),
            yes(self.significant),
            yes(self.failures),
            yes(self.starred),
            self.text.clone(),
            self.from.map(|at| at.to_string()),
            self.to.map(|at| at.to_string()),
        ];
        NAMES.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// How many parts leave something out.
    pub fn active(&self) -> usize {
        self.parts().len()
    }

    /// The query of a URL, without a question mark; empty where nothing is left out.
    pub fn to_query(&self) -> String {
        let parts =
            self.parts().into_iter().map(|(name, value)| format!("{name}={}", plain(&value)));
        parts.collect::<Vec<_>>().join("&")
    }

    /// Whether a line of [`bound`](super::bound) lines is wanted.
    pub fn admits(&self, line: &TimelineEntry) -> bool {
        (!self.significant || !line.detail)
            && (!self.failures || line.failed)
            && (!self.starred || line.starred_by.is_some())
            && self.lane.is_none_or(|lane| lane == line.lane)
            && self.from.is_none_or(|from| from <= line.when())
            && self.to.is_none_or(|to| line.when() < to)
            && self.role.is_none_or(|role| line.roles.contains(&role))
            && admitted(self.playbook.as_ref(), |name| line.playbook.as_ref() == Some(name))
            && admitted(self.step.as_ref(), |step| {
                line.path.as_ref().is_some_and(|path| is_step(step, path))
            })
            && admitted(self.person.as_ref(), |person| {
                [&line.actor, &line.through].contains(&&Some(person.clone()))
            })
            && admitted(self.item.as_ref(), |item| is_item(item, line))
            && admitted(self.text.as_ref(), |text| holds(&line.text, text))
    }

    /// The lines that are wanted, in their order.
    #[must_use]
    pub fn of(&self, lines: Vec<TimelineEntry>) -> Vec<TimelineEntry> {
        if self.active() == 0 {
            return lines;
        }
        lines.into_iter().filter(|line| self.admits(line)).collect()
    }
}

fn admitted<T>(wanted: Option<T>, is: impl FnOnce(T) -> bool) -> bool {
    wanted.is_none_or(is)
}

/// Whether a path is this step or inside of it.
fn is_step(step: &Path, path: &Path) -> bool {
    if path.is_within(step) {
        return true;
    }
    let alone = !step.as_str().contains(['/', '[']);
    let id = |segment: &str| segment.split('[').next() == Some(step.as_str());
    alone && path.as_str().split('/').any(id)
}

fn is_item(item: &str, line: &TimelineEntry) -> bool {
    let item = item.to_lowercase();
    let is = |name: &String| name.to_lowercase() == item;
    line.item.iter().chain(&line.targets).any(is)
}

fn holds(text: &str, sought: &str) -> bool {
    text.to_lowercase().contains(&sought.to_lowercase())
}

/// A value in a query: what is no letter, digit or mark stands as its bytes (RFC 3986 section 2.1).
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _written = write!(out, "%{byte:02X}");
        }
    }
    out
}
