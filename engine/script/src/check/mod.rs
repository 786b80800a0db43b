//! What is wrong with a text before anything runs: names, functions, types, skipped steps.
//!
//! Rhai parses; the walk over its tree finds everything else, all at once. Only what is known for
//! sure is a fault: where a type is not known, every use is fine.

mod calls;
mod chain;
pub(crate) mod defined;
mod facts;
mod functions;
mod statements;
mod suggest;
mod types;
mod walk;

use beistand_core::playbook::{Checked, Fault, FaultCode, Names, ReadPath, ScriptKind, Type};
use rhai::{AST, ASTNode, Expr, ParseError, ParseErrorType, Position};

pub(crate) use functions::Functions;
use walk::Walk;

use crate::engine::WORDS_WITHOUT;
use crate::error::place_of;
use crate::limits::{EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX, FUNCTIONS_MAX, SCRIPT_BYTES_MAX};

/// Deepest tree that is walked, statements counted. Long `else if` chains nest without Rhai's
/// limit on expressions noticing.
const TREE_DEPTH_MAX: usize = 2_000;

/// Whether a text may be parsed at all.
pub(crate) fn size(text: &str, kind: ScriptKind) -> Result<(), Fault> {
    let (what, most) = match kind {
        ScriptKind::Expression => ("expression", EXPRESSION_BYTES_MAX),
        ScriptKind::Script => ("script", SCRIPT_BYTES_MAX),
    };
    if text.len() <= most {
        return Ok(());
    }
    Err(Fault {
        code: FaultCode::Limit,
        line: 1,
        column: 1,
        message: format!("the {what} has {} bytes, at most {most} are allowed", text.len()),
        hint: Some("split it into steps".to_owned()),
    })
}

/// The engine itself failed.
pub(crate) fn broken(sentence: String) -> Fault {
    Fault { code: FaultCode::Limit, line: 1, column: 1, message: sentence, hint: None }
}

/// Why Rhai could not parse a text.
#[expect(clippy::wildcard_enum_match_arm, reason = "outside type")]
pub(crate) fn syntax_fault(error: &ParseError) -> Fault {
    use ParseErrorType as P;
    let (code, message, hint) = match error.err_type() {
        P::ExprTooDeep => (
            FaultCode::Limit,
            format!("it nests deeper than {EXPRESSION_DEPTH_MAX} levels"),
            Some("name parts of it with `let`, or split it into steps".to_owned()),
        ),
        P::TooManyFunctions => (
            FaultCode::Limit,
            format!("it has more than {FUNCTIONS_MAX} functions and closures"),
            None,
        ),
        P::LiteralTooLarge(what, most) => {
            (FaultCode::Limit, format!("{what} is over {most}"), None)
        }
        P::Reserved(word) if WORDS_WITHOUT.contains(&word.as_str()) => without(word),
        P::BadInput(rhai::LexError::ImproperSymbol(word, _))
            if WORDS_WITHOUT.contains(&word.as_str()) =>
        {
            without(word)
        }
        P::UnexpectedEOF => (FaultCode::Syntax, "it ends too early".to_owned(), None),
        other => (FaultCode::Syntax, lower_first(&other.to_string()), None),
    };
    let (line, column) = place_of(error.position()).unwrap_or((1, 1));
    Fault { code, line, column, message, hint }
}

fn without(word: &str) -> (FaultCode, String, Option<String>) {
    let hint = match word {
        "const" => Some("write `let`".to_owned()),
        "Fn" | "curry" => Some("write a closure: `|x| …`".to_owned()),
        "print" | "debug" => {
            Some("give it as part of the step's value, or use a `note`".to_owned())
        }
        _ => None,
    };
    (FaultCode::Limit, format!("`{word}` is not part of the playbook language"), hint)
}

fn lower_first(sentence: &str) -> String {
    let mut characters = sentence.chars();
    let first = characters.next().map(|first| first.to_lowercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}

/// Checks a tree against the names in scope.
pub(crate) fn check(
    ast: &AST,
    kind: ScriptKind,
    names: &Names,
    functions: &Functions,
) -> Result<Checked, Vec<Fault>> {
    if let Some(fault) = too_deep(ast) {
        return Err(vec![fault]);
    }
    let mut walk = Walk::new(ast, names, functions);
    let given = walk.program(ast.statements());
    let faults = walk.faults.into_sorted();
    if !faults.is_empty() {
        return Err(faults);
    }
    let bare = kind == ScriptKind::Expression && chain::is_bare(ast.statements(), names);
    Ok(Checked {
        reads: shortest(walk.reads),
        // What may be null has no type that could be relied upon.
        ty: if given.nullable { Type::Any } else { given.ty },
        bare,
    })
}

fn too_deep(ast: &AST) -> Option<Fault> {
    let mut at = None;
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if path.len() > TREE_DEPTH_MAX {
            at = path.last().map(ASTNode::position);
        }
        at.is_none()
    });
    let (line, column) = place_of(at?).unwrap_or((1, 1));
    let message = format!("it nests deeper than {TREE_DEPTH_MAX} levels");
    Some(Fault { code: FaultCode::Limit, line, column, message, hint: None })
}

/// Without those that a shorter one covers. Sorted: a prefix comes right before what it covers.
fn shortest(reads: std::collections::BTreeSet<Vec<String>>) -> Vec<ReadPath> {
    let mut kept: Vec<ReadPath> = Vec::new();
    for path in reads {
        if !kept.last().is_some_and(|shorter| path.starts_with(&shorter.0)) {
            kept.push(ReadPath(path));
        }
    }
    kept
}

/// Faults by place, each said once, however often a closure is looked at.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, code: FaultCode, at: Position, message: String, hint: Option<String>) {
        let (line, column) = place_of(at).unwrap_or((1, 1));
        let fault = Fault { code, line, column, message, hint };
        if !self.0.contains(&fault) {
            self.0.push(fault);
        }
    }

    fn into_sorted(mut self) -> Vec<Fault> {
        self.0.sort_by_key(|fault| (fault.line, fault.column));
        self.0
    }
}

/// Whether an expression is `()`, that is null.
fn is_null(expression: &Expr) -> bool {
    matches!(expression, Expr::Unit(..))
}
