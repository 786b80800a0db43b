//! `smtp`: mail through a relay (RFC 5321), by STARTTLS or TLS; in the clear only on this machine.
//!
//! The conversation is led step by step, because what a lost connection means depends on where it
//! was lost: before the text was handed over nothing was sent, after it nobody knows. A mail sent
//! again has the same Message-ID, so readers and programs see that it is the same.

mod message;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use beistand_connector_api::{
    ActionName, Answer, BoxFuture, Call, CallError, Connector, ConnectorSpec, EffectClass, Format,
    Offer, Probed, Reached, Schema, SchemaType, SecretReference, Span, Target, Value,
};
use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use serde::Deserialize;
use serde_json::json;

use self::message::Letter;
use crate::kit::{
    Progress, Vault, action, forbidden, is_loopback_name, look_up, private_authority,
    secret_schema, within,
};
use crate::{Maker, Settings, SettingsError};

/// The registry's entry.
pub const MAKER: Maker =
    Maker { kind: "smtp", title: "Mail through a relay", settings, spec, build };

/// A relay that does not take a connection in this time is not there.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long `connectors test` waits.
const HEALTH_TIMEOUT: Span = Span::from_secs(15);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    host: String,
    port: Option<u16>,
    #[serde(default)]
    tls: Tls,
    from: String,
    /// The login's name; the sender's address where only a password is given.
    user: Option<String>,
    password: Option<SecretReference>,
    ca: Option<PathBuf>,
    /// The name said in EHLO.
    hello: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Tls {
    #[default]
    Starttls,
    Tls,
    None,
}

fn settings() -> Schema {
    let text = || Schema::string().optional();
    let tls =
        Schema { default: Some(json!("starttls")), ..Schema::one_of(&["starttls", "tls", "none"]) };
    let port = Schema {
        minimum: Some(1.0),
        maximum: Some(65535.0),
        ..Schema::of(SchemaType::Integer).optional()
    };
    Schema::object([
        ("host", Schema::string().titled("The relay")),
        ("port", port.titled("587 for starttls, 465 for tls, 25 for none")),
        ("tls", tls.titled("`none` only for a relay on this machine")),
        ("from", Schema::format(Format::Email).titled("The sender")),
        ("user", text().titled("The login's name, where it is not the sender")),
        ("password", secret_schema().optional()),
        ("ca", text().titled("PEM file of the only authorities to trust")),
        ("hello", text().titled("The name said in EHLO; the sender's domain by default")),
    ])
}

fn spec() -> ConnectorSpec {
    ConnectorSpec {
        kind: MAKER.kind.to_owned(),
        title: MAKER.title.to_owned(),
        source: "RFC 5321 section 4.2.5 (what 250 after the text means), RFC 3207, RFC 8314"
            .to_owned(),
        offers: vec![Offer {
            action: action("mail.send"),
            class: EffectClass::Once,
            // 250 says that the relay took it, not that anybody has it.
            reach: Reached::Accepted,
            settle: Span::ZERO,
        }],
    }
}

fn build(settings: &Settings) -> Result<Arc<dyn Connector>, SettingsError> {
    relay(settings, None)
}

/// The relay of a drill: every recipient is replaced by `only_to`, copies are dropped, and the
/// subject says that it is a drill.
///
/// # Errors
/// [`SettingsError`] with the key that is wrong.
pub(crate) fn build_for_drills(
    settings: &Settings,
    only_to: &str,
) -> Result<Arc<dyn Connector>, SettingsError> {
    let only_to = only_to.parse().map_err(|_| {
        settings.error("only_to", format!("`{}` is no mail address", only_to.escape_debug()))
    })?;
    relay(settings, Some(only_to))
}

