//! `http`: any service with an HTTP interface, within an allow list.
//!
//! Generic on purpose: it knows no product, so it can confirm nothing. What a status means is told
//! by the playbook (`expect`), what may be sent by the configuration (`allow`).

mod request;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use beistand_connector_api::{
    ActionName, Answer, BoxFuture, Call, CallError, Connector, ConnectorSpec, EffectClass, Offer,
    Probed, Reached, Schema, SchemaType, SecretReference, Span, Target, Value,
};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::json;

use self::request::{Wanted, class};
use crate::kit::{
    Allow, AllowEntry, Client, ClientSettings, Request, Response, Vault, action, judge,
    private_authority, secret_schema,
};
use crate::{Maker, Settings, SettingsError};

/// The registry's entry.
pub const MAKER: Maker = Maker {
    kind: "http",
    title: "Any HTTP service, within a list of allowed methods and URLs",
    settings,
    spec,
    build,
};

/// How long `connectors test` waits.
const HEALTH_TIMEOUT: Span = Span::from_secs(10);
/// Headers handed to the playbook; more is of no use to it.
const OUTPUT_HEADER_BYTES_MAX: usize = 16 * 1024;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// What may be sent.
    allow: Vec<AllowEntry>,
    /// Who we are.
    auth: Option<Auth>,
    /// A PEM file with the only authorities to trust.
    ca: Option<PathBuf>,
    /// Addresses of names, for when DNS is down or not to be trusted.
    #[serde(default)]
    addresses: BTreeMap<String, Vec<IpAddr>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Auth {
    Bearer(SecretReference),
    Basic { user: String, password: SecretReference },
    Header { name: String, value: SecretReference },
}

impl Auth {
    fn reference(&self) -> &SecretReference {
        match self {
            Self::Bearer(secret)
            | Self::Basic { password: secret, .. }
            | Self::Header { value: secret, .. } => secret,
        }
    }
}

fn settings() -> Schema {
    let text = Schema::string;
    let auth = Schema::object([
        ("bearer", secret_schema().optional()),
        ("basic", Schema::object([("user", text()), ("password", secret_schema())]).optional()),
        ("header", Schema::object([("name", text()), ("value", secret_schema())]).optional()),
    ]);
    let flag = Schema { default: Some(json!(false)), ..Schema::of(SchemaType::Boolean) };
    let entry = Schema::object([
        ("methods", Schema::array(text()).titled("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")),
        ("url", text().titled("The beginning of the URLs; the path by whole segments")),
        ("destructive", flag.titled("Gates, guard, limits and holds apply to these calls")),
    ]);
    Schema::object([
        ("allow", Schema::array(entry).titled("What may be sent")),
        ("auth", auth.optional().titled("One of bearer, basic, header")),
        ("ca", text().optional().titled("PEM file of the only authorities to trust")),
        (
            "addresses",
            Schema::of(SchemaType::Object).optional().titled("Addresses of names, instead of DNS"),
        ),
    ])
}

fn spec() -> ConnectorSpec {
    ConnectorSpec {
        kind: MAKER.kind.to_owned(),
        title: MAKER.title.to_owned(),
        source: "RFC 9110; the Idempotency-Key header of draft-ietf-httpapi-idempotency-key-header"
            .to_owned(),
        offers: vec![Offer {
            action: action("http.request"),
            class: EffectClass::Once,
            reach: Reached::Accepted,
            settle: Span::ZERO,
        }],
    }
}

fn build(settings: &Settings) -> Result<Arc<dyn Connector>, SettingsError> {
    let config: Config = settings.parse()?;
    let allow = Allow::new(config.allow)
        .map_err(|(index, message)| settings.error(&format!("allow[{index}]"), message))?;
    if allow.entries().is_empty() {
        return Err(settings
            .error("allow", "is empty: nothing could ever be sent")
            .hint("list methods and URLs, for example { methods: [GET], url: https://… }"));
    }
    if let Some(Auth::Header { name, .. }) = &config.auth
        && HeaderName::from_bytes(name.as_bytes()).is_err()
    {
        return Err(settings.error("auth.header.name", format!("`{name}` is no header's name")));
    }
    let authority = config
        .ca
        .as_deref()
        .map(private_authority)
        .transpose()
        .map_err(|message| settings.error("ca", message))?;
    let client = Client::new(ClientSettings { authority, addresses: config.addresses })
        .map_err(|message| settings.error("ca", message))?;
    Ok(Arc::new(Http {
        spec: spec(),
        allow,
        auth: config.auth,
        client,
        vault: Arc::clone(&settings.vault),
    }))
}

#[derive(Debug)]
struct Http {
    spec: ConnectorSpec,
    allow: Allow,
    auth: Option<Auth>,
    client: Client,
    vault: Arc<Vault>,
}

