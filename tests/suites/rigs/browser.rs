//! The browser does what it says, and notices what it is there to notice.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use beistand_tests::browser::{
    Browser, Colours, Focus, Key, Look, Medium, Scheme, Scripts, Session, Size, artefact,
};
use beistand_tests::http::{Manner, Reply, Request, serve};
use beistand_tests::tool::{PATIENCE, call, now, wait_for};
use serde_json::{Value, json};

/// A page that does nothing wrong.
const GOOD: &str = "<!doctype html><html lang='de'><head><title>Lage</title>\
    <meta name='viewport' content='width=device-width'></head>\
    <body><main><h1>Lage</h1><p>Alles ruhig.</p></main></body></html>";

/// A server of pages by their path, and the requests it was sent.
struct Pages {
    origin: String,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Pages {
    /// Each page has a path, lines of its head and a body.
    fn serve(pages: Vec<(&'static str, Vec<String>, String)>) -> Self {
        // On every address, so that what is not reached is not for want of a server.
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        let origin = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&asked);
        serve(listener, move |request| {
            let page = pages.iter().find(|(path, _, _)| *path == request.path);
            let (status, headers, body) = match page {
                Some((_, headers, body)) => (200, headers.clone(), body.clone()),
                None => (404, Vec::new(), String::new()),
            };
            into.lock().unwrap().push(request);
            let (body, manner) = (body.into_bytes(), Manner::Plain);
            Reply { status, content_type: "text/html; charset=utf-8", headers, body, manner }
        });
        Self { origin, asked }
    }

    fn one(body: impl Into<String>) -> Self {
        Self::serve(vec![("/", Vec::new(), body.into())])
    }

    fn port(&self) -> &str {
        self.origin.rsplit(':').next().unwrap()
    }

    /// The hosts that were asked for this path, as the requests name them.
    fn hosts(&self, path: &str) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let asked = asked.iter().filter(|request| request.path == path);
        asked.map(|request| request.header("host").unwrap_or_default().to_owned()).collect()
    }
}

/// A window that shows the first page.
fn shown(pages: &Pages, look: &Look) -> Session {
    let session = Browser::start().unwrap().open(look).unwrap();
    session.go(&format!("{}/", pages.origin)).unwrap();
    session
}

fn value(session: &Session, expression: &str) -> Value {
    session.run(&format!("return {expression}"), &json!([])).unwrap()
}

#[test]
fn a_planted_fault_is_found_and_a_good_page_has_none() {
    let small = "<button style='width:9px;height:9px'>x</button>";
    let bad = GOOD.replace("<p>", &format!("<img src='data:,'>{small}{small}<p>"));
    let policy = "content-security-policy: default-src 'none'; style-src 'unsafe-inline'";
    let pages = Pages::serve(vec![
        ("/", Vec::new(), GOOD.to_owned()),
        ("/bad", vec![policy.to_owned()], bad),
    ]);
    for scripts in [Scripts::On, Scripts::Off] {
        let session = shown(&pages, &Look { scripts, ..Look::default() });
        assert_eq!(session.axe().unwrap(), []);
        session.go(&format!("{}/bad", pages.origin)).unwrap();
        let found = session.axe().unwrap();
        let rules: Vec<&str> = found.iter().map(|violation| violation.rule.as_str()).collect();
        assert_eq!(rules, ["image-alt", "target-size"], "{found:#?}");
        let first = &found[0];
        assert_eq!(
            (first.impact.as_str(), &first.nodes[..]),
            ("critical", &["<img src=\"data:,\">".to_owned()][..])
        );
    }
}

#[test]
fn whoever_is_asked_beyond_the_origin_is_noticed_and_nobody_beyond_loopback_is_reached() {
    let other = Pages::one("");
    let body = GOOD.replace(
        "<p>",
        &format!(
            "<img alt='' src='/own.png'><img alt='' src='{0}/'>\
             <img alt='' src='http://127.0.0.2:{1}/far'><img alt='' src='http://example.org/'><p>",
            other.origin,
            other.port()
        ),
    );
    let pages = Pages::one(body);
    let session = shown(&pages, &Look::default());
    let beyond = session.requests_beyond(&pages.origin).unwrap();
    let urls: Vec<&str> = beyond.iter().map(|asked| asked.url.as_str()).collect();
    let far = format!("http://127.0.0.2:{}/far", other.port());
    assert_eq!(urls, [&format!("{}/", other.origin), &far, "http://example.org/"]);
    assert_eq!((other.hosts("/").len(), other.hosts("/far")), (1, Vec::new()));

    let requests = session.requests().unwrap();
    let first = requests.first().unwrap();
    assert_eq!(
        (first.url.as_str(), first.kind.as_str()),
        (&*format!("{}/", pages.origin), "Document")
    );
    assert!(requests.iter().any(|asked| asked.url == format!("{}/own.png", pages.origin)));
    let neighbour = session.requests_beyond(pages.origin.strip_suffix(char::is_numeric).unwrap());
    assert_eq!(neighbour.unwrap(), requests, "an origin is no prefix");
}

