//! SSH: one connection, one login, commands with their input, output and exit status.
//!
//! Written on russh and not on the `ssh` program, because what matters most here is to know
//! whether a command had left when a connection broke; a child process says 255 for both. Host keys
//! are pinned, keys are read just before they are used and never touch the disk.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use beistand_connector_api::{CallError, SecretReference};
use russh::client::{self, AuthResult, Handle};
use russh::keys::{PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate, decode_secret_key};
use russh::{ChannelMsg, Disconnect, Preferred};
use tokio::net::TcpStream;

use super::known_hosts::pinned;
use super::{Net, Progress, Vault, look_up};

/// A host that does not take a connection in this time is not there.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// A peer that is gone is noticed after three of these.
const KEEPALIVE: Duration = Duration::from_secs(10);
/// A goodbye is a courtesy.
const GOODBYE_MAX: Duration = Duration::from_millis(500);

/// Where to, as whom, with what.
#[derive(Debug)]
pub struct SshSettings {
    /// Name or address, as it stands in the file of host keys.
    pub host: String,
    /// The port there.
    pub port: u16,
    /// The account.
    pub user: String,
    /// Its private key.
    pub key: SecretReference,
    /// The file of host keys.
    pub known_hosts: PathBuf,
}

/// A way to one host.
#[derive(Debug)]
pub struct Ssh {
    settings: SshSettings,
    vault: Arc<Vault>,
}

/// A command that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Its exit status; `None` where a signal ended it.
    pub status: Option<u32>,
    /// What it wrote.
    pub stdout: Vec<u8>,
    /// What it complained about.
    pub stderr: Vec<u8>,
}

/// Whether a command changes something: only then is a lost answer an unknown outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// It only looks.
    Reading,
    /// It acts.
    Changing,
}

/// One command.
#[derive(Debug)]
pub struct Command<'a> {
    /// The line that the other side's shell reads.
    pub line: &'a str,
    /// Its input.
    pub stdin: &'a [u8],
    /// What it does.
    pub doing: Doing,
    /// The most it may write, on each of its two outputs.
    pub output_bytes_max: usize,
}

impl Ssh {
    /// A way that is not walked yet.
    pub fn new(settings: SshSettings, vault: Arc<Vault>) -> Self {
        Self { settings, vault }
    }

    /// What it leads to, for sentences.
    pub fn name(&self) -> &str {
        &self.settings.host
    }

    /// What must not come back from there.
    pub fn net(&self) -> Net {
        self.vault.net()
    }

    /// Connects and logs in.
    ///
    /// # Errors
    /// `Unavailable` where no connection comes about; `Refused` where the host's key is not the
    /// pinned one or the login is not accepted. Nothing was done in either case.
    pub async fn open(&self) -> Result<Session, CallError> {
        let SshSettings { host, port, user, key, known_hosts } = &self.settings;
        let (path, name, number) = (known_hosts.clone(), host.clone(), *port);
        let pins = tokio::task::spawn_blocking(move || pinned(&path, &name, number))
            .await
            .map_err(|_| CallError::unavailable("reading the host keys was broken off"))?
            .map_err(CallError::refused)?;
        let secret = self.vault.open(key).await?;
        let private =
            decode_secret_key(&format!("{}\n", secret.expose()), None).map_err(|error| {
                CallError::refused(format!(
                    "the key from {key} can not be used ({error}); it must be ed25519 or ecdsa, in \
                 OpenSSH's form, without a passphrase"
                ))
            })?;
        let stream = connect(host, *port).await?;
        let mut handle = greet(stream, pins, host).await?;
        let private = PrivateKeyWithHashAlg::new(Arc::new(private), None);
        let login = handle.authenticate_publickey(user, private).await.map_err(|error| {
            CallError::unavailable(format!("the login at {host} broke off: {error}"))
        })?;
        match login {
            AuthResult::Success => Ok(Session { handle, host: host.clone() }),
            AuthResult::Failure { .. } => Err(CallError::refused(format!(
                "{host} does not let `{user}` in with the key from {key}; is its public half in \
                 authorized_keys there?"
            ))),
        }
    }
}

async fn connect(host: &str, port: u16) -> Result<TcpStream, CallError> {
    let addresses = look_up(host, port).await.map_err(CallError::unavailable)?;
    let connecting = TcpStream::connect(addresses.as_slice());
    match tokio::time::timeout(CONNECT_MAX, connecting).await {
        Ok(Ok(stream)) => {
            stream.set_nodelay(true).map_err(|error| {
                CallError::unavailable(format!("no connection to {host} port {port}: {error}"))
            })?;
            Ok(stream)
        }
        Ok(Err(error)) => {
            Err(CallError::unavailable(format!("no connection to {host} port {port}: {error}")))
        }
        Err(_) => Err(CallError::unavailable(format!(
            "no connection to {host} port {port} within {} s",
            CONNECT_MAX.as_secs()
        ))),
    }
}

