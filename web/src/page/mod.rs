//! Pages for people: rendered here, readable without script, live where there is some.
//!
//! One file a page: its handler, its view model (texts and numbers alone), its template's struct. What
//! a page changes it asks the engine by the same verbs as the JSON interface does, and sends the
//! browser to a page to look at afterwards. What surrounds a page is its [`frame::Frame`]; what a form sends is read by
//! [`form::Form`]; how a refusal looks stands in [`refused`].
//!
//! A page of a drill has another address than a live one: what is about an incident stands in the table
//! twice, by [`both`].

mod briefing;
mod check;
mod declare;
mod drawn;
mod form;
mod frame;
mod further;
mod help;
mod home;
mod hosts;
mod incident;
mod launch;
mod login;
mod me;
mod mine;
mod need;
mod needs;
mod people;
mod place;
mod planned;
mod playbook;
mod playbooks;
mod real;
mod refused;
mod report;
mod review;
mod row;
mod run;
mod schema;
mod sheet;
mod show;
mod situation;
mod steer;
mod step;
mod system;
mod timeline;
#[cfg(test)]
mod told;
mod tree;
mod ui;
mod wrong;

use beistand_core::access::Permission;

use crate::asset;
use crate::pressure::Lane;
use crate::routes::{Page, Right, Routes, look, send};

pub(crate) use form::kept;
pub(crate) use refused::Asker;
pub(crate) use row::step_href;

/// Every page there is.
pub(crate) fn table() -> Routes {
    use Lane::{Free, LogIn, Ordinary, Prove, Urgent};
    use Right::{LoggedIn, Needs, NeedsThere, Public};
    let read = NeedsThere(Permission::Read);
    let manage = Needs(Permission::Manage);
    let control = NeedsThere(Permission::Control);
    let (note, change) = (NeedsThere(Permission::Note), NeedsThere(Permission::Change));
    Routes::new()
        .page(Public, Free, look(asset::ROUTE, asset::one))
        .page(Public, Ordinary, send("/show", show::show))
        .page(Public, Ordinary, look("/login", login::page))
        .page(Public, LogIn, send("/login", login::log_in))
        .page(LoggedIn, Prove, send("/proof", login::prove))
        .page(LoggedIn, Urgent, send("/logout", login::log_out))
        .page(Needs(Permission::Stop), Urgent, send("/stop", home::stop))
        .page(Needs(Permission::Resume), Urgent, send("/go-on", home::go_on))
        .page(read, Ordinary, look("/", home::page))
        .page(Needs(Permission::Open), Ordinary, look("/incidents/new", declare::page))
        .page(Needs(Permission::Open), Ordinary, send("/incidents/new", declare::declare))
        .and(both(read, || look("/incidents/{id}", incident::page)))
        .and(both(read, || look("/incidents/{id}/briefing", briefing::page)))
        .and(both(read, || look("/incidents/{id}/timeline", timeline::page)))
        .and(both(read, || look("/incidents/{id}/timeline/line", timeline::line)))
        .and(both(note, || send("/incidents/{id}/timeline/mark", timeline::mark)))
        .and(both(read, || look("/incidents/{id}/report", report::page)))
        .and(both(Needs(Permission::Open), || look("/incidents/{id}/real", real::page)))
        .and(both(Needs(Permission::Open), || send("/incidents/{id}/real", real::turn)))
        .and(both(note, || send("/incidents/{id}/notes", incident::note)))
        .and(both(change, || send("/incidents/{id}/edit", incident::edit)))
        .and(both(change, || send("/incidents/{id}/close", incident::close)))
        .and(both(change, || send("/incidents/{id}/assets", incident::assets)))
        .and(both(change, || send("/incidents/{id}/link", incident::link)))
        .and(both(NeedsThere(Permission::Assign), || {
            send("/incidents/{id}/roles", incident::roles)
        }))
        .and(both(read, || send("/incidents/{id}/handover", incident::handover)))
        .page(LoggedIn, Ordinary, look("/me", me::page))
        .page(LoggedIn, Prove, send("/me/passphrase", me::passphrase))
        .page(LoggedIn, Ordinary, send("/me/sessions/end", me::end_sessions))
        .page(LoggedIn, Ordinary, send("/me/passkeys/remove", me::remove_passkey))
        .page(manage, Ordinary, look("/people", people::page))
        .page(manage, Ordinary, send("/people/add", people::add))
        .page(manage, Ordinary, send("/people/lock", people::lock))
        .page(manage, Ordinary, send("/people/grant", people::grant))
        .page(Needs(Permission::Observe), Ordinary, look("/health", system::health))
        .page(Needs(Permission::Read), Ordinary, look("/audit", system::audit))
        .page(Public, Ordinary, look("/help", help::help))
        .page(Public, Ordinary, look("/accessibility", help::accessibility))
        .page(Public, Ordinary, look("/break-glass", help::break_glass))
        .page(read, Ordinary, look("/needs", needs::page))
        .and(both(read, || look("/needs/{id}", need::page)))
        .page(LoggedIn, Urgent, send("/needs/{id}", need::answer))
        .page(LoggedIn, Urgent, send("/needs/{id}", need::answer).under(frame::DRILL))
        .page(read, Ordinary, look("/hosts", hosts::page))
        .page(control, Ordinary, send("/hosts/release", hosts::release))
        .page(NeedsThere(Permission::Launch), Ordinary, send("/hosts/cut", hosts::cut))
        .and(runs())
        .and(playbooks())
}

