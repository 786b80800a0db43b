//! Every finding code has a playbook that shows it, and the words it shows are in the repository.
//!
//! `playbooks/broken/<code>.yaml` beside `<code>.expected`, which is what `beistand check` says where
//! its words do not go to a terminal. Four faults are about size alone; their files are made here
//! instead of being kept. `BEISTAND_BLESS=1` writes the expected texts anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use beistand_core::model::{Catalogue, PlaybookName};
use beistand_core::playbook::{CheckRequest, Code, Finding, Library, Plan, SourceText, check};
use beistand_script::Scripts;
use proptest::prelude::*;
use serde_json::json;

use crate::desk::Desk;

/// Sub-playbooks beside their caller, then among the parts.
struct Folders(PathBuf);

impl Library for Folders {
    fn find(&self, caller: &SourceText, name: &PlaybookName) -> Option<SourceText> {
        let caller = Path::new(caller.name()).parent().unwrap_or_else(|| Path::new(""));
        ["", "parts", "parts/deep"].iter().find_map(|folder| {
            let beside = if folder.is_empty() { caller } else { Path::new(folder) };
            let file = beside.join(format!("{name}.yaml"));
            let text = fs::read_to_string(self.0.join(&file)).ok()?;
            Some(SourceText::new(file.to_str()?, text))
        })
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../playbooks/broken")
}

fn look(name: &str, text: &str) -> (Option<Plan>, Vec<Finding>) {
    let source = SourceText::new(name, text);
    let (catalogue, expressions) = (Catalogue::first(), Scripts::without_budget());
    check(CheckRequest {
        source: &source,
        catalogue: &catalogue,
        library: &Folders(folder()),
        expressions: &expressions,
    })
}

/// Faults of size: nobody wants to read, or keep, a file that is only large.
fn made() -> Vec<(&'static str, String)> {
    let note = "  - id: tell\n    note: Hello\n";
    let head = |name: &str| format!("playbook: {name}\nlanguage: 1\n");
    let mut steps = head("too-many-steps") + "steps:\n";
    let mut keys = head("too-many-findings") + "steps:\n" + note;
    for number in 0..=1_000 {
        _ = writeln!(steps, "  - {{ id: tell_{number}, note: Hello }}");
        _ = writeln!(keys, "colour_{number}: red");
    }
    let line = "      // nothing but words that nobody reads, again and again and again\n";
    vec![
        ("file-too-large", format!("{}{}", head("file-too-large"), "# filler\n".repeat(40_000))),
        ("too-many-steps", steps),
        ("too-many-findings", keys),
        (
            "script-too-large",
            format!(
                "{}steps:\n  - id: sum\n    script: |\n      1 + 1\n{}",
                head("script-too-large"),
                line.repeat(1_000)
            ),
        ),
    ]
}

fn examples() -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    all.extend(made().into_iter().map(|(name, text)| (name.to_owned(), text)));
    all.sort();
    all
}

#[test]
fn every_broken_playbook_has_the_fault_it_is_an_example_of() {
    for (name, text) in examples() {
        let (plan, findings) = look(&format!("{name}.yaml"), &text);
        assert!(findings.iter().any(|finding| finding.code == name), "{name}: {findings:#?}");
        assert_eq!(plan.is_none(), findings.iter().any(Finding::is_error), "{name}");
    }
}

/// A desk with all of the examples, where sub-playbooks are found as in [`Folders`].
fn desk() -> Desk {
    let desk = Desk::new();
    desk.configure(&json!({"playbooks": ["parts", "parts/deep"]}));
    for parts in ["parts", "parts/deep"] {
        fs::create_dir(desk.path(parts)).unwrap();
        for entry in fs::read_dir(folder().join(parts)).unwrap() {
            let file = entry.unwrap().path();
            if file.is_file() {
                fs::copy(&file, desk.path(parts).join(file.file_name().unwrap())).unwrap();
            }
        }
    }
    for (name, text) in examples() {
        desk.write(&format!("{name}.yaml"), &text);
    }
    desk
}

