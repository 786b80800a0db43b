//! What was refused stands in the journal, so that who tries doors is seen; and not so often that the
//! trying fills it.
//!
//! It counts whose hands it was, and it is those that the line names: who types in for others has no
//! budget under each name that they make up, and uses up nobody else's.

use beistand_core::access::Changed;
use beistand_core::incident::store;
use beistand_core::model::Span;
use beistand_core::run::Actor;
use beistand_journal::AppendError;

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
        let (now, hands) = (self.0.clock.now(), by.hands());
        let key = format!("refused/{}", hands.person);
        let before = self.0.journal.doors().tally(&key, now).await?.0;
        if before >= WRITTEN_MAX {
            return Ok(());
        }
        self.0.journal.count(&key, now, now.plus(WINDOW)).await?;
        let change = Changed::Refused { act: act.to_owned(), about };
        let event = store::Event::new(store::Head::AccessChanged { change }, Some(hands));
        // What is kept free on the disk is for what people do.
        match self.0.journal.append(self.store_entry(&[event])?).await {
            Ok(_) => Ok(()),
            Err(AppendError::Full) => {
                tracing::warn!("The disk is full: what was refused is not written down.");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}
