//! What is said to the driver: one request with JSON, one answer with JSON, on a connection of its own.
//!
//! <https://www.w3.org/TR/webdriver2/>, section 6.

use std::io::{self, BufRead, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::trouble::{Rig, Trouble, While as _};

/// How long a page may take to load and a script to end, on a busy machine and a slow line.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// Longer than the driver itself waits for the browser.
const ANSWER_WITHIN: Duration = Duration::from_secs(90);

/// Under this name the protocol has an element in JSON.
pub(super) const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A way to the driver, or to a session at it.
#[derive(Debug)]
pub(super) struct Wire {
    address: SocketAddr,
    below: String,
}

impl Wire {
    pub(super) fn to(address: SocketAddr) -> Self {
        Self { address, below: String::new() }
    }

    /// The same for everything below a path.
    pub(super) fn below(&self, path: &str) -> Self {
        Self { address: self.address, below: format!("{}{path}", self.below) }
    }

    /// What the driver answers under `value`.
    pub(super) fn ask(&self, method: &str, path: &str, body: &Value) -> Rig<Value> {
        let what = format!("{method} {path} to chromedriver");
        let path = format!("{}{path}", self.below);
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).or_trouble(&what)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN)).or_trouble(&what)?;
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).or_trouble(&what)?;
        let body = body_of(&mut BufReader::new(stream)).or_trouble(&what)?;
        let mut answer: Value = serde_json::from_slice(&body).or_trouble(&what)?;
        let value = answer.get_mut("value").map(Value::take).unwrap_or_default();
        match (value.get("error"), value.get("message")) {
            (Some(error), Some(message)) if is_refusal(&value) => {
                let (error, message) = (plain(error), plain(message));
                let message = message.lines().next().unwrap_or_default();
                Err(Trouble::new(format!("{what}: {error}: {message}")))
            }
            _ => Ok(value),
        }
    }

    pub(super) fn get(&self, path: &str) -> Rig<Value> {
        self.ask("GET", path, &Value::Null)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Rig<Value> {
        self.ask("POST", path, body)
    }

    /// A command of the `DevTools` protocol, to which `WebDriver` has none of its own.
    pub(super) fn devtools(&self, command: &str, parameters: &Value) -> Rig<Value> {
        self.post("/goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
            .map_err(|trouble| Trouble::new(format!("{command}: {trouble}")))
    }
}

/// The body of an answer. The driver leaves the connection open, whatever it is asked to do.
fn body_of(answer: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut length = 0;
    for line in answer.by_ref().lines() {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(told) = line.strip_prefix("content-length:") {
            length = told.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    answer.read_exact(&mut body)?;
    Ok(body)
}

/// What the driver refuses says where in the driver, too; a page's own value does not.
fn is_refusal(value: &Value) -> bool {
    value.get("stacktrace").is_some()
}

/// A text without its quotation marks.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
