//! The tables, and how they came to be. Forward only: a store of a newer program is refused.
//!
//! The text is one for both stores; only the words for types differ. Every table begins with `no`,
//! a rising integer: rows are appended at the end, and a copy can go through them in order.

/// Marks a SQLite file as ours (`application_id`): "Bstd".
pub(crate) const APPLICATION_ID: i64 = 0x4273_7464;

/// The first schema, with the words of one store for types.
macro_rules! tables {
    ($no:literal, $int:literal, $bytes:literal, $end:literal) => {
        concat!(
            // Who the store is. One row.
            "create table meta (no ", $no, " constraint meta_one check (no = 1),
                store text not null, epoch text not null, created_at ", $int, " not null,
                restored_at ", $int, ", stopped_at ", $int, ", stop_body text not null", $end,
            // Who opened the store, and when; owner of streams.
            "create table node (no ", $no, ", boot text not null, epoch text not null,
                opened_at ", $int, " not null", $end,
            // Hot, and as narrow as can be: one update a step.
            "create table stream (no ", $no, ",
                kind text not null constraint stream_kind check (kind in ('run', 'incident', 'aid', 'store')),
                id text not null, owner ", $int, ", fence ", $int, " not null, seq ", $int, " not null,
                head ", $bytes, " not null, due ", $int, ",
                constraint stream_id unique (kind, id)", $end,
            // A waiting stream costs a row and, with a time, a place in this index.
            "create index stream_due on stream (due) where owner is null and due is not null;
             create index stream_owner on stream (owner) where owner is not null;\n",
            // Hot: one insert a step, at the end. No foreign key: each insert joins its stream.
            "create table entry (no ", $no, ", stream ", $int, " not null, seq ", $int, " not null,
                at ", $int, " not null, head ", $bytes, " not null, body ", $bytes, ", salt ", $bytes, ",
                body_hash ", $bytes, " not null, hash ", $bytes, " not null,
                constraint entry_place unique (stream, seq),
                constraint entry_salted check ((body is null) = (salt is null))", $end,
            "create table snapshot (no ", $no, ", stream ", $int, " not null constraint snapshot_stream unique,
                seq ", $int, " not null, bytes ", $bytes, " not null", $end,
            "create table run (no ", $no, ", id text not null constraint run_id unique,
                incident text not null, playbook text not null, plan text not null, mode text not null,
                status text not null, root text not null, parent text, parent_path text,
                start_key text constraint run_start_key unique, requested_by text not null,
                organisation text, superseded_by text, started_at ", $int, " not null, ended_at ", $int, ",
                restored ", $int, " not null, body text not null", $end,
            "create index run_incident on run (incident);
             create index run_parent on run (parent) where parent is not null;
             create index run_unfinished on run (no) where ended_at is null;\n",
            "create table need (no ", $no, ", id text not null constraint need_id unique,
                run text, root text, incident text not null, mode text not null, kind text not null,
                step text, batch text, role text, organisation text, digest text, since ", $int, " not null,
                until ", $int, ", escalated_at ", $int, ", closed_at ", $int, ", body text not null", $end,
            "create index need_open on need (no) where closed_at is null;
             create index need_run on need (run) where closed_at is null;\n",
            "create table signal (no ", $no, ", run text not null, name text not null, key text not null,
                at ", $int, " not null, used_at ", $int, ", body text not null,
                constraint signal_key unique (run, key)", $end,
            "create table command (no ", $no, ", id text not null constraint command_id unique,
                at ", $int, " not null, who text not null, target text not null, body text not null,
                answer text, answered_at ", $int, $end,
            "create index command_open on command (no) where answered_at is null;\n",
            "create table hold (no ", $no, ", mode text not null, target text not null, effect text not null,
                run text not null, path text not null, state text not null, since ", $int, " not null,
                organisation text, connector text not null, body text not null,
                constraint hold_key unique (mode, target, effect, connector, run, path)", $end,
            "create table target_use (no ", $no, ", mode text not null, run text not null,
                target text not null, organisation text, at ", $int, " not null,
                constraint target_use_key unique (mode, run, target)", $end,
            "create index target_use_at on target_use (mode, at);\n",
            "create table once (no ", $no, ", incident text not null, key text not null,
                run text not null, path text not null,
                constraint once_key unique (incident, key)", $end,
            "create table pause (no ", $no, ", connector text not null constraint pause_connector unique,
                at ", $int, " not null", $end,
            "create table blob (no ", $no, ", digest ", $bytes, " not null constraint blob_digest unique,
                bytes ", $bytes, " not null", $end,
            "create table incident (no ", $no, ", id text not null constraint incident_id unique,
                number text not null constraint incident_number unique, mode text not null,
                title text not null, severity ", $int, " not null, tlp text not null, organisation text,
                opened_at ", $int, " not null, closed_at ", $int, ", body text not null", $end,
            "create table incident_role (no ", $no, ", incident text not null, role text not null,
                person text not null, constraint incident_role_key unique (incident, role)", $end,
            "create table incident_organisation (no ", $no, ", incident text not null,
                organisation text not null,
                constraint incident_organisation_key unique (incident, organisation)", $end,
            "create table asset (no ", $no, ", incident text not null, kind text not null,
                value text not null, state text not null, organisation text, at ", $int, " not null,
                constraint asset_key unique (incident, kind, value)", $end,
            "create table evidence (no ", $no, ", incident text not null, digest text not null,
                name text not null, organisation text, person text not null, at ", $int, " not null,
                constraint evidence_key unique (incident, digest, name)", $end,
            // Which steps forward were taken.
            "create table migration (no ", $no, ", why text not null, at ", $int, " not null", $end,
        )
    };
}

