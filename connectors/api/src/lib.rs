//! What a connector is. A connector learns of a run only a [`Call`]: what to do, with which key,
//! on which targets. It knows no journal, no playbook and no person.

mod secret;

use std::fmt::Debug;

pub use beistand_core::model::{
    ActionName, ActionSpec, Answer, Call, CallError, Catalogue, ConnectorName, ConnectorSpec,
    Direction, EffectClass, Format, IdempotencyKey, Inventory, InventoryHost, Millis, Mode, Offer,
    Organisation, Pretence, Probed, Reached, Schema, SchemaType, Span, Target, TargetKind, Value,
    causes, pretended_class,
};
pub use futures_util::future::BoxFuture;
pub use secret::{Secret, SecretError, SecretReference, Secrets};

/// Something that does effects of one configured product.
pub trait Connector: Debug + Send + Sync {
    /// What it is and what it can do.
    fn spec(&self) -> &ConnectorSpec;

    /// How one concrete call may be treated: `http.request` is a read for GET and once for POST.
    /// `None` where it does not offer the action.
    fn offer(&self, action: &ActionName, arguments: &Value) -> Option<Offer>;

    /// Whether its configuration calls this concrete call destructive, so that gates, guard, limits
    /// and holds apply to it; `false` for what the catalogue already says.
    fn destructive(&self, action: &ActionName, arguments: &Value) -> bool;

    /// The host that this concrete call goes to and acts on, by the name and address that the
    /// configuration has for it: it is guarded, held and counted like a target. `None` for what
    /// acts on its targets from afar.
    fn goes_to(&self, action: &ActionName, arguments: &Value) -> Option<Target>;

    /// Does the effect. The intent is durable when this is called.
    ///
    /// # Errors
    /// [`CallError`], by what may be done next. No answer is `Unknown`.
    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Answer, CallError>>;

    /// Finds out whether a call whose answer was lost was done. Only asked of `Checkable` actions,
    /// after their settle time.
    fn probe<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Probed>;

    /// Whether it can be reached with these settings, without changing anything.
    ///
    /// # Errors
    /// A [`CallError`] with a sentence for the administrator.
    fn health(&self) -> BoxFuture<'_, Result<String, CallError>>;
}
