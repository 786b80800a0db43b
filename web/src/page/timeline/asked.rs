//! What the address of a timeline asks for: which lines, in which view, which page of them. What is left
//! out stands in the address, so that a view can be handed on as a link.

use beistand_core::model::LineId;
use beistand_core::timeline::{Filter, TimelineEntry};

use super::super::frame::Frame;
use crate::report::Problem;

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// The drawing and the table below it.
    Lanes,
    /// The table alone.
    Table,
    /// The story.
    Story,
}

/// The filter as the form has it.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    parts: Vec<(&'static str, String)>,
    pub(super) active: usize,
}

/// What an address asks for.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    pub(super) filter: Filter,
    pub(super) view: Option<View>,
    pub(super) newest_first: bool,
    /// With what is noise for most readers.
    pub(super) details: bool,
    pub(super) page: usize,
    /// The page that this line stands on.
    pub(super) line: Option<LineId>,
}

impl Asked {
    /// Reads a query. A field of the form that was left empty asks for nothing; a time may be typed as
    /// people write it.
    pub(super) fn read(query: &str, frame: &Frame) -> Result<Self, Problem> {
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if value.is_empty() {
                continue;
            }
            match name.as_ref() {
                "view" => {
                    asked.view = match value.as_ref() {
                        "table" => Some(View::Table),
                        "story" => Some(View::Story),
                        _ => Some(View::Lanes),
                    };
                }
                "order" => asked.newest_first = value == "newest",
                "details" => asked.details = value == "true",
                "line" => asked.line = value.parse().ok(),
                "page" => asked.page = value.parse().unwrap_or_default(),
                // What matters is what is shown, unless details are asked for.
                "done" | "significant" => {}
                "from" | "to" => {
                    let at = frame.times.typed(Some(&value), &name)?;
                    let set = at.map_or(Ok(()), |at| asked.filter.set(&name, &at.to_string()));
                    set.map_err(|error| Problem::malformed(error.to_string()))?;
                }
                name => {
                    let set = asked.filter.set(name, &value);
                    set.map_err(|error| Problem::malformed(error.to_string()).place(name))?;
                }
            }
        }
        Ok(asked)
    }

    /// The query that asks for the same.
    pub(super) fn query(&self) -> String {
        let view = match self.view {
            Some(View::Table) => "table",
            Some(View::Story) => "story",
            Some(View::Lanes) | None => "lanes",
        };
        let order = if self.newest_first { "&order=newest" } else { "" };
        let details = if self.details { "&details=true" } else { "" };
        let query = self.filter.to_query();
        let joint = if query.is_empty() { "" } else { "&" };
        let page = if self.page > 0 { format!("&page={}", self.page) } else { String::new() };
        format!("?view={view}{order}{details}{joint}{query}{page}")
    }

    /// Another page of the same.
    pub(super) fn page(&self, page: usize) -> String {
        Self { page, ..self.clone() }.query()
    }

    /// The same from its beginning, as another view.
    pub(super) fn view(&self, view: View) -> String {
        Self { view: Some(view), page: 0, ..self.clone() }.query()
    }

    /// Which lines stand in the table.
    pub(super) fn shows(&self, line: &TimelineEntry) -> bool {
        self.details || !line.detail
    }
}

impl Fields {
    pub(super) fn of(filter: &Filter) -> Self {
        Self { parts: filter.parts(), active: filter.active() }
    }

    pub(super) fn get(&self, name: &str) -> &str {
        let part = self.parts.iter().find(|(own, _)| *own == name);
        part.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.get(name) == value
    }
}
