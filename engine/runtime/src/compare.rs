//! Rows against entries: what the tables say must be what the streams fold to.
//!
//! Lists, needs and holds are answered from tables that are written with the entries. Chain and
//! seals say nothing of those tables, so each stream is folded from its first entry on and held
//! against its rows. One stream is in memory at a time, read in one transaction: runs may go on
//! meanwhile. A stream with an erased body can not be folded, and is named and not judged.

mod incident;
mod run;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use beistand_core::access::{AccountKind, CredentialKind, Directory, Grant};
use beistand_core::entry::StreamKind;
use beistand_core::incident::store;
use beistand_core::model::{AccountName, Catalogue, Digest, Millis, Mode, Path, Person};
use beistand_core::playbook::Plan;
use beistand_core::run::Means;
use beistand_journal::{Entry, Reader, Stream};
use beistand_script::Scripts;

use crate::error::EngineError;

/// Streams and entries asked for at once: a page of memory.
const PAGE: u32 = 1_000;

/// Plans kept at once: the runs of a store are of few playbooks.
const PLANS_MAX: usize = 64;

/// A row that is not what the entries say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Whose: `run:…`, or the kind and id of a row that belongs to no stream.
    pub stream: String,
    /// What is in the table, and what the entries say.
    pub what: String,
}

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compared {
    /// Streams whose rows were held against their entries.
    pub streams: u64,
    /// Streams that can not be folded, because a body was erased.
    pub erased: Vec<String>,
    /// Everything that differs.
    pub differences: Vec<Difference>,
}

/// A stream, folded.
enum Folded<S> {
    State(S),
    /// A body was erased: what follows from it is not known any more.
    Erased,
    /// It contradicts itself.
    Broken(String),
}

/// What is held by whom: mode, target, effect and connector.
type Held = (Mode, String, Means);

/// A hold that should be there and is not; a direct release may have cleared it, or another run
/// taken it over.
struct Missing {
    stream: String,
    held: Held,
    since: Millis,
    /// Whose it was.
    path: Path,
    what: String,
}

/// A hold that another run took over: the stream of the run that had it, its step, the target.
type Moved = (String, Path, String);

/// A comparison that goes on.
struct Comparison<'a> {
    reader: Reader,
    scripts: &'a Scripts,
    catalogue: Catalogue,
    plans: BTreeMap<Digest, Arc<Plan>>,
    found: Compared,
    missing: Vec<Missing>,
    /// When targets were last freed by a direct release.
    cleared: BTreeMap<Held, Millis>,
    /// Holds that were taken over.
    moved: BTreeSet<Moved>,
    /// Runs that had not ended when they were looked at.
    unfinished: Vec<Stream>,
}

/// Folds every stream of the store and compares it with its rows.
///
/// # Errors
/// [`EngineError::Store`] where the store can not be read.
pub async fn compare(reader: &Reader, scripts: &Scripts) -> Result<Compared, EngineError> {
    let mut comparison = Comparison {
        reader: reader.steady().await?,
        scripts,
        catalogue: Catalogue::first(),
        plans: BTreeMap::new(),
        found: Compared::default(),
        missing: Vec::new(),
        cleared: BTreeMap::new(),
        moved: BTreeSet::new(),
        unfinished: Vec::new(),
    };
    let mut last = None;
    for kind in [StreamKind::Incident, StreamKind::Store, StreamKind::Run] {
        last = None;
        loop {
            let page = reader.streams(kind, last.as_ref(), PAGE).await?;
            for stream in &page {
                comparison.reader.look_anew().await?;
                comparison.stream(stream).await?;
            }
            let full = page.len() == PAGE as usize;
            last = page.into_iter().next_back().or(last);
            if !full {
                break;
            }
        }
    }
    comparison.settle(reader, last).await?;
    for (kind, id) in reader.strays().await? {
        let what = "it belongs to no stream, no entry speaks of it".to_owned();
        comparison.found.differences.push(Difference { stream: format!("{kind} {id}"), what });
    }
    Ok(comparison.found)
}

