//! What pages say, in German and English: sentences by their key, with plurals, from `locales/`.
//!
//! One file a page, and a file for what all share. A key that only one language has, one that nobody
//! says and one that nobody wrote are faults of a test, and never of a page.

use std::sync::LazyLock;

use beistand_core::timeline::Lang;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::{LanguageIdentifier, langid};

mod said;
mod time;

pub(crate) use said::Told;
pub(crate) use time::{Stamp, Theme, Zoned};

/// The files of each language, by the page that says what stands in them.
macro_rules! locales {
    ($($file:literal),* $(,)?) => {
        const GERMAN: &[(&str, &str)] = &[$(($file, include_str!(concat!("../../locales/de/", $file, ".ftl")))),*];
        const ENGLISH: &[(&str, &str)] = &[$(($file, include_str!(concat!("../../locales/en/", $file, ".ftl")))),*];
    };
}

locales![
    "briefing", "common", "declare", "draw", "frame", "home", "hosts", "incident", "login", "me",
    "need", "people", "playbook", "problem", "real", "run", "said", "sheet", "system", "timeline",
];

static BUNDLES: LazyLock<[FluentBundle<FluentResource>; 2]> =
    LazyLock::new(|| [bundle(langid!("de"), GERMAN), bundle(langid!("en"), ENGLISH)]);

fn bundle(language: LanguageIdentifier, files: &[(&str, &str)]) -> FluentBundle<FluentResource> {
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Names from outside stand in elements that isolate them; here the marks would be read aloud.
    bundle.set_use_isolating(false);
    for (_, text) in files {
        // What can be read of a file is taken; a test holds every file to be read whole.
        let resource = FluentResource::try_new((*text).to_owned());
        bundle.add_resource_overriding(resource.unwrap_or_else(|(readable, _)| readable));
    }
    bundle
}

/// The sentences of a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Words(pub(crate) Lang);

impl Words {
    /// A sentence by its key.
    pub(crate) fn say(self, key: &str) -> String {
        self.say_with(key, &[])
    }

    /// A sentence that depends on a number, `$n`.
    pub(crate) fn count(self, key: &str, n: usize) -> String {
        self.say_with(key, &[("n", n.into())])
    }

    /// A sentence about something, `$it`.
    pub(crate) fn about(self, key: &str, it: &str) -> String {
        self.say_with(key, &[("it", it.into())])
    }

    /// A sentence with what it depends on.
    pub(crate) fn say_with(self, key: &str, with: &[(&str, FluentValue<'_>)]) -> String {
        let [german, english] = &*BUNDLES;
        let bundle = match self.0 {
            Lang::De => german,
            Lang::En => english,
        };
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            return key.to_owned();
        };
        let arguments: FluentArgs<'_> = with.iter().map(|(k, v)| (*k, v.clone())).collect();
        bundle.format_pattern(pattern, Some(&arguments), &mut Vec::new()).into_owned()
    }

    /// The word for one of a vocabulary, `role-commander`; the word itself where it has none here.
    pub(crate) fn of(self, vocabulary: &str, word: &str) -> String {
        let key = format!("{vocabulary}-{word}");
        let said = self.say(&key);
        if said == key { word.to_owned() } else { said }
    }
}

#[cfg(test)]
mod tests;
