//! Drawings for pages: SVG made here, so that they are there without any script.
//!
//! Pure functions from plain view models to text. The same input gives the same bytes. They carry no
//! style, only classes (`static/draw.css`), because pages allow none; every word that people read is
//! given to them, because they know no language; status is always a word and a shape, never a colour
//! alone. A page shows the same beside them as a table or list, and says with [`Access`] which of the
//! two is for whom.
//!
//! * [`flow`]: what a playbook does, and how far a run of it has come
//! * [`gantt`]: when the steps of a run did what, attempt by attempt

pub(crate) mod flow;
pub(crate) mod gantt;
mod glyph;
mod measure;
#[cfg(test)]
mod sample;
mod seen;
mod svg;

/// How who can not see a drawing learns of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access<'a> {
    /// As one picture with a name and a description. Nothing inside of it is a link.
    Image {
        /// What it is a picture of.
        title: &'a str,
        /// What it shows, in a sentence or two; may be empty.
        description: &'a str,
    },
    /// As a named group, whose links the keyboard reaches.
    Group {
        /// What it is.
        title: &'a str,
        /// What it shows, in a sentence or two; may be empty.
        description: &'a str,
    },
    /// Not at all: the same stands beside it, with the same links. Its own can be clicked.
    Hidden,
}

/// A pattern with its numbers filled in: `{done} of {total} done`.
fn filled(pattern: &str, values: &[(&str, &str)]) -> String {
    values
        .iter()
        .fold(pattern.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}
