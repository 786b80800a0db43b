//! Changes as statements: one for all changes of a kind in a batch.
//!
//! Each row carries the number of its stream and the hash of its entry and is joined to the stream
//! whose head that is: a change whose entry was not written does nothing.

use std::collections::BTreeSet;

use beistand_core::access::Grant;
use beistand_core::model::{Digest, Organisation};
use serde_json::{Map, Value, json};

use crate::access::Credential;
use crate::change::Change;
use crate::error::AppendError;
use crate::sql::{Statement, params};
use crate::table::{Hold, HoldKey, Incident, Need, Once, Run};

/// Rows of one batch, by statement.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    rows: std::collections::BTreeMap<usize, Vec<(String, Value)>>,
}

/// Where in [`STATEMENTS`], what makes the row one, and its columns.
type Planned = (usize, String, Value);

impl Changes {
    /// Adds the changes of one append, whose entry will be the head of `stream`.
    pub(crate) fn add(&mut self, stream: i64, head: Digest, changes: &[Change]) {
        for change in changes {
            let (statement, key, mut row) = planned(change, stream);
            if let Some(row) = row.as_object_mut() {
                row.insert("_no".to_owned(), json!(stream));
                row.insert("_head".to_owned(), json!(head.hex()));
            }
            self.rows.entry(statement).or_default().push((key, row));
        }
    }

    /// Kind by kind, in the order of [`STATEMENTS`]. Rows that meet in one batch go one after the
    /// other.
    pub(crate) fn statements(self) -> Vec<Statement> {
        let mut statements = Vec::new();
        for (statement, mut rows) in self.rows {
            let Some(sql) = STATEMENTS.get(statement).copied() else { continue };
            while !rows.is_empty() {
                let mut seen = BTreeSet::new();
                let (now, later): (Vec<_>, Vec<_>) =
                    rows.into_iter().partition(|(key, _)| seen.insert(key.clone()));
                let now: Vec<Value> = now.into_iter().map(|(_, row)| row).collect();
                let params = params![Value::Array(now).to_string()];
                statements.push(Statement { sql, params });
                rows = later;
            }
        }
        statements
    }
}

/// A text with a zero character can not be kept by PostgreSQL; it is refused on both stores, before
/// it can spoil a batch.
pub(crate) fn check(changes: &[Change]) -> Result<(), AppendError> {
    for change in changes {
        let (_, _, row) = planned(change, 0);
        let zero = row
            .as_object()
            .and_then(|row| row.iter().find(|(_, v)| v.as_str().is_some_and(|v| v.contains('\0'))));
        if let Some((column, _)) = zero {
            return Err(AppendError::Invalid(format!("`{column}` holds a zero character")));
        }
    }
    Ok(())
}

macro_rules! rows {
    () => {
        " from json_each($1) w join stream s on s.no = cast(w.value ->> '_no' as bigint)
          and s.head = unhex(w.value ->> '_head') "
    };
}

macro_rules! int {
    ($name:literal) => {
        concat!("cast(w.value ->> '", $name, "' as bigint)")
    };
}

