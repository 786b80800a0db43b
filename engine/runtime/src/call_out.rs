//! Calling whoever is on call to what waits for people.
//!
//! The core says who is to be called; here it is written down, sent, and what became of it is
//! written too. A process that dies between the first two leaves a call whose outcome nobody knows:
//! it is shown, and not sent again. No run waits for any of this.

mod outstanding;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use beistand_core::entry::StreamKind;
use beistand_core::incident::{self, Event, Head};
use beistand_core::model::{
    ActionName, Call, CallError, ConnectorName, Direction, IdError, IdempotencyKey, IncidentId,
    Span,
};
use beistand_core::on_call::{CallOutEnd, Roster, Waiting, Wanted, WantedPart, called};
use beistand_core::run::Actor;
use beistand_core::timeline::{CALLED_TO_LISTED_MAX, CallOutMail, CallOutPart, Lang, Zone};
use beistand_journal::{Append, AppendError, Guard, OpenNeed, Refusal, StoreError, To};
use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use self::outstanding::Outstanding;
use crate::effects::bounded;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::incidents::row_of;

pub use self::outstanding::call_outs;
pub(crate) use self::outstanding::fold_on;

/// It is looked so often whether somebody is to be called.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a relay may take for one mail. With as long again it stays below the time after which a
/// call is taken for lost.
const MAIL_TIMEOUT: Span = Span::from_secs(30);

/// Mails that are out at once.
const AT_ONCE: usize = 8;

/// Who is on call, as the files say it now.
pub trait Rosters: Send + Sync + Debug {
    /// The newest that could be read.
    fn roster(&self) -> Arc<Roster>;
}

/// How people are called.
#[derive(Debug)]
pub struct Calling {
    /// Through which connector.
    pub by: ConnectorName,
    /// Who is on call.
    pub rosters: Arc<dyn Rosters>,
    /// In which language.
    pub lang: Lang,
    /// Where somebody at a keyboard is reached.
    pub telephone: Option<String>,
}

/// A call that is written down and not sent yet: what is wanted, and what the mail says of each of its
/// parts.
#[derive(Debug)]
struct Going {
    wanted: Wanted,
    told: Vec<CallOutPart>,
}

/// What an entry about calls is for.
#[derive(Debug, Clone, Copy)]
enum Writes {
    /// Somebody is called: not while the stop switch is on, and where another process may have called
    /// them meanwhile only if nothing was written since this entry.
    Starts { seen: u64 },
    /// It is known what became of a call.
    Ends,
}

