//! A router, three hosts behind it and a management host, each in a network namespace of its own.
//!
//! ```text
//!   management 10.99.0.2 ──── 10.99.0.1 router 10.1.N.1 ──── 10.1.N.10 host N   (N = 1, 2, 3)
//!     fd00:99::2              fd00:99::1       fd00:N::1     fd00:N::10
//! ```
//!
//! Nothing of it is seen from the machine's own network: the links are made between the
//! namespaces directly, so every test may use the same addresses. The names alone are unique.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::guardian::Guardian;
use crate::tool::{call, finish, need_root, unique};
use crate::trouble::{Rig, Trouble, While as _};

/// How many hosts stand behind the router.
pub const HOSTS: u8 = 3;

/// Kills what runs in each namespace and removes it.
const CLEAR: &str = r#"
for space in "$@"; do
    ip netns pids "$space" | xargs -r kill -9
    ip netns del "$space"
done
"#;

/// The whole of it; gone when dropped.
#[derive(Debug)]
pub struct Network {
    router: Node,
    management: Node,
    hosts: Vec<Node>,
}

/// One machine of the network.
#[derive(Debug, Clone)]
pub struct Node {
    space: String,
    v4: Ipv4Addr,
    v6: Ipv6Addr,
    /// The namespaces stay as long as anyone speaks of a node.
    _guardian: Arc<Guardian>,
}

impl Network {
    /// Makes the namespaces, the links, the addresses and the routes.
    ///
    /// # Errors
    /// Without root, or when the kernel refuses.
    pub fn build() -> Rig<Self> {
        need_root("a network of namespaces")?;
        let spaces: Vec<String> = ["router", "management", "host-1", "host-2", "host-3"]
            .into_iter()
            .map(unique)
            .collect();
        let names: Vec<&str> = spaces.iter().map(String::as_str).collect();
        let guardian = Arc::new(Guardian::over(CLEAR, &names)?);
        let mut nodes = Vec::new();
        for (number, space) in (0..).zip(&spaces) {
            call("ip", &["netns", "add", space])?;
            call("ip", &["-n", space, "link", "set", "lo", "up"])?;
            let (v4, v6) = addresses(number);
            nodes.push(Node { space: space.clone(), v4, v6, _guardian: Arc::clone(&guardian) });
        }
        let mut nodes = nodes.into_iter();
        let missing = "a node is missing";
        let router = nodes.next().or_trouble(missing)?;
        let management = nodes.next().or_trouble(missing)?;
        let hosts: Vec<Node> = nodes.collect();
        link(&router, "mgmt", &management)?;
        for (number, host) in (1..=HOSTS).zip(&hosts) {
            link(&router, &format!("lan{number}"), host)?;
        }
        let forward = "echo 1 > /proc/sys/net/ipv4/ip_forward; \
                       echo 1 > /proc/sys/net/ipv6/conf/all/forwarding";
        finish(router.command("sh").args(["-c", forward]))?;
        Ok(Self { router, management, hosts })
    }

    /// The router that all traffic between the others crosses.
    pub fn router(&self) -> &Node {
        &self.router
    }

    /// Where an administrator, and the program under test, would stand.
    pub fn management(&self) -> &Node {
        &self.management
    }

    /// A host by its number, from 1.
    ///
    /// # Errors
    /// For a number that no host has.
    pub fn host(&self, number: u8) -> Rig<&Node> {
        let index = usize::from(number).checked_sub(1);
        let host = index.and_then(|index| self.hosts.get(index));
        host.or_trouble(&format!("hosts are numbered 1 to {HOSTS}, not {number}"))
    }
}

impl Node {
    /// Its address.
    pub fn v4(&self) -> Ipv4Addr {
        self.v4
    }

    /// Its other address.
    pub fn v6(&self) -> Ipv6Addr {
        self.v6
    }

    /// The name of its namespace, for `ip -n`.
    pub fn space(&self) -> &str {
        &self.space
    }

