//! An incident's page, the cockpit: within ten seconds how bad, what next, what needs me, what runs,
//! who leads, what is cut off. And what is done there: noted, assigned, handed over, closed.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use beistand_core::access::{About, Permission};
use beistand_core::incident::AssetState;
use beistand_core::model::{IncidentId, Mode, Person, Role, TargetKind, Tlp};
use beistand_core::timeline::TimelineEntry;
use beistand_runtime::{Caller, IncidentAct};
use serde::Deserialize;
use serde_json::Value;

use super::declare::{cockpit, grade, grades};
use super::form::Form;
use super::frame::Frame;
use super::login::proved_here;
use super::mine::text;
use super::place::Place;
use super::situation::Situation;
use super::ui::At;
use crate::api::form::{
    AssetWord, KindWord, NoteText, OrganisationName, PersonName, Reason, RoleWord, Sha256, Title,
    TlpWord,
};
use crate::api::incidents::written;
use crate::api::paper;
use crate::app::App;
use crate::asked::At as InPath;
use crate::door::Who;
use crate::report::Problem;

/// Lines of the timeline that are shown, the newest ones.
const LINES: usize = 8;

#[derive(Template)]
#[template(path = "incident.html")]
struct Cockpit<'a> {
    frame: &'a Frame,
    one: Situation,
    lines: Vec<Line>,
    offer: Option<Offer>,
    may: May,
    proof: bool,
    roles: Vec<(&'static str, String)>,
    grades: Vec<(u8, String)>,
    markings: Vec<&'static str>,
    kinds: Vec<(&'static str, String)>,
    states: Vec<(&'static str, String)>,
    seq: u64,
}

/// A line of the timeline.
struct Line {
    at: At,
    text: String,
    lane: &'static str,
    href: String,
}

/// Command that is offered.
pub(super) struct Offer {
    pub(super) to: String,
    pub(super) by: String,
    /// To who looks.
    pub(super) mine: bool,
    /// By who looks.
    pub(super) theirs: bool,
}

impl Offer {
    pub(super) fn of(incident: &Value, caller: &Caller) -> Option<Self> {
        let offer = incident.get("offer").filter(|offer| offer.is_object())?;
        let (to, by) = (text(offer, "to").to_owned(), text(offer, "by").to_owned());
        let me = caller.actor.person.as_str();
        Some(Self { mine: to == me, theirs: by == me, to, by })
    }
}

/// What who looks may do here.
pub(super) struct May {
    rights: Vec<Permission>,
}

impl May {
    pub(super) fn of(caller: &Caller, about: &About) -> Self {
        let may = |one: &&Permission| caller.rights.may(**one, about);
        Self { rights: Permission::ALL.iter().filter(may).copied().collect() }
    }

    /// By the permission's word.
    pub(super) fn have(&self, word: &str) -> bool {
        self.rights.iter().any(|one| one.as_str() == word)
    }
}

/// The cockpit.
pub(super) async fn page(
    State(app): State<App>,
    Who(caller): Who,
    InPath(id): InPath<String>,
    mut frame: Frame,
) -> Result<Response, Problem> {
    let id = app.views.find_incident(&id, &caller.rights.scope()).await?;
    let mode = mode_of(&app, id).await?;
    if let Some(elsewhere) = frame.elsewhere(mode) {
        return Ok(elsewhere);
    }
    let one = Situation::of(&app, (&caller, &frame), id).await?;
    let may = May::of(&caller, &app.engine.about_incident(id).await?);
    let told = app.views.told(id, frame.show.lang, &caller.rights.scope()).await?;
    // What was written down last, also where it happened before.
    let mut newest: Vec<&TimelineEntry> = told.lines.iter().filter(|line| !line.detail).collect();
    newest.sort_by_key(|line| std::cmp::Reverse((line.at, line.seq)));
    let lines = newest.into_iter().take(LINES).map(|line| Line::of(&frame, &one.href, line));
    let lines = lines.collect();
    let offer = Offer::of(&one.whole, &caller);
    let page = Cockpit {
        frame: &frame,
        roles: choices(&frame, "role", Role::ALL.iter().map(|one| one.as_str())),
        kinds: choices(&frame, "target", TargetKind::ALL.iter().map(|one| one.as_str())),
        states: choices(&frame, "asset", AssetState::ALL.iter().map(|one| one.as_str())),
        markings: Tlp::ALL.iter().map(|one| one.as_str()).collect(),
        grades: grades(&frame),
        seq: one.whole.get("seq").and_then(Value::as_u64).unwrap_or_default(),
        proof: mode == Mode::Live && !frame.me.as_ref().is_some_and(|me| me.fresh),
        one,
        lines,
        offer,
        may,
    };
    frame.page(&page)
}

/// The words of a vocabulary, each as a page says it.
pub(super) fn choices(
    frame: &Frame,
    vocabulary: &str,
    words: impl Iterator<Item = &'static str>,
) -> Vec<(&'static str, String)> {
    words.map(|word| (word, frame.words.of(vocabulary, word))).collect()
}

impl Line {
    fn of(frame: &Frame, incident: &str, line: &TimelineEntry) -> Self {
        let at = At::short(frame, line.happened_at.unwrap_or(line.at));
        let entry = line.line().map(|id| format!("?line={id}#e-{id}")).unwrap_or_default();
        Self {
            at,
            text: line.text.clone(),
            lane: line.lane.said(frame.show.lang),
            href: format!("{incident}/timeline{entry}"),
        }
    }
}

/// Real or a drill.
pub(super) async fn mode_of(app: &App, id: IncidentId) -> Result<Mode, Problem> {
    let row = app.engine.journal().reader().incident(id).await?;
    row.map(|row| row.mode).ok_or_else(|| Problem::not_found(format!("there is no incident {id}")))
}

/// Writes into an incident, and shows it again.
async fn wrote(
    app: &App,
    who: &Who,
    at: (&str, Option<u64>),
    (act, done): (IncidentAct, &str),
) -> Result<Response, Problem> {
    wrote_to(app, who, at, (act, done, "")).await
}

/// Writes into an incident, and shows a page below it.
pub(super) async fn wrote_to(
    app: &App,
    who: &Who,
    (incident, if_seq): (&str, Option<u64>),
    (act, done, below): (IncidentAct, &str, &str),
) -> Result<Response, Problem> {
    written(app, who, (incident, if_seq), act).await?;
    let id = app.views.find_incident(incident, &beistand_core::timeline::Scope::ALL).await?;
    let mode = mode_of(app, id).await?;
    let place = format!("{}{below}", cockpit(mode, incident).as_str());
    Ok(Place::of(&place).done(done).seen())
}

/// A note, now or as it was on paper.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    text: NoteText,
    at: Option<String>,
    by: Option<PersonName>,
}

/// Writes a note.
pub(super) async fn note(
    State(app): State<App>,
    Who(caller): Who,
    InPath(id): InPath<String>,
    frame: Frame,
    form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let Note { text, at, by } = form.read()?;
        let at = frame.times.typed(at.as_deref(), "at")?;
        let at = paper::past(&app, at.map(crate::api::form::Instant))?;
        let who = Who(paper::typed_in(caller, by)?);
        let act = IncidentAct::Note { text: text.into(), at };
        wrote(&app, &who, (&id, None), (act, "noted")).await
    };
    Form::answered(again, answer.await)
}

