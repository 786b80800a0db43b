//! What axe-core finds in a page: the part of WCAG that a program can judge.
//!
//! What it leaves open (`incomplete`) is for people and not told here.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::look::Scripts;
use super::page::Session;
use super::wire::plain;
use crate::trouble::{Rig, Trouble, While as _};

/// Where npm put it.
const SCRIPT: &str = "browser/node_modules/axe-core/axe.min.js";

/// What is asked of a page: WCAG up to 2.2, levels A and AA, and what is good practice beyond.
const TAGS: &[&str] =
    &["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"];

/// It stays in a page until another one is gone to.
const IS_THERE: &str = "return typeof axe === 'object'";

/// Runs it and hands the result back. It judges the size of targets only when it is told to.
const RUN: &str = "
const [tags, done] = arguments;
const plan = {
    runOnly: {type: 'tag', values: tags},
    rules: {'target-size': {enabled: true}},
    resultTypes: ['violations'],
    // What it would load of its own breaks the page's policy, which is looked at, too.
    preload: false,
};
axe.run(document, plan).then(({violations}) => done({violations}), (why) => done({why: '' + why}));
";

/// One rule that a page breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule's name, such as `label`.
    pub rule: String,
    /// How bad it is: `minor`, `moderate`, `serious` or `critical`.
    pub impact: String,
    /// What the rule asks for.
    pub help: String,
    /// The elements that break it, as HTML.
    pub nodes: Vec<String>,
}

impl Session {
    /// Judges the page as it stands, by its scripts or without them.
    ///
    /// # Errors
    /// When axe-core is missing or stumbles.
    pub fn axe(&self) -> Rig<Vec<Violation>> {
        // Its promises are scripts, too; those of the page had their time when it was loaded.
        self.let_scripts(Scripts::On)?;
        let judged = self.bring_axe().and_then(|()| self.run_to_end(RUN, &json!([TAGS])));
        self.let_scripts(self.look().scripts)?;
        let judged = judged?;
        let Some(found) = judged.get("violations").and_then(Value::as_array) else {
            return Err(Trouble::new(format!("axe-core stumbled: {judged}")));
        };
        Ok(found.iter().map(violation).collect())
    }

    fn bring_axe(&self) -> Rig<()> {
        if self.run(IS_THERE, &json!([]))? == json!(true) {
            return Ok(());
        }
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(SCRIPT);
        let missing = "npm's axe-core is not there (`cargo xtask test` installs it)";
        let script = fs::read_to_string(file).or_trouble(missing)?;
        self.run(&script, &json!([])).map(drop)
    }
}

fn violation(found: &Value) -> Violation {
    let part = |name: &str| found.get(name).map(plain).unwrap_or_default();
    let nodes = found.get("nodes").and_then(Value::as_array).into_iter().flatten();
    let nodes = nodes.filter_map(|node| node.get("html").map(plain)).collect();
    Violation { rule: part("id"), impact: part("impact"), help: part("help"), nodes }
}
