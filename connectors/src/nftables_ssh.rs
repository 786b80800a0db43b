//! `nftables-ssh`: a Linux router or host as firewall, over SSH. Capability `network`.
//!
//! It works in a table of its own (`table inet beistand`), sets states instead of toggling them,
//! and confirms each by reading the table back. A way in for us always stays: the addresses listed
//! as `management`, and whoever the router sees on the other end of this SSH connection. What does
//! not pass through this machine, for example between two hosts on one switch, it can not cut.

mod script;
mod table;
mod wanted;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use beistand_connector_api::{
    ActionName, Answer, BoxFuture, Call, CallError, Connector, ConnectorSpec, EffectClass, Millis,
    Offer, Probed, Reached, Schema, SchemaType, SecretReference, Span, Target, Value,
};
use ipnet::IpNet;
use serde::Deserialize;
use serde_json::json;

use self::script::{Change, TABLE, transaction};
use self::table::Table;
use self::wanted::{Wanted, range};
use crate::kit::{
    Command, Doing, Finished, Progress, Session, Ssh, SshSettings, action, posix_quoted,
    secret_schema, within,
};
use crate::{Maker, Settings, SettingsError};

/// The registry's entry.
pub const MAKER: Maker = Maker {
    kind: "nftables-ssh",
    title: "nftables on a Linux router or host, over SSH",
    settings,
    spec,
    build,
};

/// Tens of thousands of elements, as nft writes them in JSON.
const TABLE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long `connectors test` waits.
const HEALTH_TIMEOUT: Span = Span::from_secs(15);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    host: String,
    #[serde(default = "port")]
    port: u16,
    user: String,
    key: SecretReference,
    known_hosts: PathBuf,
    /// Addresses that are never cut.
    #[serde(default)]
    management: Vec<Range>,
    /// How nft is called, for example `[sudo, -n, nft]`.
    #[serde(default = "nft")]
    nft: Vec<String>,
}

/// An address or a range, in one text.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Range(IpNet);

impl TryFrom<String> for Range {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        range(&text).map(Self).ok_or_else(|| format!("`{text}` is no address or range"))
    }
}

const fn port() -> u16 {
    22
}

fn nft() -> Vec<String> {
    vec!["nft".to_owned()]
}

fn settings() -> Schema {
    let port = Schema {
        minimum: Some(1.0),
        maximum: Some(65535.0),
        default: Some(json!(22)),
        ..Schema::of(SchemaType::Integer)
    };
    Schema::object([
        ("host", Schema::string().titled("The router, by address or name")),
        ("port", port),
        ("user", Schema::string().titled("An account that may call nft")),
        ("key", secret_schema()),
        ("known_hosts", Schema::string().titled("The file with the router's pinned key")),
        (
            "management",
            Schema::array(Schema::string())
                .optional()
                .titled("Addresses and ranges that are never cut"),
        ),
        (
            "nft",
            Schema::array(Schema::string())
                .optional()
                .titled("How nft is called, for example [sudo, -n, nft]"),
        ),
    ])
}

fn spec() -> ConnectorSpec {
    let offer = |name, class| Offer {
        action: action(name),
        class,
        reach: Reached::Verified,
        settle: Span::ZERO,
    };
    ConnectorSpec {
        kind: MAKER.kind.to_owned(),
        title: MAKER.title.to_owned(),
        source: "nft(8) and libnftables-json(5), nftables 1.0.6".to_owned(),
        offers: vec![
            offer("network.isolate", EffectClass::Idempotent),
            offer("network.release", EffectClass::Idempotent),
            offer("network.block", EffectClass::Idempotent),
            offer("network.unblock", EffectClass::Idempotent),
            offer("network.state", EffectClass::Read),
        ],
    }
}

fn build(settings: &Settings) -> Result<Arc<dyn Connector>, SettingsError> {
    let config: Config = settings.parse()?;
    if config.nft.is_empty() {
        return Err(settings.error("nft", "is empty; leave it out, or write [nft]"));
    }
    let way = SshSettings {
        host: config.host,
        port: config.port,
        user: config.user,
        key: config.key,
        known_hosts: config.known_hosts,
    };
    Ok(Arc::new(Router {
        spec: spec(),
        ssh: Ssh::new(way, Arc::clone(&settings.vault)),
        management: config.management.into_iter().map(|Range(range)| range).collect(),
        nft: config.nft,
        now: settings.now,
    }))
}