/// Five hundred reports of one kind say no more than the first three and what stands at the end.
fn abridged(said: &str) -> String {
    let starts: Vec<usize> = said.match_indices("error[").map(|(at, _)| at).collect();
    let [.., last] = starts.as_slice() else { return said.to_owned() };
    match starts.get(3) {
        Some(fourth) if starts.len() > 500 => format!("{}{}", &said[..*fourth], &said[*last..]),
        _ => said.to_owned(),
    }
}

#[test]
fn every_broken_playbook_is_told_in_the_words_that_are_kept() {
    let desk = desk();
    let mut different = Vec::new();
    for (name, _) in examples() {
        let told = desk.done(&["check", &format!("{name}.yaml")]);
        let errs = told.stderr.contains("error[");
        assert_eq!(told.code(), if errs { 3 } else { 0 }, "{name}: {}", told.stderr);
        let shown = abridged(&told.stderr);
        let file = folder().join(format!("{name}.expected"));
        if std::env::var_os("BEISTAND_BLESS").is_some() {
            fs::write(&file, &shown).unwrap();
        }
        if fs::read_to_string(&file).ok().as_deref() != Some(shown.as_str()) {
            different.push(format!("--- {}\n{shown}", file.display()));
        }
    }
    assert!(
        different.is_empty(),
        "see BEISTAND_BLESS in the head comment\n{}",
        different.join("\n")
    );
}

#[test]
fn every_code_has_an_example_and_no_expected_text_is_stale() {
    let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let examples = examples();
    let shown: BTreeSet<&str> = examples.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(codes, shown);
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "expected") {
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(codes.contains(name), "{} belongs to no code", path.display());
        }
    }
}

/// Ten different faults, each told with line and column at once.
const TEN_FAULTS: &str = r#"playbook: ten-faults
language: 1
titel: Ten faults
inputs:
  hosts: { type: array, items: { type: string, format: host }, default: [pc 1] }
steps:
  - id: mail-staff
    call: mail.send
    with: { to: ["krisenstab@example.org"], subject: Hello, text: "${steps.late.status}" }
  - id: look
    task: { role: comander, instructions: Look. }
    within: 20 minutes
  - id: cut
    for_each: inputs.hosts
    max_parallel: 0
    steps:
      - id: one
        call: network.isolat
        with: { host: "${item}" }
  - id: sum
    script: |
      let total = inputs.hosts.len();
      total + missing
  - id: late
    when: incident.title
    note: Hello
  - id: late
    note: Hello
"#;

#[test]
fn ten_faults_are_named_at_once_with_line_and_column() {
    let (plan, findings) = look("ten-faults.yaml", TEN_FAULTS);
    assert!(plan.is_none());
    let found: Vec<(u32, u32, &str)> = findings
        .iter()
        .map(|finding| (finding.line, finding.column, finding.code.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (3, 1, "unknown-key"),
            (5, 73, "bad-default"),
            (7, 9, "bad-id"),
            (9, 76, "unknown-name"),
            (11, 19, "unknown-role"),
            (12, 13, "bad-duration"),
            (15, 19, "out-of-range"),
            (18, 15, "unknown-action"),
            (23, 15, "unknown-name"),
            (25, 11, "not-boolean"),
            (27, 9, "duplicate-id"),
        ]
    );
    let json = serde_json::to_value(&findings[0]).unwrap();
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["code", "column", "file", "hint", "line", "message", "severity"]);
}

