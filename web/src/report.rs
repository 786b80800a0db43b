//! How a request is refused: RFC 9457, a sentence, a way out, a number to ask for.
//!
//! The only thing in this crate that becomes an answer for an error. What went wrong inside stays
//! inside: the chain of causes goes to the log, under the number that the caller was given.

use std::error::Error;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use beistand_core::access::Permission;
use beistand_core::model::{Span, causes};
use beistand_core::run::{LaunchError, Missing, Remedy, remedy};
use beistand_journal::StoreError;
use beistand_runtime::{EngineError, error_json};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::refusals::Reason;

/// The media type of a problem (RFC 9457, section 6.1).
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// After how many seconds it is worth asking again.
const AGAIN_AFTER_SECONDS: u64 = 1;

/// Bytes of a reference number: enough to find a line in the log, short enough for the telephone.
const REFERENCE_BYTES: usize = 5;

/// A refusal as callers read it. It goes along with the answer, for who shows it as a page.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Body9457 {
    /// The kind of problem, the same for all of its kind.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The kind in words.
    pub(crate) title: &'static str,
    /// The status code.
    pub(crate) status: u16,
    /// What was wrong, a sentence.
    pub(crate) detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    /// The number under which the server's log has more.
    pub(crate) reference: String,
    /// Where in the body it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<String>,
    /// The permission that is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) permission: Option<&'static str>,
    /// What is wrong with which input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problems: Option<Value>,
    /// What the configuration lacks for what was asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) missing: Vec<Lacking>,
}

/// What is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Lack {
    /// Nothing is bound for the action.
    Connector,
    /// The action is destructive, and there is no guard list.
    Guard,
    /// A host is not in the inventory.
    Host,
}

/// One thing that the configuration lacks.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Lacking {
    pub(crate) what: Lack,
    /// The action, or the name of the host.
    pub(crate) name: String,
    /// A person may do it instead: ask again with `by_hand_ok`.
    pub(crate) by_hand: bool,
}

impl From<&Missing> for Lacking {
    fn from(missing: &Missing) -> Self {
        let (what, name) = match missing {
            Missing::Connector { action, .. } => (Lack::Connector, action.to_string()),
            Missing::Guard { action } => (Lack::Guard, action.to_string()),
            Missing::Host { name } => (Lack::Host, name.clone()),
        };
        Self { what, name, by_hand: missing.is_for_people() }
    }
}

/// Why a request was refused.
#[derive(Debug)]
pub struct Problem(Box<Refusal>);

#[derive(Debug)]
struct Refusal {
    kind: Kind,
    detail: String,
    hint: Option<String>,
    place: Option<String>,
    permission: Option<Permission>,
    problems: Option<Value>,
    missing: Vec<Lacking>,
    /// When it is worth asking again, in seconds.
    again_after: u64,
    causes: Vec<String>,
}

/// The kinds of problem: their word, their title, their status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Malformed,
    Unauthorized,
    Unsigned,
    Forbidden,
    ProveAgain,
    NotFound,
    MethodNotAllowed,
    TooSlow,
    Conflict,
    Moved,
    Unconditional,
    TooLarge,
    WrongMediaType,
    TooMany,
    Internal,
    Unavailable,
}

