//! `config check`: everything that is wrong with the configuration at once, each with its place.
//!
//! Verbs that work stop at the first fault; this looks at all, and at what they would only meet on
//! the wire: keys, certificates, secrets, and guarded names that nobody is called.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use beistand_connector_api::SecretReference;
use beistand_core::model::{Catalogue, GuardIdentity, Inventory, TargetKind};
use beistand_core::playbook::{Finding, Places, Severity, SourceText};
use beistand_journal::{Reader, StoreError};
use beistand_runtime::{Clock as _, WallClock};
use serde_json::Value;

use super::Config;
use super::secrets::{SECRET_BYTES_MAX, variable};
use crate::modes::{
    Fault, all_connectors, bindings, guard_faults, inventory_of, policy_faults, relays,
};

/// What others may not do with the file of a secret: read or write it (chmod(2)).
const OTHERS: u32 = 0o006;

/// All findings about a configuration that could be read, by place.
pub(crate) fn findings(config: &Config, source: &SourceText) -> Vec<Finding> {
    let mut all = Gathered { places: Places::of(source), file: source.name(), found: Vec::new() };
    all.errors("config-connector", all_connectors(config).1);
    all.errors("config-binding", bindings(config).1);
    all.errors("config-policy", policy_faults(config, &Catalogue::first()));
    all.errors("config-guard", guard_faults(config));
    all.errors("config-drill", relays(config).1);
    all.errors("config-on-call", config.on_call.faults(config));
    all.errors("config-serve", config.serve.faults(WallClock.now()));
    if let Some(identity) = &config.single_sign_on {
        all.errors("config-single-sign-on", identity.faults());
        if let Some(fault) = identity.other_name(&config.serve.name) {
            all.add(Severity::Warning, "config-single-sign-on", fault);
        }
        all.secret("single_sign_on.client_secret", &identity.client_secret);
    }
    all.errors("config-hook", super::hooks::faults(&config.hooks));
    for (name, hook) in &config.hooks {
        all.secret(&format!("hooks.{name}.secret"), &hook.secret);
    }
    for (name, value) in &config.connectors {
        all.files(&format!("connectors.{name}"), value);
    }
    match inventory_of(config) {
        Ok(hosts) => all.guard(config, &hosts),
        Err(failure) => {
            all.errors("config-inventory", vec![Fault::new("inventory", failure.message)]);
        }
    }
    all.found.sort();
    all.found.dedup();
    all.found
}

/// Who is on call and has no account in the store, where there is one: they would be called and could
/// answer nothing.
pub(crate) async fn without_account(
    config: &Config,
    source: &SourceText,
    reader: &Reader,
) -> Result<Vec<Finding>, StoreError> {
    let mut all = Gathered { places: Places::of(source), file: source.name(), found: Vec::new() };
    for sentence in config.on_call.without_account(reader).await? {
        let hint = "`beistand user list` says who has one; `beistand user add` makes another";
        let fault = Fault::new("on_call.files", sentence).hint(hint);
        all.add(Severity::Warning, "config-on-call", fault);
    }
    Ok(all.found)
}

struct Gathered<'s> {
    places: Places,
    file: &'s str,
    found: Vec<Finding>,
}

