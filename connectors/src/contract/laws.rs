//! The laws, each over all kinds. What differs from kind to kind stands in its exchanges.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Arc;

use beistand_connector_api::{
    Call, CallError, Catalogue, Connector, Inventory, Mode, Schema, Secret, SecretError,
    SecretReference, Secrets, Span, TargetKind, Value,
};
use serde_json::json;

use super::double::{Behaviour, Double};
use super::exchange::{Example, Exchanges, Server, filled};
use super::{call, key, ssh_double};
use crate::kit::{Net, action};
use crate::{CONNECTORS, Maker, SettingsError, Surroundings, connect};

/// A password that occurs nowhere by chance.
const CANARY: &str = "canary-7Qx/+9ü\"zed";

#[derive(Debug)]
struct OneSecret(String);

impl Secrets for OneSecret {
    fn read(&self, reference: &SecretReference) -> Result<Secret, SecretError> {
        assert_eq!(*reference, SecretReference::Env("CANARY".to_owned()));
        Ok(Secret::new(self.0.clone()))
    }
}

/// One kind with everything around it that a test needs.
struct Bench {
    maker: &'static Maker,
    exchanges: Exchanges,
    folder: tempfile::TempDir,
    secret: String,
}

impl Bench {
    fn of(maker: &'static Maker) -> Self {
        let exchanges = Exchanges::of(maker.kind);
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in &exchanges.files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let secret = match exchanges.server {
            Server::Ssh => ssh_double::client_key(),
            Server::None | Server::Http | Server::Smtp => CANARY.to_owned(),
        };
        Self { maker, exchanges, folder, secret }
    }

    fn all() -> impl Iterator<Item = Self> {
        CONNECTORS.iter().map(Self::of)
    }

    /// What `${…}` stands for with a double at this port.
    fn names(&self, port: u16, call: Option<&Call>) -> BTreeMap<String, String> {
        // Of a key file a service can at most echo a line.
        let echo = self.secret.lines().max_by_key(|line| line.len()).unwrap();
        let mut names = self.exchanges.recordings.clone();
        for (name, text) in [
            ("port", port.to_string()),
            ("address", format!("127.0.0.1:{port}")),
            ("folder", self.folder.path().display().to_string()),
            ("secret", echo.to_owned()),
            ("secret_json", json!(echo).to_string()),
            ("key", call.map(|call| call.key.to_string()).unwrap_or_default()),
        ] {
            names.insert(name.to_owned(), text);
        }
        names
    }

    fn settings(&self, port: u16) -> Value {
        // Added in one write, never replaced: several doubles run at once, and whoever reads the
        // file meanwhile finds every line that was there.
        let pins = self.folder.path().join("known_hosts");
        let mut pins = OpenOptions::new().create(true).append(true).open(pins).unwrap();
        pins.write_all(ssh_double::known_hosts(port).as_bytes()).unwrap();
        let mut settings = filled(&self.exchanges.settings, &self.names(port, None));
        settings["kind"] = json!(self.maker.kind);
        settings
    }

    fn connect(&self, settings: &Value) -> Result<Arc<dyn Connector>, SettingsError> {
        let around = Surroundings {
            secrets: Arc::new(OneSecret(self.secret.clone())),
            now: || "2026-11-21T02:00:00Z".parse_millis(),
        };
        connect(&"it".parse().unwrap(), settings, &around)
    }

    async fn double(&self, script: &Value, behaviour: Behaviour) -> Double {
        let script = filled(script, &self.names(0, None));
        Double::start(self.exchanges.server, script, behaviour).await
    }

    fn call(&self, example: &Example, port: u16) -> Call {
        let arguments = filled(&example.arguments, &self.names(port, None));
        let inventory = Inventory::of_names();
        let target = |address: &String| inventory.resolve(TargetKind::Host, address).unwrap();
        let targets = example.targets.iter().map(target).collect();
        Call { targets, ..call(&example.action, arguments) }
    }

    fn changing(&self) -> impl Iterator<Item = &Example> {
        self.exchanges.calls.iter().filter(|example| example.changes)
    }

    /// Fails where a text holds the secret in any form.
    fn clean(&self, text: &str) {
        let mut net = Net::default();
        net.add(&self.secret);
        assert_eq!(net.clean(text), text, "{}: a secret came back", self.maker.kind);
    }
}

trait ParseMillis {
    fn parse_millis(&self) -> beistand_connector_api::Millis;
}

impl ParseMillis for str {
    fn parse_millis(&self) -> beistand_connector_api::Millis {
        beistand_connector_api::Millis::parse(self).unwrap()
    }
}

