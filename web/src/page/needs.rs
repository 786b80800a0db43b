//! What waits for people: all of it, first what waits for who looks.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use beistand_core::model::Mode;
use beistand_journal::NeedFilter;
use serde::Deserialize;
use serde_json::Value;

use super::frame::Frame;
use super::mine::text;
use super::situation::{NeedRow, need_rows};
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
    needs.retain(|need| kind.as_deref().is_none_or(|kind| text(need, "kind") == kind));
    let mut live = Vec::new();
    let mut drills = Vec::new();
    for need in needs {
        match mode_of(&app, &need).await? {
            Mode::Live => live.push(need),
            Mode::Drill => drills.push(need),
        }
    }
    let live = need_rows(&app, (&caller, &frame), live, Mode::Live).await?;
    let drills = need_rows(&app, (&caller, &frame), drills, Mode::Drill).await?;
    let (mine, theirs) = live.into_iter().partition(|need| need.mine);
    let kinds = ["approval", "decision", "task", "unknown"];
    let kinds =
        kinds.map(|word| (word, frame.words.of("need", word), kind.as_deref() == Some(word)));
    let incident = incident.unwrap_or_default();
    frame.page(&Page { frame: &frame, mine, theirs, drills, kinds: kinds.into(), incident })
}

/// Whether the incident of a need is real.
pub(super) async fn mode_of(app: &App, need: &Value) -> Result<Mode, Problem> {
    let Ok(incident) = text(need, "incident").parse() else { return Ok(Mode::Live) };
    super::incident::mode_of(app, incident).await
}
