//! Logging in by single sign-on: to the identity provider, and back from it. Two pages for
//! browsers.
//!
//! A program has no use for them: it has a token.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use beistand_core::model::chain;
use beistand_runtime::{Denied, Secret, token_lookup};
use serde::Deserialize;

use super::session::{self, sealed_line};
use crate::app::App;
use crate::asked::Asked;
use crate::device::device;
use crate::door::{SESSION_COOKIE, cookie};
use crate::peer::Peer;
use crate::report::Problem;
use crate::sso::{AGAIN_AFTER, Answer, FLOW_LASTS, Flow, Place, Refused, SingleSignOn};

/// The cookie of a way to the identity provider. It opens nothing, and is sent when the browser
/// comes back.
const WAY_COOKIE: &str = "__Host-beistand-sso";

/// Where a login leads that does not say where to.
const HOME: &str = "/api/v1/me";

/// Longest answer of an identity provider that is looked at: codes have some hundred letters.
const CODE_BYTES_MAX: usize = 4096;

/// Where to afterwards.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// A path of this server, `/api/v1/me` where absent.
    to: Option<String>,
}

/// What the identity provider sends along. It may send more (RFC 6749, section 4.1.2), which is not
/// looked at.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Back {
    /// What this server gave the browser on its way.
    state: Option<String>,
    /// What the identity provider gives a token for.
    code: Option<String>,
    /// Why it gives none.
    error: Option<String>,
    /// Who says so (RFC 9207).
    iss: Option<String>,
}

/// Log in by single sign-on, in a browser. Leads to the identity provider, which leads back.
#[utoipa::path(
    get, path = "/api/v1/session/sso", tag = "session", params(Wanted),
    responses((status = 303, description = "To the identity provider"))
)]
pub(super) async fn set_out(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let sso = offered(&app)?;
    let wrong = || Problem::malformed("`to` is no plain path of this server").place("to");
    let to = Place::new(wanted.to.as_deref().unwrap_or(HOME)).ok_or_else(wrong)?;
    if let Some(address) = sso.elsewhere(peer.host.as_deref()) {
        let text = format!("people log in by single sign-on at {address}");
        return Err(Problem::malformed(text).hint("open this server under that address"));
    }
    let now = app.engine.now();
    let mut bits = [0; 32];
    getrandom::fill(&mut bits).map_err(|error| Problem::internal(&error))?;
    let before = cookie(&headers, SESSION_COOKIE).map(|cookie| token_lookup(&Secret::new(cookie)));
    let flow = Flow::new(bits, now, to).after(before);
    let (kept, address) =
        sso.set_out(&flow, &|| app.engine.now()).await.map_err(|refused| said(&refused))?;
    let seconds = FLOW_LASTS.millis() / 1000;
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, line(&address)?);
    headers.insert(header::SET_COOKIE, way(&format!("{kept}; Max-Age={seconds}"))?);
    Ok(response)
}

/// Back from the identity provider. The answer is a page that sets the session's cookie and goes on
/// by itself.
#[utoipa::path(
    get, path = "/api/v1/session/sso/return", tag = "session", params(Back),
    responses((status = 200, description = "Logged in", content_type = "text/html", body = String))
)]
pub(super) async fn come_back(
    State(app): State<App>,
    headers: HeaderMap,
    Asked(back): Asked<Back>,
) -> Result<Response, Problem> {
    let sso = offered(&app)?;
    let now = app.engine.now();
    let answer = answer(back).ok_or_else(|| said(&Refused::Astray))?;
    let kept = cookie(&headers, WAY_COOKIE);
    let came = sso.come_back(kept, answer, &|| app.engine.now()).await;
    let (subject, flow) = came.map_err(|refused| said(&refused))?;
    let caller = app.engine.caller_by_subject(sso.issuer(), &subject).await;
    let caller = caller.map_err(|denied| match denied {
        Denied::Wrong => unlinked(&subject),
        Denied::Later { .. }
        | Denied::TooManyQuestions { .. }
        | Denied::SecondFactorMissing
        | Denied::Store(_)
        | Denied::Internal(_) => session::refused(&denied, now),
    })?;
    // Whatever session the browser had before is over: when it set out, or by now.
    if let Some(before) = flow.before() {
        app.engine.end_session_found_by(before).await?;
    }
    session::over_before(&app, &headers).await?;
    let device = device(&headers);
    let begun = app.engine.begin_session_on(&caller, &device).await;
    let begun = begun.map_err(|denied| session::refused(&denied, now))?;
    let seconds = begun.until.since(now).millis() / 1000;
    let mut response = Html(page(flow.to())).into_response();
    let cookies = response.headers_mut();
    let value = format!("{}; Max-Age={seconds}", begun.cookie.expose());
    cookies.append(header::SET_COOKIE, session::cookie(&value)?);
    cookies.append(header::SET_COOKIE, way("; Max-Age=0")?);
    Ok(response)
}

