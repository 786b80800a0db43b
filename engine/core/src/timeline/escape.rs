//! Texts from outside, made fit to be looked at.

use std::fmt::Write as _;

/// Longest text in a line: a page of a note; the journal keeps all of it.
pub(super) const TEXT_CHARS_MAX: usize = 2000;

/// A text on one line, without characters that move the cursor, colour a terminal, hide or reorder
/// what is read. Line breaks become `⏎`, the others `\u{1b}`; longer than `max` characters it is
/// cut, with `…`.
pub fn visible(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max.saturating_mul(4)));
    let mut characters = text.trim().chars().peekable();
    let mut count = 0;
    while let Some(c) = characters.next() {
        if count == max {
            out.push('…');
            break;
        }
        count += 1;
        match c {
            '\r' if characters.peek() == Some(&'\n') => count -= 1,
            '\n' | '\r' | '\u{2028}' | '\u{2029}' => out.push_str(" ⏎ "),
            '\t' => out.push(' '),
            c if is_hidden(c) => {
                // Writing to a string does not fail.
                let _written = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// Whether a text is one harmless word in every shell, and to our own command line a text: a host, an
/// address of either kind, an account. In front an `@` would have a file read.
pub fn is_plain_word(text: &str) -> bool {
    let is_of_a_word =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '@');
    !text.is_empty() && !text.starts_with('@') && text.chars().all(is_of_a_word)
}

/// JSON in which no character stands that moves, hides or reorders, and none that HTML would take
/// for markup: inside of its texts, the only place for them, their numbers say the same.
pub(super) fn armoured(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_hidden(c) || matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}') {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _written = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Control characters, and those that have no look of their own or change that of others. The
/// joiners stay: some scripts need them.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_hides_or_reorders_is_shown_as_what_it_is() {
        for (text, shown) in [
            ("Grüße 🛟 aus Köln", "Grüße 🛟 aus Köln"),
            ("a\r\nb\nc\u{2028}d", "a ⏎ b ⏎ c ⏎ d"),
            ("\u{1b}[31mred\u{7}", "\\u{1b}[31mred\\u{7}"),
            ("exe\u{202e}gpj.\u{200b}", "exe\\u{202e}gpj.\\u{200b}"),
            ("a\tb\u{0}", "a b\\u{0}"),
            ("  x \n", "x"),
        ] {
            assert_eq!(visible(text, 100), shown, "{text:?}");
        }
    }

    #[test]
    fn armoured_json_says_the_same() {
        let value = serde_json::json!({"a<b": "</script> & \u{202e} \u{e0041} ä 🛟"});
        let text = armoured(&value.to_string());
        assert!(!text.contains(['<', '>', '&', '\u{202e}', '\u{e0041}']));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn a_text_without_end_has_one() {
        let long = "ä".repeat(1_000_000);
        assert_eq!(visible(&long, 10), format!("{}…", "ä".repeat(10)));
        assert_eq!(visible(&"ä".repeat(10), 10), "ä".repeat(10));
    }
}
