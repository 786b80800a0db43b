//! A call, rendered and resolved, before anything is decided about it: arguments, what takes it
//! back, where it happens, and the digest of all that.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::claims::{family_of, what_of};
use super::super::event::UndoCall;
use super::super::scope::Scope;
use super::super::world::{Means, World};
use super::place::{choose, targets_of, touched};
use crate::model::{
    ActionName, ActionSpec, Catalogue, ConnectorName, Digest, EffectClass, ErrorKind, Offer, Path,
    Reached, Span, Target, digest_of,
};
use crate::playbook::{CallNode, Node, Undo};

/// A call, rendered and resolved.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    pub(super) path: Path,
    pub(super) action: ActionName,
    pub(super) arguments: Arc<Value>,
    pub(super) targets: Vec<Target>,
    pub(super) connector: Option<ConnectorName>,
    pub(super) offer: Offer,
    pub(super) destructive: bool,
    pub(super) undo: Option<Arc<UndoCall>>,
    /// The destructive action it is, or takes back.
    pub(super) family: Option<ActionName>,
    /// The digest of the fully rendered effect, where somebody may have to say yes to it.
    pub(super) effect: Option<Digest>,
}

impl Prepared {
    /// Whether gates guard it: it is destructive, or takes back what is.
    pub(super) fn hurts(&self) -> bool {
        self.family.is_some()
    }

    /// What its targets are held by: effects by the same means on one target run one after the
    /// other.
    pub(super) fn means(&self) -> Option<Means> {
        let connector = self.connector.clone();
        self.family.clone().map(|action| Means { action, connector })
    }

    /// What it does to its targets, where its action does not say it.
    pub(super) fn what(&self, catalogue: &Catalogue) -> Option<Digest> {
        what_of(catalogue, (&self.action, self.destructive), &self.arguments)
    }

    /// Whether it takes back what a destructive effect did.
    pub(super) fn is_release(&self) -> bool {
        self.family.as_ref().is_some_and(|family| *family != self.action)
    }

    /// What an approver is shown of it.
    pub(super) fn line(&self) -> Value {
        json!({
            "path": self.path,
            "action": self.action,
            "connector": self.connector,
            "targets": self.targets,
            "arguments": self.arguments,
            "undo": self.undo,
        })
    }
}

/// Why a call can not be made as it is.
pub(super) type Unfit = (ErrorKind, String);

/// Renders a call and resolves its targets and its connector.
pub(super) fn prepare(
    world: &World<'_>,
    scope: &Scope<'_>,
    node: &Node,
    call: &CallNode,
    path: Path,
) -> Result<Prepared, Unfit> {
    let eval = |error: crate::playbook::EvalError| (ErrorKind::Script, error.message);
    let Some(spec) = world.catalogue.get(&call.action) else {
        return Err((ErrorKind::Internal, format!("there is no action `{}`", call.action)));
    };
    let mut arguments = scope.render_all(&call.with).map_err(eval)?;
    spec.arguments.fill(&mut arguments);
    if let Some(problem) = spec.arguments.problems(&arguments).first() {
        return Err((ErrorKind::Invalid, format!("argument `{}` {}", problem.at, problem.message)));
    }
    spec.order_targets(&mut arguments);
    crate::model::exact(&arguments).map_err(|error| (ErrorKind::Invalid, error.to_string()))?;
    let named = targets_of(world, spec, &arguments)?;
    let via = call.via.as_ref().map(crate::model::StepId::as_str);
    let connector = choose(&scope.state().opened.bindings, (&call.action, via), &named);
    let targets =
        touched((world.setup, world.connectors), spec, connector.as_ref(), (&arguments, named));
    let offer = offer(world, connector.as_ref(), &call.action, &arguments);
    let destructive = is_destructive(world, spec, connector.as_ref(), &arguments);
    let undo = match &node.undo {
        Undo::None | Undo::Steps(_) => None,
        Undo::Call { action, with } => {
            let arguments = scope.render_all(with).map_err(eval)?;
            Some(UndoCall { action: action.clone(), arguments })
        }
        Undo::Catalogue => spec
            .undo_arguments(&arguments)
            .map(|(action, arguments)| UndoCall { action, arguments }),
    };
    let mut prepared = Prepared {
        path,
        action: call.action.clone(),
        arguments: Arc::new(arguments),
        targets,
        connector,
        offer,
        destructive,
        undo: undo.map(Arc::new),
        family: family_of(world.catalogue, &call.action, destructive),
        effect: None,
    };
    let legacy = &scope.state().opened.legacy;
    let asked_before = legacy.gate_of(&prepared.path, &prepared.action, prepared.hurts());
    if prepared.hurts() || node.approval.is_some() || asked_before.is_some() {
        prepared.effect = Some(line_digest(scope, &prepared));
    }
    Ok(prepared)
}

/// Whether the catalogue, or the connector's configuration, calls it destructive.
pub(super) fn is_destructive(
    world: &World<'_>,
    spec: &ActionSpec,
    connector: Option<&ConnectorName>,
    arguments: &Value,
) -> bool {
    let configured = |connector| world.connectors.destructive(connector, &spec.name, arguments);
    spec.destructive || connector.is_some_and(configured)
}

/// What a connector says of a call; where nobody does it, a person does it once.
pub(super) fn offer(
    world: &World<'_>,
    connector: Option<&ConnectorName>,
    action: &ActionName,
    arguments: &Value,
) -> Offer {
    connector
        .and_then(|connector| world.connectors.offer(connector, action, arguments))
        .unwrap_or_else(|| Offer {
            action: action.clone(),
            class: EffectClass::Once,
            reach: Reached::Accepted,
            settle: Span::ZERO,
        })
}

/// The digest of one bound line: everything an approver was shown of it.
pub(super) fn line_digest(scope: &Scope<'_>, prepared: &Prepared) -> Digest {
    let opened = &scope.state().opened;
    let parts = json!([
        prepared.line(),
        opened.mode.as_str(),
        opened.incident.to_string(),
        opened.run.to_string(),
        opened.digest.hex(),
        opened.by.person.as_str()
    ]);
    // Arguments are exact: they were looked at when they were rendered.
    digest_of("effect-line", &parts).unwrap_or(Digest::ZERO)
}
