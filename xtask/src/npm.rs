//! What comes from npm: what pages are made of, and what the suites use that others wrote.
//!
//! Each folder is installed exactly as its lock file has it, with the digests there, and no script of
//! a package runs. Nothing of it is needed once the program is built.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::packages;
use crate::report::Report;
use crate::run::{Trouble, root, run_quietly};

/// What the program embeds: its style, its fonts, its scripts.
pub(crate) const PROGRAM: &[&str] = &["web"];

/// The same with the suites' identity provider and what judges a page.
pub(crate) const TESTS: &[&str] = &["web", "tests/oidc", "tests/browser"];

/// The lock file of a folder.
const LOCK: &str = "package-lock.json";

/// Where that which is installed says by which lock file.
const INSTALLED: &str = "node_modules/.installed-by";

/// Installs what is not there as the lock files have it, and npm itself where it is needed for that.
///
/// # Errors
/// When npm can not be installed, or fails.
pub(crate) fn provide(report: &Report, folders: &[&str]) -> Result<(), Trouble> {
    let mut all_there = true;
    for folder in folders.iter().map(|folder| Folder::read(folder)) {
        let folder = folder?;
        if !folder.is_installed() {
            all_there = false;
            packages::provide_npm(report)?;
            report.step(&format!("packages of npm: installing what {} names", folder.lock()));
            folder.install()?;
        }
    }
    if all_there {
        report.step("packages of npm: all there");
    }
    Ok(())
}

/// A folder with a lock file, and what stands in that.
struct Folder<'a> {
    name: &'a str,
    wanted: Vec<u8>,
}

impl<'a> Folder<'a> {
    fn read(name: &'a str) -> Result<Self, Trouble> {
        let file = Path::new(name).join(LOCK);
        let unread = |error| Trouble::new(format!("could not read {}: {error}", file.display()));
        std::fs::read(root().join(&file)).map_err(unread).map(|wanted| Self { name, wanted })
    }

    fn lock(&self) -> String {
        format!("{}/{LOCK}", self.name)
    }

    fn path(&self) -> PathBuf {
        root().join(self.name)
    }

    fn is_installed(&self) -> bool {
        std::fs::read(self.path().join(INSTALLED)).is_ok_and(|there| there == self.wanted)
    }

    fn install(&self) -> Result<(), Trouble> {
        let mut npm = Command::new("npm");
        // No script of a package runs here, and nothing but the result is said.
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
        run_quietly("npm ci", npm.current_dir(self.path()))?;
        let unwritten = |error| Trouble::new(format!("could not write {INSTALLED}: {error}"));
        std::fs::write(self.path().join(INSTALLED), &self.wanted).map_err(unwritten)
    }
}
