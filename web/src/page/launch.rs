//! A run is launched in two steps: what is entered, and what would come of it; only then it begins.
//!
//! Both are forms of one address, and nothing is kept between them: what was entered goes along. The
//! launch itself is that of the interface for programs, by a start key that the first form was given,
//! so that who sends it twice is led to the same run.

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use beistand_core::access::{About, Permission};
use beistand_core::model::{IncidentId, Mode, PlaybookName};
use beistand_core::playbook::Plan;
use beistand_runtime::{Caller, ViewPage};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::form::Form;
use super::frame::{DRILL, Frame};
use super::mine::text;
use super::place::Place;
use super::playbook::sound;
use super::playbooks::Which;
use super::review::Review;
use super::schema::{Field, fields, read};
use crate::api::form::{ChosenKey, ModeWord, PlaybookId, Title};
use crate::api::reach;
use crate::api::runs::{Wanted, launch_one};
use crate::app::App;
use crate::asked::{Asked, At as InPath};
use crate::door::Who;
use crate::refusals::Reason;
use crate::report::{Body9457, Problem};
use crate::words::Told;

/// Before the names of what a playbook asks for.
pub(super) const INPUT: &str = "in.";

/// Incidents that are offered: those that are open of so many of the newest.
const LOOKED_AT: u32 = 200;

/// Bytes of a start key: none is made twice.
const KEY_BYTES: usize = 16;

#[derive(Template)]
#[template(path = "launch.html")]
struct Page<'a> {
    frame: &'a Frame,
    name: String,
    title: String,
    tlp: String,
    action: String,
    start_key: String,
    incidents: Vec<Offered>,
    new_title: String,
    mode: Option<Mode>,
    fields: Vec<Field>,
    faults: Vec<Fault>,
}

/// An incident that a run can be launched in.
struct Offered {
    number: String,
    said: String,
    drill: bool,
    chosen: bool,
}

/// What is wrong with what was entered, and with which field.
pub(super) struct Fault {
    pub(super) anchor: String,
    pub(super) label: String,
    pub(super) text: String,
    /// It is said in the language of the engine.
    pub(super) foreign: bool,
}

/// What was entered.
pub(super) struct Entered {
    pub(super) typed: Vec<(String, String)>,
    pub(super) inputs: Map<String, Value>,
    pub(super) incident: Option<Chosen>,
    pub(super) title: Option<Title>,
    pub(super) mode: Option<Mode>,
    pub(super) by_hand_ok: bool,
    pub(super) start_key: String,
    faults: Vec<Fault>,
}

/// An incident that was chosen.
pub(super) struct Chosen {
    pub(super) number: String,
    pub(super) title: String,
    id: IncidentId,
    mode: Mode,
}

/// What a form sends beside the inputs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    step: Step,
    incident: Option<String>,
    title: Option<Title>,
    mode: Option<ModeWord>,
    by_hand_ok: Option<String>,
    start_key: ChosenKey,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Step {
    /// What would come of it is shown.
    Review,
    /// What was entered is changed.
    Change,
    /// It begins.
    Launch,
}

/// The form.
pub(super) async fn page(
    State(app): State<App>,
    Who(caller): Who,
    InPath(name): InPath<PlaybookName>,
    Asked(Which { incident }): Asked<Which>,
    mut frame: Frame,
) -> Result<Response, Problem> {
    let plan = sound(&app, &caller, &name).await?;
    let mut entered = Entered::nothing(start_key()?);
    if let Some(number) = incident {
        let chosen = Chosen::of(&app, &caller, &number).await?;
        // It says by itself whether it is real.
        if let Some(elsewhere) = frame.elsewhere(chosen.mode) {
            return Ok(elsewhere);
        }
        entered.mode = Some(chosen.mode);
        entered.incident = Some(chosen);
    } else if is_drill(&frame) {
        entered.mode = Some(Mode::Drill);
    }
    shown((&app, &caller), frame, &plan, entered).await
}

/// Whether it stands at the address of a drill.
fn is_drill(frame: &Frame) -> bool {
    frame.here.as_str().starts_with(DRILL)
}

/// A key that no launch had yet.
pub(super) fn start_key() -> Result<String, Problem> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| Problem::internal(&error))?;
    Ok(format!("page-{}", hex::encode(bytes)))
}

