//! What a live run would still miss, in words: said by the plan and by a drill, before the night it
//! counts; and the way out where a launch is refused for it. What it is, what a refusal says and which
//! way out there is, is found out elsewhere.

use beistand_core::model::Catalogue;
use beistand_core::playbook::Plan;
use beistand_core::run::{Missing, Remedy, missing};
use beistand_runtime::ModeSetup;
use serde_json::Value;

use crate::out::{cell, many};

/// Hosts that are named; the others are counted.
const NAMED_MAX: usize = 5;

/// What keeps the plan from being carried out live with these inputs, a sentence each.
pub(crate) fn sentences(plan: &Plan, inputs: &Value, live: &ModeSetup) -> Vec<String> {
    let found = missing(plan, &Catalogue::first(), inputs, (&live.setup, &live.bindings));
    let (hosts, others): (Vec<_>, Vec<_>) =
        found.iter().partition(|one| matches!(one, Missing::Host { .. }));
    let mut said: Vec<String> = others.into_iter().map(sentence).collect();
    said.extend(hosts.iter().take(NAMED_MAX).map(|one| sentence(one)));
    if let Some(more @ 1..) = hosts.len().checked_sub(NAMED_MAX) {
        said.push(format!("{} more are not in the inventory either", many(more, "host")));
    }
    said
}

fn sentence(missing: &Missing) -> String {
    match missing {
        Missing::Connector { action, by_hand } => {
            let then = if *by_hand {
                "a person would do it, with --by-hand-ok"
            } else {
                "and the playbook lets no person do it: it is refused"
            };
            format!("no connector is configured for `{action}`: {then}")
        }
        Missing::Guard { action } => {
            format!("there is no `guard:` section: a run with `{action}` is refused")
        }
        Missing::Host { name } => {
            format!("`{}` is not in the inventory: a step that acts on it fails", cell(name))
        }
    }
}

/// The way out where a launch was refused for what is missing.
pub(crate) const fn way_out(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::Guard => {
            "name what must never be touched under `guard: { never: […] }` in beistand.yaml"
        }
        Remedy::ByHand => "say yes with --by-hand-ok, or bind a connector in beistand.yaml",
        Remedy::Bind => "bind a connector in beistand.yaml",
    }
}

#[cfg(test)]
mod tests {
    use beistand_core::run::LaunchError;
    use beistand_runtime::{EngineError, error_json};

    use super::*;
    use crate::exit::{Exit, Failure};

    #[test]
    fn who_is_refused_by_the_owner_of_the_store_hears_the_way_out_too() {
        let bound = |by_hand| Missing::Connector { action: "mail.send".parse().unwrap(), by_hand };
        let guard = Missing::Guard { action: "network.isolate".parse().unwrap() };
        for (missing, hint) in [
            (vec![bound(true)], "say yes with --by-hand-ok, or bind"),
            (vec![bound(true), bound(false)], "bind a connector"),
            (vec![bound(true), guard], "name what must never be touched"),
        ] {
            let error = EngineError::Launch(LaunchError::Missing(missing));
            let failure = Failure::from_answer(&error_json(&error));
            assert_eq!(failure.exit, Exit::NotAllowed);
            assert!(failure.hint.unwrap().starts_with(hint), "{hint}");
        }
    }
}