fn relay(
    settings: &Settings,
    only_to: Option<Address>,
) -> Result<Arc<dyn Connector>, SettingsError> {
    let config: Config = settings.parse()?;
    let from: Address = config.from.parse().map_err(|_| {
        settings.error("from", format!("`{}` is no mail address", config.from.escape_debug()))
    })?;
    let local = is_loopback_name(&config.host)
        || config.host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    if config.tls == Tls::None && !local {
        return Err(settings
            .error("tls", "`none` would send mail, and a password, in the clear over the network")
            .hint("use `starttls` or `tls`, with `ca` for an authority of your own"));
    }
    let tls_parameters = match config.tls {
        Tls::None => None,
        Tls::Starttls | Tls::Tls => Some(tls_parameters(settings, &config)?),
    };
    let port = config.port.unwrap_or(match config.tls {
        Tls::Starttls => 587,
        Tls::Tls => 465,
        Tls::None => 25,
    });
    let hello = config.hello.clone().unwrap_or_else(|| from.domain().to_owned());
    let login = config.password.map(|password| Login {
        user: config.user.unwrap_or_else(|| config.from.clone()),
        password,
    });
    Ok(Arc::new(Smtp {
        spec: spec(),
        host: config.host,
        port,
        tls: config.tls,
        tls_parameters,
        hello: ClientId::Domain(hello),
        from,
        only_to,
        login,
        vault: Arc::clone(&settings.vault),
    }))
}

fn tls_parameters(settings: &Settings, config: &Config) -> Result<TlsParameters, SettingsError> {
    let mut builder = TlsParameters::builder(config.host.clone());
    if let Some(path) = &config.ca {
        let pem = private_authority(path).map_err(|message| settings.error("ca", message))?;
        let certificate = Certificate::from_pem(&pem)
            .map_err(|error| settings.error("ca", format!("can not be used: {error}")))?;
        builder =
            builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build().map_err(|error| settings.error("tls", error.to_string()))
}

#[derive(Debug)]
struct Login {
    user: String,
    password: SecretReference,
}

struct Smtp {
    spec: ConnectorSpec,
    host: String,
    port: u16,
    tls: Tls,
    tls_parameters: Option<TlsParameters>,
    hello: ClientId,
    from: Address,
    only_to: Option<Address>,
    login: Option<Login>,
    vault: Arc<Vault>,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Smtp({}:{})", self.host, self.port)
    }
}

impl Smtp {
    fn place(&self) -> String {
        format!("the relay {} port {}", self.host, self.port)
    }

    /// Connects, encrypts and logs in. Nothing was sent when this fails.
    async fn open(&self) -> Result<AsyncSmtpConnection, CallError> {
        let place = self.place();
        let failed = |what: &str, error: SmtpError| {
            CallError::unavailable(format!("{place}: {what}: {}", self.told(&error)))
        };
        let addresses = look_up(&self.host, self.port).await.map_err(CallError::unavailable)?;
        // A name whose meaning moved to this machine or a metadata service is not our relay.
        let literal = is_loopback_name(&self.host) || self.host.parse::<std::net::IpAddr>().is_ok();
        if let Some(why) = addresses.iter().find_map(|to| forbidden(to.ip())).filter(|_| !literal) {
            return Err(CallError::refused(format!("{place} leads to an address that is {why}")));
        }
        let wrapped = self.tls_parameters.clone().filter(|_| self.tls == Tls::Tls);
        let mut connection = AsyncSmtpConnection::connect_tokio1(
            addresses.as_slice(),
            Some(CONNECT_MAX),
            &self.hello,
            wrapped,
            None,
        )
        .await
        .map_err(|error| failed("no connection", error))?;
        if let Some(parameters) = self.tls_parameters.clone().filter(|_| self.tls == Tls::Starttls)
        {
            connection
                .starttls(parameters, &self.hello)
                .await
                .map_err(|error| failed("no STARTTLS", error))?;
        }
        if let Some(login) = &self.login {
            self.log_in(&mut connection, login).await?;
        }
        Ok(connection)
    }

