//! The drill simulator: it pretends to be a connector for every action of the catalogue.
//!
//! A type of its own, made from nothing but the catalogue: it holds no address, no secret and no
//! client, so a drill can not reach the outside through it. Cases give it answers; whatever
//! they do not say succeeds with an output that fits the catalogue.

mod canned;

use std::sync::{Mutex, MutexGuard, PoisonError};

use beistand_connector_api::{
    ActionName, Answer, BoxFuture, Call, CallError, Catalogue, Connector, ConnectorSpec,
    EffectClass, Inventory, Offer, Pretence, Probed, Reached, Span, Target, Value, pretended_class,
};

pub use self::canned::{Canned, CannedError, Reply};
use self::canned::{Desk, Found};
use crate::inventory;

/// Pretends to do everything and does nothing.
#[derive(Debug)]
pub struct Simulator {
    spec: ConnectorSpec,
    catalogue: Catalogue,
    /// Names of hosts are no addresses; a drill may list them.
    hosts: Option<Inventory>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    desk: Desk,
    pretence: Pretence,
}

impl Simulator {
    /// A simulator that answers as `canned` says, the first that matches, and otherwise succeeds
    /// as the catalogue's [`Pretence`] does. An action with a canned probe is `checkable`.
    pub fn new(catalogue: &Catalogue, canned: Vec<Canned>) -> Self {
        let desk = Desk::new(canned);
        let offers = catalogue.iter().map(|spec| Offer {
            action: spec.name.clone(),
            class: if desk.probes(&spec.name) {
                EffectClass::Checkable
            } else {
                pretended_class(catalogue, spec, &Value::Null)
            },
            reach: Reached::Verified,
            settle: Span::ZERO,
        });
        let spec = ConnectorSpec {
            kind: "simulator".to_owned(),
            title: "Pretends, for drills and cases".to_owned(),
            source: "the catalogue".to_owned(),
            offers: offers.collect(),
        };
        let inner = Mutex::new(Inner { desk, pretence: Pretence::default() });
        Self { spec, catalogue: catalogue.clone(), hosts: None, inner }
    }

    /// Lets `inventory.hosts` answer with the names of these hosts.
    #[must_use]
    pub fn with_hosts(self, hosts: Inventory) -> Self {
        Self { hosts: Some(hosts), ..self }
    }

    /// What happens to this call, without waiting: the plain form of [`Connector::call`].
    ///
    /// # Errors
    /// What a canned answer says; `Invalid` where the catalogue has no such action.
    pub fn answer(&self, call: &Call) -> Result<Answer, CallError> {
        let mut inner = self.lock();
        match inner.desk.take(call) {
            Some(Reply::Output(output)) => {
                // The world changes as it would have: a later look sees it.
                self.pretended(&mut inner, call)?;
                Ok(Answer { output, reached: Reached::Verified })
            }
            Some(Reply::Error(error)) => Err(error.made(&call.action)),
            Some(Reply::Crash) => Err(CallError::unknown("the case lets the engine die here")),
            None => self.pretended(&mut inner, call),
        }
    }

    fn pretended(&self, inner: &mut Inner, call: &Call) -> Result<Answer, CallError> {
        let spec = self.catalogue.get(&call.action).ok_or_else(|| {
            CallError::invalid(format!("`{}` is not in the catalogue", call.action))
        })?;
        let output = match (&self.hosts, call.action.as_str()) {
            (Some(hosts), "inventory.hosts") => inventory::list(hosts, &call.arguments),
            _ => inner.pretence.output(&self.catalogue, spec, &call.arguments, &call.targets),
        };
        Ok(Answer { output, reached: Reached::Verified })
    }

    /// Whether the next call like this one lets the engine die after its intent
    /// (`crash: after_intent`). It is then counted as used.
    pub fn crashes(&self, call: &Call) -> bool {
        self.lock().desk.take_crash(call)
    }

    fn probed(&self, call: &Call) -> Probed {
        let mut inner = self.lock();
        match inner.desk.probe(call) {
            Some(Found::Done) => {
                self.pretended(&mut inner, call).map_or(Probed::Unknown, Probed::Done)
            }
            Some(Found::NotDone) => Probed::NotDone,
            Some(Found::Unknown) | None => Probed::Unknown,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // What a panic left behind is a pretended world: still as good as any.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connector for Simulator {
    fn spec(&self) -> &ConnectorSpec {
        &self.spec
    }

    fn offer(&self, action: &ActionName, arguments: &Value) -> Option<Offer> {
        let offer = self.spec.offer(action)?;
        let class = match offer.class {
            EffectClass::Checkable => EffectClass::Checkable,
            EffectClass::Read | EffectClass::Idempotent | EffectClass::Once => {
                pretended_class(&self.catalogue, self.catalogue.get(action)?, arguments)
            }
        };
        Some(Offer { class, ..offer.clone() })
    }

    fn destructive(&self, _: &ActionName, _: &Value) -> bool {
        false
    }

    fn goes_to(&self, _: &ActionName, _: &Value) -> Option<Target> {
        None
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
    use crate::CONNECTORS;
    use crate::contract::{call, example};
    use serde_json::json;

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
            { "call": "sms.send", "crash": "after_intent" },
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
    fn classes_are_those_of_the_shipped_connectors() {
        let simulator = simulator(json!([]));
        for maker in CONNECTORS {
            for offer in (maker.spec)().offers {
                let class = simulator.offer(&offer.action, &json!({})).unwrap().class;
                assert_eq!(class, offer.class, "{}", offer.action);
            }
        }
        let class = |action: &str, arguments: Value| {
            simulator.offer(&action.parse().unwrap(), &arguments).unwrap().class
        };
        assert_eq!(class("http.request", json!({ "method": "GET" })), EffectClass::Read);
        assert_eq!(class("http.request", json!({ "method": "POST" })), EffectClass::Once);
        assert_eq!(class("ssh.run", json!({ "idempotent": true })), EffectClass::Idempotent);
    }

    #[test]
    fn a_drill_lists_the_hosts_there_are() {
        let hosts = inventory::read("f.csv", b"name,groups\npc-1,a\npc-2,b\n").unwrap();
        let simulator = simulator(json!([])).with_hosts(Inventory::new(hosts).unwrap());
        let answer = simulator.answer(&call("inventory.hosts", json!({ "group": "b" }))).unwrap();
        assert_eq!(answer.output, json!({ "hosts": ["pc-2"] }));
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
