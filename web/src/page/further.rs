//! What follows on a run: more items for the same playbook, or a corrected one that takes over. Both
//! are shown before they are done.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use beistand_core::access::Permission;
use beistand_core::model::{Mode, RunId, Schema, SchemaType};
use beistand_core::playbook::Plan;
use beistand_core::run::OutlookLine;
use beistand_runtime::Caller;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::form::Form;
use super::frame::Frame;
use super::launch::{INPUT, start_key};
use super::mine::text;
use super::place::Place;
use super::playbook::sound;
use super::review::{Hurt, effects};
use super::schema::{Field, fields, read};
use crate::api::form::{ChosenKey, PlaybookId, Reason};
use crate::api::further::{Corrected, More, more_of, supersede_by};
use crate::api::playbooks::is_open;
use crate::api::reach;
use crate::app::App;
use crate::asked::{Asked, At as InPath};
use crate::door::Who;
use crate::report::Problem;

#[derive(Template)]
#[template(path = "more.html")]
struct MorePage<'a> {
    frame: &'a Frame,
    href: String,
    playbook: String,
    start_key: String,
    fields: Vec<Field>,
    /// What would come of it; nothing before anything was entered.
    shown: Option<Shown>,
}

/// What would come of more items.
struct Shown {
    items: Vec<(String, Vec<String>)>,
    hurts: Vec<Hurt>,
    hidden: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "supersede.html")]
struct SupersedePage<'a> {
    frame: &'a Frame,
    href: String,
    playbook: String,
    /// Those that can take over: name, title, chosen.
    others: Vec<(String, String, bool)>,
    outlook: Option<Vec<(String, Vec<OutlookLine>)>>,
    next: String,
}

/// A run that something follows on, for who may launch there.
async fn reached(
    app: &App,
    caller: &Caller,
    (run, frame): (RunId, &mut Frame),
) -> Result<Result<beistand_journal::Run, Response>, Problem> {
    let row = reach::reached(app, caller, (run, Permission::Launch)).await?;
    let about = app.engine.about_incident(row.incident).await?;
    Who(caller.clone()).may(Permission::Launch, &about)?;
    Ok(match frame.elsewhere(row.mode) {
        Some(elsewhere) => Err(elsewhere),
        None => Ok(row),
    })
}

/// The lists that can have more items, none of them needed.
fn lists(plan: &Plan) -> Schema {
    let own = plan.parts().inputs.properties.iter().flatten();
    let own = own.filter(|(_, schema)| schema.kind == Some(SchemaType::Array));
    let lists = own.map(|(name, schema)| {
        let schema = Schema { default: None, min_items: None, ..schema.clone() };
        (name.clone(), schema.optional())
    });
    Schema { properties: Some(lists.collect()), ..Schema::of(SchemaType::Object) }
}

/// The form for more items.
pub(super) async fn more_page(
    State(app): State<App>,
    Who(caller): Who,
    InPath(run): InPath<RunId>,
    mut frame: Frame,
) -> Result<Response, Problem> {
    let row = match reached(&app, &caller, (run, &mut frame)).await? {
        Ok(row) => row,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let plan = app.views.plan_of(run, &caller.rights.scope()).await?.ok_or_else(outline)?;
    let page = MorePage {
        href: Frame::to(row.mode, &format!("/runs/{run}")),
        playbook: plan.parts().title.clone(),
        start_key: start_key()?,
        fields: fields(&frame, &lists(&plan), (INPUT, &Value::Null)),
        shown: None,
        frame: &frame,
    };
    frame.page(&page)
}

/// More items.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Items {
    step: Step,
    by_hand_ok: Option<String>,
    start_key: ChosenKey,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Step {
    Review,
    Launch,
}

/// Shows what would come of more items, or launches a run for them.
pub(super) async fn more(
    State(app): State<App>,
    Who(caller): Who,
    InPath(run): InPath<RunId>,
    mut frame: Frame,
    mut form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let row = match reached(&app, &caller, (run, &mut frame)).await? {
            Ok(row) => row,
            Err(elsewhere) => return Ok(elsewhere),
        };
        let plan = app.views.plan_of(run, &caller.rights.scope()).await?.ok_or_else(outline)?;
        let typed = form.take_all(INPUT);
        let Items { step, by_hand_ok, start_key } = form.read()?;
        let lists = lists(&plan);
        let inputs = read(typed.clone(), &lists, frame.times)?;
        match step {
            Step::Review => {
                let key = String::from(start_key);
                let known = app.views.run(run, &caller.rights.scope()).await?;
                let given = known.get("inputs").cloned().unwrap_or_default();
                let mut page = MorePage {
                    href: Frame::to(row.mode, &format!("/runs/{run}")),
                    playbook: plan.parts().title.clone(),
                    fields: fields(&frame, &lists, (INPUT, &Value::Object(inputs.clone()))),
                    start_key: key,
                    shown: None,
                    frame: &frame,
                };
                page.shown =
                    Some(Shown::of((&app, &frame), (&plan, row.mode), given, (inputs, typed)));
                frame.page(&page)
            }
            Step::Launch => {
                let more = More { inputs, by_hand_ok: by_hand_ok.is_some(), start_key };
                let further = more_of(&app, &caller, (run, more)).await?;
                let place = Frame::to(row.mode, &format!("/runs/{}", further.run));
                Ok(Place::of(&place).done("launched").seen())
            }
        }
    };
    Form::answered(again, answer.await)
}