impl Gathered<'_> {
    fn add(&mut self, severity: Severity, code: &str, fault: Fault) {
        let place = self.places.at(&fault.path);
        self.found.push(Finding {
            file: self.file.to_owned(),
            line: place.line,
            column: place.column,
            severity,
            code: code.to_owned(),
            message: format!("`{}`: {}", fault.path, fault.message),
            hint: fault.hint,
        });
    }

    fn errors(&mut self, code: &str, faults: Vec<Fault>) {
        for fault in faults {
            self.add(Severity::Error, code, fault);
        }
    }

    /// Files and secrets that a connector's settings name, wherever they stand.
    fn files(&mut self, path: &str, value: &Value) {
        if let Ok(reference) = serde_json::from_value::<SecretReference>(value.clone()) {
            return self.secret(path, &reference);
        }
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.files(&format!("{path}.{name}"), value);
                }
                // The authorities of `ca` were read when the connector was made.
                if let Some(Value::String(file)) = fields.get("known_hosts")
                    && let Err(why) = std::fs::File::open(file)
                {
                    let fault = Fault::new(format!("{path}.known_hosts"), unread(file, &why));
                    let hint = "`ssh-keyscan` writes one; compare it with the device's own key";
                    self.add(Severity::Error, "config-file", fault.hint(hint));
                }
            }
            Value::Array(items) => {
                for (item, number) in items.iter().zip(0..) {
                    self.files(&format!("{path}[{number}]"), item);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn secret(&mut self, path: &str, reference: &SecretReference) {
        let (severity, fault) = match reference {
            SecretReference::File(file) => {
                let Err(fault) = secret_file(&format!("{path}.file"), file) else { return };
                (Severity::Error, fault)
            }
            // Another process may well have them: the service has an environment of its own.
            SecretReference::Env(name) => {
                if variable(name).is_some() {
                    return;
                }
                let text = format!("the variable {name} is not set here");
                let hint = "set it where the program is started that drives runs";
                (Severity::Warning, Fault::new(format!("{path}.env"), text).hint(hint))
            }
            SecretReference::Credential(name) => {
                let place = format!("{path}.credential");
                let Some(folder) = variable("CREDENTIALS_DIRECTORY") else {
                    let text = "no service manager hands over credentials here";
                    let hint = format!("`LoadCredential={name}:…` in the unit; look again there");
                    let fault = Fault::new(place, text).hint(hint);
                    return self.add(Severity::Warning, "config-secret", fault);
                };
                let file = Path::new(&folder).join(name);
                let Err(fault) = secret_file(&place, &file.display().to_string()) else { return };
                (Severity::Error, fault)
            }
        };
        self.add(severity, "config-secret", fault);
    }

    /// A guarded name that no host has guards no address: a slip of the pen leaves a host open.
    fn guard(&mut self, config: &Config, hosts: &Inventory) {
        if config.guard.as_ref().is_some_and(|guard| guard.never.is_empty()) {
            let fault = Fault::new("guard.never", "it is empty: nothing of yours is guarded");
            let hint = "name what must never be cut off: domain controllers, backup, firewalls";
            self.add(Severity::Warning, "config-guard", fault.hint(hint));
        }
        if hosts.hosts().is_empty() {
            return;
        }
        let never = config.guard.iter().flat_map(|guard| &guard.never);
        for (text, number) in never.zip(0..) {
            if !GuardIdentity::is_meant(text) {
                continue;
            }
            let names = GuardIdentity::from_text(text).names;
            let unknown = |name: &String| hosts.resolve(TargetKind::Host, name).is_err();
            if names.iter().any(unknown) {
                let what = format!("the inventory knows no `{text}`: it is guarded by name alone");
                let fault = Fault::new(format!("guard.never[{number}]"), what);
                let hint = "`beistand inventory list` shows what hosts are called";
                self.add(Severity::Warning, "config-guard", fault.hint(hint));
            }
        }
    }
}

fn unread(file: &str, why: &std::io::Error) -> String {
    format!("could not read `{file}`: {why}")
}

/// Whether a file can be a secret that only its owner knows.
fn secret_file(path: &str, file: &str) -> Result<(), Fault> {
    let fault = |text: String| Fault::new(path, text);
    let open = std::fs::File::open(file).and_then(|open| open.metadata());
    let about = open.map_err(|why| fault(unread(file, &why)))?;
    if !about.is_file() {
        return Err(fault(format!("`{file}` is no file")));
    }
    if about.len() == 0 || about.len() > SECRET_BYTES_MAX {
        let text = format!("`{file}` has {} bytes, which is no secret", about.len());
        return Err(fault(text).hint(format!("1 to {SECRET_BYTES_MAX} bytes are one")));
    }
    if about.mode() & OTHERS != 0 {
        let text = format!("everybody on this machine may read or change `{file}`");
        return Err(fault(text).hint(format!("chmod 600 {file}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn everything_is_found_at_once_and_each_has_its_place() {
        let folder = std::env::temp_dir().join(format!("beistand-check-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let at = |name: &str| folder.join(name).display().to_string();
        for (name, text, mode) in
            [("open", "secret", 0o644), ("kept", "secret", 0o600), ("empty", "", 0o600)]
        {
            std::fs::write(at(name), text).unwrap();
            std::fs::set_permissions(at(name), std::fs::Permissions::from_mode(mode)).unwrap();
        }
        std::fs::write(at("hosts.csv"), "name,addresses\ndc01,192.0.2.1\n").unwrap();
        let ssh = |key: &str, known: &str| {
            format!(
                "{{ kind: ssh, user: b, hosts: {{ pc-1: {{ address: 192.0.2.7 }} }}, \
                 commands: [{{ command: [id] }}], key: {{ file: {} }}, known_hosts: {} }}",
                at(key),
                at(known)
            )
        };
        let text = format!(
            "inventory: [{}]\nconnectors:\n  a: {}\n  b: {}\n  c: {}\n  d: {}\n  e: {{ kind: nonsense }}\n\
             bindings:\n  - {{ capability: ssh, connector: a }}\n  - {{ capability: mail, connector: nobody }}\n\
             guard: {{ never: [dc01, dc02, 10.0.0.0/29, 10.0.0.0/99] }}\n\
             policy: [ {{ actions: [network.isolat], role: commander, votes: 1 }} ]\n\
             drill: {{ relay: {{ only_to: a@example.org }} }}\n\
             on_call:\n  files: [{}]\n  by: a\n  telephone: ring\n\
             serve:\n  listen: everywhere\n  tls: {{ cert: {}, key: {} }}\n  trusted_proxies: [10.0.0.1, proxy]\n\
             single_sign_on:\n  issuer: http://login.example\n  client_id: beistand\n  client_secret: {{ file: {} }}\n  server: lage.example\n",
            at("hosts.csv"),
            ssh("open", "kept"),
            ssh("kept", "none"),
            ssh("none", "kept"),
            ssh("empty", "kept"),
            at("hosts.csv"),
            at("none"),
            at("kept"),
            at("none")
        );
        let config = Config::read(&text, Path::new("b.yaml")).unwrap();
        let found = findings(&config, &SourceText::new("b.yaml", text.as_str()));
        std::fs::remove_dir_all(&folder).unwrap();
        let told: Vec<(u32, &str, bool)> =
            found.iter().map(|f| (f.line, f.code.as_str(), f.is_error())).collect();
        let wanted = [
            (3, "config-secret", true),
            (4, "config-file", true),
            (5, "config-secret", true),
            (6, "config-secret", true),
            (7, "config-connector", true),
            (10, "config-binding", true),
            (11, "config-guard", false),
            (11, "config-guard", true),
            (12, "config-policy", true),
            (13, "config-drill", true),
            (15, "config-on-call", true),
            (16, "config-on-call", true),
            (17, "config-on-call", true),
            (19, "config-serve", true),
            (20, "config-serve", true),
            (21, "config-serve", true),
            (23, "config-single-sign-on", true),
            (25, "config-secret", true),
        ];
        assert_eq!(told, wanted, "{found:#?}");
        assert!(found.iter().all(|finding| finding.column > 1), "{found:#?}");
    }
}
