//! The first page: what is open, what waits for who looks, and whether everything stands still.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use beistand_core::model::Mode;
use beistand_runtime::{Caller, Verb, ViewPage};
use serde::Deserialize;

use super::form::Form;
use super::frame::Frame;
use super::login::proved_here;
use super::mine::{read, text};
use super::place::Place;
use super::playbooks::to_launch;
use super::row::NeedRow;
use super::situation::Situation;
use crate::api::form::Reason;
use crate::app::App;
use crate::door::Who;
use crate::report::Problem;

/// Incidents that are looked at for those that are open: newest first.
const LOOKED_AT: u32 = 200;

/// Open ones that are shown.
const SHOWN_MAX: usize = 20;

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    frame: &'a Frame,
    mine: Vec<NeedRow>,
    open: Vec<Situation>,
    more: usize,
    ended: Vec<Ended>,
    /// What can be launched: where its form is, and its title.
    playbooks: Vec<(String, String)>,
}

/// An incident that is over.
struct Ended {
    href: String,
    number: String,
    title: String,
    mode: Mode,
}

/// The first page.
pub(super) async fn page(
    State(app): State<App>,
    Who(caller): Who,
    frame: Frame,
) -> Result<Response, Problem> {
    let scope = caller.rights.scope();
    let listed = app.views.incidents(&ViewPage::first(LOOKED_AT), &scope).await?;
    let (mut open, mut ended, mut further) = (Vec::new(), Vec::new(), 0);
    for row in &listed.items {
        let mode: Mode = read(row, "mode")?;
        let number = text(row, "number");
        if !text(row, "closed_at").is_empty() {
            let href = Frame::to(mode, &format!("/incidents/{number}"));
            let (number, title) = (number.to_owned(), text(row, "title").to_owned());
            ended.push(Ended { href, number, title, mode });
        } else if open.len() < SHOWN_MAX {
            let id = app.views.find_incident(number, &scope).await?;
            open.push(Situation::of(&app, (&caller, &frame), id).await?);
        } else {
            further += 1;
        }
    }
    // What is real comes before drills, what is worse before what is less so.
    open.sort_by_key(|one| (one.mode == Mode::Drill, std::cmp::Reverse(one.severity_grade)));
    let told = |one: &Situation| {
        let number = Some(one.number.clone());
        let mine = one.mine().into_iter().cloned();
        mine.map(|need| NeedRow { number: number.clone(), ..need }).collect::<Vec<_>>()
    };
    let mine = open.iter().flat_map(told).collect();
    let playbooks = to_launch(&app, &caller).await?;
    frame.page(&Home { frame: &frame, mine, open, more: further, ended, playbooks })
}

/// Why everything is to stand still, or to go on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Turned {
    reason: Reason,
    next: Option<String>,
}

/// The stop switch on.
pub(super) async fn stop(State(app): State<App>, Who(caller): Who, form: Form) -> Response {
    let again = form.again();
    let answer = async {
        let Turned { reason, next } = form.read()?;
        let verb = Verb::StopAll { by: caller.actor.clone(), reason: reason.into() };
        app.engine.execute_as(&caller, verb).await?;
        Ok(Place::of(next.as_deref().unwrap_or("/")).done("stopped").seen())
    };
    Form::answered(again, answer.await)
}

/// The stop switch off.
pub(super) async fn go_on(State(app): State<App>, Who(caller): Who, mut form: Form) -> Response {
    let again = form.again();
    let answer = async {
        let proved = proved_here(&app, caller, &mut form).await?;
        let Turned { reason, next } = form.read()?;
        let caller: &Caller = &proved.caller;
        let verb = Verb::GoOn { by: caller.actor.clone(), reason: reason.into() };
        let answer = app.engine.execute_as(caller, verb).await;
        let place = Place::of(next.as_deref().unwrap_or("/")).done("gone-on");
        proved.answer(answer.map(|_| place.seen()).map_err(Problem::from))
    };
    Form::answered(again, answer.await)
}
