//! The walk over statements: variables and their scopes, branches, loops, functions.

use beistand_core::playbook::{FaultCode, Type};
use rhai::{ASTFlags, Expr, FlowControl, OpAssignment, Stmt};

use super::defined::Defined;
use super::facts::Facts;
use super::types::{Known, either, loosened};
use super::walk::Walk;

impl Walk<'_> {
    /// A whole text: its functions, then its statements.
    pub(super) fn program(&mut self, statements: &[Stmt]) -> Known {
        let named: Vec<(String, usize)> =
            self.defined.keys().filter(|(name, _)| !name.contains('$')).cloned().collect();
        for key in named {
            // Put back afterwards: it may call itself by name and number of parameters.
            let Some(Defined { parameters, body }) = self.defined.remove(&key) else { continue };
            self.defined.insert(key.clone(), Defined { parameters: Vec::new(), body: Vec::new() });
            self.inside_function = Some(key.0.clone());
            self.locals = parameters.iter().map(|name| (name.clone(), Known::any())).collect();
            self.block(&body);
            self.locals.clear();
            self.holds.clear();
            self.looked_at.clear();
            self.inside_function = None;
            self.defined.insert(key, Defined { parameters, body });
        }
        self.block(statements)
    }

    /// Statements in a scope of their own; gives what the last one gives.
    pub(super) fn block(&mut self, statements: &[Stmt]) -> Known {
        let depth = self.locals.len();
        let mut given = Known::of(Type::Null);
        for statement in statements {
            given = self.statement(statement);
            let seen = std::mem::take(&mut self.looked_at);
            self.holds.extend(seen);
        }
        self.locals.truncate(depth);
        if returns(statements) { Known::any() } else { given }
    }

    /// A block that stands as an expression; closures look like one.
    pub(super) fn block_of(&mut self, expression: &Expr, statements: &[Stmt]) -> Known {
        if self.closure(expression, &[]).is_some() {
            return Known::any();
        }
        self.block(statements)
    }

    /// A block under a condition: what holds in it is forgotten afterwards.
    fn branch(&mut self, statements: &[Stmt], facts: Facts) -> Known {
        let before = self.holds.clone();
        self.holds.extend(facts);
        let given = self.block(statements);
        self.holds = before;
        given
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "outside type")]
    fn statement(&mut self, statement: &Stmt) -> Known {
        match statement {
            Stmt::Expr(expression) => self.value(expression),
            Stmt::FnCall(call, at) => {
                let known = self.function(call, *at);
                Known { skippable: None, path: None, ..known }
            }
            Stmt::If(flow, _) => self.branching(flow),
            Stmt::Switch(parts, _) => {
                self.value(&parts.0);
                let mut given: Option<Known> = None;
                for case in &parts.1.expressions {
                    let (_, proof) = self.condition(&case.lhs);
                    let before = self.holds.clone();
                    self.holds.extend(proof.yes);
                    let known = self.value(&case.rhs);
                    self.holds = before;
                    given = Some(match given {
                        Some(before) => either(before, known),
                        None => known,
                    });
                }
                let given = given.unwrap_or_default();
                if parts.1.def_case.is_some() { given } else { given.or_null() }
            }
            Stmt::While(flow, _) | Stmt::Do(flow, _, _) => self.repeated(flow),
            Stmt::For(parts, _) => {
                let (item, counter, flow) = &**parts;
                self.each(
                    item.name.as_str(),
                    counter.as_ref().map(|name| name.name.as_str()),
                    flow,
                );
                Known::any()
            }
            Stmt::Var(parts, _, _) => {
                let (name, first, _) = &**parts;
                let known = self.value(first);
                self.bind(
                    name.name.as_str(),
                    known,
                    matches!(first, Expr::Array(..) | Expr::Map(..)),
                );
                Known::of(Type::Null)
            }
            Stmt::Assignment(parts) => {
                let (how, pair) = &**parts;
                self.assignment(how, &pair.lhs, &pair.rhs);
                Known::of(Type::Null)
            }
            Stmt::Block(block) => self.block(block.statements()),
            Stmt::TryCatch(flow, _) => {
                let tried = self.branch(flow.body.statements(), Facts::new());
                let depth = self.locals.len();
                if let Expr::Variable(variable, _, _) = &flow.expr {
                    self.locals.push((variable.1.to_string(), Known::any()));
                }
                let caught = self.branch(flow.branch.statements(), Facts::new());
                self.locals.truncate(depth);
                either(tried, caught)
            }
            Stmt::BreakLoop(Some(value), _, _) | Stmt::Return(Some(value), _, _) => {
                self.value(value);
                Known::any()
            }
            Stmt::Noop(_) => Known::of(Type::Null),
            _ => Known::any(),
        }
    }

    fn branching(&mut self, flow: &FlowControl) -> Known {
        let (known, proof) = self.condition(&flow.expr);
        self.wants_boolean(&known, flow.expr.start_position());
        let then = self.branch(flow.body.statements(), proof.yes.clone());
        let otherwise = if flow.branch.is_empty() {
            Known::of(Type::Null)
        } else {
            self.branch(flow.branch.statements(), proof.no.clone())
        };
        // `if … { return }`: the rest is the other case.
        if leaves(flow.body.statements()) {
            self.holds.extend(proof.no);
            return otherwise;
        }
        if leaves(flow.branch.statements()) {
            self.holds.extend(proof.yes);
            return then;
        }
        either(then, otherwise)
    }

    fn repeated(&mut self, flow: &FlowControl) -> Known {
        // `loop` has no condition.
        if !super::is_null(&flow.expr) {
            let (known, _) = self.condition(&flow.expr);
            self.wants_boolean(&known, flow.expr.start_position());
        }
        self.branch(flow.body.statements(), Facts::new());
        Known::any()
    }

    fn each(&mut self, item: &str, counter: Option<&str>, flow: &FlowControl) {
        let list = self.value(&flow.expr);
        let known = match list.ty {
            Type::Array(item) => Known::of(*item),
            Type::Any | Type::String => Known::any(),
            other @ (Type::Null
            | Type::Boolean
            | Type::Integer
            | Type::Number
            | Type::Object(_)) => {
                let message =
                    format!("`for` goes through a list, not {}", super::types::describe(&other));
                self.fault(FaultCode::Type, flow.expr.start_position(), message, None);
                Known::any()
            }
        };
        let depth = self.locals.len();
        self.bind(item, known, false);
        if let Some(counter) = counter {
            self.bind(counter, Known::of(Type::Integer), false);
        }
        self.branch(flow.body.statements(), Facts::new());
        self.locals.truncate(depth);
    }

    /// A new variable. What is changed later, whole or by methods, has no type to rely upon.
    fn bind(&mut self, name: &str, known: Known, is_filled: bool) {
        let known = if self.assigned.contains(name) {
            Known::any()
        } else if is_filled {
            Known::of(loosened(&known.ty))
        } else {
            Known { skippable: None, path: None, ..known }
        };
        self.locals.push((name.to_owned(), known));
    }

    fn assignment(&mut self, how: &OpAssignment, to: &Expr, value: &Expr) {
        let known = self.value(value);
        if let Some(root) = super::chain::root_name(to)
            && self.names.variables.contains_key(root)
            && !self.locals.iter().any(|(local, _)| local == root)
        {
            let message = format!("`{root}` can not be changed");
            let hint = Some(format!("copy it first: `let copy = {root};`"));
            self.fault(FaultCode::Limit, to.start_position(), message, hint);
            return;
        }
        // Only to find unknown names in it: `a.b[c] = …`.
        let target = self.resolve(to);
        if let Some((_, _, _, _, _, "+")) = how.get_op_assignment_info()
            && target.ty == Type::String
        {
            self.text_of(&known.ty, value.start_position());
        }
    }
}

/// Whether these statements always leave what they stand in.
fn leaves(statements: &[Stmt]) -> bool {
    matches!(statements.last(), Some(Stmt::Return(..) | Stmt::BreakLoop(..)))
}

/// Whether a `return` with a value stands among these statements: then the last one is not all.
fn returns(statements: &[Stmt]) -> bool {
    let mut found = false;
    for statement in statements {
        statement.walk(&mut Vec::new(), &mut |path: &[rhai::ASTNode<'_>]| {
            let throws = |flags: ASTFlags| flags.contains(ASTFlags::BREAK);
            if let Some(rhai::ASTNode::Stmt(Stmt::Return(_, flags, _))) = path.last() {
                found |= !throws(*flags);
            }
            !found
        });
    }
    found
}
