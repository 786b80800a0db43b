//! Makes the design system's style sheet as small as what pages use of it: a tenth, so that a page over
//! a thin line is whole after seconds. The build does it (`build.rs`); nothing is fetched or guessed.
//!
//! A rule goes where each of its selectors names a class that no page has; then the variables go that
//! nothing reads any more. What it does not understand stays as it is.

use std::collections::BTreeSet;

/// Before the names of the design system's classes and variables.
const OURS: &str = "kern-";

/// The style sheet without what is not used. `pages` is all text in which class names stand; a name
/// that a page puts together ends there with its last `--`. `styles` reads variables too.
pub(crate) fn trimmed(sheet: &str, pages: &str, styles: &str) -> String {
    let classes = names(pages, OURS);
    let mut css = rules(sheet, &classes);
    loop {
        let read = |text: &str| names(text, "var(--kern-");
        let (own, others) = (read(&css), read(styles));
        let fewer = declared(&css, &|name| own.contains(name) || others.contains(name));
        if fewer.len() == css.len() {
            return css;
        }
        css = fewer;
    }
}

/// All names after such a beginning, from their `kern-` on.
fn names(text: &str, beginning: &str) -> BTreeSet<String> {
    let from = beginning.len() - OURS.len();
    let found = text.match_indices(beginning).filter_map(|(at, _)| text.get(at + from..));
    found.map(|rest| rest.chars().take_while(|c| is_of_a_name(*c)).collect()).collect()
}

const fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

/// Where the first of these stands that is in no quotes and no brackets.
fn find(text: &str, wanted: &[char]) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) => quote = Some(open).filter(|open| *open != c),
            (None, '"' | '\'') => quote = Some(c),
            (None, _) if depth == 0 && wanted.contains(&c) => return Some(at),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
    }
    None
}

/// A text up to the first of these, and from behind it on.
fn cut<'t>(text: &'t str, wanted: &[char]) -> Option<(&'t str, char, &'t str)> {
    let (before, rest) = text.split_at(find(text, wanted)?);
    let mut rest = rest.chars();
    let sign = rest.next()?;
    Some((before, sign, rest.as_str()))
}

/// The rules that some page uses.
fn rules(css: &str, classes: &BTreeSet<String>) -> String {
    let (mut out, mut rest) = (String::with_capacity(css.len() / 4), css);
    while let Some((head, sign, behind)) = cut(rest, &['{', ';']) {
        if sign == ';' {
            out.extend([head, ";"]);
            rest = behind;
            continue;
        }
        let Some((inside, _, behind)) = cut(behind, &['}']) else { break };
        rest = behind;
        let (head, inside) = if head.starts_with("@media") {
            (head.to_owned(), rules(inside, classes))
        } else if head.starts_with('@') {
            (head.to_owned(), inside.to_owned())
        } else {
            let all = parts(head, ',');
            let used: Vec<&str> = all.into_iter().filter(|one| is_used(one, classes)).collect();
            (used.join(","), inside.to_owned())
        };
        if !head.is_empty() && !inside.is_empty() {
            out.extend([&head, "{", &inside, "}"]);
        }
    }
    out.push_str(rest);
    out
}

/// A text between signs that stand in no quotes and no brackets.
fn parts(text: &str, sign: char) -> Vec<&str> {
    let (mut all, mut rest) = (Vec::new(), text);
    while let Some((part, _, behind)) = cut(rest, &[sign]) {
        all.push(part);
        rest = behind;
    }
    all.push(rest);
    all
}

/// Whether a page has all classes that a selector asks for. What stands in brackets is what it must not
/// have (`:not`), or one of several that will do (`:is`): no matter.
fn is_used(selector: &str, classes: &BTreeSet<String>) -> bool {
    let (mut asked, mut depth) = (String::new(), 0_usize);
    for sign in selector.chars() {
        match sign {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => asked.push(sign),
            _ => {}
        }
    }
    names(&asked, ".kern-").into_iter().all(|class| {
        let begins = |known: &String| known.ends_with("--") && class.starts_with(known.as_str());
        classes.contains(&class) || classes.iter().any(begins)
    })
}

/// The rules without variables that nobody reads.
fn declared(css: &str, is_read: &dyn Fn(&str) -> bool) -> String {
    let (mut out, mut rest) = (String::with_capacity(css.len()), css);
    while let Some((head, sign, behind)) = cut(rest, &['{', ';']) {
        if sign == ';' {
            out.extend([head, ";"]);
            rest = behind;
            continue;
        }
        let Some((inside, _, behind)) = cut(behind, &['}']) else { break };
        rest = behind;
        let inside = if head.starts_with("@media") {
            declared(inside, is_read)
        } else {
            let is_kept = |one: &&str| {
                let name = one.split(':').next().and_then(|name| name.trim().strip_prefix("--"));
                name.is_none_or(|name| !name.starts_with(OURS) || is_read(name))
            };
            let kept: Vec<&str> = parts(inside, ';').into_iter().filter(is_kept).collect();
            kept.join(";")
        };
        if !inside.is_empty() {
            out.extend([head, "{", &inside, "}"]);
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_uses_stays_and_the_rest_goes() {
        let sheet = "@charset \"UTF-8\";a,.kern-btn:not(.kern-big){color:var(--kern-ink, #000)}\
             .kern-btn .kern-tab,.kern-gone{x:y}:is(body,.kern-gone):not(.kern-big){x:y}@media (a){.kern-gone{x:y}}\
             @media (b){.kern-badge--info{background:url(\"data:image/svg+xml;a{b}\")}}\
             :root{--kern-ink: var(--kern-blue);--kern-blue: #00f;--kern-red: #f00;--kern-far:1}";
        let left = trimmed(sheet, "<a class=\"kern-btn kern-badge--\">", "p{c:var(--kern-far)}");
        assert_eq!(
            left,
            "@charset \"UTF-8\";a,.kern-btn:not(.kern-big){color:var(--kern-ink, #000)}\
             :is(body,.kern-gone):not(.kern-big){x:y}@media (b){.kern-badge--info{background:url(\"data:image/svg+xml;a{b}\")}}\
             :root{--kern-ink: var(--kern-blue);--kern-blue: #00f;--kern-far:1}"
        );
    }

    #[test]
    fn what_is_not_understood_stays() {
        for odd in ["", "a{b", "}", "a}b{c}", "'", "@x"] {
            assert_eq!(trimmed(odd, "", ""), odd, "{odd}");
        }
    }
}