/// In the order they are applied; [`planned`] names them by position.
pub(crate) const STATEMENTS: &[&str] = &[
    // 0 PutRun
    concat!(
        "insert into run (id, incident, playbook, plan, mode, status, root, parent, parent_path,
             start_key, requested_by, organisation, superseded_by, started_at, ended_at, restored, body)
         select w.value ->> 'id', w.value ->> 'incident', w.value ->> 'playbook', w.value ->> 'plan',
             w.value ->> 'mode', w.value ->> 'status', w.value ->> 'root', w.value ->> 'parent',
             w.value ->> 'parent_path', w.value ->> 'start_key', w.value ->> 'requested_by',
             w.value ->> 'organisation', w.value ->> 'superseded_by', ",
        int!("started_at"), ", ", int!("ended_at"), ", ", int!("restored"), ", w.value ->> 'body'",
        rows!(),
        "where true on conflict (id) do update set status = excluded.status,
             superseded_by = excluded.superseded_by, ended_at = excluded.ended_at,
             restored = excluded.restored, body = excluded.body"
    ),
    // 1 RunStatus
    concat!(
        "update run set status = w.value ->> 'status', ended_at = ", int!("ended_at"),
        ", superseded_by = w.value ->> 'superseded_by'", rows!(),
        "where run.id = w.value ->> 'run'"
    ),
    // 2 Snapshot
    concat!(
        "insert into snapshot (stream, seq, bytes) select s.no, s.seq, unhex(w.value ->> 'bytes')",
        rows!(),
        "where true on conflict (stream) do update set seq = excluded.seq, bytes = excluded.bytes"
    ),
    // 3 PutNeed
    concat!(
        "insert into need (id, run, root, incident, mode, kind, step, batch, role, organisation, digest,
             since, until, escalated_at, closed_at, body)
         select w.value ->> 'id', w.value ->> 'run', w.value ->> 'root', w.value ->> 'incident',
             w.value ->> 'mode', w.value ->> 'kind', w.value ->> 'step', w.value ->> 'batch',
             w.value ->> 'role', w.value ->> 'organisation', w.value ->> 'digest', ",
        int!("since"), ", ", int!("until"), ", ", int!("escalated_at"), ", ", int!("closed_at"),
        ", w.value ->> 'body'", rows!(),
        "where true on conflict (id) do update set role = excluded.role, digest = excluded.digest,
             until = excluded.until, escalated_at = excluded.escalated_at,
             closed_at = excluded.closed_at, body = excluded.body"
    ),
    // 4 CloseNeed
    concat!(
        "update need set closed_at = ", int!("at"), rows!(),
        "where need.id = w.value ->> 'need' and need.closed_at is null"
    ),
    // 5 CloseNeedsOf
    concat!(
        "update need set closed_at = ", int!("at"), rows!(),
        "where need.run = w.value ->> 'run' and need.closed_at is null"
    ),
    // 6 AddSignal
    concat!(
        "insert into signal (run, name, key, at, used_at, body)
         select w.value ->> 'run', w.value ->> 'name', w.value ->> 'key', ", int!("at"), ", ",
        int!("used_at"), ", w.value ->> 'body'", rows!(),
        "where true on conflict (run, key) do nothing"
    ),
    // 7 UseSignal
    concat!(
        "update signal set used_at = ", int!("at"), rows!(),
        "where signal.run = w.value ->> 'run' and signal.key = w.value ->> 'key'
             and signal.used_at is null"
    ),
    // 8 AnswerCommand
    concat!(
        "update command set answer = w.value ->> 'answer', answered_at = ", int!("at"), rows!(),
        "where command.id = w.value ->> 'command' and command.answered_at is null"
    ),
    // 9 PutHold
    concat!(
        "insert into hold (mode, target, effect, run, path, state, since, organisation, connector, body)
         select w.value ->> 'mode', w.value ->> 'target', w.value ->> 'effect', w.value ->> 'run',
             w.value ->> 'path', w.value ->> 'state', ", int!("since"), ", w.value ->> 'organisation',
             w.value ->> 'connector', w.value ->> 'body'", rows!(),
        "where true on conflict (mode, target, effect, connector, run, path) do update
             set state = excluded.state, since = excluded.since, body = excluded.body"
    ),
    // 10 RemoveHold
    concat!(
        "delete from hold where (mode, target, effect, connector, run, path) in (
             select w.value ->> 'mode', w.value ->> 'target', w.value ->> 'effect',
             w.value ->> 'connector', w.value ->> 'run', w.value ->> 'path'", rows!(), ")"
    ),
    // 11 UseTarget
    concat!(
        "insert into target_use (mode, run, target, organisation, at)
         select w.value ->> 'mode', w.value ->> 'run', w.value ->> 'target',
             w.value ->> 'organisation', ", int!("at"), rows!(),
        "where true on conflict (mode, run, target) do update set at = excluded.at"
    ),
    // 12 Once
    concat!(
        "insert into once (incident, key, run, path)
         select w.value ->> 'incident', w.value ->> 'key', w.value ->> 'run', w.value ->> 'path'",
        rows!(), "where true on conflict (incident, key) do nothing"
    ),
    // 13 PutIncident
    concat!(
        "insert into incident (id, number, mode, title, severity, tlp, organisation, opened_at,
             closed_at, body)
         select w.value ->> 'id', w.value ->> 'number', w.value ->> 'mode', w.value ->> 'title', ",
        int!("severity"), ", w.value ->> 'tlp', w.value ->> 'organisation', ", int!("opened_at"),
        ", ", int!("closed_at"), ", w.value ->> 'body'", rows!(),
        "where true on conflict (id) do update set title = excluded.title,
             severity = excluded.severity, tlp = excluded.tlp, closed_at = excluded.closed_at,
             body = excluded.body"
    ),
    // 14 SetRole
    concat!(
        "insert into incident_role (incident, role, person)
         select w.value ->> 'incident', w.value ->> 'role', w.value ->> 'person'", rows!(),
        "where true on conflict (incident, role) do update set person = excluded.person"
    ),
    // 15 SetRole without a person
    concat!(
        "delete from incident_role where (incident, role) in (
             select w.value ->> 'incident', w.value ->> 'role'", rows!(), ")"
    ),
    // 16 LinkOrganisation
    concat!(
        "insert into incident_organisation (incident, organisation)
         select w.value ->> 'incident', w.value ->> 'organisation'", rows!(),
        "where true on conflict (incident, organisation) do nothing"
    ),
    // 17 PutAsset
    concat!(
        "insert into asset (incident, kind, value, state, organisation, at)
         select w.value ->> 'incident', w.value ->> 'kind', w.value ->> 'value',
             w.value ->> 'state', w.value ->> 'organisation', ", int!("at"), rows!(),
        "where true on conflict (incident, kind, value) do update set state = excluded.state,
             organisation = excluded.organisation, at = excluded.at"
    ),
    // 18 AddEvidence
    concat!(
        "insert into evidence (incident, digest, name, organisation, person, at)
         select w.value ->> 'incident', w.value ->> 'digest', w.value ->> 'name',
             w.value ->> 'organisation', w.value ->> 'person', ", int!("at"), rows!(),
        "where true on conflict (incident, digest, name) do nothing"
    ),
    // 19 Stop: since the first, by the last
    concat!(
        "update meta set stopped_at = coalesce(meta.stopped_at, ", int!("at"),
        "), stop_body = w.value ->> 'body'", rows!(), "where true"
    ),
    // 20 GoOn
    concat!("update meta set stopped_at = null, stop_body = ''", rows!(), "where true"),
    // 21 Wake
    concat!(
        "update stream set due = case when stream.due is null or stream.due > ", int!("at"),
        " then ", int!("at"), " else stream.due end", rows!(),
        "where stream.kind = w.value ->> 'kind' and stream.id = w.value ->> 'id'"
    ),
    // 22 EraseBody
    concat!(
        "update entry set body = null, salt = null", rows!(),
        "where entry.stream = (select no from stream t where t.kind = w.value ->> 'kind'
                 and t.id = w.value ->> 'id')
             and entry.seq = ", int!("seq")
    ),
    // 23 NotOnce
    concat!(
        "delete from once where (incident, key, run) in (
             select w.value ->> 'incident', w.value ->> 'key', w.value ->> 'run'", rows!(), ")"
    ),
    // 24 Pause
    concat!(
        "insert into pause (connector, at) select w.value ->> 'connector', ", int!("at"), rows!(),
        "where true on conflict (connector) do nothing"
    ),
    // 25 Unpause
    concat!("delete from pause where connector in (select w.value ->> 'connector'", rows!(), ")"),
    // 26 Strike
    concat!(
        "insert into strike (root, action, target, run, votes)
         select w.value ->> 'root', w.value ->> 'action', w.value ->> 'target',
             w.value ->> 'run', ", int!("votes"), rows!(),
        "where true on conflict (root, action, target) do nothing"
    ),
    // 27 PutAccount
    concat!(
        "insert into account (name, kind, person, made_at, locked_at)
         select w.value ->> 'name', w.value ->> 'kind', w.value ->> 'person', ", int!("made_at"),
        ", ", int!("locked_at"), rows!(),
        "where true on conflict (name) do update set locked_at = excluded.locked_at"
    ),
    // 28 PutCredential
    concat!(
        "insert into credential (id, account, kind, label, lookup, secret, made_at, until, used_at, body)
         select w.value ->> 'id', w.value ->> 'account', w.value ->> 'kind', w.value ->> 'label',
             w.value ->> 'lookup', w.value ->> 'secret', ", int!("made_at"), ", ", int!("until"), ", ",
        int!("used_at"), ", w.value ->> 'body'", rows!(),
        "where true on conflict (id) do update set label = excluded.label, lookup = excluded.lookup,
             secret = excluded.secret, made_at = excluded.made_at, until = excluded.until,
             used_at = excluded.used_at, body = excluded.body"
    ),
    // 29 RemoveCredential
    concat!("delete from credential where id in (select w.value ->> 'id'", rows!(), ")"),
    // 30 PutGrant
    concat!(
        "insert into access_grant (person, role, reach, until)
         select w.value ->> 'person', w.value ->> 'role', w.value ->> 'reach', ", int!("until"),
        rows!(), "where true on conflict (person, role, reach) do update set until = excluded.until"
    ),
    // 31 RemoveGrant
    concat!(
        "delete from access_grant where (person, role, reach) in (
             select w.value ->> 'person', w.value ->> 'role', w.value ->> 'reach'", rows!(), ")"
    ),
    // 32 EndSessions
    concat!("delete from session where account in (select w.value ->> 'account'", rows!(), ")"),
    // 33 UseUp
    concat!(
        "update credential set used_at = ", int!("at"), rows!(),
        "where credential.id = w.value ->> 'credential' and credential.used_at is null"
    ),
];

