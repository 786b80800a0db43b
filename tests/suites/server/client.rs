//! A client that does what it is told, also what no good client does: one connection a request,
//! raw bytes where a test wants them, and a certificate that is known by its fingerprint alone.

use std::fmt::Debug;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use beistand_core::model::digest_of_bytes;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned,
};
use serde_json::Value;

/// How long a read may take: longer than the server's own limits.
const PATIENCE: Duration = Duration::from_secs(40);

/// Something to talk through.
pub(crate) trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

/// Where a server is, and how to know it.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    /// The SHA-256 of its certificate; without TLS where absent.
    pub(crate) pinned: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// All of it, as it came.
    pub(crate) fn whole(&self) -> String {
        format!("{}\n\n{}", self.head, self.body)
    }

    /// The value of a header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// All values of a header.
    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let named = lines.filter(|(have, _)| have.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim()).collect()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Client {
    /// A connection on which nothing has been said.
    pub(crate) fn connect(&self) -> io::Result<Box<dyn Wire>> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let Some(pinned) = &self.pinned else { return Ok(Box::new(stream)) };
        let provider = Arc::new(ring::default_provider());
        let pinned = Pinned { fingerprint: pinned.clone(), provider: Arc::clone(&provider) };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(pinned))
            .with_no_client_auth();
        let name = ServerName::from(self.address.ip());
        let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        Ok(Box::new(StreamOwned::new(connection, stream)))
    }

    /// One request, as it is written, and its answer.
    pub(crate) fn raw(&self, bytes: &[u8]) -> io::Result<Answer> {
        let mut wire = self.connect()?;
        wire.write_all(bytes)?;
        wire.flush()?;
        answer(&mut wire)
    }

    /// A request without a body.
    pub(crate) fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.send("GET", path, token, None)
    }

    /// A request with JSON.
    pub(crate) fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(token), Some(&body.to_string()))
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&str>,
    ) -> Answer {
        let head = self.head(method, path, token);
        let text = body.map_or_else(
            || format!("{head}\r\n"),
            |body| {
                let length = body.len();
                let kind = "Content-Type: application/json";
                format!("{head}{kind}\r\nContent-Length: {length}\r\n\r\n{body}")
            },
        );
        self.raw(text.as_bytes()).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// A request with these header lines alone beside what every request has.
    pub(crate) fn ask(
        &self,
        (method, path): (&str, &str),
        lines: &[(&str, &str)],
        body: Option<&str>,
    ) -> Answer {
        let mut head = self.head(method, path, None);
        let kind = ("Content-Type", "application/json");
        let length = body.map(|body| body.len().to_string());
        let of_body = length.iter().flat_map(|length| [kind, ("Content-Length", length.as_str())]);
        let told = |name: &str| lines.iter().any(|(have, _)| have.eq_ignore_ascii_case(name));
        for (name, value) in of_body.filter(|(name, _)| !told(name)).chain(lines.iter().copied()) {
            head = format!("{head}{name}: {value}\r\n");
        }
        let text = format!("{head}\r\n{}", body.unwrap_or_default());
        self.raw(text.as_bytes()).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// The status and the first bytes of an answer that has no end, until what was read so far is
    /// enough.
    pub(crate) fn listen(
        &self,
        path: &str,
        lines: &[(&str, &str)],
        enough: impl Fn(&str) -> bool,
    ) -> Answer {
        let mut text = self.head("GET", path, None);
        for (name, value) in lines {
            text = format!("{text}{name}: {value}\r\n");
        }
        let mut wire = self.connect().unwrap();
        wire.write_all(format!("{text}\r\n").as_bytes()).unwrap();
        wire.flush().unwrap();
        let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
        loop {
            let read = wire.read(&mut part).unwrap_or_else(|error| panic!("{path}: {error}"));
            bytes.extend_from_slice(&part[..read]);
            let text = String::from_utf8_lossy(&bytes);
            match text.split_once("\r\n\r\n") {
                Some((_, body)) if read == 0 || enough(body) => {}
                _ if read == 0 => panic!("{path}: it ended in its head: {text}"),
                _ => continue,
            }
            return read_answer(&bytes).unwrap();
        }
    }

    /// A request with these lines in its head, and with JSON where there is some.
    pub(crate) fn said(
        &self,
        (method, path): (&str, &str),
        lines: &str,
        body: &Value,
    ) -> io::Result<Answer> {
        let kind = "Content-Type: application/json\r\n";
        let (body, kind) =
            if body.is_null() { (String::new(), "") } else { (body.to_string(), kind) };
        let (head, length) = (self.head(method, path, None), body.len());
        self.raw(format!("{head}{lines}{kind}Content-Length: {length}\r\n\r\n{body}").as_bytes())
    }

    /// The first lines of a request, open for more.
    pub(crate) fn head(&self, method: &str, path: &str, token: Option<&str>) -> String {
        let token = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
        let (host, token) = (self.address, token.unwrap_or_default());
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{token}")
    }
}

/// Reads an answer to the end of its connection.
pub(crate) fn answer(wire: &mut dyn Wire) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    match wire.read_to_end(&mut bytes) {
        // A server that closes without the farewell of TLS, after all was said.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && !bytes.is_empty() => {}
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset && !bytes.is_empty() => {}
        other => drop(other?),
    }
    read_answer(&bytes)
}

fn read_answer(bytes: &[u8]) -> io::Result<Answer> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(head.to_owned()))?;
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

/// Takes the one certificate that it knows, whoever signed it and for whatever name.
#[derive(Debug)]
struct Pinned {
    fingerprint: String,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = digest_of_bytes(certificate).hex();
        let known = shown == self.fingerprint;
        let error = || Error::General(format!("another certificate: {shown}"));
        known.then(ServerCertVerified::assertion).ok_or_else(error)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
