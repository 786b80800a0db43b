//! Chromium, as a person at a desk or on a telephone has it, driven by the W3C's `WebDriver`.
//!
//! A [`Browser`] is a driver in a PID namespace of its own: whatever it starts dies with it, and a
//! guardian sees to that when a test is killed. Each [`Session`] is a window with a profile of its
//! own that reaches loopback and nothing else. What it looks like is a [`Look`]; what it asked for and
//! complained about is kept for the whole of its life.
//!
//! ```text
//! test ──Session──► wire (HTTP, JSON) ──► chromedriver ──DevTools──► chromium
//!   └──pipe──► guardian                   └─────── one PID namespace ──────┘
//! ```
//!
//! The protocol is spoken here and not by a crate: what is needed of it is one request with JSON, and
//! the crates that are there turn on features of `serde_json` for the program that is tested, too.

mod axe;
mod keys;
mod look;
mod page;
mod seen;
mod wire;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use tempfile::TempDir;

use crate::guardian::Guardian;
use crate::tool::need_root;
use crate::trouble::{Rig, Trouble, While as _};

pub use self::axe::Violation;
pub use self::keys::{Focus, Key};
pub use self::look::{Colours, Look, Medium, Scheme, Scripts, Size};
pub use self::page::{ARTEFACTS, Session, artefact};
pub use self::seen::Asked;
use self::wire::Wire;

/// The browser's program: a wrapper of Debian's, which knows where the rest lies.
const PROGRAM: &str = "/usr/bin/chromium";

/// `$1` is what holds the namespace, `$2` the folder. The first process of a namespace is gone only
/// when all others in it are, so nobody writes into the folder any more when it is removed.
const CLEAR: &str = r#"
inside=$(cat "/proc/$1/task/$1/children" 2> /dev/null)
for process in $inside; do kill -KILL "$process"; done
kill -KILL "$1"
for process in $inside; do
    while kill -0 "$process"; do sleep 0.02; done
done
rm -rf "$2"
"#;

/// Where no name leads anywhere, and no address but this machine's own.
const LOOPBACK_ALONE: &str =
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost";

/// Neither asks anybody for anything on its own account, nor is it in the way of a test.
const ARGUMENTS: &[&str] = &[
    "--headless=new",
    // We are root here, and what it is shown is ours.
    "--no-sandbox",
    "--disable-gpu",
    // Where containers run, shared memory is often too small for a page.
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--password-store=basic",
    "--hide-scrollbars",
    // The same picture on every machine.
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
    LOOPBACK_ALONE,
];

/// A driver that runs; it and every browser it started end when this and all its sessions are
/// dropped, and when this process ends.
#[derive(Debug, Clone)]
pub struct Browser {
    driver: Arc<Driver>,
}

impl Browser {
    /// Starts it on a port of loopback that is free.
    ///
    /// # Errors
    /// Without root, when the driver is missing, or it does not come up: with what it said.
    pub fn start() -> Rig<Self> {
        Ok(Self { driver: Arc::new(Driver::start()?) })
    }

    /// Opens a window with a profile of its own.
    ///
    /// # Errors
    /// When Chromium is missing or does not come up.
    pub fn open(&self, look: &Look) -> Rig<Session> {
        let profile = self.driver.profile();
        let own = [
            format!("--user-data-dir={}", profile.display()),
            format!("--lang={}", look.language),
            format!("--accept-lang={}", look.language),
        ];
        let arguments: Vec<&str> =
            ARGUMENTS.iter().copied().chain(own.iter().map(String::as_str)).collect();
        let capabilities = json!({"alwaysMatch": {
            "browserName": "chrome",
            "acceptInsecureCerts": true,
            "timeouts": {"pageLoad": wire::PATIENCE.as_millis(), "script": wire::PATIENCE.as_millis()},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "goog:chromeOptions": {
                "binary": PROGRAM,
                "args": arguments,
                "prefs": {"intl.accept_languages": look.language},
            },
        }});
        let wire = Wire::to(self.driver.address);
        let opened = wire.ask("POST", "/session", &json!({"capabilities": capabilities}))?;
        let id = opened.get("sessionId").and_then(|id| id.as_str());
        let id = id.or_trouble("the driver names no session")?;
        Session::open(wire.below(&format!("/session/{id}")), look, Arc::clone(&self.driver))
    }

    /// The folder in which all that the browsers write lies.
    pub fn folder(&self) -> &Path {
        &self.driver.folder
    }
}

/// The driver's process.
#[derive(Debug)]
struct Driver {
    address: SocketAddr,
    folder: PathBuf,
    profiles: AtomicU32,
    namespace: Child,
    /// Held open: it says more, and would die of nobody who listens.
    _said: BufReader<ChildStdout>,
    /// Ends the namespace and removes the folder.
    guardian: Option<Guardian>,
}

impl Driver {
    fn start() -> Rig<Self> {
        need_root("a browser in a namespace of its own")?;
        if !Path::new(PROGRAM).is_file() {
            let text = format!("{PROGRAM} is not there (`cargo xtask test` installs it)");
            return Err(Trouble::new(text));
        }
        let folder =
            TempDir::with_prefix("beistand-browser-").or_trouble("making a folder")?.keep();
        let log = fs::File::create(folder.join("log")).or_trouble("making a log")?;
        let mut namespace = Command::new("unshare")
            .args(["--pid", "--fork", "--mount-proc", "--kill-child=KILL"])
            .args(["chromedriver", "--port=0"])
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            // Nothing of the developer's own browser is read, and all that is written is removed.
            .envs(["HOME", "TMPDIR", "XDG_RUNTIME_DIR"].map(|name| (name, &folder)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .or_trouble("unshare could not be started (`cargo xtask test` installs it)")?;
        let id = namespace.id().to_string();
        let guardian = Guardian::over(CLEAR, &[&id, &folder.to_string_lossy()])?;
        let mut said = BufReader::new(namespace.stdout.take().or_trouble("what the driver says")?);
        let address = listening(&mut said).ok_or_else(|| {
            let said = fs::read_to_string(folder.join("log")).unwrap_or_default();
            let text =
                format!("chromedriver did not come up (`cargo xtask test` installs it): {said}");
            Trouble::new(text)
        })?;
        let (profiles, guardian) = (AtomicU32::new(0), Some(guardian));
        Ok(Self { address, folder, profiles, namespace, _said: said, guardian })
    }

    /// A folder that no other session has.
    fn profile(&self) -> PathBuf {
        let number = self.profiles.fetch_add(1, Ordering::Relaxed);
        self.folder.join(format!("profile-{number}"))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.guardian.take());
        // The guardian has ended it.
        drop(self.namespace.wait());
    }
}

/// Where the driver listens, from the line in which it says so.
fn listening(said: &mut impl std::io::BufRead) -> Option<SocketAddr> {
    let mut lines = said.lines().map_while(Result::ok);
    let port = lines.find_map(|line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    port.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}
