//! `cargo xtask drill`: a shipped playbook as a drill, from the first step to the timeline.
//!
//! A drill's connectors hold no address and no secret, so this touches nothing outside of a folder
//! of its own, which is removed afterwards.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::demo::first_text;
use crate::npm;
use crate::report::Report;
use crate::run::{Trouble, cargo, output, root, run, status, target_folder};

const PLAYBOOK: &str = "ransomware-containment";

/// Builds the program, runs the drill, prints what the journal says of it.
///
/// # Errors
/// When what the program embeds can not be had, the program can not be built, the playbook has no such
/// case, or the drill does not come to its end.
pub(crate) fn drill(report: &Report, arguments: &[String]) -> Result<(), Trouble> {
    let playbook = arguments.first().map_or(PLAYBOOK, String::as_str);
    let case = match arguments.get(1) {
        Some(case) => case.clone(),
        None => first_case(playbook)?,
    };
    npm::provide(report, npm::PROGRAM)?;
    report.step("building (the first time takes some minutes)");
    run("building the program", &mut cargo(&["build", "--locked", "--package", "beistand"]))?;
    let folder = Folder::make()?;
    let title = format!("Drill: {playbook}, {case}");

    report.step(&format!("{playbook}: check"));
    run("the check", folder.beistand().arg("check").arg(playbook_file(playbook)))?;
    report.step(&format!("{playbook}: drill, case `{case}`"));
    let mut drill = folder.beistand();
    drill.arg("run").arg(playbook_file(playbook));
    drill.args(["--drill", "--case", &case, "--title", &title]);
    let ended = status("the drill", &mut drill)?;

    let incidents =
        output("the incidents", folder.beistand().args(["incident", "list", "--json"]))?;
    let incident = first_text(&incidents, "id")
        .ok_or_else(|| Trouble::new(format!("the drill opened no incident ({ended})")))?;
    report.step("what the journal says");
    run("the timeline", folder.beistand().args(["timeline", &incident]))?;
    run("the check of the chain", folder.beistand().arg("verify"))?;
    if ended.success() {
        report.step("done; nothing outside of a temporary folder was touched");
        return Ok(());
    }
    Err(Trouble::new(format!("the drill did not come to its end ({ended})")))
}

/// The file of a shipped playbook.
fn playbook_file(playbook: &str) -> PathBuf {
    root().join("playbooks").join(playbook).join("playbook.yaml")
}

/// The first case of a playbook, by name.
fn first_case(playbook: &str) -> Result<String, Trouble> {
    let folder = root().join("playbooks").join(playbook).join("cases");
    let mut cases: Vec<String> = std::fs::read_dir(&folder)
        .map_err(|error| Trouble::new(format!("{}: {error}", folder.display())).usage())?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|file| file.extension().is_some_and(|extension| extension == "yaml"))
        .filter_map(|file| file.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .collect();
    cases.sort();
    let none = || Trouble::new(format!("{} holds no case", folder.display())).usage();
    cases.into_iter().next().ok_or_else(none)
}

/// A folder for a store, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self, Trouble> {
        let mut command = Command::new("mktemp");
        let path = output("making a folder", command.args(["-d", "-t", "beistand-drill.XXXXXX"]))?;
        Ok(Self(PathBuf::from(path)))
    }

    fn path(&self) -> &Path {
        &self.0
    }

    /// The built program with a store in this folder.
    fn beistand(&self) -> Command {
        let mut command = Command::new(target_folder().join("beistand"));
        let store = format!("sqlite:{}", self.path().join("demo.db").display());
        command.current_dir(self.path()).args(["--as", "demo", "--store", &store]);
        command
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can not be removed from a temporary folder is left to the system.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
