//! What the rigs share: calling the system's programs, waiting for real things, names that no
//! other test has.

use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::trouble::{Rig, Trouble, While as _};

/// How long a server may take to come up or a condition to come true, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How often a condition is looked at.
const GLANCE: Duration = Duration::from_millis(5);

/// Runs a program to its end and answers what it printed.
///
/// # Errors
/// When it can not be started or does not end well: with what it said.
pub fn call(program: &str, arguments: &[&str]) -> Rig<String> {
    finish(Command::new(program).args(arguments))
}

/// Runs a prepared program to its end and answers what it printed.
///
/// # Errors
/// When it can not be started or does not end well: with what it said.
pub fn finish(command: &mut Command) -> Rig<String> {
    let told = format!("{command:?}");
    let Output { status, stdout, stderr } = command
        .output()
        .or_trouble(&format!("{told} could not be started (`cargo xtask test` installs it)"))?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    let (said, also) = (String::from_utf8_lossy(&stderr), String::from_utf8_lossy(&stdout));
    Err(Trouble::new(format!("{told} failed ({status}): {said}{also}")))
}

/// Refuses to go on without the rights of root.
///
/// # Errors
/// When we are not root: with the way out.
pub fn need_root(what: &str) -> Rig<()> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    Err(Trouble::new(format!("{what} needs root; run it by `cargo xtask test`, which sees to it")))
}

/// A name that no other test of this or another process has at this time.
pub fn unique(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("beistand-{what}-{}-{number}", std::process::id())
}

/// Looks until something is there.
///
/// # Errors
/// When it is not there in time, or the look itself fails.
pub fn wait_for<T>(
    what: &str,
    patience: Duration,
    mut look: impl FnMut() -> Rig<Option<T>>,
) -> Rig<T> {
    let begun = now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if begun.elapsed() > patience {
            return Err(Trouble::new(format!("{what}: not within {patience:?}")));
        }
        pause(GLANCE);
    }
}

/// The real, monotonic time.
#[expect(clippy::disallowed_methods, reason = "rigs wait for real programs in real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// Lets real time pass.
#[expect(clippy::disallowed_methods, reason = "rigs wait for real programs in real time")]
pub fn pause(length: Duration) {
    thread::sleep(length);
}

/// A variable of the environment by which the chores tell the tests where things are.
pub fn environment(name: &str) -> Option<String> {
    std::env::var_os(name)
        .and_then(|value| value.into_string().ok())
        .filter(|value| !value.is_empty())
}
