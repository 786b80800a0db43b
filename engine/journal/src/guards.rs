//! Guards, asked of the database inside the transaction.

use beistand_core::entry::stream_name;
use beistand_core::model::{Digest, Path, RunId};
use serde_json::json;

use crate::error::StoreError;
use crate::guard::{Guard, LimitKind, Refusal, TargetCount};
use crate::sql::{Connection, Failure, Row, params};
use crate::table::{HoldKey, Once, Strike};

impl Guard {
    /// Appends with a common key never share a batch, so that what one of them writes is seen by
    /// the guards of the other.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::NeedOpen { need, .. } => format!("need {need}"),
            Self::StartKeyFree { key } => format!("start {key}"),
            Self::SignalNew { run, key } => format!("signal {run} {key}"),
            Self::NumberFree { number } => format!("number {number}"),
            Self::StreamAt { kind, id, .. } => format!("stream {}", stream_name(*kind, id)),
            Self::TargetFree { hold }
            | Self::NotHeld { hold }
            | Self::Held { hold }
            | Self::LastHold { hold } => format!("target {} {}", hold.mode, hold.target),
            Self::DistinctTargets { mode, .. } => format!("limits {mode}"),
            Self::VotesCarry { strikes, .. } => {
                strikes.first().map_or_else(String::new, |strike| {
                    format!("votes {} {}", strike.root, strike.action)
                })
            }
            Self::OncePerIncident { once } => format!("once {} {}", once.incident, once.key),
            Self::Unused { credential, .. } => format!("credential {credential}"),
        }
    }
}

/// The first guard that does not hold.
pub(crate) async fn refused(
    connection: &mut Connection,
    guards: &[Guard],
) -> Result<Option<Refusal>, Failure> {
    for guard in guards {
        if let Some(refusal) = check(connection, guard).await? {
            return Ok(Some(refusal));
        }
    }
    Ok(None)
}

async fn check(connection: &mut Connection, guard: &Guard) -> Result<Option<Refusal>, Failure> {
    match guard {
        Guard::NeedOpen { need, digest } => {
            let sql = "select closed_at, digest from need where id = $1";
            let row = connection.row(sql, params![need.to_string()]).await?;
            need_open(row, *need, *digest).map_err(|error| bad(&error))
        }
        Guard::StartKeyFree { key } => {
            let sql = "select id from run where start_key = $1";
            let row = connection.row(sql, params![key.as_str()]).await?;
            row.map(|mut row| Ok(Refusal::Started { run: row.parse::<RunId>("run.id")? }))
                .transpose()
                .map_err(|error| bad(&error))
        }
        Guard::SignalNew { run, key } => {
            let sql = "select no from signal where run = $1 and key = $2";
            let row = connection.row(sql, params![run.to_string(), key.as_str()]).await?;
            Ok(row.map(|_| Refusal::SignalKnown))
        }
        Guard::NumberFree { number } => {
            let sql = "select no from incident where number = $1";
            let row = connection.row(sql, params![number.as_str()]).await?;
            Ok(row.map(|_| Refusal::NumberTaken))
        }
        Guard::StreamAt { kind, id, seq } => {
            let sql = "select seq from stream where kind = $1 and id = $2";
            let row = connection.row(sql, params![kind.as_str(), id.as_str()]).await?;
            let found = row.map(|mut row| row.int("stream.seq")).transpose();
            let found = found.map_err(|error| bad(&error))?.unwrap_or(0);
            let found = u64::try_from(found).unwrap_or(0);
            Ok((found != *seq).then_some(Refusal::StreamMoved { seq: found }))
        }
        Guard::TargetFree { hold } => {
            let sql = "select run, path from hold where mode = $1 and target = $2 and effect = $3
                 and connector = $4 and state <> 'held' and not (run = $5 and path = $6)
                 order by no limit 1";
            let other = another(connection, sql, hold).await?;
            Ok(other.map(|(run, path)| Refusal::TargetBusy { run, path }))
        }
        Guard::NotHeld { hold } | Guard::LastHold { hold } => {
            let other = other_hold(connection, hold).await?;
            Ok(other.map(|(run, path)| Refusal::AlreadyHeld { run, path }))
        }
        Guard::Held { hold } => {
            let other = other_hold(connection, hold).await?;
            Ok(if other.is_some() { None } else { Some(Refusal::NotHeld) })
        }
        Guard::DistinctTargets { .. } => limits(connection, guard).await,
        Guard::VotesCarry { strikes, most } => votes_carry(connection, strikes, *most).await,
        Guard::OncePerIncident { once } => done_before(connection, once).await,
        Guard::Unused { credential, at } => {
            let sql = "select no from credential where id = $1 and used_at is null
                 and (until is null or until > $2)";
            let row = connection.row(sql, params![credential.as_str(), at.get()]).await?;
            let used = || Refusal::UsedUp { credential: credential.clone() };
            Ok(row.is_none().then(used))
        }
    }
}

async fn done_before(connection: &mut Connection, once: &Once) -> Result<Option<Refusal>, Failure> {
    let sql = "select run from once where incident = $1 and key = $2 and run <> $3";
    let params = params![once.incident.to_string(), once.key.to_string(), once.run.to_string()];
    let row = connection.row(sql, params).await?;
    row.map(|mut row| Ok(Refusal::DoneBefore { run: row.parse("once.run")? }))
        .transpose()
        .map_err(|error| bad(&error))
}

fn bad(error: &StoreError) -> Failure {
    Failure::Bad(error.to_string())
}

