//! Who am I, and what may I do; a passphrase of one's own.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use beistand_core::access::{About, Permission};
use beistand_core::model::Millis;
use beistand_core::run::Proof;
use beistand_runtime::{Caller, Secret, Unchanged};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::passkeys::Answered;
use super::session::{Code, in_session, over, proved};
use crate::app::App;
use crate::door::{Credential, Who, credential};
use crate::json::{Exact, Sent};
use crate::report::Problem;

/// Somebody who is logged in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    /// The person, or the name of the machine.
    person: String,
    /// The account, where it has another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// Whether the name was given and not proved.
    asserted: bool,
    /// Whether it was proved a moment ago, as what cuts something off wants it.
    fresh: bool,
    /// How it was proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<&'static str>,
    /// What they may do for the whole instance.
    everywhere: Vec<&'static str>,
    /// What they may do at least to something.
    somewhere: Vec<&'static str>,
}

/// Who am I, and what may I do.
#[utoipa::path(
    get, path = "/api/v1/me", tag = "about",
    responses((status = 200, description = "You", body = Me))
)]
pub(super) async fn me(State(app): State<App>, Who(caller): Who) -> impl IntoResponse {
    Sent(Me::of(&caller, app.engine.now()))
}

/// Another passphrase.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Another {
    /// The one until now.
    #[schema(min_length = 1, max_length = 1024)]
    passphrase: String,
    /// A printed code, where the account has a second factor.
    code: Option<Code>,
    /// Or the answer of a passkey.
    passkey: Option<Answered>,
    /// The new one.
    #[schema(min_length = 15, max_length = 256)]
    new: String,
}

/// Change your own passphrase. Every session of the account is over then, this one too.
#[utoipa::path(
    post, path = "/api/v1/me/passphrase", tag = "about", request_body = Another,
    responses((status = 204, description = "It is changed; log in anew"))
)]
pub(super) async fn passphrase(
    State(app): State<App>,
    Who(caller): Who,
    headers: HeaderMap,
    Exact(body): Exact<Another>,
) -> Result<Response, Problem> {
    let given = (body.passphrase, body.code, body.passkey);
    changed(&app, (&caller, &headers), given, body.new).await?;
    over()
}

/// Changes one's own passphrase by the one until now.
///
/// # Errors
/// 403 where that is another one, 400 where the new one is weak.
pub(crate) async fn changed(
    app: &App,
    (caller, headers): (&Caller, &HeaderMap),
    given: (String, Option<Code>, Option<Answered>),
    new: String,
) -> Result<(), Problem> {
    let (Some(Credential::Session(cookie)), Some(account)) = (credential(headers), &caller.account)
    else {
        let text = "a passphrase is changed in a session; a token never does";
        return Err(Problem::conflict(text).hint("log in at `POST /api/v1/session`"));
    };
    let from = in_session(&Secret::new(cookie.to_owned()));
    let caller = proved(app, &from, account, given).await?;
    match app.engine.change_passphrase(&caller, Secret::new(new)).await {
        Ok(()) => Ok(()),
        Err(Unchanged::Weak(weak)) => Err(Problem::malformed(weak.to_string()).place("new")),
        Err(Unchanged::Refused(error)) => Err(error.into()),
    }
}

impl Me {
    /// Of a caller at an instant.
    pub(super) fn of(caller: &Caller, now: Millis) -> Self {
        let those = |may: &dyn Fn(Permission) -> bool| {
            Permission::ALL.iter().filter(|one| may(**one)).map(|one| one.as_str()).collect()
        };
        Self {
            person: caller.actor.person.to_string(),
            account: caller.actor.account.as_ref().map(ToString::to_string),
            asserted: caller.actor.asserted,
            fresh: caller.is_fresh(now),
            proof: caller.actor.proof.map(Proof::as_str),
            everywhere: those(&|one| caller.rights.may(one, &About::Instance)),
            somewhere: those(&|one| caller.rights.may_somewhere(one)),
        }
    }
}