    async fn log_in(
        &self,
        connection: &mut AsyncSmtpConnection,
        login: &Login,
    ) -> Result<(), CallError> {
        let password = self.vault.open(&login.password).await?;
        // The form in which AUTH PLAIN sends it, should the relay echo it.
        self.vault.also(&format!("\0{}\0{}", login.user, password.expose()));
        let credentials = Credentials::new(login.user.clone(), password.expose().to_owned());
        let place = self.place();
        match connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() || error.is_client() => {
                Err(CallError::refused(format!(
                    "{place} does not let `{}` in with the password from {}: {}",
                    login.user,
                    login.password,
                    self.told(&error)
                )))
            }
            Err(error) => {
                Err(CallError::unavailable(format!("{place}: no login: {}", self.told(&error))))
            }
        }
    }

    async fn send(&self, call: &Call, progress: &Progress) -> Result<Answer, CallError> {
        let letter = Letter::write(call, &self.from, self.only_to.as_ref())?;
        let mut connection = self.open().await?;
        let said = |what: &str, error: &SmtpError| self.answer(progress, what, error);
        connection
            .command(Mail::new(Some(self.from.clone()), vec![]))
            .await
            .map_err(|error| said("the sender", &error))?;
        // One refused recipient stops the mail for all: nobody is left out in silence.
        for recipient in &letter.recipients {
            connection
                .command(Rcpt::new(recipient.clone(), vec![]))
                .await
                .map_err(|error| said(&format!("the recipient {recipient}"), &error))?;
        }
        connection.command(Data).await.map_err(|error| said("the mail", &error))?;
        progress.sending();
        connection.message(&letter.text).await.map_err(|error| said("the text", &error))?;
        // It is accepted; what the relay makes of our goodbye changes nothing.
        drop(connection.quit().await);
        Ok(Answer {
            output: json!({ "message_id": letter.message_id }),
            reached: Reached::Accepted,
        })
    }

    /// What an error in the conversation means. A code is an answer, whenever it comes: 4xx is "not
    /// now", 5xx is "no" (RFC 5321 section 4.2.1). Anything else is a loss.
    fn answer(&self, progress: &Progress, what: &str, error: &SmtpError) -> CallError {
        let message = format!("{} did not take {what}: {}", self.place(), self.told(error));
        if error.is_permanent() {
            CallError::refused(message)
        } else if error.is_transient() {
            CallError::unavailable(message)
        } else {
            progress.lost(message)
        }
    }

    fn told(&self, error: &SmtpError) -> String {
        self.vault.net().excerpt(error.to_string().as_bytes(), 300)
    }

    async fn look(&self) -> Result<String, CallError> {
        let mut connection = self.open().await?;
        let encrypted = if connection.is_encrypted() { "encrypted" } else { "in the clear" };
        let named = connection.server_info().name().to_owned();
        drop(connection.quit().await);
        let login = match &self.login {
            Some(login) => format!(", `{}` is let in", login.user),
            None => ", no login is configured".to_owned(),
        };
        let named = self.vault.net().excerpt(named.as_bytes(), 100);
        Ok(format!("{} answers as {named}, {encrypted}{login}", self.place()))
    }
}

impl Connector for Smtp {
    fn spec(&self) -> &ConnectorSpec {
        &self.spec
    }

    fn offer(&self, action: &ActionName, _: &Value) -> Option<Offer> {
        self.spec.offer(action).cloned()
    }

    fn destructive(&self, _: &ActionName, _: &Value) -> bool {
        false
    }

    fn goes_to(&self, _: &ActionName, _: &Value) -> Option<Target> {
        None
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Answer, CallError>> {
        Box::pin(async move {
            let progress = Progress::default();
            let place = self.place();
            within(call.timeout, &progress, &place, self.send(call, &progress)).await
        })
    }

    fn probe<'a>(&'a self, _: &'a Call) -> BoxFuture<'a, Probed> {
        Box::pin(async { Probed::Unknown })
    }

    fn health(&self) -> BoxFuture<'_, Result<String, CallError>> {
        Box::pin(async {
            let place = self.place();
            within(HEALTH_TIMEOUT, &Progress::default(), &place, self.look()).await
        })
    }
}