impl Kind {
    const fn said(self) -> (&'static str, &'static str, StatusCode) {
        match self {
            Self::Malformed => ("malformed", "The request is malformed", StatusCode::BAD_REQUEST),
            Self::Unauthorized => ("unauthorized", "Nobody is logged in", StatusCode::UNAUTHORIZED),
            Self::Unsigned => {
                ("unsigned", "It is not signed as it was agreed", StatusCode::UNAUTHORIZED)
            }
            Self::Forbidden => ("forbidden", "This is not allowed", StatusCode::FORBIDDEN),
            Self::ProveAgain => {
                ("prove-again", "Prove once more who you are", StatusCode::FORBIDDEN)
            }
            Self::NotFound => ("not-found", "There is no such thing", StatusCode::NOT_FOUND),
            Self::MethodNotAllowed => {
                ("method-not-allowed", "Not with this method", StatusCode::METHOD_NOT_ALLOWED)
            }
            Self::TooSlow => {
                ("too-slow", "The request came too slowly", StatusCode::REQUEST_TIMEOUT)
            }
            Self::Conflict => {
                ("conflict", "It does not fit what is true now", StatusCode::CONFLICT)
            }
            Self::Moved => {
                ("moved-on", "It is not what was seen any more", StatusCode::PRECONDITION_FAILED)
            }
            Self::Unconditional => {
                ("unconditional", "An edit says what was seen", StatusCode::PRECONDITION_REQUIRED)
            }
            Self::TooLarge => ("too-large", "The body is too large", StatusCode::PAYLOAD_TOO_LARGE),
            Self::WrongMediaType => {
                ("wrong-media-type", "Not in this format", StatusCode::UNSUPPORTED_MEDIA_TYPE)
            }
            Self::TooMany => ("too-many", "Too much at once", StatusCode::TOO_MANY_REQUESTS),
            Self::Internal => ("internal", "Our fault", StatusCode::INTERNAL_SERVER_ERROR),
            Self::Unavailable => {
                ("unavailable", "It can not be done now", StatusCode::SERVICE_UNAVAILABLE)
            }
        }
    }

    /// Whether it is the server's affair, and so a line in its log that people look for.
    const fn is_ours(self) -> bool {
        matches!(self, Self::Internal | Self::Unavailable)
    }
}

