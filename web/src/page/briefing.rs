//! The briefing: one page for who takes over, after ICS-201 (incident briefing): situation, what
//! is decided and open, current actions, who is there, what is cut off. Printed it fits on A4.
//!
//! It has a digest, and command is taken over with that: who takes it has read exactly this.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use beistand_core::incident::{Briefing, Holding};
use beistand_core::model::{Digest, NeedCode};

use super::frame::Frame;
use super::incident::{May, Offer, mode_of};
use super::mine::text;
use super::ui::{At, Badge, Deadline};
use crate::app::App;
use crate::asked::At as InPath;
use crate::door::Who;
use crate::report::Problem;

/// Notes that are shown: the newest, as many as leave room on a sheet.
const NOTES: usize = 12;

#[derive(Template)]
#[template(path = "briefing.html")]
struct Page<'a> {
    frame: &'a Frame,
    one: Briefing,
    href: String,
    severity: String,
    opened: At,
    roles: Vec<(String, String)>,
    organisations: Vec<String>,
    needs: Vec<Asked>,
    runs: Vec<Running>,
    ended: Vec<(Badge, u64)>,
    held: Vec<Held>,
    asked_for: Vec<Held>,
    assets: Vec<[String; 3]>,
    notes: Vec<Noted>,
    older: usize,
    digest: String,
    words: String,
    offer: Option<Offer>,
    proof: bool,
    hands_over: bool,
}

/// What waits for somebody, with the code that answers it from paper.
struct Asked {
    code: String,
    kind: String,
    title: String,
    role: String,
    since: At,
    until: Option<Deadline>,
    votes: Option<(u64, u64)>,
}

struct Running {
    playbook: String,
    status: Badge,
    since: At,
    by: String,
    href: String,
}

struct Noted {
    at: At,
    by: String,
    text: String,
    /// How it was in truth.
    corrected: Option<String>,
}

struct Held {
    target: String,
    effect: String,
    connector: String,
    state: String,
    since: At,
}

/// The page.
pub(super) async fn page(
    State(app): State<App>,
    Who(caller): Who,
    InPath(id): InPath<String>,
    mut frame: Frame,
) -> Result<Response, Problem> {
    let scope = caller.rights.scope();
    let id = app.views.find_incident(&id, &scope).await?;
    if let Some(elsewhere) = frame.elsewhere(mode_of(&app, id).await?) {
        return Ok(elsewhere);
    }
    let whole = app.views.incident(id, &scope).await?;
    let read = app.views.briefing(id, &scope).await?;
    let digest: Digest =
        text(&read, "digest").parse().map_err(|error| Problem::internal(&error))?;
    let one = read.get("briefing").cloned().unwrap_or_default();
    let one: Briefing = serde_json::from_value(one).map_err(|error| Problem::internal(&error))?;
    let may = May::of(&caller, &app.engine.about_incident(id).await?);
    let offer = Offer::of(&whole, &caller);
    let page = Page::of(&frame, (one, digest), (offer, may.have("assign")));
    frame.page(&page)
}

impl<'a> Page<'a> {
    fn of(
        frame: &'a Frame,
        (one, digest): (Briefing, Digest),
        (offer, hands_over): (Option<Offer>, bool),
    ) -> Self {
        let (words, mode) = (frame.words, one.mode);
        let held = |of: &dyn Fn(Holding) -> bool| {
            let some = one.holds.iter().filter(|hold| of(hold.state));
            some.map(|hold| Held {
                target: hold.target.clone(),
                effect: hold.effect.clone(),
                connector: hold.connector.to_string(),
                state: words.of("hold", hold.state.as_str()),
                since: At::short(frame, hold.since),
            })
            .collect()
        };
        let roles = one.roles.iter();
        let runs = one.runs.iter().map(|run| Running {
            playbook: run.playbook.clone(),
            status: Badge::of_run(frame, &run.status),
            since: At::short(frame, run.started_at),
            by: run.requested_by.to_string(),
            href: Frame::to(mode, &format!("/runs/{}", run.id)),
        });
        let notes = one.notes.iter().rev().take(NOTES).map(|note| Noted {
            at: At::short(frame, note.happened_at.unwrap_or(note.at)),
            by: note.by.to_string(),
            text: note.text.clone(),
            corrected: note.corrected.clone(),
        });
        Self {
            frame,
            href: Frame::to(mode, &format!("/incidents/{}", one.number)),
            severity: words.of("severity", &one.severity.get().to_string()),
            opened: At::full(frame, one.opened_at),
            roles: roles
                .map(|(role, name)| (words.of("role", role.as_str()), name.to_string()))
                .collect(),
            organisations: one.organisations.iter().map(ToString::to_string).collect(),
            needs: one.needs.iter().map(|need| Asked::of(frame, need)).collect(),
            runs: runs.collect(),
            ended: one.ended.iter().map(|(word, n)| (Badge::of_run(frame, word), *n)).collect(),
            held: held(&|state| state == Holding::Held),
            asked_for: held(&|state| state != Holding::Held),
            assets: one.assets.iter().map(|asset| asset_words(frame, asset)).collect(),
            notes: notes.collect(),
            older: one.notes.len().saturating_sub(NOTES),
            words: digest.spoken(),
            digest: digest.to_string(),
            offer,
            proof: !frame.is_drill() && !frame.me.as_ref().is_some_and(|me| me.fresh),
            hands_over,
            one,
        }
    }
}

fn asset_words(frame: &Frame, asset: &beistand_core::incident::Asset) -> [String; 3] {
    let kind = frame.words.of("target", asset.kind.as_str());
    [kind, asset.value.clone(), frame.words.of("asset", asset.state.as_str())]
}

impl Asked {
    fn of(frame: &Frame, need: &beistand_core::incident::OpenNeed) -> Self {
        let kind = frame.words.of("need", need.kind.as_str());
        let title = if need.title.is_empty() { kind.clone() } else { need.title.clone() };
        let role = need.role.map(|role| frame.words.of("role", role.as_str()));
        Self {
            code: NeedCode::of(need.id, need.digest).to_string(),
            kind,
            title,
            role: role.unwrap_or_default(),
            since: At::short(frame, need.since),
            until: need.until.map(|at| Deadline::of(frame, at)),
            votes: (need.votes_needed > 0).then_some((need.votes, need.votes_needed)),
        }
    }
}
