//! What a text defines and changes, found before the walk begins.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Stmt};

use super::chain::root_name;

/// A function or closure of the text.
#[derive(Debug)]
pub(super) struct Defined {
    pub(super) parameters: Vec<String>,
    pub(super) body: Vec<Stmt>,
}

/// The functions and closures of a tree with their bodies.
pub(super) fn defined(ast: &AST) -> BTreeMap<(String, usize), Defined> {
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
