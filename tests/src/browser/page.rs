//! A window and the page in it: gone to, read, clicked, filled in, photographed, printed.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Driver;
use super::look::{Look, Scripts};
use super::seen::{Asked, Seen, WATCH};
use super::wire::{ELEMENT, Wire, plain};
use crate::tool::{PATIENCE, environment, wait_for};
use crate::trouble::{Rig, Trouble, While as _};

/// The variable in which the chores name the folder of what tests leave to be looked at.
pub const ARTEFACTS: &str = "BEISTAND_TEST_ARTEFACTS";

/// A window with a profile of its own; it is closed when dropped.
#[derive(Debug)]
pub struct Session {
    wire: Wire,
    look: Look,
    seen: Seen,
    /// Runs as long as there is a window.
    driver: Arc<Driver>,
}

impl Session {
    pub(super) fn open(wire: Wire, look: &Look, driver: Arc<Driver>) -> Rig<Self> {
        let seen = Seen::default();
        let mut session = Self { wire, look: *look, seen, driver };
        session.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({"source": WATCH}))?;
        session.look_as(look)?;
        Ok(session)
    }

    /// How it looks at pages now.
    pub fn look(&self) -> &Look {
        &self.look
    }

    /// Looks at them otherwise from now on; in the same language.
    ///
    /// # Errors
    /// When the window is gone, or another language is asked for.
    pub fn look_as(&mut self, look: &Look) -> Rig<()> {
        if look.language != self.look.language {
            return Err(Trouble::new("a window keeps its language; open another one"));
        }
        self.devtools("Emulation.setDeviceMetricsOverride", &look.size.metrics())?;
        self.devtools("Emulation.setEmulatedMedia", &look.media())?;
        self.let_scripts(look.scripts)?;
        self.look = *look;
        Ok(())
    }

    pub(super) fn let_scripts(&self, scripts: Scripts) -> Rig<()> {
        let off = json!({"value": scripts == Scripts::Off});
        self.devtools("Emulation.setScriptExecutionDisabled", &off).map(drop)
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Goes to a page and waits until it is loaded.
    ///
    /// # Errors
    /// When nobody answers there, or it takes too long.
    pub fn go(&self, url: &str) -> Rig<()> {
        self.wire.post("/url", &json!({"url": url})).map(drop)
    }

    /// Loads the page again.
    ///
    /// # Errors
    /// As [`Session::go`].
    pub fn reload(&self) -> Rig<()> {
        self.wire.post("/refresh", &json!({})).map(drop)
    }

    /// Where it is.
    ///
    /// # Errors
    /// When the window is gone.
    pub fn url(&self) -> Rig<String> {
        self.wire.get("/url").map(|url| plain(&url))
    }

    /// The page's title.
    ///
    /// # Errors
    /// When the window is gone.
    pub fn title(&self) -> Rig<String> {
        self.wire.get("/title").map(|title| plain(&title))
    }

    /// How many elements there are, by a selector of CSS.
    ///
    /// # Errors
    /// When it is none.
    pub fn count(&self, css: &str) -> Rig<usize> {
        self.elements(css).map(|found| found.len())
    }

    /// The text of the first one, as it is rendered. What stands in a `noscript` is left out, also where
    /// it is shown.
    ///
    /// # Errors
    /// When there is none.
    pub fn text(&self, css: &str) -> Rig<String> {
        let path = format!("/element/{}/text", self.element(css)?);
        self.wire.get(&path).map(|text| plain(&text))
    }

    /// An attribute of the first one, where it has it.
    ///
    /// # Errors
    /// When there is none.
    pub fn attribute(&self, css: &str, name: &str) -> Rig<Option<String>> {
        let path = format!("/element/{}/attribute/{name}", self.element(css)?);
        self.wire.get(&path).map(|value| value.as_str().map(str::to_owned))
    }

    /// Clicks on the first one, where a person would: what covers it is in the way. Where that leads
    /// to another page, its load is waited for.
    ///
    /// # Errors
    /// When there is none, or it can not be clicked.
    pub fn click(&self, css: &str) -> Rig<()> {
        let path = format!("/element/{}/click", self.element(css)?);
        self.wire.post(&path, &json!({})).map(drop)
    }

    /// Clicks on the first one, which gives a file to be saved: its name, and what is in it.
    ///
    /// # Errors
    /// When there is none, or no file comes.
    pub fn download(&self, css: &str) -> Rig<(String, Vec<u8>)> {
        let folder = TempDir::with_prefix_in("saved-", &self.driver.folder);
        let folder = folder.or_trouble("making a folder for what is saved")?;
        let place = json!({"behavior": "allow", "downloadPath": folder.path()});
        self.devtools("Browser.setDownloadBehavior", &place)?;
        self.click(css)?;
        wait_for("a file to be saved", PATIENCE, || {
            let saved = fs::read_dir(folder.path()).or_trouble("looking at what is saved")?;
            let mut saved = saved.flatten().map(|file| file.path());
            // As long as it comes it has another name.
            let whole = saved.find(|file| file.extension().is_none_or(|end| end != "crdownload"));
            let Some(file) = whole else { return Ok(None) };
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
            let bytes = fs::read(&file).or_trouble("reading what is saved")?;
            Ok(name.map(|name| (name, bytes)))
        })
    }

    /// Puts a text in the place of what the first one holds, key by key.
    ///
    /// # Errors
    /// When there is none, or it is no field.
    pub fn fill(&self, css: &str, text: &str) -> Rig<()> {
        let field = self.element(css)?;
        self.wire.post(&format!("/element/{field}/clear"), &json!({}))?;
        self.wire.post(&format!("/element/{field}/value"), &json!({"text": text})).map(drop)
    }

    /// Waits until the first one's text holds this.
    ///
    /// # Errors
    /// When it does not in time: with what it holds.
    pub fn wait_for_text(&self, css: &str, text: &str) -> Rig<()> {
        let mut last = String::new();
        let waited = wait_for(&format!("\"{text}\" in {css}"), PATIENCE, || {
            // It may be about to come, or be just replaced.
            let found = self.text(css);
            let is_there = found.as_ref().is_ok_and(|found| found.contains(text));
            last = found.unwrap_or_else(|trouble| trouble.to_string());
            Ok(is_there.then_some(()))
        });
        waited.map_err(|trouble| Trouble::new(format!("{trouble}, but: {last}")))
    }

    fn elements(&self, css: &str) -> Rig<Vec<String>> {
        let found = json!({"using": "css selector", "value": css});
        let found = self.wire.post("/elements", &found)?;
        let found = found.as_array().into_iter().flatten();
        Ok(found.filter_map(|element| element.get(ELEMENT).map(plain)).collect())
    }

    fn element(&self, css: &str) -> Rig<String> {
        self.elements(css)?.into_iter().next().or_trouble(&format!("there is no {css}"))
    }

    /// Runs a script of the test's in the page, with these arguments; what it returns.
    ///
    /// # Errors
    /// When it throws.
    pub fn run(&self, script: &str, arguments: &Value) -> Rig<Value> {
        self.wire.post("/execute/sync", &json!({"script": script, "args": arguments}))
    }

    /// The same of a script that calls its last argument with what it returns.
    ///
    /// # Errors
    /// When it throws, or never does.
    pub fn run_to_end(&self, script: &str, arguments: &Value) -> Rig<Value> {
        self.wire.post("/execute/async", &json!({"script": script, "args": arguments}))
    }

    /// A command of the `DevTools` protocol.
    ///
    /// # Errors
    /// When the browser refuses it.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Rig<Value> {
        self.wire.devtools(command, parameters)
    }

    /// Gives the browser a cookie as the server at this address would: `name=value`.
    ///
    /// # Errors
    /// When the browser does not take it.
    pub fn set_cookie(&self, url: &str, cookie: &str) -> Rig<()> {
        let (name, value) = cookie.split_once('=').or_trouble("a cookie has a name")?;
        let cookie = json!({
            "url": url, "name": name, "value": value, "path": "/",
            "secure": true, "httpOnly": true, "sameSite": "Strict",
        });
        let taken = self.devtools("Network.setCookie", &cookie)?;
        let taken = taken.get("success").and_then(Value::as_bool) == Some(true);
        taken.then_some(()).or_trouble("the browser did not take the cookie")
    }

    /// From now on the line carries so many kilobits a second each way, and each answer begins so much
    /// later.
    ///
    /// # Errors
    /// When the window is gone.
    pub fn slow_line(&self, kilobits: u32, later: Duration) -> Rig<()> {
        let bytes = u64::from(kilobits) * 1_000 / 8;
        self.devtools("Network.enable", &json!({}))?;
        let line = json!({
            "offline": false, "latency": later.as_millis(),
            "downloadThroughput": bytes, "uploadThroughput": bytes,
        });
        self.devtools("Network.emulateNetworkConditions", &line).map(drop)
    }

    /// Everything it asked for since it was opened, in order.
    ///
    /// # Errors
    /// When the window is gone.
    pub fn requests(&self) -> Rig<Vec<Asked>> {
        self.seen.asked(&self.wire)
    }

    /// What it asked others for than this origin, such as `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// When the window is gone.
    pub fn requests_beyond(&self, origin: &str) -> Rig<Vec<Asked>> {
        let within = |url: &str| {
            url.strip_prefix(origin).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        Ok(self.requests()?.into_iter().filter(|asked| !within(&asked.url)).collect())
    }

    /// What pages did against their own content security policy since it was opened.
    ///
    /// # Errors
    /// When the window is gone.
    pub fn csp_reports(&self) -> Rig<Vec<String>> {
        self.seen.violations(&self.wire)
    }

    /// Everything that was said on the console since it was opened: who says it, and what.
    ///
    /// # Errors
    /// When the window is gone.
    pub fn console(&self) -> Rig<Vec<(String, String)>> {
        self.seen.console(&self.wire)
    }

    /// A picture of what the window shows, as PNG, in the folder of artefacts.
    ///
    /// # Errors
    /// When the window is gone, or the folder can not be written.
    pub fn screenshot(&self, name: &str) -> Rig<PathBuf> {
        let picture = self.wire.get("/screenshot")?;
        artefact(&format!("{name}.png"), &decoded(&picture)?)
    }

    /// The page on paper, as its own style has it, as PDF.
    ///
    /// # Errors
    /// When the window is gone.
    pub fn print(&self) -> Rig<Vec<u8>> {
        let how = json!({"preferCSSPageSize": true, "printBackground": true});
        let printed = self.devtools("Page.printToPDF", &how)?;
        decoded(printed.get("data").unwrap_or(&Value::Null))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // What does not close by itself ends with the driver.
        drop(self.wire.ask("DELETE", "", &Value::Null));
    }
}

fn decoded(base64: &Value) -> Rig<Vec<u8>> {
    let text = base64.as_str().or_trouble("the browser gave no bytes")?;
    STANDARD.decode(text).map_err(|error| Trouble::new(format!("the browser's bytes: {error}")))
}

/// Leaves bytes to be looked at, under a name that may hold folders.
///
/// # Errors
/// When the folder can not be written.
pub fn artefact(name: &str, bytes: &[u8]) -> Rig<PathBuf> {
    let file = artefacts()?.join(name);
    let what = format!("writing {}", file.display());
    file.parent().map_or(Ok(()), fs::create_dir_all).or_trouble(&what)?;
    fs::write(&file, bytes).or_trouble(&what)?;
    Ok(file)
}

fn artefacts() -> Rig<PathBuf> {
    if let Some(named) = environment(ARTEFACTS) {
        return Ok(PathBuf::from(named));
    }
    let ours = std::env::current_exe().or_trouble("asking for our own place")?;
    // The test binary lies in `target/debug/deps`.
    Ok(ours.ancestors().nth(3).or_trouble("no folder for artefacts")?.join("artefacts"))
}