#[expect(clippy::too_many_lines, reason = "a table: one row a variant")]
fn planned(change: &Change, stream: i64) -> Planned {
    match change {
        Change::PutRun(run) => (0, run.id.to_string(), run_row(run)),
        Change::RunStatus { run, status, ended_at, superseded_by } => (
            1,
            run.to_string(),
            json!({"run": run, "status": status, "ended_at": ended_at,
                "superseded_by": superseded_by}),
        ),
        Change::Snapshot { bytes } => (2, stream.to_string(), json!({"bytes": hex::encode(bytes)})),
        Change::PutNeed(need) => (3, need.id.to_string(), need_row(need)),
        Change::CloseNeed { need, at } => (4, need.to_string(), json!({"need": need, "at": at})),
        Change::CloseNeedsOf { run, at } => (5, run.to_string(), json!({"run": run, "at": at})),
        Change::AddSignal(signal) => (
            6,
            format!("{} {}", signal.run, signal.key),
            json!({"run": signal.run, "name": signal.name, "key": signal.key, "at": signal.at,
                "used_at": signal.used_at, "body": signal.body}),
        ),
        Change::UseSignal { run, key, at } => {
            (7, format!("{run} {key}"), json!({"run": run, "key": key, "at": at}))
        }
        Change::AnswerCommand { command, answer, at } => {
            (8, command.clone(), json!({"command": command, "answer": answer, "at": at}))
        }
        Change::PutHold(hold) => (9, key_text(&hold.key), hold_row(hold)),
        Change::RemoveHold(key) => (10, key_text(key), Value::Object(key_row(key))),
        Change::UseTarget(touched) => (
            11,
            format!("{} {} {}", touched.mode, touched.run, touched.target),
            json!({"mode": touched.mode, "run": touched.run, "target": touched.target,
                "organisation": touched.organisation, "at": touched.at}),
        ),
        Change::Once(once) => (12, format!("{} {}", once.incident, once.key), once_row(once)),
        Change::PutIncident(incident) => (13, incident.id.to_string(), incident_row(incident)),
        Change::SetRole { incident, role, person: Some(person) } => (
            14,
            format!("{incident} {role}"),
            json!({"incident": incident, "role": role, "person": person}),
        ),
        Change::SetRole { incident, role, person: None } => {
            (15, format!("{incident} {role}"), json!({"incident": incident, "role": role}))
        }
        Change::LinkOrganisation { incident, organisation } => (
            16,
            format!("{incident} {organisation}"),
            json!({"incident": incident, "organisation": organisation}),
        ),
        Change::PutAsset(asset) => (
            17,
            format!("{} {} {}", asset.incident, asset.kind, asset.value),
            json!({"incident": asset.incident, "kind": asset.kind, "value": asset.value,
                "state": asset.state, "organisation": asset.organisation, "at": asset.at}),
        ),
        Change::AddEvidence(file) => (
            18,
            format!("{} {} {}", file.incident, file.digest, file.name),
            json!({"incident": file.incident, "digest": file.digest, "name": file.name,
                "organisation": file.organisation, "person": file.by, "at": file.at}),
        ),
        Change::Stop { at, body } => (19, String::new(), json!({"at": at, "body": body})),
        Change::GoOn => (20, String::new(), json!({})),
        Change::Wake { kind, id, at } => {
            let kind = kind.as_str();
            (21, format!("{kind}:{id}"), json!({"kind": kind, "id": id, "at": at}))
        }
        Change::EraseBody { kind, id, seq } => {
            let kind = kind.as_str();
            (22, format!("{kind}:{id} {seq}"), json!({"kind": kind, "id": id, "seq": seq}))
        }
        Change::NotOnce(once) => (23, format!("{} {}", once.incident, once.key), once_row(once)),
        Change::Pause { connector, at } => {
            (24, connector.to_string(), json!({"connector": connector, "at": at}))
        }
        Change::Unpause { connector } => {
            (25, connector.to_string(), json!({"connector": connector}))
        }
        Change::Strike(strike) => (
            26,
            format!("{} {} {}", strike.root, strike.action, strike.target),
            json!({"root": strike.root, "action": strike.action, "target": strike.target,
                "run": strike.run, "votes": strike.votes}),
        ),
        Change::PutAccount(account) => (27, account.name.to_string(), json!(account)),
        Change::PutCredential(credential) => {
            (28, credential.id.clone(), credential_row(credential))
        }
        Change::RemoveCredential { id } => (29, id.clone(), json!({"id": id})),
        Change::PutGrant(grant) => (30, grant_text(grant), json!(grant)),
        Change::RemoveGrant(grant) => (31, grant_text(grant), json!(grant)),
        Change::EndSessions { account } => (32, account.to_string(), json!({"account": account})),
        Change::UseUp { credential, at } => {
            (33, credential.clone(), json!({"credential": credential, "at": at}))
        }
    }
}

