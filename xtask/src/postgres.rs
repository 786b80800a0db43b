//! A PostgreSQL cluster of our own for the time of the tests.
//!
//! It lives in a folder of its own under `/tmp`, listens on a socket in that folder and on no
//! port, belongs to an unprivileged user, and keeps its promises about durability switched on.
//! A small shell process watches over it: it holds the reading end of a pipe from us, so when we
//! end, in whatever way (done, failed, Ctrl-C, SIGKILL), it stops the cluster and removes the
//! folder.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::report::Report;
use crate::run::{Trouble, is_root};

/// `$1` is the folder of PostgreSQL's programs. The first line printed is the cluster's folder.
const WATCH: &str = r#"
set -eu
programs=$1
folder=$(mktemp -d /tmp/beistand-postgres.XXXXXX)
cd "$folder"
end() {
    trap '' INT TERM HUP
    "$programs/pg_ctl" -D "$folder/data" -m immediate -s stop || :
    rm -rf "$folder"
}
trap end EXIT
"$programs/initdb" -D "$folder/data" -U beistand --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
    --no-sync > "$folder/initdb.log" 2>&1 || { cat "$folder/initdb.log" >&2; exit 1; }
cat >> "$folder/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$folder'
max_connections = 200
fsync = on
full_page_writes = on
synchronous_commit = on
CONF
"$programs/pg_ctl" -D "$folder/data" -l "$folder/log" -s -w start > /dev/null \
    || { cat "$folder/log" >&2; exit 1; }
echo "$folder"
read -r _ || :
"#;

/// A running cluster; it stops when this is dropped.
pub(crate) struct Postgres {
    watch: Child,
    folder: String,
}

impl Postgres {
    /// Makes and starts the cluster.
    ///
    /// # Errors
    /// When PostgreSQL's programs are not found, or it does not come up: with what it said.
    pub(crate) fn start(report: &Report) -> Result<Self, Trouble> {
        let programs = programs()?;
        report.step(&format!("PostgreSQL: starting a cluster with {}", programs.display()));
        let mut command = unprivileged()?;
        // A group of its own: Ctrl-C at our terminal must not reach it before its work is done.
        command.arg(WATCH).arg("watch").arg(&programs).process_group(0);
        let mut watch =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(|error| {
                Trouble::new(format!("PostgreSQL could not be started: {error}"))
            })?;
        let mut folder = String::new();
        if let Some(output) = watch.stdout.take() {
            let read = BufReader::new(output).read_line(&mut folder);
            read.map_err(|error| Trouble::new(format!("PostgreSQL did not answer: {error}")))?;
        }
        let postgres = Self { watch, folder: folder.trim().to_owned() };
        if postgres.folder.is_empty() {
            return Err(Trouble::new("PostgreSQL did not come up; what it said stands above"));
        }
        Ok(postgres)
    }

    /// Where it is reached: the database `postgres`, as the owner of the cluster.
    pub(crate) fn url(&self) -> String {
        format!("postgres://beistand@localhost/postgres?host={}", self.folder)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        // Nothing is left to be done about a watch that can not be waited for.
        drop(self.watch.wait());
    }
}

/// The newest version's programs; Debian keeps them outside of the search path.
fn programs() -> Result<PathBuf, Trouble> {
    let versions = Path::new("/usr/lib/postgresql");
    let version = |folder: &PathBuf| {
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
        name.and_then(|name| name.parse::<u32>().ok())
    };
    let found = std::fs::read_dir(versions).into_iter().flatten().filter_map(Result::ok);
    found
        .map(|entry| entry.path())
        .filter(|folder| folder.join("bin/initdb").is_file())
        .max_by_key(version)
        .map(|folder| folder.join("bin"))
        .ok_or_else(|| {
            Trouble::new("PostgreSQL's `initdb` is not found in /usr/lib/postgresql/*/bin")
        })
}

/// A shell that is not root: PostgreSQL refuses to run as root.
fn unprivileged() -> Result<Command, Trouble> {
    let mut command = if is_root()? {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--", "sh"]);
        command
    } else {
        Command::new("sh")
    };
    command.arg("-c");
    Ok(command)
}
