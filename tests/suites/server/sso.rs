//! Logging in by single sign-on: at a real provider, at one that lies, and at one that is gone.

mod browser;
mod forged;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use beistand_tests::oidc::{CLIENT, Provider, SECRET};
use beistand_tests::program::DEADLINE;
use beistand_tests::tool::wait_for;
use beistand_tests::trouble::Trouble;
use serde_json::{Value, json};

use self::browser::{Browser, By};
use super::client::{Answer, Client};
use super::{Served, serve_at};
use crate::desk::Desk;
use crate::staff::{Staff, WORDS};

const SET_OUT: &str = "/api/v1/session/sso";
const SESSION: &str = "__Host-beistand";
const WAY: &str = "__Host-beistand-sso";

/// Longer than the server believes what an identity provider published.
const FORGOTTEN_WITHIN: Duration = Duration::from_secs(40);

/// A desk with `root`, who keeps the accounts, and a server that lets people in by an identity
/// provider.
struct Signed {
    desk: Desk,
    words: PathBuf,
    staff: Staff,
    served: Option<Served>,
    address: SocketAddr,
}

impl Signed {
    /// A desk whose server is to be at an address that nobody has.
    fn new() -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = free.local_addr().unwrap();
        let desk = Desk::new();
        let staff = Staff::of(&desk);
        Self { words: desk.path("words"), desk, staff, served: None, address }
    }

    /// With `cleo`, who leads, `rosa`, who only reads, and a sealed account.
    fn staffed(mut self, issuer: &str) -> Self {
        self.configure(issuer);
        for words in [
            &["cleo", "--role", "commander", "--sso", "s-cleo"][..],
            &["rosa", "--role", "reviewer"],
            &["sealed-1", "--break-glass", "--role", "commander"],
        ] {
            self.staff.add(&self.desk, words);
        }
        self.as_root(&["user", "sso", "rosa", "s-rosa"], 0);
        self.served = Some(serve_at(&self.desk, &self.address.to_string(), &["--plain"]));
        self
    }

    fn configure(&self, issuer: &str) {
        self.desk.write("secret", SECRET);
        let file = self.desk.path("secret").display().to_string();
        self.desk.configure(&json!({"single_sign_on": {
            "issuer": issuer, "client_id": CLIENT, "client_secret": {"file": file},
            "server": self.url(),
        }}));
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn back(&self) -> String {
        format!("{}{SET_OUT}/return", self.url())
    }

    fn as_root(&self, words: &[&str], code: i32) -> String {
        self.staff.root(&self.desk, words, code)
    }

    /// A whole login in a browser, as a subject of the real provider.
    fn log_in(&self, browser: &mut Browser, subject: &str) -> Answer {
        let back = browser.find_the_way_back(&self.url(), &format!("account={subject}"));
        browser.open(&back, By::Another)
    }

    fn me(&self, browser: &mut Browser) -> Answer {
        browser.open(&format!("{}/api/v1/me", self.url()), By::Itself)
    }

    /// A request of our own page, with the session of a browser.
    fn post(&self, browser: &Browser, path: &str, body: &Value) -> Answer {
        let (host, body) = (self.address.to_string(), body.to_string());
        let session = browser.cookie(&host, SESSION).unwrap_or_default();
        let client = Client { address: self.address, pinned: None };
        let head = client.head("POST", path, None);
        let text = format!(
            "{head}Cookie: {SESSION}={session}\r\nOrigin: http://{host}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        client.raw(text.as_bytes()).unwrap()
    }

    fn by_words(&self, account: &str) -> Answer {
        let body = json!({"account": account, "passphrase": WORDS}).to_string();
        let client = Client { address: self.address, pinned: None };
        client.send("POST", "/api/v1/session", None, Some(&body))
    }

    /// How many accounts and grants there are.
    fn directory(&self) -> Value {
        let listed = self.as_root(&["--json", "user", "list"], 0);
        let listed: Value = serde_json::from_str(&listed).unwrap();
        let accounts = listed.as_array().unwrap().iter();
        accounts.map(|one| json!([one["account"], one["grants"]])).collect()
    }
}

/// What an answer is refused with: its status and its kind.
fn refusal(answer: &Answer) -> (u16, String) {
    let kind = answer.json()["type"].as_str().unwrap().to_owned();
    (answer.status, kind.rsplit(':').next().unwrap().to_owned())
}

fn forbidden() -> (u16, String) {
    (403, "forbidden".to_owned())
}

#[test]
fn who_the_provider_knows_is_let_in_and_is_fresh_only_when_they_prove_it_here() {
    for algorithm in ["RS256", "ES256"] {
        let signed = Signed::new();
        let provider = Provider::start(&signed.back(), algorithm).unwrap();
        let signed = signed.staffed(&provider.issuer());
        let mut browser = Browser::default();
        let landed = signed.log_in(&mut browser, "s-cleo");
        assert_eq!(landed.status, 200, "{landed:?}");
        assert_eq!(landed.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(landed.body.contains("content=\"0; url=/api/v1/me\""), "{}", landed.body);
        let set = landed.headers("set-cookie");
        let session = set.iter().find(|line| line.starts_with(&format!("{SESSION}="))).unwrap();
        for mark in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(session.contains(mark), "{session}");
        }
        assert_eq!(browser.cookie(&signed.address.to_string(), WAY), None, "the way is over");

        let me = signed.me(&mut browser).json();
        assert_eq!((&me["person"], &me["proof"]), (&json!("cleo"), &json!("single-sign-on")));
        assert_eq!(me["fresh"], false, "{me}");
        let reason = json!({"reason": "smoke in the server room"});
        assert_eq!(signed.post(&browser, "/api/v1/stop", &reason).status, 200);
        let on = signed.post(&browser, "/api/v1/go-on", &reason);
        assert_eq!(refusal(&on), (403, "prove-again".to_owned()));
        let wrong = json!({"passphrase": "not these words at all"});
        assert_eq!(signed.post(&browser, "/api/v1/session/proof", &wrong).status, 403);
        assert_eq!(signed.me(&mut browser).json()["fresh"], false);
        let proof = signed.post(&browser, "/api/v1/session/proof", &json!({"passphrase": WORDS}));
        assert_eq!(proof.status, 200, "{proof:?}");
        assert_eq!(signed.me(&mut browser).status, 401, "a copy of the cookie is dead");
        browser.keep(&signed.address.to_string(), &proof);
        let me = signed.me(&mut browser).json();
        assert_eq!((&me["proof"], &me["fresh"]), (&json!("passphrase"), &json!(true)));
    }
}

#[test]
fn a_login_makes_no_account_and_a_group_called_commander_gives_no_role() {
    let signed = Signed::new();
    let provider = Provider::start(&signed.back(), "RS256").unwrap();
    let signed = signed.staffed(&provider.issuer());
    let before = signed.directory();
    let mut rosas = Browser::default();
    assert_eq!(signed.log_in(&mut rosas, "s-rosa").status, 200);
    let me = signed.me(&mut rosas).json();
    assert_eq!((&me["person"], &me["everywhere"]), (&json!("rosa"), &json!(["read"])));
    let stop = signed.post(&rosas, "/api/v1/stop", &json!({"reason": "she reads"}));
    assert_eq!(refusal(&stop), forbidden());

    let mut strangers = Browser::default();
    let refused = signed.log_in(&mut strangers, "s-mallory");
    assert_eq!(refusal(&refused), forbidden());
    assert!(refused.json()["hint"].as_str().unwrap().contains("s-mallory"), "{refused:?}");
    assert_eq!(strangers.cookie(&signed.address.to_string(), SESSION), None);
    assert_eq!(signed.directory(), before, "who is linked to what changed by no login");

    // Whoever is locked or no longer linked is out at once.
    let mut cleos = Browser::default();
    assert_eq!(signed.log_in(&mut cleos, "s-cleo").status, 200);
    signed.as_root(&["user", "lock", "cleo"], 0);
    assert_eq!(signed.me(&mut cleos).status, 401);
    assert_eq!(refusal(&signed.log_in(&mut cleos, "s-cleo")), forbidden());
    let listed: Value =
        serde_json::from_str(&signed.as_root(&["--json", "user", "list"], 0)).unwrap();
    let all =
        listed.as_array().unwrap().iter().flat_map(|one| one["credentials"].as_array().unwrap());
    let link = all.clone().find(|one| one["label"].as_str().unwrap().starts_with("s-rosa at "));
    signed.as_root(&["user", "remove", link.unwrap()["id"].as_str().unwrap()], 0);
    assert_eq!(signed.me(&mut rosas).status, 401);
    assert_eq!(refusal(&signed.log_in(&mut rosas, "s-rosa")), forbidden());
    let said = signed.served.as_ref().unwrap().running.stderr();
    for secret in [SECRET, "s-mallory"] {
        assert!(!said.contains(secret), "{secret} is in the log: {said}");
    }
}

#[test]
fn a_way_back_is_walked_once_and_in_the_browser_that_set_out() {
    let signed = Signed::new();
    let provider = Provider::start(&signed.back(), "RS256").unwrap();
    let signed = signed.staffed(&provider.issuer());
    let (mut one, mut other) = (Browser::default(), Browser::default());
    let host = signed.address.to_string();
    // Somebody else's way back in one's own browser, with a way of its own and without any.
    let back = one.find_the_way_back(&signed.url(), "account=s-cleo");
    assert_eq!(refusal(&other.open(&back, By::Another)), forbidden());
    other.open(&format!("{}{SET_OUT}", signed.url()), By::Itself);
    assert!(other.cookie(&host, WAY).is_some());
    assert_eq!(refusal(&other.open(&back, By::Another)), forbidden());
    assert_eq!(other.cookie(&host, SESSION), None);
    // Its own browser walks it, and nobody a second time.
    let way = one.cookie(&host, WAY).unwrap();
    assert_eq!(one.open(&back, By::Another).status, 200);
    one.jar.insert((host.clone(), WAY.to_owned()), (way, false));
    assert_eq!(refusal(&one.open(&back, By::Another)), forbidden());
    assert_eq!(signed.me(&mut one).status, 200, "the first one stays logged in");

    let mut third = Browser::default();
    let refused = third.find_the_way_back(&signed.url(), "no=thanks");
    assert!(refused.contains("error=access_denied"), "{refused}");
    assert_eq!(refusal(&third.open(&refused, By::Another)), forbidden());
    for query in ["", "?state=x", "?code=x", "?state=x&code=y", "?state=a&state=b&code=y"] {
        let answer = third.open(&format!("{}{query}", signed.back()), By::Another);
        assert!([400, 403].contains(&answer.status), "{query}: {answer:?}");
    }
    // Another address of the same server has other cookies.
    let client = Client { address: signed.address, pinned: None };
    let elsewhere =
        format!("GET {SET_OUT} HTTP/1.1\r\nHost: lage.example\r\nConnection: close\r\n\r\n");
    let elsewhere = client.raw(elsewhere.as_bytes()).unwrap();
    assert_eq!(elsewhere.status, 400, "{elsewhere:?}");
    assert!(elsewhere.body.contains(&signed.url()), "{elsewhere:?}");
}

#[test]
fn a_login_ends_the_session_that_the_browser_had_before() {
    let signed = Signed::new();
    let provider = Provider::start(&signed.back(), "RS256").unwrap();
    let signed = signed.staffed(&provider.issuer());
    let host = signed.address.to_string();
    let alive = |session: &str| {
        let mut jar = Browser::default();
        jar.jar.insert((host.clone(), SESSION.to_owned()), (session.to_owned(), true));
        signed.me(&mut jar).status
    };
    let mut browser = Browser::default();
    browser.keep(&host, &signed.by_words("cleo"));
    let by_words = browser.cookie(&host, SESSION).unwrap();
    assert_eq!(alive(&by_words), 200);
    // A way that is not walked to its end ends nothing.
    let way = browser.find_the_way_back(&signed.url(), "account=s-cleo");
    assert_eq!(alive(&by_words), 200);
    // The browser sends no session when the provider's page leads back.
    assert_eq!(browser.open(&way, By::Another).status, 200);
    let first = browser.cookie(&host, SESSION).unwrap();
    assert_ne!(first, by_words);
    assert_eq!((alive(&by_words), alive(&first)), (401, 200));
    // A second login by the provider, and one by words with a token beside the cookie.
    assert_eq!(signed.log_in(&mut browser, "s-cleo").status, 200);
    let second = browser.cookie(&host, SESSION).unwrap();
    assert_eq!((alive(&first), alive(&second)), (401, 200));
    let body = json!({"account": "cleo", "passphrase": WORDS}).to_string();
    let (cookie, origin) = (format!("{SESSION}={second}"), signed.url());
    let (cookie, origin) = (cookie.as_str(), origin.as_str());
    let lines = [("Cookie", cookie), ("Origin", origin), ("Authorization", "Bearer x")];
    let client = Client { address: signed.address, pinned: None };
    assert_eq!(client.ask(("POST", "/api/v1/session"), &lines, Some(&body)).status, 200);
    assert_eq!(alive(&second), 401);
}

#[test]
fn a_login_leads_to_a_path_of_this_server_alone() {
    let signed = Signed::new();
    let provider = Provider::start(&signed.back(), "RS256").unwrap();
    let signed = signed.staffed(&provider.issuer());
    let mut browser = Browser::default();
    for to in [
        "//evil.example",
        "https://evil.example",
        "https:%2F%2Fevil.example",
        "/%5Cevil.example",
        "%2F%2Fevil.example",
        "/a%0d%0aSet-Cookie:x=y",
        "javascript:alert(1)",
        "/a%22%3E%3Cscript%3E",
        "",
    ] {
        let refused = browser.open(&format!("{}{SET_OUT}?to={to}", signed.url()), By::Itself);
        assert_eq!(refusal(&refused), (400, "malformed".to_owned()), "{to}");
        assert_eq!(refused.header("location"), None);
    }
    let away = browser.open(&format!("{}{SET_OUT}?to=/api/v1/needs", signed.url()), By::Itself);
    assert_eq!(away.status, 303, "{away:?}");
    let to = away.header("location").unwrap();
    assert!(to.starts_with(&format!("{}/auth?", provider.issuer())), "{to}");
    assert!(to.contains("code_challenge_method=S256"), "{to}");
    assert!(away.header("set-cookie").unwrap().contains("SameSite=Lax"), "{away:?}");
}

#[test]
fn with_the_provider_gone_words_open_and_the_sealed_account_is_loud() {
    let signed = Signed::new();
    let provider = Provider::start(&signed.back(), "RS256").unwrap();
    let signed = signed.staffed(&provider.issuer());
    let file = signed.words.display().to_string();
    let cleo = ["--as", "cleo", "--passphrase", &file];
    let opened =
        signed.desk.ok(0, &[&cleo[..], &["--json", "incident", "open", "It burns"]].concat());
    let opened: Value = serde_json::from_str(&opened).unwrap();
    let mut browser = Browser::default();
    let back = browser.find_the_way_back(&signed.url(), "account=s-cleo");
    drop(provider);
    let gone = |answer: &Answer| {
        assert_eq!(refusal(answer), (503, "unavailable".to_owned()), "{answer:?}");
        let hint = answer.json()["hint"].as_str().unwrap().to_owned();
        assert!(hint.contains("passphrase") && hint.contains("sealed"), "{hint}");
    };
    gone(&browser.open(&back, By::Another));
    let lost = wait_for("the identity provider to be missed", FORGOTTEN_WITHIN, || {
        let answer = browser.open(&format!("{}{SET_OUT}", signed.url()), By::Itself);
        Ok::<_, Trouble>((answer.status != 303).then_some(answer))
    });
    gone(&lost.unwrap());

    assert_eq!(signed.by_words("cleo").status, 200);
    let sealed = signed.by_words("sealed-1");
    assert_eq!(sealed.status, 200, "{sealed:?}");
    assert_eq!(sealed.json()["proof"], "break-glass");
    let id = opened["id"].as_str().or_else(|| opened["incident"].as_str()).unwrap();
    let told = wait_for("the line about it", DEADLINE, || {
        let told = signed.desk.ok(0, &["timeline", id]);
        Ok::<_, Trouble>(told.contains("Sealed account sealed-1 used").then_some(told))
    });
    told.unwrap();
}

#[test]
fn a_wrong_section_and_a_wrong_link_are_refused_with_their_place() {
    let signed = Signed::new();
    let file = signed.words.display().to_string();
    // Nobody to be linked to.
    signed.as_root(&["user", "sso", "root", "s-root"], 3);
    signed.desk.write(
        "beistand.yaml",
        "single_sign_on:\n  issuer: http://login.example\n  client_id: beistand\n  \
         client_secret: { file: none }\n  server: https://lage.example\n",
    );
    let checked = signed.desk.done(&["config", "check"]);
    checked.expect_code(3).unwrap();
    for place in ["beistand.yaml:2:", "beistand.yaml:4:"] {
        assert!(checked.stdout.contains(place) || checked.stderr.contains(place), "{checked:?}");
    }
    let served = signed.desk.done(&["serve", "--plain", "--listen", "127.0.0.1:0"]);
    served.expect_code(3).unwrap();
    signed.desk.write("beistand.yaml", "single_sign_on: { issuer: https://a.example, group: x }\n");
    let unknown = signed.desk.done(&["user", "list"]);
    unknown.expect_code(3).unwrap();
    assert!(unknown.stderr.contains("beistand.yaml:1:"), "{}", unknown.stderr);

    signed.configure("https://login.example");
    let add = ["user", "add", "ben", "--role", "scribe", "--new", &file, "--sso", "s-1"];
    signed.as_root(&add, 0);
    signed.as_root(&["user", "sso", "root", "s-1"], 7);
    signed.as_root(&["user", "sso", "root", "s-1\u{e9}"], 2);
    let sealed = ["user", "add", "sealed-1", "--break-glass", "--new", &file];
    signed.as_root(&[&sealed[..], &["--sso", "s-2"]].concat(), 2);
    signed.as_root(&sealed, 0);
    signed.as_root(&["user", "sso", "sealed-1", "s-2"], 2);
    signed.as_root(&["user", "add", "pump", "--service"], 0);
    signed.as_root(&["user", "sso", "pump", "s-2"], 2);
    signed.desk.ok(0, &["verify"]);
}
