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