impl Shown {
    /// With what the run before was given; its lists give way to these.
    fn of(
        (app, frame): (&App, &Frame),
        (plan, mode): (&Plan, Mode),
        given: Value,
        (inputs, typed): (Map<String, Value>, Vec<(String, String)>),
    ) -> Self {
        let said = |items: &Value| {
            let items = items.as_array().map(Vec::as_slice).unwrap_or_default();
            items.iter().map(super::need::said).collect::<Vec<_>>()
        };
        let items = inputs.iter().map(|(name, items)| (name.clone(), said(items))).collect();
        let mut all = given;
        if let Value::Object(all) = &mut all {
            all.extend(inputs);
        }
        let (mut hurts, mut others) = (Vec::new(), Vec::new());
        effects((app, frame), (plan, mode), &all, &mut (&mut hurts, &mut others, 0));
        let hidden = typed.into_iter().map(|(name, value)| (format!("{INPUT}{name}"), value));
        Self { items, hurts, hidden: hidden.collect() }
    }
}

/// Which playbook would take over.
#[derive(Debug, Deserialize)]
pub(super) struct By {
    playbook: Option<String>,
}

/// What would become of a run's effects if another playbook took over, and the form for it.
pub(super) async fn supersede_page(
    State(app): State<App>,
    Who(caller): Who,
    InPath(run): InPath<RunId>,
    Asked(By { playbook }): Asked<By>,
    mut frame: Frame,
) -> Result<Response, Problem> {
    let row = match reached(&app, &caller, (run, &mut frame)).await? {
        Ok(row) => row,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let scope = caller.rights.scope();
    let next = playbook.filter(|name| !name.is_empty());
    let outlook = match &next {
        Some(name) => {
            let wrong = |_| Problem::malformed("this is no playbook's name").place("playbook");
            let plan = sound(&app, &caller, &name.parse().map_err(wrong)?).await?;
            let found = app.engine.outlook(run, &plan, &scope).await?;
            Some(vec![
                (frame.t("further-taken"), found.taken_over),
                (frame.t("further-new"), found.new),
                (frame.t("further-dropped"), found.dropped),
            ])
        }
        None => None,
    };
    let seen = scope.clone();
    let others = app.shelf.ask(move |playbooks| {
        let all = playbooks.names().into_iter();
        let sound = all.filter_map(|name| Some((playbooks.named(&name)?.0?, name)));
        sound
            .filter(|(plan, _)| is_open(Some(plan), &seen))
            .map(|(plan, name)| (name.to_string(), plan.parts().title.clone()))
            .collect::<Vec<_>>()
    });
    let chosen = next.clone().unwrap_or_else(|| row.playbook.clone());
    let others = others.await?.into_iter();
    let others = others.map(|(name, title)| {
        let is_chosen = name == chosen;
        (name, title, is_chosen)
    });
    let whole = app.views.run(run, &scope).await?;
    let page = SupersedePage {
        href: Frame::to(row.mode, &format!("/runs/{run}")),
        playbook: text(&whole, "title").to_owned(),
        others: others.collect(),
        outlook,
        next: next.unwrap_or_default(),
        frame: &frame,
    };
    frame.page(&page)
}

/// A corrected playbook.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Next {
    playbook: PlaybookId,
    by_hand_ok: Option<String>,
    reason: Reason,
}

/// Lets it take over.
pub(super) async fn supersede(
    State(app): State<App>,
    Who(caller): Who,
    InPath(run): InPath<RunId>,
    form: Form,
) -> Response {
    let again = form.again();
    let answer = async {
        let row = reach::reached(&app, &caller, (run, Permission::Launch)).await?;
        let Next { playbook, by_hand_ok, reason } = form.read()?;
        // What somebody may not read they launch nowhere from here.
        sound(&app, &caller, &playbook.0).await?;
        let body = Corrected { playbook, by_hand_ok: by_hand_ok.is_some(), reason };
        supersede_by(&app, &caller, (run, body)).await?;
        // The other one is there as soon as nothing of this one is out any more.
        let place = Frame::to(row.mode, &format!("/runs/{run}"));
        Ok(Place::of(&place).done("superseding").seen())
    };
    Form::answered(again, answer.await)
}

/// What is written in a run's playbook is not for who sees the run in outline alone.
fn outline() -> Problem {
    Problem::forbidden("of this run only an outline is yours to read")
}