#[test]
fn every_kind_is_well_formed_and_offers_only_what_the_catalogue_has() {
    let catalogue = Catalogue::first();
    let mut kinds = BTreeSet::new();
    for bench in Bench::all() {
        let spec = (bench.maker.spec)();
        assert_eq!(spec.kind, bench.maker.kind);
        assert!(kinds.insert(spec.kind.clone()), "{} stands there twice", spec.kind);
        assert!(
            spec.kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        );
        assert!(!spec.title.is_empty() && !spec.title.ends_with('.') && !spec.source.is_empty());
        for offer in &spec.offers {
            let known = catalogue.get(&offer.action);
            assert!(known.is_some(), "{}: {} is in no catalogue", spec.kind, offer.action);
            let shown = bench.exchanges.calls.iter().any(|c| c.action == offer.action.as_str());
            assert!(shown, "{}: no exchange shows {}", spec.kind, offer.action);
            if let Some(undo) = known.and_then(|known| known.undo.as_ref()) {
                let undone = spec.offers.iter().any(|offer| offer.action == undo.action);
                assert!(undone, "{}: nothing undoes {}", spec.kind, offer.action);
            }
        }
    }
}

#[test]
fn settings_are_as_their_schema_says_and_an_unknown_key_is_named() {
    for bench in Bench::all() {
        let kind = bench.maker.kind;
        let settings = bench.settings(9);
        let schema = (bench.maker.settings)();
        let mut without_kind = settings.clone();
        without_kind.as_object_mut().unwrap().remove("kind");
        assert_eq!(schema.problems(&without_kind), [], "{kind}");
        assert!(bench.connect(&settings).is_ok(), "{kind}: {:?}", bench.connect(&settings));
        let mut wrong = settings.clone();
        wrong["pasword"] = json!("x");
        let error = bench.connect(&wrong).unwrap_err();
        assert_eq!((error.connector.as_str(), error.key.as_str()), ("it", "pasword"), "{error}");
        assert!(!error.hint.is_empty());
        let described = schema.properties.unwrap();
        let (_, known) = error.message.split_once("expected ").unwrap();
        let known: BTreeSet<&str> = known.split('`').skip(1).step_by(2).collect();
        assert_eq!(known, described.keys().map(String::as_str).collect(), "{kind}");
        for name in described.keys() {
            let mut odd = settings.clone();
            odd[name] = json!([[true]]);
            let error = bench.connect(&odd).unwrap_err();
            assert!(
                !error.message.starts_with(&format!("unknown field `{name}`")),
                "{kind}: {name}: {error}"
            );
            assert!(error.key.starts_with(name.as_str()), "{kind}: {name}: {error}");
        }
    }
}

#[tokio::test]
async fn what_was_recorded_comes_out_and_fits_the_catalogue() {
    let catalogue = Catalogue::first();
    for bench in Bench::all() {
        for example in &bench.exchanges.calls {
            let double = bench.double(&example.exchange, Behaviour::Answers).await;
            let connector = bench.connect(&bench.settings(double.address.port())).unwrap();
            let call = bench.call(example, double.address.port());
            let answer = connector.call(&call).await;
            let answer = answer.unwrap_or_else(|error| {
                panic!("{} {}: {error}; {:?}", bench.maker.kind, example.action, double.heard())
            });
            assert_eq!(answer.output, filled(&example.output, &bench.names(0, Some(&call))));
            let spec = catalogue.get(&call.action).unwrap();
            assert_eq!(spec.output.problems(&answer.output), [], "{}", example.action);
            let offer = connector.offer(&call.action, &call.arguments).unwrap();
            assert_eq!(answer.reached, offer.reach, "{}", example.action);
            bench.clean(&answer.output.to_string());
        }
    }
}

