//! Text from outside, made fit to be shown: bounded, one line, nothing that steers a terminal.

/// The beginning of what a service said, at most `chars_max` characters, on one line and with single
/// spaces. Control characters and those that turn the direction of writing are shown as their code.
pub fn excerpt(bytes: &[u8], chars_max: usize) -> String {
    // Four bytes a character at most: the rest is not even decoded.
    let head = bytes.get(..bytes.len().min(chars_max.saturating_mul(4))).unwrap_or(bytes);
    let text = String::from_utf8_lossy(head);
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    let mut out = String::new();
    for c in line.chars().take(chars_max) {
        match c {
            c if c.is_control() || turns_text(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    if line.chars().nth(chars_max).is_some() {
        out.push('…');
    }
    out
}

/// Bidirectional controls and invisible separators (Unicode TR 36).
fn turns_text(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_said_can_not_steer_a_terminal() {
        let shown = excerpt("no\n\u{1b}[31mway \u{202e}txt".as_bytes(), 100);
        assert_eq!(shown, "no \\u{1b}[31mway \\u{202e}txt");
        assert_eq!(excerpt(&[0xff, b'a'], 5), "\u{fffd}a");
        assert_eq!(excerpt("ä".repeat(50).as_bytes(), 3), "äää…");
    }
}
