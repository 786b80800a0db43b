//! Arguments of actions and sub-playbooks, compared with what those take.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::draft::Arguments;
use super::super::report::did_you_mean;
use super::super::tree::{Meaning, Node, Yaml};
use super::super::{Code, Expressions, Place, Template, Type};
use super::expression::Wants;
use super::{Checker, Library, types};
use crate::model::Schema;

impl<E: Expressions, L: Library> Checker<'_, '_, E, L> {
    /// Renders arguments. With a schema, names and types must fit; `what` takes them, at `place`.
    pub(super) fn arguments(
        &mut self,
        arguments: &Arguments<'_>,
        schema: Option<&Schema>,
        what: &str,
    ) -> BTreeMap<String, Template> {
        let properties = schema.and_then(|schema| schema.properties.as_ref());
        let mut rendered = BTreeMap::new();
        for (name, value) in &arguments.fields {
            let property = properties.and_then(|properties| properties.get(name.value));
            if let (Some(properties), None) = (properties, property) {
                let message = format!("{what} takes no argument `{}`", name.value);
                let hint = did_you_mean(name.value, properties.keys().map(String::as_str))
                    .or_else(|| Some(format!("it takes: {}", listed(properties.keys()))));
                self.report.add_with(Code::UnknownArgument, name.place, message, hint);
            }
            let template = self.value(value, property, name.value);
            rendered.insert(name.value.to_owned(), template);
        }
        for (name, property) in properties.into_iter().flatten() {
            if property.is_required() && !rendered.contains_key(name) {
                let message = format!("{what} needs the argument `{name}`");
                self.report.add(Code::MissingArgument, arguments.place, message);
            }
        }
        rendered
    }

    /// One value, rendered; `name` says which, for sentences.
    pub(super) fn value(&mut self, yaml: &Yaml, schema: Option<&Schema>, name: &str) -> Template {
        match &yaml.node {
            Node::Scalar(scalar) => {
                let template = match scalar.meaning {
                    Meaning::Text => {
                        let (template, ty) = self.rendered(&scalar.text, Wants::Value);
                        if let Some(schema) = schema
                            && !matches!(template, Template::Literal(_))
                            && !types::can_fit(&ty, schema)
                        {
                            self.misfit(yaml.place, name, schema, &ty);
                        }
                        template
                    }
                    Meaning::Null | Meaning::Boolean(_) | Meaning::Number(_) => {
                        Template::Literal(scalar.json())
                    }
                };
                if let (Some(schema), Template::Literal(value)) = (schema, &template) {
                    self.literal(yaml.place, name, schema, value);
                }
                template
            }
            Node::List(items) => {
                let inner = schema.and_then(|schema| schema.items.as_deref());
                self.has_kind(yaml.place, name, schema, &Type::Array(Box::new(Type::Any)));
                if let Some(schema) = schema {
                    self.has_length(yaml.place, name, schema, items.len() as u64);
                }
                Template::Array(items.iter().map(|item| self.value(item, inner, name)).collect())
            }
            Node::Map(entries) => {
                let properties = schema.and_then(|schema| schema.properties.as_ref());
                let is_object = self.has_kind(yaml.place, name, schema, &any_object());
                let mut fields = BTreeMap::new();
                for entry in entries {
                    let property = properties.and_then(|properties| properties.get(entry.name()));
                    if let (Some(properties), None) = (properties, property) {
                        let message = format!("`{name}` has no part `{}`", entry.name());
                        let hint = format!("it has: {}", listed(properties.keys()));
                        self.report.hint(Code::UnknownArgument, entry.place, message, hint);
                    }
                    let below = format!("{name}.{}", entry.name());
                    let template = self.value(&entry.value, property, &below);
                    fields.insert(entry.name().to_owned(), template);
                }
                for (part, property) in properties.into_iter().flatten().filter(|_| is_object) {
                    if property.is_required() && !fields.contains_key(part) {
                        let message = format!("`{name}` needs the part `{part}`");
                        self.report.add(Code::MissingArgument, yaml.place, message);
                    }
                }
                Template::Object(fields)
            }
        }
    }

    fn literal(&mut self, place: Place, name: &str, schema: &Schema, value: &Value) {
        if value.is_null() && !schema.is_required() {
            return;
        }
        for problem in schema.problems(value) {
            let message = format!("`{name}{}` {}", problem.at, problem.message);
            self.report.add(Code::ArgumentType, place, message);
        }
    }

    fn has_length(&mut self, place: Place, name: &str, schema: &Schema, count: u64) {
        let few = schema.min_items.filter(|min| count < *min).map(|min| format!("at least {min}"));
        let many = schema.max_items.filter(|max| count > *max).map(|max| format!("at most {max}"));
        for bound in few.into_iter().chain(many) {
            let message = format!("`{name}` needs {bound} elements, has {count}");
            self.report.add(Code::ArgumentType, place, message);
        }
    }

    fn has_kind(&mut self, place: Place, name: &str, schema: Option<&Schema>, ty: &Type) -> bool {
        let Some(schema) = schema else { return false };
        let bare = Schema { kind: schema.kind, ..Schema::default() };
        let fits = types::can_fit(ty, &bare);
        if !fits {
            self.misfit(place, name, schema, ty);
        }
        fits
    }

    fn misfit(&mut self, place: Place, name: &str, schema: &Schema, ty: &Type) {
        let wanted = schema.kind.map_or("something else", crate::model::SchemaType::word);
        let given = types::word(ty);
        let message = if wanted == given {
            format!("`{name}` is {wanted}, but its parts do not fit")
        } else {
            format!("`{name}` must be {wanted}, this gives {given}")
        };
        self.report.add(Code::ArgumentType, place, message);
    }
}

fn any_object() -> Type {
    Type::Object(BTreeMap::new())
}

fn listed<'n>(names: impl Iterator<Item = &'n String>) -> String {
    let names: Vec<&str> = names.map(String::as_str).collect();
    names.join(", ")
}