impl Problem {
    fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self(Box::new(Refusal {
            kind,
            detail: detail.into(),
            hint: None,
            place: None,
            again_after: AGAIN_AFTER_SECONDS,
            permission: None,
            problems: None,
            missing: Vec::new(),
            causes: Vec::new(),
        }))
    }
    /// The words of the request are off: 400.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, detail)
    }
    /// Nobody is logged in, or not any more: 401. It never says which.
    pub fn unauthorized() -> Self {
        Self::new(Kind::Unauthorized, "this needs a valid token or session")
            .hint("send `Authorization: Bearer TOKEN`, or log in anew")
    }
    /// A message is not signed as its sender agreed: 401.
    pub(crate) fn unsigned(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unsigned, detail)
    }
    /// It may not be done: 403.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, detail)
    }
    /// What destroys, or lets it go on, wants a proof of a moment ago: 403.
    pub fn prove_again() -> Self {
        Self::new(Kind::ProveAgain, "this wants a proof of a moment ago of who you are")
            .hint("send it to `POST /api/v1/session/proof` and ask again; a token can not do this")
    }
    /// The permission for it is missing: 403.
    pub fn lacks(permission: Permission) -> Self {
        let detail = format!("this needs the permission `{permission}`, which you do not have");
        let mut problem =
            Self::forbidden(detail).hint("who keeps the accounts can give a role that has it");
        problem.0.permission = Some(permission);
        problem
    }
    /// There is no such thing: 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, detail)
    }
    /// There is something here, but not for this method: 405.
    pub(crate) fn method_not_allowed() -> Self {
        Self::new(Kind::MethodNotAllowed, "this path does not know this method")
            .hint("`/api/v1/openapi.json` lists every path with its methods")
    }
    /// The body did not come in time: 408.
    pub(crate) fn too_slow(detail: impl Into<String>) -> Self {
        Self::new(Kind::TooSlow, detail)
    }
    /// It does not fit what is true now: 409.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, detail)
    }
    /// The configuration lacks what a launch takes: 409, until it has it or people may do it.
    fn lacking(missing: &[Missing], detail: impl Into<String>) -> Self {
        let way_out = |remedy: Remedy| match remedy {
            Remedy::Guard => {
                "whoever runs this server names what must never be touched under `guard:` in its \
                 configuration"
            }
            Remedy::ByHand => {
                "ask again with `by_hand_ok: true` and people do these steps, or have connectors \
                 bound for them in the server's configuration"
            }
            Remedy::Bind => "whoever runs this server binds connectors in its configuration",
        };
        let mut problem = Self::conflict(detail);
        problem.0.hint = remedy(missing).map(way_out).map(str::to_owned);
        problem.0.missing = missing.iter().map(Lacking::from).collect();
        problem
    }
    /// Somebody else wrote since it was seen: 412.
    pub(crate) fn moved(detail: impl Into<String>) -> Self {
        Self::new(Kind::Moved, detail).hint("get it again, look, and send its new `ETag`")
    }
    /// An edit does not say what it is of: 428 (RFC 6585, section 3).
    pub(crate) fn precondition_required() -> Self {
        Self::new(Kind::Unconditional, "an edit names what was seen, in the header `If-Match`")
    }
    /// The body has more bytes than are taken here: 413.
    pub(crate) fn too_large(bytes_max: usize) -> Self {
        Self::new(Kind::TooLarge, format!("the body may have {bytes_max} bytes here"))
    }
    /// The body is in another format: 415.
    pub fn wrong_media_type(wanted: &str) -> Self {
        let detail = format!("the body must be `{wanted}` in UTF-8, and say so");
        Self::new(Kind::WrongMediaType, detail).hint(format!("send `Content-Type: {wanted}`"))
    }
    /// More is asked at once than can be borne: 429.
    pub(crate) fn too_many(detail: impl Into<String>) -> Self {
        Self::new(Kind::TooMany, detail)
    }
    /// Our fault: 500. What it was is for the log.
    pub fn internal(cause: &(dyn Error + 'static)) -> Self {
        Self::new(Kind::Internal, "something went wrong here that should not")
            .hint("ask whoever runs this server to look up the reference in its log")
            .because(cause)
    }
    /// Not now: 503.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, detail)
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }
    /// When it is worth asking again; at once is after a second.
    #[must_use]
    pub(crate) fn again_after(mut self, span: Span) -> Self {
        self.0.again_after = span.millis().div_ceil(1000).max(AGAIN_AFTER_SECONDS);
        self
    }
    /// Where in the body it is: `inputs.hosts[2]`.
    #[must_use]
    pub fn place(mut self, place: impl Into<String>) -> Self {
        self.0.place = Some(place.into()).filter(|place| !place.is_empty() && place != ".");
        self
    }
    /// What is wrong with which input, or where in a text.
    #[must_use]
    pub(crate) fn problems(mut self, problems: Value) -> Self {
        self.0.problems = Some(problems);
        self
    }
    /// With an error and the chain behind it, for the log alone.
    #[must_use]
    pub fn because(mut self, cause: &(dyn Error + 'static)) -> Self {
        self.0.causes.extend(causes(cause).map(ToString::to_string));
        self
    }
    /// Whether it says that something is not there.
    pub(crate) fn is_not_found(&self) -> bool {
        self.0.kind == Kind::NotFound
    }
    /// The status that it is answered with.
    pub fn status(&self) -> StatusCode {
        self.0.kind.said().2
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (word, title, status) = self.0.kind.said();
        let reference = reference();
        let again_after = self.0.again_after;
        let because = self.0.causes.join(": ");
        let Refusal { kind, detail, hint, place, permission, problems, missing, .. } = *self.0;
        if kind.is_ours() {
            tracing::error!(%reference, status = status.as_u16(), %because, "A request failed: {detail}.");
        } else {
            tracing::debug!(%reference, status = status.as_u16(), %because, "A request was refused: {detail}.");
        }
        let body = Body9457 {
            kind: format!("urn:beistand:problem:{word}"),
            title,
            status: status.as_u16(),
            detail,
            hint,
            reference,
            place,
            permission: permission.map(Permission::as_str),
            problems,
            missing,
        };
        let mut response = Response::new(Body::from(serde_json::to_vec(&body).unwrap_or_default()));
        *response.status_mut() = status;
        response.extensions_mut().insert(Reason(word));
        response.extensions_mut().insert(body);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        match kind {
            Kind::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            // What RFC 9110, section 11.6.1, asks of every 401; no scheme that is registered.
            Kind::Unsigned => {
                let scheme = HeaderValue::from_static("Beistand-Signature");
                headers.insert(header::WWW_AUTHENTICATE, scheme);
            }
            Kind::TooMany | Kind::Unavailable => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(again_after));
            }
            Kind::Malformed
            | Kind::Forbidden
            | Kind::ProveAgain
            | Kind::NotFound
            | Kind::MethodNotAllowed
            | Kind::TooSlow
            | Kind::Conflict
            | Kind::Moved
            | Kind::Unconditional
            | Kind::TooLarge
            | Kind::WrongMediaType
            | Kind::Internal => {}
        }
        response
    }
}

