//! All rows of all tables from one store to another, in one transaction on each side.

use crate::sql::{Cell, Connection, Param};

/// Rows read at once.
const PAGE: i64 = 200;

/// How the rows of a table are read and written.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    read: &'static str,
    write: &'static str,
    empty: &'static str,
}

// A table: its columns after `no`, and their types. The types are needed to write a null.
macro_rules! table {
    ($name:literal, $columns:literal, $values:literal) => {
        Table {
            name: $name,
            read: concat!(
                "select no, ",
                $columns,
                " from ",
                $name,
                " where no > $1 order by no limit $2"
            ),
            write: concat!(
                "insert into ",
                $name,
                " (no, ",
                $columns,
                ") values ($1, ",
                $values,
                ")"
            ),
            empty: concat!("delete from ", $name),
        }
    };
}

/// Every table but `migration`, which tells of the file and not of what is in it.
pub(crate) const TABLES: &[Table] = &[
    table!(
        "meta",
        "store, epoch, created_at, restored_at, stopped_at, stop_body",
        "$2, $3, $4, $5, $6, $7"
    ),
    table!("node", "boot, epoch, opened_at", "$2, $3, $4"),
    table!("stream", "kind, id, owner, fence, seq, head, due", "$2, $3, $4, $5, $6, $7, $8"),
    table!(
        "entry",
        "stream, seq, at, head, body, salt, body_hash, hash",
        "$2, $3, $4, $5, $6, $7, $8, $9"
    ),
    table!("snapshot", "stream, seq, bytes", "$2, $3, $4"),
    table!(
        "run",
        "id, incident, playbook, plan, mode, status, root, parent, parent_path, start_key, requested_by, organisation, superseded_by, started_at, ended_at, restored, body",
        "$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18"
    ),
    table!(
        "need",
        "id, run, root, incident, mode, kind, step, batch, role, organisation, digest, since, until, escalated_at, closed_at, body",
        "$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17"
    ),
    table!("signal", "run, name, key, at, used_at, body", "$2, $3, $4, $5, $6, $7"),
    table!(
        "command",
        "id, at, who, target, body, answer, answered_at",
        "$2, $3, $4, $5, $6, $7, $8"
    ),
    table!(
        "hold",
        "mode, target, effect, run, path, state, since, organisation, connector, body",
        "$2, $3, $4, $5, $6, $7, $8, $9, $10, $11"
    ),
    table!("target_use", "mode, run, target, organisation, at", "$2, $3, $4, $5, $6"),
    table!("once", "incident, key, run, path", "$2, $3, $4, $5"),
    table!("pause", "connector, at", "$2, $3"),
    table!("blob", "digest, bytes", "$2, $3"),
    table!(
        "incident",
        "id, number, mode, title, severity, tlp, organisation, opened_at, closed_at, body",
        "$2, $3, $4, $5, $6, $7, $8, $9, $10, $11"
    ),
    table!("incident_role", "incident, role, person", "$2, $3, $4"),
    table!("incident_organisation", "incident, organisation", "$2, $3"),
    table!("asset", "incident, kind, value, state, organisation, at", "$2, $3, $4, $5, $6, $7"),
    table!(
        "evidence",
        "incident, digest, name, organisation, person, at",
        "$2, $3, $4, $5, $6, $7"
    ),
    table!("strike", "root, action, target, run, votes", "$2, $3, $4, $5, $6"),
    table!("account", "name, kind, person, made_at, locked_at", "$2, $3, $4, $5, $6"),
    table!(
        "credential",
        "id, account, kind, label, lookup, secret, made_at, until, used_at, body",
        "$2, $3, $4, $5, $6, $7, $8, $9, $10, $11"
    ),
    table!("access_grant", "person, role, reach, until", "$2, $3, $4, $5"),
    table!("session", "id, account, until, body", "$2, $3, $4, $5"),
    table!("tally", "key, count, until", "$2, $3, $4"),
];

/// Copies a snapshot of PostgreSQL into a new file.
pub(super) async fn all(from: &mut Connection, into: &mut Connection) -> Result<(), sqlx::Error> {
    from.script("begin isolation level repeatable read read only").await?;
    into.script("begin immediate").await?;
    for table in TABLES {
        rows(from, into, table).await?;
    }
    into.script("commit").await?;
    from.script("commit").await
}

/// Puts the rows of a backup in the place of what PostgreSQL holds; leaves the transaction open.
pub(super) async fn replace(
    from: &mut Connection,
    into: &mut Connection,
) -> Result<(), sqlx::Error> {
    into.script("begin").await?;
    for table in TABLES {
        into.execute(table.empty, Vec::new()).await?;
        rows(from, into, table).await?;
    }
    into.script(COUNT_ON).await
}

