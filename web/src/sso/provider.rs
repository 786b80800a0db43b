//! Talking to the identity provider: what it publishes of itself, and a code for a token. It
//! decides nothing.
//!
//! Every address that the identity provider names is looked at before it is asked: TLS, or this
//! machine where the identity provider itself is on this machine.

use std::future::Future;
use std::pin::Pin;

use beistand_core::model::Millis;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreProviderMetadata,
};
use openidconnect::url::Url;
use openidconnect::{
    AsyncHttpClient, AuthType, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest,
    HttpResponse, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, TokenResponse as _,
};

use super::flow::{Flow, Key};
use super::verdict::{self, Expected};
use super::{Clock, Refused, Settings, is_safe};

/// A request to the identity provider.
#[derive(Debug, Clone)]
pub struct Question {
    /// The method.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// All headers.
    pub headers: Vec<(String, String)>,
    /// The body; empty where there is none.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// What the body says it is.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Nothing came back, and why; for the log.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreachable(pub String);

/// A reply on its way.
pub type Replied<'a> = Pin<Box<dyn Future<Output = Result<Reply, Unreachable>> + Send + 'a>>;

/// Asks over HTTP, within bounds of time and size, following nothing and keeping no cookies.
pub trait Wire: std::fmt::Debug + Send + Sync {
    /// One question.
    fn ask(&self, question: Question) -> Replied<'_>;
}

/// What the identity provider published of itself at a time.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) at: Millis,
    pub(super) metadata: CoreProviderMetadata,
}

/// The wire with the rule for addresses around it.
struct Guarded<'w> {
    wire: &'w dyn Wire,
    issuer: &'w Url,
}

impl<'c> AsyncHttpClient<'c> for Guarded<'_> {
    type Error = Unreachable;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Unreachable>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let url = parts.uri.to_string();
            if !url.parse().is_ok_and(|url| is_safe(&url, self.issuer)) {
                return Err(Unreachable(format!(
                    "the identity provider names {url}, which is not safe"
                )));
            }
            let text = |value: &axum::http::HeaderValue| {
                value.to_str().map(str::to_owned).map_err(|error| Unreachable(error.to_string()))
            };
            let headers =
                parts.headers.iter().map(|(name, value)| Ok((name.to_string(), text(value)?)));
            let headers = headers.collect::<Result<_, _>>()?;
            let question = Question { method: parts.method.to_string(), url, headers, body };
            let reply = self.wire.ask(question).await?;
            // What stands before an identity provider answers for one that is gone.
            if reply.status >= 500 {
                return Err(Unreachable(format!("it answers with status {}", reply.status)));
            }
            let mut response = axum::http::Response::builder().status(reply.status);
            if let Some(kind) = reply.content_type {
                response = response.header("content-type", kind);
            }
            response.body(reply.body).map_err(|error| Unreachable(error.to_string()))
        })
    }
}

/// What the identity provider publishes of itself now, with its keys.
///
/// # Errors
/// [`Refused::Gone`].
pub(super) async fn discovered(
    settings: &Settings,
    wire: &dyn Wire,
) -> Result<CoreProviderMetadata, Refused> {
    let guarded = Guarded { wire, issuer: &settings.issuer };
    let issuer = IssuerUrl::new(settings.issuer_text.clone()).map_err(gone)?;
    let metadata = CoreProviderMetadata::discover_async(issuer, &guarded).await.map_err(gone)?;
    if !is_safe(metadata.authorization_endpoint().url(), &settings.issuer) {
        return Err(gone(Unreachable(
            "the identity provider lets people log in without TLS".to_owned(),
        )));
    }
    Ok(metadata)
}

/// Where the browser goes to log in.
pub(super) fn address(
    settings: &Settings,
    known: &Published,
    (flow, key): (&Flow, &Key),
) -> String {
    let client = CoreClient::from_provider_metadata(
        known.metadata.clone(),
        ClientId::new(settings.client_id.clone()),
        None,
    )
    .set_redirect_uri(RedirectUrl::from_url(settings.way_back.clone()));
    let verifier = PkceCodeVerifier::new(flow.verifier(key));
    let (state, nonce) = (flow.state(key), flow.nonce(key));
    let (url, _, _) = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            || CsrfToken::new(state),
            || Nonce::new(nonce),
        )
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .url();
    url.into()
}

/// The subject that the identity provider vouches for.
///
/// # Errors
/// [`Refused::Gone`] where the identity provider does not answer as one; [`Refused::Unbelievable`]
/// where what it answers is not to be believed.
pub(super) async fn subject(
    settings: &Settings,
    (wire, known): (&dyn Wire, &Published),
    (flow, key): (&Flow, &Key),
    code: String,
    clock: Clock<'_>,
) -> Result<String, Refused> {
    let token = token(settings, (wire, known), (flow, key), code).await?;
    let expected = Expected {
        issuer: known.metadata.issuer().clone(),
        client: ClientId::new(settings.client_id.clone()),
        keys: known.metadata.jwks().clone(),
        nonce: Nonce::new(flow.nonce(key)),
    };
    verdict::subject(&token, &expected, clock())
        .map_err(|error| Refused::Unbelievable(error.into()))
}

/// The token for a code (RFC 6749, section 4.1.3; RFC 7636, section 4.5).
async fn token(
    settings: &Settings,
    (wire, known): (&dyn Wire, &Published),
    (flow, key): (&Flow, &Key),
    code: String,
) -> Result<CoreIdToken, Refused> {
    let guarded = Guarded { wire, issuer: &settings.issuer };
    let client = CoreClient::from_provider_metadata(
        known.metadata.clone(),
        ClientId::new(settings.client_id.clone()),
        Some(ClientSecret::new(settings.client_secret.expose().to_owned())),
    )
    .set_auth_type(shown_by(&known.metadata))
    .set_redirect_uri(RedirectUrl::from_url(settings.way_back.clone()));
    let request = client.exchange_code(AuthorizationCode::new(code)).map_err(gone)?;
    let request = request.set_pkce_verifier(PkceCodeVerifier::new(flow.verifier(key)));
    let answered = request.request_async(&guarded).await.map_err(|error| match error {
        RequestTokenError::ServerResponse(_) | RequestTokenError::Parse(..) => {
            Refused::Unbelievable(error.into())
        }
        RequestTokenError::Request(_) | RequestTokenError::Other(_) => gone(error),
    })?;
    let missing = || Refused::Unbelievable("there is no ID token in the answer".into());
    answered.id_token().cloned().ok_or_else(missing)
}

/// How this client shows its secret: as the standard prefers it, unless the identity provider wants
/// it otherwise (OpenID Connect Discovery 1.0, section 3: `client_secret_basic` where it says
/// nothing).
fn shown_by(metadata: &CoreProviderMetadata) -> AuthType {
    let offered = metadata.token_endpoint_auth_methods_supported();
    let basic =
        offered.is_none_or(|offered| offered.contains(&CoreClientAuthMethod::ClientSecretBasic));
    if basic { AuthType::BasicAuth } else { AuthType::RequestBody }
}

fn gone(error: impl std::error::Error + Send + Sync + 'static) -> Refused {
    Refused::Gone(Box::new(error))
}
