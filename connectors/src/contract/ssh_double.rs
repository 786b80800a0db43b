//! The SSH double: russh's own server, with a recorded list of commands and what they printed.

use std::sync::Arc;

use beistand_connector_api::Value;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{PrivateKey, PublicKey};
use russh::server::{self, Auth, ChannelOpenHandle, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId};
use tokio::net::TcpStream;

use super::double::{Behaviour, Heard};

fn private(seed: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
}

/// The client's private key, the secret of these connectors.
pub(crate) fn client_key() -> String {
    private(1).to_openssh(LineEnding::LF).unwrap().to_string()
}

/// The line that pins the double's key.
pub(crate) fn known_hosts(port: u16) -> String {
    let key: PublicKey = private(2).public_key().clone();
    format!("[127.0.0.1]:{port} {}\n", key.to_openssh().unwrap())
}

pub(crate) async fn serve(stream: TcpStream, script: Value, behaviour: Behaviour, heard: Heard) {
    let config = server::Config {
        keys: vec![private(2)],
        auth_rejection_time: std::time::Duration::ZERO,
        ..server::Config::default()
    };
    let steps = script.as_array().cloned().unwrap_or_default();
    let handler = Recorded { steps, behaviour, heard, command: String::new(), stdin: Vec::new() };
    if let Ok(running) = server::run_stream(Arc::new(config), stream, handler).await {
        drop(running.await);
    }
}

struct Recorded {
    steps: Vec<Value>,
    behaviour: Behaviour,
    heard: Heard,
    command: String,
    stdin: Vec<u8>,
}

impl server::Handler for Recorded {
    type Error = russh::Error;

    async fn auth_publickey(
        &mut self,
        _: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        let ours = *private(1).public_key() == *key.public_key;
        if ours && self.behaviour != Behaviour::ShutsOut {
            Ok(Auth::Accept)
        } else {
            Ok(Auth::reject())
        }
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.command = String::from_utf8_lossy(data).into_owned();
        self.stdin.clear();
        session.channel_success(channel)
    }

    async fn data(
        &mut self,
        _: ChannelId,
        data: &[u8],
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        self.stdin.extend_from_slice(data);
        Ok(())
    }

    async fn channel_eof(
        &mut self,
        channel: ChannelId,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let stdin = String::from_utf8_lossy(&self.stdin).into_owned();
        let step = if self.steps.is_empty() { Value::Null } else { self.steps.remove(0) };
        let text = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
        if step.is_null() || !self.command.contains(&text("run")) || !stdin.contains(&text("stdin"))
        {
            let heard = format!("expected {step}, heard `{}` with `{stdin}`", self.command);
            self.heard.lock().unwrap().push(heard);
            return Err(russh::Error::Disconnect);
        }
        if step["changes"] == true {
            self.heard.lock().unwrap().push(format!("{}\n{stdin}", self.command));
            match self.behaviour {
                Behaviour::Stalls => return Ok(()),
                Behaviour::HangsUp => return Err(russh::Error::Disconnect),
                Behaviour::Answers | Behaviour::ShutsOut => {}
            }
        }
        session.data(channel, text("stdout").into_bytes())?;
        session.extended_data(channel, 1, text("stderr").into_bytes())?;
        let status = step["status"].as_u64().and_then(|status| u32::try_from(status).ok());
        session.exit_status_request(channel, status.unwrap())?;
        session.eof(channel)?;
        session.close(channel)
    }
}
