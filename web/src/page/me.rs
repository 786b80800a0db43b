//! One's own access: who one is here, what one may do, with which passkeys, where one is logged in, and
//! another passphrase.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use beistand_core::access::{About, Permission, Reach};
use beistand_core::model::Millis;
use beistand_core::run::Proof;
use beistand_journal::Credential;
use beistand_runtime::Caller;
use serde::Deserialize;

use super::form::Form;
use super::frame::Frame;
use super::login::both;
use super::place::Place;
use super::ui::At;
use crate::api::me::changed;
use crate::api::passkeys::removed;
use crate::api::session::{over, own_cookie};
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
    passkeys: Vec<Key>,
    sessions: Vec<Session>,
}

/// A passkey.
struct Key {
    id: String,
    label: String,
    made: At,
    used: Option<At>,
}

/// A browser that is logged in.
struct Session {
    id: String,
    device: String,
    this: bool,
    began: Option<At>,
    used: Option<At>,
    until: String,
}

impl Page<'_> {
    fn is_fresh(&self) -> bool {
        self.frame.me.as_ref().is_some_and(|me| me.fresh)
    }
}

/// The page.
pub(super) async fn page(
    State(app): State<App>,
    Who(caller): Who,
    headers: HeaderMap,
    frame: Frame,
) -> Result<Response, Problem> {
    let reader = app.engine.journal().reader();
    let mut grants = reader.grants_of(&caller.actor.person).await?;
    grants.extend(reader.roles_of(&caller.actor.person).await?);
    let mut roles = Vec::new();
    for grant in grants.iter().filter(|grant| grant.holds(frame.times.now)) {
        let until = grant.until.map(|at| frame.times.stamp(at).full).unwrap_or_default();
        let reach = match &grant.reach {
            // People say its number.
            Reach::Incident(id) => {
                let number = reader.incident(*id).await?.map(|incident| incident.number);
                frame.ta("reach-incident", &number.unwrap_or_else(|| id.to_string()))
            }
            reach @ (Reach::Instance | Reach::Organisation(_)) => reach_words(&frame, reach),
        };
        roles.push((frame.words.of("role", grant.role.as_str()), reach, until));
    }
    let may = |one: &&Permission| caller.rights.may(**one, &About::Instance);
    let everywhere = Permission::ALL.iter().filter(may);
    // Who came by nothing but a name has no account, and so no passkey.
    let passkeys = match &caller.account {
        Some(_) => app.engine.own_passkeys(&caller).await?,
        None => Vec::new(),
    };
    let page = Page {
        frame: &frame,
        account: caller.account.as_ref().map(ToString::to_string).unwrap_or_default(),
        proof: frame.words.of("proof", caller.actor.proof.map_or("name", Proof::as_str)),
        roles,
        everywhere: everywhere.map(|one| frame.words.of("may", one.as_str())).collect(),
        passkeys: passkeys.into_iter().map(|one| Key::of(&frame, one)).collect(),
        sessions: sessions(&app, (&caller, &headers), &frame).await?,
    };
    frame.page(&page)
}

impl Key {
    fn of(frame: &Frame, one: Credential) -> Self {
        let used = one.used_at.map(|at| At::full(frame, at));
        Self { id: one.id, label: one.label, made: At::full(frame, one.made_at), used }
    }
}

/// Where they are logged in; a token has no sessions.
async fn sessions(
    app: &App,
    (caller, headers): (&Caller, &HeaderMap),
    frame: &Frame,
) -> Result<Vec<Session>, Problem> {
    let Ok(cookie) = own_cookie(headers) else { return Ok(Vec::new()) };
    let own = app.engine.own_sessions(caller, &cookie).await?;
    let at = |at: Option<Millis>| at.map(|at| At::full(frame, at));
    let shown = own.into_iter().map(|one| Session {
        id: one.id,
        device: one.device,
        this: one.this,
        began: at(one.began_at),
        used: at(one.used_at),
        until: frame.times.stamp(one.until).full,
    });
    Ok(shown.collect())
}

/// A session, or all but this one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ended {
    session: Option<String>,
    others: Option<String>,
}

/// Ends sessions of one's own.
pub(super) async fn end_sessions(State(app): State<App>, Who(caller): Who, form: Form) -> Response {
    let again = form.again();
    let answer = async {
        let Ended { session, others } = form.read()?;
        let cookie = own_cookie(form.headers())?;
        match (session, others) {
            (Some(id), None) => {
                if !app.engine.end_own_session(&caller, &id).await? {
                    let text = "you have no such session any more";
                    return Err(Problem::not_found(text).place("session"));
                }
            }
            (None, Some(_)) => {
                app.engine.end_other_sessions(&caller, &cookie).await?;
            }
            (None, None) | (Some(_), Some(_)) => {
                return Err(Problem::malformed("this is missing").place("session"));
            }
        }
        Ok(Place::of("/me").done("sessions").seen())
    };
    Form::answered(again, answer.await)
}

/// A passkey is taken back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Removed {
    id: String,
}

/// Takes a passkey of one's own back; every session of the account is over then.
pub(super) async fn remove_passkey(
    State(app): State<App>,
    Who(caller): Who,
    form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let Removed { id } = form.read()?;
        removed(&app, &caller, &id).await?;
        logged_out("passkey-removed")
    };
    Form::answered(again, answer.await)
}

/// The page to log in on, with what was done.
fn logged_out(done: &str) -> Result<Response, Problem> {
    let mut response = Place::of("/login").done(done).seen();
    if let Some(line) = over()?.headers_mut().remove(SET_COOKIE) {
        response.headers_mut().insert(SET_COOKIE, line);
    }
    Ok(response)
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
        logged_out("passphrase")
    };
    Form::answered(again, answer.await)
}