#[derive(Debug)]
struct Router {
    spec: ConnectorSpec,
    ssh: Ssh,
    management: Vec<IpNet>,
    nft: Vec<String>,
    now: fn() -> Millis,
}

impl Router {
    async fn act(&self, call: &Call, progress: &Progress) -> Result<Answer, CallError> {
        let wanted = Wanted::read(call, self.now)?;
        if let Wanted::Nothing { state } = wanted {
            return Ok(answer(state));
        }
        let session = self.ssh.open().await?;
        let result = match wanted {
            Wanted::State { addresses, macs } => {
                let table = self.read(&session, progress).await?;
                Ok(answer(if table.isolates(&addresses, &macs) { "isolated" } else { "open" }))
            }
            Wanted::Change(change) => self.change(&session, &change, progress).await,
            Wanted::Nothing { state } => Ok(answer(state)),
        };
        session.close().await;
        result
    }

    async fn change(
        &self,
        session: &Session,
        change: &Change,
        progress: &Progress,
    ) -> Result<Answer, CallError> {
        let mut management = self.management.clone();
        management.push(self.peer(session, progress).await?.into());
        self.spare_ourselves(change, &management)?;
        let text = transaction(&management, change);
        let line = format!("{} -f -", posix_quoted(&self.nft));
        let applied =
            self.run(session, (&line, text.as_bytes(), Doing::Changing), progress).await?;
        if applied.status != Some(0) {
            // nft applies all of a file or nothing of it: a complaint means nothing was done.
            return Err(match applied.status {
                None => CallError::unknown(format!("nft was killed at {}", self.ssh.name())),
                Some(status) => CallError::refused(complaint(&self.ssh, status, &applied)),
            });
        }
        if let Change::Isolate { addresses, .. } = change {
            self.forget_connections(session, addresses, progress).await?;
        }
        let table = self.read(session, progress).await?;
        let (state, holds) = outcome(&table, change);
        if holds {
            Ok(answer(state))
        } else {
            Err(CallError::unknown(format!(
                "nft at {} took the change, but its table does not show it; does somebody else \
                 write to `table {TABLE}`?",
                self.ssh.name()
            )))
        }
    }

    /// Where the router sees us, so that we never cut the branch we sit on.
    async fn peer(&self, session: &Session, progress: &Progress) -> Result<IpAddr, CallError> {
        let line = "printf %s \"$SSH_CONNECTION\"";
        let finished = self.run(session, (line, b"", Doing::Reading), progress).await?;
        let text = String::from_utf8_lossy(&finished.stdout).into_owned();
        let first = text.split_whitespace().next().unwrap_or_default();
        let bare = first.split('%').next().unwrap_or_default();
        bare.parse::<IpAddr>().map(|address| address.to_canonical()).map_err(|_| {
            CallError::refused(format!(
                "{} does not say where this connection comes from (SSH_CONNECTION is `{}`), so \
                 our own way in can not be kept open",
                self.ssh.name(),
                self.ssh.net().excerpt(first.as_bytes(), 60)
            ))
        })
    }

    fn spare_ourselves(&self, change: &Change, management: &[IpNet]) -> Result<(), CallError> {
        let hit = match change {
            Change::Isolate { addresses, .. } => management
                .iter()
                .find(|range| addresses.iter().any(|address| range.contains(address))),
            Change::Block { range, .. } => management
                .iter()
                .find(|ours| ours.contains(&range.network()) || range.contains(&ours.network())),
            Change::Release { .. } | Change::Unblock { .. } => None,
        };
        hit.map_or(Ok(()), |range| {
            Err(CallError::refused(format!(
                "{range} is the management path to {} and is never cut",
                self.ssh.name()
            )))
        })
    }

    /// Flows that the hardware or a flow table forwards past the rules end with their entry.
    /// conntrack may be missing, and no entry may be there: the rules hold without.
    async fn forget_connections(
        &self,
        session: &Session,
        addresses: &BTreeSet<IpAddr>,
        progress: &Progress,
    ) -> Result<(), CallError> {
        let prefix = match self.nft.split_last() {
            Some((_, [])) | None => String::new(),
            Some((_, prefix)) => format!("{} ", posix_quoted(prefix)),
        };
        let mut orders = vec!["command -v conntrack >/dev/null 2>&1 || exit 0".to_owned()];
        for address in addresses {
            orders.extend(
                ["-s", "-d"]
                    .map(|way| format!("{prefix}conntrack -D {way} {address} >/dev/null 2>&1")),
            );
        }
        orders.push("exit 0".to_owned());
        let line = orders.join("; ");
        self.run(session, (&line, b"", Doing::Changing), progress).await.map(drop)
    }

