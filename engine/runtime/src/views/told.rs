//! An incident's timeline: its lines as JSON, page by page, and the files that are made of them.

use std::cmp::Ordering;
use std::sync::Arc;

use beistand_core::model::{IncidentId, Millis, Mode, RunId, Tlp};
use beistand_core::timeline::{
    Chain, Document, Filter, Lang, Layout, Metrics, Numbers, Persons, Recorded, Review, Scope,
    Sheet, StoryEntry, Subject, TimelineEntry, Zone, bound, csv, html, jsonl, metrics,
    of_one_incident, review, sheet, stix, story, table, timeline,
};
use beistand_journal::Incident;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::material::Material;
use super::{Listed, ViewPage, Views, cursor};
use crate::error::EngineError;

/// The word of a seal's line.
const SEALED: &str = "sealed";

/// How a timeline is told.
#[derive(Debug, Clone, Copy)]
pub struct Telling {
    /// The language of its sentences.
    pub lang: Lang,
    /// The zone of what people read; JSON has UTC.
    pub zone: Zone,
    /// The instant it tells until.
    pub now: Millis,
}

/// What a timeline is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimelineFormat {
    /// For a terminal.
    Table {
        /// Columns.
        width: usize,
        /// With what is noise for most readers.
        all: bool,
        /// With the name of each line.
        ids: bool,
    },
    /// A line an entry, with the chain.
    Jsonl,
    /// For a spreadsheet.
    Csv,
    /// A page for people, with the chain.
    Html,
    /// A bundle for other systems.
    Stix,
}

/// Which lines, and what of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Which lines.
    pub filter: Filter,
    /// Whether they say who.
    pub persons: Persons,
    /// For readers of this marking: runs above it are left out, and an incident above it is refused.
    pub up_to: Option<Tlp>,
}

/// An incident's timeline through somebody's eyes: nothing is left in it that is not for them.
#[derive(Debug)]
pub struct Told {
    /// The incident's number for people.
    pub number: String,
    /// Its title, where these eyes may read it.
    pub title: Option<String>,
    /// Real or not.
    pub mode: Mode,
    /// Who may read it.
    pub tlp: Tlp,
    /// In order; shared with whoever else was told the same.
    pub lines: Arc<Vec<TimelineEntry>>,
    /// Which of all lines these are.
    filter: Filter,
    /// Whether they say who.
    persons: Persons,
    /// Which incident, and when it was opened; none for the store's own.
    incident: Option<(IncidentId, Millis)>,
    /// What the exports carry for [`Chain::check`]. Heads name organisations, paths and people, and
    /// the check needs them byte for byte: only who may read everything is given them.
    chained: Option<Arc<Material>>,
}

/// Where the next part of a timeline begins: after this line of this entry. Lines that are written
/// down meanwhile move nothing.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    when: Millis,
    at: Millis,
    stream: String,
    seq: u64,
    line: u16,
}

impl Told {
    /// Number and title.
    pub fn heading(&self) -> String {
        match &self.title {
            Some(title) => format!("{} {title}", self.number),
            None => self.number.clone(),
        }
    }

