//! Just enough of HTTP/1.1 for the receivers that the tests put up: requests with a length, one
//! thread a connection. Not a server to be shown to anybody else.

use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::tool::pause;

/// The largest body that is taken, in bytes.
const BODY_BYTES_MAX: usize = 64 << 20;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method, as written.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// Name and value of each header, the name in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }
}

/// What goes back.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// What the body is.
    pub content_type: &'static str,
    /// Further headers, each a whole line without its end.
    pub headers: Vec<String>,
    /// The body.
    pub body: Vec<u8>,
    /// How the reply behaves on the wire.
    pub manner: Manner,
}

/// How a reply behaves on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It is sent.
    Plain,
    /// It is sent after a while.
    After(Duration),
    /// It is sent twice, and the connection closed.
    Twice,
    /// It is never sent; the connection is closed instead.
    Never,
}

impl Reply {
    /// A reply that is sent as one expects, with JSON as its body.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self {
            status,
            content_type: "application/json",
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
            manner: Manner::Plain,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head = format!(
            "HTTP/1.1 {} Status\r\ncontent-type: {}\r\ncontent-length: {}\r\n",
            self.status,
            self.content_type,
            self.body.len()
        );
        for line in &self.headers {
            head.push_str(line);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// Answers every request until the listener is gone with the process.
pub fn serve(listener: TcpListener, answer: impl Fn(Request) -> Reply + Send + Sync + 'static) {
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            // A connection that breaks is the other side's affair.
            thread::spawn(move || drop(converse(stream, answer.as_ref())));
        }
    });
}

fn converse(stream: TcpStream, answer: &dyn Fn(Request) -> Reply) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    while let Some(request) = read_request(&mut reader)? {
        let reply = answer(request);
        match reply.manner {
            Manner::Plain => writer.write_all(&reply.bytes())?,
            Manner::After(length) => {
                pause(length);
                writer.write_all(&reply.bytes())?;
            }
            Manner::Twice => {
                writer.write_all(&reply.bytes().repeat(2))?;
                return Ok(());
            }
            Manner::Never => return Ok(()),
        }
    }
    Ok(())
}

/// The next request of a connection; none when it was closed in good order.
fn read_request(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Err(io::Error::other("not a request line"));
    };
    let mut request = Request { method, path, headers: Vec::new(), body: Vec::new() };
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = request.header("content-length").map_or(Ok(0), str::parse::<usize>);
    let length = length.ok().filter(|length| *length <= BODY_BYTES_MAX);
    let length = length.ok_or_else(|| io::Error::other("not a length"))?;
    if request.header("transfer-encoding").is_some() {
        return Err(io::Error::other("a body without a length is not taken here"));
    }
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body)?;
    Ok(Some(request))
}
