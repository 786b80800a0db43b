//! Sentences of the program itself, as pages say them: why something was refused, what does not fit.
//!
//! The interface says them in one language, English, and programs read them there. A page finds each
//! among these by its words, gaps and all, and says it in the language of who reads. What is not among them is
//! shown as it is, and marked as English.

use beistand_core::model::Millis;
use fluent_bundle::FluentValue;

use super::{Words, Zoned};

/// Before the keys of these sentences.
const VOCABULARY: &str = "said";

/// A gap in which another sentence of the program stands.
const INNER: &str = "said";

/// A gap in which an instant stands.
const TIME: &str = "time";

/// Names by which a page says a sentence, and the sentence as the program says it. A gap is named for the
/// vocabulary that its word is said by. The first that fits counts.
const SAID: &[(&str, &str)] = &[
    ("words", "this account and these words do not fit together"),
    (
        "words-hint",
        "look at the account's name and at the keyboard's letters; an admin can give you another passphrase, and in an emergency there is the sealed account",
    ),
    ("later", "too many wrong words; try again after {time}"),
    ("later-hint", "from another line, another account or with a token it goes on at once"),
    ("questions", "too many questions wait for devices of this account; try again after {time}"),
    ("second-factor", "this account wants a passkey or a printed code as well"),
    ("one-factor", "a login has one second factor, not two"),
    ("code-pair", "a printed code is given with its number on the sheet"),
    ("again-differs", "the new passphrase was not typed the same way twice"),
    ("pass-length", "a passphrase has {least} to {most} characters; take four or more words"),
    ("pass-name", "a passphrase does not hold the name of its account"),
    ("pass-uniform", "a passphrase has more than a few different characters"),
    ("who-not-now", "who you are can not be found out now"),
    ("prove", "this wants a proof of a moment ago of who you are"),
    ("session-only", "only a session is proved once more; a token never is"),
    ("logged-out", "this needs a valid token or session"),
    ("permission", "this needs the permission `{may}`, which you do not have"),
    ("permission-hint", "who keeps the accounts can give a role that has it"),
    ("permission-person", "`{person}` may not do this: it needs `{may}`"),
    ("typist", "who types this in needs `{may}`"),
    ("typist-said", "who types in what is said needs `{may}`"),
    ("only-name", "`{person}` is only a name; prove it with a passphrase"),
    (
        "token-destroys",
        "a token of `{person}` lets nothing through that destroys: prove who you are",
    ),
    ("elsewhere", "this request was sent by a page that is not this server's"),
    ("origin", "with a cookie, what changes something says in `Origin` where it comes from"),
    ("nothing-here", "there is nothing at this path"),
    ("nothing-named", "there is nothing of this name"),
    ("method", "this path does not know this method"),
    ("no-incident", "there is no incident {number}"),
    ("no-run-owner", "there is no run {run}, or another process drives it"),
    ("no-run", "there is no run {run}"),
    ("no-need", "there is no need {need}"),
    ("no-line", "there is no line {line} in this timeline"),
    ("no-such-line", "the timeline has no such line"),
    ("no-step", "there is no such step in this run"),
    ("no-such-run", "there is no such run"),
    ("no-account", "there is no such account"),
    ("no-account-named", "there is no account `{account}`"),
    ("no-session", "you have no such session any more"),
    ("no-passkey", "you have no passkey of this name"),
    ("no-credential", "there is no credential `{credential}`"),
    ("no-playbook", "there is no playbook `{playbook}`"),
    ("need-closed", "need {need} is not open: it was answered, or is asked anew"),
    ("changed", "what was shown has changed: look again"),
    ("own", "`{person}` asked for it and can not approve it"),
    ("voted", "`{person}` has voted already"),
    ("asks-role", "this asks a {role}, which `{person}` is not"),
    ("machine", "`{person}` is a machine, and no person's second pair of eyes"),
    ("paper-vote", "a vote on paper does not count; a printed code does"),
    ("name-vote", "`{person}` is only a name; prove it to vote"),
    ("guarded-hand", "what is guarded is not touched by hand either: this need takes {answers}"),
    ("takes", "this need takes {answers}"),
    ("twice", "need {need} is answered twice at once"),
    ("typed-for", "`{person}` has typed in somebody else's vote for it"),
    (
        "typist-asked",
        "`{person}` asked for it and can not type in a vote for it; somebody else types this one in",
    ),
    ("typist-voted", "`{person}` has voted already; somebody else types this one in"),
    (
        "typist-typed",
        "`{person}` has typed in a vote for it already; somebody else types this one in",
    ),
    ("phone-code", "no unused code of this account has this number and these letters"),
    ("phone-code-hint", "it counts as a guess; nobody reads one to themselves"),
    ("run-ended", "the run has ended"),
    ("gives-way", "the run gives way to another; what it leaves is taken back after that"),
    ("nothing-back", "there is nothing at {path} that can be taken back"),
    ("form", "the form does not fit: {rest}"),
    ("inputs", "the inputs do not fit"),
    ("arguments", "the arguments do not fit{rest}"),
    ("stopped-why", "the stop switch is on, by {person}: {reason}; no new run begins"),
    ("stopped-by", "the stop switch is on, by {person}; no new run begins"),
    ("stopped-new", "the stop switch is on; no new run begins"),
    ("stopped", "the stop switch is on"),
    ("stopped-self", "`{person}` stopped everything; going on is another person's act"),
    ("restored", "after a restore, say with --reason that the old instance is off"),
    ("another-owner", "the run went to another owner; try again"),
    ("crowd", "too many people write into the incident; try again"),
    ("no-number", "no incident number was free; try again"),
    ("moved", "incident {number} has moved on to entry {seq}; look again"),
    ("closed-already", "incident {number} is closed already"),
    ("closed", "incident {number} is closed"),
    ("real-already", "incident {number} is real already"),
    ("no-title", "an incident has a title"),
    ("more-readers", "from TLP:{from} to TLP:{to} more people may read it: say why, with a reason"),
    ("other-mode", "incident {number} is {mode}, the run would be {mode2}"),
    ("nobodys", "nobody has command of {number}; `incident assign` gives it"),
    ("others-command", "`{person}` has command, and only who has it can hand it over"),
    ("has-command", "`{person}` has command already"),
    ("not-offered", "command of {number} is not offered to anybody"),
    ("to-another", "command is offered to `{person}`, who alone can accept it"),
    ("by-another", "`{person}` offered command, and alone can withdraw that"),
    (
        "briefing-since",
        "this is not the current briefing; it is {digest} now, and since the offer changed: {what}",
    ),
    ("briefing", "this is not the current briefing; it is {digest} now"),
    (
        "briefing-whole",
        "a briefing is read as a whole, and not all of the incident is yours to read",
    ),
    ("drill-whole", "a drill goes along as a whole, and not all of it is yours to read"),
    ("outline", "of this run only an outline is yours to read"),
    ("time", "a time is `14:41`, or a date with a time"),
    ("future", "`at` says when it happened, and that is yet to come"),
    ("future-at", "{time} is yet to come, and did not happen"),
    ("before-run", "{time} is long before the run began, {time2}"),
    ("form-read", "the form can not be read: {said}"),
    ("query-read", "the query can not be read: {rest}"),
    ("this-missing", "this is missing"),
    ("severity", "a severity is 1 to 4"),
    ("twice-field", "the field `{field}` stands there twice"),
    ("utf8", "a form is sent in UTF-8"),
    ("broke-off", "the body broke off"),
    ("too-large", "the body may have {n} bytes here"),
    ("slow", "the body did not come within {n} s"),
    ("goes-on", "this was not done within {n} s, and goes on"),
    ("goes-on-hint", "look whether it was done before you ask for it again"),
    ("either-undo", "either everything is taken back, or the steps that are ticked"),
    ("no-signal", "no step waits for a signal here"),
    ("no-signal-name", "the playbook never waits for a signal of this name"),
    ("by-at", "`by` and `at` say who did it on paper, and when: only with `done`"),
    ("paper-program", "a program, or a token, says nothing in the name of a person"),
    ("nobody-asks", "nobody asks for `{field}`"),
    ("must-bool", "`{field}` must be yes or no"),
    ("must-integer", "`{field}` must be a whole number"),
    ("must-number", "`{field}` must be a number"),
    ("must-json", "`{field}` must be JSON"),
    ("schema-choice", "must be one of {list}"),
    ("schema-type", "must be {kind}, is {other}"),
    ("schema-min-length", "must have at least {n} characters"),
    ("schema-max-length", "must have at most {n} characters"),
    ("schema-exact", "is too large to be exact; write it as a string"),
    ("schema-min", "must be at least {n}"),
    ("schema-max", "must be at most {n}"),
    ("schema-few", "needs at least {n}"),
    ("schema-many", "may have at most {n}"),
    ("schema-missing", "is missing"),
    ("schema-unknown", "is not known here; there are: {list}"),
    ("field-missing", "missing field `{field}`"),
    ("field-unknown", "unknown field `{field}`, {rest}"),
    ("choice-unknown", "unknown variant `{value}`, {rest}"),
    ("type-invalid", "invalid type: {rest}"),
    ("value-invalid", "invalid value: {rest}"),
    ("text-empty", "it is empty"),
    ("text-long", "it has more than {n} characters"),
    ("text-line", "it is one line without control characters"),
    ("text-control", "it has control characters other than line breaks and tabs"),
    ("text-nul", "it has a NUL in it"),
    ("text-ascii", "it has printable ASCII alone, and no blanks"),
    ("no-name", "`{text}` is no {what}: {hint}"),
    ("key-used", "this start key was used for another run"),
    ("key-kind", "this start key was used for {what}"),
    ("faults", "the playbook `{playbook}` has faults"),
    ("lacks-people", "nothing is bound for `{action}`: it would fall to people"),
    (
        "lacks-automatic",
        "nothing is bound for `{action}`, and the playbook requires it to be automatic",
    ),
    (
        "lacks-guard-list",
        "`{action}` is destructive, and there is no `guard:` section in the configuration",
    ),
    ("lacks-inventory", "`{host}` is not in the inventory"),
    ("no-address", "`{host}` is not in the inventory and is no address; add it there and retry"),
    ("assets-many", "{n} assets at once, at most {max} are taken"),
    ("more-input", "the playbook has no input `{field}`"),
    ("more-none", "no item was given"),
    ("more-known", "nothing of it is new: {list}"),
    ("account-there", "there is an account `{account}` already"),
    ("account-name", "this is no name of an account"),
    ("person-kind", "`{person}` is a {kind} already; take another name"),
    ("role-self", "nobody gives a role to themselves; another admin does it"),
    ("no-account-of", "`{person}` has no account"),
    ("not-role", "`{person}` is not {role} for {reach}"),
    ("last-admin", "nobody would be left who can make an account; make another admin before"),
    ("reaches-nowhere", "this reaches nowhere"),
    ("internal", "something went wrong here that should not"),
    ("internal-hint", "ask whoever runs this server to look up the reference in its log"),
    ("store-not-now", "the store can not be written now"),
    ("ending", "this server is about to end"),
    ("busy", "more is asked of this server at once than it can bear"),
    ("busy-strangers", "more is sent at once by whoever nobody knows yet"),
    ("busy-large", "other large bodies are being read; send yours in a moment"),
    ("busy-urgent", "{n} urgent requests of yours are under way"),
];

