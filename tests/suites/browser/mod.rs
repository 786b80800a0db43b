//! The pages as a browser shows them.

mod at_once;
mod drill;
mod fresh;
mod house;
mod keyboard;
mod night;
mod pages;
mod passkey;
mod planted;
mod without;

use beistand_tests::browser::{Look, Scripts, Session};
use serde_json::Value;

use self::house::House;
use crate::desk::Desk;

#[test]
fn a_window_is_somebody_s_and_stays_so_when_the_server_was_killed_and_is_back() {
    let house = House::of(Desk::new());
    let me = house.url("/api/v1/me");
    let look = Look { scripts: Scripts::Off, ..Look::default() };
    let (cleo, rita) = (house.window("cleo", &look), house.window("rita", &look));
    let stranger = house.stranger(&look);
    let is = |session: &Session| {
        session.go(&me).unwrap();
        let said: Value = serde_json::from_str(&session.text("body").unwrap()).unwrap();
        said["person"].as_str().unwrap_or("nobody").to_owned()
    };
    assert_eq!([is(&cleo), is(&rita), is(&stranger)], ["cleo", "rita", "nobody"]);

    let (house, unreached) = house.while_dead(|| cleo.go(&me));
    assert!(unreached.unwrap_err().to_string().contains("ERR_CONNECTION_REFUSED"));
    assert_eq!(is(&cleo), "cleo");
    assert_eq!(cleo.requests_beyond(&house.origin()).unwrap(), []);
    assert!(house.desk.path("beistand.db").exists());
}
