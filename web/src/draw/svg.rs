//! A drawing as it is written down: SVG for a page that allows no style of its own.
//!
//! Looks come by class from `static/draw.css`, places by attributes in whole pixels. Every text goes
//! through one door, where it is bounded, made visible and escaped. It knows no playbook and no run.

use std::fmt::Write as _;

use beistand_core::timeline::visible;

use super::Access;
use super::measure::{Face, fitted};

/// Longest text of a tooltip, in characters: more is read on the page of the thing itself.
const TITLE_CHARS_MAX: usize = 400;

/// Longest text that is set, in characters: no room is wider.
const TEXT_CHARS_MAX: usize = 400;

/// A place in pixels, from the upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Point {
    pub(super) x: i32,
    pub(super) y: i32,
}

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// A place.
pub(super) const fn at(x: i32, y: i32) -> Point {
    Point { x, y }
}

impl Point {
    /// The same place, seen from elsewhere.
    pub(super) const fn moved(self, by: Self) -> Self {
        at(self.x + by.x, self.y + by.y)
    }
}

impl Area {
    /// From a corner on.
    pub(super) const fn new(corner: Point, width: i32, height: i32) -> Self {
        Self { x: corner.x, y: corner.y, width, height }
    }
    /// The same rectangle, seen from elsewhere.
    pub(super) const fn moved(self, by: Point) -> Self {
        Self { x: self.x + by.x, y: self.y + by.y, ..self }
    }
    /// One past its right edge.
    pub(super) const fn right(self) -> i32 {
        self.x + self.width
    }
    /// One past its lower edge.
    pub(super) const fn bottom(self) -> i32 {
        self.y + self.height
    }
}

/// A drawing being written.
#[derive(Debug)]
pub(super) struct Sheet {
    out: String,
    open: Vec<&'static str>,
    links: Links,
}

/// What becomes of links.
#[derive(Debug, Clone, Copy)]
enum Links {
    /// They are links.
    Real,
    /// They can be clicked, but the keyboard passes them by: the table beside has the same.
    Unfocused,
    /// They are none: nothing inside of a picture can be reached.
    None,
}

impl Sheet {
    /// An empty one, with `class` beside the class that all drawings have.
    pub(super) fn new(class: &str, (width, height): (i32, i32), access: &Access<'_>) -> Self {
        let mut out = String::with_capacity(8 * 1024);
        let (role, links) = match access {
            Access::Image { .. } => (" role=\"img\"", Links::None),
            Access::Group { .. } => (" role=\"group\"", Links::Real),
            Access::Hidden => (" aria-hidden=\"true\"", Links::Unfocused),
        };
        let _written = write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"draw {class}\"{role} \
             viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">"
        );
        let mut sheet = Self { out, open: Vec::new(), links };
        match access {
            Access::Image { title, description } | Access::Group { title, description } => {
                sheet.named("title", title);
                if !description.is_empty() {
                    sheet.named("desc", description);
                }
            }
            Access::Hidden => {}
        }
        sheet
    }

    /// The drawing.
    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.out.push_str("</svg>\n");
        self.out
    }

    /// What follows belongs together.
    pub(super) fn group(&mut self, class: &str) {
        self.tag("g");
        self.class(class);
        self.out.push('>');
        self.open.push("g");
    }

    /// What follows leads somewhere, if there is a place of ours to go to, and says so when asked.
    pub(super) fn link(&mut self, class: &str, href: Option<&str>, title: &str) {
        let href = href.filter(|href| is_ours(href));
        match (href, self.links) {
            (Some(href), Links::Real | Links::Unfocused) => {
                self.tag("a");
                self.out.push_str(" href=\"");
                self.escaped(href);
                self.out.push('"');
                if matches!(self.links, Links::Unfocused) {
                    self.out.push_str(" tabindex=\"-1\"");
                }
                self.class(class);
                self.out.push('>');
                self.open.push("a");
            }
            (None, _) | (Some(_), Links::None) => self.group(class),
        }
        if !title.is_empty() {
            self.named("title", title);
        }
    }

    /// Ends what was begun last.
    pub(super) fn close(&mut self) {
        if let Some(tag) = self.open.pop() {
            let _written = write!(self.out, "</{tag}>");
        }
    }

    /// A rectangle with round corners.
    pub(super) fn rect(&mut self, class: &str, area: Area, radius: i32) {
        self.tag("rect");
        self.class(class);
        let Area { x, y, width, height } = area;
        let _written =
            write!(self.out, " x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"");
        if radius > 0 {
            let _written = write!(self.out, " rx=\"{radius}\"");
        }
        self.out.push_str("/>");
    }

    /// A disc or ring.
    pub(super) fn circle(&mut self, class: &str, centre: Point, radius: i32) {
        self.tag("circle");
        self.class(class);
        let Point { x, y } = centre;
        let _written = write!(self.out, " cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>");
    }

    /// Lines and curves, by the words of SVG; `shape` is ours and starts from `origin`.
    pub(super) fn shape(&mut self, class: &str, origin: Point, shape: &str) {
        self.tag("path");
        self.class(class);
        let Point { x, y } = origin;
        if (x, y) != (0, 0) {
            let _written = write!(self.out, " transform=\"translate({x} {y})\"");
        }
        let _written = write!(self.out, " d=\"{shape}\"/>");
    }

    /// A line through points.
    pub(super) fn line(&mut self, class: &str, points: &[Point]) {
        self.shape(class, at(0, 0), &through(points));
    }

    /// A text that begins at a point and has so much room; what is cut can be read when asked.
    pub(super) fn text(&mut self, face: Face, class: &str, start: Point, room: (&str, i32)) {
        self.set(face, class, start, room);
    }

    /// A text of several lines that were fitted before, `step` pixels apart.
    pub(super) fn lines(&mut self, face: Face, start: Point, (lines, step): (&[String], i32)) {
        for (line, y) in lines.iter().zip((0..).map(|index| start.y + index * step)) {
            self.set(face, "", at(start.x, y), (line, i32::MAX));
        }
    }

    fn set(&mut self, face: Face, class: &str, start: Point, (text, room): (&str, i32)) {
        let whole = visible(text, TITLE_CHARS_MAX);
        let short = visible(text, TEXT_CHARS_MAX);
        let (shown, cut) = fitted(&short, face, room);
        if shown.is_empty() || room <= 0 {
            return;
        }
        self.tag("text");
        let class = if class.is_empty() {
            face.class().to_owned()
        } else {
            format!("{} {class}", face.class())
        };
        self.class(&class);
        let Point { x, y } = start;
        let _written = write!(self.out, " x=\"{x}\" y=\"{y}\">");
        if cut {
            self.named("title", &whole);
        }
        self.escaped(&shown);
        self.out.push_str("</text>");
    }

    fn named(&mut self, tag: &'static str, text: &str) {
        let _written = write!(self.out, "<{tag}>");
        self.escaped(&visible(text, TITLE_CHARS_MAX));
        let _written = write!(self.out, "</{tag}>");
    }

    fn tag(&mut self, tag: &'static str) {
        // A line an element, so that what changed can be read.
        let _written = write!(self.out, "\n<{tag}");
    }

    fn class(&mut self, class: &str) {
        if !class.is_empty() {
            let _written = write!(self.out, " class=\"{class}\"");
        }
    }

    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                '\'' => self.out.push_str("&#39;"),
                c => self.out.push(c),
            }
        }
    }
}

