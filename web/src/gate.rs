//! The way in: what every request passes before its handler, in this order.
//!
//! 1. The answer will have its headers, and whoever is refused is seen; who is at the other end is
//!    settled; the path has one spelling; nobody else's page sent it. What is not there is not there
//!    for anybody: the table is no secret, and nobody is looked up for it.
//! 2. Who asks, and whether they may: in a lane of its own, in which nobody is turned away, so that
//!    who is nobody takes no place of those who are somebody. What a page's form sent whose session
//!    ended meanwhile goes along with the refusal.
//! 3. The body as a whole, without a place: a slow client keeps nobody waiting. A stranger's is small,
//!    and comes soon or not at all. Who asks is found out once more then: whoever was shut out
//!    meanwhile is out.
//! 4. A place in the route's lane, and the handler, in a task of its own: neither a client that leaves
//!    nor a time limit cuts it half way, and a panic in it is an answer. What acts is done on the
//!    engine's threads, and waits behind nobody who reads.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::HttpBody as _;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use beistand_core::access::About;
use beistand_runtime::Caller;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::door::{Denied, Doorkeeper, Who, credential};
use crate::limits::{BODY_BYTES_MAX, Limits, STRANGERS_BYTES_MAX, whole};
use crate::page::{Asker, kept};
use crate::peer::{Peer, Proxies};
use crate::pressure::{Lane, Pressure, Stranger};
use crate::refusals::{Refusals, Route};
use crate::report::Problem;
use crate::routes::{Right, Rule};
use crate::{headers, origin, strict};

/// The address at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Connected(pub(crate) SocketAddr);

/// What the way in needs to know.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) door: Arc<dyn Doorkeeper>,
    pub(crate) pressure: Pressure,
    pub(crate) limits: Limits,
    pub(crate) proxies: Proxies,
    pub(crate) tls: bool,
    refusals: Refusals,
    /// Where the engine runs.
    engine: Handle,
}

/// A route's part of the way.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) gate: Arc<Gate>,
    pub(crate) rule: Rule,
    pub(crate) path: String,
}

/// Room for a body; given back when dropped.
struct Memory {
    _large: Option<OwnedSemaphorePermit>,
    _stranger: Option<Stranger>,
}

/// Before the table: of every request, whatever it asks for.
pub(crate) async fn enter(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let nobody = SocketAddr::from(([0; 4], 0));
    let connected = parts.extensions.get().map_or(nobody, |Connected(address)| *address);
    let peer = Peer::of(connected, gate.tls, &mut parts.headers, &gate.proxies);
    let tls = peer.tls;
    let (method, address) = (parts.method.clone(), peer.address);
    let path = parts.uri.path().to_owned();
    let asker = Asker::of(&parts);
    let mut response = match Gate::look(&parts, &peer) {
        Ok(()) => {
            parts.extensions.insert(peer.clone());
            next.run(Request::from_parts(parts, body)).await
        }
        Err(problem) => problem.into_response(),
    };
    if let Some(asker) = asker {
        response = asker.shown(response);
    }
    headers::secure(response.headers_mut(), tls);
    gate.refusals.see(&response, &method, &peer);
    // What was done stands in the journal; this is for whoever looks for a client that misbehaves.
    let status = response.status().as_u16();
    tracing::debug!(%method, path, status, peer = %address, "A request was answered.");
    response
}

/// Of a request for a route of the table.
pub(crate) async fn pass(State(post): State<Post>, request: Request, next: Next) -> Response {
    let passed = post.gate.pass(post.rule, request, next).await;
    let mut response = passed.unwrap_or_else(IntoResponse::into_response);
    response.extensions_mut().insert(Route(post.path));
    response
}

impl Gate {
    /// Of a server whose engine runs where this is called.
    pub(crate) fn new(
        door: Arc<dyn Doorkeeper>,
        limits: Limits,
        proxies: Proxies,
        tls: bool,
    ) -> Self {
        let (pressure, refusals) = (Pressure::new(&limits), Refusals::default());
        Self { door, pressure, limits, proxies, tls, refusals, engine: Handle::current() }
    }

    fn look(parts: &Parts, peer: &Peer) -> Result<(), Problem> {
        if peer.host.is_none() {
            return Err(Problem::malformed("a request names one host, in the header `Host`"));
        }
        origin::check(&parts.method, &parts.headers, peer)?;
        if strict::is_plain(&parts.uri) { Ok(()) } else { Err(nothing_here()) }
    }

