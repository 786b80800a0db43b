//! The wire to an identity provider: the one HTTP client of the program, with its limits.

use std::net::IpAddr;

use beistand_connector_api::Span;
use beistand_connectors::kit::{Client, ClientSettings, Request, forbidden};
use beistand_web::sso::{Question, Replied, Reply, Unreachable, Wire};

/// How long the identity provider may take for one answer: somebody waits before a screen for three
/// of them.
const ANSWERS_WITHIN: Span = Span::from_secs(5);

/// Asks an identity provider.
#[derive(Debug)]
pub(crate) struct Asking(Client);

impl Asking {
    /// With the only authorities to trust, in PEM; those of the system where absent.
    ///
    /// # Errors
    /// A sentence, where they can not be used.
    pub(crate) fn new(authority: Option<Vec<u8>>) -> Result<Self, String> {
        Client::new(ClientSettings { authority, ..ClientSettings::default() }).map(Self)
    }

    async fn answer(&self, question: Question) -> Result<Reply, String> {
        let response = self.0.send(request(question)?).await.map_err(|error| error.to_string())?;
        let content_type = response.headers.get("content-type").and_then(|kind| kind.to_str().ok());
        let content_type = content_type.map(str::to_owned);
        Ok(Reply { status: response.status, content_type, body: response.body? })
    }
}

impl Wire for Asking {
    fn ask(&self, question: Question) -> Replied<'_> {
        Box::pin(async move { self.answer(question).await.map_err(Unreachable) })
    }
}

/// The same in the words of the client, which keeps names from leading to this machine.
fn request(question: Question) -> Result<Request, String> {
    let Question { method, url, headers, body } = question;
    let wrong = |what: &str| format!("the identity provider can not be asked: no {what}");
    let pair = |(name, value): &(String, String)| Some((name.parse().ok()?, value.parse().ok()?));
    let request = Request {
        method: method.parse().map_err(|_| wrong("method"))?,
        url: url.parse().map_err(|_| wrong("address"))?,
        headers: headers.iter().map(pair).collect::<Option<_>>().ok_or_else(|| wrong("header"))?,
        body: Some(body).filter(|body| !body.is_empty()),
        timeout: ANSWERS_WITHIN,
    };
    // An address that is spelled out is looked up by nobody. Without TLS the server lets only this
    // machine pass, for an identity provider on it.
    let literal = request.url.host_str().map(|host| host.trim_matches(['[', ']']));
    let literal = literal.and_then(|host| host.parse::<IpAddr>().ok());
    if request.url.scheme() == "https"
        && let Some(why) = literal.and_then(forbidden)
    {
        return Err(format!("the identity provider can not be asked: its address is {why}"));
    }
    Ok(request)
}