impl Comparison<'_> {
    async fn stream(&mut self, stream: &Stream) -> Result<(), EngineError> {
        match stream.kind() {
            StreamKind::Run => self.run(stream).await?,
            StreamKind::Incident => self.incident(stream).await?,
            StreamKind::Store => self.store(stream).await?,
            StreamKind::Aid => return Ok(()),
        }
        self.found.streams += 1;
        Ok(())
    }

    /// What there is to compare with; a stream that can not be folded is written down instead.
    fn judged<S>(&mut self, stream: &Stream, folded: Folded<S>) -> Option<S> {
        match folded {
            Folded::State(state) => return Some(state),
            Folded::Erased => self.found.erased.push(stream.name().to_owned()),
            Folded::Broken(why) => self.differs(stream, why),
        }
        None
    }

    fn differs(&mut self, stream: &Stream, what: String) {
        let stream = stream.name().to_owned();
        self.found.differences.push(Difference { stream, what });
    }

    /// Each pair is a column, what is in it, and what the entries say.
    fn columns(&mut self, stream: &Stream, row: &str, pairs: &[(&str, String, String)]) {
        for (column, found, folded) in pairs {
            if found != folded {
                let what = format!(
                    "{row}: `{column}` is `{found}` in the table and `{folded}` by the entries"
                );
                self.differs(stream, what);
            }
        }
    }

    /// What is in a table and what the entries say, both as lines.
    fn sets(&mut self, stream: &Stream, found: &BTreeSet<String>, folded: &BTreeSet<String>) {
        for line in found.difference(folded) {
            self.differs(stream, format!("{line} is in the table and not in the entries"));
        }
        for line in folded.difference(found) {
            self.differs(stream, format!("{line} is in the entries and not in the table"));
        }
    }

    /// Gives each entry of a stream to `take`, from the first on. `bodies`: whether an erased body
    /// ends it.
    async fn each(
        &self,
        stream: &Stream,
        bodies: bool,
        mut take: impl FnMut(&Entry) -> Result<(), String>,
    ) -> Result<Folded<()>, EngineError> {
        let mut after = 0;
        loop {
            let page = self.reader.entries(stream, after, PAGE).await?;
            for entry in &page {
                if bodies && entry.is_erased() {
                    return Ok(Folded::Erased);
                }
                if let Err(why) = take(entry) {
                    return Ok(Folded::Broken(format!("entry {}: {why}", entry.seq)));
                }
                after = entry.seq;
            }
            if page.len() < PAGE as usize {
                return Ok(Folded::State(()));
            }
        }
    }

    /// The stop switch, the paused connectors, and who may do what; values do not matter for those.
    async fn store(&mut self, stream: &Stream) -> Result<(), EngineError> {
        let mut stopped = false;
        let mut paused = BTreeSet::new();
        let mut directory = Directory::default();
        let folded = self
            .each(stream, false, |entry| {
                let decoded = store::decode(&entry.head, entry.body.as_deref());
                let (_, events) = decoded.map_err(|error| error.to_string())?;
                for event in events {
                    match event.head {
                        store::Head::Stopped | store::Head::Restored { .. } => stopped = true,
                        store::Head::GoneOn => stopped = false,
                        store::Head::ConnectorPaused { connector } => {
                            paused.insert(format!("the pause of `{connector}`"));
                        }
                        store::Head::ConnectorUnpaused { connector } => {
                            paused.remove(&format!("the pause of `{connector}`"));
                        }
                        store::Head::AccessChanged { change } => directory.apply(change),
                        store::Head::BackupMade { .. } | store::Head::Sealed { .. } => {}
                    }
                }
                Ok(())
            })
            .await?;
        if let Folded::Broken(why) = folded {
            self.differs(stream, why);
            return Ok(());
        }
        let switch = |on: bool| if on { "on" } else { "off" }.to_owned();
        let meta = self.reader.meta().await?;
        let row = ("stopped_at", switch(meta.stopped_at.is_some()), switch(stopped));
        self.columns(stream, "the stop switch", &[row]);
        let rows = self.reader.paused().await?;
        let rows = rows.iter().map(|connector| format!("the pause of `{connector}`")).collect();
        self.sets(stream, &rows, &paused);
        self.directory(stream, &directory).await
    }

    /// Accounts, credentials and grants. How a credential proves itself is in no entry, and can not
    /// be compared.
    async fn directory(
        &mut self,
        stream: &Stream,
        directory: &Directory,
    ) -> Result<(), EngineError> {
        let account = |name: &AccountName, kind: AccountKind, person: &Person, usable: bool| {
            let state = if usable { "usable" } else { "locked" };
            format!("the {} account `{name}` of `{person}`, {state},", kind.as_str())
        };
        let credential = |id: &str, account: &AccountName, kind: CredentialKind| {
            format!("the {} `{id}` of account `{account}`", kind.as_str())
        };
        let grant = |grant: &Grant| {
            let until = shown(grant.until);
            format!("`{}` as {} for {} until {until}", grant.person, grant.role, grant.reach)
        };
        let mut found = BTreeSet::new();
        for one in self.reader.accounts().await? {
            found.insert(account(&one.name, one.kind, &one.person, one.locked_at.is_none()));
            for one in self.reader.credentials(&one.name).await? {
                found.insert(credential(&one.id, &one.account, one.kind));
            }
        }
        found.extend(self.reader.grants().await?.iter().map(grant));
        let accounts = directory.accounts.iter();
        let mut folded: BTreeSet<String> = accounts
            .map(|(name, (kind, person, usable))| account(name, *kind, person, *usable))
            .collect();
        let credentials = directory.credentials.iter();
        folded.extend(credentials.map(|(id, (account, kind))| credential(id, account, *kind)));
        folded.extend(directory.grants.iter().map(grant));
        self.sets(stream, &found, &folded);
        Ok(())
    }
}

/// A value that may be absent, as a column shows it.
fn shown<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| value.to_string())
}
