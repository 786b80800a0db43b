//! What waits for people: all of it, first what waits for who looks.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use beistand_core::model::{IncidentId, Mode};
use beistand_core::run::NeedKind;
use beistand_journal::NeedFilter;
use serde::Deserialize;
use serde_json::Value;

use super::frame::Frame;
use super::mine::{read, text};
use super::row::{NeedRow, need_rows};
use crate::app::App;
use crate::asked::Asked;
use crate::door::Who;
use crate::report::Problem;

/// Which needs.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    incident: Option<String>,
    /// Only of this kind.
    kind: Option<String>,
}

#[derive(Template)]
#[template(path = "needs.html")]
struct Page<'a> {
    frame: &'a Frame,
    mine: Vec<NeedRow>,
    theirs: Vec<NeedRow>,
    drills: Vec<NeedRow>,
    kinds: Vec<(&'static str, String, bool)>,
    incident: String,
}

/// The list.
pub(super) async fn page(
    State(app): State<App>,
    Who(caller): Who,
    Asked(Which { incident, kind }): Asked<Which>,
    frame: Frame,
) -> Result<Response, Problem> {
    let scope = caller.rights.scope();
    let within = match &incident {
        Some(name) => Some(app.views.find_incident(name, &scope).await?),
        None => None,
    };
    let filter = NeedFilter { incident: within, ..NeedFilter::default() };
    let mut needs = app.views.needs(&filter, &scope).await?;
    let kind = kind.map(|kind| kind.parse::<NeedKind>()).transpose();
    let kind = kind.map_err(|error| Problem::malformed(error.to_string()).place("kind"))?;
    needs.retain(|need| kind.is_none_or(|kind| text(need, "kind") == kind.as_str()));
    let mut rows = Vec::with_capacity(needs.len());
    for (incident, needs) in by_incident(needs)? {
        let missing = || Problem::not_found(format!("there is no incident {incident}"));
        let row = app.engine.journal().reader().incident(incident).await?.ok_or_else(missing)?;
        for need in need_rows(&app, (&caller, &frame), needs, row.mode).await? {
            rows.push(NeedRow { number: Some(row.number.clone()), ..need });
        }
    }
    let (drills, live): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|need| need.mode == Mode::Drill);
    let (mine, theirs) = live.into_iter().partition(|need| need.mine);
    let kinds = [NeedKind::Approval, NeedKind::Decision, NeedKind::Task, NeedKind::Unknown];
    let kinds =
        kinds.map(|one| (one.as_str(), frame.words.of("need", one.as_str()), kind == Some(one)));
    let incident = incident.unwrap_or_default();
    frame.page(&Page { frame: &frame, mine, theirs, drills, kinds: kinds.into(), incident })
}

/// Needs by the incident that they belong to, the one whose need is oldest first.
fn by_incident(needs: Vec<Value>) -> Result<Vec<(IncidentId, Vec<Value>)>, Problem> {
    let mut all: Vec<(IncidentId, Vec<Value>)> = Vec::new();
    for need in needs {
        let incident: IncidentId = read(&need, "incident")?;
        match all.iter_mut().find(|(one, _)| *one == incident) {
            Some((_, own)) => own.push(need),
            None => all.push((incident, vec![need])),
        }
    }
    Ok(all)
}
