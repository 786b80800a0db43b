//! Chains of names: `steps.contain.counts?.succeeded`, `list[0].name`, `text.len()`.

use beistand_core::playbook::{FaultCode, Names, Type};
use rhai::{ASTFlags, Expr, Position, Stmt};

use super::facts::Fact;
use super::suggest;
use super::types::{Known, describe};
use super::walk::Walk;

/// One link of a chain: what comes after a `.` or in `[…]`.
#[derive(Debug, Clone, Copy)]
struct Link<'e> {
    how: How,
    /// `?.` or `?[`: null ends the chain as null.
    optional: bool,
    part: &'e Expr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Dot,
    Index,
}

/// The beginning of a chain and its links. Rhai nests them to the right.
fn links(expression: &Expr) -> (&Expr, Vec<Link<'_>>) {
    let mut links = Vec::new();
    let Some((mut how, mut pair, mut flags)) = step(expression) else {
        return (expression, links);
    };
    let root = &pair.lhs;
    loop {
        let optional = flags.contains(ASTFlags::NEGATED);
        match step(&pair.rhs) {
            Some((next_how, next, next_flags)) if !flags.contains(ASTFlags::BREAK) => {
                links.push(Link { how, optional, part: &next.lhs });
                (how, pair, flags) = (next_how, next, next_flags);
            }
            Some(_) | None => {
                links.push(Link { how, optional, part: &pair.rhs });
                return (root, links);
            }
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "outside type")]
fn step(expression: &Expr) -> Option<(How, &rhai::BinaryExpr, ASTFlags)> {
    match expression {
        Expr::Dot(pair, flags, _) => Some((How::Dot, pair, *flags)),
        Expr::Index(pair, flags, _) => Some((How::Index, pair, *flags)),
        _ => None,
    }
}

/// The variable at the beginning of a chain.
#[expect(clippy::wildcard_enum_match_arm, reason = "outside type")]
pub(super) fn root_name(expression: &Expr) -> Option<&str> {
    match links(expression).0 {
        Expr::Variable(variable, _, _) => Some(variable.1.as_str()),
        other if step(other).is_some() => root_name(other),
        _ => None,
    }
}

/// Whether a text is one path of names from the context and nothing else.
pub(super) fn is_bare(statements: &[Stmt], names: &Names) -> bool {
    let [Stmt::Expr(expression)] = statements else { return false };
    let (Expr::Variable(variable, _, _), links) = links(expression) else { return false };
    let Some(field) = names.variables.get(variable.1.as_str()) else { return false };
    let mut ty = &field.ty;
    for link in links {
        let (How::Dot, false, Expr::Property(property, _)) = (link.how, link.optional, link.part)
        else {
            return false;
        };
        ty = match ty {
            Type::Any if !is_computed(property.2.as_str()) => &Type::Any,
            Type::Object(fields) => match fields.get(property.2.as_str()) {
                Some(field) => &field.ty,
                None => return false,
            },
            Type::Any
            | Type::Null
            | Type::Boolean
            | Type::Integer
            | Type::Number
            | Type::String
            | Type::Array(_) => return false,
        };
    }
    true
}

/// What a method reads of its receiver: all of it, but `incident.assets(…)` only the list.
fn narrowed(receiver: &Known, method: &str) -> Known {
    let path = match (&receiver.path, &receiver.ty) {
        (Some(path), Type::Object(fields)) if method == ASSETS && fields.contains_key(ASSETS) => {
            Some(path.iter().cloned().chain([ASSETS.to_owned()]).collect())
        }
        (path, _) => path.clone(),
    };
    Known { path, ..Known::any() }
}

/// The one method of the context: `incident.assets(kind, state)`.
const ASSETS: &str = "assets";

/// Parts that Rhai computes of lists and texts: where the type is not known, the path ends before.
fn is_computed(name: &str) -> bool {
    matches!(name, "len" | "is_empty" | "bytes" | "chars")
}

impl Walk<'_> {
    /// What a chain leads to. Records the path it reads.
    #[expect(clippy::wildcard_enum_match_arm, reason = "outside type")]
    pub(super) fn chain(&mut self, expression: &Expr) -> Known {
        let (root, links) = links(expression);
        let mut known = match root {
            Expr::Variable(variable, _, at) => self.variable(variable.1.as_str(), *at),
            other => self.resolve(other),
        };
        let mut optional = false;
        for link in links {
            known = self.present(known, link);
            optional |= link.optional;
            known = match (link.how, link.part) {
                (How::Dot, Expr::Property(property, at)) => {
                    self.part(known, property.2.as_str(), *at)
                }
                (How::Dot, Expr::MethodCall(call, at)) => {
                    self.read(&narrowed(&known, call.name.as_str()));
                    if let Expr::Variable(variable, _, _) = root {
                        self.not_in_use(variable.1.as_str(), call);
                    }
                    self.method(known, call, *at)
                }
                (How::Dot, other) => {
                    self.read(&known);
                    self.value(other);
                    Known::any()
                }
                (How::Index, index) => {
                    self.read(&known);
                    self.indexed(&known, index)
                }
            };
        }
        self.read(&known);
        if optional { known.or_null() } else { known }
    }

    fn variable(&mut self, name: &str, at: Position) -> Known {
        if let Some((_, known)) = self.locals.iter().rev().find(|(local, _)| local == name) {
            return known.clone();
        }
        if self.inside_function.is_none()
            && let Some(field) = self.names.variables.get(name)
        {
            if self.assigned.contains(name) {
                self.reads.insert(vec![name.to_owned()]);
                return Known::any();
            }
            return Known::field(field, Some(vec![name.to_owned()]));
        }
        self.unknown_name(name, at);
        Known::any()
    }

    fn read(&mut self, known: &Known) {
        if let Some(path) = &known.path {
            self.reads.insert(path.clone());
        }
    }

    /// The value that a link is applied to, known to be there: by `?.`, by a test, or it is a
    /// fault.
    fn present(&mut self, known: Known, link: Link<'_>) -> Known {
        let at = link.part.start_position();
        if link.optional {
            return Known { nullable: false, skippable: None, ..known };
        }
        let tested = |fact: &Fact| self.holds.contains(fact);
        let not_null = known.path.clone().is_some_and(|path| tested(&Fact::NotNull(path)));
        if known.skippable.is_some() {
            // A status test answers for null as well.
            self.used(&known, at);
        } else if known.nullable && !not_null {
            let message = "what stands before this may be null".to_owned();
            self.fault(FaultCode::Type, at, message, Some("write `?.`".to_owned()));
        } else if known.ty == Type::Null {
            self.fault(FaultCode::Type, at, "null has no parts".to_owned(), None);
            return Known::any();
        }
        Known { nullable: false, skippable: None, ..known }
    }

    /// A named part of a value.
    fn part(&mut self, of: Known, name: &str, at: Position) -> Known {
        match &of.ty {
            Type::Object(fields) => {
                let Some(field) = fields.get(name) else {
                    self.no_part(&of, name, at);
                    return Known::any();
                };
                if name == "status" {
                    let steps = fields.values().filter_map(|field| field.skippable.clone());
                    self.looked_at.extend(steps.map(Fact::Tested));
                }
                let path = of.path.map(|mut path| {
                    path.push(name.to_owned());
                    path
                });
                Known::field(field, path)
            }
            Type::Any => {
                if is_computed(name) {
                    self.read(&of);
                    return Known::any();
                }
                let path = of.path.map(|mut path| {
                    path.push(name.to_owned());
                    path
                });
                Known { path, ..Known::any() }
            }
            Type::Null
            | Type::Boolean
            | Type::Integer
            | Type::Number
            | Type::String
            | Type::Array(_) => {
                self.read(&of);
                if !self.functions.computes(name, &of.ty) {
                    self.no_part(&of, name, at);
                }
                super::functions::gives(name, Some(&of.ty), None)
            }
        }
    }

    fn no_part(&mut self, of: &Known, name: &str, at: Position) {
        let path = of.path.as_ref().map(|path| path.join("."));
        // Whatever goes wrong, the whole is read: an expression with faults is never run.
        if path.as_deref() == Some("steps")
            && let Some(reason) = self.names.absent.get(name)
        {
            return self.fault(FaultCode::UnknownName, at, reason.clone(), None);
        }
        let (message, hint) = if let Type::Object(fields) = &of.ty {
            let whole = path.map_or_else(|| "there is".to_owned(), |path| format!("`{path}` has"));
            let names = fields.keys().map(String::as_str);
            (format!("{whole} no part `{name}`"), suggest::hint(name, names))
        } else {
            (format!("{} has no part `{name}`", describe(&of.ty)), None)
        };
        self.fault(FaultCode::UnknownName, at, message, hint);
    }

    /// `list[0]`, `object["name"]`: the path ends before it.
    fn indexed(&mut self, of: &Known, index: &Expr) -> Known {
        let by = self.value(index);
        let at = index.start_position();
        match (&of.ty, &by.ty) {
            (Type::Array(item), Type::Integer | Type::Number | Type::Any) => {
                Known::of((**item).clone())
            }
            (Type::Object(fields), Type::String) => {
                let Expr::StringConstant(name, _) = index else { return Known::any() };
                if let Some(field) = fields.get(name.as_str()) {
                    return Known::field(field, None);
                }
                self.no_part(of, name.as_str(), at);
                Known::any()
            }
            (Type::Any | Type::Integer, _) | (_, Type::Any) | (Type::String, Type::Integer) => {
                Known::any()
            }
            (of, by) => {
                let message = format!("{} has nothing at {}", describe(of), describe(by));
                self.fault(FaultCode::Type, at, message, None);
                Known::any()
            }
        }
    }
}
