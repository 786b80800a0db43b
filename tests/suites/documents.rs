//! What the documents show is tried; what they name exists.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use beistand_core::access::{Permission, may};
use beistand_core::model::Role;
use beistand_tests::program::Call;

const DOCUMENTS: [&str; 12] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/accounts.md",
    "docs/attacks.md",
    "docs/first-steps.md",
    "docs/on-call.md",
    "docs/one-more-connector.md",
    "docs/server.md",
    "docs/single-sign-on.md",
    "docs/timeline.md",
];

/// The map must be read in one sitting.
const MAP_LINES_MAX: usize = 200;

#[test]
fn the_map_stays_short_and_names_tests_that_exist() {
    let map = read("ARCHITECTURE.md");
    assert!(map.lines().count() <= MAP_LINES_MAX);
    let sources = sources();
    let named: BTreeSet<&str> = map
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| word.matches('_').count() >= 3 && word.chars().all(is_of_a_name))
        .collect();
    assert!(named.len() >= 10, "the map names its tests in backticks");
    for test in named {
        let function = format!("fn {test}()");
        assert!(sources.iter().any(|text| text.contains(&function)), "there is no test `{test}`");
    }
}

#[test]
fn each_attack_on_the_page_is_tried_by_tests_that_exist() {
    let page = read("docs/attacks.md");
    let sources = sources_below(&["tests/suites", "engine", "connectors", "web"]);
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.ends_with("Shown by |"));
    let rows: Vec<&str> = rows.collect();
    assert!(rows.len() >= 25, "{rows:?}");
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        assert_eq!(cells.len(), 3, "{row}");
        let named: Vec<&str> = cells[2].split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "nothing tries it: {row}");
        for test in named {
            let function = format!("fn {test}(");
            assert!(sources.iter().any(|text| text.contains(&function)), "there is no `{test}`");
        }
    }
}

#[test]
fn a_link_leads_somewhere() {
    for document in DOCUMENTS {
        let folder = root().join(document).parent().unwrap().to_owned();
        let text = read(document);
        for after in text.split("](").skip(1) {
            let link = after.split(')').next().unwrap();
            let away = link.starts_with("https://") || link.starts_with('#');
            assert!(away || folder.join(link).exists(), "{document}: nothing at `{link}`");
        }
    }
}

/// The table of what each role may do, as the code has it.
fn permissions() -> String {
    let line = |cells: Vec<&str>| format!("| {} |", cells.join(" | ")).replace("|  ", "| ");
    let head = line([""].into_iter().chain(Role::ALL.iter().map(|role| role.as_str())).collect());
    let rule = format!("|{}", "---|".repeat(1 + Role::ALL.len()));
    let rows = Permission::ALL.iter().map(|permission| {
        let name = format!("`{permission}`");
        let cells = Role::ALL.iter().map(|role| if may(*role, *permission) { "yes" } else { "" });
        line([name.as_str()].into_iter().chain(cells).collect())
    });
    [head, rule].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_page_on_accounts_says_of_each_role_what_the_code_lets_it_do() {
    let page = read("docs/accounts.md");
    assert!(
        page.contains(&permissions()),
        "the table of docs/accounts.md must be:\n{}",
        permissions()
    );
}

#[test]
fn a_folder_or_file_on_the_map_is_there() {
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        for word in read(document).split('`').skip(1).step_by(2) {
            let first = word.split('/').next().unwrap();
            let ours =
                ["engine", "connectors", "cli", "playbooks", "tests", "web", "xtask", "docs"];
            let is_path = ours.contains(&first) && !word.contains(['<', ' ', '*', ':']);
            assert!(!is_path || root().join(word).exists(), "{document}: there is no `{word}`");
        }
    }
}

#[test]
fn playbooks_and_configurations_in_the_documents_pass_the_check() {
    let mut tried = BTreeSet::new();
    for document in DOCUMENTS {
        for block in blocks(&read(document), "yaml") {
            let folder = tempfile::tempdir().unwrap();
            let hosts = "name,addresses,macs,organisation,groups\npc-17,10.1.2.17,,,\n";
            fs::write(folder.path().join("hosts.csv"), hosts).unwrap();
            let call = Call::new(folder.path()).unwrap();
            let call = if block.starts_with("playbook:") {
                tried.insert("playbook");
                fs::write(folder.path().join("shown.yaml"), &block).unwrap();
                call.args(["check", "shown.yaml"])
            } else if block.starts_with("provider:") {
                tried.insert("configuration");
                let block = with_files(&block, folder.path());
                fs::write(folder.path().join("beistand.yaml"), block).unwrap();
                call.args(["config", "check"])
            } else {
                continue;
            };
            let ended = call.run().unwrap();
            ended.expect_code(0).unwrap_or_else(|trouble| panic!("{document}: {trouble}"));
        }
    }
    assert_eq!(tried, BTreeSet::from(["configuration", "playbook"]));
}

/// A configuration whose keys and passwords are there: below this folder instead of `/etc/beistand`.
fn with_files(block: &str, folder: &Path) -> String {
    const PLACE: &str = "/etc/beistand/";
    let is_of_a_path = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    for after in block.split(PLACE).skip(1) {
        let name: String = after.chars().take_while(|c| is_of_a_path(*c)).collect();
        fs::write(folder.join(&name), "kept").unwrap();
        fs::set_permissions(folder.join(&name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    block.replace(PLACE, &format!("{}/", folder.display()))
}

#[test]
fn the_connector_of_the_documents_is_offered_by_the_catalogue() {
    let text = read("docs/one-more-connector.md");
    let catalogue = read("engine/core/src/model/catalogue.rs");
    let exchanges = blocks(&text, "yaml").into_iter().find(|block| block.contains("calls:"));
    let exchanges = exchanges.expect("the exchanges are shown");
    let action = exchanges.split("action: ").nth(1).unwrap().split_whitespace().next().unwrap();
    assert!(catalogue.contains(&format!("\"{action}\"")), "the catalogue has no `{action}`");
    assert!(text.contains(&format!("action(\"{action}\")")), "the file does not offer `{action}`");
}

fn is_of_a_name(letter: char) -> bool {
    letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_'
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(document: &str) -> String {
    let path = root().join(document);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text of every fenced block of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let open = format!("```{language}\n");
    let found = text.split(&open).skip(1);
    found.map(|after| after.split("```").next().unwrap().to_owned()).collect()
}

/// The text of every test suite.
fn sources() -> Vec<String> {
    sources_below(&["tests/suites"])
}

/// The text of every file of Rust below these folders.
fn sources_below(folders: &[&str]) -> Vec<String> {
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                texts.push(fs::read_to_string(path).unwrap());
            }
        }
    }
    texts
}
