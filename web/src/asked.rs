//! What stands in the address of a request: the parameters of its path, and its query.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use beistand_core::model::causes;
use serde::de::DeserializeOwned;

use crate::report::Problem;

/// The parameters of a path, as a type of ours. What is none is simply not there.
#[derive(Debug)]
pub struct At<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found = Path::<T>::from_request_parts(parts, state).await;
        let not_there = |error: PathRejection| {
            Problem::not_found("there is nothing of this name").because(&error)
        };
        found.map(|Path(found)| Self(found)).map_err(not_there)
    }
}

/// The query, as a type of ours, which should refuse fields that it does not know.
#[derive(Debug)]
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let asked = Query::<T>::try_from_uri(&parts.uri);
        asked.map(|Query(asked)| Self(asked)).map_err(|rejection| {
            let cause = causes(&rejection).last().map(ToString::to_string).unwrap_or_default();
            Problem::malformed(format!("the query can not be read: {cause}"))
        })
    }
}
