//! The configuration `beistand.yaml`: one documented struct per concern; unknown keys are refused.
//!
//! Secrets are references; nothing in here reads one. File < environment < flag.

mod check;
mod hooks;
mod on_call;
mod schema;
mod secrets;
mod serve;
mod sso;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use beistand_core::model::{ConnectorName, Limits, Organisation, PolicyRule, Role};
use beistand_core::playbook::{Finding, Severity, SourceText};
use serde::Deserialize;
use serde_json::Value;

use crate::exit::{Exit, Failure, Outcome};

pub(crate) use check::{findings, without_account};
pub(crate) use hooks::{HookConfig, hooks};
pub(crate) use on_call::{OnCall, roster};
pub(crate) use schema::{config_schema, sample};
pub(crate) use secrets::{Resolver, variable};
pub(crate) use serve::{Serve, TlsFiles};
pub(crate) use sso::IdentityProvider;

/// All of `beistand.yaml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Who we are.
    pub(crate) provider: Provider,
    /// Where the store is: `sqlite:PATH` or `postgres://…`.
    pub(crate) store: Option<String>,
    /// Where the newest seal is kept, which shows that an older store was put in place. Without it
    /// beside a SQLite database; for PostgreSQL `DATABASE.witness` beside this file.
    pub(crate) witness: Option<PathBuf>,
    /// Folders with playbooks; the shipped ones come after them.
    pub(crate) playbooks: Vec<PathBuf>,
    /// CSV files: name, addresses, macs, organisation, groups.
    pub(crate) inventory: Vec<PathBuf>,
    /// Products by name; `kind` and the settings of that kind.
    pub(crate) connectors: BTreeMap<ConnectorName, Value>,
    /// Needed only where several connectors offer the same.
    pub(crate) bindings: Vec<BindingConfig>,
    /// What is never touched. Without it nothing destructive runs live.
    pub(crate) guard: Option<GuardConfig>,
    /// How many targets.
    pub(crate) limits: LimitsConfig,
    /// Gates beside those of the playbooks.
    pub(crate) policy: Vec<PolicyRule>,
    /// Who is told when something is late.
    pub(crate) escalation: Escalation,
    /// Who is on call, and how they are called to what waits.
    pub(crate) on_call: OnCall,
    /// What may leave in a drill.
    pub(crate) drill: BTreeMap<ConnectorName, DrillConfig>,
    /// Where traces go.
    pub(crate) telemetry: Telemetry,
    /// The server.
    pub(crate) serve: Serve,
    /// The identity provider that people may log in at.
    pub(crate) single_sign_on: Option<IdentityProvider>,
    /// Who outside may send alerts, by the name in the path.
    pub(crate) hooks: BTreeMap<String, HookConfig>,
}

/// Who we are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Provider {
    /// A domain-like id.
    pub(crate) id: String,
    /// Short name, part of incident numbers.
    pub(crate) short: String,
    /// Full name.
    pub(crate) name: String,
    /// The Land, two letters.
    pub(crate) land: Option<String>,
    /// Legal form.
    pub(crate) legal_form: Option<String>,
}

impl Default for Provider {
    fn default() -> Self {
        Self {
            id: "provider.example".to_owned(),
            short: "IT".to_owned(),
            name: "IT provider".to_owned(),
            land: None,
            legal_form: None,
        }
    }
}

/// Which connector does what.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BindingConfig {
    /// The capability.
    pub(crate) capability: String,
    /// Only for this slot of playbooks.
    #[serde(default)]
    pub(crate) slot: Option<String>,
    /// Only for targets of this organisation.
    #[serde(default)]
    pub(crate) organisation: Option<Organisation>,
    /// Only for targets in this range of addresses.
    #[serde(default)]
    pub(crate) range: Option<String>,
    /// Who does it.
    pub(crate) connector: ConnectorName,
}

/// What is never touched.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GuardConfig {
    /// Names, addresses, ranges, MACs.
    pub(crate) never: Vec<String>,
}

/// How many distinct targets.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_field_names, reason = "the words of the file")]
pub(crate) struct LimitsConfig {
    /// By one run.
    pub(crate) targets_per_run: Option<u32>,
    /// By all runs within an hour.
    pub(crate) targets_per_hour: Option<u32>,
    /// Of one organisation, within an hour.
    pub(crate) targets_per_organisation: Option<u32>,
}

impl From<LimitsConfig> for Limits {
    fn from(limits: LimitsConfig) -> Self {
        Self {
            targets_per_run: limits.targets_per_run,
            targets_per_hour: limits.targets_per_hour,
            targets_per_organisation: limits.targets_per_organisation,
        }
    }
}

/// Who is told when something is late.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Escalation {
    /// The role.
    pub(crate) role: Role,
}

impl Default for Escalation {
    fn default() -> Self {
        Self { role: Role::Deputy }
    }
}

