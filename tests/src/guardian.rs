//! Clears up after a test that can not do so itself any more.
//!
//! A guardian is a small shell process in a process group of its own. It holds the reading end of
//! a pipe from the test. Whichever way the test ends (done, failed, out of time, SIGKILL), the
//! pipe closes, and the guardian runs its script. There is no second way of clearing up: `Drop`
//! closes the pipe too, and waits.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use crate::trouble::{Rig, While as _};

/// Runs a shell script when it is dropped, or when this process is no more.
#[derive(Debug)]
pub(crate) struct Guardian {
    shell: Child,
}

impl Guardian {
    /// Starts the watch. The script sees the arguments as `$1`, `$2`, …; each of its commands
    /// should bear that what it removes was never made.
    ///
    /// # Errors
    /// When no shell can be started.
    pub(crate) fn over(script: &str, arguments: &[&str]) -> Rig<Self> {
        let shell = Command::new("sh")
            .args(["-c", &format!("trap '' INT TERM HUP; read -r _ || :\n{script}"), "guardian"])
            .args(arguments)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .or_trouble("a guardian could not be started")?;
        Ok(Self { shell })
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // A guardian that can not be waited for is beyond our help.
        drop(self.shell.wait());
    }
}