#[test]
fn a_violated_policy_is_noticed_with_scripts_and_without() {
    // A browser asks for a picture of the site whenever it gets to it, and that is no fault of a page.
    let allowed = "default-src 'none'; style-src 'self'; img-src 'self'";
    let policy = |name: &str| vec![format!("{name}: {allowed}")];
    let bad = GOOD.replace("<p>", "<p style='color:red'>");
    let pages = Pages::serve(vec![
        ("/", policy("content-security-policy"), GOOD.to_owned()),
        ("/bad", policy("content-security-policy"), bad.clone()),
        ("/told", policy("content-security-policy-report-only"), bad),
    ]);
    for scripts in [Scripts::On, Scripts::Off] {
        let session = shown(&pages, &Look { scripts, ..Look::default() });
        assert_eq!(session.csp_reports().unwrap(), [""; 0]);
        let mut before = 0;
        for path in ["/bad", "/told", "/"] {
            session.go(&format!("{}{path}", pages.origin)).unwrap();
            let reports = session.csp_reports().unwrap();
            assert_eq!(reports.len() > before, path != "/", "{path}: {reports:?}");
            before = reports.len();
        }
    }
}

#[test]
fn without_scripts_those_of_the_page_do_not_run_and_those_of_the_test_do() {
    let pages = Pages::one(GOOD.replace(
        "<p>",
        "<script>document.title = 'changed'; setTimeout(() => document.title += '!', 0)</script>\
         <noscript>ohne</noscript><p>",
    ));
    let mut session = shown(&pages, &Look::default());
    wait_for("the script", PATIENCE, || Ok((session.title()? == "changed!").then_some(())))
        .unwrap();
    assert_eq!(session.count("noscript").unwrap(), 1);

    session.look_as(&Look { scripts: Scripts::Off, ..Look::default() }).unwrap();
    session.reload().unwrap();
    assert_eq!(session.title().unwrap(), "Lage");
    assert_eq!(value(&session, "document.body.innerText"), "Lage\nohne\n\nAlles ruhig.");
}

#[test]
fn a_page_sees_the_look_that_was_asked_for() {
    let pages = Pages::one(GOOD);
    let dark = Look { language: "en", scheme: Scheme::Dark, size: Size::PHONE, ..Look::default() };
    let mut session = shown(&pages, &dark);
    let seen = |session: &Session| {
        let media = ["(prefers-color-scheme: dark)", "(forced-colors: active)", "print"];
        let media = media.map(|query| value(session, &format!("matchMedia('{query}').matches")));
        (value(session, "[innerWidth, innerHeight]"), media.map(|is| is == true))
    };
    assert_eq!(seen(&session), (json!([375, 667]), [true, false, false]));
    assert_eq!(value(&session, "navigator.language"), "en");
    let asked = pages.asked.lock().unwrap()[0].header("accept-language").map(str::to_owned);
    assert_eq!(asked.as_deref(), Some("en"));

    let forced =
        Look { language: "en", colours: Colours::Forced, medium: Medium::Print, ..Look::default() };
    session.look_as(&forced).unwrap();
    assert_eq!(seen(&session), (json!([1280, 720]), [false, true, true]));
    session.reload().unwrap();
    assert_eq!(seen(&session), (json!([1280, 720]), [false, true, true]), "it stays");
    session.look_as(&Look::default()).unwrap_err();
}