/// The form with what was entered, and what is wrong with it.
async fn shown(
    (app, caller): (&App, &Caller),
    mut frame: Frame,
    plan: &Plan,
    entered: Entered,
) -> Result<Response, Problem> {
    frame.mode = entered.mode.filter(|mode| *mode == Mode::Drill);
    let parts = plan.parts();
    let mut fields = fields(&frame, &parts.inputs, (INPUT, &Value::Null));
    // What it can not do without comes first.
    fields.sort_by_key(|field| !field.required);
    for field in &mut fields {
        let own = field.name.strip_prefix(INPUT).unwrap_or_default();
        if let Some((_, typed)) = entered.typed.iter().find(|(name, _)| name == own) {
            field.value.clone_from(typed);
        }
    }
    let status = if entered.faults.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let chosen = entered.incident.as_ref().map(|one| one.number.as_str());
    let page = Page {
        name: parts.name.to_string(),
        title: parts.title.clone(),
        tlp: parts.tlp.to_string(),
        action: format!("/playbooks/{}/launch", parts.name),
        start_key: entered.start_key,
        incidents: offered(app, caller, chosen).await?,
        new_title: entered.title.map(String::from).unwrap_or_default(),
        mode: entered.mode,
        fields,
        faults: entered.faults,
        frame: &frame,
    };
    frame.page_with(status, &page)
}

async fn offered(
    app: &App,
    caller: &Caller,
    chosen: Option<&str>,
) -> Result<Vec<Offered>, Problem> {
    let scope = caller.rights.scope();
    let listed = app.views.incidents(&ViewPage::first(LOOKED_AT), &scope).await?;
    let open = listed.items.iter().filter(|one| text(one, "closed_at").is_empty());
    let offered = open.map(|one| Offered {
        number: text(one, "number").to_owned(),
        said: format!("{} {}", text(one, "number"), text(one, "title")),
        drill: text(one, "mode") == Mode::Drill.as_str(),
        chosen: chosen == Some(text(one, "number")),
    });
    Ok(offered.collect())
}

/// What a form sends: shown, changed, or launched.
pub(super) async fn launch(
    State(app): State<App>,
    Who(caller): Who,
    InPath(name): InPath<PlaybookName>,
    frame: Frame,
    mut form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let plan = sound(&app, &caller, &name).await?;
        let typed = form.take_all(INPUT);
        let sent: Sent = form.read()?;
        let step = sent.step;
        let mut entered = Entered::of((&app, &caller, &frame), &plan, (sent, typed)).await?;
        let Some(mode) = entered.mode.filter(|_| entered.faults.is_empty()) else {
            return shown((&app, &caller), frame, &plan, entered).await;
        };
        match step {
            Step::Change => {
                entered.faults.clear();
                shown((&app, &caller), frame, &plan, entered).await
            }
            // The address of a drill is another one; what was sent goes along (RFC 9110, 15.4.8).
            Step::Review | Step::Launch if is_drill(&frame) != (mode == Mode::Drill) => {
                sent_again(&Frame::to(mode, &format!("/playbooks/{name}/launch")))
            }
            Step::Review => reviewed((&app, frame), (&plan, mode), (&entered, None)),
            Step::Launch => begun((&app, &caller), frame, (&plan, mode), entered).await,
        }
    };
    Form::answered(again, answer.await)
}

fn sent_again(place: &str) -> Result<Response, Problem> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    let line = HeaderValue::from_str(place).map_err(|error| Problem::internal(&error))?;
    response.headers_mut().insert(LOCATION, line);
    Ok(response)
}

/// What would come of it; with a refusal where it was tried.
fn reviewed(
    (app, mut frame): (&App, Frame),
    (plan, mode): (&Plan, Mode),
    (entered, refused): (&Entered, Option<&Body9457>),
) -> Result<Response, Problem> {
    frame.mode = Some(mode);
    let status = refused.and_then(|told| StatusCode::from_u16(told.status).ok());
    let page = Review::of((app, &frame), (plan, mode), (entered, refused));
    frame.page_with(status.unwrap_or(StatusCode::OK), &page)
}

/// Launches it. What it was refused for stands above what was entered.
async fn begun(
    (app, caller): (&App, &Caller),
    frame: Frame,
    (plan, mode): (&Plan, Mode),
    entered: Entered,
) -> Result<Response, Problem> {
    let key = serde_json::from_value(Value::from(entered.start_key.clone()));
    let wanted = Wanted {
        playbook: PlaybookId(plan.name().clone()),
        inputs: entered.inputs.clone(),
        incident: entered.incident.as_ref().map(|one| one.number.clone()),
        title: entered.title.clone(),
        mode: Some(ModeWord(mode)),
        by_hand_ok: entered.by_hand_ok,
        start_key: key.map_err(|error| Problem::internal(&error))?,
    };
    let problem = match launch_one(app, caller, wanted).await {
        Ok((run, _)) => {
            let place = Frame::to(mode, &format!("/runs/{run}"));
            return Ok(Place::of(&place).done("launched").seen());
        }
        Err(problem) => problem,
    };
    if ![StatusCode::BAD_REQUEST, StatusCode::CONFLICT].contains(&problem.status()) {
        return Err(problem);
    }
    let refused = problem.into_response();
    let told = refused.extensions().get::<Body9457>();
    let mut response = reviewed((app, frame), (plan, mode), (&entered, told))?;
    if let Some(reason) = refused.extensions().get::<Reason>() {
        response.extensions_mut().insert(*reason);
    }
    Ok(response)
}