    /// What stands around the lines.
    pub fn document<'a>(
        &'a self,
        title: &'a str,
        telling: &Telling,
        chain: Option<&'a Chain>,
    ) -> Document<'a> {
        let Telling { lang, zone, now } = *telling;
        Document {
            title,
            mode: self.mode,
            tlp: self.tlp,
            lang,
            zone,
            as_of: now,
            chain,
            filter: Some(&self.filter),
            persons: self.persons,
            head: self.chained.as_ref().and_then(|material| material.head()),
        }
    }

    /// The lines as JSON: those of the JSONL export. Whoever reads one reads the other.
    ///
    /// # Errors
    /// [`EngineError::Internal`] for a line that is no JSON: there is none.
    pub fn values(&self, telling: &Telling) -> Result<Vec<Value>, EngineError> {
        self.values_of(&self.lines, telling)
    }

    fn values_of(
        &self,
        lines: &[TimelineEntry],
        telling: &Telling,
    ) -> Result<Vec<Value>, EngineError> {
        let text = jsonl(lines, &self.document("", telling, None));
        let values: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
        values.map_err(|error| EngineError::Internal(error.to_string()))
    }

    /// Only the lines that a filter lets through.
    #[must_use]
    pub fn filtered(mut self, filter: &Filter) -> Self {
        if filter.active() > 0 {
            let wanted = self.lines.iter().filter(|line| filter.admits(line));
            self.lines = Arc::new(wanted.cloned().collect());
        }
        self.filter = filter.clone();
        self
    }

    /// A bundle is of an incident; of the store itself there is none.
    fn bundle(&self, document: &Document<'_>) -> String {
        let Some((incident, opened_at)) = self.incident else { return String::new() };
        let (number, title) = (self.number.clone(), self.title.clone());
        stix(&self.lines, &Subject { incident, number, title, opened_at }, document)
    }

    /// The lines as a drawing; nothing where there is nothing to see.
    pub fn review(&self, telling: &Telling) -> Option<Review> {
        let Telling { lang, zone, now } = *telling;
        tokio::task::block_in_place(|| review(&self.lines, &Layout { lang, zone, now }))
    }

    /// The incident in figures.
    pub fn metrics(&self, telling: &Telling) -> Metrics {
        metrics(&self.lines, telling.now)
    }

    /// The story that is told of it.
    pub fn story(&self) -> Vec<StoryEntry> {
        story(&self.lines)
    }

    /// The whole of it as a text, without a line break at its end.
    pub fn text(mut self, format: TimelineFormat, telling: &Telling) -> String {
        let chain = match format {
            TimelineFormat::Jsonl | TimelineFormat::Html => {
                self.chained.take().map(|material| Chain::new(material.chained()))
            }
            TimelineFormat::Table { .. } | TimelineFormat::Csv | TimelineFormat::Stix => None,
        };
        let chain = match self.persons {
            Persons::Named => chain,
            Persons::Numbered => chain.map(Chain::without_heads),
        };
        if let TimelineFormat::Table { all: false, .. } = format {
            Arc::make_mut(&mut self.lines).retain(|line| !line.detail);
        }
        if let TimelineFormat::Table { ids: true, .. } = format {
            for line in Arc::make_mut(&mut self.lines) {
                let id = line.line().map(|id| format!(" [{id}]"));
                line.text.push_str(&id.unwrap_or_default());
            }
        }
        let heading = self.heading();
        let document = self.document(&heading, telling, chain.as_ref());
        let rendered = || match format {
            TimelineFormat::Table { width, .. } => table(&self.lines, &document, width),
            TimelineFormat::Jsonl => jsonl(&self.lines, &document),
            TimelineFormat::Csv => csv(&self.lines, &document),
            TimelineFormat::Html => html(&self.lines, &document),
            TimelineFormat::Stix => self.bundle(&document),
        };
        // Takes long: others are answered meanwhile.
        let mut text = tokio::task::block_in_place(rendered);
        text.truncate(text.trim_end_matches('\n').len());
        text
    }
}

impl Place {
    /// How a line lies to this place.
    fn beside(&self, line: &TimelineEntry) -> Ordering {
        let at = (line.when(), line.at);
        let key = (at, &line.stream, line.seq, line.event);
        key.cmp(&((self.when, self.at), &self.stream, self.seq, self.line))
    }
}

/// The lines of an incident without anybody's name.
fn numbered(
    material: &Material,
    incident: &Incident,
    (lang, scope): (Lang, &Scope),
) -> Vec<TimelineEntry> {
    let own = of_one_incident(material.own(), &material.ids(), incident.opened_at);
    let entries: Vec<Recorded> = material.entries().cloned().collect();
    let numbers = Numbers::of(entries.iter().chain(&own), lang);
    let (entries, own) = (numbers.hide(entries), numbers.hide(own));
    told_of(material, (&entries, &own), (incident, lang, scope))
}

/// The lines of these entries. What is the store's own is no part of the incident, also for who may
/// read all of that.
pub(super) fn told_of<'e>(
    material: &Material,
    (entries, own): (impl IntoIterator<Item = &'e Recorded>, &[Recorded]),
    (incident, lang, scope): (&Incident, Lang, &Scope),
) -> Vec<TimelineEntry> {
    let within = scope.within(incident.id);
    let mut lines = timeline(entries, &material.plans, &within, lang);
    lines.extend(timeline(own, &material.plans, scope, lang));
    bound(lines)
}

impl Views {
    /// An incident's timeline.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] where the incident is not there, or not for these eyes;
    /// [`EngineError::Broken`] for an entry that can not be read; [`EngineError::Store`].
    pub async fn told(
        &self,
        id: IncidentId,
        lang: Lang,
        scope: &Scope,
    ) -> Result<Told, EngineError> {
        self.told_as(id, (lang, Persons::Named), scope).await
    }

    async fn told_as(
        &self,
        id: IncidentId,
        (lang, persons): (Lang, Persons),
        scope: &Scope,
    ) -> Result<Told, EngineError> {
        let incident = self.incident_row(id, scope).await?;
        let titled = self.is_titled(&incident, scope).await? && persons == Persons::Named;
        let (lines, material) = match persons {
            Persons::Named => self.tale(&incident, lang, scope).await?,
            Persons::Numbered => {
                let material = self.material(id).await?;
                // Takes long: others are answered meanwhile.
                let tell = || numbered(&material, &incident, (lang, scope));
                (Arc::new(tokio::task::block_in_place(tell)), Arc::new(material))
            }
        };
        Ok(Told {
            lines,
            filter: Filter::default(),
            persons,
            incident: Some((id, incident.opened_at)),
            chained: scope.is_all().then_some(material),
            title: titled.then_some(incident.title),
            number: incident.number,
            mode: incident.mode,
            tlp: incident.tlp,
        })
    }

