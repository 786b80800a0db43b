//! What an identity provider's settings may be, and how often one that is gone is asked.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::*;

const NOW: Millis = Millis::new(1_700_000_000_000);

fn settings(issuer: &str, client: &str, server: &str) -> Result<Settings, Unfit> {
    Settings::new(issuer, (client, Secret::new("s")), server)
}

fn flow(number: u8) -> Flow {
    Flow::new([number; 32], NOW, Place::new("/api/v1/me").unwrap())
}

/// A wire at whose other end nobody is.
#[derive(Debug, Default)]
struct Cut(Arc<AtomicU32>);

impl Wire for Cut {
    fn ask(&self, _: Question) -> Replied<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Err(Unreachable("nobody answers".to_owned())) })
    }
}

/// One at whose other end somebody takes a question, and says nothing until the wire has waited for as
/// long as it does: a minute.
#[derive(Debug, Default)]
struct Hanging {
    asked: AtomicU32,
    is_over: Notify,
    waited_ms: AtomicU64,
}

#[derive(Debug)]
struct Hangs(Arc<Hanging>);

impl Wire for Hangs {
    fn ask(&self, _: Question) -> Replied<'_> {
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(async {
            self.0.is_over.notified().await;
            self.0.waited_ms.fetch_add(60_000, Ordering::Relaxed);
            Err(Unreachable("it took too long".to_owned()))
        })
    }
}

/// A clock that stands.
const fn at(now: Millis) -> impl Fn() -> Millis + Send + Sync {
    move || now
}

fn over(wire: Box<dyn Wire>) -> SingleSignOn {
    let settings = settings("https://login.example", "beistand", "https://lage.example").unwrap();
    SingleSignOn::new(settings, wire, [3; 32])
}

fn cut() -> (SingleSignOn, Arc<AtomicU32>) {
    let asked = Arc::default();
    (over(Box::new(Cut(Arc::clone(&asked)))), asked)
}

#[test]
fn a_provider_and_this_server_are_reached_over_tls_or_on_this_machine() {
    let issuer = |text: &str| settings(text, "beistand", "https://lage.example").is_ok();
    for text in ["https://login.example", "https://a.example/realms/x", "http://127.0.0.1:9/"] {
        assert!(issuer(text), "{text}");
    }
    for text in [
        "",
        "login.example",
        "http://login.example",
        "http://localhost:9",
        "http://10.0.0.1",
        "https://login.example?x=1",
        "https://login.example#x",
        "https://me:secret@login.example",
        "ftp://login.example",
    ] {
        assert!(!issuer(text), "{text}");
    }
    let server = |text: &str| settings("https://login.example", "beistand", text);
    let found = server("https://Lage.example:8443").unwrap();
    assert_eq!(found.host, "lage.example:8443");
    let back = "https://lage.example:8443/api/v1/session/sso/return";
    assert_eq!(found.way_back.as_str(), back);
    assert_eq!(server("https://lage.example:443").unwrap().host, "lage.example");
    for text in ["lage.example", "http://lage.example", "https://lage.example/app"] {
        assert_eq!(server(text).unwrap_err(), Unfit::Server(text.to_owned()));
    }
    assert_eq!(settings("https://a.example", "", "https://b.example").unwrap_err(), Unfit::Client);
}

#[test]
fn what_the_provider_names_is_asked_over_tls_too() {
    let url = |text: &str| text.parse::<Url>().unwrap();
    for (asked, issuer, safe) in [
        ("https://keys.example/jwks", "https://login.example", true),
        ("http://login.example/jwks", "https://login.example", false),
        ("http://127.0.0.1:1/jwks", "https://login.example", false),
        ("http://127.0.0.1:1/jwks", "http://127.0.0.1:2", true),
        ("http://login.example/jwks", "http://127.0.0.1:2", false),
        ("https://a:b@login.example/jwks", "https://login.example", false),
        ("file:///etc/passwd", "https://login.example", false),
    ] {
        assert_eq!(is_safe(&url(asked), &url(issuer)), safe, "{asked} {issuer}");
    }
}

