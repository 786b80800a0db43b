//! Texts with `${expr}` in them: where each expression begins and ends.
//!
//! An expression ends at its matching brace. Finding it takes knowing Rhai's strings, comments and
//! braces, and nothing else of Rhai. `$${` is a literal `${`.

/// A text, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parts<'t> {
    /// In order; texts are never empty and never stand side by side.
    pub(super) parts: Vec<Part<'t>>,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<'t> {
    /// As it stands, `$${` already made `${`.
    Text(String),
    /// The inside of `${…}`, and the number of its first character in the whole text, from 0.
    Expression { text: &'t str, offset: usize },
}

/// A `${` that can not be read, with the number of its `$` in the text, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// There is no matching brace.
    Open(usize),
    /// There is nothing between the braces.
    Empty(usize),
}

/// Takes a text apart.
pub(super) fn parse(text: &str) -> Result<Parts<'_>, Broken> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    let mut offset = 0;
    while let Some(dollar) = rest.find('$') {
        let (before, from) = rest.split_at(dollar);
        plain.push_str(before);
        offset += before.chars().count();
        if let Some(after) = from.strip_prefix("$${") {
            plain.push_str("${");
            offset += 3;
            rest = after;
        } else if let Some(inside) = from.strip_prefix("${") {
            let end = end_of(inside).ok_or(Broken::Open(offset))?;
            let (expression, after) = inside.split_at(end);
            if expression.trim().is_empty() {
                return Err(Broken::Empty(offset));
            }
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Expression { text: expression, offset: offset + 2 });
            offset += expression.chars().count() + 3;
            rest = after.strip_prefix('}').unwrap_or(after);
        } else {
            plain.push('$');
            offset += 1;
            rest = from.strip_prefix('$').unwrap_or(from);
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    Ok(Parts { parts })
}

/// Whether a text holds a `${` that would be filled in.
pub(super) fn has_expression(text: &str) -> bool {
    parse(text).map_or(true, |parts| {
        parts.parts.iter().any(|part| matches!(part, Part::Expression { .. }))
    })
}

/// What the reader is inside of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// Braces, of an object, a block or `${}`.
    Braces,
    /// A text in double quotes.
    Quotes,
    /// A text in backticks, which may hold `${}` again.
    Backticks,
    /// A comment, so many deep.
    Comment(u32),
}

/// Where the matching `}` of an already opened brace stands, in bytes.
fn end_of(text: &str) -> Option<usize> {
    let mut stack = vec![Inside::Braces];
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        match (*stack.last()?, c, next) {
            (Inside::Comment(1), '*', Some('/')) => {
                stack.pop();
                characters.next();
            }
            (Inside::Comment(depth), '*', Some('/')) => {
                replace_last(&mut stack, Inside::Comment(depth - 1));
                characters.next();
            }
            (Inside::Comment(depth), '/', Some('*')) => {
                replace_last(&mut stack, Inside::Comment(depth + 1));
                characters.next();
            }
            (Inside::Quotes, '\\', _) => {
                characters.next();
            }
            (Inside::Quotes, '"', _) | (Inside::Backticks, '`', _) => {
                stack.pop();
            }
            (Inside::Backticks, '$', Some('{')) => {
                stack.push(Inside::Braces);
                characters.next();
            }
            (Inside::Braces, '{', _) => stack.push(Inside::Braces),
            (Inside::Braces, '}', _) => {
                stack.pop();
                if stack.is_empty() {
                    return Some(at);
                }
            }
            (Inside::Braces, '"', _) => stack.push(Inside::Quotes),
            (Inside::Braces, '`', _) => stack.push(Inside::Backticks),
            (Inside::Braces, '/', Some('*')) => {
                stack.push(Inside::Comment(1));
                characters.next();
            }
            (Inside::Braces, '/', Some('/')) => {
                while characters.next_if(|(_, c)| *c != '\n').is_some() {}
            }
            (Inside::Braces, '\'', _) => character(&mut characters),
            (Inside::Braces | Inside::Comment(_) | Inside::Quotes | Inside::Backticks, _, _) => {}
        }
    }
    None
}

fn replace_last(stack: &mut [Inside], inside: Inside) {
    if let Some(last) = stack.last_mut() {
        *last = inside;
    }
}

/// Reads a character in single quotes after its first quote.
fn character(characters: &mut std::iter::Peekable<std::str::CharIndices<'_>>) {
    while let Some((_, c)) = characters.next() {
        match c {
            '\\' => {
                characters.next();
            }
            '\'' | '\n' => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        match parse(text) {
            Ok(parts) => parts
                .parts
                .iter()
                .map(|part| match part {
                    Part::Text(text) => format!("[{text}]"),
                    Part::Expression { text, offset } => format!("<{offset}:{text}>"),
                })
                .collect(),
            Err(broken) => format!("{broken:?}"),
        }
    }

    #[test]
    fn an_expression_ends_at_its_matching_brace() {
        for (text, parts) in [
            ("plain", "[plain]"),
            ("", ""),
            ("${host}", "<2:host>"),
            ("ü ${a} and ${b}!", "[ü ]<4:a>[ and ]<13:b>[!]"),
            ("$${host} costs 5$", "[${host} costs 5$]"),
            ("$$${x}", "[$${x}]"),
            (r#"${"}"}"#, r#"<2:"}">"#),
            (r#"${"\"}"}"#, r#"<2:"\"}">"#),
            ("${`a ${ {b} } }`}", "<2:`a ${ {b} } }`>"),
            ("${#{a: 1}.a}", "<2:#{a: 1}.a>"),
            ("${1 /* } /* } */ } */}", "<2:1 /* } /* } */ } */>"),
            ("${1 // }\n}", "<2:1 // }\n>"),
            ("${x == '}'}", "<2:x == '}'>"),
            ("a${", "Open(1)"),
            (r#"${"}"#, "Open(0)"),
            ("x${ }", "Empty(1)"),
        ] {
            assert_eq!(show(text), parts, "{text}");
        }
    }

    #[test]
    fn a_literal_dollar_brace_is_no_expression() {
        assert!(!has_expression("$${x} $ {x}"));
        assert!(has_expression("a ${x}"));
    }
}
