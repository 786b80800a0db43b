//! The playbooks there are: which of them can be launched here, and what falls to people.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use beistand_core::access::Permission;
use beistand_core::model::{Mode, PlaybookName};
use beistand_core::playbook::{Finding, Plan};
use beistand_runtime::Caller;
use serde::Deserialize;
use serde_json::Value;

use super::frame::Frame;
use super::planned::Lacks;
use crate::api::playbooks::{for_people, is_open};
use crate::app::App;
use crate::asked::Asked;
use crate::door::Who;
use crate::report::Problem;

/// In which incident one is launched.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    pub(super) incident: Option<String>,
}

#[derive(Template)]
#[template(path = "playbooks.html")]
struct Page<'a> {
    frame: &'a Frame,
    rows: Vec<Row>,
    /// The number of the incident that one is launched in; empty where it is a new one.
    incident: String,
    launches: bool,
}

/// A playbook.
struct Row {
    href: String,
    name: String,
    title: String,
    tlp: String,
    /// It has no faults.
    sound: bool,
    faults: usize,
    lacks: Lacks,
    tasks: usize,
    gates: usize,
    launch: String,
}

/// The catalogue.
pub(super) async fn page(
    State(app): State<App>,
    Who(caller): Who,
    Asked(Which { incident }): Asked<Which>,
    mut frame: Frame,
) -> Result<Response, Problem> {
    let mut number = String::new();
    if let Some(text) = incident {
        let id = app.views.find_incident(&text, &caller.rights.scope()).await?;
        if super::incident::mode_of(&app, id).await? == Mode::Drill {
            frame.mode = Some(Mode::Drill);
        }
        number = text;
    }
    let scope = caller.rights.scope();
    let found = app.shelf.ask(move |playbooks| {
        let all = playbooks.names().into_iter();
        let all = all.filter_map(|name| Some((playbooks.named(&name)?, name)));
        all.filter(|((plan, _), _)| is_open(plan.as_ref(), &scope)).collect::<Vec<_>>()
    });
    let rows = found.await?.into_iter();
    let rows = rows.map(|((plan, findings), name)| {
        Row::of((&app, &caller, &frame), (&name, plan.as_ref(), &findings), &number)
    });
    let launches = caller.rights.may_somewhere(Permission::Launch);
    frame.page(&Page { frame: &frame, rows: rows.collect(), incident: number.clone(), launches })
}

/// What can be launched by who looks: where its form is, and its title.
pub(super) async fn to_launch(
    app: &App,
    caller: &Caller,
) -> Result<Vec<(String, String)>, Problem> {
    if !caller.rights.may_somewhere(Permission::Launch) {
        return Ok(Vec::new());
    }
    let scope = caller.rights.scope();
    let found = app.shelf.ask(move |playbooks| {
        let sound = |name: PlaybookName| {
            let (plan, _) = playbooks.named(&name)?;
            let title = plan.as_ref()?.parts().title.clone();
            is_open(plan.as_ref(), &scope).then(|| (format!("/playbooks/{name}/launch"), title))
        };
        playbooks.names().into_iter().filter_map(sound).collect()
    });
    found.await
}

impl Row {
    fn of(
        (app, caller, frame): (&App, &Caller, &Frame),
        (name, plan, findings): (&PlaybookName, Option<&Plan>, &[Finding]),
        incident: &str,
    ) -> Self {
        let missing = plan.map(|plan| app.engine.missing(plan, &Value::Null)).unwrap_or_default();
        let people = plan.map(|plan| for_people(plan, &app.engine.by_hand(plan, Mode::Live)));
        let (tasks, gates) = people.unwrap_or_default();
        let may = plan.is_some() && caller.rights.may_somewhere(Permission::Launch);
        Self {
            href: with(&format!("/playbooks/{name}"), incident),
            name: name.to_string(),
            title: plan.map_or_else(|| name.to_string(), |plan| plan.parts().title.clone()),
            tlp: plan.map(|plan| plan.parts().tlp.to_string()).unwrap_or_default(),
            sound: plan.is_some(),
            faults: findings.iter().filter(|finding| finding.is_error()).count(),
            lacks: Lacks::of(frame, &missing),
            tasks: tasks.iter().filter(|one| one.action.is_none()).count(),
            gates: gates.len(),
            launch: if may {
                with(&format!("/playbooks/{name}/launch"), incident)
            } else {
                String::new()
            },
        }
    }
}

/// A path that goes on with the incident that somebody came from.
pub(super) fn with(path: &str, incident: &str) -> String {
    if incident.is_empty() {
        return path.to_owned();
    }
    let incident: String = form_urlencoded::byte_serialize(incident.as_bytes()).collect();
    format!("{path}?incident={incident}")
}

#[cfg(test)]
mod tests;
