//! What would come of a launch, before it begins: what was entered, what is cut off, who is asked.

use askama::Template;
use beistand_core::model::{Mode, Schema, Votes};
use beistand_core::playbook::Plan;
use beistand_core::run::PlannedEffect;
use serde_json::Value;

use super::frame::Frame;
use super::launch::{Entered, INPUT};
use super::need::said;
use super::planned::{Effect, Lacks, asks};
use crate::api::playbooks::for_people;
use crate::app::App;
use crate::report::{Body9457, Lack};
use crate::words::Told;

/// Playbooks that call playbooks are looked through as deep as this.
const DEPTH_MAX: usize = 8;

/// The page.
#[derive(Template)]
#[template(path = "review.html")]
pub(super) struct Review<'a> {
    frame: &'a Frame,
    name: String,
    title: String,
    action: String,
    live: bool,
    /// The incident; empty where one is opened.
    incident: String,
    /// What a new incident is called.
    new_title: String,
    inputs: Vec<Input>,
    hurts: Vec<Hurt>,
    others: Vec<(String, usize)>,
    tasks: usize,
    gates: Vec<(String, String)>,
    lacks: Lacks,
    by_hand_ok: bool,
    /// What it was refused for, where it was tried.
    refused: Option<Told>,
    hidden: Vec<(String, String)>,
}

/// What was entered, or stands there if nothing is.
struct Input {
    label: String,
    values: Vec<String>,
    default: bool,
}

/// An effect that can hurt.
pub(super) struct Hurt {
    pub(super) title: String,
    pub(super) effect: Effect,
    pub(super) targets: Vec<String>,
    pub(super) more: bool,
    /// Those that are never touched: the step fails on them.
    pub(super) guarded: Vec<String>,
    /// How many one run may touch, where these are more.
    pub(super) at_most: Option<String>,
    pub(super) asks: String,
}