fn grant_text(grant: &Grant) -> String {
    format!("{} {} {}", grant.person, grant.role, grant.reach)
}

fn credential_row(credential: &Credential) -> Value {
    json!({
        "id": credential.id, "account": credential.account, "kind": credential.kind.as_str(),
        "label": credential.label, "lookup": credential.lookup, "secret": credential.secret,
        "made_at": credential.made_at, "until": credential.until, "used_at": credential.used_at,
        "body": credential.body,
    })
}

fn run_row(run: &Run) -> Value {
    let (parent, parent_path) = run.parent.clone().unzip();
    json!({
        "id": run.id, "incident": run.incident, "playbook": run.playbook, "plan": run.plan,
        "mode": run.mode, "status": run.status, "root": run.root, "parent": parent,
        "parent_path": parent_path, "start_key": run.start_key, "requested_by": run.requested_by,
        "organisation": run.organisation, "superseded_by": run.superseded_by,
        "started_at": run.started_at, "ended_at": run.ended_at,
        "restored": i64::from(run.restored), "body": run.body,
    })
}

fn need_row(need: &Need) -> Value {
    json!({
        "id": need.id, "run": need.run, "root": need.root, "incident": need.incident,
        "mode": need.mode, "kind": need.kind, "step": need.step, "batch": need.group,
        "role": need.role, "organisation": need.organisation, "digest": need.digest,
        "since": need.since, "until": need.until, "escalated_at": need.escalated_at,
        "closed_at": need.closed_at, "body": need.body,
    })
}

