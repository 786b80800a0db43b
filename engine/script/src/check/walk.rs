//! The walk over the expressions of a tree: what each of them is, and what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use beistand_core::playbook::{FaultCode, Names, Type};
use rhai::{AST, Expr, FnCallExpr, Position, Stmt};

use super::defined::{Defined, assigned, defined};
use super::facts::{Fact, Facts, Proof};
use super::functions::Functions;
use super::types::{Family, Known, comparable, describe, either, family};
use super::{Faults, is_null, suggest};

/// What is known on the way through a tree.
pub(super) struct Walk<'a> {
    pub(super) names: &'a Names,
    pub(super) functions: &'a Functions,
    /// Functions and closures of the text, by name; several of one name differ in parameters.
    pub(super) defined: BTreeMap<(String, usize), Defined>,
    /// Variables of the text, the innermost last.
    pub(super) locals: Vec<(String, Known)>,
    /// Variables that are assigned to somewhere: their type is not followed.
    pub(super) assigned: BTreeSet<String>,
    /// Inside of a named function the context is not in scope.
    pub(super) inside_function: Option<String>,
    /// What holds here.
    pub(super) holds: Facts,
    /// Steps whose status was read since the last condition began.
    pub(super) looked_at: Facts,
    pub(super) reads: BTreeSet<Vec<String>>,
    pub(super) faults: Faults,
}

impl<'a> Walk<'a> {
    pub(super) fn new(ast: &AST, names: &'a Names, functions: &'a Functions) -> Self {
        Self {
            names,
            functions,
            defined: defined(ast),
            locals: Vec::new(),
            assigned: assigned(ast),
            inside_function: None,
            holds: Facts::new(),
            looked_at: Facts::new(),
            reads: BTreeSet::new(),
            faults: Faults::default(),
        }
    }

    pub(super) fn fault(
        &mut self,
        code: FaultCode,
        at: Position,
        message: String,
        hint: Option<String>,
    ) {
        self.faults.add(code, at, message, hint);
    }

    /// What a use of an expression gives. Using the output of a step that may have been skipped
    /// is a fault here; a status that was read counts as tested from here on.
    pub(super) fn value(&mut self, expression: &Expr) -> Known {
        let known = self.resolve(expression);
        self.used(&known, expression.start_position());
        let seen = std::mem::take(&mut self.looked_at);
        self.holds.extend(seen);
        Known { skippable: None, path: None, ..known }
    }

    /// Says so if the value may be the output of a skipped step.
    pub(super) fn used(&mut self, known: &Known, at: Position) {
        let Some(step) = &known.skippable else { return };
        let tested = self.holds.contains(&Fact::Tested(step.clone()))
            || known
                .path
                .as_ref()
                .is_some_and(|path| self.holds.contains(&Fact::NotNull(path.clone())));
        if !tested {
            let message = format!("step `{step}` may have been skipped, then this is null");
            let hint = format!(
                "write `?.` and `??`, or test `steps.{step}.status == \"succeeded\" &&` before it"
            );
            self.fault(FaultCode::Skippable, at, message, Some(hint));
        }
    }

    /// What an expression is, without using it: `??` and comparisons with null look only.
    #[expect(clippy::wildcard_enum_match_arm, reason = "outside type")]
    pub(super) fn resolve(&mut self, expression: &Expr) -> Known {
        match expression {
            Expr::BoolConstant(..) => Known::of(Type::Boolean),
            Expr::IntegerConstant(..) => Known::of(Type::Integer),
            Expr::FloatConstant(..) => Known::of(Type::Number),
            Expr::CharConstant(..) | Expr::StringConstant(..) => Known::of(Type::String),
            Expr::Unit(..) => Known::of(Type::Null),
            Expr::InterpolatedString(parts, _) => {
                parts.iter().for_each(|part| self.in_text(part));
                Known::of(Type::String)
            }
            Expr::Array(items, _) => self.list(items),
            Expr::Map(fields, _) => {
                self.object(fields.0.iter().map(|(name, value)| (name.as_str(), value)))
            }
            Expr::Variable(..) | Expr::Dot(..) | Expr::Index(..) => self.chain(expression),
            Expr::Stmt(block) => self.block_of(expression, block.statements()),
            Expr::FnCall(call, at) => self.function(call, *at),
            Expr::And(..) | Expr::Or(..) => {
                let (known, proof) = self.condition(expression);
                self.looked_at.extend(proof.yes);
                self.looked_at
                    .extend(proof.no.into_iter().filter(|fact| matches!(fact, Fact::Tested(_))));
                known
            }
            Expr::Coalesce(choices, _) => self.coalesce(choices),
            Expr::DynamicConstant(..) => {
                self.closure(expression, &[]);
                Known::any()
            }
            _ => Known::any(),
        }
    }

    /// A part of a text template: Rhai makes a block of what stands in `${…}`.
    fn in_text(&mut self, part: &Expr) {
        let known = self.value(part);
        let at = if let Expr::Stmt(block) = part {
            block.statements().first().map(Stmt::position)
        } else {
            None
        };
        self.text_of(&known.ty, at.unwrap_or_else(|| part.start_position()));
    }

