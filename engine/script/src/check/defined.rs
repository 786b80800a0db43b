//! What a text defines and changes, found before the walk begins.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Expr, FnPtr, Stmt};

use super::chain::root_name;

/// A function or closure of the text.
#[derive(Debug)]
pub(crate) struct Defined {
    pub(crate) parameters: Vec<String>,
    pub(crate) body: Vec<Stmt>,
}

/// The functions and closures of a tree with their bodies.
pub(crate) fn defined(ast: &AST) -> BTreeMap<(String, usize), Defined> {
    let heads: Vec<(String, Vec<String>)> = ast
        .iter_functions()
        .map(|function| {
            let parameters = function.params.iter().map(|name| (*name).to_owned()).collect();
            (function.name.to_owned(), parameters)
        })
        .collect();
    heads
        .into_iter()
        .map(|(name, parameters)| {
            let count = parameters.len();
            // Rhai shows the body of a function only by walking a tree that has nothing else.
            // (`clone_functions_only_filtered` of Rhai 1.27 keeps them all.)
            let mut alone = ast.clone_functions_only();
            alone.retain_functions(|_, _, other, parameters| other == name && parameters == count);
            let mut body = Vec::new();
            alone.walk(&mut |path: &[ASTNode<'_>]| {
                if let [ASTNode::Stmt(statement)] = path {
                    body.push((*statement).clone());
                }
                true
            });
            ((name, count), Defined { parameters, body })
        })
        .collect()
}

/// The variables that are assigned to, whole or in part.
pub(super) fn assigned(ast: &AST) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Stmt(Stmt::Assignment(assignment))) = path.last()
            && let Some(name) = root_name(&assignment.1.lhs)
        {
            names.insert(name.to_owned());
        }
        true
    });
    names
}

/// A place where a closure is made.
#[derive(Debug)]
pub(crate) struct Made {
    /// The name of its function.
    pub(crate) name: String,
    /// Variables around it that it captures; they come before its own parameters.
    pub(crate) captured: Vec<String>,
}

pub(super) fn is_closure(expression: &Expr) -> bool {
    closure_of(expression).is_some()
}

/// The closure that an expression makes.
///
/// Without captured variables Rhai makes it a constant; with some, a block that shares them and
/// then fills them in.
#[expect(clippy::wildcard_enum_match_arm, reason = "outside type")]
pub(crate) fn closure_of(expression: &Expr) -> Option<Made> {
    match expression {
        Expr::DynamicConstant(value, _) => {
            let function = value.read_lock::<FnPtr>()?;
            Some(Made { name: function.fn_name().to_owned(), captured: Vec::new() })
        }
        Expr::Stmt(block) => {
            let [Stmt::Share(captured), Stmt::Expr(made)] = block.statements() else { return None };
            let Expr::FnCall(call, _) = &**made else { return None };
            let captured = captured.iter().map(|(variable, _)| variable.name.to_string()).collect();
            Some(Made { captured, ..closure_of(call.args.first()?)? })
        }
        _ => None,
    }
}
