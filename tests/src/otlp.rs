//! A receiver for OTLP over HTTP with protobuf bodies: it keeps the spans it gets.
//!
//! The message is read field by field after `opentelemetry/proto/trace/v1/trace.proto`
//! (OpenTelemetry protocol 1.x), without the exporter's own types, so that both can not be wrong
//! in the same way.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use crate::http::{Manner, Reply, Request, serve};
use crate::tool::{PATIENCE, wait_for};
use crate::trouble::{Rig, While as _};

/// A span as it was exported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Span {
    /// 32 hexadecimal digits.
    pub trace: String,
    /// 16 hexadecimal digits.
    pub id: String,
    /// The parent's id; empty for a root.
    pub parent: String,
    /// Its name.
    pub name: String,
    /// Its attributes, numbers and booleans as text.
    pub attributes: BTreeMap<String, String>,
    /// Nanoseconds since 1970.
    pub started: u64,
    /// Nanoseconds since 1970.
    pub ended: u64,
}

/// A receiver on loopback.
#[derive(Debug, Clone)]
pub struct Receiver {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    spans: Vec<Span>,
    bytes: Vec<u8>,
    unread: usize,
}

impl Receiver {
    /// Opens a port and receives until the process ends.
    ///
    /// # Errors
    /// When no port can be opened.
    pub fn start() -> Rig<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).or_trouble("opening a port")?;
        let address = listener.local_addr().or_trouble("asking for a port")?;
        let receiver = Self { address, kept: Arc::default() };
        let kept = Arc::clone(&receiver.kept);
        serve(listener, move |request| receive(&kept, &request));
        Ok(receiver)
    }

    /// What an exporter is to be given as its endpoint.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All spans so far.
    pub fn spans(&self) -> Vec<Span> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).spans.clone()
    }

    /// Every byte of every body so far, to look for what must not be in it.
    pub fn bytes(&self) -> Vec<u8> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).bytes.clone()
    }

    /// How many messages could not be read as traces.
    pub fn unread(&self) -> usize {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).unread
    }

    /// Waits until a span fits.
    ///
    /// # Errors
    /// When none does in time.
    pub fn wait_for_span(&self, what: &str, fits: impl Fn(&Span) -> bool) -> Rig<Span> {
        wait_for(&format!("a span: {what}"), PATIENCE, || {
            Ok(self.spans().into_iter().find(|span| fits(span)))
        })
    }
}

fn receive(kept: &Mutex<Kept>, request: &Request) -> Reply {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    kept.bytes.extend_from_slice(&request.body);
    match spans_of(&request.body) {
        Some(spans) if request.path.ends_with("/v1/traces") => kept.spans.extend(spans),
        Some(_) | None => kept.unread += 1,
    }
    Reply {
        status: 200,
        content_type: "application/x-protobuf",
        headers: Vec::new(),
        body: Vec::new(),
        manner: Manner::Plain,
    }
}

/// The spans of an `ExportTraceServiceRequest`.
fn spans_of(message: &[u8]) -> Option<Vec<Span>> {
    let mut spans = Vec::new();
    for resource in messages(message, 1)? {
        for scope in messages(resource, 2)? {
            for span in messages(scope, 2)? {
                spans.push(span_of(span)?);
            }
        }
    }
    Some(spans)
}

fn span_of(message: &[u8]) -> Option<Span> {
    let mut span = Span::default();
    for (number, field) in fields(message)? {
        match (number, field) {
            (1, Field::Bytes(bytes)) => span.trace = hex::encode(bytes),
            (2, Field::Bytes(bytes)) => span.id = hex::encode(bytes),
            (4, Field::Bytes(bytes)) => span.parent = hex::encode(bytes),
            (5, Field::Bytes(bytes)) => span.name = text(bytes),
            (7, Field::Number(number)) => span.started = number,
            (8, Field::Number(number)) => span.ended = number,
            (9, Field::Bytes(bytes)) => {
                let (key, value) = attribute_of(bytes)?;
                span.attributes.insert(key, value);
            }
            (_, Field::Bytes(_) | Field::Number(_)) => {}
        }
    }
    Some(span)
}

/// A `KeyValue` with a value of text, truth, whole or floating number.
fn attribute_of(message: &[u8]) -> Option<(String, String)> {
    let (mut key, mut value) = (String::new(), String::new());
    for (number, field) in fields(message)? {
        match (number, field) {
            (1, Field::Bytes(bytes)) => key = text(bytes),
            (2, Field::Bytes(bytes)) => {
                value = match fields(bytes)?.into_iter().next() {
                    Some((1, Field::Bytes(bytes))) => text(bytes),
                    Some((2, Field::Number(number))) => (number != 0).to_string(),
                    Some((3, Field::Number(number))) => number.cast_signed().to_string(),
                    Some((4, Field::Number(number))) => f64::from_bits(number).to_string(),
                    Some((_, Field::Bytes(_) | Field::Number(_))) | None => String::new(),
                };
            }
            (_, Field::Bytes(_) | Field::Number(_)) => {}
        }
    }
    Some((key, value))
}

/// A field of a protobuf message: a length with bytes, or a number of whatever width.
enum Field<'a> {
    Bytes(&'a [u8]),
    Number(u64),
}

fn messages(message: &[u8], wanted: u64) -> Option<Vec<&[u8]>> {
    let found = fields(message)?.into_iter().filter_map(|(number, field)| match field {
        Field::Bytes(bytes) if number == wanted => Some(bytes),
        Field::Bytes(_) | Field::Number(_) => None,
    });
    Some(found.collect())
}

/// The fields of a message in their order; none when it is not protobuf.
fn fields(mut message: &[u8]) -> Option<Vec<(u64, Field<'_>)>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message)?;
        let field = match tag & 7 {
            0 => Field::Number(varint(&mut message)?),
            1 => Field::Number(u64::from_le_bytes(take(&mut message, 8)?.try_into().ok()?)),
            2 => {
                let length = usize::try_from(varint(&mut message)?).ok()?;
                Field::Bytes(take(&mut message, length)?)
            }
            5 => {
                let bytes = take(&mut message, 4)?.try_into().ok()?;
                Field::Number(u64::from(u32::from_le_bytes(bytes)))
            }
            _ => return None,
        };
        fields.push((tag >> 3, field));
    }
    Some(fields)
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take<'a>(message: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = message.split_at_checked(length)?;
    *message = rest;
    Some(taken)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
