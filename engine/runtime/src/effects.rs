//! Doing an effect whose intent is durable, and turning what comes back into an input.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use beistand_connector_api::Connector;
use beistand_core::model::{Answer, Call, CallError, Path, Probed, Span};
use beistand_core::playbook::{EvalError, Expression, Expressions, ScriptKind};
use beistand_core::run::{Answered, Effect, Input};
use beistand_script::Scripts;
use futures_util::FutureExt as _;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TraceContextExt as _;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use tracing::Instrument as _;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Scripts that run at once: one less than would keep the other runs from the processor.
pub(crate) const SCRIPTS_AT_ONCE: usize = 2;

/// Time beyond a call's own limit before the engine stops waiting for its connector: a connector
/// keeps its limit itself, this catches one that does not.
const GRACE: std::time::Duration = std::time::Duration::from_secs(5);

/// Does a call; its answer becomes an input.
pub(crate) async fn call(
    connector: Option<Arc<dyn Connector>>,
    path: Path,
    attempt: u32,
    call: Call,
) -> Input {
    let span = tracing::info_span!("attempt", "step.path" = %path, "attempt.no" = attempt, "effect.key" = %call.key);
    adopt(&span, call.traceparent.as_deref());
    let result = async {
        let inner = tracing::info_span!("call", "action" = %call.action);
        match connector {
            None => Err(CallError::unavailable("the connector is not configured any more")),
            Some(connector) => {
                let sent = with_trace(call, &inner);
                bounded(sent.timeout, connector.call(&sent)).instrument(inner).await
            }
        }
    }
    .instrument(span)
    .await;
    Input::Answered(Answered::Call { path, attempt, result })
}

pub(crate) async fn bounded(
    timeout: Span,
    call: impl Future<Output = Result<Answer, CallError>>,
) -> Result<Answer, CallError> {
    let limit = std::time::Duration::from_millis(timeout.millis()) + GRACE;
    match tokio::time::timeout(limit, AssertUnwindSafe(call).catch_unwind()).await {
        Ok(Ok(result)) => result,
        // A connector that breaks down ends its own call, and nobody knows how far it came.
        Ok(Err(_)) => Err(CallError::unknown("the connector broke down in the middle of the call")),
        Err(_) => Err(CallError::unknown(format!("no answer within {timeout}"))),
    }
}

/// Looks whether a call was done.
pub(crate) async fn probe(
    connector: Option<Arc<dyn Connector>>,
    path: Path,
    attempt: u32,
    call: Call,
) -> Input {
    let limit = std::time::Duration::from_millis(call.timeout.millis()) + GRACE;
    let result = match connector {
        None => Probed::Unknown,
        Some(connector) => {
            let probe = AssertUnwindSafe(connector.probe(&call)).catch_unwind();
            tokio::time::timeout(limit, probe)
                .await
                .map_or(Probed::Unknown, |probed| probed.unwrap_or(Probed::Unknown))
        }
    };
    Input::Answered(Answered::Probe { path, attempt, result })
}

/// Reads the state before an effect.
pub(crate) async fn previous(
    connector: Option<Arc<dyn Connector>>,
    path: Path,
    call: Call,
) -> Input {
    let result = match connector {
        None => Err(CallError::unavailable("the connector is not configured any more")),
        Some(connector) => bounded(call.timeout, connector.call(&call)).await,
    };
    Input::Answered(Answered::Previous { path, result })
}

/// Runs a script in the pool.
pub(crate) async fn script(
    scripts: Arc<Scripts>,
    pool: Arc<Semaphore>,
    path: Path,
    (script, values): (Expression, Map<String, Value>),
) -> Input {
    let stopped = |message: &str| EvalError { message: message.to_owned(), at: None };
    let result = match pool.acquire_owned().await {
        Err(_) => Err(stopped("the program is going down")),
        Ok(place) => {
            let work = tokio::task::spawn_blocking(move || {
                let result = scripts.evaluate(&script.text, ScriptKind::Script, &values);
                drop(place);
                result
            });
            work.await.unwrap_or_else(|_| Err(stopped("the script brought its thread down")))
        }
    };
    Input::Answered(Answered::Script { path, result })
}

/// The connector an effect needs a permit of.
pub(crate) fn connector_of(effect: &Effect) -> Option<&beistand_core::model::ConnectorName> {
    match effect {
        Effect::Call { connector, .. }
        | Effect::Probe { connector, .. }
        | Effect::Previous { connector, .. } => Some(connector),
        Effect::Script { .. }
        | Effect::OpenChild { .. }
        | Effect::OpenSuccessor { .. }
        | Effect::ToChild { .. } => None,
    }
}

/// A span continues the trace that is kept with its run.
pub(crate) fn adopt(span: &tracing::Span, traceparent: Option<&str>) {
    if span.is_disabled() {
        return;
    }
    if let Some(traceparent) = traceparent {
        let carrier =
            std::collections::HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
        let context = opentelemetry_sdk_propagator().extract(&carrier);
        if let Err(error) = span.set_parent(context) {
            tracing::debug!(%error, "A span could not join its run's trace.");
        }
    }
}

/// The trace context of a span, as it is kept and sent; none without an exporter.
pub(crate) fn traceparent_of(span: &tracing::Span) -> Option<String> {
    if span.is_disabled() {
        return None;
    }
    let context = span.context();
    if !context.span().span_context().is_valid() {
        return None;
    }
    let mut carrier = std::collections::HashMap::new();
    opentelemetry_sdk_propagator().inject_context(&context, &mut carrier);
    carrier.remove("traceparent")
}

fn opentelemetry_sdk_propagator() -> opentelemetry_sdk::propagation::TraceContextPropagator {
    opentelemetry_sdk::propagation::TraceContextPropagator::new()
}

/// The call goes out under its own span where there is an exporter.
fn with_trace(call: Call, span: &tracing::Span) -> Call {
    match traceparent_of(span) {
        Some(traceparent) => Call { traceparent: Some(traceparent), ..call },
        None => call,
    }
}
