//! What every page has around it: who looks at it, how they like it, what waits for them, whether
//! everything stands still, and when it was true.

use std::borrow::Borrow;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::header::{self, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use beistand_core::access::{About, Permission, Rights};
use beistand_core::model::{Millis, Mode};
use beistand_runtime::{Caller, Telling};
use flate2::Compression;
use serde_json::Value;

use super::mine;
use super::place::Place;
use super::show::Show;
use crate::app::App;
use crate::asset;
use crate::door::Who;
use crate::report::Problem;
use crate::words::{Stamp, Words, Zoned};

/// What a page loads: from here and nothing else (CSP 3). The design system's pictures are masks in its
/// own style sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// With a stricter one browsers hide where a form comes from, and it would be refused (Fetch, 3.1).
const REFERRER: &str = "same-origin";

/// A shorter page fits into one packet as it is.
const PACKED_BYTES_MIN: usize = 1_200;

/// The query parameter that says what was just done here.
const DONE: &str = "done";

/// Before the paths of what belongs to a drill.
pub(crate) const DRILL: &str = "/drill";

/// What surrounds a page.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) show: Show,
    pub(crate) words: Words,
    pub(crate) times: Zoned,
    /// Where this is, with its query.
    pub(crate) here: Place,
    pub(crate) me: Option<Me>,
    pub(crate) stopped: Option<Stopped>,
    /// Live or a drill, where the page is about one of them.
    pub(crate) mode: Option<Mode>,
    /// What was just done, a sentence.
    pub(crate) done: Option<String>,
    /// Whether there can be passkeys here: the server has a name.
    pub(crate) passkeys: bool,
    /// Where what pages load stands, without a slash at the end.
    pub(crate) assets: &'static str,
    /// It answers a form: whoever goes to its address again finds another page, without what was typed.
    pub(crate) answers: bool,
    /// Whether the browser takes it packed.
    unpacks: bool,
}

/// Who looks.
#[derive(Debug, Clone)]
pub(crate) struct Me {
    pub(crate) name: String,
    /// Needs that they can answer.
    pub(crate) waiting: usize,
    /// They proved a moment ago who they are.
    pub(crate) fresh: bool,
    rights: Rights,
}

/// The stop switch is on.
#[derive(Debug, Clone)]
pub(crate) struct Stopped {
    pub(crate) by: String,
    pub(crate) reason: String,
    pub(crate) since: Stamp,
}

impl FromRequestParts<App> for Frame {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Who>().map(|Who(caller)| caller.clone());
        let mut frame = Self::bare(parts, app.engine.now());
        frame.passkeys = app.passkeys.is_some();
        if let Some(caller) = caller {
            frame.stopped = frame.stop_of(app, &caller).await?;
            frame.me = Some(Me::of(app, &caller).await?);
        }
        Ok(frame)
    }
}

impl Me {
    async fn of(app: &App, caller: &Caller) -> Result<Self, Problem> {
        Ok(Self {
            name: caller.actor.person.to_string(),
            waiting: mine::needs(app, caller).await?.len(),
            fresh: caller.is_fresh(app.engine.now()),
            rights: caller.rights.clone(),
        })
    }

    /// Whether they may do something for the whole instance, by the permission's word.
    pub(crate) fn may(&self, permission: &str) -> bool {
        let permission: Result<Permission, _> = permission.parse();
        permission.is_ok_and(|one| self.rights.may(one, &About::Instance))
    }
}

