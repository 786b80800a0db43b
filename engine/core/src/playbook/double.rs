//! A test double for the script language: it knows paths, and nothing else of Rhai.
//!
//! The real one lives in a crate that depends on this one; the suites check with it.

use serde_json::{Map, Value};

use super::{
    Checked, EvalError, Expressions, Fault, FaultCode, Field, Names, ReadPath, ScriptKind, Type,
};

/// Resolves paths like `steps.look.output?.attack`; whatever else is in a text is taken as it is.
#[derive(Debug)]
pub(super) struct Paths;

impl Expressions for Paths {
    fn check(&self, text: &str, _kind: ScriptKind, names: &Names) -> Result<Checked, Vec<Fault>> {
        let (mut reads, mut faults, mut last) = (Vec::new(), Vec::new(), Type::Any);
        let mut rest = text;
        let mut column: usize = 1;
        while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '"') {
            column += rest.get(..start).unwrap_or_default().chars().count();
            rest = rest.get(start..).unwrap_or_default();
            let end = match rest.strip_prefix('"') {
                Some(quoted) => quoted.find('"').map_or(rest.len(), |end| end + 2),
                None => rest
                    .find(|c: char| !c.is_ascii_alphanumeric() && !"_.?".contains(c))
                    .unwrap_or(rest.len()),
            };
            let (word, after) = rest.split_at(end);
            if !word.starts_with('"')
                && !after.starts_with('(')
                && !["true", "false"].contains(&word)
            {
                match resolve(word, names) {
                    Ok(field) => {
                        last = field.ty;
                        reads.push(ReadPath(
                            word.split('.').map(|part| part.replace('?', "")).collect(),
                        ));
                    }
                    Err((code, message)) => {
                        let column = u32::try_from(column).unwrap_or(u32::MAX);
                        faults.push(Fault { code, line: 1, column, message, hint: None });
                    }
                }
            }
            column += word.chars().count();
            rest = after;
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let bare = reads.len() == 1 && !text.contains([' ', '"', '(']);
        let compares =
            ["==", "!=", " > ", " < ", "&&", "||"].iter().any(|sign| text.contains(sign));
        let ty = match (bare, compares) {
            (true, _) => last,
            (false, true) => Type::Boolean,
            (false, false) => Type::Any,
        };
        Ok(Checked { reads, ty, bare })
    }

    fn evaluate(
        &self,
        _text: &str,
        _kind: ScriptKind,
        _values: &Map<String, Value>,
    ) -> Result<Value, EvalError> {
        Err(EvalError { message: "the double does not evaluate".to_owned(), at: None })
    }
}

fn resolve(path: &str, names: &Names) -> Result<Field, (FaultCode, String)> {
    let mut fields = Some(&names.variables);
    let mut found: Option<Field> = None;
    let mut safe = path.contains("??");
    for part in path.trim_end_matches(['?', '.']).split('.') {
        safe |= part.ends_with('?');
        let name = part.trim_end_matches('?');
        if let Some(field) = &found
            && field.skippable.is_some()
            && !safe
        {
            return Err((FaultCode::Skippable, format!("`{path}` may have been skipped")));
        }
        let Some(known) = fields else {
            return Ok(Field::present(Type::Any));
        };
        let unknown = || {
            let why = names.absent.get(name).cloned();
            (FaultCode::UnknownName, why.unwrap_or_else(|| format!("`{name}` is not in scope")))
        };
        let field = known.get(name).ok_or_else(unknown)?;
        found = Some(field.clone());
        fields = match &field.ty {
            Type::Object(fields) => Some(fields),
            Type::Any
            | Type::Null
            | Type::Boolean
            | Type::Integer
            | Type::Number
            | Type::String
            | Type::Array(_) => None,
        };
    }
    found.ok_or_else(|| (FaultCode::Syntax, "nothing is read".to_owned()))
}
