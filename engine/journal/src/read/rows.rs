//! From rows to what callers read.

use beistand_core::model::{Millis, Path, RunId, Severity};

use crate::command::Command;
use crate::error::StoreError;
use crate::sql::Row;
use crate::stream::Entry;
use crate::table::{
    Asset, Evidence, Hold, HoldKey, HoldState, Incident, Meta, Need, Once, OpenNeed, Run, Signal,
    Strike, TargetUse,
};
use crate::writer::digest;

fn millis(row: &mut Row, what: &'static str) -> Result<Millis, StoreError> {
    row.int(what).map(Millis::new)
}

fn maybe_millis(row: &mut Row, what: &'static str) -> Result<Option<Millis>, StoreError> {
    Ok(row.maybe_int(what)?.map(Millis::new))
}

/// A path is kept as it was written; it was a path then.
fn path(text: &str) -> Path {
    Path::root().child(text)
}

pub(crate) fn meta(mut row: Row) -> Result<Meta, StoreError> {
    Ok(Meta {
        store: row.parse("meta.store")?,
        epoch: row.text("meta.epoch")?,
        created_at: millis(&mut row, "meta.created_at")?,
        restored_at: maybe_millis(&mut row, "meta.restored_at")?,
        stopped_at: maybe_millis(&mut row, "meta.stopped_at")?,
        stop_body: row.text("meta.stop_body")?,
    })
}

pub(super) fn entry(mut row: Row) -> Result<Entry, StoreError> {
    Ok(Entry {
        seq: u64::try_from(row.int("entry.seq")?).unwrap_or(0),
        at: millis(&mut row, "entry.at")?,
        head: row.bytes("entry.head")?,
        body: row.maybe_bytes("entry.body")?,
        body_hash: digest(&row.bytes("entry.body_hash")?, "entry.body_hash")?,
        hash: digest(&row.bytes("entry.hash")?, "entry.hash")?,
    })
}

pub(super) fn run(mut row: Row) -> Result<(i64, Run), StoreError> {
    let no = row.int("run.no")?;
    let run = Run {
        id: row.parse("run.id")?,
        incident: row.parse("run.incident")?,
        playbook: row.text("run.playbook")?,
        plan: row.parse("run.plan")?,
        mode: row.parse("run.mode")?,
        status: row.text("run.status")?,
        root: row.parse("run.root")?,
        parent: {
            let parent: Option<RunId> = row.maybe_parse("run.parent")?;
            parent.zip(row.maybe_text("run.parent_path")?.map(|text| path(&text)))
        },
        start_key: row.maybe_text("run.start_key")?,
        requested_by: row.parse("run.requested_by")?,
        organisation: row.maybe_parse("run.organisation")?,
        superseded_by: row.maybe_parse("run.superseded_by")?,
        started_at: millis(&mut row, "run.started_at")?,
        ended_at: maybe_millis(&mut row, "run.ended_at")?,
        restored: row.int("run.restored")? != 0,
        body: row.text("run.body")?,
    };
    Ok((no, run))
}

pub(super) fn need(mut row: Row) -> Result<Need, StoreError> {
    Ok(Need {
        id: row.parse("need.id")?,
        run: row.maybe_parse("need.run")?,
        root: row.maybe_parse("need.root")?,
        incident: row.parse("need.incident")?,
        mode: row.parse("need.mode")?,
        kind: row.parse("need.kind")?,
        step: row.maybe_text("need.step")?.map(|text| path(&text)),
        group: row.maybe_text("need.batch")?,
        role: row.maybe_parse("need.role")?,
        organisation: row.maybe_parse("need.organisation")?,
        digest: row.maybe_parse("need.digest")?,
        since: millis(&mut row, "need.since")?,
        until: maybe_millis(&mut row, "need.until")?,
        escalated_at: maybe_millis(&mut row, "need.escalated_at")?,
        closed_at: maybe_millis(&mut row, "need.closed_at")?,
        body: row.text("need.body")?,
    })
}

pub(super) fn open_need(mut row: Row) -> Result<(i64, OpenNeed), StoreError> {
    let need = OpenNeed {
        id: row.parse("need.id")?,
        incident: row.parse("need.incident")?,
        mode: row.parse("need.mode")?,
        kind: row.parse("need.kind")?,
        role: row.parse("need.role")?,
        digest: row.maybe_parse("need.digest")?,
        since: millis(&mut row, "need.since")?,
        until: maybe_millis(&mut row, "need.until")?,
        escalated_at: maybe_millis(&mut row, "need.escalated_at")?,
    };
    Ok((row.int("need.no")?, need))
}

