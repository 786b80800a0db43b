//! The section `single_sign_on`: the identity provider that people may log in at.

use std::path::{Path, PathBuf};

use beistand_connector_api::{Secret, SecretReference, Secrets as _};
use beistand_connectors::kit::private_authority;
use beistand_web::sso::{Settings, SingleSignOn, Unfit};
use serde::Deserialize;

use super::hooks::reference;
use super::secrets::Resolver;
use crate::modes::Fault;
use crate::provider::Asking;

/// An identity provider by OpenID Connect. Who may come in by it is said by
/// `beistand user sso`, and what they may do by their grants.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentityProvider {
    /// The address under which the identity provider names itself, letter by letter as it does.
    pub(crate) issuer: String,
    /// The name of this server there.
    pub(crate) client_id: String,
    /// Its secret there.
    #[serde(deserialize_with = "reference")]
    pub(crate) client_secret: SecretReference,
    /// The address under which people open this server, `https://lage.example:8443`. The identity
    /// provider sends them back to it, below `/api/v1/session/sso/return`.
    pub(crate) server: String,
    /// The only authorities that vouch for the identity provider, in PEM; those of the system where
    /// absent.
    pub(crate) ca: Option<PathBuf>,
}

impl IdentityProvider {
    /// Everything that is wrong with the section, but for a secret that can not be read here.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let settings = self.settings(Secret::new("")).map(drop);
        let parts = [settings, self.authority().map(drop)];
        parts.into_iter().filter_map(Result::err).collect()
    }

    /// Where people would be led to a name that the server does not go by, or that its passkeys are
    /// not for. Both sections name this server to browsers.
    pub(crate) fn other_name(&self, names: &[String]) -> Option<Fault> {
        let settings = self.settings(Secret::new("")).ok()?;
        let led_to = settings.server_name();
        // Passkeys are for a name, never for an address.
        let is_name = |name: &&String| name.parse::<std::net::IpAddr>().is_err();
        let first = names.iter().find(is_name).or_else(|| names.first())?;
        if first.eq_ignore_ascii_case(led_to) {
            return None;
        }
        let text = if names.iter().any(|name| name.eq_ignore_ascii_case(led_to)) {
            format!("people are led to `{led_to}`, and passkeys are for `{first}` alone")
        } else {
            format!("people are led to `{led_to}`, which `serve.name` does not know")
        };
        let hint = format!("put `{led_to}` first in `serve.name`, or lead people to `{first}`");
        Some(at("server", text).hint(hint))
    }

    /// Ready to be asked, with its secret, which is read once.
    pub(crate) fn made(&self) -> Result<SingleSignOn, Fault> {
        let secret = Resolver.read(&self.client_secret);
        let secret = secret.map_err(|error| at("client_secret", error.to_string()))?;
        let settings = self.settings(secret)?;
        let wire = Asking::new(self.authority()?).map_err(|text| at("ca", text))?;
        let mut bits = [0; 32];
        getrandom::fill(&mut bits)
            .map_err(|error| Fault::new("single_sign_on", format!("no randomness: {error}")))?;
        Ok(SingleSignOn::new(settings, Box::new(wire), bits))
    }

    fn settings(&self, secret: Secret) -> Result<Settings, Fault> {
        let made = Settings::new(&self.issuer, (&self.client_id, secret), &self.server);
        made.map_err(|unfit| {
            let text = unfit.to_string();
            match unfit {
                Unfit::Issuer(_) => at("issuer", text).hint(
                    "its `/.well-known/openid-configuration` says how it names itself; without TLS \
                     only on this very machine, by its address",
                ),
                Unfit::Server(_) => {
                    at("server", text).hint("for example https://lage.example:8443, and no path")
                }
                Unfit::Client => at("client_id", text),
            }
        })
    }

    fn authority(&self) -> Result<Option<Vec<u8>>, Fault> {
        let read = self.ca.as_deref().map(private_authority).transpose();
        read.map_err(|text| at("ca", text))
    }

    /// Paths in the file are relative to it.
    pub(super) fn relative_to(&mut self, folder: &Path) {
        if let Some(ca) = &mut self.ca {
            *ca = folder.join(&*ca);
        }
    }
}

fn at(field: &str, text: String) -> Fault {
    Fault::new(format!("single_sign_on.{field}"), text)
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn read(section: &str) -> Result<IdentityProvider, String> {
        let text = format!("single_sign_on: {section}\n");
        let config = Config::read(&text, Path::new("b.yaml"));
        config.map(|config| config.single_sign_on.unwrap()).map_err(|failure| failure.message)
    }

    #[test]
    fn a_server_goes_by_one_name_in_both_sections() {
        let section = "{ issuer: https://login.example, client_id: beistand, \
            client_secret: { env: X }, server: \"https://lage.example:8443\" }";
        let said = |names: &[&str], section: &str| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            read(section).unwrap().other_name(&names).map(|fault| fault.message)
        };
        assert_eq!(said(&[], section), None);
        assert_eq!(said(&["Lage.example", "10.0.0.5"], section), None);
        assert_eq!(said(&["10.0.0.5", "lage.example"], section), None);
        let by_address = section.replace("lage.example", "[2001:db8::1]");
        assert_eq!(said(&["2001:db8::1"], &by_address), None);
        assert!(said(&["beistand.example"], section).unwrap().contains("does not know"));
        let second = said(&["beistand.example", "lage.example"], section).unwrap();
        assert!(second.contains("passkeys are for `beistand.example`"), "{second}");
    }

    #[test]
    fn a_provider_is_named_whole_and_nothing_else_is_said_of_it() {
        let whole = "{ issuer: https://login.example, client_id: beistand, \
            client_secret: { env: X }, server: https://lage.example }";
        assert_eq!(read(whole).unwrap().faults().len(), 0);
        for (wrong, said) in [
            ("{ client_id: b, client_secret: { env: X }, server: https://l.example }", "issuer"),
            (&whole.replace("{ env: X }", "plain"), "plain"),
            (&whole.replace(" }, server", " }, roles: [commander], server"), "roles"),
        ] {
            let message = read(wrong).unwrap_err();
            assert!(message.contains(said), "{wrong}: {message}");
        }
        for (before, after, place) in [
            ("https://login.example", "http://login.example", "single_sign_on.issuer"),
            ("https://lage.example", "https://lage.example/app", "single_sign_on.server"),
            ("client_id: beistand", "client_id: ''", "single_sign_on.client_id"),
            (" }, server", " }, ca: /none.pem, server", "single_sign_on.ca"),
        ] {
            let faults = read(&whole.replace(before, after)).unwrap().faults();
            assert_eq!(faults.len(), 1, "{after}");
            assert_eq!(faults[0].path, place);
        }
    }
}
