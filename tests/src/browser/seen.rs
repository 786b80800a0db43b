//! What a browser did while it was looked at: whom it asked, and what it complained about.
//!
//! The driver gives each line out once; here they are kept.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::wire::{Wire, plain};
use crate::trouble::{Rig, While as _};

/// With this a page's own report of a violation begins on the console.
const REPORT: &str = "content-security-policy:";

/// Tells the console of each violation, whichever policy it is of, also of one that only reports.
pub(super) const WATCH: &str = "
document.addEventListener('securitypolicyviolation', (event) => console.warn(
    'content-security-policy:', event.effectiveDirective, event.blockedURI || 'inline',
    event.sourceFile + ':' + event.lineNumber));
";

/// Schemes that leave the browser; everything else is within.
const OUTWARD: [&str; 4] = ["http://", "https://", "ws://", "wss://"];

/// A request of a page's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What it asked for.
    pub url: String,
    /// As what, such as `Document`, `Stylesheet`, `Font`, `EventSource`.
    pub kind: String,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    asked: Mutex<Vec<Asked>>,
    console: Mutex<Vec<Value>>,
}

impl Seen {
    /// All requests that went out, or would have, in order; a redirection is one more.
    pub(super) fn asked(&self, wire: &Wire) -> Rig<Vec<Asked>> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        for line in lines(wire, "performance")? {
            let text = line.get("message").and_then(Value::as_str).unwrap_or_default();
            let event: Value =
                serde_json::from_str(text).or_trouble("reading the browser's log")?;
            asked.extend(request(event.get("message").unwrap_or(&Value::Null)));
        }
        Ok(asked.clone())
    }

    /// All lines of the console: source and text.
    pub(super) fn console(&self, wire: &Wire) -> Rig<Vec<(String, String)>> {
        let mut console = self.console.lock().unwrap_or_else(PoisonError::into_inner);
        console.extend(lines(wire, "browser")?);
        let part = |line: &Value, name: &str| line.get(name).map(plain).unwrap_or_default();
        Ok(console.iter().map(|line| (part(line, "source"), part(line, "message"))).collect())
    }

    /// The lines that speak of a violated policy: the browser's own, and those of [`WATCH`].
    pub(super) fn violations(&self, wire: &Wire) -> Rig<Vec<String>> {
        let of_policy = |(source, text): &(String, String)| {
            let told = text.contains(REPORT) || text.contains("Content Security Policy");
            told && ["security", "console-api"].contains(&source.as_str())
        };
        let lines = self.console(wire)?.into_iter().filter(of_policy);
        Ok(lines.map(|(_, text)| text).collect())
    }
}

fn lines(wire: &Wire, kind: &str) -> Rig<Vec<Value>> {
    let lines = wire.post("/se/log", &json!({"type": kind}))?;
    Ok(lines.as_array().cloned().unwrap_or_default())
}

/// A request, where an event of the `DevTools` protocol tells of one.
fn request(event: &Value) -> Option<Asked> {
    let (url, kind) = match event.get("method")?.as_str()? {
        "Network.requestWillBeSent" => {
            let parameters = event.get("params")?;
            let kind = parameters.get("type").map(plain).unwrap_or_default();
            (parameters.get("request")?.get("url")?, kind)
        }
        "Network.webSocketCreated" => (event.get("params")?.get("url")?, "WebSocket".to_owned()),
        _ => return None,
    };
    let url = plain(url);
    OUTWARD.iter().any(|scheme| url.starts_with(scheme)).then_some(Asked { url, kind })
}
