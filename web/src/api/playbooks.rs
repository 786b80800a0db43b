//! The playbooks that can be launched: what they ask for, what falls to people, who must say yes.

use std::collections::BTreeSet;

use axum::extract::State;
use beistand_core::model::{ActionName, Mode, PlaybookName, Role};
use beistand_core::playbook::{Finding, Gate, Kind, Node, Plan, SourceText, Wait};
use beistand_core::run::kind_word;
use beistand_core::timeline::Scope;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::app::App;
use crate::asked::At;
use crate::door::Who;
use crate::json::{Exact, Sent};
use crate::report::Problem;
use crate::shelf::not_there;

/// What the body of a check has room for, in bytes: the largest playbook as JSON, which writes some
/// of its characters as two.
pub(crate) const CHECK_BYTES_MAX: usize = 2 * SourceText::BYTES_MAX + (64 << 10);

/// A playbook in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PlaybookListed {
    /// Its name.
    id: String,
    /// Null where it has faults.
    title: Option<String>,
    /// How far it may be shared: `CLEAR`, `GREEN`, `AMBER`, `AMBER+STRICT`, `RED`.
    tlp: Option<String>,
    /// Of it and all it calls.
    digest: Option<String>,
    /// Whether it can be launched: it has no faults.
    sound: bool,
}

/// The playbooks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PlaybooksListed {
    items: Vec<PlaybookListed>,
    /// Where the next part begins; null, because this is all.
    next: Option<String>,
}

/// A playbook.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Playbook {
    /// Its name.
    id: String,
    title: String,
    /// How far it may be shared.
    tlp: String,
    /// Of it and all it calls.
    digest: String,
    /// Where its content comes from.
    references: Vec<String>,
    /// What it is launched with: a JSON Schema.
    inputs: Value,
    /// Steps that people do, of it and of what it calls.
    people: Vec<ByPeople>,
    /// Steps that people must say yes to, of it and of what it calls.
    gates: Vec<Asks>,
}

/// A step that a person does.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ByPeople {
    /// The playbook it stands in.
    playbook: String,
    step: String,
    title: Option<String>,
    /// `task`, `wait`; `call`, where nothing is bound for it.
    kind: String,
    /// What is called, where nothing is bound for it.
    pub(crate) action: Option<String>,
    /// Who is asked; null where anybody who answers may.
    role: Option<String>,
}

/// A step that people must say yes to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Asks {
    /// The playbook it stands in.
    playbook: String,
    pub(crate) step: String,
    pub(crate) title: Option<String>,
    /// Who is asked.
    pub(crate) role: String,
    /// How many different persons.
    pub(crate) votes: u32,
}

/// A text to be checked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    /// A playbook, YAML.
    #[schema(max_length = 262_144)]
    text: String,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Findings {
    findings: Vec<Found>,
}

/// One thing that was found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Found {
    /// Which text.
    file: String,
    /// From 1.
    line: u32,
    /// From 1, in characters.
    column: u32,
    severity: Weight,
    /// A stable short name: `unknown-key`.
    code: String,
    /// A sentence.
    message: String,
    /// What to do about it.
    hint: Option<String>,
}

/// Whether it stands in the way.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Weight {
    /// There will be no run of it.
    Error,
    /// A person should look.
    Warning,
}

impl From<Finding> for Found {
    fn from(finding: Finding) -> Self {
        let severity = if finding.is_error() { Weight::Error } else { Weight::Warning };
        let Finding { file, line, column, severity: _, code, message, hint } = finding;
        Self { file, line, column, severity, code, message, hint }
    }
}

/// The playbooks that can be named, by name.
#[utoipa::path(
    get, path = "/api/v1/playbooks", tag = "playbooks",
    responses((status = 200, description = "All of them", body = PlaybooksListed))
)]
pub(super) async fn playbooks(
    State(app): State<App>,
    Who(caller): Who,
) -> Result<Sent<PlaybooksListed>, Problem> {
    let scope = caller.rights.scope();
    let items = app.shelf.ask(move |playbooks| {
        let all = playbooks.names().into_iter();
        let all = all.filter_map(|name| Some((playbooks.named(&name)?.0, name)));
        all.filter(|(plan, _)| is_open(plan.as_ref(), &scope))
            .map(|(plan, name)| listed(&name, plan.as_ref()))
            .collect::<Vec<_>>()
    });
    Ok(Sent(PlaybooksListed { items: items.await?, next: None }))
}

