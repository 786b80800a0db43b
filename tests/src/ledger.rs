//! The effects ledger: the outside world as a witness.
//!
//! An HTTP server in a process of its own that writes down every request, with its
//! `Idempotency-Key`, and syncs that to disk before anything else. By plan it answers, answers
//! late, answers twice, does not answer, refuses, or is not there. What it wrote is compared with
//! what the journal says: neither knows of the other.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::tool::environment;
use crate::trouble::{Rig, Trouble, While as _};

/// What the ledger does with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Does it and says so.
    Done,
    /// Does it and says so, late.
    DoneLate,
    /// Does it and says so twice.
    DoneTwice,
    /// Does it and closes the connection without a word.
    DoneUnsaid,
    /// Does it and answers 500.
    DoneBadly,
    /// Does nothing and closes the connection without a word.
    Lost,
    /// Does nothing and answers 503 with `Retry-After: 0`.
    Unavailable,
    /// Does nothing and answers 409.
    Refused,
}

impl Fate {
    /// Whether the effect took place.
    pub fn is_done(self) -> bool {
        match self {
            Self::Done | Self::DoneLate | Self::DoneTwice | Self::DoneUnsaid | Self::DoneBadly => {
                true
            }
            Self::Lost | Self::Unavailable | Self::Refused => false,
        }
    }
}

/// What the ledger is to do. Each rule that fits a request is used up from its front; without one
/// the chances decide; what they leave is [`Fate::Done`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerPlan {
    /// What happens to requests whose path begins so, in order.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Fates by chance, in parts of a thousand.
    #[serde(default)]
    pub chances: Vec<Chance>,
    /// Where the chances start; the same seed and the same requests give the same fates.
    #[serde(default)]
    pub seed: u64,
    /// How late a late answer is, in milliseconds.
    #[serde(default)]
    pub late_ms: u64,
}

/// Fates for the next requests to one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The beginning of the path.
    pub path: String,
    /// One fate a request.
    pub fates: Vec<Fate>,
}

/// A fate and how often it strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chance {
    /// The fate.
    pub fate: Fate,
    /// Parts of a thousand.
    pub per_mille: u16,
}

/// One request as the ledger saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its place in the order of arrival, from 1.
    pub number: u64,
    /// Milliseconds since 1970.
    pub at: u64,
    /// The method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The header `Idempotency-Key`; none without one.
    pub key: Option<String>,
    /// The header `traceparent`; none without one.
    pub traceparent: Option<String>,
    /// The body as text.
    pub body: String,
    /// What was done with it.
    pub fate: Fate,
    /// Whether it is the first done under its key. A request without a key always is.
    pub first: bool,
}

/// A running ledger; it ends when dropped, its file stays with its owner.
#[derive(Debug)]
pub struct Ledger {
    server: Child,
    file: PathBuf,
    address: SocketAddr,
}

impl Ledger {
    /// Starts a ledger that writes to this file, going on where the file ends.
    ///
    /// # Errors
    /// When its program is not there or does not come up.
    pub fn start(file: &Path) -> Rig<Self> {
        let program = program()?;
        let mut server = Command::new(&program)
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .or_trouble(&format!("{} could not be started", program.display()))?;
        let mut port = String::new();
        if let Some(output) = server.stdout.take() {
            BufReader::new(output).read_line(&mut port).or_trouble("asking for the ledger")?;
        }
        let port = port.trim().parse().map_err(|_| Trouble::new("the ledger did not come up"))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Self { server, file: file.to_owned(), address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as a URL without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Gives it a new plan.
    ///
    /// # Errors
    /// When it does not take it.
    pub fn plan(&self, plan: &LedgerPlan) -> Rig<()> {
        let body = serde_json::to_vec(plan).or_trouble("writing a plan")?;
        let status = self.send("PUT", "/.plan", &[], &body)?;
        if status == 200 {
            return Ok(());
        }
        Err(Trouble::new(format!("the ledger does not take the plan: {status}")))
    }

    /// Everything it has written down so far, in order, read from its file.
    ///
    /// # Errors
    /// When the file can not be read.
    pub fn records(&self) -> Rig<Vec<Record>> {
        read_records(&self.file)
    }

    /// Sends it a request of one's own and answers the status.
    ///
    /// # Errors
    /// When no answer comes back.
    pub fn send(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Rig<u16> {
        let what = format!("{method} {path} to the ledger");
        let mut stream = TcpStream::connect(self.address).or_trouble(&what)?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: ledger\r\n");
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        let length = body.len();
        let head = format!("{head}content-length: {length}\r\n\r\n");
        stream.write_all(&[head.as_bytes(), body].concat()).or_trouble(&what)?;
        let mut first = [0; 12];
        stream.read_exact(&mut first).or_trouble(&what)?;
        let status = String::from_utf8_lossy(&first);
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.or_trouble(&format!("{what}: not an answer"))
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// Reads what a ledger wrote. A last line without an end was never acknowledged and is left out.
///
/// # Errors
/// When the file can not be read, or holds what no ledger wrote.
pub fn read_records(file: &Path) -> Rig<Vec<Record>> {
    let text = match fs::read_to_string(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.or_trouble(&format!("reading {}", file.display()))?,
    };
    let complete = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    complete.map(|line| serde_json::from_str(line).or_trouble("reading a record")).collect()
}

/// The ledger's program lies beside the test binary's folder.
fn program() -> Rig<PathBuf> {
    if let Some(named) = environment("CARGO_BIN_EXE_effects-ledger") {
        return Ok(PathBuf::from(named));
    }
    let ours = std::env::current_exe().or_trouble("asking for our own place")?;
    let found = ours.ancestors().map(|folder| folder.join("effects-ledger"));
    let found = found.skip(1).find(|file| file.is_file());
    found.or_trouble("`effects-ledger` is not built; run `cargo build -p beistand-tests`")
}
