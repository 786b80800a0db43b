//! Who am I, and what may I do.

use axum::extract::State;
use axum::response::IntoResponse;
use beistand_core::access::{About, Permission};
use beistand_core::model::Millis;
use beistand_core::run::Proof;
use beistand_runtime::Caller;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::door::Who;
use crate::json::Sent;

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