/// What is about runs.
fn runs() -> Routes {
    use Lane::{Ordinary, Urgent};
    use Right::NeedsThere;
    let (read, control) = (NeedsThere(Permission::Read), NeedsThere(Permission::Control));
    Routes::new()
        .and(both(read, || look("/runs/{id}", run::page)))
        .and(both(read, || look("/runs/{id}/step", step::page)))
        .and(both_in(Urgent, control, || send("/runs/{id}/pause", steer::pause)))
        .and(both_in(Ordinary, control, || send("/runs/{id}/unpause", steer::unpause)))
        .and(both_in(Urgent, control, || send("/runs/{id}/cancel", steer::cancel)))
        .and(both_in(Ordinary, control, || send("/runs/{id}/undo", steer::undo)))
        .and(both_in(Ordinary, NeedsThere(Permission::Answer), || {
            send("/runs/{id}/signal", steer::signal)
        }))
}

/// What is about playbooks, and what is made of them.
fn playbooks() -> Routes {
    use Lane::{Check, Ordinary};
    use Right::NeedsThere;
    let (read, launches) = (NeedsThere(Permission::Read), NeedsThere(Permission::Launch));
    let checks = |page| Routes::new().page_sized(check::BYTES_MAX, read, Check, page);
    Routes::new()
        .page(read, Ordinary, look("/playbooks", playbooks::page))
        .page(read, Ordinary, look("/playbooks/check", check::page))
        .and(checks(send("/playbooks/check", check::check)))
        .and(checks(send("/playbooks/check/findings", check::findings)))
        .page(read, Ordinary, look("/playbooks/{name}", playbook::page))
        .page(read, Ordinary, look("/playbooks/{name}/sheet", sheet::of_playbook))
        .and(both(launches, || look("/playbooks/{name}/launch", launch::page)))
        .and(both(launches, || send("/playbooks/{name}/launch", launch::launch)))
        .and(both(read, || look("/runs/{id}/sheet", sheet::of_run)))
        .and(both(launches, || look("/runs/{id}/more", further::more_page)))
        .and(both(launches, || send("/runs/{id}/more", further::more)))
        .and(both(launches, || look("/runs/{id}/supersede", further::supersede_page)))
        .and(both(launches, || send("/runs/{id}/supersede", further::supersede)))
}

/// The same page at its live address and at that of a drill.
fn both(right: Right, page: impl Fn() -> Page) -> Routes {
    both_in(Lane::Ordinary, right, page)
}

/// The same in a lane of its own.
fn both_in(lane: Lane, right: Right, page: impl Fn() -> Page) -> Routes {
    Routes::new().page(right, lane, page()).page(right, lane, page().under(frame::DRILL))
}
