//! Passkeys: asking a device, adding one's own, taking it back.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use beistand_core::model::AccountName;
use beistand_journal::Credential;
use beistand_runtime::{
    Caller, Challenge, Denied, NotAdded, Passkeys, SecondFactor, Secret, Shown,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::form::Label;
use super::session::{over, own_cookie, refused, wrong};
use crate::app::App;
use crate::asked::At;
use crate::door::Who;
use crate::json::{Exact, Sent};
use crate::peer::Peer;
use crate::report::Problem;

/// The answer of a device to what was asked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answered {
    /// The name of what was asked.
    #[schema(min_length = 1, max_length = 100)]
    challenge: String,
    /// What `navigator.credentials.get()` gave, as `PublicKeyCredential.toJSON()` writes it.
    #[schema(value_type = Object)]
    credential: Value,
}

/// What is asked of a device.
#[derive(Serialize, ToSchema)]
pub(super) struct AskedOf {
    /// Its name; it comes back with the answer.
    challenge: String,
    /// The argument of `navigator.credentials.get()` or `.create()`; bytes are base64url.
    #[schema(value_type = Object)]
    options: Value,
}

/// Who will log in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Begins {
    /// The account.
    #[schema(min_length = 1, max_length = 200)]
    account: String,
    /// Its passphrase.
    #[schema(min_length = 1, max_length = 1024)]
    passphrase: String,
}

/// A new passkey.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPasskey {
    /// Which device, for you.
    title: Label,
    /// The name of what was asked.
    #[schema(min_length = 1, max_length = 100)]
    challenge: String,
    /// What `navigator.credentials.create()` gave, as `PublicKeyCredential.toJSON()` writes it.
    #[schema(value_type = Object)]
    credential: Value,
}

/// A passkey of yours.
#[derive(Serialize, ToSchema)]
pub(super) struct PasskeyShown {
    id: String,
    title: String,
    #[schema(format = "date-time")]
    made_at: String,
    #[schema(format = "date-time")]
    used_at: Option<String>,
}

/// Your passkeys.
#[derive(Serialize, ToSchema)]
pub(super) struct PasskeyList {
    items: Vec<PasskeyShown>,
}

/// A passkey that was added.
#[derive(Serialize, ToSchema)]
pub(super) struct Added {
    id: String,
}

impl Answered {
    /// As the second factor of a login.
    pub(super) fn factor(self, app: &App) -> Result<SecondFactor, Problem> {
        let passkeys = passkeys(app)?.clone();
        let shown = Shown { passkeys, challenge: self.challenge, answer: self.credential };
        Ok(SecondFactor::Passkey(Box::new(shown)))
    }
}

impl From<Challenge> for AskedOf {
    fn from(challenge: Challenge) -> Self {
        Self { challenge: challenge.id, options: challenge.options }
    }
}

impl From<Credential> for PasskeyShown {
    fn from(one: Credential) -> Self {
        Self {
            id: one.id,
            title: one.label,
            made_at: one.made_at.to_string(),
            used_at: one.used_at.map(|at| at.to_string()),
        }
    }
}

fn passkeys(app: &App) -> Result<&Passkeys, Problem> {
    let none = || {
        Problem::conflict("this server has no name that passkeys could be for")
            .hint("name it in the configuration: `serve: { name: [beistand.example.org] }`")
    };
    app.passkeys.as_ref().ok_or_else(none)
}

/// What is changed of the ways in wants somebody at the keyboard, now.
fn just_proved(app: &App, caller: &Caller) -> Result<(), Problem> {
    if caller.is_fresh(app.engine.now()) { Ok(()) } else { Err(Problem::prove_again()) }
}

/// Ask for a passkey. Its answer is sent with the passphrase to `POST /api/v1/session`, or to
/// `POST /api/v1/session/proof`.
#[utoipa::path(
    post, path = "/api/v1/session/challenge", tag = "session", request_body = Begins,
    responses((status = 200, description = "What to ask the device", body = AskedOf))
)]
pub(super) async fn challenge(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    Exact(body): Exact<Begins>,
) -> Result<Response, Problem> {
    let account: AccountName = body.account.parse().map_err(|_| wrong())?;
    let passkeys = passkeys(&app)?;
    let words = Secret::new(body.passphrase);
    let asked = app.engine.ask_for_passkey(passkeys, &account, words, &peer.place()).await;
    asked_of(&app, asked, "log in without one, at `POST /api/v1/session`")
}

