//! The Python tools of the tests, in an environment of their own below the build's folder.
//!
//! Each is pinned with everything below it, by version and hash; nothing of the system's Python is
//! touched but that it is called.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::report::Report;
use crate::run::{Trouble, root, run, target_folder};

/// What is installed: `pip-compile --generate-hashes --strip-extras` of the first line that is no
/// comment.
const PINNED: &str = "tests/schemathesis.txt";

/// Whether this Python can make environments: Debian has that in a package of its own.
pub(crate) fn makes_environments() -> bool {
    let output = Command::new("python3").args(["-c", "import venv, ensurepip"]).output();
    output.is_ok_and(|output| output.status.success())
}

/// Where the program lies.
pub(crate) fn schemathesis() -> PathBuf {
    folder().join("bin/schemathesis")
}

fn folder() -> PathBuf {
    let target = target_folder();
    target.parent().unwrap_or(&target).join("tools/schemathesis")
}

/// Installs what is pinned, unless just that is there.
///
/// # Errors
/// When there is no Python, or the package index can not be reached.
pub(crate) fn provide(report: &Report) -> Result<(), Trouble> {
    let pinned = fs::read_to_string(root().join(PINNED));
    let pinned = pinned.map_err(|error| Trouble::new(format!("reading {PINNED}: {error}")))?;
    let (folder, done) = (folder(), folder().join("installed.txt"));
    if fs::read_to_string(&done).is_ok_and(|installed| installed == pinned) {
        report.step("Python tools: all there");
        return Ok(());
    }
    report.step("Python tools: installing schemathesis");
    let mut make = Command::new("python3");
    run("making a Python environment", make.args(["-m", "venv", "--clear"]).arg(&folder))?;
    install(&folder)?;
    // Written last: what broke off is begun anew.
    fs::write(&done, pinned).map_err(|error| Trouble::new(format!("{}: {error}", done.display())))
}

fn install(folder: &Path) -> Result<(), Trouble> {
    let mut pip = Command::new(folder.join("bin/pip"));
    let words = ["install", "--quiet", "--disable-pip-version-check", "--require-hashes"];
    pip.args(words).args(["--only-binary", ":all:", "--requirement"]).arg(root().join(PINNED));
    run("installing the pinned Python tools", &mut pip)
}