impl Chosen {
    async fn of(app: &App, caller: &Caller, number: &str) -> Result<Self, Problem> {
        let id = reach::incident(app, caller, number).await?;
        let whole = app.views.incident(id, &caller.rights.scope()).await?;
        let mode = super::incident::mode_of(app, id).await?;
        let (number, title) = (text(&whole, "number").to_owned(), text(&whole, "title").to_owned());
        Ok(Self { number, title, id, mode })
    }
}

impl Entered {
    fn nothing(start_key: String) -> Self {
        Self {
            typed: Vec::new(),
            inputs: Map::new(),
            incident: None,
            title: None,
            mode: None,
            by_hand_ok: false,
            start_key,
            faults: Vec::new(),
        }
    }

    async fn of(
        (app, caller, frame): (&App, &Caller, &Frame),
        plan: &Plan,
        (sent, typed): (Sent, Vec<(String, String)>),
    ) -> Result<Self, Problem> {
        let Sent { step: _, incident, title, mode, by_hand_ok, start_key } = sent;
        let mut entered = Self::nothing(start_key.into());
        entered.title = title;
        entered.mode = mode.map(|word| word.0);
        entered.by_hand_ok = by_hand_ok.is_some();
        let about = match incident {
            Some(number) => {
                let chosen = Chosen::of(app, caller, &number).await?;
                let about = app.engine.about_incident(chosen.id).await?;
                entered.incident = Some(chosen);
                about
            }
            None => About::Instance,
        };
        Who(caller.clone()).may(Permission::Launch, &about)?;
        entered.look(frame);
        entered.read(frame, plan, typed);
        Ok(entered)
    }

    fn wrong(&mut self, anchor: &str, label: String, text: String) {
        let anchor = anchor.to_owned();
        self.faults.push(Fault { anchor, label, text, foreign: false });
    }

    /// What does not go together of what is asked of every launch.
    fn look(&mut self, frame: &Frame) {
        let mode = frame.t("launch-mode");
        match (self.mode, self.incident.as_ref().map(|one| one.mode)) {
            (None, _) => self.wrong("mode", mode, frame.t("launch-choose-mode")),
            (Some(Mode::Live), Some(Mode::Drill)) => {
                self.wrong("mode", mode, frame.t("launch-is-drill"));
            }
            (Some(Mode::Drill), Some(Mode::Live)) => {
                self.wrong("mode", mode, frame.t("launch-is-live"));
            }
            (Some(_), _) => {}
        }
        if self.incident.is_some() && self.title.is_some() {
            self.wrong("title", frame.t("launch-title"), frame.t("launch-either"));
        }
    }

    /// What was typed, by what the playbook asks for.
    fn read(&mut self, frame: &Frame, plan: &Plan, typed: Vec<(String, String)>) {
        let schema = &plan.parts().inputs;
        let label = |name: &str| {
            let own = schema.properties.as_ref().and_then(|own| own.get(name));
            own.and_then(|own| own.title.clone()).unwrap_or_else(|| name.replace('_', " "))
        };
        let anchor = |name: &str| format!("{}{name}", INPUT.replace('.', "-"));
        for (name, own) in schema.properties.iter().flatten() {
            let filled = typed.iter().any(|(typed, text)| typed == name && !text.trim().is_empty());
            if own.is_required() && !filled {
                self.wrong(&anchor(name), label(name), frame.t("launch-required"));
            }
        }
        match read(typed.clone(), schema, frame.times) {
            Ok(inputs) => self.inputs = inputs,
            Err(problem) => {
                let refused = problem.into_response();
                let told = refused.extensions().get::<Body9457>();
                let name = told.and_then(|told| told.place.clone()).unwrap_or_default();
                let detail = told.map(|told| told.detail.as_str()).unwrap_or_default();
                let Told { text, foreign } = frame.times.program(detail);
                let (anchor, label) = (anchor(&name), label(&name));
                self.faults.push(Fault { anchor, label, text, foreign });
            }
        }
        self.typed = typed;
        if !self.faults.is_empty() {
            return;
        }
        let mut inputs = Value::Object(self.inputs.clone());
        schema.fill(&mut inputs);
        for problem in schema.problems(&inputs) {
            let name = problem.at.split(['[', '.']).next().unwrap_or_default();
            let (anchor, label) = (anchor(name), label(name));
            // Which of its items, where it has some.
            let item = problem.at.strip_prefix(name).unwrap_or_default();
            let Told { text, foreign } = frame.times.program(&problem.message);
            let text = format!("{item} {text}").trim().to_owned();
            self.faults.push(Fault { anchor, label, text, foreign });
        }
    }
}

#[cfg(test)]
mod tests;