/// Ask for a passkey of yours, in your session. Its answer is sent with the passphrase to
/// `POST /api/v1/session/proof`. What strangers ask of your account takes no room from this.
#[utoipa::path(
    post, path = "/api/v1/session/proof/challenge", tag = "session",
    responses((status = 200, description = "What to ask the device", body = AskedOf))
)]
pub(super) async fn challenge_in_session(
    State(app): State<App>,
    Who(caller): Who,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let cookie = own_cookie(&headers)?;
    let asked = app.engine.ask_in_session(passkeys(&app)?, &caller, &cookie).await;
    asked_of(&app, asked, "send the passphrase alone to `POST /api/v1/session/proof`")
}

/// What the device is asked; who has no passkey is told what to do without one.
fn asked_of(
    app: &App,
    asked: Result<Option<Challenge>, Denied>,
    without: &'static str,
) -> Result<Response, Problem> {
    let asked = asked.map_err(|denied| refused(&denied, app.engine.now()))?;
    let none = || Problem::conflict("this account has no passkey").hint(without);
    Ok(Sent(AskedOf::from(asked.ok_or_else(none)?)).into_response())
}

/// Ask your device for a new passkey. It wants a proof of a moment ago.
#[utoipa::path(
    post, path = "/api/v1/me/passkeys/challenge", tag = "about",
    responses((status = 200, description = "What to ask the device", body = AskedOf))
)]
pub(super) async fn begin(
    State(app): State<App>,
    Who(caller): Who,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    just_proved(&app, &caller)?;
    let cookie = own_cookie(&headers)?;
    let challenge = app.engine.new_passkey(passkeys(&app)?, &caller, &cookie).await;
    let challenge = challenge.map_err(refuses)?;
    Ok(Sent(AskedOf::from(challenge)))
}

/// Add the passkey that your device answered with. From then on a login asks for it, or for a
/// printed code in its place.
#[utoipa::path(
    post, path = "/api/v1/me/passkeys", tag = "about", request_body = NewPasskey,
    responses((status = 201, description = "It is added", body = Added))
)]
pub(super) async fn add(
    State(app): State<App>,
    Who(caller): Who,
    Exact(body): Exact<NewPasskey>,
) -> Result<impl IntoResponse, Problem> {
    just_proved(&app, &caller)?;
    let passkeys = passkeys(&app)?.clone();
    let shown = Shown { passkeys, challenge: body.challenge, answer: body.credential };
    let added = app.engine.add_passkey(&caller, body.title.into(), shown).await;
    let id = added.map_err(refuses)?;
    Ok((StatusCode::CREATED, Sent(Added { id })))
}

fn refuses(not_added: NotAdded) -> Problem {
    match not_added {
        error @ NotAdded::Unasked => Problem::conflict(error.to_string())
            .hint("ask anew at `POST /api/v1/me/passkeys/challenge`"),
        error @ NotAdded::Wrong(_) => {
            Problem::malformed(error.to_string()).because(&error).place("credential")
        }
        NotAdded::Refused(error) => error.into(),
    }
}

/// Your passkeys.
#[utoipa::path(
    get, path = "/api/v1/me/passkeys", tag = "about",
    responses((status = 200, description = "All of them", body = PasskeyList))
)]
pub(super) async fn list(
    State(app): State<App>,
    Who(caller): Who,
) -> Result<impl IntoResponse, Problem> {
    let all = app.engine.own_passkeys(&caller).await?;
    Ok(Sent(PasskeyList { items: all.into_iter().map(PasskeyShown::from).collect() }))
}

/// Take a passkey of yours back. Every session of the account is over then, this one too.
#[utoipa::path(
    delete, path = "/api/v1/me/passkeys/{id}", tag = "about",
    params(("id" = String, Path, description = "Its name, as the list has it")),
    responses((status = 204, description = "It opens nothing any more; log in anew"))
)]
pub(super) async fn remove(
    State(app): State<App>,
    Who(caller): Who,
    At(id): At<String>,
) -> Result<Response, Problem> {
    removed(&app, &caller, &id).await?;
    over()
}

/// Takes a passkey back.
///
/// # Errors
/// 403 without a proof of a moment ago, 404 where they have none of this name.
pub(crate) async fn removed(app: &App, caller: &Caller, id: &str) -> Result<(), Problem> {
    just_proved(app, caller)?;
    app.engine.remove_passkey(caller, id).await?;
    Ok(())
}
