//! From the arguments of `http.request` to what goes on the wire.

use beistand_connector_api::{CallError, EffectClass, IdempotencyKey, Value};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::kit::segments;

/// Headers that belong to the connector, its secret, or HTTP itself; and those by which a service
/// takes another method or path than the one that was held against the allow list.
const RESERVED: [&str; 21] = [
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "idempotency-key",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];
/// More is no header but a body.
const HEADER_BYTES_MAX: usize = 8 * 1024;
/// What a server surely still reads; the step's arguments are bounded before.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// A request as its playbook wrote it.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
    expect: Option<Vec<u16>>,
}

impl Wanted {
    /// Reads the arguments.
    ///
    /// # Errors
    /// `Invalid`: nothing was sent.
    pub(super) fn read(arguments: &Value) -> Result<Self, CallError> {
        let method = method(arguments);
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| CallError::invalid(format!("`{method}` is no HTTP method")))?;
        let mut headers = headers(arguments.get("headers"))?;
        let body = match arguments.get("body") {
            None | Some(Value::Null) => None,
            Some(body) => Some(body_bytes(body, &mut headers)?),
        };
        let url = url(arguments.get("url").unwrap_or(&Value::Null)).map_err(CallError::invalid)?;
        Ok(Self { method, url, headers, body, expect: expect(arguments)? })
    }

    /// Whether this status is what the author hopes for.
    pub(super) fn expects(&self, status: u16) -> bool {
        match &self.expect {
            Some(codes) => codes.contains(&status),
            None => (200..300).contains(&status),
        }
    }

    /// Puts the key and the trace on; every request carries them.
    pub(super) fn identify(
        &mut self,
        key: IdempotencyKey,
        traceparent: Option<&str>,
    ) -> Result<(), CallError> {
        let value = |text: &str| {
            HeaderValue::from_str(text)
                .map_err(|_| CallError::invalid("the trace context is no header value"))
        };
        self.headers.insert("idempotency-key", value(&key.to_string())?);
        if let Some(traceparent) = traceparent {
            self.headers.insert("traceparent", value(traceparent)?);
        }
        Ok(())
    }
}

/// The method as written; empty where there is none.
pub(super) fn method(arguments: &Value) -> &str {
    arguments.get("method").and_then(Value::as_str).unwrap_or_default()
}

/// May it be sent again? RFC 9110 section 9.2 for methods; `idempotent: true` is the author's word
/// that the server honours `Idempotency-Key`.
pub(super) fn class(arguments: &Value) -> EffectClass {
    match method(arguments) {
        "GET" | "HEAD" | "OPTIONS" => EffectClass::Read,
        "PUT" | "DELETE" => EffectClass::Idempotent,
        _ if arguments.get("idempotent") == Some(&Value::Bool(true)) => EffectClass::Idempotent,
        _ => EffectClass::Once,
    }
}

