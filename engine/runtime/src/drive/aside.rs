//! A decision that takes long goes on aside, so that others have their turn: votes, the stop file,
//! the journal, the runs that are quick.

use beistand_core::model::{Millis, Span};
use beistand_core::playbook::{Checked, EvalError, Expressions, Fault, Names, ScriptKind};
use serde_json::{Map, Value};

use crate::clock::Clock;

/// From here on a decision is long. Whoever begins aside pays more than an ordinary decision costs.
const LONG: Span = Span::from_millis(5);

/// The expressions of one decision. They are nearly all of its work, and how much there is of it
/// shows only on the way: a loop may be over what another step found.
pub(super) struct Aside<'a> {
    pub(super) scripts: &'a dyn Expressions,
    pub(super) clock: &'a dyn Clock,
    pub(super) began: Millis,
}

impl Expressions for Aside<'_> {
    fn check(&self, text: &str, kind: ScriptKind, names: &Names) -> Result<Checked, Vec<Fault>> {
        self.scripts.check(text, kind, names)
    }

    fn evaluate(
        &self,
        text: &str,
        kind: ScriptKind,
        values: &Map<String, Value>,
    ) -> Result<Value, EvalError> {
        let evaluate = || self.scripts.evaluate(text, kind, values);
        if self.clock.now().since(self.began) > LONG {
            // The worker's place goes to another thread once; after that this is only a call.
            tokio::task::block_in_place(evaluate)
        } else {
            evaluate()
        }
    }
}
