//! The table of all routes, each with its right and its lane. One file a resource.
//!
//! One more route is a handler with `#[utoipa::path]` in its resource's file and a line in [`table`].
//! What it reads is a type of its own that refuses unknown fields, read by [`crate::Exact`] (body),
//! [`crate::Asked`] (query) or [`crate::At`] (path); what it answers is another one. Where its right
//! is [`Right::NeedsThere`], it asks [`crate::Who::may`] about what it has found in the store, never
//! about what the request says of it.

mod acts;
mod calls;
pub(crate) mod control;
#[cfg(test)]
mod described;
mod events;
mod evidence;
pub(crate) mod form;
pub(crate) mod further;
mod health;
mod holds;
mod hooks;
pub(crate) mod incidents;
pub(crate) mod me;
pub(crate) mod needs;
mod openapi;
mod page;
pub(crate) mod paper;
pub(crate) mod passkeys;
pub(crate) mod playbooks;
pub(crate) mod reach;
pub(crate) mod real;
pub(crate) mod runs;
pub(crate) mod session;
mod shape;
mod sso;
mod stop;
mod telephone;
mod timeline;
#[cfg(test)]
pub(crate) mod world;

use beistand_core::access::Permission;
use utoipa_axum::routes;

use crate::limits::STRANGERS_BYTES_MAX;
use crate::pressure::Lane;
use crate::routes::{Right, Routes};

/// Every route there is.
pub fn table() -> Routes {
    use Lane::{Check, Free, LogIn, Ordinary, Prove, Urgent};
    use Right::{LoggedIn, Needs, NeedsThere, Public};
    of_timelines(Routes::new())
        .add(Public, Free, routes!(health::healthz))
        .add(Public, Ordinary, routes!(health::readyz))
        .add(Needs(Permission::Observe), Ordinary, routes!(health::metrics))
        .add(Public, Ordinary, routes!(openapi::openapi))
        .add(LoggedIn, Ordinary, routes!(me::me))
        .add(LoggedIn, Prove, routes!(me::passphrase))
        .add(LoggedIn, Ordinary, routes!(passkeys::list))
        .add(LoggedIn, Ordinary, routes!(passkeys::add))
        .add(LoggedIn, Ordinary, routes!(passkeys::begin))
        .add(LoggedIn, Ordinary, routes!(passkeys::remove))
        .add_sized(STRANGERS_BYTES_MAX, Public, LogIn, routes!(passkeys::challenge))
        .add_sized(STRANGERS_BYTES_MAX, Public, LogIn, routes!(session::log_in))
        .add(LoggedIn, Urgent, routes!(session::log_out))
        .add(LoggedIn, Prove, routes!(session::prove))
        .add(LoggedIn, Prove, routes!(passkeys::challenge_in_session))
        // Ordinary: who waits for one that hangs takes no place of those who type their words.
        .add(Public, Ordinary, routes!(sso::set_out))
        .add(Public, Ordinary, routes!(sso::come_back))
        .add(Needs(Permission::Stop), Urgent, routes!(stop::stop))
        .add(Needs(Permission::Resume), Urgent, routes!(stop::go_on))
        .add(NeedsThere(Permission::Read), Ordinary, routes!(incidents::list))
        .add(Needs(Permission::Open), Ordinary, routes!(incidents::open))
        .add(NeedsThere(Permission::Read), Ordinary, routes!(incidents::one))
        .add(NeedsThere(Permission::Change), Ordinary, routes!(incidents::edit))
        .add(Needs(Permission::Open), Ordinary, routes!(real::turn))
        .add(NeedsThere(Permission::Note), Ordinary, routes!(acts::note))
        .add(NeedsThere(Permission::Change), Ordinary, routes!(acts::assets))
        .add(NeedsThere(Permission::Launch), Ordinary, routes!(calls::call))
        .add(NeedsThere(Permission::Assign), Ordinary, routes!(acts::roles))
        // Whom it is offered to may have had no part in it; the engine asks who offers for more.
        .add(NeedsThere(Permission::Read), Ordinary, routes!(acts::handover))
        .add_sized(
            evidence::BODY_BYTES_MAX,
            NeedsThere(Permission::Note),
            Ordinary,
            routes!(evidence::keep),
        )
        .add(NeedsThere(Permission::Read), Ordinary, routes!(evidence::bytes))
        .add(NeedsThere(Permission::Read), Ordinary, routes!(timeline::briefing))
        .add(NeedsThere(Permission::Read), Ordinary, routes!(holds::holds))
        .add_sized(hooks::BODY_BYTES_MAX, Public, Ordinary, routes!(hooks::alert))
        .add(NeedsThere(Permission::Launch), Ordinary, routes!(runs::launch))
        .add(NeedsThere(Permission::Read), Ordinary, routes!(runs::runs))
        .add(NeedsThere(Permission::Read), Ordinary, routes!(runs::run))
        .add(NeedsThere(Permission::Control), Urgent, routes!(control::pause))
        .add(NeedsThere(Permission::Control), Ordinary, routes!(control::unpause))
        .add(NeedsThere(Permission::Control), Urgent, routes!(control::cancel))
        .add(NeedsThere(Permission::Control), Ordinary, routes!(control::undo))
        .add(NeedsThere(Permission::Answer), Ordinary, routes!(control::signal))
        .add(NeedsThere(Permission::Launch), Ordinary, routes!(further::more))
        .add(NeedsThere(Permission::Launch), Ordinary, routes!(further::supersede))
        .add(NeedsThere(Permission::Read), Ordinary, routes!(further::outlook))
        .add(NeedsThere(Permission::Read), Ordinary, routes!(events::of_run))
        .add(NeedsThere(Permission::Read), Ordinary, routes!(events::of_all))
        .add(NeedsThere(Permission::Read), Ordinary, routes!(needs::needs))
        // A vote and another answer need different things, which the engine asks for.
        .add(LoggedIn, Urgent, routes!(needs::answer))
        .add(LoggedIn, Urgent, routes!(needs::answers))
        .add(NeedsThere(Permission::Read), Ordinary, routes!(playbooks::playbooks))
        .add(NeedsThere(Permission::Read), Ordinary, routes!(playbooks::playbook))
        .add_sized(
            playbooks::CHECK_BYTES_MAX,
            NeedsThere(Permission::Read),
            Check,
            routes!(playbooks::check),
        )
        .and(crate::page::table())
}