/// The URL: a text, or `{base, path, query}` whose parts are encoded here.
pub(super) fn url(value: &Value) -> Result<Url, String> {
    let url = match value {
        Value::String(text) => parse(text)?,
        Value::Object(parts) => {
            if let Some(name) =
                parts.keys().find(|name| !["base", "path", "query"].contains(&name.as_str()))
            {
                return Err(format!("`url.{name}` is not known; there are: base, path, query"));
            }
            let base = parts.get("base").and_then(Value::as_str).unwrap_or_default();
            built(parse(base)?, parts.get("path"), parts.get("query"))?
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            return Err("`url` is a text or {base, path, query}".to_owned());
        }
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("`{}` is not http or https", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL must not hold a user or password; they belong to the connector".into());
    }
    segments(&url)?;
    Ok(url)
}

fn parse(text: &str) -> Result<Url, String> {
    // Parsing would make a `/` of it; elsewhere it may stay what it is.
    if text.split(['?', '#']).next().is_some_and(|path| path.contains('\\')) {
        return Err("`url` holds a `\\`; write `/`".to_owned());
    }
    let mut url = Url::parse(text).map_err(|error| format!("`url` is no URL: {error}"))?;
    url.set_fragment(None);
    Ok(url)
}

fn built(mut url: Url, path: Option<&Value>, query: Option<&Value>) -> Result<Url, String> {
    for part in path.and_then(Value::as_array).into_iter().flatten() {
        let text = scalar(part).ok_or("`url.path` is a list of texts and numbers")?;
        if ["", ".", ".."].contains(&text.as_str()) || text.contains(['/', '\\']) {
            return Err(format!(
                "`{}` can not be a part of `url.path`: each part is one name, without `/` and `\\`",
                text.escape_debug()
            ));
        }
        let mut segments =
            url.path_segments_mut().map_err(|()| "`url.base` can not have a path".to_owned())?;
        segments.pop_if_empty().push(&text);
    }
    if let Some(query) = query {
        let fields = query.as_object().ok_or("`url.query` is an object of names and values")?;
        let mut pairs = url.query_pairs_mut();
        for (name, value) in fields {
            let values =
                value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
            for value in values {
                let text = scalar(value).ok_or_else(|| format!("`url.query.{name}` is no text"))?;
                pairs.append_pair(name, &text);
            }
        }
    }
    if !path.is_none_or(Value::is_array) {
        return Err("`url.path` is a list".to_owned());
    }
    Ok(url)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn headers(value: Option<&Value>) -> Result<HeaderMap, CallError> {
    let mut headers = HeaderMap::new();
    let Some(fields) = value.and_then(Value::as_object) else { return Ok(headers) };
    for (name, value) in fields {
        let wrong = |what: &str| CallError::invalid(format!("header `{name}` {what}"));
        let text = scalar(value).ok_or_else(|| wrong("must be a text"))?;
        let parsed =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("has no valid name"))?;
        if RESERVED.contains(&parsed.as_str()) {
            return Err(wrong("is set by the connector, not by a playbook"));
        }
        if text.len() > HEADER_BYTES_MAX {
            return Err(wrong("is longer than 8 KiB"));
        }
        let value = HeaderValue::from_str(&text)
            .map_err(|_| wrong("holds characters that no header may hold"))?;
        headers.insert(parsed, value);
    }
    Ok(headers)
}

/// JSON, unless the author names another type and gives a text.
fn body_bytes(body: &Value, headers: &mut HeaderMap) -> Result<Vec<u8>, CallError> {
    let json = HeaderValue::from_static("application/json");
    let kind = headers.entry(CONTENT_TYPE).or_insert(json).clone();
    let is_json = kind.to_str().is_ok_and(|kind| kind.contains("json"));
    let bytes = match body.as_str() {
        _ if is_json => serde_json::to_vec(body)
            .map_err(|error| CallError::invalid(format!("the body is no JSON: {error}")))?,
        Some(text) => text.as_bytes().to_vec(),
        None => return Err(CallError::invalid("a body that is not JSON must be a text")),
    };
    if bytes.len() > BODY_BYTES_MAX {
        return Err(CallError::invalid("the body is larger than 1 MiB"));
    }
    Ok(bytes)
}

fn expect(arguments: &Value) -> Result<Option<Vec<u16>>, CallError> {
    let Some(codes) = arguments.get("expect").and_then(Value::as_array) else { return Ok(None) };
    let code = |code: &Value| {
        code.as_u64()
            .and_then(|code| u16::try_from(code).ok())
            .filter(|code| (100..600).contains(code))
            .ok_or_else(|| CallError::invalid(format!("`expect`: {code} is no status")))
    };
    codes.iter().map(code).collect::<Result<_, _>>().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_url_from_parts_can_not_leave_its_base() {
        let built = |path: Value| {
            url(&json!({ "base": "https://x.example/api/", "path": path, "query": { "q": "a&b" } }))
        };
        assert_eq!(
            built(json!(["hosts", "pc 1?#ü", 7])).unwrap().as_str(),
            "https://x.example/api/hosts/pc%201%3F%23%C3%BC/7?q=a%26b"
        );
        for path in [
            json!([".."]),
            json!(["."]),
            json!(["a/../b"]),
            json!(["kill/dc01"]),
            json!(["kill\\dc01"]),
            json!(["a;b"]),
            json!(["a%2fb"]),
            json!([""]),
            json!([null]),
            json!("x"),
        ] {
            assert!(built(path.clone()).is_err(), "{path}");
        }
        for text in [
            "file:///etc/passwd",
            "gopher://x/",
            "https://a:b@x.example/",
            "x",
            "/api",
            "https://x.example/a/..%2f..%2fkeys",
            "https://x.example/a/%2e%2e%5Ckeys",
            "https://x.example//kill/dc01",
            "https://x.example/kill%2Fdc01",
            "https://x.example/a\\kill",
        ] {
            assert!(url(&json!(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn the_class_follows_the_method_and_the_word_of_the_author() {
        let class = |method: &str, idempotent: bool| {
            class(&json!({ "method": method, "idempotent": idempotent }))
        };
        assert_eq!(class("GET", false), EffectClass::Read);
        assert_eq!(class("PUT", false), EffectClass::Idempotent);
        assert_eq!(class("POST", false), EffectClass::Once);
        assert_eq!(class("PATCH", true), EffectClass::Idempotent);
    }

    #[test]
    fn headers_of_the_connector_are_not_for_playbooks() {
        for (name, value) in [
            ("Authorization", "x"),
            ("cookie", "x"),
            ("Host", "x"),
            ("Idempotency-Key", "x"),
            ("X-HTTP-Method", "DELETE"),
            ("X-HTTP-Method-Override", "DELETE"),
            ("X-Method-Override", "DELETE"),
            ("X-Original-URL", "/kill"),
            ("X-Rewrite-URL", "/kill"),
            ("a b", "x"),
            ("X-A", "a\r\nX-B: c"),
        ] {
            assert!(headers(Some(&json!({ name: value }))).is_err(), "{name}");
        }
    }
}
