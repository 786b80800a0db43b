//! Alerts from outside. Their signature is the credential: nobody is logged in here.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use beistand_runtime::{Hearing, HookAlert};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::App;
use crate::asked::At;
use crate::hook::{SKEW_MAX, Unsigned, signed};
use crate::json::{Sent, read, says_json};
use crate::report::Problem;

/// An alert is a message, not a file.
pub(super) const BODY_BYTES_MAX: usize = 64 << 10;

/// Where an alert belongs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlertHeard {
    #[schema(format = "uuid")]
    incident: String,
    number: String,
    /// The incident was opened by this alert; otherwise it was about something that goes on.
    opened: bool,
    /// It came before, and nothing was done.
    again: bool,
    /// Where the sender's rule looks and this alert has nothing to be used: JSON pointers.
    missing: Vec<String>,
}

/// Takes in an alert of a configured sender: into an incident, as text.
#[utoipa::path(
    post, path = "/api/v1/hooks/{name}", tag = "hooks",
    request_body(content = Object, description = "Whatever the sender sends, as a JSON object"),
    params(
        ("name" = String, Path, description = "The sender's name in the configuration"),
        ("Beistand-Timestamp" = String, Header, description = "Seconds since 1970, at most 5 minutes off", pattern = "^[0-9]{1,12}$"),
        ("Beistand-Signature" = String, Header, description = "`v1=` and the HMAC-SHA-256 over `v1:TIMESTAMP:BODY` in hex", pattern = "^v1=[0-9a-fA-F]{64}$"),
    ),
    responses((status = 200, description = "It is written down", body = AlertHeard))
)]
pub(super) async fn alert(
    State(app): State<App>,
    At(name): At<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<impl IntoResponse, Problem> {
    let now = app.engine.now();
    let (hook, signed) = signed(app.hooks.get(&name), (&headers, &body), now).map_err(unsigned)?;
    if !says_json(&headers) {
        return Err(Problem::wrong_media_type("application/json"));
    }
    let said: Value = read(&body)?;
    if !said.is_object() {
        return Err(Problem::malformed("an alert is a JSON object"));
    }
    let alert = hook.rule.read(&said);
    let missing = alert.missing.iter().cloned().map(String::from).collect();
    let alert = HookAlert {
        alert,
        hook: name,
        rule: hook.rule.clone(),
        signature: signed.signature,
        sent_at: signed.at,
        // From then on its time is too old.
        until: signed.at.plus(SKEW_MAX).plus(SKEW_MAX),
        quota: hook.quota,
        short: app.short.clone(),
    };
    match app.engine.alert(alert).await? {
        Hearing::Heard(heard) => Ok(Sent(AlertHeard {
            incident: heard.incident.to_string(),
            number: heard.number,
            opened: heard.opened,
            again: heard.again,
            missing,
        })),
        Hearing::TooMany => {
            Err(Problem::too_many("this sender has sent more within a minute than was agreed"))
        }
    }
}

/// What is wrong, as far as it can be seen without the secret. A sender that nobody knows is answered
/// like one whose secret is another.
fn unsigned(why: Unsigned) -> Problem {
    let detail = match why {
        Unsigned::NoTime => "`Beistand-Timestamp` is missing, or there more than once",
        Unsigned::NotATime => "`Beistand-Timestamp` is no number of seconds since 1970",
        Unsigned::NotNow => {
            "the time in `Beistand-Timestamp` is more than five minutes off this server's clock"
        }
        Unsigned::NoSignature => "`Beistand-Signature` is missing, or there more than once",
        Unsigned::NotASignature => "`Beistand-Signature` is not `v1=` and 64 hexadecimal digits",
        Unsigned::Wrong => {
            "there is no such sender, or the signature is not made with its secret over this time \
             and this body"
        }
    };
    Problem::unsigned(detail).hint(
        "send `Beistand-Timestamp` and `Beistand-Signature: v1=` with the HMAC-SHA-256 over \
         `v1:TIMESTAMP:BODY`, the body byte for byte as it is sent",
    )
}
