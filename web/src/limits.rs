//! How much of everything a client may take, and how long it may take for it; bodies are read here.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::Request;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

use crate::report::Problem;

/// What a body has room for where nothing else is said, in bytes: a long form, not a file.
pub(crate) const BODY_BYTES_MAX: usize = 256 << 10;

/// What a body of somebody has room for who is not known yet: words, and what a passkey answers.
pub(crate) const STRANGERS_BYTES_MAX: usize = 16 << 10;

/// Every limit of the server. The defaults are what a small machine bears.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Header lines of a request. A browser behind two proxies sends about 40.
    pub headers_max: usize,
    /// Request line and headers together, in bytes.
    pub head_bytes_max: usize,
    /// How long a request line and headers may take; also how long a connection may lie idle.
    pub head_within: Duration,
    /// How long a TLS handshake may take.
    pub handshake_within: Duration,
    /// How long a body may take.
    pub body_within: Duration,
    /// How long one of somebody may take who is not known yet.
    pub strangers_within: Duration,
    /// How long a handler may take until it answers; what it began goes on to its end.
    pub request_within: Duration,
    /// Connections at once: 500 who watch, and room for others.
    pub connections_max: u32,
    /// Connections at once from one address, so that one host alone can not shut out all others.
    /// Proxies that are trusted, and this machine, stand for many.
    pub connections_per_peer_max: u32,
    /// Ordinary requests at work.
    pub at_work_max: u32,
    /// Ordinary requests that wait for a place.
    pub waiting_max: u32,
    /// Urgent requests at work.
    pub urgent_at_work_max: u32,
    /// Urgent requests that wait for a place.
    pub urgent_waiting_max: u32,
    /// Urgent requests of one person, at work or waiting: somebody answers what is before them, and
    /// a page or two beside it.
    pub urgent_of_one_max: u32,
    /// Logins at work. Each takes a core for tens of milliseconds, and anybody can ask for one.
    pub log_in_at_work_max: u32,
    /// Logins that wait for a place.
    pub log_in_waiting_max: u32,
    /// Requests at once of which it is found out who asks: a read of the store each, where memory does
    /// not know it.
    pub asking_at_work_max: u32,
    /// Texts of playbooks that are checked: a core each for as long as that takes, and nothing depends
    /// on one.
    pub checks_at_work_max: u32,
    /// Texts that wait to be checked.
    pub checks_waiting_max: u32,
    /// Texts that are held in memory for it.
    pub checked_texts_max: u32,
    /// Large bodies at once, evidence: each is held in memory whole, three times over while it is
    /// read.
    pub large_bodies_max: u32,
    /// Bodies of strangers at once that are larger than a login's: alerts, 16 MiB of them.
    pub strangers_bodies_max: u32,
    /// Of these from one network. Whoever has more networks can take all connections as well.
    pub strangers_bodies_of_a_network_max: u32,
    /// How long a request waits for a place. A reader who waits longer has reloaded already.
    pub waits_within: Duration,
    /// After how long who finds no seat is told so.
    pub turned_away_after: Duration,
    /// How long a graceful end waits for requests under way.
    pub leave_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            headers_max: 64,
            head_bytes_max: 16 << 10,
            head_within: Duration::from_secs(5),
            handshake_within: Duration::from_secs(5),
            body_within: Duration::from_secs(10),
            strangers_within: Duration::from_secs(5),
            request_within: Duration::from_secs(30),
            connections_max: 2_048,
            connections_per_peer_max: 256,
            at_work_max: 32,
            waiting_max: 256,
            urgent_at_work_max: 16,
            urgent_waiting_max: 128,
            urgent_of_one_max: 8,
            log_in_at_work_max: 4,
            log_in_waiting_max: 64,
            asking_at_work_max: 16,
            checks_at_work_max: 1,
            checks_waiting_max: 8,
            checked_texts_max: 8,
            large_bodies_max: 2,
            strangers_bodies_max: 256,
            strangers_bodies_of_a_network_max: 32,
            waits_within: Duration::from_secs(2),
            turned_away_after: Duration::from_millis(250),
            leave_within: Duration::from_secs(10),
        }
    }
}

/// Reads a body as a whole, so that nothing waits at work for a slow client.
///
/// # Errors
/// 413 beyond `bytes_max`, said before a byte is read where the client names its length; 408 when
/// it takes too long; 400 when it breaks off.
pub(crate) async fn whole(
    request: Request,
    bytes_max: usize,
    within: Duration,
) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return Ok(Request::from_parts(parts, Body::empty()));
    }
    let length = body.size_hint().lower();
    if usize::try_from(length).map_or(true, |length| length > bytes_max) {
        return Err(Problem::too_large(bytes_max));
    }
    let bytes: Bytes = match timeout(within, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return Err(Problem::too_large(bytes_max));
        }
        Ok(Err(error)) => {
            return Err(Problem::malformed("the body broke off").because(error.as_ref()));
        }
        Err(_) => {
            let text = format!("the body did not come within {} s", within.as_secs());
            return Err(Problem::too_slow(text));
        }
    };
    Ok(Request::from_parts(parts, Body::from(bytes)))
}
