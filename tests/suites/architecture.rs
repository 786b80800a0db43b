//! Holds what `ARCHITECTURE.md` promises: who may use whom, what is absent, how large things get.
//!
//! Reads the manifests and the sources, never the compiler's opinion. Lints hold the rest: the
//! root manifest has their table, `clippy.toml` the numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use toml::{Table, Value};

/// Everything of ours, for those who may use all of it.
const ALL: &[&str] = &[
    "beistand-core",
    "beistand-script",
    "beistand-journal",
    "beistand-runtime",
    "beistand-connector-api",
    "beistand-connectors",
    "beistand-web",
];

/// Which crate may use which of ours. What is not in the table is forbidden; a crate that is not
/// in the table does not exist.
const MAY_USE: &[(&str, &[&str])] = &[
    ("beistand-core", &[]),
    ("beistand-script", &["beistand-core"]),
    ("beistand-journal", &["beistand-core"]),
    ("beistand-connector-api", &["beistand-core"]),
    ("beistand-connectors", &["beistand-connector-api"]),
    (
        "beistand-runtime",
        &["beistand-core", "beistand-script", "beistand-journal", "beistand-connector-api"],
    ),
    ("beistand-web", &["beistand-core", "beistand-journal", "beistand-runtime"]),
    ("beistand", ALL),
    ("beistand-tests", ALL),
    ("xtask", &[]),
];

/// What a crate uses beside that for its own tests alone.
const MAY_USE_IN_TESTS: &[(&str, &[&str])] = &[("beistand-web", &["beistand-script"])];

/// Heavy dependencies and who may name them.
const KNOWN_TO: &[(&str, &[&str])] = &[
    ("rhai", &["beistand-script"]),
    ("sqlx", &["beistand-journal"]),
    ("reqwest", &["beistand-connectors"]),
    ("lettre", &["beistand-connectors"]),
    ("russh", &["beistand-connectors"]),
    ("axum", &["beistand-web"]),
    ("hyper", &["beistand-web"]),
    ("utoipa", &["beistand-web"]),
    ("rcgen", &["beistand-web"]),
    ("openidconnect", &["beistand-web"]),
    ("webauthn-rs", &["beistand-runtime"]),
    ("clap", &["beistand"]),
    ("miette", &["beistand"]),
    ("opentelemetry-otlp", &["beistand"]),
    ("saphyr-parser", &["beistand-core"]),
];

/// What the pure crates must not reach, not even through others.
const NEVER_BELOW: &[&str] =
    &["tokio", "sqlx", "rhai", "reqwest", "axum", "hyper", "russh", "lettre", "tracing"];

/// What core's text must not hold: it takes time, randomness and answers as arguments, and
/// iterates in one order.
const NOT_IN_CORE: &[&str] = &[
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "Zoned::now",
    "std::env",
    "std::fs",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "std::process",
    "std::thread",
    "getrandom",
    "new_v4",
    "now_v7",
    "HashMap",
    "HashSet",
    "async ",
];

/// Beyond this a file no longer has one idea.
const LINES_MAX: usize = 600;

#[test]
fn a_crate_uses_only_what_the_map_allows() {
    let table: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    for (name, manifest) in manifests() {
        let allowed = table.get(name.as_str());
        let allowed = allowed.unwrap_or_else(|| panic!("`{name}` is not on the map of crates"));
        let tested = MAY_USE_IN_TESTS.iter().find(|(crate_name, _)| *crate_name == name);
        let tested = tested.map_or(&[][..], |(_, used)| used);
        for used in dependencies(&manifest).keys().filter(|used| used.starts_with("beistand")) {
            let in_tests = tested.contains(&used.as_str());
            let only_there = in_tests && !is_built_with(&manifest, used);
            let may = allowed.contains(&used.as_str()) || only_there;
            assert!(may, "`{name}` must not use `{used}`");
        }
    }
}

#[test]
fn a_heavy_dependency_is_known_to_one_crate() {
    for (name, manifest) in manifests() {
        let used = dependencies(&manifest);
        for (heavy, owners) in KNOWN_TO {
            let allowed = owners.contains(&name.as_str());
            assert!(allowed || !used.contains_key(*heavy), "`{name}` must not know `{heavy}`");
        }
    }
}

#[test]
fn nothing_heavy_lies_below_the_pure_crates() {
    let lock = locked();
    for (pure, but) in [("beistand-core", ""), ("beistand-script", "rhai")] {
        let below = below(pure, &lock);
        assert!(below.len() > 5, "the lock file tells nothing of `{pure}`");
        for heavy in NEVER_BELOW.iter().filter(|heavy| **heavy != but) {
            assert!(!below.contains(*heavy), "`{pure}` reaches `{heavy}`");
        }
    }
}

#[test]
fn there_is_one_crypto_backend() {
    // What the lock file lists may be an option that nobody takes; what is compiled is not.
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--workspace", "--edges=normal", "--prefix=none"])
        .current_dir(root())
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("ring"), "{tree}");
    for other in ["aws-lc-sys", "aws-lc-rs", "openssl", "openssl-sys", "native-tls"] {
        assert!(!names.contains(other), "`{other}` is in the tree beside `ring`");
    }
}

#[test]
fn the_core_has_no_clock_no_chance_and_no_world() {
    let sources = sources("engine/core/src");
    assert!(!sources.is_empty());
    for (file, text) in sources {
        for (number, line) in code(&text) {
            for word in NOT_IN_CORE {
                assert!(!line.contains(word), "{}:{number}: `{word}` in core", file.display());
            }
        }
    }
}

