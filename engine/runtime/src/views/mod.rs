//! Reading: what the command line prints as JSON and the HTTP interface answers with.
//!
//! One shape for both, so that a script written against the one works against the other. It writes
//! nothing, takes no lock, reads no clock, and knows neither terminals nor HTTP. Every question
//! takes a `Scope` and is answered through it: whoever may not read something is told that it is
//! not there.
//!
//! * [`Views`]: the questions
//! * [`ViewPage`] and [`Listed`]: a part of a list, and where the next one begins
//! * [`Called`]: who was called to what waits
//! * [`Told`]: an incident's timeline, as lines and as files
//! * [`RunBytes`]: a run ready to be sent, from memory while nothing has changed
//! * [`Feed`]: that something was written, for whoever wants to be told
//!
//! ```text
//!   run_bytes ── how far has it come? (memory, or one query) ── as far as what was rendered? ──► bytes
//!                                                     └─ no: folded on by what was written since
//! ```

mod called;
mod cursor;
mod feed;
mod folded;
mod hold;
mod incident;
mod material;
mod need;
mod outlook;
mod run;
mod seen;
mod tale;
mod told;

use std::sync::{Arc, Mutex};

use beistand_core::model::{Catalogue, IncidentId, RunId};
use beistand_core::playbook::Plan;
use beistand_core::timeline::Scope;
use beistand_journal::{Journal, Reader, Run, RunChanges};
use beistand_script::Scripts;
use serde_json::Value;

use self::called::CALLS;
use self::folded::{RunVersions, STATES, States, VERSIONS};
use self::material::{STREAMS, Streams};
use self::run::{RENDERED, Rendered};
use self::tale::{TALES, Tales};
use crate::engine::lock;
use crate::error::EngineError;
use crate::load::plan_of;
use crate::plans::Plans;
use crate::recent::Recent;

pub use called::Called;
pub use feed::{FEED_ROWS_MAX, Feed, FeedItem};
pub use need::needs_by_code;
pub use run::RunBytes;
pub use told::{Selection, Telling, TimelineFormat, Told};

/// Rows in one answer: more is a page that nobody reads, and each run of a list is folded.
pub const VIEW_ROWS_MAX: u32 = 1_000;

/// Answers questions about a store. Cheap to clone; clones share what they keep in memory.
#[derive(Debug, Clone)]
pub struct Views(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    reader: Reader,
    scripts: Arc<Scripts>,
    catalogue: Catalogue,
    plans: Plans,
    /// Where nobody else can write the store.
    changes: Option<RunChanges>,
    versions: Mutex<RunVersions>,
    states: Mutex<States>,
    rendered: Mutex<Recent<(RunId, Scope), Rendered>>,
    calls: Mutex<Recent<IncidentId, called::Read>>,
    streams: Mutex<Streams>,
    tales: Mutex<Tales>,
}

/// Which part of a list.
#[derive(Debug, Clone, Default)]
pub struct ViewPage {
    /// [`Listed::next`] of the part before; nothing for the first.
    pub cursor: Option<String>,
    /// At most so many; from 1 to [`VIEW_ROWS_MAX`], what is beyond counts as that.
    pub limit: u32,
}

impl ViewPage {
    /// The first so many.
    pub const fn first(limit: u32) -> Self {
        Self { cursor: None, limit }
    }

    fn rows(&self) -> u32 {
        self.limit.clamp(1, VIEW_ROWS_MAX)
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The things, as JSON.
    pub items: Vec<Value>,
    /// Where the next part begins: opaque, fit for a URL. Nothing where this is the last one.
    pub next: Option<String>,
}

impl Views {
    /// Questions to this store. `scripts` checks the playbooks that its runs pinned.
    pub fn new(reader: Reader, scripts: Arc<Scripts>) -> Self {
        Self::with(reader, None, scripts)
    }

    /// The same of a store that this process writes, which knows more of what is still true.
    pub(crate) fn of_writer(journal: &Journal, scripts: Arc<Scripts>) -> Self {
        Self::with(journal.pages().clone(), journal.run_changes(), scripts)
    }

    fn with(reader: Reader, changes: Option<RunChanges>, scripts: Arc<Scripts>) -> Self {
        let (catalogue, plans) = (Catalogue::first(), Plans::default());
        let versions = Mutex::new(Recent::new(VERSIONS));
        let states = Mutex::new(Recent::new(STATES));
        let rendered = Mutex::new(Recent::new(RENDERED));
        let calls = Mutex::new(Recent::new(CALLS));
        Self(Arc::new(Inner {
            reader,
            scripts,
            catalogue,
            plans,
            changes,
            versions,
            states,
            rendered,
            calls,
            streams: Mutex::new(Recent::new(STREAMS)),
            tales: Mutex::new(Recent::new(TALES)),
        }))
    }

    /// The plan that a run pinned.
    async fn plan(&self, row: &Run) -> Result<Arc<Plan>, EngineError> {
        let inner = &self.0;
        if let Some(plan) = inner.plans.get(row.plan) {
            return Ok(plan);
        }
        let plan = plan_of(&inner.reader, row, &inner.catalogue, &inner.scripts).await?;
        let plan = Arc::new(plan);
        inner.plans.put(&plan);
        Ok(plan)
    }
}
