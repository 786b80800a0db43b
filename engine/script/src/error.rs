//! Rhai's errors in the words of people who write playbooks, with the place in their text.

use beistand_core::playbook::EvalError;
use rhai::{Dynamic, EvalAltResult, ParseError, Position};

use crate::captures::original;
use crate::limits::{CALL_LEVELS_MAX, MEMORY_BUDGET, Stop, VARIABLES_MAX};
use crate::{check, value};

/// Longest sentence: what a script throws can be as long as it likes.
const SENTENCE_CHARS_MAX: usize = 500;

/// An error without a place.
pub(crate) fn sentence(message: impl Into<String>) -> EvalError {
    EvalError { message: cut(message.into()), at: None }
}

/// A text that is no Rhai.
pub(crate) fn syntax(error: &ParseError) -> EvalError {
    let fault = check::syntax_fault(error);
    EvalError { message: cut(fault.message), at: Some((fault.line, fault.column)) }
}

/// An evaluation that the watch stopped. The error, if one came out, has the place.
pub(crate) fn stopped(stop: &Stop, error: Option<EvalError>) -> EvalError {
    let message = match stop {
        Stop::Operations(most) => format!("it takes more than {most} operations"),
        Stop::Time(most) => format!("it takes longer than {} ms", most.as_millis()),
        Stop::Memory => format!("it needs more than {} MiB of memory", MEMORY_BUDGET / 1024 / 1024),
        Stop::Fault(sentence) => sentence.clone(),
    };
    EvalError { message: cut(message), at: error.and_then(|error| error.at) }
}

/// An evaluation that failed.
pub(crate) fn evaluation(error: &EvalAltResult) -> EvalError {
    let cause = innermost(error);
    EvalError { message: cut(message(cause)), at: place_of(cause.position()) }
}

/// What failed, not the calls that led there: all of them are in one text.
fn innermost(error: &EvalAltResult) -> &EvalAltResult {
    if let EvalAltResult::ErrorInFunctionCall(_, _, inner, _) = error {
        innermost(inner)
    } else {
        error
    }
}

/// Line and column from 1, where known.
pub(crate) fn place_of(position: Position) -> Option<(u32, u32)> {
    let line = u32::try_from(position.line()?).ok()?;
    // At the beginning of a line Rhai counts no column.
    let column = u32::try_from(position.position().unwrap_or(1)).ok()?;
    Some((line, column))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "outside type")]
fn message(error: &EvalAltResult) -> String {
    use EvalAltResult as E;
    match error {
        E::ErrorRuntime(thrown, _) => thrown_words(thrown),
        E::ErrorVariableNotFound(name, _) => format!("`{}` is not in scope", original(name)),
        E::ErrorPropertyNotFound(name, _) => format!("there is no part `{name}`"),
        E::ErrorIndexNotFound(_, _) => "there is nothing at this index".to_owned(),
        E::ErrorFunctionNotFound(signature, _) => no_function(signature),
        E::ErrorDotExpr(what, _) => no_part(what),
        E::ErrorMismatchDataType(wanted, found, _) => {
            format!("{} is wanted here, not {}", kind(wanted), kind(found))
        }
        E::ErrorIndexingType(found, _) => format!("{} has no parts to index", kind(found)),
        E::ErrorArrayBounds(length, index, _) => {
            format!("the list has {length} items, there is none at {index}")
        }
        E::ErrorStringBounds(length, index, _) => {
            format!("the text has {length} characters, there is none at {index}")
        }
        E::ErrorFor(_) => "`for` needs a list, a text or a range".to_owned(),
        E::ErrorArithmetic(what, _) => what.clone(),
        E::ErrorTooManyVariables(_) => format!("more than {VARIABLES_MAX} variables"),
        E::ErrorStackOverflow(_) => format!("more than {CALL_LEVELS_MAX} nested calls"),
        E::ErrorDataRace(..) => {
            "a variable is used inside while a method of it runs; copy it first with `let`"
                .to_owned()
        }
        E::ErrorUnboundThis(_) => "`this` is nothing here".to_owned(),
        E::LoopBreak(..) => "`break` and `continue` stand only in loops".to_owned(),
        // The rest never shows values, so it can be printed as it is.
        other => lower_first(&other.to_string()),
    }
}

/// A thrown text is the sentence; an object's `message` too. Never Rhai's own printing of values,
/// which recurses without end.
fn thrown_words(thrown: &Dynamic) -> String {
    if let Ok(text) = thrown.as_immutable_string_ref() {
        return text.to_string();
    }
    match value::from_dynamic(thrown.clone()) {
        Ok(value) => format!("the script threw {value}"),
        Err(_) => format!("the script threw {}", value::describe(thrown)),
    }
}

/// `foo (i64, &str | ImmutableString | String)` in words.
fn no_function(signature: &str) -> String {
    let (name, arguments) = signature.split_once(" (").unwrap_or((signature, ")"));
    let kinds: Vec<&str> = arguments
        .trim_end_matches(')')
        .split(", ")
        .filter(|argument| !argument.is_empty())
        .map(kind)
        .collect();
    if kinds.is_empty() {
        format!("there is no function `{name}`")
    } else {
        format!("there is no `{name}` for {}", kinds.join(" and "))
    }
}

/// Rhai names the part and the type in a sentence of its own.
fn no_part(what: &str) -> String {
    let mut quoted = what.split('\'').skip(1).step_by(2);
    match (quoted.next(), quoted.next()) {
        (Some(part), Some(of)) => format!("{} has no part `{part}`", kind(of)),
        (_, _) => lower_first(what),
    }
}

/// Rhai's name of a type in words.
fn kind(name: &str) -> &str {
    match name.trim() {
        "()" => "null",
        "bool" => "a boolean",
        "i64" => "a whole number",
        "f64" => "a number",
        "string" | "&str | ImmutableString | String" => "a text",
        "char" => "a character",
        "array" => "a list",
        "map" => "an object",
        "Fn" => "a function",
        other => other,
    }
}

fn lower_first(sentence: &str) -> String {
    let mut characters = sentence.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}

fn cut(mut sentence: String) -> String {
    if let Some((end, _)) = sentence.char_indices().nth(SENTENCE_CHARS_MAX) {
        sentence.truncate(end);
        sentence.push('…');
    }
    sentence
}
