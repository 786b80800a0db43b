//! The drill simulator: it pretends to be a connector for every action of the catalogue.
//!
//! A type of its own, made from nothing but the catalogue: it holds no address, no secret and no
//! client, so an exercise can not reach the outside through it. Cases give it answers; whatever
//! they do not say succeeds with an output that fits the catalogue.

mod canned;
mod world;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use beistand_connector_api::{
    ActionName, Answer, BoxFuture, Call, CallError, Catalogue, Connector, ConnectorSpec,
    EffectClass, Offer, Probed, Reached, Span, Value,
};
use serde_json::json;

use self::canned::Desk;
pub use self::canned::{Canned, CannedError, Reply};
use self::world::World;
use crate::CONNECTORS;

/// Pretends to do everything and does nothing.
#[derive(Debug)]
pub struct Simulator {
    spec: ConnectorSpec,
    offers: BTreeMap<ActionName, Offer>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    desk: Desk,
    world: World,
}

impl Simulator {
    /// A simulator that answers as `canned` says, the first that matches, and otherwise succeeds.
    ///
    /// Classes are those of the shipped connectors, so that a drill behaves as the real thing
    /// would; what no shipped connector offers is `once`, but reading is `read`. An action with a
    /// canned probe is `checkable`.
    pub fn new(catalogue: &Catalogue, canned: Vec<Canned>) -> Self {
        let mut offers: BTreeMap<ActionName, Offer> = BTreeMap::new();
        for spec in catalogue.iter() {
            let shipped = CONNECTORS
                .iter()
                .find_map(|maker| (maker.spec)().offer(&spec.name).map(|offer| offer.class));
            let class = match shipped {
                _ if canned.iter().any(|one| one.call == spec.name && one.probe.is_some()) => {
                    EffectClass::Checkable
                }
                Some(class) => class,
                None if world::reads(&spec.name) => EffectClass::Read,
                None => EffectClass::Once,
            };
            let offer = Offer {
                action: spec.name.clone(),
                class,
                reach: reach(&spec.name),
                settle: Span::ZERO,
            };
            offers.insert(spec.name.clone(), offer);
        }
        let spec = ConnectorSpec {
            kind: "simulator".to_owned(),
            title: "Pretends, for exercises and cases".to_owned(),
            source: "the catalogue".to_owned(),
            offers: offers.values().cloned().collect(),
        };
        let inner = Inner { desk: Desk::new(canned), world: World::new(catalogue) };
        Self { spec, offers, inner: Mutex::new(inner) }
    }

    /// Lets `inventory.hosts` answer with these names: (name, organisation, groups).
    #[must_use]
    pub fn with_hosts(self, hosts: Vec<(String, Option<String>, Vec<String>)>) -> Self {
        self.lock().world.hosts = hosts;
        self
    }

    /// What happens to this call, without waiting: the plain form of [`Connector::call`].
    ///
    /// # Errors
    /// What a canned answer says; `Invalid` where the arguments do not fit.
    pub fn answer(&self, call: &Call) -> Result<Answer, CallError> {
        let reached = self
            .offer(&call.action, &call.arguments)
            .map_or(Reached::Accepted, |offer| offer.reach);
        let mut inner = self.lock();
        match inner.desk.take(call) {
            Some(Reply::Output(output)) => {
                inner.world.note(call);
                Ok(Answer { output, reached })
            }
            Some(Reply::Error(error)) => Err(error.made(&call.action)),
            Some(Reply::Crash) => Err(CallError::unknown("the case lets the engine die here")),
            None => inner.world.act(call).map(|output| Answer { output, reached }),
        }
    }

    /// Whether the next call like this one lets the engine die after its intent
    /// (`crash: after_intent`). It is then counted as used.
    pub fn crashes(&self, call: &Call) -> bool {
        self.lock().desk.take_crash(call)
    }