/// A sentence, and whether it is still in English though who reads does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) foreign: bool,
}

impl Zoned {
    /// A sentence of the program in the language of who reads, its instants where they are.
    pub(crate) fn program(self, sentence: &str) -> Told {
        self.known(sentence).map_or_else(
            || {
                let foreign = self.words != Words(beistand_core::timeline::Lang::En);
                Told { text: sentence.to_owned(), foreign }
            },
            |text| Told { text, foreign: false },
        )
    }

    fn known(self, sentence: &str) -> Option<String> {
        let found = SAID.iter().find_map(|(key, said)| Some((*key, gaps(said, sentence)?)));
        let (key, gaps) = found?;
        let mut filled = Vec::with_capacity(gaps.len());
        for (name, text) in gaps {
            filled.push((name, FluentValue::from(self.filled(name, text)?)));
        }
        Some(self.words.say_with(&format!("{VOCABULARY}-{key}"), &filled))
    }

    /// What stands in a gap, as a page says it; nothing where that is a sentence that is not known.
    fn filled(self, name: &str, text: &str) -> Option<String> {
        match name.trim_end_matches(|sign: char| sign.is_ascii_digit()) {
            INNER => self.known(text),
            TIME => {
                Some(Millis::parse(text).map_or_else(|_| text.to_owned(), |at| self.stamp(at).full))
            }
            vocabulary => Some(self.words.of(vocabulary, text)),
        }
    }
}

