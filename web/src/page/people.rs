//! Accounts and roles, for who keeps them.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use beistand_core::access::{AccountKind, CredentialKind, Grant, Reach};
use beistand_core::model::{AccountName, Person, Role};
use beistand_runtime::{AccessAct, Caller, NewCredential, Secret, Verb, digested, strong};
use serde::Deserialize;

use super::form::Form;
use super::frame::Frame;
use super::incident::choices;
use super::login::proved_here;
use super::me::reach_words;
use super::place::Place;
use super::ui::At;
use crate::api::form::{OrganisationName, PersonName, RoleWord};
use crate::api::reach;
use crate::app::App;
use crate::door::Who;
use crate::report::Problem;

#[derive(Template)]
#[template(path = "people.html")]
struct Page<'a> {
    frame: &'a Frame,
    accounts: Vec<Row>,
    roles: Vec<(&'static str, String)>,
    proof: bool,
}

/// An account.
struct Row {
    name: String,
    person: String,
    kind: String,
    locked: bool,
    made: At,
    grants: Vec<Given>,
    proofs: Vec<String>,
}

/// A role that somebody has.
struct Given {
    person: String,
    role: &'static str,
    said: String,
    reach: String,
    reach_words: String,
    until: Option<At>,
    until_iso: String,
}

/// The list.
pub(super) async fn page(State(app): State<App>, frame: Frame) -> Result<Response, Problem> {
    let reader = app.engine.journal().reader();
    let (grants, now) = (reader.grants().await?, frame.times.now);
    let mut accounts = Vec::new();
    for account in reader.accounts().await? {
        let credentials = reader.credentials(&account.name).await?;
        let count = |kind: &CredentialKind| {
            let n = credentials.iter().filter(|one| one.kind == *kind && one.holds(now)).count();
            (n > 0).then(|| format!("{} × {n}", frame.words.of("credential", kind.as_str())))
        };
        let held = grants.iter().filter(|grant| grant.person == account.person);
        accounts.push(Row {
            name: account.name.to_string(),
            person: account.person.to_string(),
            kind: frame.words.of("account", account.kind.as_str()),
            locked: account.locked_at.is_some(),
            made: At::short(&frame, account.made_at),
            grants: held.map(|grant| Given::of(&frame, grant)).collect(),
            proofs: CredentialKind::ALL.iter().filter_map(count).collect(),
        });
    }
    let roles = choices(&frame, "role", Role::ALL.iter().map(|one| one.as_str()));
    let proof = !frame.me.as_ref().is_some_and(|me| me.fresh);
    frame.page(&Page { frame: &frame, accounts, roles, proof })
}

impl Given {
    fn of(frame: &Frame, grant: &Grant) -> Self {
        Self {
            person: grant.person.to_string(),
            role: grant.role.as_str(),
            said: frame.words.of("role", grant.role.as_str()),
            reach: grant.reach.to_string(),
            reach_words: reach_words(frame, &grant.reach),
            until: grant.until.map(|at| At::full(frame, at)),
            until_iso: grant.until.map(|at| at.to_string()).unwrap_or_default(),
        }
    }
}

async fn done(
    app: &App,
    caller: &Caller,
    (act, done): (AccessAct, &str),
) -> Result<Response, Problem> {
    let by = caller.actor.clone();
    app.engine.execute_as(caller, Verb::Access { act, by }).await?;
    Ok(Place::of("/people").done(done).seen())
}

/// Somebody comes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Comes {
    account: String,
    person: Option<PersonName>,
    role: Option<RoleWord>,
    new: String,
}

/// Makes an account.
pub(super) async fn add(State(app): State<App>, Who(caller): Who, mut form: Form) -> Response {
    let again = form.again();
    let answer = async {
        let proved = proved_here(&app, caller, &mut form).await?;
        let Comes { account, person, role, new } = form.read()?;
        let wrong = || Problem::malformed("this is no name of an account").place("account");
        let account: AccountName = account.parse().map_err(|_| wrong())?;
        let words = Secret::new(new);
        strong(&words, AccountKind::Person, account.as_str())
            .map_err(|weak| Problem::malformed(weak.to_string()).place("new"))?;
        let person: Person = match person {
            Some(PersonName(person)) => person,
            None => account.as_str().parse().map_err(|_| wrong())?,
        };
        let grants = role.map(|RoleWord(role)| {
            let person = person.clone();
            Grant { person, role, reach: Reach::Instance, until: None }
        });
        let act = AccessAct::AddAccount {
            account,
            kind: AccountKind::Person,
            person: Some(person),
            credentials: vec![NewCredential::passphrase(digested(&words, getrandom::fill)?)],
            grants: grants.into_iter().collect(),
        };
        let answer = done(&app, &proved.caller, (act, "account-made")).await;
        proved.answer(answer)
    };
    Form::answered(again, answer.await)
}

/// An account is shut, or opened again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    account: String,
    act: Shut,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Shut {
    Lock,
    Unlock,
}

/// Locks an account, or unlocks it.
pub(super) async fn lock(State(app): State<App>, Who(caller): Who, mut form: Form) -> Response {
    let again = form.again();
    let answer = async {
        let proved = proved_here(&app, caller, &mut form).await?;
        let Which { account, act } = form.read()?;
        let none = |_| Problem::not_found("there is no such account").place("account");
        let account: AccountName = account.parse().map_err(none)?;
        let act = match act {
            Shut::Lock => (AccessAct::Lock { account }, "locked"),
            Shut::Unlock => (AccessAct::Unlock { account }, "unlocked"),
        };
        let answer = done(&app, &proved.caller, act).await;
        proved.answer(answer)
    };
    Form::answered(again, answer.await)
}

/// A role is given, or taken back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Granted {
    act: Turn,
    person: PersonName,
    role: RoleWord,
    reach: Option<String>,
    organisation: Option<OrganisationName>,
    incident: Option<String>,
    until: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Turn {
    Grant,
    Revoke,
}

/// Gives a role, or takes it back.
pub(super) async fn grant(
    State(app): State<App>,
    Who(caller): Who,
    frame: Frame,
    mut form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let proved = proved_here(&app, caller, &mut form).await?;
        let Granted { act, person, role, reach: as_kept, organisation, incident, until } =
            form.read()?;
        let until = frame.times.typed(until.as_deref(), "until")?;
        let reach = match (as_kept, organisation, incident) {
            (Some(kept), ..) => kept
                .parse()
                .map_err(|_| Problem::malformed("this reaches nowhere").place("reach"))?,
            (None, Some(OrganisationName(organisation)), _) => Reach::Organisation(organisation),
            (None, None, Some(incident)) => {
                Reach::Incident(reach::incident(&app, &proved.caller, &incident).await?)
            }
            (None, None, None) => Reach::Instance,
        };
        let grant = Grant { person: person.0, role: role.0, reach, until };
        let act = match act {
            Turn::Grant => (AccessAct::Grant(grant), "granted"),
            Turn::Revoke => (AccessAct::Revoke(grant), "revoked"),
        };
        let answer = done(&app, &proved.caller, act).await;
        proved.answer(answer)
    };
    Form::answered(again, answer.await)
}
