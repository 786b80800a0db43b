//! The rights of root: the suites make network namespaces and mounts, and packages are installed.
//!
//! Where we are not root, `sudo` is asked, and nothing else is run with its rights than what says so.

use std::process::{Child, Command, Stdio};

use crate::report::Report;
use crate::run::{Trouble, find, is_root, run};

/// A program that is run as root: by us, or through `sudo`.
///
/// # Errors
/// When we are not root and there is no `sudo`.
pub(crate) fn as_root(program: &str) -> Result<Command, Trouble> {
    if is_root()? {
        return Ok(Command::new(program));
    }
    let sudo = find("sudo").ok_or_else(|| {
        Trouble::new(
            "this needs root (packages, network namespaces, mounts), and there is no sudo; \
             run it as root",
        )
    })?;
    let mut command = Command::new(sudo);
    command.arg(program);
    Ok(command)
}

/// Asks for the password once a minute without a prompt, as long as the process `$1` is there.
const KEEP: &str = r#"
while kill -0 "$1" 2> /dev/null; do
    sudo -n -v || exit
    sleep 60
done
"#;

/// The rights of root for as long as the tests run. A person is asked once at the beginning, not
/// in the middle of a test that nobody watches.
pub(crate) struct Rights(Option<Child>);

impl Rights {
    /// Asks for them where we are not root.
    ///
    /// # Errors
    /// When they are not given.
    pub(crate) fn keep(report: &Report) -> Result<Self, Trouble> {
        if is_root()? {
            return Ok(Self(None));
        }
        report.step("the tests make network namespaces and mounts: asking sudo");
        run("asking sudo", as_root("true")?.stdout(Stdio::null()))?;
        let ours = std::process::id().to_string();
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEP, "keep", &ours]).stdin(Stdio::null());
        let keeper = keeper.spawn();
        keeper
            .map(|keeper| Self(Some(keeper)))
            .map_err(|error| Trouble::new(format!("the rights of root could not be kept: {error}")))
    }
}

impl Drop for Rights {
    fn drop(&mut self) {
        if let Some(keeper) = &mut self.0 {
            // It may have ended by itself.
            drop(keeper.kill());
            drop(keeper.wait());
        }
    }
}
