//! What is done to an incident: read how it stands, decide in the core, write.
//!
//! What was decided must still fit when it is written: in the same transaction the stream is held to
//! the entry it was looked at. Where it moved on, it is looked at anew; who named the entry that they
//! had seen is told instead.

use std::str::FromStr as _;

use base64::Engine as _;
use beistand_core::entry::StreamKind;
use beistand_core::incident::{
    self, Act, Asset, AssetState, Edit, Event, Handover, Head, Mark, assets_changed,
};
use beistand_core::model::{
    Digest, EntryId, IncidentId, LineId, Millis, Organisation, Person, PlaybookName, Role,
    Severity, TargetKind, Tlp, digest_of_bytes,
};
use beistand_core::run::Actor;
use beistand_journal::{Append, AppendError, Guard, Incident, Refusal, To};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::changes::changes_of;
use super::{known, refused, standing, stays};
use crate::briefing::{Briefed, brief};
use crate::engine::Engine;
use crate::error::EngineError;

/// What can be done to an incident, as the mailbox carries it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum IncidentAct {
    /// A note.
    Note {
        /// The text.
        text: String,
        /// When it happened.
        at: Option<Millis>,
    },
    /// People are asked whether they want to start a playbook.
    Propose {
        /// Which.
        playbook: PlaybookName,
        /// Why, or the inputs it would have.
        text: String,
    },
    /// It is over.
    Close {
        /// Why.
        reason: String,
    },
    /// A person takes a role.
    Assign {
        /// Which.
        role: Role,
        /// Who; nobody where absent.
        person: Option<Person>,
    },
    /// Another title, severity or circle of readers; what is absent stays.
    Edit {
        /// One line.
        #[serde(default)]
        title: Option<String>,
        /// 1 disruption to 4 crisis.
        #[serde(default)]
        severity: Option<Severity>,
        /// Who may read it.
        #[serde(default)]
        tlp: Option<Tlp>,
        /// Why; needed where more people may read it than before.
        #[serde(default)]
        reason: String,
    },
    /// Things the incident is about, all in one state.
    Assets {
        /// What kind of things.
        kind: TargetKind,
        /// Their names or addresses, at most 1,000.
        values: Vec<String>,
        /// How they stand.
        state: AssetState,
        /// Whose they are, where the inventory does not say.
        #[serde(default)]
        organisation: Option<Organisation>,
    },
    /// Who has command offers it, with a briefing of how things stand.
    OfferCommand {
        /// To whom.
        to: Person,
        /// What they should know besides.
        #[serde(default)]
        note: String,
    },
    /// Who offered command does not any more.
    WithdrawCommand,
    /// Who it was offered to takes command.
    AcceptCommand {
        /// The digest of the briefing that they saw; it must be the current one.
        digest: Digest,
    },
    /// An organisation is concerned.
    Link {
        /// Which.
        organisation: Organisation,
    },
    /// A file is kept as evidence.
    Evidence {
        /// Its name.
        name: String,
        /// Its bytes, base64.
        base64: String,
    },
    /// A line of the timeline is corrected, starred, or told in the story; it stays as it is.
    Mark {
        /// Which.
        line: LineId,
        /// What is done to it.
        mark: Mark,
    },
}

/// So often it is looked anew at how an incident stands. Among many who write at once somebody is
/// always heard, so each round is another one's.
const LOOKS_MAX: u32 = 100;

/// Assets in one act: an entry stays readable.
const ASSETS_MAX: usize = 1_000;

impl IncidentAct {
    /// Whether it is written whatever the incident looks like: then nobody waits for anybody.
    const fn stands_alone(&self) -> bool {
        match self {
            Self::Note { .. } | Self::Evidence { .. } => true,
            Self::Propose { .. }
            | Self::Close { .. }
            | Self::Assign { .. }
            | Self::Edit { .. }
            | Self::Assets { .. }
            | Self::OfferCommand { .. }
            | Self::WithdrawCommand
            | Self::AcceptCommand { .. }
            | Self::Link { .. }
            | Self::Mark { .. } => false,
        }
    }

    /// When something happened that it tells of, where it says so.
    pub(crate) const fn happened_at(&self) -> Option<Millis> {
        match self {
            Self::Note { at, .. } => *at,
            Self::Mark { mark, .. } => mark.happened_at(),
            Self::Propose { .. }
            | Self::Close { .. }
            | Self::Assign { .. }
            | Self::Edit { .. }
            | Self::Assets { .. }
            | Self::OfferCommand { .. }
            | Self::WithdrawCommand
            | Self::AcceptCommand { .. }
            | Self::Link { .. }
            | Self::Evidence { .. } => None,
        }
    }
}