#[test]
fn connectors_see_of_the_core_only_its_model() {
    let sources = sources("connectors");
    assert!(!sources.is_empty());
    for (file, text) in sources {
        for (number, line) in code(&text) {
            let place = format!("{}:{number}", file.display());
            for after in line.split("beistand_core::").skip(1) {
                assert!(after.starts_with("model"), "{place}: more of core than its model");
            }
        }
    }
}

#[test]
fn versions_stand_only_in_the_root_table() {
    for (name, manifest) in manifests() {
        for (used, how) in dependencies(&manifest) {
            let inherited = how.get("workspace").and_then(Value::as_bool) == Some(true);
            assert!(inherited, "`{name}` names a version or a path of `{used}` itself");
        }
    }
}

#[test]
fn a_version_in_the_root_table_is_used() {
    let workspace = table(&root().join("Cargo.toml"));
    let versions = workspace["workspace"]["dependencies"].as_table().unwrap();
    let manifests = manifests();
    let used: BTreeSet<String> =
        manifests.values().flat_map(dependencies).map(|(name, _)| name).collect();
    for name in versions.keys() {
        assert!(used.contains(name), "nobody uses `{name}`");
    }
}

#[test]
fn every_crate_is_under_the_one_table_of_lints() {
    for (name, manifest) in manifests() {
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        assert_eq!(lints.and_then(Value::as_bool), Some(true), "`{name}` has lints of its own");
    }
}

#[test]
fn a_file_says_what_it_is_for_and_stays_short() {
    for (file, text) in sources(".") {
        let lines = text.lines().count();
        let place = file.display();
        assert!(lines <= LINES_MAX, "{place} has {lines} lines, {LINES_MAX} are the most");
        assert!(text.starts_with("//!"), "{place} does not open with what it is for");
    }
}

#[test]
fn nothing_is_left_undone_or_silenced() {
    assert!(!sources(".").is_empty());
    // Written in two halves, so that this file does not find itself.
    let forbidden = [
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("#[al", "low("),
        concat!("#![al", "low("),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
    ];
    for (file, text) in sources(".") {
        for (number, line) in text.lines().enumerate() {
            for word in forbidden {
                let place = format!("{}:{}", file.display(), number + 1);
                assert!(!line.contains(word), "{place}: `{word}`");
            }
        }
    }
}

#[test]
fn unsafe_code_stands_in_one_file_of_the_script_crate() {
    let word = concat!("uns", "afe ");
    let with: BTreeSet<PathBuf> = sources(".")
        .into_iter()
        .filter(|(_, text)| code(text).any(|(_, line)| line.contains(word)))
        .map(|(file, _)| file)
        .collect();
    assert_eq!(with.len(), 1, "one file, and the test can see it: {with:?}");
    for file in with {
        assert!(file.starts_with("engine/script/src"), "{}", file.display());
    }
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn table(file: &Path) -> Table {
    fs::read_to_string(file).unwrap().parse().unwrap()
}

/// Every member of the workspace: its name and its manifest.
fn manifests() -> BTreeMap<String, Table> {
    let workspace = table(&root().join("Cargo.toml"));
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let manifests: BTreeMap<_, _> = members
        .iter()
        .map(|member| table(&root().join(member.as_str().unwrap()).join("Cargo.toml")))
        .map(|manifest| (manifest["package"]["name"].as_str().unwrap().to_owned(), manifest))
        .collect();
    assert_eq!(manifests.len(), members.len());
    manifests
}

/// All dependencies of a manifest, of whatever kind and for whatever target.
fn dependencies(manifest: &Table) -> BTreeMap<String, Value> {
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let targets = manifest.get("target").and_then(Value::as_table);
    let tables =
        targets.into_iter().flat_map(|targets| targets.values().filter_map(Value::as_table));
    std::iter::once(manifest)
        .chain(tables)
        .flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind)?.as_table()))
        .flatten()
        .map(|(name, how)| (name.clone(), how.clone()))
        .collect()
}

/// Whether a package needs another one beside its tests.
fn is_built_with(manifest: &Table, used: &str) -> bool {
    let kinds = ["dependencies", "build-dependencies"];
    kinds.iter().any(|kind| manifest.get(*kind).is_some_and(|table| table.get(used).is_some()))
}

/// Which package the lock file lets use which, by name.
fn locked() -> BTreeMap<String, BTreeSet<String>> {
    let lock = table(&root().join("Cargo.lock"));
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in lock["package"].as_array().unwrap() {
        let listed = package.get("dependencies").and_then(Value::as_array);
        let names = listed.into_iter().flatten().filter_map(Value::as_str);
        let names = names.filter_map(|text| text.split(' ').next()).map(str::to_owned);
        uses.entry(package["name"].as_str().unwrap().to_owned()).or_default().extend(names);
    }
    uses
}

/// Everything a package reaches.
fn below(package: &str, uses: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![package.to_owned()];
    while let Some(name) = open.pop() {
        for used in uses.get(&name).into_iter().flatten() {
            if reached.insert(used.clone()) {
                open.push(used.clone());
            }
        }
    }
    reached
}

/// All Rust files below a folder, by their path from the root.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = root();
    let mut files = Vec::new();
    let mut open = vec![root.join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy();
            if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules"
            {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.canonicalize().unwrap().strip_prefix(&root).unwrap().to_owned();
                files.push((path, text));
            }
        }
    }
    files.sort();
    files
}

/// The lines of a file without what its comments say, numbered from 1.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(number, line)| {
        let line = line.split_once("//").map_or(line, |(before, _)| before);
        (number + 1, line)
    })
}