/// Mail of a drill: the one thing that may leave in it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DrillConfig {
    /// Every recipient is replaced by this address.
    pub(crate) only_to: String,
}

/// Where traces go.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Telemetry {
    /// An OTLP/HTTP collector, like `http://127.0.0.1:4318`. Off where absent.
    pub(crate) otlp: Option<String>,
}

/// Where the configuration is looked for when none is named.
const PLACES: [&str; 2] = ["beistand.yaml", "/etc/beistand/beistand.yaml"];

impl Config {
    /// Reads the named file, or the first of the usual places; none is fine.
    pub(crate) fn load(named: Option<&Path>) -> Outcome<(Self, Option<PathBuf>)> {
        let file = match named {
            Some(file) => Some(file.to_owned()),
            None => PLACES.iter().map(PathBuf::from).find(|file| file.exists()),
        };
        let Some(file) = file else { return Ok((Self::default(), None)) };
        let text = std::fs::read_to_string(&file).map_err(|error| {
            let missing = error.kind() == std::io::ErrorKind::NotFound;
            let exit = if missing { Exit::NotFound } else { Exit::Check };
            Failure::new(exit, format!("could not read `{}`: {error}", file.display()))
        })?;
        let mut config = Self::read(&text, &file)?;
        config.relative_to(file.parent().unwrap_or_else(|| Path::new(".")));
        Ok((config, Some(file)))
    }

    pub(crate) fn read(text: &str, file: &Path) -> Outcome<Self> {
        let deserializer = serde_yaml::Deserializer::from_str(text);
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            let path = error.path().to_string();
            let inner = error.into_inner();
            let place = inner
                .location()
                .map_or(String::new(), |at| format!(":{}:{}", at.line(), at.column()));
            let at = if path == "." { String::new() } else { format!(" (at `{path}`)") };
            let hint = "`beistand schema config` lists every key";
            let failure =
                Failure::new(Exit::Check, format!("{}{place}: {inner}{at}", file.display()))
                    .hint(hint);
            let Some(location) = inner.location() else { return failure };
            let said = inner.to_string();
            let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
            let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            let finding = Finding {
                file: file.display().to_string(),
                line: number(location.line()),
                column: number(location.column()),
                severity: Severity::Error,
                code: "config-shape".to_owned(),
                message: format!("{said}{at}"),
                hint: Some(hint.to_owned()),
            };
            let source = SourceText::new(finding.file.as_str(), text);
            failure.at(finding, source)
        })
    }

    /// Paths in the file are relative to it, wherever the program is started.
    fn relative_to(&mut self, folder: &Path) {
        let files = self.inventory.iter_mut().chain(&mut self.on_call.files);
        for path in self.playbooks.iter_mut().chain(files).chain(&mut self.witness) {
            *path = folder.join(&*path);
        }
        self.serve.relative_to(folder);
        if let Some(identity) = &mut self.single_sign_on {
            identity.relative_to(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_refused_with_its_place() {
        let failure = Config::read("guard:\n  neverr: [dc01]\n", Path::new("b.yaml")).unwrap_err();
        assert!(failure.message.starts_with("b.yaml:2:"), "{}", failure.message);
        assert!(failure.message.contains("neverr"));
        let (finding, source) = *failure.finding.unwrap();
        assert_eq!((finding.line, source.line(2)), (2, Some("  neverr: [dc01]")));
        assert!(!finding.message.contains("line 2"), "{}", finding.message);
    }

    #[test]
    fn the_sample_of_the_documentation_is_read() {
        let text = "provider: { id: sit.example, short: SIT, name: SIT Beispiel, land: NW, legal_form: zweckverband }
store: sqlite:/var/lib/beistand/beistand.db
playbooks: [./playbooks]
inventory: [hosts.csv]
connectors:
  core-router: { kind: nftables-ssh, host: 10.0.0.1 }
bindings:
  - { capability: network, organisation: stadt-a, connector: core-router }
guard: { never: [dc01, 10.0.0.0/29] }
limits: { targets_per_run: 500, targets_per_hour: 1000 }
policy: [ { actions: [network.isolate], above: 20, role: commander, votes: 2 } ]
escalation: { role: deputy }
on_call: { files: [on-call.csv], by: relay, telephone: +49 2761 12345, language: de }
drill: { relay: { only_to: uebung@example.org } }
serve: { listen: \"[::]:8443\", tls: { cert: lage.pem, key: lage.key }, trusted_proxies: [10.0.0.1] }
";
        let config = Config::read(text, Path::new("b.yaml")).unwrap();
        assert_eq!(config.provider.short, "SIT");
        assert_eq!(config.limits.targets_per_run, Some(500));
        assert_eq!(config.drill.len(), 1);
        assert_eq!(config.on_call.telephone.as_deref(), Some("+49 2761 12345"));
        assert_eq!(config.serve.address().unwrap().port(), 8443);
    }
}
