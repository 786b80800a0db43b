//! One's own access: who one is here, what one may do, another passphrase.

use askama::Template;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use beistand_core::access::{About, Permission, Reach};
use beistand_core::run::Proof;
use serde::Deserialize;

use super::form::Form;
use super::frame::Frame;
use super::login::both;
use super::place::Place;
use crate::api::me::changed;
use crate::api::session::over;
use crate::app::App;
use crate::door::Who;
use crate::report::Problem;

#[derive(Template)]
#[template(path = "me.html")]
struct Page<'a> {
    frame: &'a Frame,
    account: String,
    proof: String,
    roles: Vec<(String, String, String)>,
    everywhere: Vec<String>,
    passkeys: Vec<String>,
}

/// The page.
pub(super) async fn page(
    State(app): State<App>,
    Who(caller): Who,
    frame: Frame,
) -> Result<Response, Problem> {
    let reader = app.engine.journal().reader();
    let mut grants = reader.grants_of(&caller.actor.person).await?;
    grants.extend(reader.roles_of(&caller.actor.person).await?);
    let roles = grants.iter().filter(|grant| grant.holds(frame.times.now)).map(|grant| {
        let until = grant.until.map(|at| frame.times.stamp(at).full).unwrap_or_default();
        (frame.words.of("role", grant.role.as_str()), reach_words(&frame, &grant.reach), until)
    });
    let may = |one: &&Permission| caller.rights.may(**one, &About::Instance);
    let everywhere = Permission::ALL.iter().filter(may);
    let passkeys = app.engine.own_passkeys(&caller).await.unwrap_or_default();
    let page = Page {
        frame: &frame,
        account: caller.account.as_ref().map(ToString::to_string).unwrap_or_default(),
        proof: frame.words.of("proof", caller.actor.proof.map_or("name", Proof::as_str)),
        roles: roles.collect(),
        everywhere: everywhere.map(|one| frame.words.of("may", one.as_str())).collect(),
        passkeys: passkeys.into_iter().map(|one| one.label).collect(),
    };
    frame.page(&page)
}

/// How far a role reaches, in words.
pub(super) fn reach_words(frame: &Frame, reach: &Reach) -> String {
    match reach {
        Reach::Instance => frame.t("reach-everywhere"),
        Reach::Organisation(organisation) => frame.ta("reach-organisation", organisation.as_str()),
        Reach::Incident(incident) => frame.ta("reach-incident", &incident.to_string()),
    }
}

/// Another passphrase.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Another {
    passphrase: String,
    number: Option<String>,
    code: Option<String>,
    new: String,
    again: String,
}

/// Changes one's own passphrase; every session of the account is over then.
pub(super) async fn passphrase(State(app): State<App>, Who(caller): Who, form: Form) -> Response {
    let again = form.again();
    let answer = async {
        let Another { passphrase, number, code, new, again } = form.read()?;
        if new != again {
            let text = "the new passphrase was not typed the same way twice";
            return Err(Problem::malformed(text).place("new"));
        }
        let given = (passphrase, both(number, code)?, None);
        changed(&app, (&caller, form.headers()), given, new).await?;
        let mut response = Place::of("/login").done("passphrase").seen();
        if let Some(line) = over()?.headers_mut().remove(SET_COOKIE) {
            response.headers_mut().insert(SET_COOKIE, line);
        }
        Ok(response)
    };
    Form::answered(again, answer.await)
}
