//! Closures read copies of the context.
//!
//! Rhai shares a captured variable behind a lock and holds the lock while a method of the variable
//! runs, so `inputs.hosts.filter(|host| inputs.most > 1)` would fail. The context never changes:
//! inside of a closure `inputs` therefore is a variable of its own, `inputs'1`, and inside of a
//! closure in that closure `inputs'2`. The text's own variables are shared as Rhai does it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Engine, Expr, Position, Stmt, Token};

use crate::check::defined::{Defined, closure_of, defined};
use crate::error::place_of;

/// Where in a text a name of the context stands inside of a closure, and how many closures deep.
#[derive(Debug, Default)]
pub(crate) struct Captures {
    places: BTreeMap<(u32, u32), (String, usize)>,
    /// Names that the text declares itself.
    own: BTreeSet<String>,
}

/// A variable that is a copy of one of the context.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Alias {
    /// The variable's name in the context.
    pub(crate) of: String,
    /// The name of the copy. No text can contain it.
    pub(crate) name: String,
}

thread_local! {
    static RENAMED: RefCell<BTreeMap<(u32, u32), String>> = const { RefCell::new(BTreeMap::new()) };
}

/// Lets an engine rename what [`Captures::compile`] says.
#[expect(deprecated, reason = "not deprecated but volatile, says Rhai; the version is pinned")]
pub(crate) fn register(engine: &mut Engine) {
    engine.on_parse_token(|token, at, _| renamed(token, at));
}

#[expect(clippy::wildcard_enum_match_arm, reason = "outside type")]
fn renamed(token: Token, at: Position) -> Token {
    match token {
        Token::Identifier(name) => {
            let alias = RENAMED
                .with_borrow(|renamed| place_of(at).and_then(|place| renamed.get(&place).cloned()));
            Token::Identifier(alias.map_or(name, |alias| Box::new(alias.into())))
        }
        other => other,
    }
}

/// The name in the context of a name that may be a copy's.
pub(crate) fn original(name: &str) -> &str {
    name.split('\'').next().unwrap_or(name)
}

impl Captures {
    /// Finds them in a tree.
    pub(crate) fn of(ast: &AST) -> Self {
        let mut captures = Self::default();
        if ast.has_functions() {
            captures.visit(ast.statements(), 0, &mut defined(ast));
            let own = std::mem::take(&mut captures.own);
            captures.places.retain(|_, (name, _)| !own.contains(name));
        }
        captures
    }

    fn visit(
        &mut self,
        statements: &[Stmt],
        depth: usize,
        functions: &mut BTreeMap<(String, usize), Defined>,
    ) {
        let mut inside = Vec::new();
        for statement in statements {
            statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
                self.declared(path.last());
                // What fills the captured variables in is not in the text.
                let filled_in = path.iter().rev().skip(1).any(makes_closure);
                match path.last() {
                    Some(ASTNode::Expr(Expr::Variable(variable, _, at))) if !filled_in => {
                        if let Some(place) = place_of(*at).filter(|_| depth > 0) {
                            self.places.insert(place, (variable.1.to_string(), depth));
                        }
                    }
                    Some(ASTNode::Expr(expression)) if !filled_in => {
                        inside.extend(closure_of(expression));
                    }
                    _ => {}
                }
                true
            });
        }
        for made in inside {
            let key = functions.keys().find(|(name, _)| *name == made.name).cloned();
            let Some(function) = key.and_then(|key| functions.remove(&key)) else { continue };
            let parameters = function.parameters.into_iter().skip(made.captured.len());
            self.own.extend(parameters);
            self.visit(&function.body, depth + 1, functions);
        }
    }

    fn declared(&mut self, node: Option<&ASTNode<'_>>) {
        let Some(ASTNode::Stmt(statement)) = node else { return };
        if let Stmt::Var(parts, _, _) = statement {
            self.own.insert(parts.0.name.to_string());
        } else if let Stmt::For(parts, _) = statement {
            self.own.insert(parts.0.name.to_string());
            self.own.extend(parts.1.as_ref().map(|counter| counter.name.to_string()));
        } else if let Stmt::TryCatch(parts, _) = statement
            && let Expr::Variable(variable, _, _) = &parts.expr
        {
            self.own.insert(variable.1.to_string());
        }
    }

    /// Compiles again with the names of the copies. Nothing to do is `None`.
    pub(crate) fn compile<T>(self, compile: impl FnOnce() -> T) -> Option<(T, BTreeSet<Alias>)> {
        if self.places.is_empty() {
            return None;
        }
        let renamed: BTreeMap<_, _> = self
            .places
            .into_iter()
            .map(|(place, (of, depth))| (place, Alias { name: format!("{of}'{depth}"), of }))
            .collect();
        let aliases = renamed.values().cloned().collect();
        RENAMED.set(renamed.into_iter().map(|(place, alias)| (place, alias.name)).collect());
        let compiled = compile();
        RENAMED.take();
        Some((compiled, aliases))
    }
}

fn makes_closure(node: &ASTNode<'_>) -> bool {
    matches!(node, ASTNode::Expr(expression) if closure_of(expression).is_some())
}