impl Http {
    async fn authorise(&self, headers: &mut HeaderMap) -> Result<(), CallError> {
        let Some(auth) = &self.auth else { return Ok(()) };
        let reference = auth.reference();
        let secret = self.vault.open(reference).await?;
        let (name, text) = match auth {
            Auth::Bearer(_) => (AUTHORIZATION, format!("Bearer {}", secret.expose())),
            Auth::Basic { user, .. } => {
                let pair = format!("{user}:{}", secret.expose());
                self.vault.also(&pair);
                let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
                (AUTHORIZATION, format!("Basic {encoded}"))
            }
            Auth::Header { name, .. } => {
                let name = HeaderName::from_bytes(name.as_bytes())
                    .map_err(|_| CallError::invalid(format!("`{name}` is no header's name")))?;
                (name, secret.expose().to_owned())
            }
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| {
            CallError::invalid(format!("the secret from {reference} does not fit into a header"))
        })?;
        value.set_sensitive(true);
        headers.insert(name, value);
        Ok(())
    }

    async fn send(&self, call: &Call) -> Result<Answer, CallError> {
        let mut wanted = Wanted::read(&call.arguments)?;
        let permitted = self.allow.permits(wanted.method.as_str(), &wanted.url);
        permitted.map_err(CallError::refused)?;
        wanted.identify(call.key, call.traceparent.as_deref())?;
        self.authorise(&mut wanted.headers).await?;
        let request = Request {
            method: wanted.method.clone(),
            url: wanted.url.clone(),
            headers: std::mem::take(&mut wanted.headers),
            body: wanted.body.take(),
            timeout: call.timeout,
        };
        let shown = format!("{request:?}");
        let response = self.client.send(request).await?;
        let secret = self.auth.as_ref().map(Auth::reference);
        let net = self.vault.net();
        judge(&shown, &response, |status| wanted.expects(status), secret, &net)?;
        let class = class(&call.arguments);
        Ok(Answer { output: output(&shown, response)?, reached: reach(class) })
    }

    async fn look(&self) -> Result<String, CallError> {
        let Some(entry) = self.allow.entries().first() else {
            return Err(CallError::invalid("nothing is allowed"));
        };
        let mut headers = HeaderMap::new();
        self.authorise(&mut headers).await?;
        let request = Request {
            method: Method::HEAD,
            url: entry.url.clone(),
            headers,
            body: None,
            timeout: HEALTH_TIMEOUT,
        };
        let shown = format!("{request:?}");
        let response = self.client.send(request).await?;
        let secret = self.auth.as_ref().map(Auth::reference);
        // Whether there is something at that very path does not matter; being let in does.
        let let_in = |status| status < 500 && ![401, 403].contains(&status);
        judge(&shown, &response, let_in, secret, &self.vault.net())?;
        Ok(format!("{shown} was answered with {}", response.status))
    }
}

/// A status says that a service took the order; only reading is done with its answer.
fn reach(class: EffectClass) -> Reached {
    match class {
        EffectClass::Read => Reached::Effective,
        EffectClass::Idempotent | EffectClass::Checkable | EffectClass::Once => Reached::Accepted,
    }
}

fn output(shown: &str, response: Response) -> Result<Value, CallError> {
    let status = response.status;
    let body = response.body.map_err(|trouble| {
        CallError::unknown(format!("{shown} was answered with {status}, but {trouble}"))
    })?;
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned()))
    };
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    let mut room = OUTPUT_HEADER_BYTES_MAX;
    for (name, value) in &response.headers {
        let text = String::from_utf8_lossy(value.as_bytes());
        // Cookies never reach the journal.
        if name.as_str().starts_with("set-cookie") || text.len() > room {
            continue;
        }
        room -= text.len();
        headers
            .entry(name.as_str().to_owned())
            .and_modify(|joined| {
                joined.push_str(", ");
                joined.push_str(&text);
            })
            .or_insert_with(|| text.clone().into_owned());
    }
    Ok(json!({ "status": status, "headers": headers, "body": body }))
}

impl Connector for Http {
    fn spec(&self) -> &ConnectorSpec {
        &self.spec
    }

    fn offer(&self, action: &ActionName, arguments: &Value) -> Option<Offer> {
        let class = class(arguments);
        self.spec.offer(action).map(|offer| Offer { class, reach: reach(class), ..offer.clone() })
    }

    fn destructive(&self, _: &ActionName, arguments: &Value) -> bool {
        let method = request::method(arguments);
        match request::url(arguments.get("url").unwrap_or(&Value::Null)) {
            Ok(url) => self.allow.permits(method, &url).unwrap_or(false),
            // Not known yet, or wrong: as bad as the worst this method may do.
            Err(_) => self
                .allow
                .entries()
                .iter()
                .any(|entry| entry.destructive && entry.methods.iter().any(|m| m == method)),
        }
    }

    fn goes_to(&self, _: &ActionName, _: &Value) -> Option<Target> {
        // A service acts on what the request names; it is not what the request is about.
        None
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Answer, CallError>> {
        Box::pin(self.send(call))
    }

    fn probe<'a>(&'a self, _: &'a Call) -> BoxFuture<'a, Probed> {
        Box::pin(async { Probed::Unknown })
    }

    fn health(&self) -> BoxFuture<'_, Result<String, CallError>> {
        Box::pin(self.look())
    }
}