/// What is asked of an incident.
#[derive(Debug)]
pub(crate) struct Instruction {
    pub(crate) incident: IncidentId,
    pub(crate) act: IncidentAct,
    pub(crate) by: Actor,
    /// The number of the incident's newest entry, as far as the asker knows.
    pub(crate) if_seq: Option<u64>,
    /// What its entry is called, where the asker must know it again; any name where absent.
    pub(crate) entry: Option<EntryId>,
}

/// What was found out once, before the incident is looked at.
#[derive(Debug, Default)]
struct Found {
    /// Of evidence: its digest and how many bytes.
    kept: Option<(Digest, u64)>,
    /// Whose the line is that is marked.
    whose: Option<Organisation>,
}

impl Engine {
    /// Does something to an incident; it is durable on return.
    pub(crate) async fn act(&self, asked: Instruction) -> Result<Value, EngineError> {
        // In a task of its own: who stops waiting does not take back what is written, and what is
        // known of the incident must follow it.
        let engine = self.clone();
        let acting = tokio::spawn(async move { engine.write_act(asked).await });
        acting.await.unwrap_or_else(|error| Err(EngineError::Internal(error.to_string())))
    }

    async fn write_act(&self, asked: Instruction) -> Result<Value, EngineError> {
        let mut found = Found::default();
        if let IncidentAct::Evidence { base64, .. } = &asked.act {
            let bytes = read_base64(base64)?;
            found.kept = Some((digest_of_bytes(&bytes), bytes.len() as u64));
            self.0.journal.put_blob(bytes).await?;
        }
        if let IncidentAct::Mark { line, .. } = &asked.act {
            found.whose = self.marked_line(asked.incident, *line, &asked.by).await?;
        }
        for _ in 0..LOOKS_MAX {
            if let Some(answer) = self.try_act(&asked, &found).await? {
                return Ok(answer);
            }
        }
        Err(EngineError::Conflict("too many people write into the incident; try again".to_owned()))
    }

