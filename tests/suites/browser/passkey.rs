//! Passkeys in a browser: a device is added, and from then on it is asked beside the passphrase.

use beistand_tests::browser::{Look, Session};
use serde_json::json;

use super::house::House;
use crate::desk::Desk;
use crate::staff::WORDS;

/// A device of the browser's own, whose person always says yes.
fn with_device(window: &Session) {
    window.devtools("WebAuthn.enable", &json!({"enableUI": false})).unwrap();
    let options = json!({
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
        "hasUserVerification": true, "isUserVerified": true, "automaticPresenceSimulation": true,
    });
    window.devtools("WebAuthn.addVirtualAuthenticator", &json!({"options": options})).unwrap();
}

#[test]
fn a_passkey_is_added_on_a_page_and_asked_for_where_one_logs_in() {
    let house = House::of(Desk::new());
    // Passkeys are for a name; on this machine the server has this one.
    let url = |path: &str| house.url(path).replace("127.0.0.1", "localhost");
    let window = house.stranger(&Look { language: "de", ..Look::default() });
    with_device(&window);
    let log_in = |by: &str, words: &str| {
        window.go(&url("/login")).unwrap();
        window.fill("#account", "cleo").unwrap();
        window.fill("#passphrase", words).unwrap();
        window.click(by).unwrap();
    };
    let (plain, passkey) = ("form[action='/login'] .kern-btn--primary", "[data-passkey=login]");
    log_in(plain, WORDS);
    window.go(&url("/me")).unwrap();
    window.fill("#title", "Dienstgerät").unwrap();
    window.click("[data-passkey=add]").unwrap();
    window.wait_for_text("main", "Dienstgerät").unwrap();
    window.click("form[action='/logout'] button").unwrap();

    log_in(plain, WORDS);
    window.wait_for_text("main", "verlangt zusätzlich einen Passkey").unwrap();
    // The page that refused it takes the device, too.
    window.fill("#passphrase", WORDS).unwrap();
    window.click(passkey).unwrap();
    window.wait_for_text(".foot", "cleo").unwrap();
    window.click("form[action='/logout'] button").unwrap();
    log_in(passkey, "ganz andere falsche Worte");
    window.wait_for_text(".passkey-said", "passen nicht zusammen").unwrap();
    log_in(passkey, WORDS);
    window.wait_for_text(".foot", "cleo").unwrap();
    window.go(&url("/me")).unwrap();
    window.wait_for_text("main", "mit zweitem Faktor").unwrap();
    assert_eq!(window.csp_reports().unwrap(), [""; 0]);
}
