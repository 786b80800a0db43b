//! The listener: connections within their limits, TLS, and an end that lets go of nobody half way.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::certificate::Certificate;
use crate::door::Doorkeeper;
use crate::gate::{Connected, Gate};
use crate::limits::Limits;
use crate::peer::Proxies;
use crate::routes::Routes;
use crate::threads::Threads;

/// After a connection could not be taken (no file left, no memory) the next is tried so much later.
const AFTER_A_FAILURE: Duration = Duration::from_millis(100);

/// Where and how to listen.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address.
    pub listen: SocketAddr,
    /// What is shown; without it everybody in between reads along.
    pub certificate: Option<Certificate>,
    /// Who may say for whom they ask.
    pub proxies: Proxies,
    /// How much of everything.
    pub limits: Limits,
}

/// Why a server does not listen.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Without TLS passwords and votes would cross the network for everybody to read and change.
    #[error("without TLS this server listens only on this very machine, and {0} is not that")]
    Plain(SocketAddr),
    /// The address can not be had.
    #[error("could not listen on {address}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The system gives no threads.
    #[error("could not begin the threads that listen")]
    Threads(#[source] io::Error),
}

/// Tells everybody that the server ends. Cheap to clone; told once, and for good.
#[derive(Debug, Clone)]
pub struct Leave(Arc<watch::Sender<bool>>);

impl Default for Leave {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Leave {
    /// The server ends.
    pub fn tell(&self) {
        self.0.send_replace(true);
    }
    /// Whether that was told.
    pub fn is_told(&self) -> bool {
        *self.0.borrow()
    }
    /// Waits until it is told.
    pub async fn told(&self) {
        // The sender lives as long as this does, so that waiting can only end by its word.
        drop(self.0.subscribe().wait_for(|told| *told).await);
    }
}

/// A server that has its address and takes nobody yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    threads: Threads,
    settings: Settings,
}

impl Settings {
    /// Whether one may listen like this.
    ///
    /// # Errors
    /// [`ServeError::Plain`] for a reachable address without TLS.
    pub fn check(&self) -> Result<(), ServeError> {
        let plain = self.certificate.is_none();
        let reachable = !self.listen.ip().to_canonical().is_loopback();
        if plain && reachable { Err(ServeError::Plain(self.listen)) } else { Ok(()) }
    }
}

impl Server {
    /// Takes the address.
    ///
    /// # Errors
    /// [`ServeError::Plain`] for a reachable address without TLS; [`ServeError::Listen`] when
    /// somebody else has it; [`ServeError::Threads`].
    pub async fn bind(settings: Settings) -> Result<Self, ServeError> {
        settings.check()?;
        let address = settings.listen;
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|source| ServeError::Listen { address, source })?;
        let threads = Threads::open().map_err(ServeError::Threads)?;
        Ok(Self { listener, threads, settings })
    }

    /// Where it listens; the port that was given where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap_or(self.settings.listen)
    }

    /// Serves until told to leave; then nobody new is taken, and who is under way has
    /// [`Limits::leave_within`]. What acts is done in the runtime that this is called in.
    ///
    /// The threads are given back, to be dropped when the store is left: connections to it that they
    /// opened are of use to others, and end with them.
    pub async fn run<S>(
        self,
        routes: Routes<S>,
        state: S,
        door: Arc<dyn Doorkeeper>,
        leave: Leave,
    ) -> Threads
    where
        S: Clone + Send + Sync + 'static,
    {
        let Self { listener, threads, settings } = self;
        let limits = settings.limits;
        let tls = settings.certificate.map(|shown| TlsAcceptor::from(shown.config()));
        let gate = Arc::new(Gate::new(door, limits.clone(), settings.proxies, tls.is_some()));
        let behind = routes.behind(&gate, state);
        let served =
            Arc::new(Served { router: behind, tls, limits: limits.clone(), leave: leave.clone() });
        let guests = Guests::new(&gate);
        let serving = threads.spawn(async move {
            let graceful = GracefulShutdown::new();
            while let Some((stream, peer, place)) = next(&listener, &guests, &leave).await {
                let connection = Arc::clone(&served).connection(stream, peer, graceful.watcher());
                tokio::spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            drop(listener);
            let until = Instant::now() + limits.leave_within;
            drop(timeout_at(until, graceful.shutdown()).await);
            drop(timeout_at(until, gate.pressure.idle()).await);
        });
        if let Some(serving) = serving {
            drop(serving.await);
        }
        threads
    }
}

/// The next connection that there is a place for; none when it is time to leave.
async fn next(
    listener: &TcpListener,
    guests: &Guests,
    leave: &Leave,
) -> Option<(TcpStream, SocketAddr, Place)> {
    loop {
        let accepted = async {
            let place = guests.place().await;
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            biased;
            () = leave.told() => return None,
            accepted = accepted => accepted,
        };
        match (accepted, place) {
            (Ok((stream, peer)), Some(place)) => {
                // Whoever holds too many connections is given no more: it is closed at once.
                if let Some(place) = guests.seat(place, peer.ip()) {
                    return Some((stream, peer, place));
                }
            }
            (Err(error), _) => {
                tracing::warn!(%error, "A connection could not be taken.");
                sleep(AFTER_A_FAILURE).await;
            }
            (Ok(_), None) => return None,
        }
    }
}

/// What every connection needs.
struct Served {
    router: Router,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    leave: Leave,
}

impl Served {
    async fn connection(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "A connection was gone at once.");
            return;
        }
        let Some(tls) = &self.tls else { return self.http(stream, peer, watcher).await };
        let handshake = timeout(self.limits.handshake_within, tls.accept(stream));
        let shaken = tokio::select! {
            // Nothing was asked yet, so nothing is cut.
            () = self.leave.told() => return,
            shaken = handshake => shaken,
        };
        match shaken {
            Ok(Ok(stream)) => self.http(stream, peer, watcher).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "A handshake failed."),
            Err(_) => tracing::debug!(%peer, "A handshake took too long."),
        }
    }

    async fn http<T>(&self, stream: T, peer: SocketAddr, watcher: Watcher)
    where
        T: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let service = hyper::service::service_fn(|request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Connected(peer));
            self.router.clone().oneshot(request)
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_within)
            .max_headers(self.limits.headers_max)
            .max_header_size(self.limits.head_bytes_max);
        let connection = http.serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%peer, %error, "A connection broke off.");
        }
    }
}

/// How many connections an address has.
type Counts = Arc<Mutex<BTreeMap<IpAddr, u32>>>;

/// Counts connections, together and by address.
struct Guests {
    places: Arc<Semaphore>,
    by_address: Counts,
    gate: Arc<Gate>,
}

/// A connection's place; given back when dropped.
struct Place {
    _permit: OwnedSemaphorePermit,
    counted: Option<(Counts, IpAddr)>,
}

impl Guests {
    fn new(gate: &Arc<Gate>) -> Self {
        let places = Arc::new(Semaphore::new(gate.limits.connections_max as usize));
        Self { places, by_address: Arc::default(), gate: Arc::clone(gate) }
    }

    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    fn seat(&self, permit: OwnedSemaphorePermit, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        if address.is_loopback() || self.gate.proxies.trusts(address) {
            return Some(Place { _permit: permit, counted: None });
        }
        let mut counts = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= self.gate.limits.connections_per_peer_max {
            return None;
        }
        *count += 1;
        Some(Place { _permit: permit, counted: Some((Arc::clone(&self.by_address), address)) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((counts, address)) = &self.counted else { return };
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(address);
            }
        }
    }
}