    /// One look and one try; `None` where somebody else wrote in between.
    async fn try_act(
        &self,
        asked: &Instruction,
        found: &Found,
    ) -> Result<Option<Value>, EngineError> {
        let Instruction { incident: id, act, if_seq, .. } = asked;
        let (inner, now) = (&self.0, self.0.clock.now());
        let reader = inner.journal.reader();
        // First the number: what is written after it is noticed.
        let seen = reader.newest(StreamKind::Incident, &id.to_string()).await?;
        let row = known::read(reader, *id).await?;
        let moved = |seq: u64| EngineError::Moved { number: row.number.clone(), seq };
        if if_seq.is_some_and(|expected| expected != seen) {
            return Err(moved(seen));
        }
        let events = self.decided(&row, asked, found).await?;
        if events.is_empty() {
            return Ok(Some(answer(&row, seen, &events)));
        }
        let entry = asked.entry.map_or_else(|| self.entry_id(now), Ok)?;
        let (head, body) = incident::encode(entry, &events);
        let to = To::End { kind: StreamKind::Incident, id: id.to_string() };
        let mut append = Append::new(to, now, head).urgent();
        append.body = body;
        if !act.stands_alone() || if_seq.is_some() {
            let (kind, id) = (StreamKind::Incident, id.to_string());
            append = append.guard(Guard::StreamAt { kind, id, seq: seen });
        }
        append.changes = changes_of(&row, &events, now);
        let appended = inner.journal.append(append).await;
        inner.incidents.acted(*id);
        match appended {
            Ok(appended) => Ok(Some(answer(&row, appended.lease.head().seq, &events))),
            Err(AppendError::Refused(Refusal::StreamMoved { seq })) => match if_seq {
                Some(_) => Err(moved(seq)),
                None => Ok(None),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// What is to be written; nothing where it stands so already.
    async fn decided(
        &self,
        row: &Incident,
        asked: &Instruction,
        found: &Found,
    ) -> Result<Vec<Event>, EngineError> {
        let Instruction { incident, act, by, .. } = asked;
        let act = match act {
            IncidentAct::Note { text, at } => Act::Note { text: text.clone(), happened_at: *at },
            IncidentAct::Propose { playbook, text } => {
                Act::Propose { playbook: playbook.clone(), text: text.clone() }
            }
            IncidentAct::Close { reason } => Act::Close { reason: reason.clone() },
            IncidentAct::Assign { role, person } => {
                Act::Assign { role: *role, person: person.clone() }
            }
            IncidentAct::Edit { title, severity, tlp, reason } => Act::Edit(Edit {
                title: title.clone(),
                severity: *severity,
                tlp: *tlp,
                reason: reason.clone(),
            }),
            IncidentAct::Link { organisation } => Act::Link { organisation: organisation.clone() },
            IncidentAct::Evidence { name, .. } => {
                let (digest, bytes) = found.kept.unwrap_or((Digest::ZERO, 0));
                Act::Evidence { name: name.clone(), digest, bytes }
            }
            IncidentAct::Assets { kind, values, state, organisation } => {
                let wanted = self.assets(row, (*kind, values), organisation.as_ref(), *state)?;
                let rows = self.0.journal.reader().assets(*incident).await?;
                let known: Vec<Asset> = rows.into_iter().filter_map(asset_of).collect();
                return Ok(assets_changed(&known, wanted, by));
            }
            IncidentAct::Mark { line, mark } => {
                let marks = self.marks(*incident).await?;
                let of = (*line, found.whose.clone());
                return Ok(marks.decide(of, mark.clone(), by.clone()).into_iter().collect());
            }
            IncidentAct::OfferCommand { to, note } => {
                let offer = Handover::Offer { to: to.clone(), note: note.trim().to_owned() };
                return self.handed_over(asked, offer).await;
            }
            IncidentAct::WithdrawCommand => {
                return self.handed_over(asked, Handover::Withdraw).await;
            }
            IncidentAct::AcceptCommand { digest } => {
                return self.handed_over(asked, Handover::Accept { digest: *digest }).await;
            }
        };
        let event = standing(row)?.decide(act, by.clone()).map_err(|no| refused(&no))?;
        Ok(event.into_iter().collect())
    }

    /// What is to be written about a hand-over, by the briefing of this moment.
    async fn handed_over(
        &self,
        asked: &Instruction,
        act: Handover,
    ) -> Result<Vec<Event>, EngineError> {
        let Briefed { state, briefing, digest, .. } =
            brief(self.0.journal.reader(), asked.incident).await?;
        let event = state.hand_over(act, (&briefing.value(), digest), &asked.by);
        Ok(event.map_err(|why| stays(&why))?.into_iter().collect())
    }

    /// The assets behind what was typed, by the inventory of the incident's mode.
    fn assets(
        &self,
        row: &Incident,
        (kind, values): (TargetKind, &[String]),
        organisation: Option<&Organisation>,
        state: AssetState,
    ) -> Result<Vec<Asset>, EngineError> {
        if values.len() > ASSETS_MAX {
            let text = format!("{} assets at once, at most {ASSETS_MAX} are taken", values.len());
            return Err(EngineError::Usage(text));
        }
        let inventory = &self.0.modes.of(row.mode).setup.inventory;
        let named = |text: &String| Asset::named(inventory, (kind, text), organisation, state);
        let assets: Result<Vec<Asset>, _> = values.iter().map(named).collect();
        assets.map_err(|error| EngineError::Usage(error.to_string()))
    }
}

/// What the asker is told: where it stands, whether it stood so already, and what was offered.
fn answer(row: &Incident, seq: u64, events: &[Event]) -> Value {
    let mut answer = json!({"incident": row.id, "number": row.number, "seq": seq});
    let Value::Object(fields) = &mut answer else { return answer };
    if events.is_empty() {
        fields.insert("already".to_owned(), Value::Bool(true));
    }
    let offered = events.iter().find_map(|event| match &event.head {
        Head::CommandOffered { briefing, .. } => Some(*briefing),
        Head::IncidentOpened { .. }
        | Head::IncidentChanged { .. }
        | Head::IncidentClosed
        | Head::NoteAdded { .. }
        | Head::NoteCopied { .. }
        | Head::TurnedReal { .. }
        | Head::PlaybookProposed { .. }
        | Head::RoleAssigned { .. }
        | Head::OfferWithdrawn
        | Head::CommandTaken { .. }
        | Head::OrganisationLinked
        | Head::AssetChanged { .. }
        | Head::EvidenceAdded { .. }
        | Head::CalledOut { .. }
        | Head::CallOutEnded { .. }
        | Head::LineCorrected { .. }
        | Head::LineStarred { .. }
        | Head::StarRemoved { .. }
        | Head::StoryTold { .. }
        | Head::StoryLeftOut { .. } => None,
    });
    if let Some(digest) = offered {
        fields.insert("digest".to_owned(), json!(digest));
    }
    answer
}

/// A row as the core knows assets; none for words that no asset has.
fn asset_of(row: beistand_journal::Asset) -> Option<Asset> {
    let (kind, state) = (TargetKind::from_str(&row.kind).ok()?, row.state.parse().ok()?);
    Some(Asset { kind, value: row.value, organisation: row.organisation, state })
}

/// The bytes of a file that is kept.
fn read_base64(base64: &str) -> Result<Vec<u8>, EngineError> {
    let decoded = base64::engine::general_purpose::STANDARD.decode(base64);
    decoded.map_err(|error| EngineError::Usage(format!("the evidence can not be read: {error}")))
}