/// Another title, severity or circle of readers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    seq: String,
    title: Option<Title>,
    severity: Option<String>,
    tlp: Option<TlpWord>,
    reason: Option<Reason>,
}

/// Edits it, if it is still as it was seen.
pub(super) async fn edit(
    State(app): State<App>,
    who: Who,
    InPath(id): InPath<String>,
    form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let Edit { seq, title, severity, tlp, reason } = form.read()?;
        let act = IncidentAct::Edit {
            title: title.map(String::from),
            severity: severity.map(|text| grade(&text)).transpose()?,
            tlp: tlp.map(|word| word.0),
            reason: reason.map(String::from).unwrap_or_default(),
        };
        wrote(&app, &who, (&id, seq.parse().ok()), (act, "edited")).await
    };
    Form::answered(again, answer.await)
}

/// It is over.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Close {
    reason: Reason,
}

/// Closes it.
pub(super) async fn close(
    State(app): State<App>,
    who: Who,
    InPath(id): InPath<String>,
    form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let Close { reason } = form.read()?;
        let act = IncidentAct::Close { reason: reason.into() };
        wrote(&app, &who, (&id, None), (act, "closed")).await
    };
    Form::answered(again, answer.await)
}

/// What the incident is about: one a line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Assets {
    kind: KindWord,
    values: String,
    state: AssetWord,
    organisation: Option<OrganisationName>,
}

