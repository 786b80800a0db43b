//! How wide a text is at most, before any browser has set it.
//!
//! The server knows no font. It reckons with the widths of `DejaVu` Sans, the widest of those that
//! pages are commonly shown in, so that what fits here fits everywhere.

/// Advance widths of U+0020 to U+007E in hundredths of the font's size, regular weight.
const ASCII: [i32; 95] = [
    32, 41, 46, 84, 64, 96, 78, 28, 40, 40, 50, 84, 32, 37, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 34, 34, 84, 84, 84, 54, 100, 69, 69, 70, 78, 64, 58, 78, 76, 30, 30, 66, 56, 87, 75,
    79, 61, 79, 70, 64, 62, 74, 69, 99, 69, 62, 69, 40, 34, 40, 84, 50, 50, 62, 64, 55, 64, 62, 36,
    64, 64, 28, 28, 58, 28, 98, 64, 62, 64, 64, 42, 53, 40, 64, 60, 82, 60, 60, 53, 64, 34, 64, 84,
];

/// Latin letters with a mark are no wider than these without.
const LATIN_WIDE: i32 = 79;

/// Anything else: a square, and pictures are a fifth wider than one.
const OTHER: i32 = 120;

/// What stands for the rest of a text that is cut.
const ELLIPSIS: char = '…';

/// How a text is set; `static/draw.css` has the same sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// What a thing is called: 13 px, bold.
    Title,
    /// What is said of it: 12 px.
    Small,
}

impl Face {
    /// The class that sets it so.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Title => "draw-title",
            Self::Small => "draw-small",
        }
    }

    /// Hundredths of an em, in thousandths of a pixel.
    const fn scale(self) -> i32 {
        match self {
            // Bold is up to a ninth wider.
            Self::Title => 13 * 10 * 9 / 8,
            Self::Small => 12 * 10,
        }
    }
}

/// Pixels that a text needs at most.
pub(super) fn width(text: &str, face: Face) -> i32 {
    let sum = text.chars().map(advance).fold(0_i32, i32::saturating_add);
    pixels(sum, face)
}

/// The text, or as much of it as fits with an ellipsis; whether it was cut.
pub(super) fn fitted(text: &str, face: Face, room: i32) -> (String, bool) {
    if width(text, face) <= room {
        return (text.to_owned(), false);
    }
    let mut sum = advance(ELLIPSIS);
    let mut end = 0;
    for (at, c) in text.char_indices() {
        sum = sum.saturating_add(advance(c));
        if pixels(sum, face) > room {
            break;
        }
        end = at + c.len_utf8();
    }
    let (mut kept, rest) = text.split_at(end);
    // What belongs to the next letter, or holds two together, is not torn apart.
    if rest.starts_with(belongs_to_the_one_before) || kept.ends_with('\u{200D}') {
        kept = kept.trim_end_matches(belongs_to_the_one_before);
        let last = kept.chars().next_back().map_or(0, char::len_utf8);
        kept = kept.get(..kept.len() - last).unwrap_or_default();
    }
    (format!("{}{ELLIPSIS}", kept.trim_end()), true)
}

/// The text in at most `lines` lines, broken between words; what does not fit is cut at the last one's
/// end. Whether it was cut.
pub(super) fn broken(text: &str, face: Face, (room, lines): (i32, usize)) -> (Vec<String>, bool) {
    let mut out: Vec<String> = Vec::new();
    let mut rest = text;
    while out.len() + 1 < lines && width(rest, face) > room {
        let mut spaces = rest.char_indices().filter(|(_, c)| *c == ' ').map(|(at, _)| at);
        let fits = |at: &usize| rest.get(..*at).is_some_and(|head| width(head, face) <= room);
        let Some(at) = spaces.rfind(|at| *at > 0 && fits(at)) else { break };
        let (head, tail) = rest.split_at(at);
        out.push(head.to_owned());
        rest = tail.trim_start();
    }
    let (last, cut) = fitted(rest, face, room);
    out.push(last);
    (out, cut)
}

fn pixels(hundredths: i32, face: Face) -> i32 {
    hundredths.saturating_mul(face.scale()).saturating_add(999) / 1000
}

fn advance(c: char) -> i32 {
    let code = u32::from(c);
    let ascii = code.checked_sub(0x20).and_then(|index| usize::try_from(index).ok());
    if let Some(width) = ascii.and_then(|index| ASCII.get(index)) {
        return *width;
    }
    match c {
        '·' | '‹' | '›' => 40,
        '–' | '«' | '»' => 62,
        _ if belongs_to_the_one_before(c) => 0,
        'Æ' | 'æ' | 'Œ' | 'œ' => OTHER,
        '\u{A0}'..='\u{24F}' if !c.is_lowercase() => LATIN_WIDE,
        '\u{A0}'..='\u{24F}' => 66,
        _ => OTHER,
    }
}

/// Marks, joiners and variation selectors have no width of their own.
const fn belongs_to_the_one_before(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}' | '\u{1F3FB}'..='\u{1F3FF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_and_what_does_not_is_cut_to_fit() {
        let texts = [
            "Contain ransomware",
            "Überprüfung der Größenänderungsbescheide",
            "WWWWWWWWWWWWWWWWWWWWWWWWWWWW",
            "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii",
            "封じ込め封じ込め封じ込め",
            "🛟🛟🛟🛟🛟🛟🛟🛟",
            "",
        ];
        for face in [Face::Title, Face::Small] {
            for text in texts {
                let whole = width(text, face);
                assert_eq!(fitted(text, face, whole), (text.to_owned(), false));
                for room in 20..whole {
                    let (cut, was_cut) = fitted(text, face, room);
                    assert!(was_cut && cut.ends_with('…'), "{text} in {room}");
                    assert!(width(&cut, face) <= room, "{cut} in {room}");
                }
            }
        }
    }

    #[test]
    fn a_long_text_is_broken_between_words() {
        let text = "Betroffene Arbeitsplätze vom Netz trennen";
        for room in 20..400 {
            let (lines, cut) = broken(text, Face::Title, (room, 2));
            assert!(lines.len() <= 2 && lines.iter().all(|l| width(l, Face::Title) <= room));
            assert!(cut || lines.join(" ") == text, "{lines:?}");
        }
        assert_eq!(broken("ab", Face::Small, (100, 2)), (vec!["ab".to_owned()], false));
    }

    #[test]
    fn a_letter_keeps_its_marks() {
        for text in ["ae\u{301}\u{302}xyz", "a👩\u{200D}🚒👩\u{200D}🚒", "a👍\u{1F3FD}👍\u{1F3FD}"]
        {
            for room in 0..width(text, Face::Small) {
                let (cut, _) = fitted(text, Face::Small, room);
                let kept = cut.trim_end_matches('…');
                let rest = text.strip_prefix(kept).unwrap();
                assert!(!rest.starts_with(belongs_to_the_one_before), "{cut:?}");
                assert!(!kept.ends_with('\u{200D}'), "{cut:?}");
            }
        }
    }
}
