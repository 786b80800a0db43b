//! A mapping being read key by key; what nobody asked for is a finding.

use super::super::report::{Report, did_you_mean};
use super::super::tree::{Entry, Yaml};
use super::super::{Code, Place};

/// The keys of a mapping, and which of them the language asked for.
#[derive(Debug)]
pub(in crate::playbook) struct Fields<'y> {
    entries: &'y [Entry],
    /// Where the mapping begins.
    pub(super) place: Place,
    what: &'static str,
    asked: Vec<&'static str>,
}

impl<'y> Fields<'y> {
    /// The keys of `yaml`, which is `what` (with its article, for sentences).
    pub(in crate::playbook) fn of(
        yaml: &'y Yaml,
        what: &'static str,
        report: &mut Report,
    ) -> Option<Self> {
        let Some(entries) = yaml.map() else {
            let message = format!("{what} must be a mapping, is {}", yaml.word());
            report.add(Code::WrongType, yaml.place, message);
            return None;
        };
        Some(Self { entries, place: yaml.place, what, asked: Vec::new() })
    }

    /// A key, if it is there.
    pub(in crate::playbook) fn take(&mut self, name: &'static str) -> Option<&'y Entry> {
        self.asked.push(name);
        self.entries.iter().find(|entry| entry.name() == name)
    }

    /// A key that must be there.
    pub(in crate::playbook) fn need(
        &mut self,
        name: &'static str,
        report: &mut Report,
    ) -> Option<&'y Entry> {
        let found = self.take(name);
        if found.is_none() {
            let message = format!("{} needs `{name}`", self.what);
            report.add(Code::MissingKey, self.place, message);
        }
        found
    }

    /// The keys that nobody asked for so far.
    pub(super) fn names(&self) -> impl Iterator<Item = &'y str> {
        self.entries
            .iter()
            .map(Entry::name)
            .filter(|name| !self.asked.iter().any(|asked| asked == name))
    }

    /// Whatever else is here belongs to a later version.
    pub(super) fn forgive(&mut self) {
        self.entries = &[];
    }

    /// Every key that nobody asked for is a finding.
    pub(in crate::playbook) fn finish(self, report: &mut Report) {
        for entry in self.entries {
            let name = entry.name();
            if self.asked.contains(&name) || report.is_full() {
                continue;
            }
            let message = format!("{} has no key `{}`", self.what, short(name));
            let hint = did_you_mean(name, self.asked.iter().copied());
            report.add_with(Code::UnknownKey, entry.place, message, hint);
        }
    }
}

/// A text for a sentence: cut where it is long, on one line.
pub(super) fn short(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
