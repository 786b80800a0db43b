//! What connectors share, so that each is only about its product: the one HTTP client, SSH, the
//! rules for addresses, secrets and the net that catches them, deadlines that know what was sent.

mod address;
mod allow;
mod deadline;
mod fence;
mod http;
mod known_hosts;
mod outcome;
mod secret;
mod shell;
mod ssh;
mod table;
mod text;
mod tls;
mod vault;
mod words;

pub use address::{forbidden, is_loopback_name, look_up};
pub(crate) use allow::segments;
pub use allow::{Allow, AllowEntry};
pub use deadline::{Progress, within};
pub use fence::Fence;
pub use http::{Client, ClientSettings, Request, Response};
pub use outcome::judge;
pub use secret::{Net, SystemSecrets};
pub use shell::{Shell, posix_quoted};
pub use ssh::{Command, Doing, Finished, Session, Ssh, SshSettings};
pub use table::{Columns, Row, Table, TableError};
pub use text::excerpt;
pub use tls::private_authority;
pub use vault::Vault;
pub use words::{action, secret_schema};