/// What stands in the gaps of a sentence, by their names; nothing where it is another one.
fn gaps<'s>(said: &'static str, sentence: &'s str) -> Option<Vec<(&'static str, &'s str)>> {
    let mut parts = said.split('{');
    let mut rest = sentence.strip_prefix(parts.next()?)?;
    let mut found = Vec::new();
    for part in parts {
        let (name, after) = part.split_once('}')?;
        let end = if after.is_empty() { rest.len() } else { rest.find(after)? };
        let (text, left) = rest.split_at_checked(end)?;
        found.push((name, text));
        rest = left.strip_prefix(after)?;
    }
    rest.is_empty().then_some(found)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use beistand_core::timeline::{Lang, Zone};

    use super::super::{ENGLISH, GERMAN};
    use super::*;

    fn told(lang: Lang, sentence: &str) -> Told {
        Zoned { zone: Zone::Berlin, words: Words(lang), now: Millis::new(0) }.program(sentence)
    }

    #[test]
    fn what_stood_in_the_gaps_is_said_too() {
        let voted = told(Lang::De, "`ben` has voted already");
        assert_eq!(voted, Told { text: "ben hat schon abgestimmt.".to_owned(), foreign: false });
        let role = told(Lang::De, "this asks a commander, which `ben` is not");
        assert_eq!(role.text, "Gefragt ist die Rolle Einsatzleitung, die ben nicht hat.");
        let lacks = told(Lang::De, "this needs the permission `approve`, which you do not have");
        assert_eq!(lacks.text, "Dafür fehlt Ihnen das Recht: freigeben.");
        let later =
            told(Lang::De, "too many wrong words; try again after 2026-11-21T13:41:09.000Z");
        assert!(later.text.contains("Sa 21.11.2026, 14:41:09 MEZ"), "{later:?}");
        let inner = told(Lang::De, "the form can not be read: missing field `text`");
        assert_eq!(inner.text, "Bitte ausfüllen: Text.");
        let owner = told(Lang::De, "there is no run 7, or another process drives it");
        assert_eq!(owner.text, "Diesen Ablauf gibt es nicht, oder ein anderes Programm führt ihn.");
    }

    #[test]
    fn what_nobody_knows_is_said_as_it_is_and_marked() {
        for sentence in ["the moon is down", "the form can not be read: the moon is down", ""] {
            let german = told(Lang::De, sentence);
            assert_eq!(german, Told { text: sentence.to_owned(), foreign: true });
            assert!(!told(Lang::En, sentence).foreign);
        }
    }

    #[test]
    fn each_is_said_in_german_by_itself() {
        for (key, said) in SAID {
            let sentence = said.replace("{said}", "it is empty").replace(['{', '}'], "");
            let german = told(Lang::De, &sentence);
            assert!(!german.foreign, "{key}: {german:?}");
            assert_ne!(german.text, told(Lang::En, &sentence).text, "{key}");
            let first = SAID.iter().find(|(_, said)| gaps(said, &sentence).is_some());
            assert_eq!(first.map(|(key, _)| key), Some(key), "what comes before it hides it");
        }
    }

    #[test]
    fn each_is_written_and_what_is_written_is_one() {
        let names: BTreeSet<String> =
            SAID.iter().map(|(key, _)| format!("{VOCABULARY}-{key}")).collect();
        assert_eq!(names.len(), SAID.len(), "no name twice");
        let keys = |files: &[(&str, &str)]| -> BTreeSet<String> {
            let lines = files.iter().flat_map(|(_, text)| text.lines().map(str::to_owned));
            let keys =
                lines.filter_map(|line| line.split_once(" =").map(|(key, _)| key.to_owned()));
            keys.filter(|key| key.starts_with(&format!("{VOCABULARY}-"))).collect()
        };
        assert_eq!(keys(GERMAN), names);
        assert_eq!(keys(ENGLISH), names);
    }

    /// Files and folders in which only tests say something, and this one.
    const OF_TESTS: [&str; 7] = [
        "tests",
        "tests.rs",
        "words/said.rs",
        "api/described.rs",
        "api/world.rs",
        "draw/sample.rs",
        "page/told.rs",
    ];

    /// What the code around says, without its comments and its tests.
    fn source(folder: &Path, into: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if OF_TESTS.iter().any(|one| path.ends_with(one)) {
                continue;
            }
            if path.is_dir() {
                source(&path, into);
            } else if path.extension().is_some_and(|one| one == "rs") {
                into.push_str(&without_tests(&std::fs::read_to_string(path).unwrap()));
            }
        }
    }

    /// A file, whose tests stand at its end. A string that goes on in the next line is put together.
    fn without_tests(text: &str) -> String {
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let mut said = String::new();
        for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
            match line.strip_suffix('\\') {
                Some(line) => said.push_str(line),
                None => said.extend([line, "\n"]),
            }
        }
        said
    }

    /// Words of other libraries, and sentences that are put together of pieces.
    const NOWHERE: [&str; 13] = [
        "field-missing",
        "choice-unknown",
        "type-invalid",
        "value-invalid",
        "must-bool",
        "must-json",
        "typist-asked",
        "typist-voted",
        "typist-typed",
        "guarded-hand",
        "briefing-since",
        "stopped-why",
        "stopped-by",
    ];

    /// Between its gaps a sentence says at least so much, or it is too little to be looked for.
    const WORD_MIN: usize = 4;

    #[test]
    fn each_is_still_a_sentence_of_the_program() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut all = String::new();
        for folder in ["web/src", "engine", "connectors"] {
            source(&root.join(folder), &mut all);
        }
        for (key, said) in SAID {
            let words = said.split(['{', '}']).step_by(2);
            let mut words = words.filter(|part| part.trim().len() >= WORD_MIN);
            let lost = words.find(|part| !all.contains(part));
            assert_eq!(lost.is_some(), NOWHERE.contains(key), "{key}: said nowhere is {lost:?}");
        }
    }

    #[test]
    fn what_a_comment_or_a_test_says_nobody_says() {
        let text =
            "//! one\nlet a = \"two \\\n    three\"; // four\n#[cfg(test)]\nmod tests {\n five";
        let said = without_tests(text);
        assert!(
            said.contains("two three") && !said.contains("one") && !said.contains("five"),
            "{said}"
        );
    }
}