    /// A program that runs on this node. It is replaced, not wrapped: its process id is the
    /// program's own, so a kill hits what it is meant for.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", self.space)).arg("--").arg(program);
        command
    }

    /// Does something on this node, in a thread of its own. Sockets that it opens stay on the
    /// node wherever they are used afterwards.
    ///
    /// # Errors
    /// When the namespace can not be entered, or what is done there fails.
    pub fn within<T: Send + 'static>(
        &self,
        what: impl FnOnce() -> Rig<T> + Send + 'static,
    ) -> Rig<T> {
        let path = format!("/run/netns/{}", self.space);
        let inside = thread::spawn(move || {
            let space = File::open(&path).or_trouble(&format!("opening {path}"))?;
            move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network))
                .or_trouble(&format!("entering {path}"))?;
            what()
        });
        inside.join().unwrap_or_else(|_| Err(Trouble::new("a thread on a node panicked")))
    }

    /// Opens a port here that sends back every byte it gets, as long as the node is there.
    ///
    /// # Errors
    /// When the port can not be opened.
    pub fn echo(&self, port: u16) -> Rig<()> {
        self.within(move || {
            let any = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
            let listener = TcpListener::bind(any).or_trouble(&format!("listening on {any}"))?;
            thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    thread::spawn(move || send_back(stream));
                }
            });
            Ok(())
        })
    }

    /// Opens a connection from here and sends a byte over it and back.
    ///
    /// # Errors
    /// When no connection comes about in time, or the byte does not return.
    pub fn talk_to(&self, address: impl Into<IpAddr>, port: u16, patience: Duration) -> Rig<Talk> {
        let address = SocketAddr::from((address.into(), port));
        let mut talk = self.within(move || {
            let stream = TcpStream::connect_timeout(&address, patience)
                .or_trouble(&format!("connecting to {address}"))?;
            stream.set_nodelay(true).or_trouble("setting a connection up")?;
            Ok(Talk { stream })
        })?;
        talk.goes_on(patience)?;
        Ok(talk)
    }
}

/// A connection between two nodes that is already there.
#[derive(Debug)]
pub struct Talk {
    stream: TcpStream,
}

impl Talk {
    /// Sends a byte and waits for it to come back.
    ///
    /// # Errors
    /// When it does not come back in time, or the connection is gone.
    pub fn goes_on(&mut self, patience: Duration) -> Rig<()> {
        self.stream.set_read_timeout(Some(patience)).or_trouble("setting a connection up")?;
        self.stream.write_all(b"?").or_trouble("sending over a connection")?;
        let mut back = [0];
        self.stream.read_exact(&mut back).or_trouble("waiting for an echo")
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        // It may be long gone.
        drop(self.stream.shutdown(Shutdown::Both));
    }
}

fn send_back(mut stream: TcpStream) {
    let mut buffer = [0; 512];
    while let Ok(1..) = stream.read(&mut buffer).and_then(|read| {
        stream.write_all(buffer.get(..read).unwrap_or_default())?;
        Ok(read)
    }) {}
}

/// The addresses of a node by its place in the list: router, management, hosts.
fn addresses(number: u8) -> (Ipv4Addr, Ipv6Addr) {
    match number {
        0 => (Ipv4Addr::new(10, 99, 0, 1), Ipv6Addr::new(0xfd00, 0x99, 0, 0, 0, 0, 0, 1)),
        1 => (Ipv4Addr::new(10, 99, 0, 2), Ipv6Addr::new(0xfd00, 0x99, 0, 0, 0, 0, 0, 2)),
        more => {
            let host = more - 1;
            let v6 = Ipv6Addr::new(0xfd00, u16::from(host), 0, 0, 0, 0, 0, 0x10);
            (Ipv4Addr::new(10, 1, host, 10), v6)
        }
    }
}

/// Joins a node to the router: the router's end has `.1` of the node's network and a name there,
/// the node's end is `eth0` and carries its routes.
fn link(router: &Node, name: &str, node: &Node) -> Rig<()> {
    let [a, b, c, _] = node.v4.octets();
    let mut segments = node.v6.segments();
    segments[7] = 1;
    let (gate4, gate6) =
        (Ipv4Addr::new(a, b, c, 1).to_string(), Ipv6Addr::from(segments).to_string());
    let peer = ["peer", "name", "eth0", "netns", node.space()];
    let veth = ["link", "add", name, "netns", router.space(), "type", "veth"];
    call("ip", &[&veth[..], &peer[..]].concat())?;
    for (space, device, v4, v6) in [
        (router.space(), name, gate4.as_str(), gate6.as_str()),
        (node.space(), "eth0", &node.v4.to_string(), &node.v6.to_string()),
    ] {
        call("ip", &["-n", space, "addr", "add", &format!("{v4}/24"), "dev", device])?;
        let v6 = format!("{v6}/64");
        call("ip", &["-n", space, "-6", "addr", "add", &v6, "dev", device, "nodad"])?;
        call("ip", &["-n", space, "link", "set", device, "up"])?;
    }
    call("ip", &["-n", node.space(), "route", "add", "default", "via", &gate4])?;
    call("ip", &["-n", node.space(), "-6", "route", "add", "default", "via", &gate6])?;
    Ok(())
}
