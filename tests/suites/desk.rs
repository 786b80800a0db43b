//! A desk: a folder with a configuration, playbooks and a store, and the real `beistand` called
//! there, as an administrator would.

use std::fs;
use std::path::{Path, PathBuf};

use beistand_tests::network::Node;
use beistand_tests::program::{Call, Ended};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Who starts runs; never who approves them.
pub(crate) const ANNA: &str = "anna";
/// Who approves.
pub(crate) const BEN: &str = "ben";

/// A place to work at.
#[derive(Debug)]
pub(crate) struct Desk {
    folder: PathBuf,
    node: Option<Node>,
    /// Taken away with the desk.
    _temporary: Option<TempDir>,
}

impl Desk {
    /// A desk in a folder of its own.
    pub(crate) fn new() -> Self {
        let temporary = TempDir::with_prefix("beistand-desk-").unwrap();
        let folder = temporary.path().to_owned();
        Self { folder, node: None, _temporary: Some(temporary) }
    }

    /// A desk in a folder that somebody else looks after.
    pub(crate) fn at(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        Self { folder: folder.to_owned(), node: None, _temporary: None }
    }

    /// The same desk on a node of the network.
    pub(crate) fn on(self, node: &Node) -> Self {
        Self { node: Some(node.clone()), ..self }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Writes the configuration. JSON is YAML too.
    pub(crate) fn configure(&self, config: &Value) {
        self.write("beistand.yaml", &format!("{config:#}"));
    }

    /// A call that has not begun.
    pub(crate) fn call(&self, words: &[&str]) -> Call {
        let call = match &self.node {
            Some(node) => Call::on(node, &self.folder),
            None => Call::new(&self.folder),
        };
        call.unwrap().args(words)
    }

    /// A call under another program.
    pub(crate) fn under(&self, wrapper: &[&str], words: &[&str]) -> Call {
        Call::under(wrapper, &self.folder).unwrap().args(words)
    }

    /// A call to its end.
    pub(crate) fn done(&self, words: &[&str]) -> Ended {
        self.call(words).run().unwrap()
    }

    /// A call that must end with this code; what it printed.
    pub(crate) fn ok(&self, code: i32, words: &[&str]) -> String {
        self.done(words).expect_code(code).unwrap().to_owned()
    }

    /// A call that must end well, as JSON.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        self.done(&[words, &["--json"]].concat()).json(0).unwrap()
    }

    /// A run, as `show --json` has it.
    pub(crate) fn show(&self, run: &str) -> Value {
        self.json(&["show", run])
    }

    /// The open needs of a run.
    pub(crate) fn needs(&self, run: &str) -> Vec<Value> {
        self.json(&["needs", "--run", run]).as_array().unwrap().clone()
    }

    /// Says yes to every gate that is open.
    pub(crate) fn approve(&self, run: &str, who: &str) -> usize {
        let needs = self.needs(run);
        let gates: Vec<&Value> = needs.iter().filter(|need| need["kind"] == "approval").collect();
        for gate in &gates {
            let words = ["approve", text(&gate["id"]), "--digest", text(&gate["digest"])];
            self.ok(0, &[&words[..], &["--as", who]].concat());
        }
        gates.len()
    }

    /// The lines of an incident's export, the chain as the last.
    pub(crate) fn export(&self, incident: &str) -> Vec<Value> {
        let lines = self.ok(0, &["timeline", incident, "--format", "jsonl", "--all"]);
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A JSON text.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

/// The run that a call announced on standard error, if it came so far.
pub(crate) fn announced(said: &str) -> Option<String> {
    said.lines().find_map(|line| {
        let (run, _) = line.trim().strip_prefix("run ")?.split_once(" in incident ")?;
        Some(run.to_owned())
    })
}

/// A step of a run by its path.
pub(crate) fn step<'a>(run: &'a Value, path: &str) -> &'a Value {
    let steps = run["steps"].as_array().unwrap();
    let found = steps.iter().find(|step| step["path"] == path);
    found.unwrap_or_else(|| panic!("no step {path} in {run:#}"))
}

/// A configuration with one HTTP service that may be sent everything.
pub(crate) fn service(url: &str) -> Value {
    json!({
        "connectors": { "api": {
            "kind": "http",
            "allow": [{ "methods": ["GET", "PUT", "POST"], "url": format!("{url}/") }],
        } },
    })
}