/// A number for people to ask for. Without randomness all are the same, which is no reason to fail.
fn reference() -> String {
    let mut bytes = [0; REFERENCE_BYTES];
    match getrandom::fill(&mut bytes) {
        Ok(()) => hex::encode(bytes),
        Err(_) => "none".to_owned(),
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        if let EngineError::Moved { .. } = &error {
            return Self::moved(error.to_string());
        }
        if matches!(error, EngineError::ProveAgain) {
            return Self::prove_again();
        }
        if let EngineError::Launch(LaunchError::Missing(missing)) = &error {
            return Self::lacking(missing, error.to_string()).because(&error);
        }
        let told = error_json(&error);
        let word = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default();
        let detail = word("message");
        let mut problem = match word("kind") {
            "not-found" => Self::not_found(detail),
            "conflict" => Self::conflict(detail),
            "not-allowed" => Self::forbidden(detail),
            "usage" => Self::malformed(detail),
            "unreachable" => Self::unavailable("the store can not be written now"),
            _ => return Self::internal(&error),
        };
        problem.0.problems = told.get("problems").filter(|problems| !problems.is_null()).cloned();
        problem.because(&error)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::from(EngineError::from(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_went_wrong_inside_stays_inside() {
        let error = EngineError::Internal("the secret of row 7".to_owned());
        let response = Problem::from(error).into_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert!(!body.to_string().contains("row 7"), "{body}");
        assert_eq!(body["type"], "urn:beistand:problem:internal");
        assert_eq!(body["reference"].as_str().unwrap().len(), 2 * REFERENCE_BYTES);
    }

    #[tokio::test]
    async fn a_missing_permission_is_named() {
        let response = Problem::lacks(Permission::Stop).into_response();
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(response.headers()[header::CONTENT_TYPE], MEDIA_TYPE);
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["permission"], "stop");
        assert_eq!(body["status"], 403);
    }

    #[test]
    fn who_must_come_back_is_told_when_and_who_must_log_in_is_told_how() {
        let response = Problem::too_many("enough").into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        let later = Problem::too_many("enough").again_after(Span::from_millis(899_001));
        assert_eq!(later.into_response().headers()[header::RETRY_AFTER], "900");
        let response = Problem::unauthorized().into_response();
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
    }

    #[test]
    fn the_engines_words_become_statuses() {
        for (error, status) in [
            (EngineError::NotFound("x".to_owned()), 404),
            (EngineError::Conflict("x".to_owned()), 409),
            (EngineError::Moved { number: "x".to_owned(), seq: 7 }, 412),
            (EngineError::NotAllowed("x".to_owned()), 403),
            (EngineError::Usage("x".to_owned()), 400),
            (EngineError::Append(beistand_journal::AppendError::Full), 503),
            (EngineError::Store(StoreError::Dead), 500),
        ] {
            assert_eq!(Problem::from(error).status().as_u16(), status);
        }
    }
}
