//! Calling whoever is on call to what waits for people.
//!
//! The core says who is to be called; here it is written down, sent, and what became of it is
//! written too. A process that dies between the first two leaves a call whose outcome nobody knows:
//! it is shown, and not sent again. No run waits for any of this.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use beistand_core::entry::StreamKind;
use beistand_core::incident::{self, Event, Head};
use beistand_core::model::{
    ActionName, Call, CallError, ConnectorName, Direction, IdError, IncidentId, Role, Span,
};
use beistand_core::on_call::{CallOut, CallOutEnd, CallOuts, Roster, Waiting, Wanted, called};
use beistand_core::run::Actor;
use beistand_core::timeline::{CallOutMail, CalledTo, Lang, Zone};
use beistand_journal::{
    Append, AppendError, Guard, Incident, Need, NeedFilter, Reader, Refusal, StoreError, To,
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::effects::bounded;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::incidents::row_of;

/// It is looked so often whether somebody is to be called.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a relay may take for one mail. With as long again it stays below the time after which a
/// call is taken for lost.
const MAIL_TIMEOUT: Span = Span::from_secs(30);

/// Mails that are out at once.
const AT_ONCE: usize = 8;

/// Entries of an incident that are read at once.
const ENTRIES: u32 = 1_000;

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

/// What was called out in incidents, as far as it was read.
#[derive(Debug, Default)]
struct Known(BTreeMap<IncidentId, (u64, CallOuts)>);

/// A call that is written down and not sent yet.
#[derive(Debug)]
struct Going {
    incident: IncidentId,
    wanted: Wanted,
    call: Call,
}

/// Everything that was called out in an incident.
///
/// # Errors
/// [`StoreError`] when it can not be read; what is no entry of an incident.
pub async fn call_outs(reader: &Reader, id: IncidentId) -> Result<CallOuts, EngineError> {
    let mut known = (0, CallOuts::default());
    read_on(reader, id, &mut known).await?;
    Ok(known.1)
}

/// Reads what was written since.
async fn read_on(
    reader: &Reader,
    id: IncidentId,
    (seq, calls): &mut (u64, CallOuts),
) -> Result<(), EngineError> {
    let stream = reader.stream(StreamKind::Incident, &id.to_string()).await?;
    let Some(stream) = stream else { return Ok(()) };
    loop {
        let entries = reader.entries(&stream, *seq, ENTRIES).await?;
        for entry in &entries {
            let decoded = incident::decode(&entry.head, entry.body.as_deref());
            let (_, events) = decoded.map_err(|error| EngineError::Internal(error.to_string()))?;
            for event in &events {
                calls.apply(event, entry.at);
            }
            *seq = entry.seq;
        }
        if entries.len() < usize::try_from(ENTRIES).unwrap_or(usize::MAX) {
            return Ok(());
        }
    }
}

impl Engine {
    /// Calls people until it is told to end. What is out then is waited for.
    pub async fn call_people(&self, calling: Calling, mut end: watch::Receiver<bool>) {
        let mut known = Known::default();
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                // Whoever could tell it has gone: that is an end too.
                _ = end.wait_for(|ended| *ended) => return,
                _ = looks.tick() => {}
            }
            match self.look_who_waits(&calling, &mut known).await {
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
        known: &mut Known,
    ) -> Result<(), EngineError> {
        let reader = self.0.journal.reader();
        let mut open: BTreeMap<IncidentId, Vec<Need>> = BTreeMap::new();
        for need in reader.needs(&NeedFilter::default()).await? {
            open.entry(need.incident).or_default().push(need);
        }
        // Where nothing waits any more, what is under way is still seen to its end.
        known.0.retain(|id, (_, calls)| {
            open.contains_key(id) || calls.all().iter().any(|call| call.end.is_none())
        });
        for id in known.0.keys() {
            open.entry(*id).or_default();
        }
        let mut going = Vec::new();
        let mut failed = None;
        for (id, needs) in open {
            // What was written down of one incident goes out, whatever becomes of another.
            match self.write_calls(calling, (id, &needs), known).await {
                Ok(written) => going.extend(written),
                Err(error) => failed = Some(error),
            }
        }
        for some in going.chunks(AT_ONCE) {
            self.0.crash_at("before_call_out");
            let ends = join_all(some.iter().map(|one| self.mailed(calling, one))).await;
            self.0.crash_at("after_call_out");
            for (one, (end, message)) in some.iter().zip(ends) {
                let key = one.wanted.key;
                let ended = program(Head::CallOutEnded { key, end })?.text(message);
                if let Err(error) = self.append_calls(one.incident, vec![ended], None).await {
                    failed = Some(error);
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Writes down who is called about one incident; they are called afterwards.
    async fn write_calls(
        &self,
        calling: &Calling,
        (id, needs): (IncidentId, &[Need]),
        known: &mut Known,
    ) -> Result<Vec<Going>, EngineError> {
        let reader = self.0.journal.reader();
        let held = known.0.entry(id).or_default();
        read_on(reader, id, held).await?;
        let (seq, calls) = (held.0, &held.1);
        let now = self.0.clock.now();
        let lost: Result<Vec<Event>, EngineError> = calls
            .lost(now)
            .map(|CallOut { key, .. }| {
                let ended = Head::CallOutEnded { key: *key, end: CallOutEnd::Unknown };
                Ok(program(ended)?.text("nothing was heard of it any more"))
            })
            .collect();
        let lost = lost?;
        if !lost.is_empty() {
            self.0.counters.called(CallOutEnd::Unknown, lost.len());
            self.append_calls(id, lost, None).await?;
            return Ok(Vec::new());
        }
        if needs.is_empty() || self.0.is_stopped() || self.0.places.paused().contains(&calling.by) {
            return Ok(Vec::new());
        }
        let row = row_of(reader, id).await?;
        let escalation = self.0.modes.of(row.mode).setup.escalation;
        let waiting: Vec<Waiting> =
            needs.iter().filter_map(|need| waiting(need, escalation)).collect();
        let meta = reader.meta().await?;
        let roster = calling.rosters.roster();
        let wanted = called(meta.store, &waiting, (&roster, calls), (now, meta.restored_at));
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut going = Vec::new();
        let mut events = Vec::new();
        for one in wanted {
            events.push(called_out(&one)?);
            let call = letter(calling, (&row, needs), &one)?;
            going.push(Going { incident: id, wanted: one, call });
        }
        match self.append_calls(id, events, Some(seq)).await {
            Ok(()) => Ok(going),
            // Somebody else wrote in between, who may have called them: it is looked at anew.
            Err(EngineError::Append(
                AppendError::Refused(Refusal::StreamMoved { .. }) | AppendError::Stopped,
            )) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Appends to an incident's stream. What starts something holds the stream to what was seen of
    /// it, and starts nothing while the stop switch is on.
    async fn append_calls(
        &self,
        id: IncidentId,
        events: Vec<Event>,
        seen: Option<u64>,
    ) -> Result<(), EngineError> {
        let now = self.0.clock.now();
        let (head, body) = incident::encode(self.entry_id(now)?, &events);
        let id = id.to_string();
        let mut append =
            Append::new(To::End { kind: StreamKind::Incident, id: id.clone() }, now, head);
        append.body = body;
        if let Some(seq) = seen {
            let guard = Guard::StreamAt { kind: StreamKind::Incident, id, seq };
            append = append.guard(guard).unless_stopped();
        } else {
            append = append.urgent();
        }
        self.0.journal.append(append).await?;
        Ok(())
    }

    /// Sends one mail; what became of it, and why where it did not go out.
    async fn mailed(&self, calling: &Calling, one: &Going) -> (CallOutEnd, String) {
        let connectors = &self.0.modes.of(one.call.mode).connectors;
        let answered = match connectors.get(&calling.by) {
            Some(connector) => bounded(MAIL_TIMEOUT, connector.call(&one.call)).await,
            None => Err(CallError::refused("the connector is not configured")),
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

fn internal(error: &IdError) -> EngineError {
    EngineError::Internal(error.to_string())
}

fn program(head: Head) -> Result<Event, EngineError> {
    let name = "beistand".parse().map_err(|error| internal(&error))?;
    Ok(Event::new(head, Actor::program(name)))
}

fn called_out(wanted: &Wanted) -> Result<Event, EngineError> {
    let Wanted { key, needs, person, role, step, mail } = wanted.clone();
    Ok(program(Head::CalledOut { key, needs, person, role, step })?.text(mail.join(", ")))
}

/// A need as the core looks at it; none where it waits for nobody in particular.
fn waiting(need: &Need, escalation: Role) -> Option<Waiting> {
    Some(Waiting {
        need: need.id,
        incident: need.incident,
        role: need.role?,
        since: need.since,
        escalated: need.escalated_at.map(|at| (at, escalation)),
    })
}

/// The mail, as a call of the connector.
fn letter(
    calling: &Calling,
    (row, needs): (&Incident, &[Need]),
    wanted: &Wanted,
) -> Result<Call, EngineError> {
    let listed = wanted.needs.iter().filter_map(|id| needs.iter().find(|need| need.id == *id));
    let mail = CallOutMail {
        number: row.number.clone(),
        mode: row.mode,
        tlp: row.tlp,
        person: wanted.person.clone(),
        role: wanted.role,
        step: wanted.step,
        needs: listed.map(called_to).collect(),
        telephone: calling.telephone.clone(),
    };
    let action: ActionName = "mail.send".parse().map_err(|error| internal(&error))?;
    Ok(Call {
        action,
        direction: Direction::Do,
        key: wanted.key,
        mode: row.mode,
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

fn called_to(need: &Need) -> CalledTo {
    let body: Value = serde_json::from_str(&need.body).unwrap_or_default();
    CalledTo {
        id: need.id,
        kind: need.kind,
        title: body.get("title").and_then(Value::as_str).unwrap_or_default().to_owned(),
        digest: need.digest,
        since: need.since,
        until: need.until,
    }
}
