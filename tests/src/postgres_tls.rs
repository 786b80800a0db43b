//! A PostgreSQL server that takes nobody in the clear: TLS under a certificate authority of its own,
//! on a loopback port.
//!
//! A cluster of its own, because the one of the chores listens on a socket in a folder, and there
//! PostgreSQL speaks no TLS. A shell process watches over it as over that one: it holds the reading
//! end of a pipe from us, and when we end, in whatever way, it stops the cluster.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::smtp::certify;
use crate::tool::{call, need_root};
use crate::trouble::{Rig, Trouble, While as _};

/// `$1` is the folder, `$2` the port. The first line printed says that it is up.
const WATCH: &str = r#"
set -eu
programs=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
cd "$1"
end() {
    trap '' INT TERM HUP
    "$programs/pg_ctl" -D data -m immediate -s stop || :
}
trap end EXIT
"$programs/initdb" -D data -U beistand --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync \
    > initdb.log 2>&1 || { cat initdb.log >&2; exit 1; }
cat >> data/postgresql.conf <<CONF
listen_addresses = '127.0.0.1'
port = $2
unix_socket_directories = '$1'
ssl = on
ssl_cert_file = '$1/certificate.pem'
ssl_key_file = '$1/certificate.key'
CONF
cat > data/pg_hba.conf <<CONF
local all all trust
hostssl all all 127.0.0.1/32 trust
CONF
"$programs/pg_ctl" -D data -l log -s -w start > /dev/null || { cat log >&2; exit 1; }
echo up
read -r _ || :
"#;

/// A running server; it stops when this is dropped, and when this process ends.
#[derive(Debug)]
pub struct TlsServer {
    watch: Child,
    folder: TempDir,
    port: u16,
}

impl TlsServer {
    /// Makes and starts it. It runs as `postgres`: PostgreSQL refuses to run as root.
    ///
    /// # Errors
    /// Without root, when PostgreSQL or openssl are missing, or it does not come up: with what it
    /// said.
    pub fn start() -> Rig<Self> {
        need_root("a PostgreSQL server of a test's own")?;
        let folder = TempDir::with_prefix("beistand-tls-").or_trouble("making a folder")?;
        certify(folder.path(), IpAddr::V4(Ipv4Addr::LOCALHOST))?;
        let path = folder.path().to_string_lossy().into_owned();
        call("chown", &["-R", "postgres:postgres", &path])?;
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).or_trouble("looking for a port")?;
        let port = free.local_addr().or_trouble("looking for a port")?.port();
        drop(free);
        let mut watch = Command::new("setpriv")
            .args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--", "sh", "-c"])
            .args([WATCH, "watch", &path, &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.path().join("watch.log")).or_trouble("making a log")?)
            .spawn()
            .or_trouble("PostgreSQL could not be started")?;
        let mut said = String::new();
        if let Some(output) = watch.stdout.take() {
            BufReader::new(output).read_line(&mut said).or_trouble("waiting for PostgreSQL")?;
        }
        let server = Self { watch, folder, port };
        if said.trim() == "up" {
            return Ok(server);
        }
        let log = fs::read_to_string(server.folder.path().join("watch.log")).unwrap_or_default();
        Err(Trouble::new(format!("PostgreSQL with TLS did not come up: {log}")))
    }

    /// The certificate authority that a client must trust, as PEM.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// Its own certificate, which is no authority, as PEM.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// Where it is reached, for `--store`, with these options: `sslmode=require`.
    pub fn url(&self, options: &str) -> String {
        format!("postgres://beistand@localhost:{}/postgres?{options}", self.port)
    }

    /// Runs SQL in it, past TLS, and answers the rows.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn sql(&self, sql: &str) -> Rig<String> {
        let (folder, port) = (self.folder.path().to_string_lossy(), self.port.to_string());
        let to = ["-h", &folder, "-p", &port, "-U", "beistand", "-d", "postgres"];
        let said = call("psql", &[&to[..], &["-X", "-q", "-A", "-t", "-c", sql]].concat())?;
        Ok(said.trim().to_owned())
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        // Nothing is left to be done about a watch that can not be waited for.
        drop(self.watch.wait());
    }
}
