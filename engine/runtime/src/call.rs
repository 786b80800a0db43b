//! One effect now, as a run of one step: with guard, limits, policy, journal and undo.
//!
//! The command line and the JSON interface ask for it alike. It sends nothing: it makes the playbook
//! of one step, and refuses before anything is written what would be refused anyway.

use beistand_core::model::{ActionName, ActionSpec, Catalogue, IncidentId, Mode, RunId};
use beistand_core::playbook::{CheckRequest, NoLibrary, Plan, SourceText, check};
use beistand_core::run::{Actor, Connectors as _, Launch, Legacy, launch, never_sent, touched};
use beistand_journal::Incident;
use beistand_script::Scripts;
use serde_json::{Value, json};

use crate::access::Caller;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::incidents::IncidentAct;
use crate::modes::ModeSetup;
use crate::open::NewRun;
use crate::verbs::Verb;

/// What is to be done once.
#[derive(Debug, Clone)]
pub struct OneCall {
    /// Which action.
    pub action: ActionName,
    /// Its arguments.
    pub with: Value,
    /// Why.
    pub reason: String,
    /// It may fall to people where nothing does it.
    pub by_hand_ok: bool,
    /// Who wants it.
    pub by: Actor,
}

impl OneCall {
    /// The plan of one step. Values are data: they stand in it as JSON, never as templates.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for an action that there is not; [`EngineError::Usage`] for
    /// arguments that do not fit it.
    pub fn plan(&self, scripts: &Scripts) -> Result<Plan, EngineError> {
        let catalogue = Catalogue::first();
        let (spec, _) = self.filled(&catalogue)?;
        let (action, title) = (&self.action, &spec.title);
        let step =
            json!({"id": "act", "title": title, "call": action, "with": literal(&self.with)});
        let playbook =
            json!({"playbook": "single-call", "language": 1, "title": title, "steps": [step]});
        let source = SourceText::new("single-call", format!("{playbook:#}"));
        let (plan, findings) = check(CheckRequest {
            source: &source,
            catalogue: &catalogue,
            library: &NoLibrary,
            expressions: scripts,
        });
        plan.ok_or_else(|| {
            let said = findings.iter().map(|finding| format!("\n  {}", finding.message));
            let said: String = said.collect();
            EngineError::Usage(format!("`{action}` can not be called like this{said}"))
        })
    }

    /// The action, and the arguments with what is filled in where nothing is said.
    fn filled<'c>(&self, catalogue: &'c Catalogue) -> Result<(&'c ActionSpec, Value), EngineError> {
        let missing = || EngineError::NotFound(format!("there is no action `{}`", self.action));
        let spec = catalogue.get(&self.action).ok_or_else(missing)?;
        let mut filled = self.with.clone();
        spec.arguments.fill(&mut filled);
        let problems = spec.arguments.problems(&filled);
        if problems.is_empty() {
            return Ok((spec, filled));
        }
        let said =
            problems.iter().map(|problem| format!("\n  `{}` {}", problem.at, problem.message));
        let said: String = said.collect();
        Err(EngineError::Usage(format!("the arguments do not fit{said}")))
    }

    /// Refuses what would be refused anyway: a closed incident, a target that is not known or never
    /// touched, no guard section, nobody who does it.
    ///
    /// # Errors
    /// [`EngineError`], by what the asker can do.
    pub fn may_be_sent(
        &self,
        modes: &ModeSetup,
        plan: &Plan,
        incident: &Incident,
    ) -> Result<(), EngineError> {
        if incident.closed_at.is_some() {
            let text = format!("incident {} is closed", incident.number);
            return Err(EngineError::Conflict(text));
        }
        let catalogue = Catalogue::first();
        let (spec, with) = self.filled(&catalogue)?;
        self.touches_nothing_guarded(modes, (spec, &with), incident.mode)?;
        let wanted = Launch {
            run: RunId::new(0, &[0; 10]),
            incident: IncidentId::new(0, &[0; 10]),
            mode: incident.mode,
            incident_facts: json!({}),
            by: self.by.clone(),
            inputs: json!({}),
            bindings: modes.bindings.clone(),
            by_hand_ok: self.by_hand_ok,
            guarded: modes.setup.guarded,
            parent: None,
            more_of: None,
            supersedes: None,
            legacy: Legacy::default(),
            trace: None,
        };
        launch(plan, &catalogue, &wanted).map(drop).map_err(EngineError::from)
    }

    fn touches_nothing_guarded(
        &self,
        modes: &ModeSetup,
        (spec, with): (&ActionSpec, &Value),
        mode: Mode,
    ) -> Result<(), EngineError> {
        let ModeSetup { setup, bindings, .. } = modes;
        let mut targets = Vec::new();
        for (kind, name) in spec.target_names(with) {
            let target = setup.inventory.resolve(kind, &name);
            targets.push(target.map_err(|error| EngineError::NotFound(error.to_string()))?);
        }
        let capability = self.action.capability();
        let bound = bindings.iter().filter(|binding| binding.capability == capability);
        // Whichever of them it will be; by hand where there is none.
        let does = bound.map(|binding| Some(&binding.connector)).chain([None]);
        for connector in does {
            targets = touched((setup, modes), spec, connector, (with, targets));
        }
        match self.destroys(modes)?.then(|| never_sent(setup, mode, &targets)).flatten() {
            Some(why) => Err(EngineError::NotAllowed(why)),
            None => Ok(()),
        }
    }

    /// Whether it cuts something off: always, or through one of those that could do it.
    fn destroys(&self, modes: &ModeSetup) -> Result<bool, EngineError> {
        let catalogue = Catalogue::first();
        let (spec, with) = self.filled(&catalogue)?;
        let capability = self.action.capability();
        let mut bound = modes.bindings.iter().filter(|one| one.capability == capability);
        let hurts = bound.any(|one| modes.destructive(&one.connector, &self.action, &with));
        Ok(spec.destructive || hurts)
    }

    /// What is written into the incident before it is done.
    pub fn note(&self) -> IncidentAct {
        IncidentAct::Note { text: format!("{}: {}", self.action, self.reason), at: None }
    }
}

