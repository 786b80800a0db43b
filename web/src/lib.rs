//! The server: TLS, limits, rights, and the JSON interface over the engine.
//!
//! The only crate that knows HTTP. It decides nothing about incidents: a handler reads a request
//! into what the engine understands, asks it, and says what came of it.
//!
//! ```text
//!  socket ─► connection ─► headers ─► strict ─► THE TABLE ─► who ─► right ─► body ─► lane ─► handler
//!            [`server`]    [`headers`] [`strict`] [`routes`]  └────────── [`gate`] ─────────┘      │
//!  └───────── [`threads`], and of handlers what only reads ─────────┘    the engine's: what acts ◄┘
//! ```
//!
//! * [`Server`]: listens, and ends gracefully; connections and reads have threads of their own
//! * [`Doorkeeper`]: who stands behind a credential; given from outside
//! * [`certificate`]: the one it shows, given or self-made
//! * [`table`]: every route with its right and its lane
//! * [`sso`]: an identity provider says who somebody is; asked over a wire given from outside
//! * [`Playbooks`]: the shelves that runs are launched from; given from outside
//! * `draw`: flow and Gantt as SVG, pure
//! * [`Problem`]: the one way in which anything is refused (RFC 9457)

mod api;
mod app;
mod asked;
mod asset;
pub mod certificate;
mod device;
mod door;
mod draw;
mod gate;
mod headers;
mod hook;
mod json;
mod lang;
mod limits;
mod origin;
mod page;
mod peer;
mod pressure;
mod refusals;
mod report;
mod routes;
mod server;
mod share;
mod shelf;
pub mod sso;
mod stream;
mod strict;
mod threads;
#[cfg(test)]
mod trim;
mod words;

pub use api::table;
pub use app::App;
pub use asked::{Asked, At};
pub use door::{Accounts, Credential, Denied, Doorkeeper, Identified, SESSION_COOKIE, Who};
pub use hook::{Hook, Hooks, SECRET_BYTES_MIN};
pub use json::Exact;
pub use limits::Limits;
pub use peer::{Peer, Proxies};
pub use pressure::Lane;
pub use report::Problem;
pub use routes::{Declared, Right, Routes};
pub use server::{Leave, ServeError, Server, Settings};
pub use shelf::{Found, Playbooks};
pub use threads::Threads;
