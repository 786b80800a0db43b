//! Lines of an incident as they were told last, for pages that ask for them again and again: told anew
//! only where something was written into the incident, into one of its runs, or into the store's own.

use std::sync::Arc;

use beistand_core::model::IncidentId;
use beistand_core::timeline::{Lang, Scope, TimelineEntry, of_one_incident};
use beistand_journal::Incident;
use tokio::sync::Mutex;

use super::Views;
use super::material::Material;
use super::told::told_of;
use crate::engine::lock;
use crate::error::EngineError;
use crate::recent::{Bounds, Recent};

/// Timelines in memory: an incident in two languages, as everybody sees it and as some towns do. Each
/// counts what it was made of, because it holds that when it is kept nowhere else any more; those of one
/// incident share it, so that less is held than is counted.
pub(super) const TALES: Bounds = Bounds { count: 256, bytes: 128 << 20 };

/// What a line takes beside its sentence, about: its names and numbers.
const LINE_BYTES: usize = 640;

/// Which timeline, in which language, through whose eyes.
type Key = (IncidentId, Lang, Scope);

/// Whoever tells one holds its place: who comes meanwhile waits for that and not for the same work.
pub(super) type Tales = Recent<Key, Arc<Mutex<Option<Tale>>>>;

/// A timeline as it was told.
#[derive(Debug, Clone)]
pub(super) struct Tale {
    /// The newest entry of the whole store before it was told.
    end: i64,
    heads: Vec<(String, u64)>,
    lines: Arc<Vec<TimelineEntry>>,
    material: Arc<Material>,
}

impl Views {
    /// The lines of an incident with everybody's name, and what they were made of.
    pub(super) async fn tale(
        &self,
        incident: &Incident,
        lang: Lang,
        scope: &Scope,
    ) -> Result<(Arc<Vec<TimelineEntry>>, Arc<Material>), EngineError> {
        let key = (incident.id, lang, scope.clone());
        let slot = lock(&self.0.tales).place(&key);
        let mut place = slot.lock().await;
        // Before anything is read: what is written meanwhile makes what was told a thing of before.
        let end = self.0.reader.feed_end().await?;
        if let Some(tale) = place.as_ref().filter(|tale| tale.end == end) {
            return Ok((Arc::clone(&tale.lines), Arc::clone(&tale.material)));
        }
        let material = self.material(incident.id).await?;
        let heads = material.heads();
        let known = place.take().filter(|tale| tale.heads == heads);
        let tale = if let Some(tale) = known {
            Tale { end, ..tale }
        } else {
            // Takes long: others are answered meanwhile.
            let lines = tokio::task::block_in_place(|| {
                let own = of_one_incident(material.own(), &material.ids(), incident.opened_at);
                told_of(&material, (material.entries(), &own), (incident, lang, scope))
            });
            Tale { end, heads, lines: Arc::new(lines), material: Arc::new(material) }
        };
        let (lines, material) = (Arc::clone(&tale.lines), Arc::clone(&tale.material));
        let told: usize = lines.iter().map(|line| LINE_BYTES + line.text.len()).sum();
        let bytes = told + material.bytes();
        *place = Some(tale);
        lock(&self.0.tales).put(key, Arc::clone(&slot), bytes);
        Ok((lines, material))
    }
}
