//! Pages as tests ask for them, by who has a token.

use axum::body::Body;
use axum::http::header::LOCATION;
use axum::http::{Method, Request, Response, header};

use crate::api::world::World;

/// What an answer says: its status, where it leads, its text.
pub(crate) async fn told(response: Response<Body>) -> (u16, String, String) {
    let status = response.status().as_u16();
    let place = response.headers().get(LOCATION);
    let place = place.and_then(|place| place.to_str().ok()).unwrap_or_default().to_owned();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, place, String::from_utf8(bytes.to_vec()).unwrap())
}

/// Looks at a page.
pub(crate) async fn look(world: &World, path: &str, who: &str) -> (u16, String, String) {
    told(world.asked(&Method::GET, path, (who, None)).await).await
}

/// Sends a form, as somebody who reads pages.
pub(crate) async fn send(
    world: &World,
    path: &str,
    (who, fields): (&str, &[(&str, &str)]),
) -> (u16, String, String) {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = Request::post(path)
        .header(header::HOST, "lage.example")
        .header(header::ACCEPT, "text/html")
        .header(header::AUTHORIZATION, format!("Bearer {who}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body));
    told(world.sent(request.unwrap()).await).await
}
