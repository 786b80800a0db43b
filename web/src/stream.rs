//! Streams of events to clients that stay: how many there are, how much waits for each, when they
//! end.
//!
//! ```text
//!   news, or a while ─► look after the cursor ─► a place for the bytes ─► frame ─► socket
//!                            ▲                        └ given back when they were written
//!                            └── rights looked at again from time to time; the server leaves
//! ```
//!
//! A stream is pulled by its connection and holds a cursor into the store, no queue of its own: who
//! reads slowly falls behind in the store, and not in memory. It ends when the server leaves, when
//! its client does not read, and when what its caller may do is not what it was: then they come back
//! with what they saw last, and are judged anew.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use beistand_core::model::{Person, RunId};
use beistand_runtime::{Caller, Feed, FeedItem, News};
use futures_util::stream::unfold;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::app::App;
use crate::door::credential;
use crate::report::Problem;
use crate::share::{Share, Shares};

/// Streams at once: 500 people and screens, and some who come back before their old one is gone.
const STREAMS_MAX: usize = 600;

/// Of one person: a desk with several windows, a wall of screens under one token. Nobody takes them all.
const STREAMS_OF_ONE_MAX: u32 = 32;

/// Bytes that wait for one client to read them, at most.
const WAITING_BYTES_MAX: usize = 32 << 10;

/// Entries in one frame: an entry is some 200 bytes, and a frame fits twice into what may wait.
const ENTRIES_MAX: u32 = 64;

/// What is sent to a client that lost its connection: when to come back, in milliseconds.
const RETRY_MILLIS: u32 = 2_000;

/// How often of everything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Between two looks at the least: a busy store is told of in bunches.
    pub(crate) looks_apart: Duration,
    /// Between two looks at the most: what another process writes is no news here.
    pub(crate) looks_every: Duration,
    /// Between two signs of life, and two looks at the rights.
    pub(crate) beats_every: Duration,
    /// How long a client may take to read what waits for it.
    pub(crate) read_within: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            looks_apart: Duration::from_millis(200),
            looks_every: Duration::from_secs(2),
            beats_every: Duration::from_secs(5),
            read_within: Duration::from_secs(30),
        }
    }
}

/// Places for streams, and their pace.
#[derive(Debug, Clone)]
pub(crate) struct Streams {
    places: Arc<Semaphore>,
    shares: Shares<Person>,
    pub(crate) pace: Pace,
}

/// A place for a stream, of one person.
#[derive(Debug)]
struct Place {
    _permit: OwnedSemaphorePermit,
    _share: Share<Person>,
}

impl Default for Streams {
    fn default() -> Self {
        Self::new((STREAMS_MAX, STREAMS_OF_ONE_MAX), Pace::default())
    }
}

impl Streams {
    /// So many places, and so many of one person.
    pub(crate) fn new((places, of_one): (usize, u32), pace: Pace) -> Self {
        Self { places: Arc::new(Semaphore::new(places)), shares: Shares::new(of_one), pace }
    }

    fn place(&self, person: &Person) -> Result<Place, Problem> {
        let share = self.shares.take(person).map_err(|held| {
            let text = format!("`{person}` is told of events {held} times already");
            Problem::too_many(text).hint("close one of them; each window needs one")
        })?;
        let full = || Problem::too_many("as many are told of events as this server can bear");
        let permit = Arc::clone(&self.places).try_acquire_owned().map_err(|_| full())?;
        Ok(Place { _permit: permit, _share: share })
    }
}

/// What somebody wants to be told.
#[derive(Debug)]
pub(crate) struct Watch {
    /// Who.
    pub(crate) caller: Caller,
    /// Of one run; of everything where absent.
    pub(crate) of: Option<RunId>,
    /// What they saw last.
    pub(crate) after: Option<i64>,
}