/// What the policy counts, with the words of one store for types.
macro_rules! strikes {
    ($no:literal, $int:literal, $end:literal) => {
        concat!(
            "create table strike (no ",
            $no,
            ", root text not null, action text not null,
                target text not null, run text not null, votes ",
            $int,
            " not null,
                constraint strike_key unique (root, action, target)",
            $end,
        )
    };
}

/// Who may use the store, with the words of one store for types.
macro_rules! accounts {
    ($no:literal, $int:literal, $end:literal) => {
        concat!(
            "create table account (no ", $no, ", name text not null constraint account_name unique,
                kind text not null, person text not null, made_at ", $int, " not null,
                locked_at ", $int, $end,
            // All ways in which an account proves itself: one table, because each is looked up, ended
            // and listed the same way.
            "create table credential (no ", $no, ", id text not null constraint credential_id unique,
                account text not null, kind text not null, label text not null,
                lookup text constraint credential_lookup unique, secret text not null,
                made_at ", $int, " not null, until ", $int, ", used_at ", $int, ", body text not null",
                $end,
            "create index credential_account on credential (account);\n",
            "create table access_grant (no ", $no, ", person text not null, role text not null,
                reach text not null, until ", $int, ",
                constraint access_grant_key unique (person, role, reach)", $end,
            // These two come and go without an entry.
            "create table session (no ", $no, ", id text not null constraint session_id unique,
                account text, until ", $int, " not null, body text not null", $end,
            "create index session_until on session (until);
             create index session_account on session (account);\n",
            "create table tally (no ", $no, ", key text not null constraint tally_key unique,
                count ", $int, " not null, until ", $int, " not null", $end,
            "create index tally_until on tally (until);
             create index incident_role_person on incident_role (person);\n",
        )
    };
}

/// One step forward.
#[derive(Debug)]
pub(crate) struct Migration {
    /// From 1, without a gap.
    pub(crate) version: i64,
    /// Why it is needed.
    pub(crate) why: &'static str,
    /// For SQLite.
    pub(crate) sqlite: &'static str,
    /// For PostgreSQL.
    pub(crate) postgres: &'static str,
}

/// All of them, in order.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        why: "streams, entries, and the tables that follow from them; columns for organisation, mode, \
          epoch, person, hold and supersede are there before they are used, because adding them \
          to a chain of rows later means guessing their past",
        sqlite: tables!("integer primary key", "integer", "blob", ") strict;\n"),
        postgres: concat!(
            tables!(
                "bigint generated by default as identity primary key",
                "bigint",
                "bytea",
                ");\n"
            ),
            // What SQLite has and the shared statements use. The text form beside the built-in one for
            // json values; unhex as in SQLite, null stays null. Texts that are ordered or looked up by
            // their beginning are compared byte by byte, whatever the database's language.
            "create function json_each(rows text) returns table (value json) language sql immutable
            as 'select json_array_elements(rows::json)';
         create function unhex(digits text) returns bytea language sql immutable
            as 'select decode(digits, ''hex'')';
         create sequence stream_number start 65 increment by 64;
         alter table stream set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01,
            autovacuum_vacuum_cost_delay = 0);
         alter table run alter column id type text collate \"C\";
         alter table need alter column id type text collate \"C\";
         alter table incident alter column number type text collate \"C\";
         alter table incident_organisation alter column organisation type text collate \"C\";
         alter table pause alter column connector type text collate \"C\";
         alter table hold alter column target type text collate \"C\";\n"
        ),
    },
    Migration {
        version: 2,
        why: "what a run and its sub-playbooks destroyed, by action and under how many votes: a policy \
          that asks more people above so many targets counts what is cut in parts as one cut",
        sqlite: strikes!("integer primary key", "integer", ") strict;\n"),
        postgres: strikes!("bigint generated by default as identity primary key", "bigint", ");\n"),
    },
    Migration {
        version: 3,
        why: "who may use the store: accounts, how they prove themselves, what they may do, their \
          sessions, and what is counted against guessing and repeating",
        sqlite: accounts!("integer primary key", "integer", ") strict;\n"),
        postgres: concat!(
            accounts!("bigint generated by default as identity primary key", "bigint", ");\n"),
            "alter table account alter column name type text collate \"C\";
         alter table access_grant alter column person type text collate \"C\";\n"
        ),
    },
];

/// The newest version.
pub(crate) const VERSION: i64 = 3;