/// The words of SVG for a line through points: straight parts by their one number.
pub(super) fn through(points: &[Point]) -> String {
    let mut out = String::new();
    let mut before: Option<Point> = None;
    for point in points {
        let Point { x, y } = *point;
        let _written = match before {
            None => write!(out, "M{x} {y}"),
            Some(last) if last == *point => Ok(()),
            Some(last) if last.x == x => write!(out, "V{y}"),
            Some(last) if last.y == y => write!(out, "H{x}"),
            Some(_) => write!(out, "L{x} {y}"),
        };
        before = Some(*point);
    }
    out
}

/// Whether a link stays on these pages: a place of this server or of this page, never a scheme.
fn is_ours(href: &str) -> bool {
    let stays = href.starts_with('#') || (href.starts_with('/') && !href.starts_with("//"));
    stays && !href.contains(['\\', '\n', '\r', '\t', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMED: Access<'static> = Access::Group { title: "T", description: "" };

    #[test]
    fn a_text_is_text_whatever_stands_in_it() {
        let hostile = "</text><script>alert(1)</script>\" onload='x' & \u{202e}gpj\u{1b}[0m\u{0}";
        for access in [
            Access::Image { title: hostile, description: hostile },
            Access::Group { title: hostile, description: hostile },
            Access::Hidden,
        ] {
            let mut sheet = Sheet::new("x", (10, 10), &access);
            sheet.link("x", Some("/a?\"><script>"), hostile);
            sheet.text(Face::Title, "", at(0, 0), (hostile, 50));
            sheet.text(Face::Small, "", at(0, 0), (hostile, 5_000));
            let svg = sheet.finish();
            assert!(!svg.contains("<script") && !svg.contains('\u{202e}'), "{svg}");
            assert!(!svg.contains('\u{1b}') && !svg.contains('\u{0}'), "{svg}");
            assert!(svg.contains("&lt;script&gt;alert(1)"), "{svg}");
        }
    }

    #[test]
    fn a_link_stays_on_these_pages() {
        for (href, stays) in [
            ("/runs/1/step?path=a%5B0%5D", true),
            ("#e-run-1-2", true),
            ("//evil.example", false),
            ("javascript:alert(1)", false),
            ("https://evil.example", false),
            ("/\\evil.example", false),
            ("", false),
        ] {
            let mut sheet = Sheet::new("x", (1, 1), &NAMED);
            sheet.link("x", Some(href), "");
            assert_eq!(sheet.finish().contains("<a "), stays, "{href}");
        }
    }

    #[test]
    fn what_can_not_be_reached_is_not_reached_by_the_keyboard() {
        let linked = |access: &Access<'_>| {
            let mut sheet = Sheet::new("x", (1, 1), access);
            sheet.link("x", Some("/a"), "A");
            sheet.finish()
        };
        assert!(!linked(&Access::Image { title: "T", description: "D" }).contains("<a "));
        assert!(linked(&Access::Hidden).contains("<a href=\"/a\" tabindex=\"-1\""));
        assert!(linked(&NAMED).contains("<a href=\"/a\" class"));
    }

    #[test]
    fn a_line_is_as_short_as_it_can_be_said() {
        let points = [at(1, 1), at(1, 1), at(1, 9), at(5, 9), at(7, 12)];
        assert_eq!(through(&points), "M1 1V9H5L7 12");
    }
}