#[test]
fn a_page_is_walked_by_keys_alone() {
    let pages = Pages::one(GOOD.replace(
        "<p>",
        "<a href='#a'>Weg</a><label>Titel <input id='title'></label>\
         <button onclick=\"document.querySelector('p').textContent = \
         document.querySelector('#title').value\">Melden</button><p>",
    ));
    let session = shown(&pages, &Look::default());
    let passed = session.tab_to("textbox", "Titel", 5).unwrap();
    assert_eq!(passed, [Focus { role: "link".to_owned(), name: "Weg".to_owned() }]);
    session.type_text("Störung").unwrap();
    session.tab_to("button", "Melden", 1).unwrap();
    session.press(&[Key::Enter]).unwrap();
    session.wait_for_text("p", "Störung").unwrap();
    session.press(&[Key::Shift, Key::Tab]).unwrap();
    assert_eq!(session.focus().unwrap().role, "textbox");
    session.tab_to("button", "Abschalten", 5).unwrap_err();

    session.fill("#title", "Übung").unwrap();
    session.click("button").unwrap();
    assert_eq!(session.text("p").unwrap(), "Übung");
}

#[test]
fn a_slow_line_is_slow() {
    // A hundred and twenty-eight kilobits.
    let long = GOOD.replace("<p>", &format!("<!-- {} --><p>", "x".repeat(16_000)));
    let pages = Pages::serve(vec![("/", Vec::new(), GOOD.to_owned()), ("/long", Vec::new(), long)]);
    let session = shown(&pages, &Look::default());
    session.slow_line(64, Duration::ZERO).unwrap();
    let begun = now();
    session.go(&format!("{}/long", pages.origin)).unwrap();
    assert!(begun.elapsed() > Duration::from_millis(1_500), "{:?}", begun.elapsed());
}

#[test]
fn a_page_is_pictured_and_printed() {
    let pages = Pages::one(GOOD.replace(
        "</head>",
        "<style>@page { size: A4 } @media print { p { break-before: page } }</style></head>",
    ));
    let session = shown(&pages, &Look { size: Size::NARROW, ..Look::default() });
    let picture = fs::read(session.screenshot("rigs/narrow").unwrap()).unwrap();
    let side = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().unwrap());
    assert_eq!((&picture[1..4], side(16), side(20)), (&b"PNG"[..], 320, 568));

    let paper = artefact("rigs/paper.pdf", &session.print().unwrap()).unwrap();
    let paper = paper.to_str().unwrap();
    let about = call("pdfinfo", &[paper]).unwrap();
    let line = |name: &str| about.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    assert!(line("Pages:").ends_with(" 2") && line("Page size:").contains("A4"), "{about}");
    assert!(call("pdftotext", &[paper, "-"]).unwrap().contains("Alles ruhig."));
}

#[test]
fn of_a_browser_nothing_stays_whether_its_test_ends_or_is_killed() {
    // Started again as a child of itself, this binary stands for a test that is killed.
    let browser = || {
        let session = Browser::start().and_then(|browser| {
            println!("folder {}", browser.folder().display());
            browser.open(&Look::default())
        });
        session.unwrap()
    };
    if std::env::var_os("BEISTAND_TEST_VICTIM").is_some() {
        let _session = browser();
        println!("open");
        let forever = TcpListener::bind("127.0.0.1:0").unwrap();
        forever.accept().unwrap();
    }
    let mut victim = Command::new(std::env::current_exe().unwrap());
    let test = "rigs::browser::of_a_browser_nothing_stays_whether_its_test_ends_or_is_killed";
    victim.args(["--exact", test, "--nocapture"]);
    let victim = victim.env("BEISTAND_TEST_VICTIM", "1").stdout(Stdio::piped());
    let mut victim = victim.spawn().unwrap();
    let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines().map(Result::unwrap);
    let folder = lines.find_map(|line| Some(line.split_once("folder ")?.1.to_owned())).unwrap();
    lines.find(|line| line == "open").unwrap();
    assert!(processes_of(&folder) > 3, "the driver, the browser, a page at least");
    victim.kill().unwrap();
    victim.wait().unwrap();
    let gone = || Ok((processes_of(&folder) == 0 && fs::metadata(&folder).is_err()).then_some(()));
    wait_for("browser and folder to be gone", PATIENCE, gone).unwrap();

    let browser = Browser::start().unwrap();
    let session = browser.open(&Look::default()).unwrap();
    let folder = browser.folder().to_str().unwrap().to_owned();
    drop(browser);
    session.go("about:blank").unwrap();
    drop(session);
    assert!(processes_of(&folder) == 0 && fs::metadata(&folder).is_err());
}

/// How many processes have this folder for their home.
fn processes_of(folder: &str) -> usize {
    let home = format!("HOME={folder}\0");
    let all = fs::read_dir("/proc").unwrap().flatten();
    let environments = all.filter_map(|process| fs::read(process.path().join("environ")).ok());
    environments.filter(|all| String::from_utf8_lossy(all).contains(&home)).count()
}
