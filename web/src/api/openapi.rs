//! The interface describes itself, from the same table that it is served from.

use std::sync::OnceLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::report::Problem;

/// The description of this interface, OpenAPI 3.1.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "about",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json"))
)]
pub(super) async fn openapi() -> Result<impl IntoResponse, Problem> {
    // It is the same for the life of the program.
    static TEXT: OnceLock<Result<String, serde_json::Error>> = OnceLock::new();
    let text = TEXT.get_or_init(|| super::table().openapi().to_json());
    let text = text.as_deref().map_err(|error| Problem::internal(error))?;
    Ok(([(CONTENT_TYPE, "application/json")], text))
}
