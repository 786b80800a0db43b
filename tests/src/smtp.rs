//! A mail server: a program that is not ours, with STARTTLS or TLS under a certificate authority
//! of its own, a login, and a plan for what goes wrong. What it took can be read back.
//!
//! It is Debian's aiosmtpd: it runs without rights, takes any free port, and does not take the
//! place of the machine's own mail system, as a full mail transport's package would.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::Deserialize;
use tempfile::TempDir;

use crate::network::Node;
use crate::tool::{PATIENCE, call, finish, wait_for};
use crate::trouble::{Rig, Trouble, While as _};

const SERVER: &str = include_str!("smtp_server.py");

/// The login that the server asks for where it asks for one.
pub const USER: &str = "beistand";

/// The name in the certificate, beside the server's address and `localhost`.
pub const NAME: &str = "mail.test";

/// How a conversation is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Begins in clear and must change over before anything else.
    StartTls,
    /// Is encrypted from the first byte.
    Tls,
    /// Is not.
    Clear,
}

/// What the server does with one mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Takes it and says so.
    Accept,
    /// Says no, for good.
    Refuse,
    /// Says: not now.
    Later,
    /// Takes it and cuts the connection before saying so.
    Drop,
    /// Does not take it and cuts the connection.
    Lose,
}

/// A mail as the server took it, its parts decoded.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Mail {
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    /// The header, with its angle brackets; empty without one.
    pub message_id: String,
    /// The header, decoded.
    pub subject: String,
    /// The plain text part, decoded; empty without one.
    pub text: String,
    /// The HTML part, decoded; empty without one.
    pub html: String,
    /// What else was in it.
    pub attachments: Vec<Attachment>,
    /// All of it, as it came over the wire.
    pub raw: String,
    /// Whether it came encrypted.
    pub tls: bool,
    /// Whether the sender had logged in.
    pub login: bool,
}

/// One attachment of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Attachment {
    /// Its file name; empty without one.
    pub name: String,
    /// Its length after decoding.
    pub bytes: u64,
}

/// A running server; it ends when dropped, and when this process does.
#[derive(Debug)]
pub struct MailServer {
    server: Child,
    folder: TempDir,
    address: SocketAddr,
}

/// What a server is to be like, before it runs.
#[derive(Debug, Clone)]
pub struct MailPlan<'a> {
    security: Security,
    password: &'a str,
    node: Option<&'a Node>,
}

impl<'a> MailPlan<'a> {
    /// A server on loopback that asks for no login.
    pub fn new(security: Security) -> Self {
        Self { security, password: "", node: None }
    }

    /// Mail is taken only after a login as [`USER`].
    #[must_use]
    pub fn with_password(self, password: &'a str) -> Self {
        Self { password, ..self }
    }

    /// It runs on a node of the network, under the node's address.
    #[must_use]
    pub fn on(self, node: &'a Node) -> Self {
        Self { node: Some(node), ..self }
    }

    /// Starts it.
    ///
    /// # Errors
    /// When aiosmtpd or openssl are missing, or it does not come up: with what it said.
    pub fn start(&self) -> Rig<MailServer> {
        let folder = TempDir::with_prefix("beistand-mail-").or_trouble("making a folder")?;
        let address = IpAddr::V4(self.node.map_or(Ipv4Addr::LOCALHOST, Node::v4));
        certify(folder.path(), address)?;
        fs::write(folder.path().join("plan"), "").or_trouble("writing a plan")?;
        let security = match self.security {
            Security::StartTls => "starttls",
            Security::Tls => "tls",
            Security::Clear => "clear",
        };
        // The distribution's own Python: another one first in the path would miss the module.
        let python = "/usr/bin/python3";
        let mut server = self
            .node
            .map_or_else(|| Command::new(python), |node| node.command(python))
            .args(["-c", SERVER])
            .arg(folder.path())
            .args([&address.to_string(), security, USER, self.password])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.path().join("log")).or_trouble("making a log")?)
            .spawn()
            .or_trouble("the mail server could not be started")?;
        let mut port = String::new();
        if let Some(output) = server.stdout.take() {
            BufReader::new(output).read_line(&mut port).or_trouble("asking for the mail port")?;
        }
        let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        let port = port.trim().parse::<u16>();
        let port = port.map_err(|_| {
            Trouble::new(format!(
                "the mail server (package python3-aiosmtpd) did not come up: {log}"
            ))
        })?;
        Ok(MailServer { server, folder, address: SocketAddr::from((address, port)) })
    }
}

impl MailServer {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate authority that a client must trust, as PEM.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// What it does with the next mails, in this order; afterwards it accepts.
    ///
    /// # Errors
    /// When the plan can not be written.
    pub fn plan(&self, fates: &[Fate]) -> Rig<()> {
        let lines: String = fates.iter().flat_map(|fate| [fate.word(), "\n"]).collect();
        let path = self.folder.path().join("plan");
        fs::write(path.with_extension("next"), lines).or_trouble("writing a plan")?;
        fs::rename(path.with_extension("next"), path).or_trouble("writing a plan")
    }

    /// What it has taken so far, in order.
    ///
    /// # Errors
    /// When a mail can not be read.
    pub fn mails(&self) -> Rig<Vec<Mail>> {
        let mut files: Vec<PathBuf> = fs::read_dir(self.folder.path())
            .or_trouble("looking for mail")?
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
            .collect();
        files.sort();
        files.iter().map(|file| read_mail(file)).collect()
    }

    /// Waits until it has taken so many mails.
    ///
    /// # Errors
    /// When they do not arrive in time.
    pub fn wait_for_mails(&self, count: usize) -> Rig<Vec<Mail>> {
        wait_for(&format!("{count} mails"), PATIENCE, || {
            let mails = self.mails()?;
            Ok((mails.len() >= count).then_some(mails))
        })
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

impl Fate {
    fn word(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Refuse => "refuse",
            Self::Later => "later",
            Self::Drop => "drop",
            Self::Lose => "lose",
        }
    }
}

fn read_mail(file: &Path) -> Rig<Mail> {
    let text = fs::read(file).or_trouble("reading a mail")?;
    serde_json::from_slice(&text).or_trouble("reading a mail")
}

/// Makes an authority and a certificate of it for the server.
pub fn certify(folder: &Path, address: IpAddr) -> Rig<()> {
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"];
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let authority = [
        &["req", "-x509", "-subj", "/CN=Beistand test authority"][..],
        &curve,
        &["-keyout", &path("authority.key"), "-out", &path("authority.pem")],
    ];
    call("openssl", &authority.concat())?;
    let names = format!("subjectAltName=DNS:{NAME},DNS:localhost,IP:{address}");
    let mut certificate = Command::new("openssl");
    certificate.args(["req", "-x509", "-subj", "/CN=mail.test", "-addext", &names]).args(curve);
    certificate.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    certificate.args(["-CA", &path("authority.pem"), "-CAkey", &path("authority.key")]);
    certificate.args(["-keyout", &path("certificate.key"), "-out", &path("certificate.pem")]);
    finish(&mut certificate).map(drop)
}
