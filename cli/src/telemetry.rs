//! The program's own log to stderr, and traces to a collector where one is configured.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::config::{Telemetry, variable};
use crate::exit::{Exit, Failure, Outcome};

/// Keeps the exporter, so that the last spans leave before the program does.
#[derive(Debug)]
pub(crate) struct Guard(Option<SdkTracerProvider>);

impl Guard {
    pub(crate) fn flush(&self) {
        if let Some(provider) = &self.0
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "The last spans could not be exported.");
        }
    }
}

/// Starts the log and, where configured, the export. Spans cost nothing without one.
pub(crate) fn start(config: &Telemetry, verbose: u8, colour: bool) -> Outcome<Guard> {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let log = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(colour)
        .with_filter(EnvFilter::new(level));
    let endpoint = config.otlp.clone().or_else(|| variable("OTEL_EXPORTER_OTLP_ENDPOINT"));
    let Some(endpoint) = endpoint else {
        tracing_subscriber::registry().with(log).init();
        return Ok(Guard(None));
    };
    let wrong = |error: String| Failure::new(Exit::Check, format!("telemetry.otlp: {error}"));
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
        .map_err(|error| wrong(error.to_string()))?;
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder().with_service_name("beistand").build())
        .build();
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("beistand"))
        .with_filter(EnvFilter::new("off,beistand_runtime=info"));
    tracing_subscriber::registry().with(log).with(spans).init();
    Ok(Guard(Some(provider)))
}
