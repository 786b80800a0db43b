//! Logging in, proving it once more, logging out.
//!
//! The cookie is the browser's alone: no script reads it, no other page makes the browser send it
//! (RFC 6265bis, sections 4.1.3.2 and 5.5.7).

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use beistand_core::model::{AccountName, Millis};
use beistand_runtime::{Begun, Caller, Denied, SecondFactor, Secret, token_lookup};
use serde::Deserialize;
use utoipa::ToSchema;

use super::me::Me;
use super::passkeys::Answered;
use crate::app::App;
use crate::device::device;
use crate::door::{Credential, SESSION_COOKIE, Who, cookie as browser_cookie, credential};
use crate::json::{Exact, Sent};
use crate::peer::Peer;
use crate::report::Problem;

/// Who logs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogIn {
    /// The account.
    #[schema(min_length = 1, max_length = 200)]
    account: String,
    /// Its passphrase.
    #[schema(min_length = 1, max_length = 1024)]
    passphrase: String,
    /// A printed code, where the account has a second factor.
    code: Option<Code>,
    /// Or the answer of a passkey.
    passkey: Option<Answered>,
}

/// A printed code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Code {
    /// Its number on the sheet.
    #[schema(min_length = 1, max_length = 10)]
    number: String,
    /// The code; small letters, blanks and dashes do not matter.
    #[schema(min_length = 1, max_length = 40)]
    code: String,
}

/// The same person once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Prove {
    /// The account's passphrase.
    #[schema(min_length = 1, max_length = 1024)]
    passphrase: String,
    /// A printed code, where the account has a second factor.
    code: Option<Code>,
    /// Or the answer of a passkey.
    passkey: Option<Answered>,
}

impl Code {
    /// With its number on the sheet.
    pub(crate) fn of(number: String, code: String) -> Self {
        Self { number, code }
    }
}

impl From<Code> for SecondFactor {
    fn from(code: Code) -> Self {
        Self::Code { number: code.number, code: Secret::new(code.code) }
    }
}

/// Log in by a passphrase. The answer sets the session's cookie.
#[utoipa::path(
    post, path = "/api/v1/session", tag = "session", request_body = LogIn,
    responses((status = 200, description = "Who is logged in now", body = Me))
)]
pub(super) async fn log_in(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Exact(body): Exact<LogIn>,
) -> Result<Response, Problem> {
    let account: AccountName = body.account.parse().map_err(|_| wrong())?;
    let given = (body.passphrase, body.code, body.passkey);
    let (caller, begun) = begun(&app, (&peer, &headers), &account, given).await?;
    answered(&caller, app.engine.now(), &begun)
}

/// A session of who gives an account's words.
async fn begun(
    app: &App,
    (peer, headers): (&Peer, &HeaderMap),
    account: &AccountName,
    given: (String, Option<Code>, Option<Answered>),
) -> Result<(Caller, Begun), Problem> {
    let caller = proved(app, &peer.place(), account, given).await?;
    over_before(app, headers).await?;
    let device = device(headers);
    let begun = app.engine.begin_session_on(&caller, &device).await;
    let begun = begun.map_err(|denied| refused(&denied, app.engine.now()))?;
    Ok((caller, begun))
}

/// Logs in by a passphrase and, where the account has a second factor, a printed code; the line that
/// sets the cookie.
///
/// # Errors
/// 403 where they do not fit together.
pub(crate) async fn log_in_as(
    app: &App,
    from: (&Peer, &HeaderMap),
    (account, passphrase, code): (&AccountName, String, Option<Code>),
) -> Result<HeaderValue, Problem> {
    let (_, begun) = begun(app, from, account, (passphrase, code, None)).await?;
    line_of(&begun, app.engine.now())
}

/// The session goes on under another cookie: the line that sets it.
///
/// # Errors
/// 403 where the session is over.
pub(crate) async fn renewed(
    app: &App,
    cookie: &Secret,
    caller: &Caller,
) -> Result<HeaderValue, Problem> {
    let renewed = app.engine.renew_session(cookie, caller).await;
    let now = app.engine.now();
    line_of(&renewed.map_err(|denied| refused(&denied, now))?, now)
}

/// Whatever session the browser had before a login is over, whatever else it shows: nobody can have
/// slipped it in, and nobody goes on with it.
pub(super) async fn over_before(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    if let Some(before) = browser_cookie(headers, SESSION_COOKIE) {
        app.engine.end_session(&Secret::new(before)).await?;
    }
    Ok(())
}

