//! Logins at an identity provider that lies: everything that it says is wrong in one way, and
//! refused for that.

use std::time::Duration;

use beistand_runtime::{Clock as _, WallClock};
use beistand_tests::oidc::{CLIENT, Forger, Seal};
use beistand_tests::tool::{pause, wait_for};
use beistand_tests::trouble::Trouble;
use serde_json::{Value, json};

use super::browser::{Browser, By};
use super::{FORGOTTEN_WITHIN, SESSION, SET_OUT, Signed, forbidden, refusal};
use crate::server::client::Answer;

/// A token as the forger would have to say it to be believed.
fn right(forger: &Forger, nonce: &str) -> (Value, Value) {
    let now = WallClock.now().get() / 1000;
    let claims = json!({
        "iss": forger.issuer(), "aud": CLIENT, "sub": "s-cleo", "nonce": nonce,
        "iat": now, "exp": now + 300,
    });
    (json!({"alg": "RS256", "typ": "JWT", "kid": "k"}), claims)
}

/// A value of the query of an address.
fn asked(url: &str, name: &str) -> String {
    let (_, query) = url.split_once('?').unwrap();
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(have, _)| *have == name).unwrap().1.to_owned()
}

/// A login at the forger: it is told what to say once the nonce is known.
fn forged(signed: &Signed, browser: &mut Browser, say: impl FnOnce(&str)) -> Answer {
    let away = browser.open(&format!("{}{SET_OUT}", signed.url()), By::Itself);
    assert_eq!(away.status, 303, "{away:?}");
    let url = away.header("location").unwrap();
    say(&asked(url, "nonce"));
    let back = format!("{}?state={}&code=c", signed.back(), asked(url, "state"));
    browser.open(&back, By::Another)
}

/// What a forger does: a name, what is wrong in the header and in the claims, and the seal.
type Forgery = (&'static str, Value, Value, Seal);

fn forgeries(forger: &Forger) -> Vec<Forgery> {
    use Seal::{Nothing, PublicAsSecret, Published, Unpublished};
    let own = forger.unpublished_key().unwrap();
    let hs256 = json!({"alg": "HS256"});
    vec![
        ("an audience", json!({}), json!({"aud": "wiki"}), Published),
        ("one audience more", json!({}), json!({"aud": [CLIENT, "wiki"]}), Published),
        ("another party", json!({}), json!({"azp": "wiki"}), Published),
        ("an issuer", json!({}), json!({"iss": "https://login.example"}), Published),
        ("an issuer with a slash", json!({}), json!({"iss": forger.issuer() + "/"}), Published),
        ("a nonce", json!({}), json!({"nonce": "0".repeat(64)}), Published),
        ("no nonce", json!({}), json!({"nonce": null}), Published),
        ("yesterday's", json!({}), json!({"exp": 1_700_000_000}), Published),
        ("no algorithm", json!({"alg": "none"}), json!({}), Nothing),
        ("no algorithm and a seal", json!({"alg": "none"}), json!({}), Published),
        ("no seal", json!({}), json!({}), Nothing),
        ("the public key as a secret", hs256.clone(), json!({}), PublicAsSecret),
        (
            "the same without a name",
            json!({"alg": "HS256", "kid": null}),
            json!({}),
            PublicAsSecret,
        ),
        ("another key", json!({}), json!({}), Unpublished),
        ("another key of another name", json!({"kid": "other"}), json!({}), Unpublished),
        ("a key that comes along", json!({"jwk": own}), json!({}), Unpublished),
        (
            "a key to be fetched",
            json!({"jku": "https://evil.example/jwks"}),
            json!({}),
            Unpublished,
        ),
        ("a kind of token", json!({"typ": "at+jwt"}), json!({}), Published),
        ("what must be understood", json!({"crit": ["exp"]}), json!({}), Published),
    ]
}

fn with(mut whole: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        whole[name] = value.clone();
    }
    whole
}

#[test]
fn what_is_forged_is_not_believed() {
    let signed = Signed::new();
    let forger = Forger::start().unwrap();
    let signed = signed.staffed(&forger.issuer());
    let mut browser = Browser::default();
    let host = signed.address.to_string();
    for (name, header, claims, seal) in forgeries(&forger) {
        let answer = forged(&signed, &mut browser, |nonce| {
            let (right_header, right_claims) = right(&forger, nonce);
            forger.say(&with(right_header, &header), &with(right_claims, &claims), seal).unwrap();
        });
        assert_eq!(refusal(&answer), forbidden(), "{name}: {answer:?}");
        assert_eq!(browser.cookie(&host, SESSION), None, "{name}");
    }
    // Nothing else was wrong with them, and a group changes nothing here either.
    let say = |nonce: &str| {
        let (header, claims) = right(&forger, nonce);
        let claims = with(claims, &json!({"groups": ["commander"], "roles": ["admin"]}));
        forger.say(&header, &with(claims, &json!({"sub": "s-rosa"})), Seal::Published).unwrap();
    };
    assert_eq!(forged(&signed, &mut browser, say).status, 200);
    assert_eq!(signed.me(&mut browser).json()["everywhere"], json!(["read"]));
    // A token of an earlier way is of that way alone.
    assert_eq!(refusal(&forged(&signed, &mut browser, |_| ())), forbidden());
    let said = signed.served.as_ref().unwrap().running.stderr();
    assert!(said.contains("What the identity provider said was not believed"), "{said}");
}

#[test]
fn a_key_that_the_provider_took_back_is_dead() {
    let signed = Signed::new();
    let forger = Forger::start().unwrap();
    let signed = signed.staffed(&forger.issuer());
    let mut browser = Browser::default();
    let by = |seal| {
        let forger = &forger;
        move |nonce: &str| {
            let (header, claims) = right(forger, nonce);
            forger.say(&header, &claims, seal).unwrap();
        }
    };
    assert_eq!(forged(&signed, &mut browser, by(Seal::Published)).status, 200);
    forger.swap_keys().unwrap();
    let dead = wait_for("the old key to be forgotten", FORGOTTEN_WITHIN, || {
        let answer = forged(&signed, &mut browser, by(Seal::Published));
        pause(Duration::from_millis(500));
        Ok::<_, Trouble>((answer.status != 200).then_some(answer))
    });
    assert_eq!(refusal(&dead.unwrap()), forbidden());
    // Whoever has the identity provider has its keys, and still comes no further than who proves
    // nothing here.
    assert_eq!(forged(&signed, &mut browser, by(Seal::Unpublished)).status, 200);
    let on = signed.post(&browser, "/api/v1/go-on", &json!({"reason": "mine"}));
    assert_eq!(refusal(&on), (403, "prove-again".to_owned()));
}