fn once_row(once: &Once) -> Value {
    json!({"incident": once.incident, "key": once.key, "run": once.run, "path": once.path})
}

fn key_text(key: &HoldKey) -> String {
    let HoldKey { mode, target, effect, connector, run, path } = key;
    format!("{mode} {target} {effect} {connector} {run} {path}")
}

fn key_row(key: &HoldKey) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("mode".to_owned(), json!(key.mode));
    row.insert("target".to_owned(), json!(key.target));
    row.insert("effect".to_owned(), json!(key.effect));
    row.insert("connector".to_owned(), json!(key.connector));
    row.insert("run".to_owned(), json!(key.run));
    row.insert("path".to_owned(), json!(key.path));
    row
}

fn hold_row(hold: &Hold) -> Value {
    let mut row = key_row(&hold.key);
    row.insert("state".to_owned(), json!(hold.state.as_str()));
    row.insert("since".to_owned(), json!(hold.since));
    row.insert(
        "organisation".to_owned(),
        json!(hold.organisation.as_ref().map(Organisation::as_str)),
    );
    row.insert("body".to_owned(), json!(hold.body));
    Value::Object(row)
}

fn incident_row(incident: &Incident) -> Value {
    json!({
        "id": incident.id, "number": incident.number, "mode": incident.mode,
        "title": incident.title, "severity": incident.severity, "tlp": incident.tlp,
        "organisation": incident.organisation, "opened_at": incident.opened_at,
        "closed_at": incident.closed_at, "body": incident.body,
    })
}
