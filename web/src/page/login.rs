//! Logging in, proving it once more, logging out: by a passphrase and a printed code, without script.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use beistand_runtime::Caller;
use serde::Deserialize;

use super::form::{Form, only_writes};
use super::frame::Frame;
use super::place::Place;
use super::refused::{KEPT, KEPT_PATH, Typed};
use crate::api::session::{Code, in_session, log_in_as, over, own_cookie, proved, renewed, wrong};
use crate::app::App;
use crate::asked::Asked;
use crate::door::Who;
use crate::peer::Peer;
use crate::report::Problem;

/// Where to go on afterwards.
#[derive(Debug, Deserialize)]
pub(super) struct Next {
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "login.html")]
struct Page<'a> {
    frame: &'a Frame,
    next: &'a str,
    single_sign_on: bool,
    accounts: bool,
}

/// Whoever is somebody again sends what they had typed before.
#[derive(Template)]
#[template(path = "kept.html")]
struct Kept<'a> {
    frame: &'a Frame,
    action: &'a str,
    typed: Vec<Typed<'a>>,
}

/// Who logs in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogIn {
    account: String,
    passphrase: String,
    number: Option<String>,
    code: Option<String>,
    next: Option<String>,
}

/// The page on which people log in.
pub(super) async fn page(
    State(app): State<App>,
    Asked(Next { next }): Asked<Next>,
    frame: Frame,
) -> Result<Response, Problem> {
    let next = Place::of(next.as_deref().unwrap_or("/"));
    let (single_sign_on, accounts) = (app.sso.is_some(), app.engine.has_accounts().await?);
    frame.page(&Page { frame: &frame, next: next.as_str(), single_sign_on, accounts })
}

/// Logs in.
pub(super) async fn log_in(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    frame: Frame,
    mut form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let (path, kept) = (form.take(KEPT_PATH), form.take_all(KEPT));
        let LogIn { account, passphrase, number, code, next } = form.read()?;
        let account = account.parse().map_err(|_| wrong())?;
        let cookie =
            log_in_as(&app, (&peer, form.headers()), (&account, passphrase, both(number, code)?))
                .await?;
        let mut response = match path.filter(|path| only_writes(path)) {
            Some(path) => sent_later(&frame, &path, &kept)?,
            None => Place::of(next.as_deref().unwrap_or("/")).seen(),
        };
        response.headers_mut().insert(SET_COOKIE, cookie);
        Ok(response)
    };
    Form::answered(again, answer.await)
}

/// What was typed before a login, to be looked at and sent.
fn sent_later(frame: &Frame, path: &str, kept: &[(String, String)]) -> Result<Response, Problem> {
    let action = Place::of(path);
    let pairs = kept.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    frame.page(&Kept { frame, action: action.as_str(), typed: Typed::all(frame, pairs) })
}

/// A printed code has a number and itself.
pub(super) fn both(number: Option<String>, code: Option<String>) -> Result<Option<Code>, Problem> {
    match (number, code) {
        (Some(number), Some(code)) => Ok(Some(Code::of(number, code))),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => {
            let text = "a printed code is given with its number on the sheet";
            Err(Problem::malformed(text).place("code"))
        }
    }
}

/// Logs out.
pub(super) async fn log_out(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let cookie = own_cookie(&headers)?;
    app.engine.end_session(&cookie).await?;
    let mut response = Place::of("/login").seen();
    if let Some(line) = over()?.headers_mut().remove(SET_COOKIE) {
        response.headers_mut().insert(SET_COOKIE, line);
    }
    Ok(response)
}

/// Who sent a form, with the proof that they gave in it, where they did.
pub(super) struct Proved {
    pub(super) caller: Caller,
    cookie: Option<HeaderValue>,
}

impl Proved {
    /// The answer to the form. The proof stays, however the form ends.
    pub(super) fn answer(self, answer: Result<Response, Problem>) -> Result<Response, Problem> {
        let mut response = match answer {
            Ok(response) => response,
            Err(problem) => match self.cookie {
                Some(_) => axum::response::IntoResponse::into_response(problem),
                None => return Err(problem),
            },
        };
        if let Some(cookie) = self.cookie {
            response.headers_mut().insert(SET_COOKIE, cookie);
        }
        Ok(response)
    }
}

/// Takes the proof out of a form: who gives their words in it proves by them who they are, and their
/// session goes on under another cookie.
///
/// # Errors
/// 403 where the words are wrong.
pub(super) async fn proved_here(
    app: &App,
    caller: Caller,
    form: &mut Form,
) -> Result<Proved, Problem> {
    let (number, code) = (form.take("number"), form.take("code"));
    let Some(passphrase) = form.take("passphrase") else {
        return Ok(Proved { caller, cookie: None });
    };
    let (cookie, Some(account)) = (own_cookie(form.headers())?, caller.account.clone()) else {
        return Ok(Proved { caller, cookie: None });
    };
    let given = (passphrase, both(number, code)?, None);
    let proven = proved(app, &in_session(&cookie), &account, given).await?;
    let line = renewed(app, &cookie, &proven).await?;
    Ok(Proved { caller: proven, cookie: Some(line) })
}

/// Only a proof.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Only {
    next: Option<String>,
}

/// Proves once more who somebody is.
pub(super) async fn prove(State(app): State<App>, Who(caller): Who, mut form: Form) -> Response {
    let again = form.again();
    let answer = async {
        let proved = proved_here(&app, caller, &mut form).await?;
        let Only { next } = form.read()?;
        let place = Place::of(next.as_deref().unwrap_or("/")).done("proved");
        proved.answer(Ok(place.seen()))
    };
    Form::answered(again, answer.await)
}