fn need_open(
    row: Option<Row>,
    need: beistand_core::model::NeedId,
    digest: Option<Digest>,
) -> Result<Option<Refusal>, StoreError> {
    let Some(mut row) = row else { return Ok(Some(Refusal::NeedClosed { need })) };
    if row.maybe_int("need.closed_at")?.is_some() {
        return Ok(Some(Refusal::NeedClosed { need }));
    }
    let current: Option<Digest> = row.maybe_parse("need.digest")?;
    Ok((digest.is_some() && digest != current).then_some(Refusal::NeedChanged { need }))
}

async fn other_hold(
    connection: &mut Connection,
    hold: &HoldKey,
) -> Result<Option<(RunId, Path)>, Failure> {
    let sql = "select run, path from hold where mode = $1 and target = $2 and effect = $3
         and connector = $4 and state = 'held' and not (run = $5 and path = $6)
         order by no limit 1";
    another(connection, sql, hold).await
}

/// Who else has such a hold.
async fn another(
    connection: &mut Connection,
    sql: &'static str,
    hold: &HoldKey,
) -> Result<Option<(RunId, Path)>, Failure> {
    let params = params![
        hold.mode.as_str(),
        hold.target.as_str(),
        hold.effect.as_str(),
        hold.connector.as_str(),
        hold.run.to_string(),
        hold.path.as_str()
    ];
    whose(connection.row(sql, params).await?).map_err(|error| bad(&error))
}

fn whose(row: Option<Row>) -> Result<Option<(RunId, Path)>, StoreError> {
    row.map(|mut row| {
        let run = row.parse("hold.run")?;
        // The path of a step is kept as it was written; the root's is empty.
        let path = row.text("hold.path")?;
        Ok((run, Path::root().child(&path)))
    })
    .transpose()
}

async fn limits(connection: &mut Connection, guard: &Guard) -> Result<Option<Refusal>, Failure> {
    let Guard::DistinctTargets { mode, run, since, limits, targets } = guard else {
        return Ok(None);
    };
    if let Some(limit) = limits.targets_per_run {
        let sql = "select count(*) from (select target from target_use where mode = $1 and run = $2
             union select w.value ->> 'target' from json_each($3) w) as touched";
        let params = params![mode.as_str(), run.to_string(), names(targets.iter())];
        if let Some(refusal) = over(connection, sql, params, (LimitKind::Run, limit)).await? {
            return Ok(Some(refusal));
        }
    }
    if let Some(limit) = limits.targets_per_hour {
        let sql = "select count(*) from (select target from target_use where mode = $1 and at >= $2
             union select w.value ->> 'target' from json_each($3) w) as touched";
        let params = params![mode.as_str(), since.get(), names(targets.iter())];
        if let Some(refusal) = over(connection, sql, params, (LimitKind::Hour, limit)).await? {
            return Ok(Some(refusal));
        }
    }
    let Some(limit) = limits.targets_per_organisation else { return Ok(None) };
    let mut organisations: Vec<_> =
        targets.iter().filter_map(|t| t.organisation.as_ref()).collect();
    organisations.sort();
    organisations.dedup();
    for organisation in organisations {
        let sql = "select count(*) from (select target from target_use where mode = $1 and at >= $2
             and organisation = $3 union select w.value ->> 'target' from json_each($4) w) as touched";
        let theirs = targets.iter().filter(|t| t.organisation.as_ref() == Some(organisation));
        let params = params![mode.as_str(), since.get(), organisation.as_str(), names(theirs)];
        let limit = (LimitKind::Organisation, limit);
        if let Some(refusal) = over(connection, sql, params, limit).await? {
            return Ok(Some(refusal));
        }
    }
    Ok(None)
}

async fn votes_carry(
    connection: &mut Connection,
    strikes: &[Strike],
    most: u32,
) -> Result<Option<Refusal>, Failure> {
    let Some(Strike { root, action, votes, .. }) = strikes.first() else { return Ok(None) };
    let sql = "select count(*) from (select target from strike where root = $1 and action = $2
         and votes <= $3 union select w.value ->> 'target' from json_each($4) w) as struck";
    let rows: Vec<_> = strikes.iter().map(|strike| json!({"target": strike.target})).collect();
    let rows = serde_json::Value::Array(rows).to_string();
    let params = params![root.to_string(), action.as_str(), i64::from(*votes), rows];
    let wanted = count(connection, sql, params).await?;
    let refusal = Refusal::Votes { votes: *votes, most, wanted };
    Ok((wanted > u64::from(most)).then_some(refusal))
}

fn names<'a>(targets: impl Iterator<Item = &'a TargetCount>) -> String {
    let rows: Vec<_> = targets.map(|target| json!({"target": target.target})).collect();
    serde_json::Value::Array(rows).to_string()
}

async fn over(
    connection: &mut Connection,
    sql: &'static str,
    params: Vec<crate::sql::Param>,
    (kind, limit): (LimitKind, u32),
) -> Result<Option<Refusal>, Failure> {
    let wanted = count(connection, sql, params).await?;
    Ok((wanted > u64::from(limit)).then_some(Refusal::Limit { kind, limit, wanted }))
}

/// The one number that a question answers.
async fn count(
    connection: &mut Connection,
    sql: &'static str,
    params: Vec<crate::sql::Param>,
) -> Result<u64, Failure> {
    let Some(mut row) = connection.row(sql, params).await? else { return Ok(0) };
    Ok(u64::try_from(row.int("count").map_err(|error| bad(&error))?).unwrap_or(0))
}
