//! Test doubles: small servers on loopback that say what was recorded, and can fall silent or hang
//! up right after they were asked for an effect.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use beistand_connector_api::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::exchange::Server;
use super::ssh_double;

/// What happens once the effect was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// The recorded answer comes.
    Answers,
    /// No answer comes.
    Stalls,
    /// The connection is closed.
    HangsUp,
    /// Nobody is let in (where that is not a recorded answer).
    ShutsOut,
}

/// What a double heard: for each effect the text by which the service would know it again.
pub(crate) type Heard = Arc<Mutex<Vec<String>>>;

/// A server that runs as long as it is held.
pub(crate) struct Double {
    pub(crate) address: SocketAddr,
    pub(crate) heard: Heard,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Double {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Double {
    /// Starts one; each connection hears `script` from its beginning.
    pub(crate) async fn start(server: Server, script: Value, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Heard::default();
        let ears = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, ears) = (script.clone(), Arc::clone(&ears));
                match server {
                    Server::None => {}
                    Server::Http => drop(tokio::spawn(http(stream, script, behaviour, ears))),
                    Server::Smtp => drop(tokio::spawn(smtp(stream, script, behaviour, ears))),
                    Server::Ssh => {
                        drop(tokio::spawn(ssh_double::serve(stream, script, behaviour, ears)));
                    }
                }
            }
        });
        Self { address, heard, task }
    }

    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// Reads one request, says one answer.
async fn http(mut stream: TcpStream, script: Value, behaviour: Behaviour, heard: Heard) {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    let (top, length) = loop {
        let read = stream.read(&mut chunk).await.unwrap_or(0);
        if read == 0 {
            return;
        }
        request.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some(end) = text.find("\r\n\r\n") {
            let length = header(&text, "content-length").and_then(|text| text.parse().ok());
            break (text[..end].to_owned(), end + 4 + length.unwrap_or(0));
        }
    };
    while request.len() < length {
        let read = stream.read(&mut chunk).await.unwrap_or(0);
        request.extend_from_slice(&chunk[..read]);
    }
    let step = &script[0];
    let line = top.lines().next().unwrap_or_default();
    let expected = format!("{} HTTP/1.1", step["expect"].as_str().unwrap());
    if line != expected {
        heard.lock().unwrap().push(format!("expected `{expected}`, heard `{line}`"));
        return;
    }
    let key = header(&top, "idempotency-key").unwrap_or("no key").to_owned();
    let traced = header(&top, "traceparent").is_some() || line.starts_with("HEAD");
    heard.lock().unwrap().push(format!("{line} {key} {traced}"));
    match behaviour {
        Behaviour::Stalls => std::future::pending::<()>().await,
        Behaviour::HangsUp => return,
        Behaviour::Answers | Behaviour::ShutsOut => {}
    }
    let body = step["body"].as_str().unwrap_or_default();
    let mut answer = format!("HTTP/1.1 {} X\r\n", step["status"]);
    for (name, value) in step["headers"].as_object().unwrap() {
        answer += &[name, ": ", value.as_str().unwrap(), "\r\n"].concat();
    }
    if line.starts_with("HEAD") || step["status"] == 204 {
        answer.push_str("\r\n");
    } else {
        // Closing the connection ends the body: no header that the output would show.
        answer += &["\r\n", body].concat();
    }
    stream.write_all(answer.as_bytes()).await.unwrap_or_default();
    stream.shutdown().await.unwrap_or_default();
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// Follows a transcript of `S:` and `C:` lines.
async fn smtp(stream: TcpStream, script: Value, behaviour: Behaviour, heard: Heard) {
    let mut stream = BufReader::new(stream);
    for step in script.as_array().into_iter().flatten() {
        let step = step.as_str().unwrap();
        if let Some(reply) = step.strip_prefix("S: ") {
            let line = format!("{reply}\r\n");
            if stream.get_mut().write_all(line.as_bytes()).await.is_err() {
                return;
            }
            continue;
        }
        let expected = step.strip_prefix("C: ").unwrap();
        if expected == "(text)" {
            let id = text(&mut stream).await;
            heard.lock().unwrap().push(id);
            match behaviour {
                Behaviour::Stalls => std::future::pending::<()>().await,
                Behaviour::HangsUp => return,
                Behaviour::Answers | Behaviour::ShutsOut => {}
            }
            continue;
        }
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        if !line.starts_with(expected) {
            heard.lock().unwrap().push(format!("expected `{expected}`, heard `{line}`"));
            return;
        }
    }
}

/// Reads a mail to its lone dot and gives its Message-ID.
async fn text(stream: &mut BufReader<TcpStream>) -> String {
    let mut id = "no Message-ID".to_owned();
    let mut line = String::new();
    while stream.read_line(&mut line).await.unwrap_or(0) > 0 && line != ".\r\n" {
        if line.starts_with("Message-ID:") {
            line.trim_end().clone_into(&mut id);
        }
        line.clear();
    }
    id
}
