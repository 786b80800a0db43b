//! Characters that a reader can not see, or that show another text than the one that runs.

use super::Place;

/// The first character that a reader can not see, or that reorders what a reader sees.
pub(super) fn hidden(text: &str) -> Option<(Place, char)> {
    let mut place = Place::START;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        // A lone carriage return ends a line for some readers and not for others.
        let refused = match c {
            '\r' => characters.peek() != Some(&'\n'),
            other => is_hidden(other),
        };
        if refused {
            return Some((place, c));
        }
        if c == '\n' {
            place = Place { line: place.line + 1, column: 1 };
        } else {
            place.column += 1;
        }
    }
    None
}

/// Whether a character can not be seen, ends a line for some readers only, or turns the reading
/// direction (Unicode bidirectional controls).
pub(super) fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}'
        | '\u{fffe}'..='\u{ffff}' => true,
        other => other.is_control(),
    }
}
