//! Calls: of Rhai's functions and ours, of functions and closures of the text itself.

use beistand_core::playbook::{FaultCode, Type};
use rhai::{Expr, FnCallExpr, Position};

use super::defined::{closure_of, is_closure};
use super::functions::{NoForm, closure_gets, gives, in_words};
use super::suggest;
use super::types::Known;
use super::walk::Walk;

impl Walk<'_> {
    /// `name(a, b)`, and operators, which are calls too.
    pub(super) fn function(&mut self, call: &FnCallExpr, at: Position) -> Known {
        match (call.name.as_str(), call.args.as_slice()) {
            ("==" | "!=" | "!", _) if call.is_operator_call() || call.args.len() == 2 => {
                let whole = Expr::FnCall(Box::new(call.clone()), at);
                let (known, proof) = self.condition(&whole);
                self.looked_at.extend(proof.yes);
                self.looked_at.extend(proof.no);
                known
            }
            (_, [a, b]) if call.is_operator_call() && call.name != "contains" => {
                self.operator(call, a, b, at)
            }
            ("-" | "+", [negated]) if call.is_operator_call() => {
                let known = self.value(negated);
                if !matches!(known.ty, Type::Any | Type::Integer | Type::Number) {
                    let message =
                        format!("a number is wanted here, not {}", in_words(&[&known.ty]));
                    self.fault(FaultCode::Type, at, message, None);
                }
                known
            }
            (_, [first, rest @ ..]) => {
                let first = if is_closure(first) { None } else { Some(self.value(first)) };
                match first {
                    Some(first) => self.call(Some(first), call, rest, at),
                    None => self.call(None, call, &call.args, at),
                }
            }
            (_, []) => self.call(None, call, &[], at),
        }
    }

    /// `receiver.name(a)`: the receiver is the first value.
    pub(super) fn method(&mut self, receiver: Known, call: &FnCallExpr, at: Position) -> Known {
        let own = (call.name.to_string(), call.args.len());
        if call.name == "call" || self.defined.contains_key(&own) {
            // A closure, or a function of the text with the receiver as `this`.
            call.args.iter().for_each(|argument| drop(self.value(argument)));
            return Known::any();
        }
        self.call(Some(receiver), call, &call.args, at)
    }

    fn call(
        &mut self,
        first: Option<Known>,
        call: &FnCallExpr,
        rest: &[Expr],
        at: Position,
    ) -> Known {
        let name = call.name.as_str();
        let first = first.map(|known| known.ty);
        let count = rest.len() + usize::from(first.is_some());
        let mut given: Vec<Type> = first.iter().cloned().collect();
        let mut closure_result = None;
        for argument in rest {
            if is_closure(argument) && self.functions.takes_closure(name, count, given.len()) {
                let result = self.closure(argument, &closure_gets(name, first.as_ref()));
                closure_result = Some(result.unwrap_or_default());
                given.push(Type::Any);
            } else {
                given.push(self.value(argument).ty);
            }
        }
        if self.defined.contains_key(&(name.to_owned(), count)) {
            return Known::any();
        }
        let given: Vec<&Type> = given.iter().collect();
        match self.functions.takes(name, &given) {
            Ok(()) => gives(name, first.as_ref(), closure_result),
            Err(reason) => {
                self.no_form(name, &given, &reason, at);
                Known::any()
            }
        }
    }

    /// Rhai locks a variable while a method of it runs, so the method's closure must not touch it.
    /// (Closures read copies of the context; the text's own variables they share.)
    pub(super) fn not_in_use(&mut self, root: &str, call: &FnCallExpr) {
        if !self.locals.iter().any(|(local, _)| local == root) {
            return;
        }
        for argument in &call.args {
            let Some(made) = closure_of(argument) else { continue };
            if made.captured.iter().any(|name| name == root) {
                let message = format!("`{root}` can not be used inside while `{}` runs", call.name);
                let hint = Some(format!("copy it first: `let copy = {root};`"));
                self.fault(FaultCode::Limit, argument.start_position(), message, hint);
            }
        }
    }

    fn no_form(&mut self, name: &str, given: &[&Type], reason: &NoForm, at: Position) {
        let (code, message, hint) = match reason {
            NoForm::Name => {
                let is_variable = self.locals.iter().any(|(local, _)| local == name);
                let own = self.defined.keys().map(|(name, _)| name.as_str());
                let hint = if is_variable {
                    Some(format!("a closure in a variable is called as `{name}.call(…)`"))
                } else {
                    suggest::hint(name, self.functions.names().chain(own))
                };
                (FaultCode::UnknownFunction, format!("there is no function `{name}`"), hint)
            }
            NoForm::Count(counts) => {
                let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
                let message =
                    format!("`{name}` takes {} values, not {}", counts.join(" or "), given.len());
                (FaultCode::UnknownFunction, message, None)
            }
            NoForm::Types => {
                (FaultCode::Type, format!("there is no `{name}` for {}", in_words(given)), None)
            }
        };
        self.fault(code, at, message, hint);
    }

    /// Looks into a closure whose parameters get these types. Gives the type of its result.
    pub(super) fn closure(&mut self, expression: &Expr, gets: &[Type]) -> Option<Type> {
        let made = closure_of(expression)?;
        let key = self.defined.keys().find(|(name, _)| *name == made.name)?.clone();
        // Taken out while it is walked: a closure can not contain itself.
        let defined = self.defined.remove(&key)?;
        let own = defined.parameters.get(made.captured.len()..).unwrap_or_default();
        let depth = self.locals.len();
        let (holds, looked_at) = (self.holds.clone(), std::mem::take(&mut self.looked_at));
        for (index, parameter) in own.iter().enumerate() {
            let known = if self.assigned.contains(parameter) {
                Known::any()
            } else {
                Known::of(gets.get(index).cloned().unwrap_or_default())
            };
            self.locals.push((parameter.clone(), known));
        }
        let given = self.block(&defined.body);
        self.locals.truncate(depth);
        (self.holds, self.looked_at) = (holds, looked_at);
        self.defined.insert(key, defined);
        Some(if given.nullable { Type::Any } else { given.ty })
    }
}