/// Says what it is about, and how that stands.
pub(super) async fn assets(
    State(app): State<App>,
    who: Who,
    InPath(id): InPath<String>,
    form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let Assets { kind, values, state, organisation } = form.read()?;
        let values = values.lines().map(str::trim).filter(|line| !line.is_empty());
        let act = IncidentAct::Assets {
            kind: kind.0,
            values: values.map(str::to_owned).collect(),
            state: state.0,
            organisation: organisation.map(|name| name.0),
        };
        wrote(&app, &who, (&id, None), (act, "assets")).await
    };
    Form::answered(again, answer.await)
}

/// Whom it concerns.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    organisation: OrganisationName,
}

/// An organisation is concerned.
pub(super) async fn link(
    State(app): State<App>,
    who: Who,
    InPath(id): InPath<String>,
    form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let Link { organisation: OrganisationName(organisation) } = form.read()?;
        let act = IncidentAct::Link { organisation };
        wrote(&app, &who, (&id, None), (act, "linked")).await
    };
    Form::answered(again, answer.await)
}

/// Who has a role; nobody where it is left empty.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Assigned {
    role: RoleWord,
    person: Option<PersonName>,
}

/// Gives a role.
pub(super) async fn roles(
    State(app): State<App>,
    Who(caller): Who,
    InPath(id): InPath<String>,
    mut form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let proved = proved_here(&app, caller, &mut form).await?;
        let Assigned { role: RoleWord(role), person } = form.read()?;
        let person: Option<Person> = person.map(|name| name.0);
        let act = IncidentAct::Assign { role, person };
        let who = Who(proved.caller.clone());
        proved.answer(wrote(&app, &who, (&id, None), (act, "assigned")).await)
    };
    Form::answered(again, answer.await)
}

/// Command is offered, taken, or not offered any more.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Handover {
    act: Step,
    to: Option<PersonName>,
    note: Option<NoteText>,
    digest: Option<Sha256>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Step {
    Offer,
    Accept,
    Withdraw,
}

/// Hands command over: offered with a briefing, taken by who read that one.
pub(super) async fn handover(
    State(app): State<App>,
    Who(caller): Who,
    InPath(id): InPath<String>,
    mut form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let proved = proved_here(&app, caller, &mut form).await?;
        let Handover { act, to, note, digest } = form.read()?;
        let missing = |field: &str| Problem::malformed("this is missing").place(field);
        let act = match act {
            Step::Offer => (
                IncidentAct::OfferCommand {
                    to: to.ok_or_else(|| missing("to"))?.0,
                    note: note.map(String::from).unwrap_or_default(),
                },
                "offered",
            ),
            Step::Accept => {
                let digest = digest.ok_or_else(|| missing("digest"))?.0;
                (IncidentAct::AcceptCommand { digest }, "accepted")
            }
            Step::Withdraw => (IncidentAct::WithdrawCommand, "withdrawn"),
        };
        let who = Who(proved.caller.clone());
        proved.answer(wrote(&app, &who, (&id, None), act).await)
    };
    Form::answered(again, answer.await)
}