/// The page that goes on by itself, without a script. A place has no letter that HTML would read.
fn page(to: &Place) -> String {
    let to = to.path();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta http-equiv=\"refresh\" content=\"0; url={to}\"><title>Logged in</title></head>\n\
         <body><p>You are logged in. <a href=\"{to}\">Go on</a></p></body>\n</html>\n"
    )
}

fn offered(app: &App) -> Result<&SingleSignOn, Problem> {
    app.sso.as_deref().ok_or_else(|| {
        Problem::not_found("nobody logs in by single sign-on here")
            .hint("log in by passphrase at `POST /api/v1/session`")
    })
}

/// What the identity provider sent, if it is an answer at all.
fn answer(back: Back) -> Option<Answer> {
    let code = match (back.code, back.error) {
        (Some(code), None) => Ok(code),
        (None, Some(error)) => Err(error),
        (Some(_), Some(_)) | (None, None) => return None,
    };
    let (Ok(text) | Err(text)) = &code;
    let short = text.len() <= CODE_BYTES_MAX;
    Some(Answer { state: back.state?, code, issuer: back.iss }).filter(|_| short)
}

fn way(value: &str) -> Result<HeaderValue, Problem> {
    sealed_line(&format!("{WAY_COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Lax"))
}

fn line(text: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::try_from(text).map_err(|error| Problem::internal(&error))
}

/// Who is known there and not here. Their subject is theirs to know, and who keeps the accounts needs
/// it; it stands in no log.
fn unlinked(subject: &str) -> Problem {
    let text = "the identity provider knows you, and no usable account here is linked to you";
    Problem::forbidden(text).hint(format!(
        "tell who keeps the accounts that you are `{subject}` there; logging in makes no account"
    ))
}

fn said(refused: &Refused) -> Problem {
    let otherwise = "log in by passphrase at `POST /api/v1/session`, or open the sealed account";
    let again = "begin once more at `/api/v1/session/sso`";
    match refused {
        Refused::Astray => {
            let text = "no login that began in this browser a moment ago leads here";
            Problem::forbidden(text).hint(again)
        }
        Refused::ByProvider(why) => {
            tracing::info!(
                why = why.escape_debug().to_string(),
                "The identity provider let nobody in."
            );
            Problem::forbidden("the identity provider did not let you in").hint(again)
        }
        Refused::Unbelievable(why) => {
            tracing::warn!(
                because = chain(why.as_ref()).escape_debug().to_string(),
                "What the identity provider said was not believed."
            );
            Problem::forbidden("what the identity provider says of you can not be believed")
                .hint(again)
                .because(why.as_ref())
        }
        Refused::Gone(why) => {
            Problem::unavailable("the identity provider does not answer as it should")
                .hint(otherwise)
                .because(why.as_ref())
        }
        Refused::Busy => {
            let text =
                "too many log in by single sign-on at once, or the identity provider is slow";
            Problem::unavailable(text).hint(otherwise).again_after(AGAIN_AFTER)
        }
    }
}
