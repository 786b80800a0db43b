//! Every sentence is there in both languages, with the same gaps, and is said somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::*;

/// Vocabularies of the core: their keys are put together of a word of theirs.
const VOCABULARIES: [&str; 1] = ["span-"];

/// The keys of a file, each with the names of its gaps.
fn keys((file, text): (&str, &str)) -> BTreeMap<String, BTreeSet<String>> {
    let read = FluentResource::try_new(text.to_owned());
    let resource = read.unwrap_or_else(|(_, faults)| panic!("{file}: {faults:?}"));
    drop(resource);
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut current = None;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some((key, _)) = line.split_once(" =").filter(|_| !line.starts_with(' ')) {
            assert!(all.insert(key.to_owned(), BTreeSet::new()).is_none(), "{file}: {key} twice");
            current = Some(key.to_owned());
        }
        let gaps = line.match_indices("{ $").filter_map(|(at, _)| line.get(at + 3..)).map(|rest| {
            rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>()
        });
        if let Some(own) = current.as_ref().and_then(|key| all.get_mut(key)) {
            own.extend(gaps);
        }
    }
    all
}

fn texts(folder: &Path, ending: &str, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, ending, into);
        } else if path.extension().is_some_and(|one| one == ending) {
            into.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn what_one_language_says_the_other_says_with_the_same_gaps() {
    for (german, english) in GERMAN.iter().zip(ENGLISH) {
        let (ours, theirs) = (keys(*german), keys(*english));
        assert_eq!(ours, theirs, "locales/de/{0}.ftl and locales/en/{0}.ftl", german.0);
    }
}

#[test]
fn a_key_stands_in_one_file() {
    let mut seen = BTreeMap::new();
    for file in GERMAN {
        for key in keys(*file).into_keys() {
            if let Some(other) = seen.insert(key.clone(), file.0) {
                panic!("`{key}` stands in {other}.ftl and in {}.ftl", file.0);
            }
        }
    }
}

#[test]
fn what_is_said_is_written_and_what_is_written_is_said() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut said = String::new();
    texts(&root.join("templates"), "html", &mut said);
    texts(&root.join("src"), "rs", &mut said);
    let all: BTreeSet<String> = GERMAN.iter().flat_map(|file| keys(*file).into_keys()).collect();
    // A key in a template, and one that is named alone.
    for verb in [".t(\"", ".tn(\"", ".ta(\"", "words.say(\"", "words.count(\"", "words.about(\""] {
        for (at, _) in said.match_indices(verb) {
            let rest = said.get(at + verb.len()..).unwrap_or_default();
            let key = rest.split('"').next().unwrap_or_default();
            assert!(all.contains(key), "`{key}` is said and written nowhere");
        }
    }
    // As it stands, or put together of a vocabulary and a word of it.
    let is_said = |key: &&String| {
        let beginnings = key.match_indices('-').map(|(at, _)| &key[..at]);
        beginnings.chain([key.as_str()]).any(|one| said.contains(&format!("\"{one}\"")))
            || VOCABULARIES.iter().any(|one| key.starts_with(one))
    };
    let silent: Vec<&String> = all.iter().filter(|key| !is_said(key)).collect();
    assert!(silent.is_empty(), "written and said nowhere: {silent:?}");
}

#[test]
fn a_number_bends_its_sentence() {
    let words = |lang| Words(lang).count("span-days", 1);
    assert_eq!((words(Lang::De).as_str(), words(Lang::En).as_str()), ("1 Tag", "1 day"));
    assert_eq!(Words(Lang::De).count("span-days", 2), "2 Tage");
    assert_eq!(Words(Lang::De).of("role", "no-such-role"), "no-such-role");
}
