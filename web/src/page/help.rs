//! What somebody needs to know who was never here before, and the statement on accessibility
//! (BITV 2.0, section 7; Directive (EU) 2016/2102, Article 7).

use askama::Template;
use axum::response::Response;

use super::frame::Frame;
use crate::report::Problem;

#[derive(Template)]
#[template(path = "help.html")]
struct Help<'a> {
    frame: &'a Frame,
}

#[derive(Template)]
#[template(path = "accessibility.html")]
struct Accessibility<'a> {
    frame: &'a Frame,
}

#[derive(Template)]
#[template(path = "break_glass.html")]
struct BreakGlass<'a> {
    frame: &'a Frame,
}

/// Help.
pub(super) async fn help(frame: Frame) -> Result<Response, Problem> {
    frame.page(&Help { frame: &frame })
}

/// The statement on accessibility.
pub(super) async fn accessibility(frame: Frame) -> Result<Response, Problem> {
    frame.page(&Accessibility { frame: &frame })
}

/// What to do when nobody can log in.
pub(super) async fn break_glass(frame: Frame) -> Result<Response, Problem> {
    frame.page(&BreakGlass { frame: &frame })
}
