//! What the tests and the build need of the system's packages, and how it gets there.
//!
//! Each need is probed by its program, so a machine on which somebody put them in place by other
//! means is left as it is. Only what is missing is installed, and no service is started by it.

use std::path::Path;

use crate::python;
use crate::report::Report;
use crate::rights::as_root;
use crate::run::{Trouble, find, run};

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
    NPM,
    ("chromium", "chromium"),
    ("chromium-driver", "chromedriver"),
    ("fonts-dejavu-core", "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"),
    ("poppler-utils", "pdftoppm"),
];

/// What the build needs beside a compiler, where its packages of npm are not there.
const NPM: (&str, &str) = ("npm", "npm");

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

/// Sees to it that every need of the tests is met.
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
    install(report, &missing)?;
    still(&self::missing())
}

/// Sees to it that npm is there.
///
/// # Errors
/// As [`provide`].
pub(crate) fn provide_npm(report: &Report) -> Result<(), Trouble> {
    if is_there(NPM.1) {
        return Ok(());
    }
    install(report, &[NPM.0])?;
    still(if is_there(NPM.1) { &[] } else { &[NPM.0] })
}

fn install(report: &Report, missing: &[&str]) -> Result<(), Trouble> {
    let names = missing.join(" ");
    if find("apt-get").is_none() {
        return Err(Trouble::new(format!(
            "this needs what Debian calls {names}, and there is no apt-get here; \
             install them by this system's own means"
        )));
    }
    report.step(&format!("system packages: installing {names}"));
    let mut command = as_root("sh")?;
    run("installing packages", command.args(["-c", INSTALL, "install"]).args(missing))
}

/// Refuses to go on without what an installation should have brought.
fn still(still: &[&str]) -> Result<(), Trouble> {
    if still.is_empty() {
        return Ok(());
    }
    Err(Trouble::new(format!(
        "after the installation these are still not found: {}",
        still.join(" ")
    )))
}

/// The packages whose program is not found.
fn missing() -> Vec<&'static str> {
    let lacking = NEEDS.iter().filter(|(_, probe)| !is_there(probe));
    let mut missing: Vec<_> = lacking.map(|(package, _)| *package).collect();
    // Nothing to see of this one but that it works.
    missing.extend((!python::makes_environments()).then_some("python3-venv"));
    missing
}

/// Whether a program is found, or a file is there.
fn is_there(probe: &str) -> bool {
    if probe.contains('/') { Path::new(probe).exists() } else { find(probe).is_some() }
}
