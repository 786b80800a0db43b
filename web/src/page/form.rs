//! What a page's form sends: pairs as browsers write them (WHATWG URL, section 5), read exactly.
//!
//! A field that nobody asked for is refused, and so is one that stands there twice where one is meant.
//! A field that was left empty was not filled in. Who is refused gets what they typed back: nothing of
//! it is lost but their secrets.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::frame::DRILL;
use crate::app::App;
use crate::limits::{STRANGERS_BYTES_MAX, whole};
use crate::report::Problem;

/// What a form's body says that it is.
const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// Pairs of one form at most: hosts of a long list, one a line, are one pair.
const PAIRS_MAX: usize = 2_000;

/// What is kept of somebody whose session ended while they typed, in bytes: a long note, with room for
/// what a login adds to it.
const KEPT_BYTES_MAX: usize = STRANGERS_BYTES_MAX - (4 << 10);

/// Fields that are never given back.
const SECRETS: [&str; 6] = ["passphrase", "new", "again", "code", "number", "telephone_code"];

/// A form that was sent.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    headers: HeaderMap,
    path: String,
    pairs: Vec<(String, String)>,
    passkeys: bool,
}

/// A form of a button alone.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// What was typed into a form that was refused, and where it was sent to. It goes along with an answer,
/// for the page that shows the refusal.
#[derive(Debug, Clone)]
pub(crate) struct Again {
    pub(crate) path: String,
    pub(crate) pairs: Arc<Vec<(String, String)>>,
    /// Whether a passkey can go with it when it is sent again.
    pub(crate) passkeys: bool,
}

impl FromRequest<App> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        Ok(Self { passkeys: app.passkeys.is_some(), ..Self::sent(request).await? })
    }
}

impl Form {
    async fn sent(request: Request) -> Result<Self, Problem> {
        if !says_form(request.headers()) {
            return Err(Problem::wrong_media_type(MEDIA_TYPE));
        }
        let (path, headers) = (request.uri().path().to_owned(), request.headers().clone());
        let bytes = Bytes::from_request(request, &()).await;
        let bytes =
            bytes.map_err(|error| Problem::malformed("the body broke off").because(&error))?;
        if std::str::from_utf8(&bytes).is_err() {
            return Err(Problem::malformed("a form is sent in UTF-8"));
        }
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(&bytes).into_owned().take(PAIRS_MAX + 1).collect();
        if pairs.len() > PAIRS_MAX {
            return Err(Problem::malformed(format!("a form has at most {PAIRS_MAX} fields")));
        }
        Ok(Self { headers, path, pairs, passkeys: false })
    }
}

/// Whether a form only writes something down. Whoever logs in at the same browser may be somebody else:
/// no click of theirs does what the one before them wanted done.
pub(super) fn only_writes(path: &str) -> bool {
    let path = path.strip_prefix(DRILL).unwrap_or(path);
    let is_id = |id: &str| id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    match path.split('/').collect::<Vec<_>>()[..] {
        ["", "incidents", "new"] => true,
        ["", "incidents", id, "notes"] | ["", "incidents", id, "timeline", "mark"] => is_id(id),
        _ => false,
    }
}

/// What somebody sent whom nobody knows any more: they typed it when they were somebody, and send it
/// again when they are. Nothing where it does more than that, or is too long to be taken from a stranger.
pub(crate) async fn kept(request: Request, within: Duration) -> Option<Again> {
    let is_form = says_form(request.headers()) && only_writes(request.uri().path());
    let request =
        if is_form { whole(request, KEPT_BYTES_MAX, within).await.ok()? } else { return None };
    let form = Form::sent(request).await.ok()?;
    Some(form.again())
}

fn says_form(headers: &HeaderMap) -> bool {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let kind = kinds.next().and_then(|kind| kind.to_str().ok()).filter(|_| kinds.next().is_none());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case(MEDIA_TYPE))
        && !headers.contains_key(header::CONTENT_ENCODING)
}