impl Engine {
    /// Does one thing in an incident, now; the run that does it is durable on return.
    ///
    /// # Errors
    /// As [`OneCall::plan`] and [`OneCall::may_be_sent`], and as any launch;
    /// [`EngineError::ProveAgain`] where it cuts something off.
    pub async fn call(
        &self,
        caller: &Caller,
        incident: IncidentId,
        call: OneCall,
    ) -> Result<RunId, EngineError> {
        let row = self.0.incidents.get(&self.0.journal, incident).await?;
        let plan = call.plan(&self.0.scripts)?;
        let modes = self.0.modes.of(row.mode);
        let cuts = row.mode == Mode::Live && call.destroys(modes)?;
        if cuts && !caller.is_fresh(self.0.clock.now()) {
            return Err(EngineError::ProveAgain);
        }
        call.may_be_sent(modes, &plan, &row)?;
        let (act, by) = (call.note(), call.by.clone());
        self.execute_as(caller, Verb::Incident { incident, act, by, if_seq: None }).await?;
        let new = NewRun {
            sources: plan.sources(),
            playbook: plan.name().clone(),
            inputs: json!({}),
            incident: Some(incident),
            title: None,
            mode: row.mode,
            short: String::new(),
            start_key: None,
            by_hand_ok: call.by_hand_ok,
            case: None,
            by: call.by,
        };
        let answer = self.execute_as(caller, Verb::Launch(Box::new(new))).await?;
        let run = answer.get("run").and_then(Value::as_str).and_then(|text| text.parse().ok());
        run.ok_or_else(|| EngineError::Internal("a launch named no run".to_owned()))
    }
}

/// `${` in a value from outside is text.
fn literal(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("${", "$${")),
        Value::Array(items) => items.iter().map(literal).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), literal(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(action: &str, with: Value) -> OneCall {
        OneCall {
            action: action.parse().unwrap(),
            with,
            reason: "it beacons".to_owned(),
            by_hand_ok: false,
            by: Actor::asserted("anna".parse().unwrap()),
        }
    }

    #[test]
    fn what_is_given_is_text_in_the_playbook_that_is_made_of_it() {
        let scripts = Scripts::without_budget();
        let with = json!({"room": "crisis", "text": "${7*7}"});
        let plan = call("chat.post", with).plan(&scripts).unwrap();
        let source = plan.sources().into_values().next().unwrap();
        assert!(source.text().contains("$${7*7}"), "{}", source.text());
    }

    #[test]
    fn what_does_not_fit_is_told_before_anything_is_made() {
        let scripts = Scripts::without_budget();
        for wrong in [json!({}), json!({"host": 7}), json!({"host": "pc-1", "x": 1}), json!([])] {
            let plan = call("network.isolate", wrong.clone()).plan(&scripts);
            assert!(matches!(plan, Err(EngineError::Usage(_))), "{wrong}");
        }
        let unknown = call("network.explode", json!({}));
        assert!(matches!(unknown.plan(&scripts), Err(EngineError::NotFound(_))));
    }
}
