//! How the server is: for whatever starts it, sends it requests, or draws its curves.

use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use beistand_core::model::Millis;
use tokio::time::timeout;

use crate::app::App;
use crate::report::Problem;

/// How long the store may take to say that it is there.
const STORE_ANSWERS_WITHIN: Duration = Duration::from_secs(1);

/// Text as Prometheus reads it (exposition format 0.0.4).
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The process is alive. It asks nothing of anybody.
#[utoipa::path(
    get, path = "/healthz", tag = "health",
    responses((status = 200, description = "It is", body = String, content_type = "text/plain"))
)]
pub(super) async fn healthz() -> &'static str {
    "alive\n"
}

/// The store answers and takes what is written, and the server is not about to end.
///
/// With a full disk it stays ready: people can still read, vote and stop.
#[utoipa::path(
    get, path = "/readyz", tag = "health",
    responses((status = 200, description = "It is", body = String, content_type = "text/plain"))
)]
pub(super) async fn readyz(State(app): State<App>) -> Result<&'static str, Problem> {
    if app.leave.is_told() {
        return Err(Problem::unavailable("this server is about to end"));
    }
    let not_ready = || Problem::unavailable("the store does not answer");
    if app.engine.dead().is_some() {
        return Err(not_ready());
    }
    let journal = app.engine.journal();
    let store = async {
        journal.reader().meta().await?;
        // The writer's turn: it claims none of what was due before time began.
        journal.claim(Millis::new(0), 0).await
    };
    match timeout(STORE_ANSWERS_WITHIN, store).await {
        Ok(Ok(_)) => Ok("ready\n"),
        Ok(Err(error)) => Err(not_ready().because(&error)),
        Err(late) => Err(not_ready().because(&late)),
    }
}

/// Counters in Prometheus' text format.
#[utoipa::path(
    get, path = "/metrics", tag = "health",
    responses((status = 200, description = "Counters", body = String, content_type = "text/plain"))
)]
pub(super) async fn metrics(State(app): State<App>) -> impl IntoResponse {
    ([(CONTENT_TYPE, METRICS)], app.engine.metrics())
}