impl<'a> Review<'a> {
    pub(super) fn of(
        (app, frame): (&App, &'a Frame),
        (plan, mode): (&Plan, Mode),
        (entered, refused): (&Entered, Option<&Body9457>),
    ) -> Self {
        let parts = plan.parts();
        let mut inputs = Value::Object(entered.inputs.clone());
        parts.inputs.fill(&mut inputs);
        let (mut hurts, mut others) = (Vec::new(), Vec::new());
        effects((app, frame), (plan, mode), &inputs, &mut (&mut hurts, &mut others, 0));
        let (people, gates) = for_people(plan, &app.engine.by_hand(plan, mode));
        let lacks = match mode {
            Mode::Live => Lacks::of(frame, &app.engine.missing(plan, &inputs)),
            // A drill pretends whatever is not there; where it can not, its refusal says so.
            Mode::Drill => refused.map(|told| told_lacks(frame, told)).unwrap_or_default(),
        };
        let mut own: Vec<_> = parts.inputs.properties.iter().flatten().collect();
        own.sort_by_key(|(_, schema)| !schema.is_required());
        let own = own.into_iter();
        let own = own.map(|(name, schema)| Input::of(frame, (name, schema), (entered, &inputs)));
        let title = |one: &crate::api::playbooks::Asks| {
            one.title.clone().unwrap_or_else(|| one.step.clone())
        };
        let role = |role: &str| frame.words.of("role", role);
        let gates = gates.iter();
        let gates = gates.map(|one| (format!("{} × {}", one.votes, role(&one.role)), title(one)));
        let refused = refused.filter(|told| told.missing.is_empty());
        Self {
            frame,
            name: parts.name.to_string(),
            title: parts.title.clone(),
            action: Frame::to(mode, &format!("/playbooks/{}/launch", parts.name)),
            live: mode == Mode::Live,
            incident: entered
                .incident
                .as_ref()
                .map(|one| format!("{} {}", one.number, one.title))
                .unwrap_or_default(),
            new_title: entered.title.clone().map_or_else(|| parts.title.clone(), String::from),
            inputs: own.collect(),
            hurts,
            others,
            tasks: people.iter().filter(|one| one.action.is_none()).count(),
            gates: gates.collect(),
            lacks,
            by_hand_ok: entered.by_hand_ok,
            refused: refused.map(|told| frame.times.program(&told.detail)),
            hidden: hidden(entered, mode),
        }
    }

    /// Whether nothing stands in its way that no yes of anybody replaces.
    fn can_begin(&self) -> bool {
        self.lacks.blocks.is_empty()
    }
}

/// What was entered goes along as it was typed.
fn hidden(entered: &Entered, mode: Mode) -> Vec<(String, String)> {
    let own = |name: &str, value: String| (name.to_owned(), value);
    let mut all =
        vec![own("start_key", entered.start_key.clone()), own("mode", mode.as_str().to_owned())];
    all.extend(entered.incident.as_ref().map(|one| own("incident", one.number.clone())));
    all.extend(entered.title.clone().map(|title| own("title", title.into())));
    let typed = entered.typed.iter();
    all.extend(typed.map(|(name, value)| (format!("{INPUT}{name}"), value.clone())));
    all
}

impl Input {
    fn of(
        frame: &Frame,
        (name, schema): (&str, &Schema),
        (entered, inputs): (&Entered, &Value),
    ) -> Self {
        let values = match inputs.get(name) {
            None | Some(Value::Null) => Vec::new(),
            Some(_) if schema.sensitive => vec![frame.t("launch-sensitive")],
            Some(Value::Bool(yes)) => vec![frame.t(if *yes { "yes" } else { "no" })],
            Some(Value::Array(items)) => items.iter().map(said).collect(),
            Some(value) => vec![said(value)],
        };
        Self {
            label: schema.title.clone().unwrap_or_else(|| name.replace('_', " ")),
            default: !entered.inputs.contains_key(name) && !values.is_empty(),
            values,
        }
    }
}

/// The effects of a plan and of what it calls: those that can hurt one by one, the others counted.
pub(super) fn effects(
    (app, frame): (&App, &Frame),
    (plan, mode): (&Plan, Mode),
    inputs: &Value,
    found: &mut (&mut Vec<Hurt>, &mut Vec<(String, usize)>, usize),
) {
    for step in app.engine.planned(plan, mode, inputs) {
        if let Some((child, inputs)) = &step.calls
            && found.2 < DEPTH_MAX
        {
            found.2 += 1;
            effects((app, frame), (child, mode), inputs, found);
            found.2 -= 1;
        }
        let Some(effect) = step.effect else { continue };
        if effect.destructive {
            // A loop over a list that was left empty does nothing.
            if !effect.targets.known.is_empty() || effect.targets.more {
                let title = step.node.title.clone().unwrap_or_else(|| step.node.id.to_string());
                found.0.push(Hurt::of((app, frame, mode), title, &effect));
            }
            continue;
        }
        let action = effect.call.action.to_string();
        match found.1.iter_mut().find(|(known, _)| *known == action) {
            Some((_, count)) => *count += 1,
            None => found.1.push((action, 1)),
        }
    }
}

impl Hurt {
    fn of(
        (app, frame, mode): (&App, &Frame, Mode),
        title: String,
        effect: &PlannedEffect<'_>,
    ) -> Self {
        let votes: Option<Votes> = effect.asks;
        let (guarded, at_most) = app.engine.kept_back(mode, &effect.targets.known);
        Self {
            title,
            effect: Effect::of(frame, effect),
            targets: effect.targets.known.iter().map(|(_, name)| name.clone()).collect(),
            more: effect.targets.more,
            guarded: guarded.into_iter().map(|hit| hit.target).collect(),
            at_most: at_most.map(|most| most.to_string()),
            asks: votes.map(|votes| asks(frame, votes)).unwrap_or_default(),
        }
    }
}

/// What a refusal says that is missing.
fn told_lacks(frame: &Frame, told: &Body9457) -> Lacks {
    let mut lacks = Lacks::default();
    for one in &told.missing {
        match one.what {
            Lack::Connector if one.by_hand => lacks.for_people.push(one.name.clone()),
            Lack::Connector => {
                lacks.blocks.push(frame.ta("plan-must-be-automatic", one.name.as_str()));
            }
            Lack::Guard => lacks.blocks.push(frame.ta("lacks-guard", one.name.as_str())),
            Lack::Host => lacks.hosts.push(one.name.clone()),
        }
    }
    lacks
}
