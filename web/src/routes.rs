//! Routes are declared with their right and their lane, and can not be declared without.
//!
//! [`Routes::add`] is the only way to a router: it wraps exactly the methods that it is given in the
//! way in of `gate.rs`. The same declaration is what OpenAPI is written from.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::http::HeaderMap;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use beistand_core::access::Permission;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{HttpMethod, Operation, Paths, PathsBuilder};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    Components, ContentBuilder, Info, OpenApi, PathItem, Ref, RefOr, ResponseBuilder,
};
use utoipa::{PartialSchema as _, ToSchema as _};
use utoipa_axum::router::UtoipaMethodRouter;

use crate::door::SESSION_COOKIE;
use crate::gate::{Gate, Post, enter, nothing_here, pass};
use crate::limits::{BODY_BYTES_MAX, STRANGERS_BYTES_MAX};
use crate::pressure::Lane;
use crate::report::{Body9457, MEDIA_TYPE};

/// What a caller must be allowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Nothing: whoever reaches the port. The list of these is reviewed.
    Public,
    /// Nothing but being somebody.
    LoggedIn,
    /// This, for the whole instance.
    Needs(Permission),
    /// This for something at least; the handler checks it for what the request is about, by
    /// [`crate::Who::may`].
    NeedsThere(Permission),
}

/// What a route is declared with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) right: Right,
    pub(crate) lane: Lane,
    pub(crate) body_bytes_max: usize,
}

/// One method of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The method, in capitals.
    pub method: &'static str,
    /// The path, its parameters in braces.
    pub path: String,
    /// What it wants.
    pub right: Right,
    /// Which places it takes.
    pub lane: Lane,
}

/// One method of a path for people.
pub(crate) struct Page<S = crate::App> {
    path: String,
    method: HttpMethod,
    methods: MethodRouter<S>,
}

impl<S> Page<S> {
    /// The same under another beginning of its path.
    #[must_use]
    pub(crate) fn under(mut self, beginning: &str) -> Self {
        self.path.insert_str(0, beginning);
        self
    }
}

/// What is looked at under a path.
pub(crate) fn look<H, T, S>(path: &'static str, handler: H) -> Page<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    Page { path: path.to_owned(), method: HttpMethod::Get, methods: get(handler) }
}

/// What a form sends to a path.
pub(crate) fn send<H, T, S>(path: &'static str, handler: H) -> Page<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    Page { path: path.to_owned(), method: HttpMethod::Post, methods: post(handler) }
}

/// Routes whose handlers share a state.
#[derive(Debug)]
pub struct Routes<S = crate::App> {
    entries: Vec<Entry<S>>,
}

/// What an answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// For programs; OpenAPI describes it.
    Interface,
    /// For people.
    Page,
}

struct Entry<S> {
    rule: Rule,
    shown: Shown,
    schemas: Vec<(String, RefOr<utoipa::openapi::Schema>)>,
    paths: Paths,
    methods: MethodRouter<S>,
}

