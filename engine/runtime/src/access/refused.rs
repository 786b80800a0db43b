//! What was refused stands in the journal, so that who tries doors is seen; and not so often that the
//! trying fills it.

use beistand_core::access::Changed;
use beistand_core::model::Span;
use beistand_core::run::Actor;

use crate::engine::Engine;
use crate::error::EngineError;

/// Refusals of one person that are written down within [`WINDOW`]; more say nothing new.
const WRITTEN_MAX: u64 = 30;

/// See [`WRITTEN_MAX`].
const WINDOW: Span = Span::from_secs(3600);

impl Engine {
    /// Writes down that somebody may not do what they asked for.
    pub(crate) async fn refused(
        &self,
        by: &Actor,
        act: &str,
        about: Option<String>,
    ) -> Result<(), EngineError> {
        if !self.has_accounts().await? {
            return Ok(());
        }
        let now = self.0.clock.now();
        let key = format!("refused/{}", by.person);
        let before = self.0.journal.reader().tally(&key, now).await?.0;
        if before >= WRITTEN_MAX {
            return Ok(());
        }
        self.0.journal.count(&key, now, now.plus(WINDOW)).await?;
        let change = Changed::Refused { act: act.to_owned(), about };
        self.access_changed(change, by.clone()).await
    }
}
