//! One playbook: what it does, what it is launched with, what it lacks here; or what is wrong with it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use beistand_core::access::Permission;
use beistand_core::model::{Mode, PlaybookName, Schema};
use beistand_core::playbook::Plan;
use beistand_runtime::Caller;
use serde_json::Value;

use super::drawn::{Drawn, flow_words};
use super::frame::Frame;
use super::need::said;
use super::planned::{Fault, Lacks, Step, steps};
use super::playbooks::{Which, with};
use crate::api::playbooks::is_open;
use crate::app::App;
use crate::asked::{Asked, At as InPath};
use crate::door::Who;
use crate::draw::flow::of_plan;
use crate::report::Problem;
use crate::shelf::{Found, not_there};

/// Steps whose drawing is opened by itself: with more it would be pages long.
const DRAWN_STEPS_MAX: usize = 12;

#[derive(Template)]
#[template(path = "playbook.html")]
struct Page<'a> {
    frame: &'a Frame,
    name: String,
    title: String,
    tlp: String,
    digest: String,
    sound: bool,
    faults: Vec<Fault>,
    lacks: Lacks,
    flow: Option<Drawn>,
    /// Whether the drawing is small enough to stand before the steps.
    is_small: bool,
    steps: Vec<Step>,
    inputs: Vec<Input>,
    references: Vec<String>,
    /// Where it is launched; empty for who may not, or where it has faults.
    launch: String,
    drill: String,
    sheet: String,
    incident: String,
}

/// What it is launched with.
struct Input {
    label: String,
    name: String,
    hint: String,
    required: bool,
    default: String,
}

/// The page.
pub(super) async fn page(
    State(app): State<App>,
    Who(caller): Who,
    InPath(name): InPath<PlaybookName>,
    Asked(Which { incident }): Asked<Which>,
    frame: Frame,
) -> Result<Response, Problem> {
    let (plan, findings) = found(&app, &caller, &name).await?;
    let incident = incident.unwrap_or_default();
    let faults = findings.iter().map(Fault::from).collect();
    let page = match plan {
        Some(plan) => {
            let may = caller.rights.may_somewhere(Permission::Launch);
            Page { faults, ..Page::of((&app, &frame), &plan, (may, incident)) }
        }
        None => Page { faults, incident, ..Page::nothing(&frame, &name) },
    };
    frame.page(&page)
}

/// A playbook as it stands on the shelf.
///
/// # Errors
/// 404 where there is none for these eyes.
pub(super) async fn found(
    app: &App,
    caller: &Caller,
    name: &PlaybookName,
) -> Result<Found, Problem> {
    let asked = name.clone();
    let found = app.shelf.ask(move |playbooks| playbooks.named(&asked)).await?;
    let seen = found.filter(|(plan, _)| is_open(plan.as_ref(), &caller.rights.scope()));
    seen.ok_or_else(|| not_there(name))
}

/// One without faults.
///
/// # Errors
/// As [`found`]; 409 where it has some.
pub(super) async fn sound(
    app: &App,
    caller: &Caller,
    name: &PlaybookName,
) -> Result<Plan, Problem> {
    let (plan, findings) = found(app, caller, name).await?;
    plan.ok_or_else(|| {
        let text = format!("the playbook `{name}` has faults");
        Problem::conflict(text).problems(serde_json::json!(findings))
    })
}

impl<'a> Page<'a> {
    fn nothing(frame: &'a Frame, name: &PlaybookName) -> Self {
        Self {
            frame,
            name: name.to_string(),
            title: name.to_string(),
            tlp: String::new(),
            digest: String::new(),
            sound: false,
            faults: Vec::new(),
            lacks: Lacks::default(),
            flow: None,
            is_small: false,
            steps: Vec::new(),
            inputs: Vec::new(),
            references: Vec::new(),
            launch: String::new(),
            drill: String::new(),
            sheet: String::new(),
            incident: String::new(),
        }
    }

    fn of((app, frame): (&App, &'a Frame), plan: &Plan, (may, incident): (bool, String)) -> Self {
        let parts = plan.parts();
        let path = format!("/playbooks/{}", parts.name);
        let launch = |mode| {
            let launch = Frame::to(mode, &format!("{path}/launch"));
            if may { with(&launch, &incident) } else { String::new() }
        };
        let inputs = parts.inputs.properties.iter().flatten();
        let steps = steps(app, frame, plan);
        Self {
            flow: Some(flow(frame, plan)),
            is_small: steps.len() <= DRAWN_STEPS_MAX,
            title: parts.title.clone(),
            tlp: parts.tlp.to_string(),
            digest: plan.digest().to_string(),
            sound: true,
            lacks: Lacks::of(frame, &app.engine.missing(plan, &Value::Null)),
            steps,
            inputs: inputs.map(|(name, schema)| Input::of(name, schema)).collect(),
            references: parts.references.clone(),
            launch: launch(Mode::Live),
            // An incident says by itself whether it is a drill.
            drill: if incident.is_empty() { launch(Mode::Drill) } else { String::new() },
            sheet: format!("{path}/sheet"),
            incident,
            ..Self::nothing(frame, &parts.name)
        }
    }
}

/// What it does, from top to bottom.
fn flow(frame: &Frame, plan: &Plan) -> Drawn {
    let flow = of_plan(plan, None, &flow_words(frame.show.lang));
    let description = frame.t("plan-flow-hint");
    Drawn::plan(frame, &flow, (&plan.parts().title, &description))
}

impl Input {
    fn of(name: &str, schema: &Schema) -> Self {
        Self {
            label: schema.title.clone().unwrap_or_else(|| name.replace('_', " ")),
            name: name.to_owned(),
            hint: schema.description.clone().unwrap_or_default(),
            required: schema.is_required(),
            default: schema.default.as_ref().map(said).unwrap_or_default(),
        }
    }
}
