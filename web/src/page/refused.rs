//! A refusal as a page: what was wrong, what to do, and what was typed, to be sent again.

use askama::Template;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use beistand_core::model::Millis;
use serde_json::Value;

use super::form::Again;
use super::frame::Frame;
use super::place::Place;
use crate::refusals::{Reason, Route};
use crate::report::{Body9457, Lack};
use crate::words::Told;

/// Whose page sent a browser here (Fetch Metadata, 2.2).
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What browsers say that they read when they go to a page.
const PAGE: &str = "text/html";

/// What a browser showed when it asked, for who shows it a refusal.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

/// Where people log in.
const LOG_IN: &str = "/login";

/// The field of a login that says who it is.
const ACCOUNT: &str = "account";

/// The field of a login that says where it leads to.
const NEXT: &str = "next";

/// Fields of a login that say where what was typed before it was sent to, and what it was: so that
/// nothing of it is kept here.
pub(super) const KEPT_PATH: &str = "kept_path";
pub(super) const KEPT: &str = "kept.";

/// A field that was typed into.
pub(super) struct Typed<'a> {
    pub(super) name: &'a str,
    pub(super) label: String,
    pub(super) value: &'a str,
    pub(super) long: bool,
    pub(super) hidden: bool,
}

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused<'a> {
    frame: &'a Frame,
    title: String,
    told: &'a Body9457,
    detail: Told,
    hint: Option<String>,
    problems: Vec<Told>,
    missing: Vec<String>,
    again: Option<&'a Again>,
    typed: Vec<Typed<'a>>,
    prove: bool,
    log_in: bool,
    /// Where what was typed waits for a login.
    login: Option<LogIn<'a>>,
}

/// A login that takes along what was typed before it.
struct LogIn<'a> {
    account: &'a str,
    /// Where it leads to.
    next: Place,
    carried: Vec<(String, &'a str)>,
    /// What of it people read.
    kept: Vec<(String, &'a str)>,
}

#[derive(Template)]
#[template(path = "once_more.html")]
struct OnceMore<'a> {
    frame: &'a Frame,
}

impl Asker {
    /// Of who would like to read a page; none of programs, and none for what only they ask for.
    pub(crate) fn of(parts: &Parts) -> Option<Self> {
        let lines = parts.headers.get_all(header::ACCEPT).iter();
        let reads = lines.filter_map(|line| line.to_str().ok()).any(|line| line.contains(PAGE));
        let is_page = reads && !parts.uri.path().starts_with("/api/");
        let (method, uri) = (parts.method.clone(), parts.uri.clone());
        is_page.then(|| Self { method, uri, headers: parts.headers.clone() })
    }

    /// The answer as a page where it is a refusal.
    pub(crate) fn shown(self, response: Response) -> Response {
        let Some(told) = response.extensions().get::<Body9457>().cloned() else { return response };
        let (Self { method, uri, headers }, again) =
            (self, response.extensions().get::<Again>().cloned());
        let (mut parts, ()) = axum::http::Request::new(()).into_parts();
        (parts.method, parts.uri, parts.headers) = (method, uri, headers);
        // A refusal says no times.
        let passkeys = again.as_ref().is_some_and(|again| again.passkeys);
        let mut frame = Frame::bare(&parts, Millis::new(0));
        frame.passkeys = passkeys;
        let page = page(&frame, &parts, (&told, again.as_ref()));
        let Some(mut page) = page else { return response };
        // What the log says of it, it says of the page.
        if let Some(reason) = response.extensions().get::<Reason>() {
            page.extensions_mut().insert(*reason);
        }
        if let Some(route) = response.extensions().get::<Route>() {
            page.extensions_mut().insert(route.clone());
        }
        if let Some(line) = response.headers().get(header::RETRY_AFTER) {
            page.headers_mut().insert(header::RETRY_AFTER, line.clone());
        }
        page
    }
}

fn page(
    frame: &Frame,
    parts: &Parts,
    (told, again): (&Body9457, Option<&Again>),
) -> Option<Response> {
    let status = StatusCode::from_u16(told.status).ok()?;
    if status == StatusCode::UNAUTHORIZED && parts.method.is_safe() {
        return Some(stranger(frame, parts));
    }
    let word = told.kind.rsplit(':').next().unwrap_or_default();
    let pairs = again.iter().flat_map(|again| again.pairs.iter());
    let pairs = pairs.map(|(name, value)| (name.as_str(), value.as_str()));
    let refused = Refused {
        frame,
        title: frame.words.of("problem", word),
        told,
        detail: detail(frame, told),
        hint: hint(frame, told, word),
        problems: told.problems.as_ref().map(|all| problems(frame, all)).unwrap_or_default(),
        missing: told.missing.iter().map(|one| lacks(frame, one.what, &one.name)).collect(),
        again,
        typed: Typed::all(frame, pairs),
        prove: word == "prove-again",
        log_in: status == StatusCode::UNAUTHORIZED,
        login: again.and_then(|again| LogIn::of(frame, again, status)),
    };
    frame.page_with(status, &refused).ok()
}

