//! What the tests need from the system, and how it gets there.
//!
//! Each need is probed by its program, so a machine on which somebody put them in place by other
//! means is left as it is. Only what is missing is installed, and no service is started by it.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::python;
use crate::report::Report;
use crate::run::{Trouble, find, is_root, root, run, run_quietly};

/// The Debian package and the program (or the file, with a `/`) by which it is recognised.
const NEEDS: &[(&str, &str)] = &[
    ("build-essential", "cc"),
    ("openssh-server", "sshd"),
    ("openssh-client", "ssh-keygen"),
    ("nftables", "nft"),
    ("iproute2", "ip"),
    ("iputils-ping", "ping"),
    ("postgresql", "/usr/lib/postgresql"),
    ("strace", "strace"),
    ("sqlite3", "sqlite3"),
    ("e2fsprogs", "mkfs.ext4"),
    ("mount", "losetup"),
    ("util-linux", "nsenter"),
    ("openssl", "openssl"),
    ("python3-aiosmtpd", "/usr/lib/python3/dist-packages/aiosmtpd"),
    ("npm", "npm"),
];

/// The folder of the identity provider, and its lock file there.
const OIDC: (&str, &str) = ("tests/oidc", "package-lock.json");

/// Where that which is installed says by which lock file.
const INSTALLED: &str = "node_modules/.installed-by";

/// Installs the packages in `$@`. While it runs, a policy keeps Debian from starting the services
/// that it unpacks; it is gone however the script ends. A policy that was there before stays.
const INSTALL: &str = r#"
set -eu
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-confold install "$@"
"#;

/// Sees to it that every need is met.
///
/// # Errors
/// When something is missing and can not be installed here: not a Debian-like system, neither
/// root nor `sudo`, or the package manager failed.
pub(crate) fn provide(report: &Report) -> Result<(), Trouble> {
    let missing = missing();
    if missing.is_empty() {
        report.step("system packages: all there");
        return Ok(());
    }
    let names = missing.join(" ");
    if find("apt-get").is_none() {
        return Err(Trouble::new(format!(
            "the tests need what Debian calls {names}, and there is no apt-get here; \
             install them by this system's own means"
        )));
    }
    report.step(&format!("system packages: installing {names}"));
    let mut command = as_root("sh")?;
    run("installing packages", command.args(["-c", INSTALL, "install"]).args(&missing))?;
    let still: Vec<_> = self::missing();
    if still.is_empty() {
        return Ok(());
    }
    Err(Trouble::new(format!(
        "after the installation these are still not found: {}",
        still.join(" ")
    )))
}

/// Installs what the suites use of npm, exactly as the lock file has it, with its digests.
///
/// # Errors
/// When npm fails.
pub(crate) fn provide_npm(report: &Report) -> Result<(), Trouble> {
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

/// The packages whose program is not found.
fn missing() -> Vec<&'static str> {
    let there = |probe: &str| {
        if probe.contains('/') { Path::new(probe).exists() } else { find(probe).is_some() }
    };
    let mut missing: Vec<_> =
        NEEDS.iter().filter(|(_, probe)| !there(probe)).map(|(package, _)| *package).collect();
    // Nothing to see of this one but that it works.
    missing.extend((!python::makes_environments()).then_some("python3-venv"));
    missing
}

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
