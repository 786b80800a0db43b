//! Connectors that answer what a case says, and otherwise what a working product would say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::{
    ActionName, Answer, Call, CallError, Catalogue, ConnectorName, EffectClass, IdempotencyKey,
    Offer, Pretence, Probed, Reached, Span, Target, pretended_class,
};
use crate::playbook::{Case, CaseAnswer, CaseError, CaseGives, CaseProbe};
use crate::run::Connectors;

/// Pretended connectors for every capability.
#[derive(Debug, Clone)]
pub struct PretendedConnectors {
    catalogue: Catalogue,
    rules: Vec<(CaseAnswer, Option<u32>)>,
    probes: BTreeMap<IdempotencyKey, CaseProbe>,
    checkable: BTreeSet<ActionName>,
    pretence: Pretence,
}

/// What came of a pretended call.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// An answer.
    Answer(Result<Answer, CallError>),
    /// The engine dies here and is started again.
    Crash,
}

impl PretendedConnectors {
    /// Connectors that answer as a case says.
    pub fn new(catalogue: &Catalogue, case: &Case) -> Self {
        let probed =
            |answer: &&CaseAnswer| matches!(answer.gives, CaseGives::Error { probe: Some(_), .. });
        Self {
            catalogue: catalogue.clone(),
            rules: case.answers.iter().map(|answer| (answer.clone(), times(answer))).collect(),
            probes: BTreeMap::new(),
            checkable: case.answers.iter().filter(probed).map(|a| a.call.clone()).collect(),
            pretence: Pretence::default(),
        }
    }

    /// The answer to a call: of the first rule that matches and has answers left.
    pub fn answer(&mut self, call: &Call) -> Said {
        let Some(gives) = self.rule(call) else { return self.done(call) };
        match gives {
            CaseGives::Output(output) => {
                self.output(call);
                Said::Answer(Ok(Answer { output, reached: Reached::Verified }))
            }
            CaseGives::CrashAfterIntent => Said::Crash,
            CaseGives::Error { kind, probe } => {
                if let Some(probe) = probe {
                    self.probes.insert(call.key, probe);
                }
                let message = format!("{} {}", call.action.as_str(), says(kind));
                Said::Answer(Err(match kind {
                    CaseError::Unavailable => CallError::unavailable(message),
                    CaseError::Refused => CallError::refused(message),
                    CaseError::Unknown => CallError::unknown(message),
                    CaseError::Invalid => CallError::invalid(message),
                }))
            }
        }
    }

    /// What a look at the state before an effect gives. The engine does not die of looking.
    pub fn look(&mut self, call: &Call) -> Result<Answer, CallError> {
        match self.answer(call) {
            Said::Answer(answer) => answer,
            Said::Crash => Ok(self.good(call)),
        }
    }

    /// What a probe of a call finds out.
    pub fn probe(&mut self, call: &Call) -> Probed {
        match self.probes.get(&call.key) {
            Some(CaseProbe::Done) => Probed::Done(self.good(call)),
            Some(CaseProbe::NotDone) => Probed::NotDone,
            Some(CaseProbe::Unknown) | None => Probed::Unknown,
        }
    }

    fn done(&mut self, call: &Call) -> Said {
        Said::Answer(Ok(self.good(call)))
    }

    fn good(&mut self, call: &Call) -> Answer {
        Answer { output: self.output(call), reached: Reached::Verified }
    }

    fn output(&mut self, call: &Call) -> Value {
        let Some(spec) = self.catalogue.get(&call.action) else { return Value::Null };
        self.pretence.output(&self.catalogue, spec, &call.arguments, &call.targets)
    }

    fn rule(&mut self, call: &Call) -> Option<CaseGives> {
        let (answer, left) = self.rules.iter_mut().find(|(answer, left)| {
            *left != Some(0)
                && answer.call == call.action
                && answer
                    .arguments
                    .iter()
                    .all(|(name, value)| call.arguments.get(name) == Some(value))
        })?;
        if let Some(left) = left {
            *left -= 1;
        }
        Some(answer.gives.clone())
    }
}

impl Connectors for PretendedConnectors {
    fn offer(&self, _: &ConnectorName, action: &ActionName, arguments: &Value) -> Option<Offer> {
        let spec = self.catalogue.get(action)?;
        let class = if self.checkable.contains(action) {
            EffectClass::Checkable
        } else {
            pretended_class(&self.catalogue, spec, arguments)
        };
        Some(Offer { action: action.clone(), class, reach: Reached::Verified, settle: Span::ZERO })
    }

    fn destructive(&self, _: &ConnectorName, _: &ActionName, _: &Value) -> bool {
        false
    }

    fn goes_to(&self, _: &ConnectorName, _: &ActionName, _: &Value) -> Option<Target> {
        None
    }
}

/// Without `times` a rule answers for ever; but an engine that always dies comes to no end.
fn times(answer: &CaseAnswer) -> Option<u32> {
    let once = matches!(answer.gives, CaseGives::CrashAfterIntent).then_some(1);
    answer.times.or(once)
}

fn says(kind: CaseError) -> &'static str {
    match kind {
        CaseError::Unavailable => "is unavailable",
        CaseError::Refused => "is refused",
        CaseError::Unknown => "gave no clear answer",
        CaseError::Invalid => "can not be sent like this",
    }
}