impl Engine {
    /// Calls people until it is told to end. What is out then is waited for.
    pub async fn call_people(&self, calling: Calling, mut end: watch::Receiver<bool>) {
        let mut outstanding = Outstanding::default();
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                // Whoever could tell it has gone: that is an end too.
                _ = end.wait_for(|ended| *ended) => return,
                _ = looks.tick() => {}
            }
            match self.look_who_waits(&calling, &mut outstanding).await {
                Ok(()) => {}
                Err(_) if self.0.is_leaving() => return,
                Err(EngineError::Store(StoreError::Dead)) => return,
                Err(error) => tracing::warn!(%error, "It could not be looked who is to be called."),
            }
        }
    }

    async fn look_who_waits(
        &self,
        calling: &Calling,
        outstanding: &mut Outstanding,
    ) -> Result<(), EngineError> {
        let reader = self.0.journal.reader();
        outstanding.read(reader, self.0.clock.now()).await?;
        self.write_lost(outstanding).await?;
        if self.0.is_stopped() || self.0.places.paused().contains(&calling.by) {
            return Ok(());
        }
        let meta = reader.meta().await?;
        let waiting: Vec<Waiting> = outstanding.open().map(|need| self.waiting(need)).collect();
        let roster = calling.rosters.roster();
        let times = (self.0.clock.now(), meta.restored_at);
        let mut wanted = called(meta.store, &waiting, (&roster, outstanding.calls()), times);
        // What is written must follow from all that stands there.
        if outstanding.read_on(reader, incidents_of(&wanted)).await? {
            wanted = called(meta.store, &waiting, (&roster, outstanding.calls()), times);
        }
        if wanted.is_empty() {
            return Ok(());
        }
        // What was written down goes out, whatever becomes of another incident's.
        let (going, written) = self.write_calls(wanted, outstanding).await;
        let sent = self.send_calls(calling, going, outstanding).await;
        written.and(sent)
    }

    /// Calls that nothing was heard of any more have ended somehow.
    async fn write_lost(&self, outstanding: &mut Outstanding) -> Result<(), EngineError> {
        let mut lost = BTreeSet::new();
        for (incident, keys) in outstanding.lost(self.0.clock.now()) {
            let ended = |key: &IdempotencyKey| {
                let head = Head::CallOutEnded { key: *key, end: CallOutEnd::Unknown };
                Ok(program(head)?.text("nothing was heard of it any more"))
            };
            let events: Result<Vec<Event>, EngineError> = keys.iter().map(ended).collect();
            self.append_calls(incident, events?, Writes::Ends).await?;
            outstanding.wrote(incident);
            lost.extend(keys);
        }
        self.0.counters.called(CallOutEnd::Unknown, lost.len());
        Ok(())
    }

    /// Writes down who is called, into each incident what is its own; they are called afterwards, to
    /// what could be written. The other half is what could not.
    async fn write_calls(
        &self,
        wanted: Vec<Wanted>,
        outstanding: &mut Outstanding,
    ) -> (Vec<Going>, Result<(), EngineError>) {
        let mut failed = Ok(());
        let mut told: BTreeMap<(IdempotencyKey, usize), CallOutPart> = BTreeMap::new();
        for incident in incidents_of(&wanted) {
            match self.write_calls_of(incident, &wanted, outstanding).await {
                Ok(parts) => told.extend(parts),
                Err(error) => failed = Err(error),
            }
        }
        let going = wanted.into_iter().filter_map(|mut wanted| {
            let (mut parts, mut said) = (Vec::new(), Vec::new());
            for (part, place) in wanted.parts.into_iter().zip(0..) {
                if let Some(words) = told.remove(&(wanted.key, place)) {
                    parts.push(part);
                    said.push(words);
                }
            }
            wanted.parts = parts;
            (!said.is_empty()).then_some(Going { wanted, told: said })
        });
        (going.collect(), failed)
    }

    /// Writes down who is called to what waits in one incident, and says what the mails tell of it;
    /// nothing where somebody else wrote in between, and it is looked at anew.
    async fn write_calls_of(
        &self,
        incident: IncidentId,
        wanted: &[Wanted],
        outstanding: &mut Outstanding,
    ) -> Result<Vec<((IdempotencyKey, usize), CallOutPart)>, EngineError> {
        let reader = self.0.journal.reader();
        let row = row_of(reader, incident).await?;
        let (mut events, mut told) = (Vec::new(), Vec::new());
        for one in wanted {
            let mut listed = 0;
            for (part, place) in one.parts.iter().zip(0_usize..) {
                // A need may stand in two parts: it opened, and it was escalated.
                let room = CALLED_TO_LISTED_MAX.saturating_mul(2).saturating_sub(listed);
                listed = listed.saturating_add(part.needs.len());
                if part.incident == incident {
                    events.push(called_out(one, part)?);
                    let needs = outstanding.called_to(reader, &part.needs, room).await?;
                    let (number, tlp) = (row.number.clone(), row.tlp);
                    let (role, step) = (part.role, part.step);
                    let words = CallOutPart { number, tlp, role, step, needs };
                    told.push(((one.key, place), words));
                }
            }
        }
        outstanding.wrote(incident);
        let starts = Writes::Starts { seen: outstanding.seq(incident) };
        match self.append_calls(incident, events, starts).await {
            Ok(()) => Ok(told),
            // Somebody else wrote in between, who may have called them: it is looked at anew.
            Err(EngineError::Append(
                AppendError::Refused(Refusal::StreamMoved { .. }) | AppendError::Stopped,
            )) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Sends what was written down, and writes what became of it.
    async fn send_calls(
        &self,
        calling: &Calling,
        going: Vec<Going>,
        outstanding: &mut Outstanding,
    ) -> Result<(), EngineError> {
        let mut failed = Ok(());
        for some in going.chunks(AT_ONCE) {
            self.0.crash_at("before_call_out");
            let ends = join_all(some.iter().map(|one| self.mailed(calling, one))).await;
            self.0.crash_at("after_call_out");
            for (one, (end, message)) in some.iter().zip(ends) {
                let key = one.wanted.key;
                let ended = program(Head::CallOutEnded { key, end })?.text(message);
                for incident in incidents_of([&one.wanted]) {
                    let events = vec![ended.clone()];
                    if let Err(error) = self.append_calls(incident, events, Writes::Ends).await {
                        failed = Err(error);
                    }
                    outstanding.wrote(incident);
                }
            }
        }
        failed
    }

    /// A need as the core looks at it.
    fn waiting(&self, need: &OpenNeed) -> Waiting {
        let escalation = self.0.modes.of(need.mode).setup.escalation;
        Waiting {
            need: need.id,
            incident: need.incident,
            mode: need.mode,
            role: need.role,
            since: need.since,
            escalated: need.escalated_at.map(|at| (at, escalation)),
        }
    }

    /// Appends to an incident's stream.
    async fn append_calls(
        &self,
        id: IncidentId,
        events: Vec<Event>,
        writes: Writes,
    ) -> Result<(), EngineError> {
        let now = self.0.clock.now();
        let (head, body) = incident::encode(self.entry_id(now)?, &events);
        let id = id.to_string();
        let mut append =
            Append::new(To::End { kind: StreamKind::Incident, id: id.clone() }, now, head);
        append.body = body;
        append = match writes {
            // Nobody else calls then, and whoever writes notes without end would hold it up.
            Writes::Starts { .. } if self.0.journal.is_alone() => append.unless_stopped(),
            Writes::Starts { seen: seq } => {
                let guard = Guard::StreamAt { kind: StreamKind::Incident, id, seq };
                append.guard(guard).unless_stopped()
            }
            Writes::Ends => append.urgent(),
        };
        self.0.journal.append(append).await?;
        Ok(())
    }

    /// Sends one mail; what became of it, and why where it did not go out.
    async fn mailed(&self, calling: &Calling, one: &Going) -> (CallOutEnd, String) {
        let connectors = &self.0.modes.of(one.wanted.mode).connectors;
        let answered = match (connectors.get(&calling.by), letter(calling, one)) {
            (Some(connector), Ok(call)) => bounded(MAIL_TIMEOUT, connector.call(&call)).await,
            (None, _) => Err(CallError::refused("the connector is not configured")),
            (_, Err(error)) => Err(CallError::refused(error.to_string())),
        };
        let (end, message) = match answered {
            Ok(_) => (CallOutEnd::Sent, String::new()),
            Err(CallError::Unavailable { message, .. }) => (CallOutEnd::Unavailable, message),
            Err(CallError::Refused { message } | CallError::Invalid { message }) => {
                (CallOutEnd::Refused, message)
            }
            Err(CallError::Unknown { message }) => (CallOutEnd::Unknown, message),
        };
        self.0.counters.called(end, 1);
        if end != CallOutEnd::Sent {
            let key = one.wanted.key;
            tracing::warn!(call = %key, end = end.as_str(), %message, "Somebody on call was not reached.");
        }
        (end, message)
    }
}

/// The incidents that somebody is called about.
fn incidents_of<'w>(wanted: impl IntoIterator<Item = &'w Wanted>) -> BTreeSet<IncidentId> {
    wanted.into_iter().flat_map(|one| one.parts.iter().map(|part| part.incident)).collect()
}