#[tokio::test]
async fn the_same_key_twice_is_one_change_to_the_service() {
    for bench in Bench::all() {
        for example in bench.changing() {
            let double = bench.double(&example.exchange, Behaviour::Answers).await;
            let connector = bench.connect(&bench.settings(double.address.port())).unwrap();
            let mut call = bench.call(example, double.address.port());
            for digit in ['a', 'a', 'b'] {
                call.key = key(digit);
                connector.call(&call).await.unwrap();
            }
            let [first, second, other] = double.heard().try_into().unwrap();
            assert_eq!(first, second, "{} {}", bench.maker.kind, example.action);
            assert_eq!(first != other, bench.exchanges.keyed, "{first} and {other}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_unknown_never_unavailable() {
    let benches: Vec<Bench> = Bench::all().collect();
    let lost = |bench, example, behaviour| lost(bench, example, behaviour);
    let cases = benches.iter().flat_map(|bench| {
        bench.changing().flat_map(move |example| {
            [Behaviour::Stalls, Behaviour::HangsUp].map(|how| lost(bench, example, how))
        })
    });
    futures_util::future::join_all(cases).await;
}

async fn lost(bench: &Bench, example: &Example, behaviour: Behaviour) {
    let double = bench.double(&example.exchange, behaviour).await;
    let connector = bench.connect(&bench.settings(double.address.port())).unwrap();
    let mut call = bench.call(example, double.address.port());
    call.timeout = Span::from_secs(3);
    let error = connector.call(&call).await.unwrap_err();
    let unknown = matches!(error, CallError::Unknown { .. });
    assert!(unknown, "{} {behaviour:?}: {error:?}", example.action);
    assert_eq!(double.heard().len(), 1, "it was asked once");
    bench.clean(&format!("{error:?}"));
}

#[tokio::test]
async fn a_refused_connection_is_unavailable() {
    // Nobody listens where somebody just did.
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for bench in Bench::all().filter(|bench| bench.exchanges.server != Server::None) {
        let connector = bench.connect(&bench.settings(port)).unwrap();
        for example in &bench.exchanges.calls {
            let error = connector.call(&bench.call(example, port)).await.unwrap_err();
            assert!(matches!(error, CallError::Unavailable { .. }), "{error:?}");
        }
        let error = connector.health().await.unwrap_err();
        assert!(matches!(error, CallError::Unavailable { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_wrong_secret_is_named_by_its_reference_and_never_by_its_value() {
    for bench in Bench::all() {
        let Some(denied) = &bench.exchanges.denied else { continue };
        let double = bench.double(denied, Behaviour::ShutsOut).await;
        let connector = bench.connect(&bench.settings(double.address.port())).unwrap();
        let example = bench.changing().next().unwrap();
        let call = bench.call(example, double.address.port());
        let error = connector.call(&call).await.unwrap_err();
        assert!(matches!(error, CallError::Refused { .. }), "{error:?}");
        assert!(error.to_string().contains("environment variable CANARY"), "{error}");
        bench.clean(&format!("{error:?} {connector:?}"));
    }
}

#[tokio::test]
async fn health_looks_and_changes_nothing() {
    for bench in Bench::all() {
        let script = bench.exchanges.health.clone().unwrap_or_default();
        let double = bench.double(&script, Behaviour::Answers).await;
        let connector = bench.connect(&bench.settings(double.address.port())).unwrap();
        let said = connector.health().await;
        let said = said.unwrap_or_else(|error| panic!("{error}; {:?}", double.heard()));
        bench.clean(&said);
        let changed = double.heard().iter().any(|heard| !heard.starts_with("HEAD "));
        assert!(!changed, "{:?}", double.heard());
    }
}

#[tokio::test]
async fn what_must_not_be_sent_never_reaches_the_service() {
    for bench in Bench::all() {
        let example = &bench.exchanges.calls[0];
        let double = bench.double(&example.exchange, Behaviour::Answers).await;
        let connector = bench.connect(&bench.settings(double.address.port())).unwrap();
        let good = bench.call(example, double.address.port());
        let mut of_a_drill = good.clone();
        of_a_drill.mode = Mode::Drill;
        let mut not_offered = good.clone();
        not_offered.action = action("vm.list");
        let mut unknown_argument = good.clone();
        unknown_argument.arguments["hosst"] = json!("pc-1");
        for call in [of_a_drill, not_offered, unknown_argument] {
            let error = connector.call(&call).await.unwrap_err();
            assert!(matches!(error, CallError::Invalid { .. }), "{error:?}");
        }
        assert_eq!(double.heard(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_the_configuration_calls_destructive_needs_targets() {
    for bench in Bench::all() {
        for example in &bench.exchanges.calls {
            let double = bench.double(&example.exchange, Behaviour::Answers).await;
            let connector = bench.connect(&bench.settings(double.address.port())).unwrap();
            let mut call = bench.call(example, double.address.port());
            if !connector.destructive(&call.action, &call.arguments) {
                continue;
            }
            let mut unnamed = call.clone();
            unnamed.arguments.as_object_mut().unwrap().remove("targets");
            let error = connector.call(&unnamed).await.unwrap_err();
            assert!(matches!(error, CallError::Invalid { .. }), "{error:?}");
            call.targets.clear();
            let error = connector.call(&call).await.unwrap_err();
            assert!(matches!(error, CallError::Invalid { .. }), "{error:?}");
            assert_eq!(double.heard(), Vec::<String>::new());
            call.arguments["untargeted"] = json!(true);
            assert!(connector.call(&call).await.is_ok());
        }
    }
}

#[test]
fn every_text_of_a_settings_schema_says_what_it_is_for() {
    fn look(schema: &Schema, at: &str) {
        for (name, part) in schema.properties.iter().flatten() {
            let said = part.title.is_some()
                || ["host", "port", "user", "key", "name", "password"].contains(&name.as_str());
            assert!(said || part.properties.is_some() || part.kind.is_none(), "{at}.{name}");
        }
    }
    for maker in CONNECTORS {
        look(&(maker.settings)(), maker.kind);
    }
}