/// Prove once more who you are: what destroys wants a proof of a moment ago. The session goes on under
/// another cookie.
#[utoipa::path(
    post, path = "/api/v1/session/proof", tag = "session", request_body = Prove,
    responses((status = 200, description = "You, proved a moment ago", body = Me))
)]
pub(super) async fn prove(
    State(app): State<App>,
    Who(caller): Who,
    headers: HeaderMap,
    Exact(body): Exact<Prove>,
) -> Result<Response, Problem> {
    let (cookie, Some(account)) = (own_cookie(&headers)?, caller.account) else {
        return Err(no_session());
    };
    let from = in_session(&cookie);
    let caller = proved(&app, &from, &account, (body.passphrase, body.code, body.passkey)).await?;
    let now = app.engine.now();
    let renewed = app.engine.renew_session(&cookie, &caller).await;
    let renewed = renewed.map_err(|denied| refused(&denied, now))?;
    answered(&caller, now, &renewed)
}

/// The cookie of who is logged in; a token has none, and whoever shows one proves nothing by it.
pub(crate) fn own_cookie(headers: &HeaderMap) -> Result<Secret, Problem> {
    match credential(headers) {
        Some(Credential::Session(cookie)) => Ok(Secret::new(cookie.to_owned())),
        Some(Credential::Bearer(_)) | None => Err(no_session()),
    }
}

fn no_session() -> Problem {
    Problem::conflict("only a session is proved once more; a token never is")
        .hint("log in at `POST /api/v1/session`")
}

/// Log out. The session's cookie is dead at once.
#[utoipa::path(
    delete, path = "/api/v1/session", tag = "session",
    responses((status = 204, description = "Nobody is logged in any more"))
)]
pub(super) async fn log_out(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(Credential::Session(cookie)) = credential(&headers) {
        app.engine.end_session(&Secret::new(cookie.to_owned())).await?;
    }
    over()
}

/// Nobody is logged in any more in this browser.
pub(crate) fn over() -> Result<Response, Problem> {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie("; Max-Age=0")?);
    Ok(response)
}

/// Where who is logged in guesses: in their session alone, so that nobody who has none makes them wait.
pub(crate) fn in_session(cookie: &Secret) -> String {
    format!("session/{}", token_lookup(cookie))
}

/// Who gives an account's words now; wrong ones are counted by where they come from.
pub(crate) async fn proved(
    app: &App,
    from: &str,
    account: &AccountName,
    (passphrase, code, passkey): (String, Option<Code>, Option<Answered>),
) -> Result<Caller, Problem> {
    let second = match (code, passkey) {
        (Some(_), Some(_)) => {
            return Err(Problem::malformed("a login has one second factor, not two"));
        }
        (Some(code), None) => Some(code.into()),
        (None, Some(answered)) => Some(answered.factor(app)?),
        (None, None) => None,
    };
    let found = app.engine.log_in(account, Secret::new(passphrase), second, from).await;
    found.map_err(|denied| refused(&denied, app.engine.now()))
}

fn answered(caller: &Caller, now: Millis, begun: &Begun) -> Result<Response, Problem> {
    let mut response = Sent(Me::of(caller, now)).into_response();
    response.headers_mut().insert(header::SET_COOKIE, line_of(begun, now)?);
    Ok(response)
}

fn line_of(begun: &Begun, now: Millis) -> Result<HeaderValue, Problem> {
    let seconds = begun.until.since(now).millis() / 1000;
    cookie(&format!("{}; Max-Age={seconds}", begun.cookie.expose()))
}

pub(super) fn cookie(value: &str) -> Result<HeaderValue, Problem> {
    sealed_line(&format!("{SESSION_COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Strict"))
}

/// A line that stands in no log.
pub(super) fn sealed_line(text: &str) -> Result<HeaderValue, Problem> {
    let mut line = HeaderValue::try_from(text).map_err(|error| Problem::internal(&error))?;
    line.set_sensitive(true);
    Ok(line)
}

pub(crate) fn wrong() -> Problem {
    Problem::forbidden("this account and these words do not fit together").hint(
        "look at the account's name and at the keyboard's letters; an admin can give you another \
         passphrase, and in an emergency there is the sealed account",
    )
}

pub(super) fn refused(denied: &Denied, now: Millis) -> Problem {
    match denied {
        Denied::Wrong => wrong(),
        Denied::SecondFactorMissing => Problem::forbidden(denied.to_string())
            .hint(
            "ask your device what `POST /api/v1/session/challenge` says (logged in: \
             `/api/v1/session/proof/challenge`) and send `passkey`, or send `code` with the number and \
             the code of your sheet",
        ),
        // No more is asked of somebody's devices before some of it was answered, or is over.
        Denied::TooManyQuestions { until } => Problem::too_many(denied.to_string())
            .hint(
                "answer one of them; a printed code does in place of a device, and who is logged in \
                 asks at `POST /api/v1/session/proof/challenge`",
            )
            .again_after(until.since(now)),
        Denied::Later { until } => Problem::too_many(denied.to_string())
            .hint("from another line, another account or with a token it goes on at once")
            .again_after(until.since(now)),
        Denied::Store(_) | Denied::Internal(_) => {
            Problem::unavailable("who you are can not be found out now").because(denied)
        }
    }
}
