//! Alerts from outside: the one door for who has no rights here.
//!
//! It opens incidents, writes notes, names assets as suspected and proposes playbooks. It can not
//! start, answer, vote, signal or stop anything: there is no way from here to a run. Who sends is
//! proved before, by a signature; it has no grants, and none are asked for.
//!
//! An alert is never lost and never taken in twice: the ids of the incident that it opens and of what
//! it writes are made of its signature, and the signature is remembered only after all of it was
//! written. One that comes again after a crash in between writes what is not there yet.

mod joined;

use std::collections::BTreeSet;
use std::ops::Range;

use beistand_core::entry::StreamKind;
use beistand_core::incident::{Alert, AlertRule, AssetState};
use beistand_core::model::{Digest, EntryId, IncidentId, Millis, Span, Tlp};
use beistand_core::run::{Actor, Proof};
use beistand_journal::{Incident, Page};

use self::joined::{About, Joined};
use crate::engine::Engine;
use crate::entries::{self, IncidentEntry};
use crate::error::EngineError;
use crate::incidents::{IncidentAct, Instruction, NewIncident, Origin};
use crate::repeat::ten_of;

/// So many of the newest incidents are looked through for those that alerts opened.
const INCIDENTS_MAX: u32 = 1_000;

/// Entries of an incident that are read at once.
const ENTRIES: u32 = 200;

/// Which bytes of the signature name the incident.
const INCIDENT: Range<usize> = 0..10;

/// Which name the entry of the note.
const NOTE: Range<usize> = 10..20;

/// Which name that of the proposal.
const PROPOSAL: Range<usize> = 20..30;

/// A quota is counted by the minute.
const MINUTE: Span = Span::from_secs(60);

/// An alert whose signature was found right.
#[derive(Debug, Clone)]
pub struct HookAlert {
    /// The name of the hook.
    pub hook: String,
    /// What becomes of its alerts.
    pub rule: AlertRule,
    /// What it says.
    pub alert: Alert,
    /// Its signature: the same one is the same alert.
    pub signature: Digest,
    /// When it was signed.
    pub sent_at: Millis,
    /// Until when the same signature could come again.
    pub until: Millis,
    /// How many alerts of this hook are taken in within a minute.
    pub quota: u64,
    /// The provider's short name, for a new incident's number.
    pub short: String,
}

/// Where an alert belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The incident.
    pub incident: IncidentId,
    /// Its number for people.
    pub number: String,
    /// It was opened by this alert.
    pub opened: bool,
    /// It was taken in before, and nothing was done.
    pub again: bool,
}

/// What becomes of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hearing {
    /// It is written down.
    Heard(Heard),
    /// Its hook sent too many within this minute; it may be sent again later.
    TooMany,
}

/// Which incident is about what, by hook and by the words of who sends.
#[derive(Debug, Default)]
pub(crate) struct Alerts {
    /// Nothing until it was read from the store once.
    joined: Option<Joined>,
}

impl HookAlert {
    fn by(&self) -> Result<Actor, EngineError> {
        let name = format!("hook-{}", self.hook).parse();
        let name = name.map_err(|_| EngineError::Internal("a hook's name is none".to_owned()))?;
        Ok(Actor::proved(name, Proof::Machine))
    }

    fn replay_key(&self) -> String {
        format!("hook/{}/{}", self.hook, self.signature.hex())
    }

    /// The incident that it opens, if it opens one: made of when and how it was signed.
    fn own_incident(&self) -> IncidentId {
        IncidentId::at(self.sent_at, &ten_of(&self.signature, INCIDENT))
    }

    fn opens(&self, by: &Actor) -> NewIncident {
        let title = if self.alert.title.is_empty() {
            format!("Alert of {}", by.person)
        } else {
            self.alert.title.clone()
        };
        let (mode, severity) = (self.rule.mode, self.rule.severity);
        NewIncident {
            title,
            mode,
            severity,
            tlp: Tlp::Amber,
            short: self.short.clone(),
            by: by.clone(),
        }
    }

    /// What is written into the incident, in this order; with the id of its entry where it would be
    /// there twice. The others change nothing where it stands so already.
    fn acts(&self) -> Vec<(IncidentAct, Option<EntryId>)> {
        let alert = &self.alert;
        let note = IncidentAct::Note { text: alert.text.clone(), at: None };
        let mut acts = vec![(note, Some(self.own_entry(NOTE)))];
        for (kind, values) in &alert.assets {
            let suspected = IncidentAct::Assets {
                kind: *kind,
                values: values.clone(),
                state: AssetState::Suspected,
                organisation: self.rule.organisation.clone(),
            };
            acts.push((suspected, None));
        }
        if let Some((playbook, text)) = alert.proposed.clone() {
            let proposal = IncidentAct::Propose { playbook, text };
            acts.push((proposal, Some(self.own_entry(PROPOSAL))));
        }
        acts
    }

    /// The id of an entry of its own: made of when and how it was signed, like the incident's.
    fn own_entry(&self, bytes: Range<usize>) -> EntryId {
        EntryId::at(self.sent_at, &ten_of(&self.signature, bytes))
    }

    /// Nothing of it was written before this instant: it was heard once our clock and the sender's
    /// lay no further apart than they do when it comes again.
    fn earliest(&self) -> Millis {
        self.sent_at.minus(self.until.since(self.sent_at))
    }
}

impl Engine {
    /// Takes in an alert from outside; it is durable on return.
    ///
    /// # Errors
    /// [`EngineError`]; then it may be sent again, and nothing is there twice.
    pub async fn alert(&self, alert: HookAlert) -> Result<Hearing, EngineError> {
        // In a task of its own: a sender that leaves does not cut it half way.
        let engine = self.clone();
        let hearing = tokio::spawn(async move { engine.hear(&alert).await });
        hearing.await.unwrap_or_else(|error| Err(EngineError::Internal(error.to_string())))
    }