    fn probed(&self, call: &Call) -> Probed {
        let reach = reach(&call.action);
        let mut inner = self.lock();
        match inner.desk.probe(call) {
            Some(canned::Found::Done) => match inner.world.act(call) {
                Ok(output) => Probed::Done(Answer { output, reached: reach }),
                Err(_) => Probed::Unknown,
            },
            Some(canned::Found::NotDone) => Probed::NotDone,
            Some(canned::Found::Unknown) | None => Probed::Unknown,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // What a panic left behind is a pretended world: still as good as any.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message was taken by a relay at most; whatever has a state can be looked at again.
fn reach(action: &ActionName) -> Reached {
    match action.capability() {
        "mail" | "chat" | "sms" | "http" => Reached::Accepted,
        _ => Reached::Verified,
    }
}

impl Connector for Simulator {
    fn spec(&self) -> &ConnectorSpec {
        &self.spec
    }

    fn offer(&self, action: &ActionName, arguments: &Value) -> Option<Offer> {
        let offer = self.offers.get(action)?;
        let class = match action.as_str() {
            _ if offer.class == EffectClass::Checkable => EffectClass::Checkable,
            "http.request" => crate::http::class(arguments),
            "ssh.run" if arguments.get("idempotent") == Some(&json!(true)) => {
                EffectClass::Idempotent
            }
            _ => offer.class,
        };
        Some(Offer { class, ..offer.clone() })
    }

    fn destructive(&self, _: &ActionName, _: &Value) -> bool {
        false
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Answer, CallError>> {
        Box::pin(std::future::ready(self.answer(call)))
    }

    fn probe<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Probed> {
        Box::pin(std::future::ready(self.probed(call)))
    }

    fn health(&self) -> BoxFuture<'_, Result<String, CallError>> {
        Box::pin(std::future::ready(Ok("pretends".to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{call, example};

    fn simulator(canned: Value) -> Simulator {
        Simulator::new(&Catalogue::first(), serde_json::from_value(canned).unwrap())
    }

    #[test]
    fn every_action_succeeds_with_an_output_that_fits_the_catalogue() {
        let catalogue = Catalogue::first();
        let simulator = simulator(json!([]));
        for spec in catalogue.iter() {
            let arguments = example(&spec.arguments);
            assert_eq!(spec.arguments.problems(&arguments), [], "{}", spec.name);
            let answer = simulator.answer(&call(spec.name.as_str(), arguments)).unwrap();
            assert_eq!(spec.output.problems(&answer.output), [], "{}", spec.name);
            assert_eq!(answer.reached, simulator.offer(&spec.name, &json!({})).unwrap().reach);
        }
    }

    #[test]
    fn what_was_cut_is_seen_as_cut_until_it_is_joined_again() {
        let simulator = simulator(json!([]));
        let say = |action: &str, host: &str| {
            simulator.answer(&call(action, json!({ "host": host }))).unwrap().output["state"]
                .clone()
        };
        assert_eq!(say("network.state", "pc-1"), "open");
        assert_eq!(say("network.isolate", "pc-1"), "isolated");
        assert_eq!(say("network.state", "pc-1"), "isolated");
        assert_eq!(say("network.state", "pc-2"), "open");
        assert_eq!(say("endpoint.state", "pc-1"), "open");
        assert_eq!(say("network.release", "pc-1"), "open");
        assert_eq!(say("network.state", "pc-1"), "open");
    }

    #[test]
    fn the_first_answer_that_matches_wins_as_often_as_it_says() {
        let simulator = simulator(json!([
            { "call": "network.isolate", "where": { "host": "pc-2" }, "times": 2, "error": "unavailable" },
            { "call": "network.isolate", "where": { "host": "pc-3" }, "error": "unknown", "probe": "done" },
            { "call": "mail.send", "output": { "message_id": "<1@x>" } },
            { "call": "sms.send", "crash": "after_intent", "times": 1 },
        ]));
        let isolate = |host: &str| call("network.isolate", json!({ "host": host }));
        for _ in 0..2 {
            let error = simulator.answer(&isolate("pc-2")).unwrap_err();
            assert!(matches!(error, CallError::Unavailable { .. }));
        }
        assert!(simulator.answer(&isolate("pc-2")).is_ok());
        assert!(matches!(simulator.answer(&isolate("pc-3")), Err(CallError::Unknown { .. })));
        assert!(matches!(simulator.probed(&isolate("pc-3")), Probed::Done(_)));
        assert_eq!(
            simulator.offer(&isolate("x").action, &json!({})).unwrap().class,
            EffectClass::Checkable
        );
        let mail = call("mail.send", json!({}));
        assert_eq!(simulator.answer(&mail).unwrap().output, json!({ "message_id": "<1@x>" }));
        let sms = call("sms.send", json!({}));
        assert!(simulator.crashes(&sms));
        assert!(!simulator.crashes(&sms));
        assert!(simulator.answer(&sms).is_ok());
    }

    #[test]
    fn classes_are_those_of_the_real_thing() {
        let simulator = simulator(json!([]));
        let class = |action: &str, arguments: Value| {
            simulator.offer(&action.parse().unwrap(), &arguments).unwrap().class
        };
        assert_eq!(class("network.isolate", json!({})), EffectClass::Idempotent);
        assert_eq!(class("mail.send", json!({})), EffectClass::Once);
        assert_eq!(class("http.request", json!({ "method": "GET" })), EffectClass::Read);
        assert_eq!(class("http.request", json!({ "method": "POST" })), EffectClass::Once);
        assert_eq!(class("ssh.run", json!({ "idempotent": true })), EffectClass::Idempotent);
        assert_eq!(class("vm.disconnect", json!({})), EffectClass::Once);
        assert_eq!(class("directory.find", json!({})), EffectClass::Read);
    }

    #[test]
    fn a_case_that_says_two_things_at_once_is_refused() {
        for wrong in [
            json!([{ "call": "sms.send" }]),
            json!([{ "call": "sms.send", "output": {}, "error": "refused" }]),
            json!([{ "call": "sms.send", "output": {}, "probe": "done" }]),
            json!([{ "call": "sms.send", "error": "never" }]),
            json!([{ "call": "sms.send", "output": {}, "often": 1 }]),
        ] {
            assert!(serde_json::from_value::<Vec<Canned>>(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
