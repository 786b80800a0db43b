//! From a piece of configuration to a connector: the registry's entry, its settings, its errors.

use std::fmt;
use std::sync::Arc;

use beistand_connector_api::{
    Connector, ConnectorName, ConnectorSpec, Millis, Mode, Schema, Secrets, Value,
};
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::kit::{Fence, Vault};
use crate::{CONNECTORS, smtp};

/// One kind of connector: everything that the configuration, the documentation and the contract
/// tests need to know of it.
#[derive(Clone, Copy)]
pub struct Maker {
    /// The `kind` in the configuration: small letters, digits and hyphens.
    pub kind: &'static str,
    /// One sentence for people, without a full stop.
    pub title: &'static str,
    /// What may stand beside `kind` under `connectors.<name>`.
    pub settings: fn() -> Schema,
    /// What it can do, whatever the settings.
    pub spec: fn() -> ConnectorSpec,
    /// Makes one. Nothing is contacted, no secret is read.
    pub build: fn(&Settings) -> Result<Arc<dyn Connector>, SettingsError>,
}

impl fmt::Debug for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Maker({})", self.kind)
    }
}

/// What a connector may know of the world outside its settings.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Reads secrets.
    pub secrets: Arc<dyn Secrets>,
    /// The time, for deadlines that are written as an instant.
    pub now: fn() -> Millis,
}

/// The settings of one connector, as they stand in the file, without `kind`.
#[derive(Debug)]
pub struct Settings {
    /// The name under `connectors`.
    pub name: ConnectorName,
    /// What stands beside `kind`.
    pub value: Value,
    /// Reads secrets and remembers them for the net.
    pub vault: Arc<Vault>,
    /// The time.
    pub now: fn() -> Millis,
}

impl Settings {
    /// Reads the settings into the connector's own struct. An unknown key is an error.
    ///
    /// # Errors
    /// [`SettingsError`] with the key that is wrong.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, SettingsError> {
        serde_path_to_error::deserialize(self.value.clone()).map_err(|error| {
            let path = error.path().to_string();
            let message = error.into_inner().to_string();
            // serde names an unknown key in the message and its parent in the path.
            let unknown = message.strip_prefix("unknown field `").and_then(|m| m.split('`').next());
            let key = match (path.as_str(), unknown) {
                (".", Some(key)) => key.to_owned(),
                (parent, Some(key)) if !parent.ends_with(key) => format!("{parent}.{key}"),
                (path, _) => path.to_owned(),
            };
            self.error(&key, message)
        })
    }

    /// An error at one of its keys.
    pub fn error(&self, key: &str, message: impl Into<String>) -> SettingsError {
        SettingsError {
            connector: self.name.to_string(),
            key: key.to_owned(),
            message: message.into(),
            hint: "`beistand schema config` lists the keys of every kind".to_owned(),
        }
    }
}

/// What is wrong with a connector's settings.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("connectors.{connector}.{key}: {message}")]
pub struct SettingsError {
    /// The connector's name.
    pub connector: String,
    /// The key below it, dotted.
    pub key: String,
    /// What is wrong, without a full stop.
    pub message: String,
    /// The way out.
    pub hint: String,
}

impl SettingsError {
    /// The same with a better way out.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }
}

/// The maker of a kind.
pub fn maker(kind: &str) -> Option<&'static Maker> {
    CONNECTORS.iter().find(|maker| maker.kind == kind)
}

/// Makes the connector that stands under `connectors.<name>`, `kind` included, for live incidents.
///
/// # Errors
/// [`SettingsError`] with the key that is wrong.
pub fn connect(
    name: &ConnectorName,
    value: &Value,
    around: &Surroundings,
) -> Result<Arc<dyn Connector>, SettingsError> {
    let (maker, settings) = split(name, value, around)?;
    let vault = Arc::clone(&settings.vault);
    Ok(Arc::new(Fence::new((maker.build)(&settings)?, vault, Mode::Live)))
}

/// Makes the one connector of a drill that reaches the outside: the relay `value` (of kind `smtp`),
/// where every recipient is replaced by `only_to`. It refuses live calls.
///
/// # Errors
/// [`SettingsError`] with the key that is wrong; any other kind is refused.
pub fn drill_relay(
    name: &ConnectorName,
    value: &Value,
    only_to: &str,
    around: &Surroundings,
) -> Result<Arc<dyn Connector>, SettingsError> {
    let (maker, settings) = split(name, value, around)?;
    if maker.kind != smtp::MAKER.kind {
        return Err(settings
            .error("kind", format!("a drill may only mail, and this is `{}`", maker.kind))
            .hint("list a connector of kind `smtp` under `drill`"));
    }
    let vault = Arc::clone(&settings.vault);
    Ok(Arc::new(Fence::new(smtp::build_for_drills(&settings, only_to)?, vault, Mode::Drill)))
}

fn split(
    name: &ConnectorName,
    value: &Value,
    around: &Surroundings,
) -> Result<(&'static Maker, Settings), SettingsError> {
    let mut settings = Settings {
        name: name.clone(),
        value: value.clone(),
        vault: Arc::new(Vault::new(Arc::clone(&around.secrets))),
        now: around.now,
    };
    let kinds = || CONNECTORS.iter().map(|maker| maker.kind).collect::<Vec<_>>().join(", ");
    let Some(fields) = settings.value.as_object_mut() else {
        return Err(settings.error("", "must be an object with `kind` and its settings"));
    };
    let Some(Value::String(kind)) = fields.remove("kind") else {
        return Err(settings
            .error("kind", "is missing or no text")
            .hint(format!("one of: {}", kinds())));
    };
    match maker(&kind) {
        Some(maker) => Ok((maker, settings)),
        None => Err(settings
            .error("kind", format!("there is no connector of kind `{kind}`"))
            .hint(format!("one of: {}", kinds()))),
    }
}
