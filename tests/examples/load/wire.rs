//! One connection that stays: TLS to the one certificate that it is told, a request after the other.
//!
//! It is not the client of the suites. That one makes a connection for every request, so that no test
//! hangs on what another one left, and keeps whole answers to be looked at; here a handshake would be
//! most of what is measured, and an answer is read and forgotten.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Longer than the server lets anybody wait.
const PATIENCE: Duration = Duration::from_mins(1);

/// What everybody shares who asks.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    pub(crate) address: SocketAddr,
    config: Arc<ClientConfig>,
}

impl Way {
    /// To a server with the certificate in this PEM, made by itself.
    pub(crate) fn new(address: SocketAddr, pem: &[u8]) -> Self {
        let certificate = CertificateDer::from_pem_slice(pem).expect("a certificate");
        let mut roots = RootCertStore::empty();
        roots.add(certificate).expect("a certificate that can be trusted");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { address, config: Arc::new(config) }
    }
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Wire {
    address: SocketAddr,
    stream: BufReader<StreamOwned<ClientConnection, TcpStream>>,
}

impl Wire {
    pub(crate) fn new(way: &Way) -> Self {
        let stream = TcpStream::connect(way.address).expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        let name = ServerName::from(way.address.ip());
        let connection = ClientConnection::new(Arc::clone(&way.config), name).expect("TLS");
        let mut stream = StreamOwned::new(connection, stream);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).expect("a handshake");
        }
        Self { address: way.address, stream: BufReader::with_capacity(16 << 10, stream) }
    }

    /// The status of an answer, which is read to its end; 0 where the connection is lost, and another
    /// one is there.
    pub(crate) fn get(&mut self, path: &str, token: &str, way: &Way) -> u16 {
        let Ok((status, _)) = self.answered(("GET", path), token, None) else {
            *self = Self::new(way);
            return 0;
        };
        status
    }

    /// The status and the body of an answer.
    pub(crate) fn ask(
        &mut self,
        asked: (&str, &str),
        token: &str,
        body: Option<&str>,
    ) -> (u16, Vec<u8>) {
        self.answered(asked, token, body).expect("an answer")
    }

    fn answered(
        &mut self,
        asked: (&str, &str),
        token: &str,
        body: Option<&str>,
    ) -> io::Result<(u16, Vec<u8>)> {
        self.send(asked, token, body)?;
        let (status, length) = self.head()?;
        let mut answer = vec![0; length.ok_or(io::ErrorKind::InvalidData)?];
        self.stream.read_exact(&mut answer)?;
        Ok((status, answer))
    }

    /// Asks for events.
    pub(crate) fn watch(&mut self, path: &str, token: &str) {
        self.send(("GET", path), token, None).expect("a request is sent");
        let (status, _) = self.head().expect("a head");
        assert_eq!(status, 200, "a stream of events");
        self.event();
    }

    /// Reads until the end of the next event or sign of life.
    pub(crate) fn event(&mut self) {
        let mut line = String::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line).expect("an event");
            if line == "\n" {
                return;
            }
        }
    }

    fn send(
        &mut self,
        (method, path): (&str, &str),
        token: &str,
        body: Option<&str>,
    ) -> io::Result<()> {
        let kind = "Content-Type: application/json\r\n";
        let of_body = body.map(|body| format!("{kind}Content-Length: {}\r\n", body.len()));
        let text = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n{}\r\n{}",
            self.address,
            of_body.unwrap_or_default(),
            body.unwrap_or_default()
        );
        let stream = self.stream.get_mut();
        stream.write_all(text.as_bytes())?;
        stream.flush()
    }

    /// The status of an answer and the length of its body, where it says so.
    fn head(&mut self) -> io::Result<(u16, Option<usize>)> {
        let (mut status, mut length, mut line) = (0, None, String::new());
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let text = line.trim_end();
            if text.is_empty() {
                return Ok((status, length));
            }
            if let Some(rest) = text.strip_prefix("HTTP/1.1 ") {
                status = rest.get(..3).and_then(|code| code.parse().ok()).unwrap_or_default();
            }
            if let Some((name, value)) = text.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok();
            }
        }
    }
}