impl<'a> LogIn<'a> {
    /// Of who is nobody any more, or did not get in.
    fn of(frame: &Frame, again: &'a Again, status: StatusCode) -> Option<Self> {
        let pairs = || again.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let said = |(name, value): (&str, &'a str)| {
            let label = frame.words.of("field", name);
            (label != name && !value.is_empty()).then_some((label, value))
        };
        if again.path == LOG_IN {
            let account = pairs().find(|(name, _)| *name == ACCOUNT);
            let next = pairs().find(|(name, _)| *name == NEXT).map_or("/", |(_, value)| value);
            let carried = pairs().filter(|(name, _)| *name != ACCOUNT && *name != NEXT);
            let kept = pairs().filter_map(|(name, value)| Some((name.strip_prefix(KEPT)?, value)));
            return Some(Self {
                account: account.map(|(_, value)| value).unwrap_or_default(),
                next: Place::of(next),
                carried: carried.map(|(name, value)| (name.to_owned(), value)).collect(),
                kept: kept.filter_map(said).collect(),
            });
        }
        let place = (KEPT_PATH.to_owned(), again.path.as_str());
        let fields = pairs().map(|(name, value)| (format!("{KEPT}{name}"), value));
        (status == StatusCode::UNAUTHORIZED).then(|| Self {
            account: "",
            next: Place::of("/"),
            carried: [place].into_iter().chain(fields).collect(),
            kept: pairs().filter_map(said).collect(),
        })
    }
}

impl<'a> Typed<'a> {
    /// Each field of a form, those that people have no word for as they were.
    pub(super) fn all(frame: &Frame, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Self> {
        let typed = pairs.map(|(name, value)| Self {
            name,
            label: frame.words.of("field", name),
            value,
            long: value.len() > 60 || value.contains('\n'),
            hidden: frame.words.of("field", name) == *name,
        });
        typed.collect()
    }
}

/// Who is nobody logs in, and is brought back. Whoever comes by a link of another page shows no cookie
/// on the first try (RFC 6265bis, section 5.2), and comes once more from here.
fn stranger(frame: &Frame, parts: &Parts) -> Response {
    let elsewhere = |line: &axum::http::HeaderValue| line == "cross-site" || line == "same-site";
    if parts.headers.get(SITE).is_some_and(elsewhere)
        && let Ok(page) = frame.page(&OnceMore { frame })
    {
        return page;
    }
    let next: String = form_urlencoded::byte_serialize(frame.here.as_str().as_bytes()).collect();
    Place::of(&format!("/login?next={next}")).seen().into_response()
}

/// Why it was refused. What is missing stands below, each for itself.
pub(super) fn detail(frame: &Frame, told: &Body9457) -> Told {
    if told.missing.is_empty() {
        return frame.times.program(&told.detail);
    }
    Told { text: frame.t("refused-lacks"), foreign: false }
}

/// What to do about it: what is said of this very refusal, or of all of its kind. What programs are
/// told to send helps nobody who looks at a page.
fn hint(frame: &Frame, told: &Body9457, word: &str) -> Option<String> {
    let own = told.hint.as_deref().map(|hint| frame.times.program(hint));
    let own = own.filter(|own| !own.foreign && !own.text.contains('`')).map(|own| own.text);
    own.or_else(|| Some(frame.words.of("way", word)).filter(|way| way != word))
}

/// What is wrong with which input, a line each.
fn problems(frame: &Frame, all: &Value) -> Vec<Told> {
    let items = all.as_array().map(Vec::as_slice).unwrap_or_default();
    let line = |item: &Value| {
        let word = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
        let place = [word("path"), word("place")].concat();
        let text = [word("message"), word("text")].concat();
        if place.is_empty() && text.is_empty() {
            return Told { text: item.to_string(), foreign: true };
        }
        let told = frame.times.program(&text);
        let place = if place.is_empty() { place } else { format!("{place}: ") };
        Told { text: place + told.text.as_str(), foreign: told.foreign }
    };
    items.iter().map(line).collect()
}

fn lacks(frame: &Frame, what: Lack, name: &str) -> String {
    match what {
        Lack::Connector => frame.ta("lacks-connector", name),
        Lack::Guard => frame.ta("lacks-guard", name),
        Lack::Host => frame.ta("lacks-host", name),
    }
}

#[cfg(test)]
mod tests;
