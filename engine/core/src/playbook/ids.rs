//! What a step, an input, a form field, a branch, a slot or a loop variable may be called.
//!
//! Scripts read `steps.mail_staff.output`, so an id must be one word of Rhai and none that Rhai
//! keeps for itself; and paths use some words of their own.

/// Words that Rhai keeps for itself (rhai 1.27, `types/token.rs`): keywords, reserved words, and
/// functions with their own syntax.
const RHAI: &[&str] = &[
    "as",
    "async",
    "await",
    "break",
    "call",
    "case",
    "catch",
    "const",
    "continue",
    "curry",
    "debug",
    "default",
    "do",
    "else",
    "eval",
    "exit",
    "export",
    "false",
    "fn",
    "for",
    "global",
    "go",
    "goto",
    "if",
    "import",
    "in",
    "is",
    "is_def_fn",
    "is_def_var",
    "is_shared",
    "let",
    "loop",
    "match",
    "module",
    "new",
    "nil",
    "null",
    "package",
    "print",
    "private",
    "protected",
    "public",
    "return",
    "shared",
    "spawn",
    "static",
    "super",
    "switch",
    "sync",
    "this",
    "thread",
    "throw",
    "true",
    "try",
    "type_of",
    "until",
    "use",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

/// Words that paths use between the ids of steps.
const PATHS: &[&str] = &["undo", "always", "on_error", "on_failure"];

/// What is wrong with an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadId {
    /// The end of a sentence that begins with the id.
    pub(super) why: &'static str,
    /// A name that would do, where one is near.
    pub(super) instead: Option<String>,
}

/// What an id names: paths have words of their own, inputs do not stand in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdOf {
    /// A step or a branch.
    Step,
    /// An input, a form field, a slot, a loop variable, an output.
    Name,
}

/// Whether a text may be an id.
pub(super) fn check_id(text: &str, of: IdOf) -> Result<(), BadId> {
    if RHAI.contains(&text) {
        let why = "is a word that scripts keep for themselves";
        return Err(BadId { why, instead: Some(format!("{text}_it")) });
    }
    if of == IdOf::Step && PATHS.contains(&text) {
        let why = "is a word that paths keep for themselves";
        return Err(BadId { why, instead: Some(format!("{text}_it")) });
    }
    if is_shaped(text) {
        return Ok(());
    }
    let why = "is no id: small letters, digits and `_`, beginning with a letter, at most 63";
    Err(BadId { why, instead: mended(text) })
}

fn is_shaped(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// The nearest id: capitals made small, everything else made `_`.
fn mended(text: &str) -> Option<String> {
    let mut mended = String::new();
    for c in text.chars().take(63) {
        match c {
            'ä' | 'Ä' => mended.push_str("ae"),
            'ö' | 'Ö' => mended.push_str("oe"),
            'ü' | 'Ü' => mended.push_str("ue"),
            'ß' => mended.push_str("ss"),
            c if c.is_ascii_alphanumeric() => mended.push(c.to_ascii_lowercase()),
            _ => mended.push('_'),
        }
    }
    let mended = mended.trim_matches('_').to_owned();
    let good = is_shaped(&mended) && !RHAI.contains(&mended.as_str());
    (good && !PATHS.contains(&mended.as_str())).then_some(mended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_id_comes_with_a_good_one() {
        for (bad, good) in [
            ("mail-staff", Some("mail_staff")),
            ("Mail Staff", Some("mail_staff")),
            ("löschen", Some("loeschen")),
            ("call", Some("call_it")),
            ("undo", Some("undo_it")),
            ("7up", None),
            ("", None),
        ] {
            assert_eq!(check_id(bad, IdOf::Step).unwrap_err().instead.as_deref(), good, "{bad}");
        }
        assert_eq!(check_id("mail_staff", IdOf::Step), Ok(()));
        assert_eq!(check_id("always", IdOf::Name), Ok(()));
    }
}