/// A stream of events.
///
/// # Errors
/// 404 for a run that is not there for them, 429 where there is no place, or none more for them.
pub(crate) async fn stream(
    app: App,
    watch: Watch,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let place = app.streams.place(&watch.caller.actor.person)?;
    // News from before the first look: what comes between is looked for once more, and not missed.
    let news = app.engine.news();
    let scope = watch.caller.rights.scope();
    let first = app.views.feed(watch.of, (watch.after, ENTRIES_MAX), &scope).await?;
    let mut shown = HeaderMap::new();
    for name in [header::AUTHORIZATION, header::COOKIE] {
        for value in headers.get_all(&name) {
            shown.append(&name, value.clone());
        }
    }
    let now = Instant::now();
    let told = Listener {
        cursor: first.cursor,
        first: Some(first),
        more: false,
        next_beat: now + app.streams.pace.beats_every,
        waiting: Arc::new(Semaphore::new(WAITING_BYTES_MAX)),
        news,
        shown,
        watch,
        app,
        _place: place,
    };
    let frames = unfold(told, |mut told| async move {
        let frame = told.next().await?;
        Some((Ok::<_, Infallible>(frame), told))
    });
    let mut response = Response::new(Body::from_stream(frames));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // Proxies that gather answers would keep it all to themselves.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// Somebody who is being told.
struct Listener {
    app: App,
    watch: Watch,
    /// What they showed: looked at again from time to time.
    shown: HeaderMap,
    news: Receiver<News>,
    /// Found when the stream was asked for.
    first: Option<Feed>,
    cursor: i64,
    /// There may be more already.
    more: bool,
    next_beat: Instant,
    /// Room for what waits to be read.
    waiting: Arc<Semaphore>,
    _place: Place,
}

/// Bytes on their way; their room is given back when they were written.
struct OnTheWay {
    bytes: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for OnTheWay {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Listener {
    /// The next bytes; none where the stream ends.
    async fn next(&mut self) -> Option<Bytes> {
        let leave = self.app.leave.clone();
        tokio::select! {
            biased;
            () = leave.told() => None,
            frame = self.frame() => frame,
        }
    }

    async fn frame(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            let text = format!("retry: {RETRY_MILLIS}\n{}", self.said(&first));
            // The cursor is said even where nothing was written: who comes back begins there.
            let text = if first.items.is_empty() { self.beat(&text) } else { text };
            return self.sent(text).await;
        }
        loop {
            if !self.more {
                self.wait().await;
            }
            if Instant::now() >= self.next_beat {
                if !self.is_still_theirs().await {
                    return None;
                }
                self.next_beat = Instant::now() + self.app.streams.pace.beats_every;
                let beat = self.beat("");
                return self.sent(beat).await;
            }
            let scope = self.watch.caller.rights.scope();
            let page = (Some(self.cursor), ENTRIES_MAX);
            // Apart: hundreds wait, and few of them look at once.
            let look = Box::pin(self.app.views.feed(self.watch.of, page, &scope));
            let feed = match look.await {
                Ok(feed) => feed,
                Err(error) => {
                    tracing::debug!(%error, "A stream of events ended.");
                    return None;
                }
            };
            let text = self.said(&feed);
            if !feed.items.is_empty() {
                return self.sent(text).await;
            }
        }
    }

    /// Until there may be something new, or it is time for a sign of life.
    async fn wait(&mut self) {
        let pace = self.app.streams.pace;
        sleep(pace.looks_apart).await;
        let until = self.next_beat.min(Instant::now() + pace.looks_every);
        tokio::select! {
            () = news_of(&mut self.news, self.watch.of) => {}
            () = sleep_until(until) => {}
        }
    }

    /// Whether they may still be told: whoever may do something else than before comes anew.
    async fn is_still_theirs(&self) -> bool {
        let Some(shown) = credential(&self.shown) else { return false };
        match self.app.door.identify(shown).await {
            Ok(caller) => {
                let before = &self.watch.caller;
                caller.actor.person == before.actor.person && caller.rights == before.rights
            }
            Err(denied) => {
                tracing::debug!(%denied, "A stream of events ended.");
                false
            }
        }
    }

    /// What was written, as frames; where to go on is kept.
    fn said(&mut self, feed: &Feed) -> String {
        self.cursor = feed.cursor;
        self.more = feed.more;
        feed.items.iter().map(frame).collect()
    }

    /// A sign of life, with where to go on: an event without data is none, and its id is kept.
    fn beat(&self, before: &str) -> String {
        format!("{before}: \nid: {}\n\n", self.cursor)
    }

    /// Bytes, as soon as there is room for them; none where the client does not read.
    async fn sent(&self, text: String) -> Option<Bytes> {
        let bytes = text.into_bytes();
        let size = u32::try_from(bytes.len().min(WAITING_BYTES_MAX)).ok()?;
        let room = Arc::clone(&self.waiting).acquire_many_owned(size);
        let Ok(Ok(room)) = timeout(self.app.streams.pace.read_within, room).await else {
            tracing::debug!("A client does not read its events.");
            return None;
        };
        Some(Bytes::from_owner(OnTheWay { bytes, _room: room }))
    }
}

/// An event as it is sent (HTML, section 9.2.6).
fn frame(item: &FeedItem) -> String {
    let data = json!({
        "stream": item.stream,
        "id": item.id,
        "seq": item.seq,
        "at": item.at.to_string(),
        "kinds": item.kinds,
    });
    format!("id: {}\nevent: {}\ndata: {data}\n\n", item.cursor, item.stream)
}

/// Until something happens to a run, or to any. Who lags behind has news as well.
async fn news_of(news: &mut Receiver<News>, of: Option<RunId>) {
    loop {
        match news.recv().await {
            Ok(one) if of.is_none_or(|run| run == one.run) => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}