fn program(head: Head) -> Result<Event, EngineError> {
    let name = "beistand".parse();
    let name = name.map_err(|error: IdError| EngineError::Internal(error.to_string()))?;
    Ok(Event::new(head, Actor::program(name)))
}

fn called_out(wanted: &Wanted, part: &WantedPart) -> Result<Event, EngineError> {
    let (key, person) = (wanted.key, wanted.person.clone());
    let WantedPart { needs, role, step, .. } = part.clone();
    let head = Head::CalledOut { key, needs, person, role, step };
    Ok(program(head)?.text(wanted.mail.join(", ")))
}

/// The mail, as a call of the connector.
fn letter(calling: &Calling, one: &Going) -> Result<Call, IdError> {
    let wanted = &one.wanted;
    let mail = CallOutMail {
        mode: wanted.mode,
        person: wanted.person.clone(),
        parts: one.told.clone(),
        telephone: calling.telephone.clone(),
    };
    let action: ActionName = "mail.send".parse()?;
    Ok(Call {
        action,
        direction: Direction::Do,
        key: wanted.key,
        mode: wanted.mode,
        arguments: json!({
            "to": wanted.mail,
            "subject": mail.subject(calling.lang),
            "text": mail.text(calling.lang, Zone::Berlin),
        }),
        targets: Vec::new(),
        previous: None,
        timeout: MAIL_TIMEOUT,
        traceparent: None,
    })
}