    async fn pass(&self, rule: Rule, request: Request, next: Next) -> Result<Response, Problem> {
        let mut caller = match self.admitted(rule, request.headers()).await {
            Ok(caller) => caller,
            Err(problem) => return Ok(self.turned_away(problem, request).await),
        };
        let (mut request, memory) = if request.body().is_end_stream() {
            (request, None)
        } else {
            let memory = self.memory(rule, request.extensions().get())?;
            let within = match rule.right {
                Right::Public => self.limits.strangers_within,
                Right::LoggedIn | Right::Needs(_) | Right::NeedsThere(_) => self.limits.body_within,
            };
            let request = whole(request, rule.body_bytes_max, within).await?;
            caller = self.admitted(rule, request.headers()).await?;
            (request, Some(memory))
        };
        let person = caller.as_ref().map(|caller| &caller.actor.person);
        let turn = self.pressure.turn(rule.lane, person).await?;
        if let Some(caller) = caller {
            request.extensions_mut().insert(Who(caller));
        }
        let only_reads = request.method().is_safe();
        let handling = async move {
            let response = next.run(request).await;
            drop((turn, memory));
            response
        };
        let task = if only_reads { tokio::spawn(handling) } else { self.engine.spawn(handling) };
        match timeout(self.limits.request_within, task).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(broken)) => Err(Problem::internal(&broken)),
            Err(_) => {
                let within = self.limits.request_within.as_secs();
                let text = format!("this was not done within {within} s, and goes on");
                let hint = "look whether it was done before you ask for it again";
                Err(Problem::unavailable(text).hint(hint))
            }
        }
    }

    /// Whose session ended while they typed gets back what they typed.
    async fn turned_away(&self, problem: Problem, request: Request) -> Response {
        let is_nobody = problem.status() == StatusCode::UNAUTHORIZED;
        let again = if is_nobody && !request.method().is_safe() {
            kept(request, self.limits.strangers_within).await
        } else {
            None
        };
        let mut response = problem.into_response();
        if let Some(again) = again {
            response.extensions_mut().insert(again);
        }
        response
    }

    /// Room for a body, until it is dropped: what is large, and what strangers send, has a bound in all.
    fn memory(&self, rule: Rule, peer: Option<&Peer>) -> Result<Memory, Problem> {
        let is_large = rule.body_bytes_max > BODY_BYTES_MAX;
        let large = is_large.then(|| self.pressure.large(rule.lane)).transpose()?;
        let says_much = rule.right == Right::Public && rule.body_bytes_max > STRANGERS_BYTES_MAX;
        let sender = peer.filter(|_| says_much);
        let stranger = sender.map(|peer| self.pressure.stranger(peer)).transpose()?;
        Ok(Memory { _large: large, _stranger: stranger })
    }

    /// Who asks, where the right wants somebody.
    async fn admitted(&self, rule: Rule, headers: &HeaderMap) -> Result<Option<Caller>, Problem> {
        let caller = || self.caller(headers, rule.lane);
        let (caller, may, lacks) = match rule.right {
            Right::Public => return Ok(None),
            Right::LoggedIn => return caller().await.map(Some),
            Right::Needs(one) => {
                let caller = caller().await?;
                let may = caller.rights.may(one, &About::Instance);
                (caller, may, one)
            }
            Right::NeedsThere(one) => {
                let caller = caller().await?;
                let may = caller.rights.may_somewhere(one);
                (caller, may, one)
            }
        };
        if may { Ok(Some(caller)) } else { Err(Problem::lacks(lacks)) }
    }

    async fn caller(&self, headers: &HeaderMap, lane: Lane) -> Result<Caller, Problem> {
        let shown = credential(headers).ok_or_else(Problem::unauthorized)?;
        let _turn = self.pressure.asks(lane).await?;
        self.door.identify(shown).await.map_err(|denied| match &denied {
            Denied::Invalid => Problem::unauthorized().because(&denied),
            Denied::Unavailable(_) => {
                Problem::unavailable("who you are can not be found out now").because(&denied)
            }
        })
    }

    /// For a method that a path does not have: a door, and only who is somebody is told more.
    pub(crate) async fn other_method(&self, headers: &HeaderMap) -> Problem {
        let caller = self.caller(headers, Lane::Ordinary).await;
        caller.map_or_else(|refused| refused, |_| Problem::method_not_allowed())
    }
}

/// 404 for a path.
pub(crate) fn nothing_here() -> Problem {
    Problem::not_found("there is nothing at this path")
        .hint("`/api/v1/openapi.json` lists every path in its one spelling")
}
