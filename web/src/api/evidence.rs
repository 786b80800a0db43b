//! Evidence: files that are kept by their hash and given back as bytes, whatever they are called.

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use beistand_core::model::Digest;
use beistand_runtime::IncidentAct;
use serde::Deserialize;
use utoipa::ToSchema;

use super::form::FileName;
use super::incidents::{Written, written};
use crate::app::App;
use crate::asked::At;
use crate::door::Who;
use crate::json::Exact;
use crate::report::Problem;

/// The largest file, in bytes: larger ones are kept elsewhere, and their SHA-256 is noted.
const FILE_BYTES_MAX: usize = 16 << 20;

/// The body that carries it: base64 is a third longer, and its name stands beside.
pub(super) const BODY_BYTES_MAX: usize = FILE_BYTES_MAX / 3 * 4 + (64 << 10);

/// A file.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EvidenceKept {
    name: FileName,
    /// Its bytes in base64, 16 MiB of them at most.
    #[schema(
        content_encoding = "base64",
        pattern = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
    )]
    base64: String,
}

/// Keeps a file as evidence.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/evidence", tag = "incidents", request_body = EvidenceKept,
    params(("id" = String, Path, description = "Its id or its number")),
    responses((status = 200, description = "It is kept", body = Written))
)]
pub(super) async fn keep(
    State(app): State<App>,
    who: Who,
    At(id): At<String>,
    Exact(body): Exact<EvidenceKept>,
) -> Result<impl IntoResponse, Problem> {
    // Four signs are three bytes at most.
    if body.base64.len() / 4 * 3 > FILE_BYTES_MAX + 2 {
        return Err(
            Problem::too_large(FILE_BYTES_MAX).hint("keep the file elsewhere and note its SHA-256")
        );
    }
    let act = IncidentAct::Evidence { name: body.name.into(), base64: body.base64 };
    written(&app, &who, (&id, None), act).await
}

/// The bytes of a file that was kept. They are never shown, only saved: whoever sent them chose what
/// is in them and what they are called.
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}/evidence/{digest}", tag = "incidents",
    params(
        ("id" = String, Path, description = "The incident's id or number"),
        ("digest" = String, Path, description = "The file's SHA-256", pattern = "^[0-9a-f]{64}$"),
    ),
    responses((
        status = 200, description = "Its bytes", body = Vec<u8>,
        content_type = "application/octet-stream",
        headers(("Content-Disposition" = String, description = "To be saved under its SHA-256"))
    ))
)]
pub(super) async fn bytes(
    State(app): State<App>,
    who: Who,
    At((id, digest)): At<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    let missing = || Problem::not_found("the incident keeps no such file");
    let digest = Digest::from_hex(&digest).map_err(|_| missing())?;
    let scope = who.0.rights.scope();
    let id = app.views.find_incident(&id, &scope).await?;
    let file = app.views.evidence(id, digest, &scope).await?.ok_or_else(missing)?;
    let name = format!("attachment; filename=\"evidence-{}.bin\"", digest.hex());
    let headers =
        [(CONTENT_TYPE, "application/octet-stream".to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, file))
}
