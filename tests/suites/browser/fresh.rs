//! A page that stays open: it says when it is old, and becomes new by itself.

use std::time::Duration;

use beistand_tests::browser::Look;
use beistand_tests::tool::now;
use serde_json::json;

use super::house::VERA;
use super::night::Night;

/// Within this time nobody takes an old picture for a new one.
const OLD_WITHIN: Duration = Duration::from_secs(10);

#[test]
fn a_page_says_that_it_is_old_and_catches_up_when_its_server_is_back() {
    let night = Night::new();
    let english = Look { language: "en", ..Look::default() };
    let window = night.house.window("cleo", &english);
    window.go(&night.url("/incidents/LIVE")).unwrap();
    window.wait_for_text(".fresh-state", "up to date").unwrap();
    // What is typed is nobody's to take away.
    let typed = "Half a sentence";
    window.fill("textarea[name=text]", typed).unwrap();
    window.run("window.stayed = true", &json!([])).unwrap();

    let (night, late) = night.while_dead(|| {
        let died = now();
        window.wait_for_text(".fresh-state", "old").unwrap();
        died.elapsed()
    });
    assert!(late < OLD_WITHIN, "it says so after {late:?}");
    let path = format!("/api/v1/incidents/{}/notes", night.word("LIVE"));
    night.house.sent(VERA, &path, &json!({"text": "Written meanwhile"}));
    window.wait_for_text(".lines", "Written meanwhile").unwrap();
    window.wait_for_text(".fresh-state", "up to date").unwrap();

    assert_eq!(window.run("return window.stayed", &json!([])).unwrap(), json!(true));
    let there = "return document.querySelector('textarea[name=text]').value";
    assert_eq!(window.run(there, &json!([])).unwrap(), json!(typed));
}

/// What a deadline says when the server says that it is so many seconds before it, and how it looks.
const COUNTED: &str = "
const [seconds, wrong] = arguments;
const one = document.querySelector('.deadline[data-until]');
const asOf = document.getElementById('as-of');
asOf.dateTime = new Date(Number(one.dataset.until) - 1000 * seconds - 500).toISOString();
window.own ??= Date.now;
Date.now = () => window.own.call(Date) + wrong;
document.dispatchEvent(new CustomEvent('beistand:fresh'));
return [one.querySelector('strong').textContent, one.classList.contains('soon'), one.classList.contains('late')];
";

#[test]
fn a_deadline_counts_down_by_the_clock_of_the_server() {
    let night = Night::new();
    let english = Look { language: "en", ..Look::default() };
    let window = night.house.window("cleo", &english);
    window.go(&night.url("/incidents/LIVE")).unwrap();
    let day = 86_400_000_i64;
    // However wrong the clock of the machine is.
    for wrong in [0, 3 * day, -3 * day] {
        for (seconds, said, soon, late) in [
            (5_405, "1 h 30 min left", false, false),
            (1_800, "30 min left", true, false),
            (-125, "overdue for 2 min 5 s", false, true),
        ] {
            let counted = window.run(COUNTED, &json!([seconds, wrong])).unwrap();
            assert_eq!(counted, json!([said, soon, late]), "{wrong}");
        }
    }
    // And by itself.
    window.run(COUNTED, &json!([50, 0])).unwrap();
    window.wait_for_text(".deadline[data-until] strong", "47 s left").unwrap();
}

/// Keeps what is read out.
const LISTEN: &str = "
window.heard = [];
const announcer = document.getElementById('announcer');
new MutationObserver(() => window.heard.push(announcer.textContent)).observe(announcer, {childList: true});
";

#[test]
fn what_is_new_is_read_out_once() {
    let night = Night::new();
    let english = Look { language: "en", ..Look::default() };
    let window = night.house.window("ben", &english);
    window.go(&night.url("/incidents/LIVE")).unwrap();
    window.wait_for_text(".fresh-state", "up to date").unwrap();
    window.run(LISTEN, &json!([])).unwrap();
    let heard = || window.run("return window.heard", &json!([])).unwrap();
    let noted = |text: &str| {
        let path = format!("/api/v1/incidents/{}/notes", night.word("LIVE"));
        night.house.sent(VERA, &path, &json!({"text": text}));
        window.wait_for_text(".lines", text).unwrap();
    };
    noted("Nothing that anybody is asked");
    assert_eq!(heard(), json!([]), "a page that became new is no news");
    let launch = json!({
        "playbook": "cut", "inputs": {"hosts": ["pc-3"]}, "incident": night.word("PRACTICE"),
        "mode": "drill", "start_key": "once",
    });
    let run = night.house.sent(VERA, "/api/v1/runs", &launch);
    night.house.need(run["id"].as_str().unwrap(), "approval");
    noted("Somebody is asked");
    let once = heard();
    let once = once.as_array().unwrap();
    assert_eq!(once.len(), 1, "{once:?}");
    assert!(once[0].as_str().unwrap().contains("for you"), "{once:?}");
    noted("Nothing is new again");
    noted("And again");
    assert_eq!(heard(), json!(once), "it is said once");
}