impl Frame {
    /// Around a page that nobody in particular looks at.
    pub(crate) fn bare(parts: &Parts, now: Millis) -> Self {
        let show = Show::of(&parts.headers);
        let words = Words(show.lang);
        let times = Zoned { zone: show.clock.zone(), words, now };
        let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
        let mut done = None;
        let mut kept = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.strip_prefix(DONE).and_then(|rest| rest.strip_prefix('=')) {
                Some(what) => done = Some(words.of(DONE, what)).filter(|said| said != what),
                None => kept.push(pair),
            }
        }
        let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
        let here = Place::of(&format!("{path}{query}"));
        Self {
            show,
            words,
            times,
            here,
            me: None,
            stopped: None,
            mode: None,
            done,
            passkeys: false,
            assets: asset::folder(),
            answers: parts.method == Method::POST,
            unpacks: asset::unpacks(&parts.headers),
        }
    }

    /// Why it was stopped can be somebody else's affair: who does not read everything is told by whom.
    async fn stop_of(&self, app: &App, caller: &Caller) -> Result<Option<Stopped>, Problem> {
        let meta = app.engine.journal().reader().meta().await?;
        let said: Value = serde_json::from_str(&meta.stop_body).unwrap_or_default();
        let word = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default();
        let reads_all = caller.rights.scope().is_all();
        Ok(meta.stopped_at.map(|since| Stopped {
            by: word("by").to_owned(),
            reason: Some(word("reason")).filter(|_| reads_all).unwrap_or_default().to_owned(),
            since: self.times.stamp(since),
        }))
    }

    /// It is about something of this mode. A page of a drill has another address than a live one: who
    /// came by the other is sent to where it stands.
    pub(crate) fn elsewhere(&mut self, mode: Mode) -> Option<Response> {
        self.mode = Some(mode);
        let bare = self.here.as_str().strip_prefix(DRILL);
        match (mode, bare) {
            (Mode::Live, None) | (Mode::Drill, Some(_)) => None,
            (Mode::Live, Some(bare)) => Some(Place::of(bare).seen()),
            (Mode::Drill, None) => {
                Some(Place::of(&format!("{DRILL}{}", self.here.as_str())).seen())
            }
        }
    }

    /// The address of a page about something of a mode.
    pub(crate) fn to(mode: Mode, path: &str) -> String {
        match mode {
            Mode::Live => path.to_owned(),
            Mode::Drill => format!("{DRILL}{path}"),
        }
    }

    /// How a timeline is told here.
    pub(crate) fn telling(&self) -> Telling {
        Telling { lang: self.show.lang, zone: self.times.zone, now: self.times.now }
    }

    /// A sentence by its key.
    pub(crate) fn t(&self, key: &str) -> String {
        self.words.say(key)
    }

    /// A sentence that depends on a number.
    pub(crate) fn tn(&self, key: &str, n: impl Borrow<usize>) -> String {
        self.words.count(key, *n.borrow())
    }

    /// A sentence about something.
    pub(crate) fn ta(&self, key: &str, it: &str) -> String {
        self.words.about(key, it)
    }

    /// `de` or `en`.
    pub(crate) fn lang(&self) -> &'static str {
        self.show.lang.as_str()
    }

    /// Whether this is about a drill.
    pub(crate) fn is_drill(&self) -> bool {
        self.mode == Some(Mode::Drill)
    }

    /// When this was true.
    pub(crate) fn as_of(&self) -> Stamp {
        self.times.stamp(self.times.now)
    }

    /// Whether a place of the head is the one that is looked at.
    pub(crate) fn is_at(&self, path: &str) -> bool {
        let here = self.here.as_str();
        let here = here.strip_prefix(DRILL).unwrap_or(here);
        let here = here.split('?').next().unwrap_or_default();
        here == path || (path != "/" && here.starts_with(&format!("{path}/")))
    }

    /// A page as it goes over a slow line; nothing where it goes as it is. Whoever packs a secret with
    /// what a stranger chose tells its letters by the length (CVE-2013-3587). No stranger has a page
    /// made: the session's cookie is `SameSite=Strict`. What a form is answered with can hold a secret,
    /// and is not packed.
    fn packed(&self, html: &str) -> Option<Vec<u8>> {
        let packs = self.unpacks && !self.answers && html.len() >= PACKED_BYTES_MIN;
        packs.then(|| asset::pack(html.as_bytes(), Compression::default())).flatten()
    }

    /// A page in this frame.
    ///
    /// # Errors
    /// Our fault, where a template breaks.
    pub(crate) fn page(&self, page: &impl askama::Template) -> Result<Response, Problem> {
        self.page_with(StatusCode::OK, page)
    }

    /// The same with another status.
    ///
    /// # Errors
    /// As [`Self::page`].
    pub(crate) fn page_with(
        &self,
        status: StatusCode,
        page: &impl askama::Template,
    ) -> Result<Response, Problem> {
        let html = page.render().map_err(|error| Problem::internal(&error))?;
        let packed = self.packed(&html);
        let is_packed = packed.is_some();
        let mut response = Response::new(packed.map_or_else(|| Body::from(html), Body::from));
        *response.status_mut() = status;
        if is_packed {
            let gzip = HeaderValue::from_static("gzip");
            response.headers_mut().insert(header::CONTENT_ENCODING, gzip);
        }
        let lines: [(HeaderName, &str); 5] = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::REFERRER_POLICY, REFERRER),
            (header::VARY, "cookie, accept-language, accept-encoding"),
            (header::CONTENT_LANGUAGE, self.lang()),
        ];
        for (name, value) in lines {
            let value = HeaderValue::from_str(value).map_err(|error| Problem::internal(&error))?;
            response.headers_mut().insert(name, value);
        }
        Ok(response)
    }
}