/// One playbook.
#[utoipa::path(
    get, path = "/api/v1/playbooks/{id}", tag = "playbooks",
    params(("id" = String, Path, description = "Its name")),
    responses((status = 200, description = "As it would be launched now", body = Playbook))
)]
pub(super) async fn playbook(
    State(app): State<App>,
    Who(caller): Who,
    At(name): At<PlaybookName>,
) -> Result<Sent<Playbook>, Problem> {
    let asked = name.clone();
    let found = app.shelf.ask(move |playbooks| playbooks.named(&asked)).await?;
    let Some((plan, findings)) = found else { return Err(not_there(&name)) };
    if !is_open(plan.as_ref(), &caller.rights.scope()) {
        return Err(not_there(&name));
    }
    let Some(plan) = plan else {
        let text = format!("the playbook `{name}` has faults");
        return Err(Problem::conflict(text).problems(json!(findings)));
    };
    let unbound = app.engine.by_hand(&plan, Mode::Live);
    Ok(Sent(described(&plan, &unbound)))
}

/// Every fault of a text at once. Nothing is kept of it.
#[utoipa::path(
    post, path = "/api/v1/playbooks/check", tag = "playbooks", request_body = Text,
    responses((status = 200, description = "What was found; empty where it is sound", body = Findings))
)]
pub(super) async fn check(
    State(app): State<App>,
    Exact(body): Exact<Text>,
) -> Result<Sent<Findings>, Problem> {
    if body.text.len() > SourceText::BYTES_MAX {
        let text = format!("a playbook has at most {} bytes", SourceText::BYTES_MAX);
        return Err(Problem::malformed(text).place("text"));
    }
    let findings = app.shelf.check(body.text).await?;
    Ok(Sent(Findings { findings: findings.into_iter().map(Found::from).collect() }))
}

/// Whether these eyes may see a playbook; one with faults has no marking, which counts as the
/// highest.
pub(crate) fn is_open(plan: Option<&Plan>, scope: &Scope) -> bool {
    scope.is_all() || plan.is_some_and(|plan| plan.parts().tlp <= scope.tlp)
}

fn listed(name: &PlaybookName, plan: Option<&Plan>) -> PlaybookListed {
    PlaybookListed {
        id: name.to_string(),
        title: plan.map(|plan| plan.parts().title.clone()),
        tlp: plan.map(|plan| plan.parts().tlp.to_string()),
        digest: plan.map(|plan| plan.digest().to_string()),
        sound: plan.is_some(),
    }
}

fn described(plan: &Plan, unbound: &BTreeSet<ActionName>) -> Playbook {
    let parts = plan.parts();
    let (people, gates) = for_people(plan, unbound);
    Playbook {
        id: parts.name.to_string(),
        title: parts.title.clone(),
        tlp: parts.tlp.to_string(),
        digest: plan.digest().to_string(),
        references: parts.references.clone(),
        inputs: json!(parts.inputs),
        people,
        gates,
    }
}

/// Steps that people do and that people must say yes to, of a plan and of all it calls.
pub(crate) fn for_people(
    plan: &Plan,
    unbound: &BTreeSet<ActionName>,
) -> (Vec<ByPeople>, Vec<Asks>) {
    let (mut people, mut gates) = (Vec::new(), Vec::new());
    gather(plan, unbound, &mut (&mut people, &mut gates));
    (people, gates)
}

fn gather(
    plan: &Plan,
    unbound: &BTreeSet<ActionName>,
    found: &mut (&mut Vec<ByPeople>, &mut Vec<Asks>),
) {
    for (_, node) in plan.nodes() {
        let own = if let Kind::Approve { gate, .. } = &node.kind { Some(gate) } else { None };
        let gates = own.into_iter().chain(&node.approval);
        found.1.extend(gates.map(|gate| asks(plan, node, gate)));
        found.0.extend(by_people(plan, node, unbound));
    }
    for child in plan.parts().children.values() {
        gather(child, unbound, found);
    }
}

fn asks(plan: &Plan, node: &Node, gate: &Gate) -> Asks {
    Asks {
        playbook: plan.name().to_string(),
        step: node.id.to_string(),
        title: node.title.clone(),
        role: gate.role.to_string(),
        votes: gate.votes,
    }
}

fn by_people(plan: &Plan, node: &Node, unbound: &BTreeSet<ActionName>) -> Option<ByPeople> {
    let (role, action): (Option<Role>, _) = match &node.kind {
        Kind::Task { role, .. } | Kind::Wait(Wait::Signal { role: Some(role), .. }) => {
            (Some(*role), None)
        }
        Kind::Call(call) if unbound.contains(&call.action) => (None, Some(call.action.to_string())),
        Kind::Call(_)
        | Kind::Script(_)
        | Kind::Approve { .. }
        | Kind::Wait(_)
        | Kind::Group(_)
        | Kind::Parallel { .. }
        | Kind::ForEach(_)
        | Kind::Switch(_)
        | Kind::Repeat(_)
        | Kind::Playbook { .. }
        | Kind::UndoSteps(_)
        | Kind::Note(_)
        | Kind::Fail(_)
        | Kind::End(_) => return None,
    };
    Some(ByPeople {
        playbook: plan.name().to_string(),
        step: node.id.to_string(),
        title: node.title.clone(),
        kind: kind_word(&node.kind).to_owned(),
        action,
        role: role.map(|role| role.to_string()),
    })
}

#[cfg(test)]
mod tests;