/// Hostile files, and the code each is answered with.
fn bombs() -> Vec<(&'static str, String, &'static str)> {
    let mut laughs = "a: &l0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..20 {
        let aliases = vec![format!("*l{}", level - 1); 9].join(", ");
        _ = writeln!(laughs, "a{level}: &l{level} [{aliases}]");
    }
    let text = "x".repeat(200_000);
    vec![
        ("laughs", laughs, "yaml-aliases"),
        (
            "long text",
            format!("a: &a {text}\nb: [{}]\n", vec!["*a"; 9_000].join(", ")),
            "yaml-aliases",
        ),
        ("cycle", "a: &a [*a]\n".to_owned(), "yaml-aliases"),
        ("cycle over two", "a: &a { b: &b [*a] }\n".to_owned(), "yaml-aliases"),
        ("50 MB", "x".repeat(50_000_000), "file-too-large"),
        ("deep lists", "[".repeat(200_000), "yaml-nesting"),
        ("deep mappings", "{a: ".repeat(60_000), "yaml-nesting"),
        ("deep blocks", "- ".repeat(100_000), "yaml-nesting"),
        ("key twice", "a: 1\na: 2\n".to_owned(), "duplicate-key"),
        ("many documents", "---\n".repeat(60_000), "yaml-documents"),
        ("only colons", ": ".repeat(100_000), "yaml-syntax"),
        ("only anchors", "&a ".repeat(80_000), "yaml-syntax"),
        ("question marks", "? ".repeat(100_000), "yaml-syntax"),
        ("quotes", "\"".repeat(250_001), "yaml-syntax"),
    ]
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the time it takes is what is judged")]
fn a_bomb_is_a_finding_within_a_tenth_of_a_second() {
    for (name, text, code) in bombs() {
        let source = SourceText::new("bomb.yaml", text.as_str());
        let (catalogue, expressions) = (Catalogue::first(), Scripts::without_budget());
        // The machine may be busy with other tests; the work itself is what has a limit.
        let (mut took, mut answer) = (Duration::MAX, (None, Vec::new()));
        for _ in 0..5 {
            let begin = Instant::now();
            answer = check(CheckRequest {
                source: &source,
                catalogue: &catalogue,
                library: &Folders(folder()),
                expressions: &expressions,
            });
            took = took.min(begin.elapsed());
        }
        let (plan, findings) = answer;
        assert!(plan.is_none(), "{name}");
        let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
        assert!(codes.contains(&code), "{name}: {codes:?}");
        assert!(took < Duration::from_millis(100), "{name} took {took:?}");
    }
}

/// Cuts, doubles and exchanges lines and characters of a valid playbook.
fn mutated() -> impl Strategy<Value = String> {
    let seeds = prop::sample::select(vec![TEN_FAULTS, include_str!("broken/whole.yaml")]);
    let change =
        (0..6_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<char>());
    (seeds, prop::collection::vec(change, 1..6)).prop_map(|(seed, changes)| {
        let mut lines: Vec<String> = seed.lines().map(str::to_owned).collect();
        for (what, one, other, c) in changes {
            if lines.is_empty() {
                break;
            }
            let (one, other) = (one.index(lines.len()), other.index(lines.len()));
            match what {
                0 => drop(lines.remove(one)),
                1 => lines.swap(one, other),
                2 => lines.insert(one, lines[other].clone()),
                3 => lines[one] = format!("  {}", lines[one]),
                4 => lines[one].push(c),
                _ => {
                    let cut = lines[one].chars().count() / 2;
                    lines[one] = lines[one].chars().take(cut).chain([c]).collect();
                }
            }
        }
        lines.join("\n")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_changed_in_a_playbook_check_answers(text in mutated()) {
        let (plan, findings) = look("mutated.yaml", &text);
        let errors = findings.iter().any(Finding::is_error);
        prop_assert_eq!(plan.is_none(), errors);
        let lines = u32::try_from(text.lines().count()).unwrap() + 1;
        for finding in &findings {
            prop_assert!(finding.line >= 1 && finding.line <= lines.max(1), "{:?}", finding);
            prop_assert!(finding.column >= 1);
        }
    }
}

#[test]
fn the_playbook_with_everything_in_it_has_no_fault() {
    let (plan, findings) = look("whole.yaml", include_str!("broken/whole.yaml"));
    assert_eq!(findings, []);
    assert!(plan.unwrap().nodes().count() > 25);
}