    async fn read(&self, session: &Session, progress: &Progress) -> Result<Table, CallError> {
        let line = format!("{} -j list table {TABLE}", posix_quoted(&self.nft));
        let finished = self.run(session, (&line, b"", Doing::Reading), progress).await?;
        let host = self.ssh.name();
        let complaint_text = String::from_utf8_lossy(&finished.stderr).into_owned();
        match finished.status {
            Some(0) => {}
            Some(1) if complaint_text.contains("No such file or directory") => {
                return Ok(Table::default());
            }
            Some(status) => {
                let message = complaint(&self.ssh, status, &finished);
                return Err(if progress.was_sent() {
                    CallError::unknown(message)
                } else {
                    CallError::refused(message)
                });
            }
            None => return Err(progress.lost(format!("nft was killed at {host}"))),
        }
        Table::read(&finished.stdout).map_err(|message| progress.lost(format!("{host}: {message}")))
    }

    /// Runs a line in the other side's `sh`, with the folders of administrators in its path.
    async fn run(
        &self,
        session: &Session,
        (line, stdin, doing): (&str, &[u8], Doing),
        progress: &Progress,
    ) -> Result<Finished, CallError> {
        let script = format!("PATH=\"$PATH:/usr/local/sbin:/usr/sbin:/sbin\"; {line}");
        let line = posix_quoted(&["sh", "-c", script.as_str()]);
        let output_bytes_max = TABLE_BYTES_MAX;
        session.run(&Command { line: &line, stdin, doing, output_bytes_max }, progress).await
    }

    async fn look(&self, progress: &Progress) -> Result<String, CallError> {
        let session = self.ssh.open().await?;
        let peer = self.peer(&session, progress).await?;
        let line = format!("{} -j list tables", posix_quoted(&self.nft));
        let finished = self.run(&session, (&line, b"", Doing::Reading), progress).await?;
        session.close().await;
        let host = self.ssh.name();
        match finished.status {
            Some(0) => Ok(format!("nft answers at {host}, which sees us as {peer}")),
            status => Err(CallError::refused(complaint(&self.ssh, status.unwrap_or(0), &finished))),
        }
    }
}

/// What the table must show after a change, and whether it does.
fn outcome(table: &Table, change: &Change) -> (&'static str, bool) {
    match change {
        Change::Isolate { addresses, macs } => ("isolated", table.isolates(addresses, macs)),
        Change::Release { addresses, macs } => ("open", !table.touches(addresses, macs)),
        Change::Block { range, .. } => ("blocked", table.blocks(range)),
        Change::Unblock { range } => ("open", !table.blocks(range)),
    }
}

fn answer(state: &str) -> Answer {
    Answer { output: json!({ "state": state }), reached: Reached::Verified }
}

fn complaint(ssh: &Ssh, status: u32, finished: &Finished) -> String {
    let (host, said) = (ssh.name(), ssh.net().excerpt(&finished.stderr, 300));
    let hint = if status == 127 {
        "; is nftables installed there?"
    } else if said.contains("Operation not permitted") {
        "; may this account call nft? See the setting `nft`, for example [sudo, -n, nft]"
    } else if said.contains("overlaps") {
        "; a range that is blocked already overlaps with this one"
    } else {
        ""
    };
    format!("nft at {host} said no ({status}): {said}{hint}")
}

impl Connector for Router {
    fn spec(&self) -> &ConnectorSpec {
        &self.spec
    }

    fn offer(&self, action: &ActionName, _: &Value) -> Option<Offer> {
        self.spec.offer(action).cloned()
    }

    fn destructive(&self, _: &ActionName, _: &Value) -> bool {
        false
    }

    fn goes_to(&self, _: &ActionName, _: &Value) -> Option<Target> {
        None
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Answer, CallError>> {
        Box::pin(async move {
            let progress = Progress::default();
            within(call.timeout, &progress, self.ssh.name(), self.act(call, &progress)).await
        })
    }

    fn probe<'a>(&'a self, _: &'a Call) -> BoxFuture<'a, Probed> {
        Box::pin(async { Probed::Unknown })
    }

    fn health(&self) -> BoxFuture<'_, Result<String, CallError>> {
        Box::pin(async {
            let progress = Progress::default();
            within(HEALTH_TIMEOUT, &progress, self.ssh.name(), self.look(&progress)).await
        })
    }
}
