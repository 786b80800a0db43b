//! What a hostile or broken service tries on the HTTP client: sizes, slowness, other addresses.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use beistand_connector_api::{CallError, Connector, Secret, SecretError, SecretReference, Secrets};
use beistand_connector_api::{Millis, Span};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::call;
use crate::{Surroundings, connect};

#[derive(Debug)]
struct NoSecrets;

impl Secrets for NoSecrets {
    fn read(&self, reference: &SecretReference) -> Result<Secret, SecretError> {
        let reason = "there are none".to_owned();
        Err(SecretError { reference: reference.clone(), reason })
    }
}

fn http(url: &str) -> Arc<dyn Connector> {
    let settings = json!({
        "kind": "http", "allow": [{ "methods": ["GET", "POST"], "url": url }],
    });
    let around = Surroundings { secrets: Arc::new(NoSecrets), now: || Millis::new(0) };
    connect(&"it".parse().unwrap(), &settings, &around).unwrap()
}

/// A server that reads a request and then says `head`, followed by `filler` again and again with
/// pauses in between, until nobody listens.
async fn endless(head: String, filler: Vec<u8>, pause: Duration) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            if stream.read(&mut request).await.unwrap_or(0) == 0
                || stream.write_all(head.as_bytes()).await.is_err()
            {
                continue;
            }
            drop(tokio::spawn(drip(stream, filler.clone(), pause)));
        }
    });
    address
}

async fn drip(mut stream: TcpStream, filler: Vec<u8>, pause: Duration) {
    while !filler.is_empty() && stream.write_all(&filler).await.is_ok() {
        tokio::time::sleep(pause).await;
    }
}

async fn asked(method: &str, address: SocketAddr) -> CallError {
    let url = format!("http://{address}/");
    let mut call = call("http.request", json!({ "method": method, "url": url }));
    call.timeout = Span::from_millis(500);
    http(&url).call(&call).await.unwrap_err()
}

#[tokio::test]
async fn an_answer_is_bounded_in_size_time_and_headers() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let huge = vec![b'x'; 64 * 1024];
    let many = (0..10_000).map(|n| format!("x-{n}: y")).collect::<Vec<_>>().join("\r\n") + "\r\n";
    let cases = [
        (
            "10 GB",
            endless(
                format!("{ok}content-length: 10000000000\r\n\r\n"),
                huge.clone(),
                Duration::ZERO,
            )
            .await,
        ),
        ("no end", endless(format!("{ok}\r\n"), huge, Duration::ZERO).await),
        (
            "a byte now and then",
            endless(format!("{ok}\r\n"), b"x".to_vec(), Duration::from_millis(50)).await,
        ),
        ("10,000 headers", endless(format!("{ok}{many}\r\n"), Vec::new(), Duration::ZERO).await),
        (
            "a header without end",
            endless(ok.to_owned(), b"x: y\r\n".to_vec(), Duration::from_millis(50)).await,
        ),
        ("no HTTP", endless("SSH-2.0-x\r\n\r\n".to_owned(), Vec::new(), Duration::ZERO).await),
    ];
    for (name, address) in cases {
        let error = asked("POST", address).await;
        assert!(matches!(error, CallError::Unknown { .. }), "{name}: {error:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let head =
        "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n";
    let address = endless(head.to_owned(), Vec::new(), Duration::ZERO).await;
    let error = asked("POST", address).await;
    assert!(matches!(error, CallError::Unknown { .. }), "{error:?}");
    let url = format!("http://{address}/");
    let arguments = json!({ "method": "GET", "url": url, "expect": [302] });
    let answer = http(&url).call(&call("http.request", arguments)).await.unwrap();
    assert_eq!(answer.output["headers"]["location"], "http://169.254.169.254/");
}

#[tokio::test]
async fn bad_utf_8_is_a_text_with_marks_in_it() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n".to_owned();
    let address = endless(head, b"\xff!".to_vec(), Duration::from_mins(1)).await;
    let url = format!("http://{address}/");
    let arguments = json!({ "method": "GET", "url": url });
    let answer = http(&url).call(&call("http.request", arguments)).await.unwrap();
    assert_eq!(answer.output["body"], "\u{fffd}!");
}

#[tokio::test]
async fn no_spelling_and_no_name_leads_inside() {
    // Even where the name itself is allowed, it must not lead to this machine.
    for url in ["http://localhost:9/", "http://localhost.:9/", "http://x.localhost:9/"] {
        let call = call("http.request", json!({ "method": "GET", "url": url }));
        let error = http(url).call(&call).await.unwrap_err();
        assert!(matches!(error, CallError::Refused { .. }), "{url}: {error:?}");
    }
    let outside = http("http://api.example.org/");
    for url in [
        "http://127.0.0.1/",
        "http://0x7f.1/",
        "http://017700000001/",
        "http://[::ffff:169.254.169.254]/",
        "http://[::1]/",
        "http://0/",
        "http://api.example.org.@127.0.0.1/",
        "http://api.example.org:81/",
        "http://\u{ff11}27.0.0.1/",
    ] {
        let call = call("http.request", json!({ "method": "GET", "url": url }));
        let error = outside.call(&call).await.unwrap_err();
        let stopped = matches!(error, CallError::Refused { .. } | CallError::Invalid { .. });
        assert!(stopped, "{url}: {error:?}");
    }
    for url in ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://api.example.org/"] {
        let call = call("http.request", json!({ "method": "GET", "url": url }));
        let error = outside.call(&call).await.unwrap_err();
        assert!(matches!(error, CallError::Invalid { .. }), "{url}: {error:?}");
    }
}