async fn greet(
    stream: TcpStream,
    pins: Vec<PublicKey>,
    host: &str,
) -> Result<Handle<Gatekeeper>, CallError> {
    let algorithms: Vec<_> = pins.iter().map(PublicKey::algorithm).collect();
    let config = client::Config {
        // Ask only for kinds of keys that are pinned, or the server shows another one.
        preferred: Preferred { key: Cow::Owned(algorithms), ..Preferred::default() },
        keepalive_interval: Some(KEEPALIVE),
        ..client::Config::default()
    };
    let stranger = Arc::new(OnceLock::new());
    let gatekeeper = Gatekeeper { pins, stranger: Arc::clone(&stranger) };
    client::connect_stream(Arc::new(config), stream, gatekeeper).await.map_err(|error| {
        match stranger.get() {
            Some(fingerprint) => CallError::refused(format!(
                "{host} shows a key that is not pinned, {fingerprint}; if the device was not \
                 replaced, somebody is in between"
            )),
            None => CallError::unavailable(format!("no SSH with {host}: {error}")),
        }
    })
}

/// Lets only pinned keys through.
struct Gatekeeper {
    pins: Vec<PublicKey>,
    stranger: Arc<OnceLock<String>>,
}

impl client::Handler for Gatekeeper {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let known = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                let known = self.pins.iter().any(|pin| pin.key_data() == key.key_data());
                if !known {
                    let fingerprint = key.fingerprint(russh::keys::HashAlg::Sha256).to_string();
                    self.stranger.get_or_init(|| fingerprint);
                }
                known
            }
            PublicKeyOrCertificate::Certificate(_) => {
                self.stranger.get_or_init(|| "a certificate".to_owned());
                false
            }
        };
        Ok(known)
    }
}

/// An open connection.
pub struct Session {
    handle: Handle<Gatekeeper>,
    host: String,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({})", self.host)
    }
}

impl Session {
    /// Runs one command to its end.
    ///
    /// # Errors
    /// What a loss means, `progress` knows; `Refused` where the server runs no commands for us.
    pub async fn run(
        &self,
        command: &Command<'_>,
        progress: &Progress,
    ) -> Result<Finished, CallError> {
        let host = &self.host;
        let lost = |what: &str, error: russh::Error| {
            progress.lost(format!("{host}: the connection broke while {what}: {error}"))
        };
        let channel = self
            .handle
            .channel_open_session()
            .await
            .map_err(|error| lost("opening a channel", error))?;
        let (mut reader, writer) = channel.split();
        if command.doing == Doing::Changing {
            progress.sending();
        }
        writer
            .exec(true, command.line)
            .await
            .map_err(|error| lost("sending the command", error))?;
        let input = async {
            if !command.stdin.is_empty() {
                writer.data_bytes(command.stdin.to_vec()).await?;
            }
            writer.eof().await
        };
        let collect = collect(&mut reader, command.output_bytes_max);
        tokio::pin!(input, collect);
        // A command may end before it has read its input: its end decides, not the giving.
        let end = tokio::select! {
            end = &mut collect => end,
            given = &mut input => match given {
                Ok(()) => collect.await,
                // The channel may have closed because the command ended: then its status is there.
                Err(error) => match collect.await {
                    End::Lost => return Err(lost("sending its input", error)),
                    end @ (End::Finished(_) | End::Denied | End::TooMuch) => end,
                },
            },
        };
        match end {
            End::Finished(finished) => Ok(finished),
            End::Denied => Err(CallError::refused(format!("{host} runs no commands for us"))),
            End::TooMuch => Err(progress.lost(format!(
                "the command on {host} wrote more than {} KiB and was left",
                command.output_bytes_max / 1024
            ))),
            End::Lost => {
                Err(progress
                    .lost(format!("{host}: the connection was lost before the command ended")))
            }
        }
    }

    /// Says goodbye; what the other side makes of it does not matter.
    pub async fn close(self) {
        let goodbye = self.handle.disconnect(Disconnect::ByApplication, "", "en");
        drop(tokio::time::timeout(GOODBYE_MAX, goodbye).await);
    }
}

enum End {
    Finished(Finished),
    Denied,
    TooMuch,
    Lost,
}

#[expect(clippy::wildcard_enum_match_arm, reason = "outside type")]
async fn collect(reader: &mut russh::ChannelReadHalf, bytes_max: usize) -> End {
    let mut finished = Finished { status: None, stdout: Vec::new(), stderr: Vec::new() };
    let mut ended = false;
    while let Some(message) = reader.wait().await {
        let (into, data) = match message {
            ChannelMsg::Data { data } => (&mut finished.stdout, data),
            ChannelMsg::ExtendedData { data, .. } => (&mut finished.stderr, data),
            ChannelMsg::ExitStatus { exit_status } => {
                finished.status = Some(exit_status);
                ended = true;
                continue;
            }
            ChannelMsg::ExitSignal { signal_name, error_message, .. } => {
                let said = format!("{signal_name:?} {error_message}");
                if finished.stderr.len() + said.len() > bytes_max {
                    return End::TooMuch;
                }
                finished.stderr.extend_from_slice(said.as_bytes());
                ended = true;
                continue;
            }
            ChannelMsg::Failure => return End::Denied,
            _ => continue,
        };
        if into.len() + data.len() > bytes_max {
            return End::TooMuch;
        }
        into.extend_from_slice(&data);
    }
    if ended { End::Finished(finished) } else { End::Lost }
}
