//! An incident's timeline: its lines as JSON, page by page, and the files that are made of them.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use beistand_core::model::{IncidentId, Millis, Mode, RunId, Tlp};
use beistand_core::playbook::Plan;
use beistand_core::timeline::{
    Chain, ChainEntry, Document, Lane, Lang, Scope, Sheet, TimelineEntry, Zone, csv, html, jsonl,
    of_one_incident, sheet, table, timeline,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    },
    /// A line an entry, with the chain.
    Jsonl,
    /// For a spreadsheet.
    Csv,
    /// A page for people, with the chain.
    Html,
}

/// Which lines.
#[derive(Debug, Clone, Default)]
pub struct LineFilter {
    /// Only this kind of doing.
    pub lane: Option<Lane>,
    /// Only what was written down at or after this instant.
    pub from: Option<Millis>,
    /// Only what was written down before this instant.
    pub to: Option<Millis>,
    /// Only sentences that hold this text, in small letters or large.
    pub text: Option<String>,
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
    /// In order.
    pub lines: Vec<TimelineEntry>,
    /// What the exports carry for [`Chain::check`]. Heads name organisations, paths and people, and
    /// the check needs them byte for byte: only who may read everything is given them.
    chained: Option<Vec<ChainEntry>>,
}

/// Where the next part of a timeline begins: after this line of this entry. Lines that are written
/// down meanwhile move nothing.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    at: Millis,
    stream: String,
    seq: u64,
    line: u32,
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
        &self,
        title: &'a str,
        telling: &Telling,
        chain: Option<&'a Chain>,
    ) -> Document<'a> {
        let Telling { lang, zone, now } = *telling;
        Document { title, mode: self.mode, tlp: self.tlp, lang, zone, as_of: now, chain }
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

    /// The whole of it as a text, without a line break at its end.
    pub fn text(mut self, format: TimelineFormat, telling: &Telling) -> String {
        let chain = match format {
            TimelineFormat::Jsonl | TimelineFormat::Html => self.chained.take().map(Chain::new),
            TimelineFormat::Table { .. } | TimelineFormat::Csv => None,
        };
        if let TimelineFormat::Table { all: false, .. } = format {
            self.lines.retain(|line| !line.detail);
        }
        let heading = self.heading();
        let document = self.document(&heading, telling, chain.as_ref());
        let rendered = || match format {
            TimelineFormat::Table { width, .. } => table(&self.lines, &document, width),
            TimelineFormat::Jsonl => jsonl(&self.lines, &document),
            TimelineFormat::Csv => csv(&self.lines),
            TimelineFormat::Html => html(&self.lines, &document),
        };
        // Takes long: others are answered meanwhile.
        let mut text = tokio::task::block_in_place(rendered);
        text.truncate(text.trim_end_matches('\n').len());
        text
    }
}

impl LineFilter {
    fn admits(&self, line: &TimelineEntry, text: Option<&str>) -> bool {
        self.lane.is_none_or(|lane| lane == line.lane)
            && self.from.is_none_or(|from| from <= line.at)
            && self.to.is_none_or(|to| line.at < to)
            && text.is_none_or(|text| line.text.to_lowercase().contains(text))
    }
}

impl Place {
    /// How a line, which is the so manieth of its entry, lies to this place.
    fn beside(&self, line: &TimelineEntry, number: u32) -> Ordering {
        (line.at, &line.stream, line.seq, number).cmp(&(self.at, &self.stream, self.seq, self.line))
    }
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
        let incident = self.incident_row(id, scope).await?;
        let titled = self.is_titled(&incident, scope).await?;
        let material = self.material(id).await?;
        let within = scope.within(id);
        // Takes long: others are answered meanwhile.
        let told = || timeline(&material.entries, &material.plans, &within, lang);
        let mut lines = tokio::task::block_in_place(told);
        // What is the store's own is no part of the incident, also for who may read all of that.
        let ids = material.entries.iter().filter_map(|entry| entry.stream.split_once(':'));
        let ids: BTreeSet<&str> = ids.map(|(_, id)| id).collect();
        let own = of_one_incident(material.own, &ids, incident.opened_at);
        lines.extend(timeline(&own, &material.plans, scope, lang));
        lines.sort_by(|a, b| (a.at, &a.stream, a.seq).cmp(&(b.at, &b.stream, b.seq)));
        Ok(Told {
            lines,
            chained: scope.is_all().then_some(material.chained),
            title: titled.then_some(incident.title),
            number: incident.number,
            mode: incident.mode,
            tlp: incident.tlp,
        })
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
        let mut lines = timeline(&material.own, &material.plans, scope, lang);
        // Noise beside an incident; here it is what there is to read. A seal says nothing anywhere.
        for line in &mut lines {
            line.detail = line.kind == SEALED;
        }
        Ok(Told {
            lines,
            chained: Some(material.chained),
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
        (filter, page): (&LineFilter, &ViewPage),
        telling: &Telling,
        scope: &Scope,
    ) -> Result<Listed, EngineError> {
        let after: Option<Place> = page.cursor.as_deref().map(cursor::read).transpose()?;
        let told = self.told(id, telling.lang, scope).await?;
        let limit = usize::try_from(page.rows()).unwrap_or(usize::MAX);
        let text = filter.text.as_ref().map(|text| text.to_lowercase());
        let mut found: Vec<(TimelineEntry, u32)> = Vec::new();
        let (mut entry, mut number) = ((String::new(), 0), 0);
        for line in &told.lines {
            let of = (line.stream.clone(), line.seq);
            number = if of == entry { number + 1 } else { 0 };
            entry = of;
            let is_later =
                after.as_ref().is_none_or(|place| place.beside(line, number) == Ordering::Greater);
            if is_later && filter.admits(line, text.as_deref()) {
                found.push((line.clone(), number));
            }
            if found.len() > limit {
                break;
            }
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let next = match found.last() {
            Some((line, number)) if more => Some(cursor::written(&Place {
                at: line.at,
                stream: line.stream.clone(),
                seq: line.seq,
                line: *number,
            })?),
            Some(_) | None => None,
        };
        let lines: Vec<TimelineEntry> = found.into_iter().map(|(line, _)| line).collect();
        Ok(Listed { items: told.values_of(&lines, telling)?, next })
    }

    /// An incident's timeline as a file, without a line break at its end. Only who may read
    /// everything is given the chain with it.
    ///
    /// # Errors
    /// As [`Views::told`].
    pub async fn export(
        &self,
        id: IncidentId,
        format: TimelineFormat,
        telling: &Telling,
        scope: &Scope,
    ) -> Result<String, EngineError> {
        Ok(self.told(id, telling.lang, scope).await?.text(format, telling))
    }

    /// The plan that a run goes by, as it was when it began.
    ///
    /// # Errors
    /// As [`Views::run`].
    pub async fn plan_of(&self, id: RunId, scope: &Scope) -> Result<Arc<Plan>, EngineError> {
        self.plan(&self.run_row(id, scope).await?).await
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
