//! The fence around every connector. What no connector may forget is done here: mode, catalogue,
//! targets of destructive calls, and the net for secrets on everything that comes back.

use std::fmt;
use std::sync::Arc;

use beistand_connector_api::{
    ActionName, Answer, BoxFuture, Call, CallError, Catalogue, Connector, ConnectorSpec, Mode,
    Offer, Probed, Target, Value,
};

use super::Vault;

/// A connector that serves incidents of one mode only.
pub struct Fence {
    inner: Arc<dyn Connector>,
    vault: Arc<Vault>,
    mode: Mode,
    catalogue: Catalogue,
}

impl fmt::Debug for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, {}", self.inner, self.mode)
    }
}

impl Fence {
    /// Puts the fence up.
    pub fn new(inner: Arc<dyn Connector>, vault: Arc<Vault>, mode: Mode) -> Self {
        Self { inner, vault, mode, catalogue: Catalogue::first() }
    }

    fn check(&self, call: &Call) -> Result<(), CallError> {
        let (kind, action) = (&self.spec().kind, &call.action);
        if call.mode != self.mode {
            return Err(CallError::invalid(format!(
                "this `{kind}` connector serves {} incidents and was asked by a {} one",
                self.mode, call.mode
            )));
        }
        let Some(spec) = self.catalogue.get(action).filter(|_| self.spec().offer(action).is_some())
        else {
            return Err(CallError::invalid(format!("`{kind}` does not offer `{action}`")));
        };
        if let Some(problem) = spec.arguments.problems(&call.arguments).first() {
            return Err(CallError::invalid(format!(
                "argument `{}` of `{action}` {}",
                problem.at, problem.message
            )));
        }
        let untargeted = call.arguments.get("untargeted") == Some(&Value::Bool(true));
        // The host it goes to is counted too, but is not what its author says it hits.
        let named = !call.targets.is_empty() && !spec.target_names(&call.arguments).is_empty();
        if !named && !untargeted && self.destructive(action, &call.arguments) {
            return Err(CallError::invalid(format!(
                "the configuration calls this `{action}` destructive: it needs `targets`, or \
                 `untargeted: true` where it hits nothing that has a name"
            )));
        }
        Ok(())
    }
}

impl Connector for Fence {
    fn spec(&self) -> &ConnectorSpec {
        self.inner.spec()
    }

    fn offer(&self, action: &ActionName, arguments: &Value) -> Option<Offer> {
        self.inner.offer(action, arguments)
    }

    fn destructive(&self, action: &ActionName, arguments: &Value) -> bool {
        self.inner.destructive(action, arguments)
    }

    fn goes_to(&self, action: &ActionName, arguments: &Value) -> Option<Target> {
        self.inner.goes_to(action, arguments)
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Answer, CallError>> {
        Box::pin(async move {
            self.check(call)?;
            let result = self.inner.call(call).await;
            let net = self.vault.net();
            result
                .map(|answer| Answer { output: net.clean_value(answer.output), ..answer })
                .map_err(|error| net.clean_error(error))
        })
    }

    fn probe<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Probed> {
        Box::pin(async move {
            if self.check(call).is_err() {
                return Probed::Unknown;
            }
            match self.inner.probe(call).await {
                Probed::Done(answer) => Probed::Done(Answer {
                    output: self.vault.net().clean_value(answer.output),
                    ..answer
                }),
                other @ (Probed::NotDone | Probed::Unknown) => other,
            }
        })
    }

    fn health(&self) -> BoxFuture<'_, Result<String, CallError>> {
        Box::pin(async move {
            let result = self.inner.health().await;
            let net = self.vault.net();
            result.map(|text| net.clean(&text)).map_err(|error| net.clean_error(error))
        })
    }
}
