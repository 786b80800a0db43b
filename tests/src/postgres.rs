//! A fresh PostgreSQL database for each test, on the cluster that the chores have started.

use crate::tool::{call, environment, unique};
use crate::trouble::{Rig, While as _};

/// The variable in which the chores name the cluster.
pub const CLUSTER: &str = "BEISTAND_TEST_POSTGRES";

/// An empty database; dropped, with all who are connected, when this is.
#[derive(Debug)]
pub struct Database {
    cluster: String,
    name: String,
}

impl Database {
    /// Makes a database.
    ///
    /// # Errors
    /// When no cluster is named, or it refuses.
    pub fn create() -> Rig<Self> {
        let missing = format!("{CLUSTER} names no cluster; run it by `cargo xtask test`");
        let cluster = environment(CLUSTER).or_trouble(&missing)?;
        let name = unique("db").replace('-', "_");
        let database = Self { cluster, name };
        // A process id may come round again: what an ended test left behind is not ours to keep.
        database.at_cluster(&format!("drop database if exists {} with (force)", database.name))?;
        database.at_cluster(&format!("create database {}", database.name))?;
        Ok(database)
    }

    /// Where it is reached, for `--store`.
    pub fn url(&self) -> String {
        let (before, options) = match self.cluster.split_once('?') {
            Some((before, options)) => (before, format!("?{options}")),
            None => (self.cluster.as_str(), String::new()),
        };
        let server = before.rsplit_once('/').map_or(before, |(server, _)| server);
        format!("{server}/{}{options}", self.name)
    }

    /// Runs SQL in it and answers the rows, one a line, columns parted by `|`.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn sql(&self, sql: &str) -> Rig<String> {
        psql(&self.url(), sql)
    }

    fn at_cluster(&self, sql: &str) -> Rig<String> {
        psql(&self.cluster, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The whole cluster is thrown away after the tests; one database more in it does no harm.
        drop(self.at_cluster(&format!("drop database if exists {} with (force)", self.name)));
    }
}

fn psql(url: &str, sql: &str) -> Rig<String> {
    let quiet = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql];
    Ok(call("psql", &quiet)?.trim_end().to_owned())
}
