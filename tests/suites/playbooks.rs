//! What ships must hold: every playbook passes the check, and every case plays as it is kept.
//!
//! `playbooks/<name>/playbook.yaml`, `cases/<case>.yaml` beside `<case>.expected`. `BLESS=1` writes
//! the expected timelines anew; read them before they are committed.

use std::fs;
use std::path::{Path, PathBuf};

use beistand_core::model::Catalogue;
use beistand_core::playbook::{
    CheckRequest, Finding, NoLibrary, Plan, SourceText, check, finding_text,
};
use beistand_script::Scripts;

/// What the issue of a release promises; more may come, none may go.
const SHIPPED: [&str; 4] =
    ["compromised-account", "data-leak", "provider-compromised", "ransomware-containment"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../playbooks")
}

/// The folders that hold a playbook.
fn shipped() -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = entries
        .filter(|path| path.join("playbook.yaml").exists())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn source(file: &Path) -> SourceText {
    let shown = file.strip_prefix(folder()).unwrap().to_str().unwrap().to_owned();
    SourceText::new(shown, fs::read_to_string(file).unwrap())
}

fn look(name: &str) -> (Option<Plan>, Vec<Finding>, SourceText) {
    let source = source(&folder().join(name).join("playbook.yaml"));
    let (catalogue, expressions) = (Catalogue::first(), Scripts::without_budget());
    let (plan, findings) = check(CheckRequest {
        source: &source,
        catalogue: &catalogue,
        library: &NoLibrary,
        expressions: &expressions,
    });
    (plan, findings, source)
}

fn said(findings: &[Finding], source: &SourceText) -> String {
    findings.iter().map(|finding| finding_text(finding, source)).collect()
}

#[test]
fn every_shipped_playbook_passes_the_check_without_a_finding() {
    let names = shipped();
    assert!(SHIPPED.iter().all(|name| names.iter().any(|known| known == name)), "{names:?}");
    for name in names {
        let (plan, findings, source) = look(&name);
        assert!(findings.is_empty(), "{}", said(&findings, &source));
        let plan = plan.unwrap();
        assert_eq!(plan.name().as_str(), name, "a playbook is named like its folder");
        assert!(!plan.parts().references.is_empty(), "{name} names its sources");
    }
}