/// What happened, and what people mark in it.
fn of_timelines(routes: Routes) -> Routes {
    use Lane::Ordinary;
    use Right::NeedsThere;
    routes
        .add(NeedsThere(Permission::Read), Ordinary, routes!(timeline::timeline))
        .add(NeedsThere(Permission::Read), Ordinary, routes!(timeline::review))
        .add(NeedsThere(Permission::Read), Ordinary, routes!(timeline::metrics))
        .add(NeedsThere(Permission::Read), Ordinary, routes!(timeline::story))
        .add(NeedsThere(Permission::Note), Ordinary, routes!(acts::star))
        .add(NeedsThere(Permission::Note), Ordinary, routes!(acts::tell))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_may_is_the_reviewed_list() {
        let public = table().declared().into_iter().filter(|route| route.right == Right::Public);
        let lines: Vec<String> =
            public.map(|route| format!("{} {}", route.method, route.path)).collect();
        let reviewed: Vec<&str> = include_str!("../public.txt").lines().collect();
        assert_eq!(lines, reviewed, "a route without a right is added to web/src/public.txt");
    }

    #[test]
    fn an_operation_has_a_name_of_its_own() {
        let described = serde_json::to_value(table().openapi()).unwrap();
        let mut names = std::collections::BTreeSet::new();
        for item in described["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values() {
                let name = operation["operationId"].as_str().map(str::to_owned);
                if let Some(name) = name {
                    assert!(names.insert(name.clone()), "two operations are called `{name}`");
                }
            }
        }
        assert!(!names.is_empty());
    }

    #[test]
    fn what_must_get_through_has_places_of_its_own() {
        let urgent: Vec<String> = table()
            .declared()
            .into_iter()
            .filter(|route| route.lane == Lane::Urgent)
            .map(|route| route.path)
            .collect();
        let own = [
            "/api/v1/go-on",
            "/api/v1/needs/answers",
            "/api/v1/needs/{id}",
            "/api/v1/runs/{id}/cancel",
            "/api/v1/runs/{id}/pause",
            "/api/v1/session",
            "/api/v1/stop",
            "/drill/needs/{id}",
            "/drill/runs/{id}/cancel",
            "/drill/runs/{id}/pause",
            "/go-on",
            "/logout",
            "/needs/{id}",
            "/runs/{id}/cancel",
            "/runs/{id}/pause",
            "/stop",
        ];
        assert_eq!(urgent, own);
    }
}