impl<S> std::fmt::Debug for Entry<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let paths: Vec<_> = self.paths.paths.keys().collect();
        f.debug_struct("Entry")
            .field("rule", &self.rule)
            .field("paths", &paths)
            .finish_non_exhaustive()
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// None yet.
    pub(crate) const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Adds the methods of a path, made by `routes!(handler)`. Whoever may be anybody sends no body
    /// there.
    #[must_use]
    pub(crate) fn add(self, right: Right, lane: Lane, handlers: UtoipaMethodRouter<S>) -> Self {
        let body_bytes_max = match right {
            Right::Public => 0,
            Right::LoggedIn | Right::Needs(_) | Right::NeedsThere(_) => BODY_BYTES_MAX,
        };
        self.add_sized(body_bytes_max, right, lane, handlers)
    }

    /// The same for bodies of another size: evidence is large, a login is small.
    #[must_use]
    pub(crate) fn add_sized(
        mut self,
        body_bytes_max: usize,
        right: Right,
        lane: Lane,
        (schemas, paths, methods): UtoipaMethodRouter<S>,
    ) -> Self {
        let rule = Rule { right, lane, body_bytes_max };
        let shown = Shown::Interface;
        self.entries.push(Entry { rule, shown, schemas, paths, methods });
        self
    }

    /// Adds what people look at, or what they send from there: one method of one path.
    #[must_use]
    pub(crate) fn page(self, right: Right, lane: Lane, page: Page<S>) -> Self {
        let body_bytes_max = match (right, &page.method) {
            (_, HttpMethod::Get) => 0,
            (Right::Public, _) => STRANGERS_BYTES_MAX,
            (Right::LoggedIn | Right::Needs(_) | Right::NeedsThere(_), _) => BODY_BYTES_MAX,
        };
        self.page_sized(body_bytes_max, right, lane, page)
    }

    /// The same for bodies of another size.
    #[must_use]
    pub(crate) fn page_sized(
        mut self,
        body_bytes_max: usize,
        right: Right,
        lane: Lane,
        Page { path, method, methods }: Page<S>,
    ) -> Self {
        let rule = Rule { right, lane, body_bytes_max };
        let item = PathItem::new(method, Operation::new());
        let paths = PathsBuilder::new().path(path, item).build();
        let (shown, schemas) = (Shown::Page, Vec::new());
        self.entries.push(Entry { rule, shown, schemas, paths, methods });
        self
    }

    /// These and others.
    #[must_use]
    pub(crate) fn and(mut self, mut others: Self) -> Self {
        self.entries.append(&mut others.entries);
        self
    }

    /// Every method of every path, in order.
    pub fn declared(self) -> Vec<Declared> {
        let mut all = Vec::new();
        for Entry { rule, paths, .. } in self.entries {
            for (path, mut item) in paths.paths {
                for (method, operation) in operations(&mut item) {
                    if operation.is_some() {
                        let (right, lane) = (rule.right, rule.lane);
                        all.push(Declared { method, path: path.clone(), right, lane });
                    }
                }
            }
        }
        all.sort_by(|one, other| (&one.path, one.method).cmp(&(&other.path, other.method)));
        all
    }

    /// The description of the interface, OpenAPI 3.1.
    pub fn openapi(self) -> OpenApi {
        let info = Info::builder()
            .title("Beistand")
            .version(env!("CARGO_PKG_VERSION"))
            .description(Some("Incidents, runs of playbooks and what waits for people."))
            .build();
        let mut document = OpenApi::new(info, Paths::new());
        let mut components = Components::new();
        components.schemas.insert(Body9457::name().into_owned(), Body9457::schema());
        // What it refers to in turn.
        let mut parts = Vec::new();
        Body9457::schemas(&mut parts);
        components.schemas.extend(parts);
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let cookie = ApiKey::Cookie(ApiKeyValue::new(SESSION_COOKIE));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
        let described = |entry: &Entry<S>| entry.shown == Shown::Interface;
        for Entry { rule, schemas, paths, .. } in self.entries.into_iter().filter(described) {
            components.schemas.extend(schemas);
            for (path, mut item) in paths.paths {
                for (method, operation) in operations(&mut item) {
                    if let Some(operation) = operation {
                        operation.operation_id = Some(operation_id(method, &path));
                        describe(operation, rule);
                    }
                }
                match document.paths.paths.get_mut(&path) {
                    Some(there) => there.merge_operations(item),
                    None => drop(document.paths.paths.insert(path, item)),
                }
            }
        }
        document.components = Some(components);
        document
    }

    /// A router in which every way leads through the gate.
    pub(crate) fn behind(self, gate: &Arc<Gate>, state: S) -> Router {
        let mut router = Router::new();
        for Entry { rule, paths, methods, .. } in self.entries {
            for path in paths.paths.into_keys() {
                let post = Post { gate: Arc::clone(gate), rule, path: path.clone() };
                let guarded = methods.clone().route_layer(from_fn_with_state(post, pass));
                router = router.route(&path, guarded);
            }
        }
        let own = Arc::clone(gate);
        let other_method = move |headers: HeaderMap| {
            let gate = Arc::clone(&own);
            async move { gate.other_method(&headers).await }
        };
        router
            .fallback(|| async { nothing_here() })
            .method_not_allowed_fallback(other_method)
            .layer(from_fn_with_state(Arc::clone(gate), enter))
            .with_state(state)
    }
}

/// What an operation is called: by its door, so that no two have one name (OpenAPI 3.1, 4.8.10.1).
fn operation_id(method: &str, path: &str) -> String {
    let words = path.split(|sign: char| !sign.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty() && !["api", "v1"].contains(word));
    words.fold(method.to_ascii_lowercase(), |name, word| name + "_" + word)
}

/// What a method says of itself beside what its handler knows.
fn describe(operation: &mut Operation, rule: Rule) {
    let (permission, open) = match rule.right {
        Right::Public => ("public", true),
        Right::LoggedIn => ("logged-in", false),
        Right::Needs(one) | Right::NeedsThere(one) => (one.as_str(), false),
    };
    let extension = Extensions::builder().add("x-permission", permission).build();
    operation.extensions.get_or_insert_default().merge(extension);
    let schemes = ["token", "session"].map(|name| SecurityRequirement::new(name, [""; 0]));
    operation.security = Some(if open { Vec::new() } else { schemes.into() });
    let schema = RefOr::Ref(Ref::from_schema_name(Body9457::name()));
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let refused = ResponseBuilder::new()
        .description("Refused, and why (RFC 9457)")
        .content(MEDIA_TYPE, content)
        .build();
    operation.responses.responses.insert("default".to_owned(), RefOr::T(refused));
}

/// The methods that a path can have.
fn operations(item: &mut PathItem) -> [(&'static str, &mut Option<Operation>); 8] {
    [
        ("DELETE", &mut item.delete),
        ("GET", &mut item.get),
        ("HEAD", &mut item.head),
        ("OPTIONS", &mut item.options),
        ("PATCH", &mut item.patch),
        ("POST", &mut item.post),
        ("PUT", &mut item.put),
        ("TRACE", &mut item.trace),
    ]
}

#[cfg(test)]
mod tests;