async fn rows(
    from: &mut Connection,
    into: &mut Connection,
    table: &Table,
) -> Result<(), sqlx::Error> {
    let mut after = -1;
    loop {
        let page = from.rows(table.read, crate::sql::params![after, PAGE]).await?;
        if page.is_empty() {
            tracing::debug!(table = table.name, "copied");
            return Ok(());
        }
        for row in page {
            let cells = row.cells();
            if let Some(Cell::Int(no)) = cells.first() {
                after = *no;
            }
            let params = cells.into_iter().map(param).collect();
            into.execute(table.write, params).await?;
        }
    }
}

fn param(cell: Cell) -> Param {
    match cell {
        Cell::Null => Param::Null,
        Cell::Int(value) => Param::Int(Some(value)),
        Cell::Text(value) => Param::Text(Some(value)),
        Cell::Bytes(value) => Param::Bytes(Some(value)),
    }
}

/// The next rows are numbered behind the copied ones.
const COUNT_ON: &str = "
    select setval('stream_number', (select coalesce(max(no), 0) + 65 from stream), false);
    select setval(pg_get_serial_sequence('node', 'no'), (select coalesce(max(no), 0) + 1 from node), false);
    select setval(pg_get_serial_sequence('entry', 'no'), (select coalesce(max(no), 0) + 1 from entry), false);
    select setval(pg_get_serial_sequence('snapshot', 'no'), (select coalesce(max(no), 0) + 1 from snapshot), false);
    select setval(pg_get_serial_sequence('run', 'no'), (select coalesce(max(no), 0) + 1 from run), false);
    select setval(pg_get_serial_sequence('need', 'no'), (select coalesce(max(no), 0) + 1 from need), false);
    select setval(pg_get_serial_sequence('signal', 'no'), (select coalesce(max(no), 0) + 1 from signal), false);
    select setval(pg_get_serial_sequence('command', 'no'), (select coalesce(max(no), 0) + 1 from command), false);
    select setval(pg_get_serial_sequence('hold', 'no'), (select coalesce(max(no), 0) + 1 from hold), false);
    select setval(pg_get_serial_sequence('pause', 'no'), (select coalesce(max(no), 0) + 1 from pause), false);
    select setval(pg_get_serial_sequence('target_use', 'no'), (select coalesce(max(no), 0) + 1 from target_use), false);
    select setval(pg_get_serial_sequence('strike', 'no'), (select coalesce(max(no), 0) + 1 from strike), false);
    select setval(pg_get_serial_sequence('account', 'no'), (select coalesce(max(no), 0) + 1 from account), false);
    select setval(pg_get_serial_sequence('credential', 'no'), (select coalesce(max(no), 0) + 1 from credential), false);
    select setval(pg_get_serial_sequence('access_grant', 'no'), (select coalesce(max(no), 0) + 1 from access_grant), false);
    select setval(pg_get_serial_sequence('session', 'no'), (select coalesce(max(no), 0) + 1 from session), false);
    select setval(pg_get_serial_sequence('tally', 'no'), (select coalesce(max(no), 0) + 1 from tally), false);
    select setval(pg_get_serial_sequence('once', 'no'), (select coalesce(max(no), 0) + 1 from once), false);
    select setval(pg_get_serial_sequence('blob', 'no'), (select coalesce(max(no), 0) + 1 from blob), false);
    select setval(pg_get_serial_sequence('incident', 'no'), (select coalesce(max(no), 0) + 1 from incident), false);
    select setval(pg_get_serial_sequence('incident_role', 'no'), (select coalesce(max(no), 0) + 1 from incident_role), false);
    select setval(pg_get_serial_sequence('incident_organisation', 'no'), (select coalesce(max(no), 0) + 1 from incident_organisation), false);
    select setval(pg_get_serial_sequence('asset', 'no'), (select coalesce(max(no), 0) + 1 from asset), false);
    select setval(pg_get_serial_sequence('evidence', 'no'), (select coalesce(max(no), 0) + 1 from evidence), false)";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::MIGRATIONS;

    #[test]
    fn every_table_of_the_schema_is_copied() {
        let schema: Vec<&str> = MIGRATIONS
            .iter()
            .flat_map(|migration| migration.sqlite.split("create table ").skip(1))
            .filter_map(|rest| rest.split(' ').next())
            .filter(|name| *name != "migration")
            .collect();
        let copied: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
        assert_eq!(copied, schema);
        for table in TABLES.iter().filter(|table| !["meta", "stream"].contains(&table.name)) {
            assert!(COUNT_ON.contains(&format!("('{}', 'no')", table.name)), "{}", table.name);
        }
    }
}
