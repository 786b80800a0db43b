//! What the suites use of npm: an identity provider that others wrote.
//!
//! It is installed exactly as its lock file has it, with the digests there, and runs no script.

use std::process::Command;

use crate::report::Report;
use crate::run::{Trouble, root, run_quietly};

/// The folder of the identity provider, and its lock file there.
const OIDC: (&str, &str) = ("tests/oidc", "package-lock.json");

/// Where that which is installed says by which lock file.
const INSTALLED: &str = "node_modules/.installed-by";

/// Installs what the suites use of npm, exactly as the lock file has it, with its digests.
///
/// # Errors
/// When npm fails.
pub(crate) fn provide(report: &Report) -> Result<(), Trouble> {
    let (folder, lock) = (root().join(OIDC.0), OIDC.1);
    let unread = |error| Trouble::new(format!("could not read {}/{lock}: {error}", OIDC.0));
    let wanted = std::fs::read(folder.join(lock)).map_err(unread)?;
    let installed = folder.join(INSTALLED);
    if std::fs::read(&installed).is_ok_and(|there| there == wanted) {
        report.step("packages of npm: all there");
        return Ok(());
    }
    report.step("packages of npm: installing what tests/oidc/package-lock.json names");
    let mut npm = Command::new("npm");
    // No script of a package runs here, and nothing but the result is said.
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    run_quietly("npm ci", npm.current_dir(&folder))?;
    let unwritten = |error| Trouble::new(format!("could not write {INSTALLED}: {error}"));
    std::fs::write(&installed, wanted).map_err(unwritten)
}
