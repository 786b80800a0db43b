//! An OpenSSH server on a node of the network: a host key that can be pinned, a login by key
//! alone, a port of its own.
//!
//! The account `beistand` exists for this server alone: it sees its own copies of `passwd` and
//! `shadow`, so nothing on the machine is changed. It has the rights of root, as the account on a
//! router that may change the packet filter has.

use std::fs;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::network::Node;
use crate::tool::{PATIENCE, call, need_root, wait_for};
use crate::trouble::{Rig, Trouble, While as _};

/// The port of every server here: not the usual one, so that a client must be told.
pub const PORT: u16 = 2222;

/// The account that may log in.
pub const USER: &str = "beistand";

/// `$1` is the folder with the configuration. The accounts are seen by what is started here only.
const START: &str = r#"
set -e
mount --bind "$1/passwd" /etc/passwd
mount --bind "$1/shadow" /etc/shadow
mkdir -p /run/sshd
exec "$2" -D -e -f "$1/sshd_config"
"#;

/// A running server; it ends when dropped, and with its node.
#[derive(Debug)]
pub struct Sshd {
    server: Child,
    folder: TempDir,
    address: SocketAddr,
}

impl Sshd {
    /// Starts a server on a node, reached under the address given.
    ///
    /// # Errors
    /// Without root, or when the server does not come up: with what it said.
    pub fn start(node: &Node, address: impl Into<IpAddr>) -> Rig<Self> {
        need_root("an SSH server")?;
        let address = SocketAddr::from((address.into(), PORT));
        let folder = TempDir::with_prefix("beistand-sshd-").or_trouble("making a folder")?;
        let path = folder.path().to_string_lossy().into_owned();
        for key in ["host_key", "user_key"] {
            let file = format!("{path}/{key}");
            call("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", key, "-f", &file])?;
        }
        configure(folder.path(), address)?;
        let log = fs::File::create(folder.path().join("log")).or_trouble("making a log")?;
        let server = node
            .command("unshare")
            .args([
                "--mount",
                "--propagation",
                "slave",
                "--",
                "sh",
                "-c",
                START,
                "sshd",
                &path,
                "/usr/sbin/sshd",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .or_trouble("sshd could not be started")?;
        let mut sshd = Self { server, folder, address };
        wait_for("sshd to listen", PATIENCE, || sshd.listens(node))?;
        Ok(sshd)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The private key that may log in as [`USER`].
    pub fn key(&self) -> PathBuf {
        self.folder.path().join("user_key")
    }

    /// A `known_hosts` file that names this server and no other.
    pub fn known_hosts(&self) -> PathBuf {
        self.folder.path().join("known_hosts")
    }

    /// A `known_hosts` file that names another key for this server, as an impostor's would be.
    ///
    /// # Errors
    /// When the file can not be written.
    pub fn wrong_known_hosts(&self) -> Rig<PathBuf> {
        let file = self.folder.path().join("wrong_known_hosts");
        let key = read(&self.folder.path().join("user_key.pub"))?;
        write(&file, &known_hosts_line(self.address, &key))?;
        Ok(file)
    }

    /// What it has logged so far.
    ///
    /// # Errors
    /// When the log can not be read.
    pub fn log(&self) -> Rig<String> {
        read(&self.folder.path().join("log"))
    }

    fn listens(&mut self, node: &Node) -> Rig<Option<()>> {
        if let Some(status) = self.server.try_wait().or_trouble("asking for sshd")? {
            return Err(Trouble::new(format!("sshd ended ({status}): {}", self.log()?)));
        }
        let address = self.address;
        let knock =
            move || Ok(TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok());
        Ok(node.within(knock)?.then_some(()))
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // It may have ended by itself; sessions of its own end with the namespace.
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

fn configure(folder: &Path, address: SocketAddr) -> Rig<()> {
    let path = folder.display();
    let config = format!(
        "ListenAddress {address}\n\
         HostKey {path}/host_key\n\
         PidFile none\n\
         UsePAM no\n\
         StrictModes no\n\
         PermitRootLogin prohibit-password\n\
         PasswordAuthentication no\n\
         KbdInteractiveAuthentication no\n\
         AuthorizedKeysFile {path}/user_key.pub\n\
         AllowUsers {USER}\n\
         UseDNS no\n\
         MaxStartups 100\n\
         MaxSessions 100\n"
    );
    write(&folder.join("sshd_config"), &config)?;
    let passwd = read(Path::new("/etc/passwd"))?;
    write(&folder.join("passwd"), &format!("{passwd}{USER}:x:0:0::/root:/bin/sh\n"))?;
    let shadow = read(Path::new("/etc/shadow"))?;
    write(&folder.join("shadow"), &format!("{shadow}{USER}:*:19000:0:99999:7:::\n"))?;
    let key = read(&folder.join("host_key.pub"))?;
    write(&folder.join("known_hosts"), &known_hosts_line(address, &key))
}

fn known_hosts_line(address: SocketAddr, public_key: &str) -> String {
    format!("[{}]:{} {public_key}", address.ip(), address.port())
}

fn read(file: &Path) -> Rig<String> {
    fs::read_to_string(file).or_trouble(&format!("reading {}", file.display()))
}

fn write(file: &Path, text: &str) -> Rig<()> {
    fs::write(file, text).or_trouble(&format!("writing {}", file.display()))
}
