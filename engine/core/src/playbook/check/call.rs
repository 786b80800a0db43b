//! Calls: the action, its arguments, and what a playbook must not put into them.

use super::super::draft::{self, Arguments, Spanned, TIMEOUT};
use super::super::report::{did_you_mean, similar};
use super::super::template::has_expression;
use super::super::tree::{Node, Yaml};
use super::super::{CallNode, Code, Expressions, Kind, Length, OnUnknown, Type};
use super::step::Gives;
use super::{Checker, Library, types};
use crate::model::{ActionName, ActionSpec, Format, StepId, capabilities};

/// Names of arguments, headers and fields that hold secrets.
const SECRETS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "x-auth-token",
    "api-key",
    "api_key",
    "apikey",
    "token",
    "access_token",
    "auth_token",
    "bearer",
    "password",
    "passwd",
    "secret",
    "client_secret",
    "private_key",
];

/// Parameters of a query that hold secrets.
const SECRET_PARAMETERS: &[&str] = &["token=", "access_token=", "api_key=", "apikey=", "password="];

impl<'a, E: Expressions, L: Library> Checker<'a, '_, E, L> {
    pub(super) fn call(&mut self, call: &draft::Call<'_>) -> (Kind, Gives) {
        let spec = call.action.as_ref().and_then(|action| self.action(action));
        let what = spec.map(|spec| format!("`{}`", spec.name)).unwrap_or_default();
        self.secrets(&call.with);
        if let Some(spec) = spec {
            self.literals(spec, &call.with);
            self.repeats(spec, call);
        }
        let with = self.arguments(&call.with, spec.map(|spec| &spec.arguments), &what);
        if let Some(slot) = &call.via {
            self.via(slot, call.action.as_ref());
        }
        let timeout = call.timeout.as_ref().map(|length| self.length(length));
        let Some(action) = &call.action else {
            return (
                Kind::Note(super::super::Template::Literal("".into())),
                Gives::output(Type::Any),
            );
        };
        let kind = Kind::Call(CallNode {
            action: action.value.clone(),
            with,
            via: call.via.as_ref().map(|slot| slot.value.clone()),
            timeout: timeout.unwrap_or(Length::Fixed(TIMEOUT)),
            retry: call.retry.as_ref().map(|retry| retry.value).unwrap_or_default(),
            on_unknown: call.on_unknown.as_ref().map_or(OnUnknown::Ask, |choice| choice.value),
            reach: call.reach,
            automatic: call.automatic,
            once_per_incident: call.once_per_incident,
        });
        (kind, Gives::output(spec.map_or(Type::Any, |spec| types::type_of(&spec.output))))
    }

    /// The action behind a name.
    pub(super) fn action(&mut self, name: &Spanned<ActionName>) -> Option<&'a ActionSpec> {
        let catalogue = self.request.catalogue;
        let found = catalogue.get(&name.value);
        if found.is_none() {
            let known = capabilities(catalogue);
            let capability = name.value.capability();
            let (code, message) = if known.iter().any(|known| known == capability) {
                (Code::UnknownAction, format!("there is no action `{}`", name.value))
            } else {
                (Code::UnknownCapability, format!("there is no capability `{capability}`"))
            };
            let all: Vec<&str> = catalogue.iter().map(|spec| spec.name.as_str()).collect();
            let same: Vec<&str> = all
                .iter()
                .copied()
                .filter(|action| action.split_once('.').is_some_and(|(of, _)| of == capability))
                .collect();
            // A right capability leaves only the second word to compare.
            let near = if same.is_empty() {
                similar(name.value.as_str(), all)
            } else {
                let written = name.value.as_str().split_once('.').map_or("", |(_, word)| word);
                let words = same.iter().filter_map(|action| action.split_once('.'));
                let near = similar(written, words.map(|(_, word)| word));
                same.iter().copied().find(|action| {
                    action.split_once('.').map(|(_, word)| word) == near && near.is_some()
                })
            };
            let hint = Some(match near {
                Some(near) => format!("did you mean `{near}`?"),
                None if same.is_empty() => format!("there are: {}", known.join(", ")),
                None => format!("there are: {}", same.join(", ")),
            });
            self.report.add_with(code, name.place, message, hint);
        }
        found
    }

    fn via(&mut self, slot: &Spanned<StepId>, action: Option<&Spanned<ActionName>>) {
        let Some(known) = self.slots.get(&slot.value) else {
            let message = format!("there is no slot `{}`", slot.value);
            let hint = did_you_mean(slot.value.as_str(), self.slots.keys().map(StepId::as_str))
                .unwrap_or_else(|| "slots are declared at the top: `slots: { … }`".to_owned());
            self.report.hint(Code::UnknownSlot, slot.place, message, hint);
            return;
        };
        let capability = known.capability.clone();
        if let Some(action) = action
            && action.value.capability() != capability
        {
            let message = format!(
                "the slot `{}` is for `{capability}`, the call is `{}`",
                slot.value, action.value
            );
            self.report.add(Code::SlotMismatch, slot.place, message);
        }
    }

    /// What may be sent again.
    fn repeats(&mut self, spec: &ActionSpec, call: &draft::Call<'_>) {
        if let Some(choice) = &call.on_unknown
            && choice.value == OnUnknown::Repeat
            && !spec.duplicate_harmless
        {
            let message = format!("`{}` does harm when it arrives twice", spec.name);
            let hint = "leave `on_unknown` out: a probe or a person settles it";
            self.report.hint(Code::NotRepeatable, choice.place, message, hint);
        }
        let written = |name: &str| argument(&call.with, name).map(Yaml::json);
        let once = match spec.name.as_str() {
            "http.request" => {
                matches!(written("method"), Some(method) if method == "POST" || method == "PATCH")
            }
            "ssh.run" => true,
            _ => false,
        };
        let declared = written("idempotent").is_some_and(|value| value == true);
        if let Some(retry) = call.retry.as_ref().filter(|_| once && !declared) {
            let message = format!("this `{}` must not arrive twice", spec.name);
            let hint = "it is tried again only where surely nothing was done; `idempotent: true` says that twice is like once";
            self.report.hint(Code::RetryOnce, retry.place, message, hint);
        }
    }

    /// Arguments that stand in the file as they are.
    fn literals(&mut self, spec: &ActionSpec, with: &Arguments<'_>) {
        let literal: &[&str] = match spec.name.as_str() {
            "http.request" => &["method", "idempotent"],
            "ssh.run" => &["idempotent"],
            _ => return,
        };
        for name in literal {
            let Some(value) = argument(with, name) else { continue };
            if value.text().is_some_and(|text| has_expression(text.as_str())) {
                let message = format!("`{name}` of `{}` is written down, not filled in", spec.name);
                self.report.add(Code::NotLiteral, value.place, message);
            }
        }
        if let Some(url) = argument(with, "url").filter(|_| spec.name.as_str() == "http.request") {
            self.url(url);
        }
    }

    fn url(&mut self, url: &Yaml) {
        match &url.node {
            Node::Scalar(_) => self.base(url),
            Node::Map(entries) => {
                for entry in entries {
                    let shaped = match entry.name() {
                        "base" => {
                            self.base(&entry.value);
                            true
                        }
                        "path" => entry.value.list().is_some(),
                        "query" => entry.value.map().is_some(),
                        other => {
                            let message = format!("a `url` has no part `{other}`");
                            let hint = "it has: base, path, query";
                            self.report.hint(Code::UnknownArgument, entry.place, message, hint);
                            continue;
                        }
                    };
                    if !shaped {
                        let wanted = if entry.name() == "path" { "a list" } else { "a mapping" };
                        let message = format!("`url.{}` must be {wanted}", entry.name());
                        self.report.add(Code::ArgumentType, entry.value.place, message);
                    }
                }
                if url.get("base").is_none() {
                    let message = "`url` needs the part `base`";
                    self.report.add(Code::MissingArgument, url.place, message);
                }
            }
            Node::List(_) => {
                let message = "`url` must be a text or `{ base, path, query }`, this is a list";
                self.report.add(Code::ArgumentType, url.place, message);
            }
        }
    }

    /// The fixed part of a URL.
    fn base(&mut self, url: &Yaml) {
        let Some(text) = url.text() else {
            let message = format!("`url` must be a text, is {}", url.word());
            self.report.add(Code::ArgumentType, url.place, message);
            return;
        };
        let written = text.as_str();
        if has_expression(written) {
            let hint = "write `url: { base: \"https://…\", path: [\"${…}\"], query: { … } }`: each part is encoded";
            self.report.hint(Code::UrlTemplate, url.place, "a `url` holds no `${}`", hint);
        } else if let Some(problem) = Format::Uri.problem(written) {
            self.report.add(Code::ArgumentType, url.place, format!("`url` {problem}"));
        }
        let authority = written.split_once("://").map_or("", |(_, rest)| rest);
        let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
        let query = written.split_once('?').map_or("", |(_, query)| query).to_lowercase();
        let in_query = query
            .split('&')
            .any(|pair| SECRET_PARAMETERS.iter().any(|parameter| pair.starts_with(parameter)));
        if authority.contains('@') || in_query {
            self.secret(url.place, "the URL holds a secret");
        }
    }

    /// Secrets belong to the connector.
    pub(super) fn secrets(&mut self, with: &Arguments<'_>) {
        for (name, value) in &with.fields {
            self.secret_under(name.value, name.place, value);
        }
    }

    fn secret_under(&mut self, name: &str, place: super::super::Place, value: &Yaml) {
        let lower = name.to_lowercase();
        if SECRETS.contains(&lower.as_str()) {
            self.secret(place, &format!("`{name}` is a secret"));
            return;
        }
        match &value.node {
            Node::Scalar(scalar) => {
                let text = scalar.text.as_str();
                let scheme = text.get(..7).unwrap_or(text).to_lowercase();
                if scheme.starts_with("bearer ") || scheme.starts_with("basic ") {
                    self.secret(value.place, "the value is a login");
                }
            }
            Node::List(items) => {
                for item in items {
                    self.secret_under("", place, item);
                }
            }
            Node::Map(entries) => {
                for entry in entries {
                    self.secret_under(entry.name(), entry.place, &entry.value);
                }
            }
        }
    }

    fn secret(&mut self, place: super::super::Place, message: &str) {
        let hint = "give it to the connector in the configuration: `auth: { bearer: { file: … } }`";
        self.report.hint(Code::SecretInWith, place, message, hint);
    }
}

/// An argument as it was written.
fn argument<'y>(with: &Arguments<'y>, name: &str) -> Option<&'y Yaml> {
    with.fields.iter().find(|(field, _)| field.value == name).map(|(_, value)| *value)
}