    pub(super) fn text_of(&mut self, ty: &Type, at: Position) {
        let hint = match ty {
            Type::Array(_) => "write `join(list, \", \")` or `json(list)`",
            Type::Object(_) => "write `json(…)`",
            Type::Null => "give another value with `??`",
            Type::Any | Type::Boolean | Type::Integer | Type::Number | Type::String => return,
        };
        let message = format!("{} has no text of its own", describe(ty));
        self.fault(FaultCode::Type, at, message, Some(hint.to_owned()));
    }

    fn list(&mut self, items: &[Expr]) -> Known {
        let kinds: Vec<Known> = items.iter().map(|item| self.value(item)).collect();
        let item = kinds.into_iter().reduce(either).unwrap_or_default();
        let ty = if item.nullable { Type::Any } else { item.ty };
        Known::of(Type::Array(Box::new(ty)))
    }

    fn object<'e>(&mut self, fields: impl Iterator<Item = (&'e str, &'e Expr)>) -> Known {
        let fields = fields.map(|(name, value)| {
            let known = self.value(value);
            let field = beistand_core::playbook::Field {
                ty: known.ty,
                nullable: known.nullable,
                skippable: None,
            };
            (name.to_owned(), field)
        });
        let fields = fields.collect();
        Known::of(Type::Object(fields))
    }

    /// `a ?? b`: the first that is not null. All but the last may be null, that is what it is for.
    fn coalesce(&mut self, choices: &[Expr]) -> Known {
        let Some((last, others)) = choices.split_last() else { return Known::any() };
        let mut known: Option<Known> = None;
        for choice in others {
            let Known { ty, .. } = self.resolve(choice);
            let present = Known::of(ty);
            known = Some(match known {
                Some(before) => either(before, present),
                None => present,
            });
        }
        let last = self.value(last);
        let last_is_nullable = last.nullable || last.ty == Type::Null;
        let joined = match known {
            Some(before) => either(before, last),
            None => last,
        };
        Known { nullable: last_is_nullable, ..joined }
    }

    /// What a condition is, and what it proves.
    #[expect(clippy::wildcard_enum_match_arm, reason = "outside type")]
    pub(super) fn condition(&mut self, expression: &Expr) -> (Known, Proof) {
        match expression {
            Expr::And(parts, _) => (Known::of(Type::Boolean), self.joined(parts, Joined::And)),
            Expr::Or(parts, _) => (Known::of(Type::Boolean), self.joined(parts, Joined::Or)),
            Expr::FnCall(call, at) => match (call.name.as_str(), call.args.as_slice()) {
                ("!", [negated]) if call.is_operator_call() => {
                    let (known, proof) = self.condition(negated);
                    self.wants_boolean(&known, negated.start_position());
                    (Known::of(Type::Boolean), proof.negated())
                }
                ("==", [a, b]) => self.equality(a, b, *at),
                ("!=", [a, b]) => {
                    let (known, proof) = self.equality(a, b, *at);
                    (known, proof.negated())
                }
                _ => self.opaque(expression),
            },
            _ => self.opaque(expression),
        }
    }

    /// Each part is looked at under what the parts to its left prove.
    fn joined(&mut self, parts: &[Expr], how: Joined) -> Proof {
        let before = self.holds.clone();
        let mut whole: Option<Proof> = None;
        for part in parts {
            let (known, proof) = self.condition(part);
            self.wants_boolean(&known, part.start_position());
            let (holds_then, next) = match how {
                Joined::And => (proof.yes.clone(), whole.map(|w| w.and(proof.clone()))),
                Joined::Or => (proof.no.clone(), whole.map(|w| w.or(proof.clone()))),
            };
            whole = Some(next.unwrap_or(proof));
            self.holds.extend(holds_then);
        }
        self.holds = before;
        whole.unwrap_or_default()
    }

    /// A condition that can not be looked into: a status read in it counts as tested.
    fn opaque(&mut self, expression: &Expr) -> (Known, Proof) {
        let before = std::mem::take(&mut self.looked_at);
        let known = self.resolve(expression);
        self.used(&known, expression.start_position());
        let seen = std::mem::replace(&mut self.looked_at, before);
        (Known { skippable: None, path: None, ..known }, Proof::both(seen))
    }

    /// `a == b`, and what it proves.
    fn equality(&mut self, a: &Expr, b: &Expr, at: Position) -> (Known, Proof) {
        let given = Known::of(Type::Boolean);
        for (one, other) in [(a, b), (b, a)] {
            if is_null(other) {
                let known = self.resolve(one);
                let steps = known.skippable.map(Fact::Tested);
                let no = steps.into_iter().chain(known.path.map(Fact::NotNull)).collect();
                return (given, Proof { yes: Facts::new(), no });
            }
        }
        let before = std::mem::take(&mut self.looked_at);
        let (left, right) = (self.value_in_place(a), self.value_in_place(b));
        let seen = std::mem::replace(&mut self.looked_at, before);
        if !comparable(&left.ty, &right.ty) {
            let message = format!("{} never equals {}", describe(&left.ty), describe(&right.ty));
            self.fault(FaultCode::Type, at, message, None);
        }
        let skipped = [a, b].into_iter().any(|side| is_text(side, "skipped"));
        let proof = if skipped {
            Proof { yes: Facts::new(), no: seen }
        } else if [a, b].into_iter().any(|side| matches!(side, Expr::StringConstant(..))) {
            Proof { yes: seen, no: Facts::new() }
        } else {
            Proof::both(seen)
        };
        (given, proof)
    }

    /// As [`Self::value`], but what was read stays with the condition that reads it.
    fn value_in_place(&mut self, expression: &Expr) -> Known {
        let known = self.resolve(expression);
        self.used(&known, expression.start_position());
        Known { skippable: None, path: None, ..known }
    }

    pub(super) fn wants_boolean(&mut self, known: &Known, at: Position) {
        if !matches!(known.ty, Type::Any | Type::Boolean) {
            let message = format!("true or false is wanted here, not {}", describe(&known.ty));
            self.fault(FaultCode::Type, at, message, None);
        }
    }

    /// An operator of two sides that is no comparison for equality.
    pub(super) fn operator(
        &mut self,
        call: &FnCallExpr,
        a: &Expr,
        b: &Expr,
        at: Position,
    ) -> Known {
        let (left, right) = (self.value(a), self.value(b));
        let name = call.name.as_str();
        let ordered = matches!(name, "<" | "<=" | ">" | ">=");
        for (side, known) in [(a, &left), (b, &right)] {
            if known.nullable && family(&known.ty).is_some() {
                let message = format!("this may be null, and null has no `{name}`");
                let hint = Some("give another value with `??`".to_owned());
                self.fault(FaultCode::Type, side.start_position(), message, hint);
            }
        }
        let sides = (family(&left.ty), family(&right.ty));
        let fits = match (name, sides) {
            (_, (None, _) | (_, None)) => left.ty != Type::Null && right.ty != Type::Null,
            ("<" | "<=" | ">" | ">=", (Some(a), Some(b))) => {
                a == b && matches!(a, Family::Number | Family::Text)
            }
            ("+", (Some(a), Some(b))) => {
                let text = |a, b| {
                    a == Family::Text
                        && matches!(b, Family::Text | Family::Number | Family::Boolean)
                };
                text(a, b) || text(b, a) || (a == b && a != Family::Boolean)
            }
            ("-", (Some(Family::Text), Some(Family::Text)))
            | (_, (Some(Family::Number), Some(Family::Number)))
            | ("&" | "|" | "^", (Some(Family::Boolean), Some(Family::Boolean))) => true,
            (_, (Some(_), Some(_))) => false,
        };
        if !fits {
            let message = format!(
                "`{name}` does not work with {} and {}",
                describe(&left.ty),
                describe(&right.ty)
            );
            self.fault(FaultCode::Type, at, message, None);
        }
        if ordered { Known::of(Type::Boolean) } else { sum(name, left.ty, right.ty) }
    }

    pub(super) fn unknown_name(&mut self, name: &str, at: Position) {
        if let Some(reason) = self.names.absent.get(name) {
            return self.fault(FaultCode::UnknownName, at, reason.clone(), None);
        }
        let (message, hint) = match &self.inside_function {
            Some(function) if self.names.variables.contains_key(name) => (
                format!("`{name}` is not in scope inside of `{function}`"),
                Some(format!("a function sees only its parameters; give it `{name}`")),
            ),
            Some(_) | None => (format!("`{name}` is not in scope"), self.hint_for(name)),
        };
        self.fault(FaultCode::UnknownName, at, message, hint);
    }

    fn hint_for(&self, name: &str) -> Option<String> {
        let step = self.names.variables.get("steps").is_some_and(
            |steps| matches!(&steps.ty, Type::Object(steps) if steps.contains_key(name)),
        );
        if step {
            return Some(format!("a step is read as `steps.{name}`"));
        }
        let context = self.names.variables.keys().filter(|_| self.inside_function.is_none());
        let locals = self.locals.iter().map(|(name, _)| name);
        suggest::hint(name, context.chain(locals).map(String::as_str))
    }
}

#[derive(Debug, Clone, Copy)]
enum Joined {
    And,
    Or,
}

fn is_text(expression: &Expr, text: &str) -> bool {
    matches!(expression, Expr::StringConstant(constant, _) if constant.as_str() == text)
}

fn sum(name: &str, left: Type, right: Type) -> Known {
    Known::of(match (name, left, right) {
        (".." | "..=", _, _) => Type::Any,
        (_, Type::Integer, Type::Integer) => Type::Integer,
        (_, Type::Integer | Type::Number, Type::Integer | Type::Number) => Type::Number,
        ("+", Type::String, _) | ("+", _, Type::String) => Type::String,
        (_, Type::Boolean, Type::Boolean) => Type::Boolean,
        ("+", Type::Array(a), Type::Array(b)) if a == b => Type::Array(a),
        ("+", Type::Array(_), Type::Array(_)) => Type::Array(Box::new(Type::Any)),
        (_, _, _) => Type::Any,
    })
}