#[tokio::test]
async fn one_that_is_gone_is_not_asked_again_at_once() {
    let (sso, asked) = cut();
    for _ in 0..5 {
        let refused = sso.set_out(&flow(1), &at(NOW)).await.unwrap_err();
        assert!(matches!(refused, Refused::Gone(_)), "{refused:?}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let later = NOW.plus(KNOWN_FOR);
    assert!(sso.set_out(&flow(1), &at(later)).await.is_err());
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn one_that_hangs_is_asked_by_one_and_the_others_are_told_soon() {
    let hanging = Arc::new(Hanging::default());
    let waits_within = Duration::from_millis(20);
    let sso = Arc::new(SingleSignOn { waits_within, ..over(Box::new(Hangs(hanging.clone()))) });
    let mut strangers = JoinSet::new();
    for number in 0..100 {
        let (sso, hanging) = (Arc::clone(&sso), Arc::clone(&hanging));
        strangers.spawn(async move {
            let waited = || Span::from_millis(hanging.waited_ms.load(Ordering::Relaxed));
            let clock = || NOW.plus(waited());
            sso.set_out(&flow(number), &clock).await.unwrap_err()
        });
    }
    for _ in 0..99 {
        let told = timeout(Duration::from_secs(5), strangers.join_next()).await;
        let told = told.expect("nobody but who asks waits for it").unwrap().unwrap();
        assert!(matches!(told, Refused::Busy), "{told:?}");
    }
    assert_eq!(hanging.asked.load(Ordering::Relaxed), 1);
    hanging.is_over.notify_one();
    let gone = strangers.join_next().await.unwrap().unwrap();
    assert!(matches!(gone, Refused::Gone(_)), "{gone:?}");
    // That it is gone counts from when that was known, not from when it was asked.
    let known_at = NOW.plus(Span::from_secs(60));
    assert!(sso.set_out(&flow(1), &at(known_at)).await.is_err());
    assert_eq!(hanging.asked.load(Ordering::Relaxed), 1);
    hanging.is_over.notify_one();
    assert!(sso.set_out(&flow(1), &at(known_at.plus(KNOWN_FOR))).await.is_err());
    assert_eq!(hanging.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_way_is_walked_once_in_the_browser_that_set_out() {
    let (sso, asked) = cut();
    let (one, other) = (flow(1), flow(2));
    let kept = one.sealed(&sso.key);
    let answer = |flow: &Flow, issuer: Option<&str>| Answer {
        state: flow.state(&sso.key),
        code: Err("access_denied".to_owned()),
        issuer: issuer.map(str::to_owned),
    };
    let came =
        async |kept: Option<&str>, answer, now| match sso.come_back(kept, answer, &at(now)).await {
            Err(Refused::Astray) => "astray",
            Err(Refused::ByProvider(_)) => "by the identity provider",
            Err(Refused::Gone(_)) => "gone",
            other => panic!("{other:?}"),
        };
    assert_eq!(came(None, answer(&one, None), NOW).await, "astray");
    assert_eq!(came(Some(&kept), answer(&other, None), NOW).await, "astray");
    let evil = Some("https://evil.example");
    assert_eq!(came(Some(&kept), answer(&one, evil), NOW).await, "astray");
    assert_eq!(came(Some(&kept), answer(&one, None), one.ends()).await, "astray");
    let right = Some("https://login.example");
    assert_eq!(came(Some(&kept), answer(&one, right), NOW).await, "by the identity provider");
    assert_eq!(came(Some(&kept), answer(&one, right), NOW).await, "astray");
    assert_eq!(
        asked.load(Ordering::Relaxed),
        0,
        "the identity provider is asked for none of these"
    );
    let code = Answer { code: Ok("c".to_owned()), ..answer(&other, None) };
    assert_eq!(came(Some(&other.sealed(&sso.key)), code, NOW).await, "gone");
}
