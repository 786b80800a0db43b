//! How the program fares, and whether what it wrote is whole: for who runs it and who audits it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use beistand_core::timeline::TimelineEntry;
use beistand_journal::verify;
use serde::Deserialize;

use super::frame::Frame;
use super::ui::At;
use crate::app::App;
use crate::asked::Asked;
use crate::door::Who;
use crate::report::Problem;

/// Lines of the store's own timeline that are shown, the newest ones.
const LINES: usize = 100;

#[derive(Template)]
#[template(path = "health.html")]
struct Health<'a> {
    frame: &'a Frame,
    version: &'static str,
    dead: Option<String>,
    seal: Option<(At, String)>,
    backup: Option<At>,
    counters: Vec<(String, String)>,
}

/// The page of whoever runs it.
pub(super) async fn health(
    State(app): State<App>,
    Who(caller): Who,
    frame: Frame,
) -> Result<Response, Problem> {
    let seal = app.engine.journal().reader().seal().await?;
    let seal = seal.map(|seal| (At::full(&frame, seal.at), seal.hash.to_string()));
    let told = app.views.told_of_store(frame.show.lang, &caller.rights.scope()).await;
    let made = |line: &&TimelineEntry| line.kind == "backup-made";
    let backup = told.ok().and_then(|told| told.lines.iter().rev().find(made).map(|line| line.at));
    let metrics = app.engine.metrics();
    let counters = metrics.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (name, value) = line.split_once(' ')?;
        let name = name.trim_start_matches("beistand_").replace('_', "-");
        Some((frame.words.of("counter", &name), value.to_owned()))
    });
    let page = Health {
        frame: &frame,
        version: env!("CARGO_PKG_VERSION"),
        dead: app.engine.dead(),
        seal,
        backup: backup.map(|at| At::full(&frame, at)),
        counters: counters.collect(),
    };
    frame.page(&page)
}

/// Whether the chain is to be looked through.
#[derive(Debug, Deserialize)]
pub(super) struct Look {
    verify: Option<String>,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Audit<'a> {
    frame: &'a Frame,
    seal: Option<(At, String, String)>,
    looked: Option<Result<[u64; 3], String>>,
    lines: Vec<(At, String)>,
}

/// The page of whoever audits it.
pub(super) async fn audit(
    State(app): State<App>,
    Who(caller): Who,
    Asked(Look { verify: wanted }): Asked<Look>,
    frame: Frame,
) -> Result<Response, Problem> {
    let told = app.views.told_of_store(frame.show.lang, &caller.rights.scope()).await?;
    let reader = app.engine.journal().reader();
    let looked = match wanted {
        Some(_) => Some(
            verify::store(reader, None)
                .await
                .map(|found| [found.entries, found.streams, found.erased])
                .map_err(|broken| broken.to_string()),
        ),
        None => None,
    };
    let seal = reader.seal().await?;
    let seal =
        seal.map(|seal| (At::full(&frame, seal.at), seal.hash.to_string(), seal.hash.spoken()));
    let lines = told.lines.iter().rev().filter(|line| !line.detail).take(LINES);
    let lines = lines.map(|line| (At::full(&frame, line.at), line.text.clone())).collect();
    frame.page(&Audit { frame: &frame, seal, looked, lines })
}