    async fn hear(&self, alert: &HookAlert) -> Result<Hearing, EngineError> {
        let (inner, by) = (&self.0, alert.by()?);
        let mut alerts = inner.alerts.lock().await;
        let (journal, now) = (&inner.journal, inner.clock.now());
        let reader = journal.reader();
        let own = reader.incident(alert.own_incident()).await?;
        let about = alert.alert.key.as_ref().map(|key| (by.person.clone(), key.clone()));
        let known = match &about {
            Some(about) => self.correlated(&mut alerts, about).await?,
            None => None,
        };
        let (seen, _) = reader.tally(&alert.replay_key(), now).await?;
        let before = own.clone().or_else(|| known.clone());
        if seen > 0 {
            // Whatever is forgotten meanwhile: it was written, and is written once.
            let forgotten = || {
                let text = "this alert was taken in before; which incident it joined is forgotten";
                EngineError::Conflict(text.to_owned())
            };
            let row = before.ok_or_else(forgotten)?;
            return Ok(Hearing::Heard(heard(&row, false, true)));
        }
        let minute = now.get().div_euclid(60_000);
        let quota = format!("hook-quota/{}/{minute}", alert.hook);
        if journal.count(&quota, now, now.plus(MINUTE)).await? > alert.quota {
            return Ok(Hearing::TooMany);
        }
        // One that it opened and did not finish comes before one that is about the same.
        let there = own.or_else(|| known.filter(|row| row.closed_at.is_none()));
        let opened = there.is_none();
        let (row, written) = match there {
            Some(row) => {
                let written = self.written_since(row.id, alert.earliest()).await?;
                (row, written)
            }
            None => (self.opened_by(alert, &by).await?, BTreeSet::new()),
        };
        let linked = self.linked(alert, row.id).await?.map(|act| (act, None));
        for (act, entry) in linked.into_iter().chain(alert.acts()) {
            if entry.is_none_or(|entry| !written.contains(&entry)) {
                let by = by.clone();
                self.act(Instruction { incident: row.id, act, by, if_seq: None, entry }).await?;
            }
        }
        if let (Some(about), Some(joined)) = (about, &mut alerts.joined) {
            joined.keep(about, row.id, now);
        }
        journal.see(&alert.replay_key(), now, alert.until).await?;
        Ok(Hearing::Heard(heard(&row, opened, false)))
    }

    /// The ids of an incident's entries since an instant, and of some before it.
    async fn written_since(
        &self,
        id: IncidentId,
        since: Millis,
    ) -> Result<BTreeSet<EntryId>, EngineError> {
        let reader = self.0.journal.reader();
        let mut ids = BTreeSet::new();
        let Some(stream) = entries::stream_of(reader, id).await? else { return Ok(ids) };
        let mut end = reader.newest(StreamKind::Incident, &id.to_string()).await?;
        while end > 0 {
            let after = end.saturating_sub(u64::from(ENTRIES));
            let entries = reader.entries(&stream, after, ENTRIES).await?;
            for entry in &entries {
                ids.insert(IncidentEntry::of(&stream, entry)?.id);
            }
            if entries.first().is_none_or(|first| first.at < since) {
                break;
            }
            end = after;
        }
        Ok(ids)
    }

    async fn opened_by(&self, alert: &HookAlert, by: &Actor) -> Result<Incident, EngineError> {
        let (new, id) = (alert.opens(by), alert.own_incident());
        self.open_incident_as(&new, id, Origin::Alert(alert.alert.key.as_deref())).await
    }

    /// That the hook's organisation is concerned, where that is not known.
    async fn linked(
        &self,
        alert: &HookAlert,
        id: IncidentId,
    ) -> Result<Option<IncidentAct>, EngineError> {
        let Some(organisation) = alert.rule.organisation.clone() else { return Ok(None) };
        let linked = self.0.journal.reader().organisations(id).await?;
        Ok((!linked.contains(&organisation)).then_some(IncidentAct::Link { organisation }))
    }

    /// The newest incident that an alert of the same hook about the same opened.
    async fn correlated(
        &self,
        alerts: &mut Alerts,
        about: &About,
    ) -> Result<Option<Incident>, EngineError> {
        let reader = self.0.journal.reader();
        let joined = match &mut alerts.joined {
            Some(joined) => joined,
            empty @ None => empty.insert(self.opened_by_alerts().await?),
        };
        match joined.incident(about) {
            Some(id) => Ok(reader.incident(id).await?),
            None => Ok(None),
        }
    }

    /// What the store says of incidents that alerts opened: in the first entry of each.
    async fn opened_by_alerts(&self) -> Result<Joined, EngineError> {
        let reader = self.0.journal.reader();
        let mut joined = Joined::default();
        for (_, row) in reader.incidents(Page::first(INCIDENTS_MAX)).await? {
            let first = entries::first(reader, row.id).await?;
            let Some(event) = first.and_then(|first| first.events.into_iter().next()) else {
                continue;
            };
            if let Some(key) = event.body.correlation {
                let about = (event.by.person, key);
                // Newest first: who came first here stays.
                if joined.incident(&about).is_none() {
                    joined.keep(about, row.id, row.opened_at);
                }
            }
        }
        Ok(joined)
    }
}

fn heard(row: &Incident, opened: bool, again: bool) -> Heard {
    Heard { incident: row.id, number: row.number.clone(), opened, again }
}