    /// The part of an incident's timeline that somebody selects.
    ///
    /// # Errors
    /// As [`Views::told`]; [`EngineError::Usage`] for an incident that is marked above the selection.
    pub async fn selected(
        &self,
        id: IncidentId,
        selection: &Selection,
        lang: Lang,
        scope: &Scope,
    ) -> Result<Told, EngineError> {
        let Selection { filter, persons, up_to } = selection;
        let mut eyes = scope.clone();
        if let Some(up_to) = up_to {
            let incident = self.incident_row(id, scope).await?;
            if incident.tlp > *up_to {
                let (number, tlp) = (&incident.number, incident.tlp);
                let text = format!("{number} is TLP:{tlp}, and this is for readers of TLP:{up_to}");
                return Err(EngineError::Usage(text));
            }
            eyes.tlp = eyes.tlp.min(*up_to);
        }
        Ok(self.told_as(id, (lang, *persons), &eyes).await?.filtered(filter))
    }

    /// The store's own timeline, for who may read everything: who was given an account and a role, the
    /// stop switch, restores. None of it is one incident's.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for eyes that do not read everything; as [`Views::told`].
    pub async fn told_of_store(&self, lang: Lang, scope: &Scope) -> Result<Told, EngineError> {
        if !scope.is_all() {
            let text = "there is no timeline of the store".to_owned();
            return Err(EngineError::NotFound(text));
        }
        let material = self.own_material().await?;
        let own = material.own();
        let mut lines = bound(timeline(&own, &material.plans, scope, lang));
        // Noise beside an incident; here it is what there is to read. A seal says nothing anywhere.
        for line in &mut lines {
            line.detail = line.kind == SEALED;
        }
        Ok(Told {
            lines: Arc::new(lines),
            filter: Filter::default(),
            persons: Persons::Named,
            incident: None,
            chained: Some(Arc::new(material)),
            title: None,
            number: "Beistand".to_owned(),
            mode: Mode::Live,
            tlp: Tlp::Red,
        })
    }

    /// A part of an incident's timeline, oldest first: lines as the JSONL export has them.
    ///
    /// # Errors
    /// As [`Views::told`]; [`EngineError::Usage`] for a cursor of something else.
    pub async fn timeline(
        &self,
        id: IncidentId,
        (filter, page): (&Filter, &ViewPage),
        telling: &Telling,
        scope: &Scope,
    ) -> Result<Listed, EngineError> {
        let after: Option<Place> = page.cursor.as_deref().map(cursor::read).transpose()?;
        let told = self.told(id, telling.lang, scope).await?;
        let limit = usize::try_from(page.rows()).unwrap_or(usize::MAX);
        let is_later = |line: &TimelineEntry| {
            after.as_ref().is_none_or(|place| place.beside(line) == Ordering::Greater)
        };
        let wanted = told.lines.iter().filter(|line| is_later(line) && filter.admits(line));
        let mut found: Vec<TimelineEntry> = wanted.take(limit + 1).cloned().collect();
        let more = found.len() > limit;
        found.truncate(limit);
        let next = match found.last() {
            Some(line) if more => Some(cursor::written(&Place {
                when: line.when(),
                at: line.at,
                stream: line.stream.clone(),
                seq: line.seq,
                line: line.event,
            })?),
            Some(_) | None => None,
        };
        Ok(Listed { items: told.values_of(&found, telling)?, next })
    }

    /// An incident's timeline as a file, without a line break at its end. Only who may read
    /// everything is given the chain with it.
    ///
    /// # Errors
    /// As [`Views::told`].
    pub async fn export(
        &self,
        id: IncidentId,
        (format, selection): (TimelineFormat, &Selection),
        telling: &Telling,
        scope: &Scope,
    ) -> Result<String, EngineError> {
        let told = self.selected(id, selection, telling.lang, scope).await?;
        Ok(told.text(format, telling))
    }

    /// A run's checklist for paper. For readers of some organisations it is that of the playbook,
    /// with nothing filled in: on paper stands what was said and what for.
    ///
    /// # Errors
    /// As [`Views::run`].
    pub async fn checklist(
        &self,
        id: RunId,
        lang: Lang,
        scope: &Scope,
    ) -> Result<String, EngineError> {
        Ok(self.sheet(id, lang, scope).await?.text())
    }

    /// The same before it is a text.
    ///
    /// # Errors
    /// As [`Views::run`].
    pub async fn sheet(&self, id: RunId, lang: Lang, scope: &Scope) -> Result<Sheet, EngineError> {
        let row = self.run_row(id, scope).await?;
        let held = self.folded(id, &self.version(id).await?).await?;
        let folded = held.get()?;
        let state = match scope.within(row.incident).organisations {
            None => Some(&folded.state),
            Some(_) => None,
        };
        Ok(sheet(&folded.plan, &self.0.catalogue, state, lang))
    }
}