impl Form {
    /// What its browser said beside.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Every pair, in order; what was left empty too.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Takes a field out, so that what is left can be read; nothing where it was left empty.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.pairs.iter().position(|(own, _)| own == name)?;
        Some(self.pairs.remove(at).1).filter(|value| !value.is_empty())
    }

    /// Takes every field out whose name begins so; the rest of the name with what stands in it.
    pub(crate) fn take_all(&mut self, beginning: &str) -> Vec<(String, String)> {
        let (taken, left) = self.pairs.drain(..).partition(|(name, _)| name.starts_with(beginning));
        self.pairs = left;
        let rest = |(name, value): (String, String)| {
            (name.strip_prefix(beginning).unwrap_or_default().to_owned(), value)
        };
        Vec::into_iter(taken).map(rest).collect()
    }

    /// What was filled in, as the form's type reads it. A name ending in `[]` is a list of all that
    /// stands under it.
    ///
    /// # Errors
    /// 400 with the field.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let mut fields = Map::new();
        for (name, value) in self.pairs().filter(|(_, value)| !value.is_empty()) {
            // Lines of a text end as they are kept, and not as browsers send them.
            let value = Value::from(value.replace("\r\n", "\n"));
            match name.strip_suffix("[]") {
                Some(name) => {
                    let list = fields.entry(name).or_insert_with(|| Value::Array(Vec::new()));
                    if let Value::Array(list) = list {
                        list.push(value);
                    }
                }
                None => {
                    if fields.insert(name.to_owned(), value).is_some() {
                        let text = format!("the field `{name}` stands there twice");
                        return Err(Problem::malformed(text).place(name));
                    }
                }
            }
        }
        serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| {
            let place = error.path().to_string();
            let inner = error.inner();
            Problem::malformed(format!("the form can not be read: {inner}")).place(place)
        })
    }

    /// What was typed, to be given back where it is refused.
    pub(crate) fn again(&self) -> Again {
        let kept = self.pairs.iter().filter(|(name, _)| !SECRETS.contains(&name.as_str()));
        let pairs = Arc::new(kept.cloned().collect());
        Again { path: self.path.clone(), pairs, passkeys: self.passkeys }
    }

    /// The answer to a form: what was typed goes along with a refusal.
    pub(crate) fn answered(again: Again, answer: Result<Response, Problem>) -> Response {
        answer.unwrap_or_else(|problem| {
            let mut response = problem.into_response();
            response.extensions_mut().insert(again);
            response
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Note {
        text: String,
        at: Option<String>,
        #[serde(default)]
        hosts: Vec<String>,
    }

    fn sent(body: &str) -> Form {
        let pairs = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        Form { headers: HeaderMap::new(), path: "/x".to_owned(), pairs, passkeys: false }
    }

    #[test]
    fn what_goes_through_the_login_writes_and_does_nothing_else() {
        for path in [
            "/incidents/new",
            "/incidents/I-2026-0001/notes",
            "/drill/incidents/01a207fc-d084-718b-b1e2-5c358437c0c6/timeline/mark",
        ] {
            assert!(only_writes(path), "{path}");
        }
        for path in [
            "/needs/01a207fc-d084-718b-b1e2-5c358437c0c6",
            "/incidents/I-2026-0001/close",
            "/incidents/I-2026-0001/close?/notes",
            "/incidents/../me/notes",
            "/api/v1/incidents/I-2026-0001/notes",
            "https://elsewhere.example/incidents/new",
            "/stop",
            "",
        ] {
            assert!(!only_writes(path), "{path}");
        }
    }

    #[test]
    fn what_was_left_empty_was_not_filled_in() {
        let note: Note =
            sent("text=a%0D%0Ab&at=&hosts%5B%5D=pc-1&hosts%5B%5D=pc-2").read().unwrap();
        let hosts = vec!["pc-1".to_owned(), "pc-2".to_owned()];
        assert_eq!(note, Note { text: "a\nb".to_owned(), at: None, hosts });
    }

    #[test]
    fn what_nobody_asked_for_is_refused() {
        for body in ["text=a&role=commander", "text=a&text=b", "at=14:00"] {
            assert_eq!(sent(body).read::<Note>().unwrap_err().status().as_u16(), 400, "{body}");
        }
    }

    #[test]
    fn secrets_are_never_given_back() {
        let again = sent("text=a&passphrase=b&code=c").again();
        assert_eq!(*again.pairs, [("text".to_owned(), "a".to_owned())]);
    }

    #[test]
    fn fields_of_a_kind_are_taken_out_together() {
        let mut form = sent("in.hosts=pc-1&text=a&in.hosts=pc-2&passphrase=");
        let taken = form.take_all("in.");
        assert_eq!(taken.len(), 2);
        assert_eq!(taken[0], ("hosts".to_owned(), "pc-1".to_owned()));
        assert_eq!(form.take("passphrase"), None);
        assert_eq!(form.read::<Note>().unwrap().text, "a");
    }
}