pub(super) fn signal(mut row: Row) -> Result<Signal, StoreError> {
    Ok(Signal {
        run: row.parse("signal.run")?,
        name: row.text("signal.name")?,
        key: row.text("signal.key")?,
        at: millis(&mut row, "signal.at")?,
        used_at: maybe_millis(&mut row, "signal.used_at")?,
        body: row.text("signal.body")?,
    })
}

pub(super) fn hold(mut row: Row) -> Result<Hold, StoreError> {
    let key = HoldKey {
        mode: row.parse("hold.mode")?,
        target: row.text("hold.target")?,
        effect: row.text("hold.effect")?,
        connector: row.parse("hold.connector")?,
        run: row.parse("hold.run")?,
        path: path(&row.text("hold.path")?),
    };
    let state = row.text("hold.state")?;
    Ok(Hold {
        key,
        state: HoldState::parse(&state)
            .ok_or(StoreError::Damaged { what: "hold.state", why: state })?,
        since: millis(&mut row, "hold.since")?,
        organisation: row.maybe_parse("hold.organisation")?,
        body: row.text("hold.body")?,
    })
}

pub(super) fn once(mut row: Row) -> Result<Once, StoreError> {
    Ok(Once {
        incident: row.parse("once.incident")?,
        key: row.parse("once.key")?,
        run: row.parse("once.run")?,
        path: path(&row.text("once.path")?),
    })
}

pub(super) fn target_use(mut row: Row) -> Result<TargetUse, StoreError> {
    Ok(TargetUse {
        mode: row.parse("target_use.mode")?,
        run: row.parse("target_use.run")?,
        target: row.text("target_use.target")?,
        organisation: row.maybe_parse("target_use.organisation")?,
        at: millis(&mut row, "target_use.at")?,
    })
}

pub(super) fn strike(mut row: Row) -> Result<Strike, StoreError> {
    Ok(Strike {
        root: row.parse("strike.root")?,
        action: row.parse("strike.action")?,
        target: row.text("strike.target")?,
        run: row.parse("strike.run")?,
        votes: u32::try_from(row.int("strike.votes")?).unwrap_or(0),
    })
}

pub(super) fn incident(mut row: Row) -> Result<(i64, Incident), StoreError> {
    let no = row.int("incident.no")?;
    let incident = Incident {
        id: row.parse("incident.id")?,
        number: row.text("incident.number")?,
        mode: row.parse("incident.mode")?,
        title: row.text("incident.title")?,
        severity: {
            let number = row.int("incident.severity")?;
            u8::try_from(number)
                .ok()
                .and_then(|number| Severity::try_from(number).ok())
                .ok_or_else(|| StoreError::Damaged {
                    what: "incident.severity",
                    why: number.to_string(),
                })?
        },
        tlp: row.parse("incident.tlp")?,
        organisation: row.maybe_parse("incident.organisation")?,
        opened_at: millis(&mut row, "incident.opened_at")?,
        closed_at: maybe_millis(&mut row, "incident.closed_at")?,
        body: row.text("incident.body")?,
    };
    Ok((no, incident))
}

pub(super) fn asset(mut row: Row) -> Result<Asset, StoreError> {
    Ok(Asset {
        incident: row.parse("asset.incident")?,
        kind: row.text("asset.kind")?,
        value: row.text("asset.value")?,
        state: row.text("asset.state")?,
        organisation: row.maybe_parse("asset.organisation")?,
        at: millis(&mut row, "asset.at")?,
    })
}

pub(super) fn evidence(mut row: Row) -> Result<Evidence, StoreError> {
    Ok(Evidence {
        incident: row.parse("evidence.incident")?,
        digest: row.parse("evidence.digest")?,
        name: row.text("evidence.name")?,
        organisation: row.maybe_parse("evidence.organisation")?,
        by: row.parse("evidence.person")?,
        at: millis(&mut row, "evidence.at")?,
    })
}

pub(super) fn command(mut row: Row) -> Result<Command, StoreError> {
    Ok(Command {
        id: row.text("command.id")?,
        at: millis(&mut row, "command.at")?,
        who: row.parse("command.who")?,
        target: row.text("command.target")?,
        body: row.text("command.body")?,
    })
}
