//! Tells the events of one run.

use std::collections::BTreeMap;

use serde_json::Value;

use super::class::{self, Class};
use super::entry::{Lane, Lang, Recorded, Scope, TimelineEntry};
use super::escape::{TEXT_CHARS_MAX, visible};
use super::owners::{Owners, Sight};
use super::place::node_of;
use super::seen::{Called, Seen, Tried};
use super::sensitive::{BLOT, Sensitive};
use super::sentence::{self, Act, Scene, words};
use super::stroke;
use crate::model::{Organisation, Path, PlaybookName, Role, RunId, Schema};
use crate::playbook::{Kind, NodeId, Plan, Wait};
use crate::run::{Actor, Event, Head, NeedKind, Proof, StepEnd, item_text};

/// How the machine begins the error of a denial; the sentence says so in its own language.
const DENIED: &str = "denied: ";

/// Longest name in a sentence.
pub(super) const NAME_CHARS_MAX: usize = 120;

/// Largest form or inputs that stand beside a line; the run itself has all of them.
const VALUE_BYTES_MAX: usize = 16 * 1024;

/// Everything that is needed to tell a run.
#[derive(Debug)]
pub(super) struct Teller<'a> {
    scope: &'a Scope,
    lang: Lang,
    plan: Option<&'a Plan>,
    playbook: Option<PlaybookName>,
    run: Option<RunId>,
    owners: Owners,
    sensitive: Sensitive,
    seen: Seen,
    /// What called runs take over, by run.
    called: BTreeMap<RunId, Called>,
}

impl<'a> Teller<'a> {
    /// Makes ready to tell a run: looks at all its events once, for what they say of each other.
    pub(super) fn new<'e>(
        (scope, lang): (&'a Scope, Lang),
        plan: Option<&'a Plan>,
        called: Called,
        events: impl Iterator<Item = &'e Event>,
    ) -> Self {
        let sensitive = Sensitive::of(plan, called.inputs.clone(), called.values.clone());
        let mut teller = Self {
            scope,
            lang,
            plan,
            playbook: None,
            run: None,
            owners: Owners::default(),
            sensitive,
            seen: Seen::new(Path::root(), Called::default()),
            called: BTreeMap::new(),
        };
        let mut forms = Seen::new(Path::root(), Called::default());
        let mut base = Path::root();
        for event in events {
            if let Head::RunOpened { run, playbook, parent, .. } = &event.head {
                teller.run = Some(*run);
                teller.playbook = Some(playbook.clone());
                base = parent.as_ref().map_or_else(Path::root, |parent| parent.path.clone());
            }
            forms.learn(event);
            teller.owners.learn(event);
            teller.learn_sensitive(event, &forms);
        }
        teller.seen = Seen::new(base, called);
        teller
    }

    /// What the runs it called take over.
    pub(super) fn called(self) -> BTreeMap<RunId, Called> {
        self.called
    }

    fn learn_sensitive(&mut self, event: &Event, forms: &Seen) {
        let Some(value) = event.body.value.as_deref() else { return };
        let head = &event.head;
        if let (Head::RunOpened { .. }, Some(plan)) = (head, self.plan) {
            let inputs = value.get("inputs").unwrap_or(&Value::Null);
            self.sensitive.learn_inputs(&plan.parts().inputs, inputs);
        }
        if let Head::NeedAnswered { .. } = head
            && let Some(form) = forms.asked(head).and_then(|asked| asked.form.as_ref())
        {
            self.sensitive.learn(form, value);
        }
        if let Head::SignalReceived { .. } = head {
            signal_forms(self.plan).for_each(|form| self.sensitive.learn(form, value));
        }
    }

    /// One event as a line; none where it is not for these eyes.
    pub(super) fn tell(&mut self, recorded: &Recorded, event: &Event) -> Option<TimelineEntry> {
        self.seen.learn(event);
        let head = &event.head;
        let path = self.owners.path(head);
        let order = self.seen.order(self.plan, head, path.as_ref());
        self.hand_on(head);
        let owners = self.owners.of(event);
        let sight = self.scope.sight(&owners);
        if sight == Sight::Hidden {
            return None;
        }
        let Class { kind, lane, detail } = class::of_run(head);
        let scene = self.scene(recorded, event, (path.as_ref(), sight));
        let text = unstopped(sentence::of_run(self.lang, head, &scene), &scene.step);
        let actor = actor_of(head);
        let targets = scene.act.iter().flat_map(|act| &act.targets).map(|(_, name)| name.clone());
        Some(TimelineEntry {
            at: recorded.at,
            happened_at: happened_at(head),
            lane: self.lane(head, path.as_ref(), lane),
            kind,
            text: self.sensitive.scrub(&text),
            detail: detail || self.is_told(head, path.as_ref()),
            failed: stroke::is_failure(head),
            targets: targets.collect(),
            strokes: stroke::strokes(recorded, head, (&self.seen, path.as_ref())),
            run: self.run,
            playbook: self.playbook.clone(),
            item: path.as_ref().filter(|_| sight == Sight::Whole).and_then(|path| self.item(path)),
            path,
            actor: actor.map(|actor| actor.person.clone()),
            asserted: actor.is_some_and(|actor| actor.asserted),
            account: actor.and_then(|actor| actor.account.clone()),
            proof: actor.and_then(|actor| actor.proof),
            through: actor.and_then(|actor| actor.through.clone()),
            organisation: the_one(owners),
            value: if sight == Sight::Whole { self.value(event) } else { None },
            stream: recorded.stream.clone(),
            seq: recorded.seq,
            entry: recorded.id,
            event: 1,
            about: None,
            roles: role_asked(head).into_iter().collect(),
            given: None,
            asset: None,
            corrected_by: None,
            starred_by: None,
            order,
        })
    }

    /// Whether the line before says the same: a person's answer ends a task, or says what a probe
    /// could not.
    fn is_told(&self, head: &Head, path: Option<&Path>) -> bool {
        if let Head::ProbeEnded { path, .. } = head {
            return !self.seen.is_probed(path);
        }
        let Head::StepEnded { end: StepEnd::Succeeded, .. } = head else { return false };
        let node = self.plan.and_then(|plan| node_of(plan, path?)).map(|(_, node)| &node.kind);
        matches!(node, Some(Kind::Task { .. } | Kind::Approve { .. }))
    }

    fn hand_on(&mut self, head: &Head) {
        let Head::ChildOpened { path, run, .. } = head else { return };
        let node = self.plan.and_then(|plan| node_of(plan, path).map(|(_, node)| (plan, node)));
        let inputs = node.map(|(plan, node)| self.sensitive.handed_on(plan, node));
        let called = Called {
            inputs: inputs.unwrap_or_default(),
            values: self.sensitive.values().clone(),
            ..self.seen.called(self.plan, path)
        };
        self.called.insert(*run, called);
    }

    /// What a sentence is made of; without values where only the outline may be read.
    fn scene(
        &self,
        recorded: &Recorded,
        event: &Event,
        (path, sight): (Option<&Path>, Sight),
    ) -> Scene {
        let whole = sight == Sight::Whole;
        let head = &event.head;
        let tried = path.and_then(|path| self.seen.tried(path));
        let text = event.body.text.as_deref().filter(|_| whole && self.may_tell(head, path));
        let by = actor_of(head);
        let titled = matches!(head, Head::NeedOpened { .. });
        Scene {
            step: path.map_or_else(|| self.whole(head), |path| self.step(path, whole)),
            playbook: self.title(),
            by: by.map_or_else(String::new, |by| name_of(self.lang, by)),
            // A need's text is the title of its step, which stands there already.
            text: text
                .map(|text| text.strip_prefix(DENIED).filter(|_| by.is_none()).unwrap_or(text))
                .filter(|_| !titled)
                .map_or_else(String::new, |text| visible(text, TEXT_CHARS_MAX)),
            name: name_in(head, whole),
            now: recorded.at,
            act: tried.filter(|_| whole).map(|tried| self.act(tried, path)),
            need: self.seen.asked(head).map(|asked| asked.kind),
        }
    }

    fn act(&self, tried: &Tried, path: Option<&Path>) -> Act {
        let hidden = self.sensitive.hides(self.node(path));
        let targets = tried.targets.iter().filter(|_| !hidden);
        Act {
            action: tried.intent.action.clone(),
            targets: targets.map(|t| (t.kind, visible(&t.name, NAME_CHARS_MAX))).collect(),
            connector: tried
                .intent
                .connector
                .as_ref()
                .filter(|_| !tried.by_hand)
                .map(ToString::to_string),
            attempt: tried.intent.attempt,
        }
    }

    /// Whether the text of an event may be told: what people wrote may, what was rendered or came
    /// back from outside only where nothing sensitive went in.
    fn may_tell(&self, head: &Head, path: Option<&Path>) -> bool {
        if matches!(head, Head::Closing { by: None, .. }) {
            return !self.sensitive.hides_any();
        }
        match (self.plan, self.node(path)) {
            (Some(_) | None, _) if actor_of(head).is_some() => true,
            (Some(plan), Some(node)) => !self.sensitive.hides_inside(plan, node),
            (Some(_), None) => true,
            (None, _) => false,
        }
    }

    fn node(&self, path: Option<&Path>) -> Option<NodeId> {
        self.plan.and_then(|plan| node_of(plan, path?)).map(|(id, _)| id)
    }

    fn title(&self) -> String {
        match (self.plan, &self.playbook) {
            (Some(plan), _) => visible(&plan.parts().title, NAME_CHARS_MAX),
            (None, Some(name)) => name.to_string(),
            (None, None) => String::new(),
        }
    }

    /// What is no step's: a gate of the run itself is that of taking something back.
    fn whole(&self, head: &Head) -> String {
        let opens = matches!(head, Head::NeedOpened { kind: NeedKind::Approval, .. });
        let asked = self.seen.asked(head).is_some_and(|need| need.kind == NeedKind::Approval);
        if opens || asked {
            format!("{} ({})", self.title(), words(self.lang).undo)
        } else {
            self.title()
        }
    }

    /// The step's title, its items in brackets.
    fn step(&self, path: &Path, whole: bool) -> String {
        let node = self.plan.and_then(|plan| node_of(plan, path)).map(|(_, node)| node);
        let title = match node {
            Some(node) => node.title.as_deref().unwrap_or(node.id.as_str()),
            None => path.id(),
        };
        let mut text = visible(title, NAME_CHARS_MAX);
        let items: Vec<String> = self
            .seen
            .items(path)
            .into_iter()
            .map(|item| match item {
                Ok(value) if whole => self.item_text(path, &value),
                Ok(_) => "…".to_owned(),
                Err(round) => format!("{} {round}", words(self.lang).round),
            })
            .collect();
        if !items.is_empty() {
            text = format!("{text} [{}]", items.join(", "));
        }
        if path.taken_back().is_some() {
            text = format!("{text} ({})", words(self.lang).undo);
        }
        text
    }

    fn item(&self, path: &Path) -> Option<String> {
        match self.seen.items(path).pop()? {
            Ok(value) => Some(self.item_text(path, &value)),
            Err(_) => None,
        }
    }

    fn item_text(&self, path: &Path, item: &Value) -> String {
        let loops = super::place::rounds(path);
        let marked = loops.iter().any(|(_, looping, _)| {
            let path = looping.parse::<Path>().ok();
            self.sensitive.hides(self.node(path.as_ref()))
        });
        if marked {
            return BLOT.to_owned();
        }
        visible(&self.sensitive.scrub(&item_text(item)), NAME_CHARS_MAX)
    }

    /// Calls that tell somebody something have a lane of their own.
    fn lane(&self, head: &Head, path: Option<&Path>, lane: Lane) -> Lane {
        let tried = path.and_then(|path| self.seen.tried(path));
        match (head, tried) {
            (
                Head::AttemptStarted(_) | Head::AttemptEnded { .. } | Head::ProbeEnded { .. },
                Some(tried),
            ) => class::of_capability(tried.intent.action.capability()),
            _ => lane,
        }
    }

    /// Inputs and forms, without what is sensitive.
    fn value(&self, event: &Event) -> Option<Value> {
        let value = event.body.value.as_deref()?;
        let head = &event.head;
        let shown = if let Head::RunOpened { .. } = head {
            self.sensitive.inputs(&self.plan?.parts().inputs, value.get("inputs")?)
        } else if let Head::NeedAnswered { .. } = head {
            self.sensitive.redact(self.seen.asked(head)?.form.as_ref()?, value)
        } else if let Head::SignalReceived { .. } = head {
            // Any step that waits for a signal may take it: what one of them hides is hidden.
            let start = self.sensitive.redact(&Schema::default(), value)?;
            let redact = |value: Value, form| self.sensitive.redact(form, &value);
            signal_forms(self.plan).try_fold(start, redact)
        } else {
            None
        }?;
        let empty = shown.as_object().is_some_and(serde_json::Map::is_empty) || shown.is_null();
        let fits = shown.to_string().len() <= VALUE_BYTES_MAX;
        (!empty && fits).then_some(shown)
    }
}

/// The forms of all signals that a plan waits for.
fn signal_forms(plan: Option<&Plan>) -> impl Iterator<Item = &Schema> {
    plan.into_iter().flat_map(Plan::nodes).filter_map(|(_, node)| {
        let Kind::Wait(Wait::Signal { form, .. }) = &node.kind else { return None };
        Some(form)
    })
}

/// The name an event is about.
fn name_in(head: &Head, whole: bool) -> String {
    if let Head::ChildOpened { playbook, .. } = head {
        return playbook.to_string();
    }
    if let Head::SignalAwaited { name, .. }
    | Head::SignalReceived { name, .. }
    | Head::SignalTaken { name, .. } = head
    {
        return if whole { visible(name, NAME_CHARS_MAX) } else { "…".to_owned() };
    }
    String::new()
}

/// A title that is a question needs no colon.
fn unstopped(text: String, step: &str) -> String {
    let rest = text.strip_prefix(step).and_then(|rest| rest.strip_prefix(": "));
    match rest {
        Some(rest) if step.ends_with(['?', '!']) => format!("{step} {rest}"),
        Some(_) | None => text,
    }
}

/// Who did it; nobody where the program did.
fn actor_of(head: &Head) -> Option<&Actor> {
    if let Head::RunOpened { by, .. }
    | Head::SignalReceived { by, .. }
    | Head::Voted { by, .. }
    | Head::NeedAnswered { by, .. }
    | Head::Paused { by, .. }
    | Head::Unpaused { by } = head
    {
        return Some(by);
    }
    if let Head::Superseding { next } = head {
        return Some(&next.by);
    }
    let (Head::Closing { by, .. } | Head::UndoRequested { by, .. }) = head else { return None };
    by.as_ref()
}

/// Who is asked for something.
fn role_asked(head: &Head) -> Option<Role> {
    let (Head::NeedOpened { role, .. }
    | Head::NeedEscalated { role, .. }
    | Head::DeadlinePassed { role, .. }) = head
    else {
        return None;
    };
    Some(*role)
}

fn happened_at(head: &Head) -> Option<crate::model::Millis> {
    let Head::NeedAnswered { done_at, .. } = head else { return None };
    *done_at
}

/// Somebody's name, marked where it was not proved, or is no person's.
pub(super) fn name_of(lang: Lang, actor: &Actor) -> String {
    let name = visible(actor.person.as_str(), NAME_CHARS_MAX);
    let words = words(lang);
    let mut marks: Vec<String> = Vec::new();
    if actor.asserted {
        marks.push(words.asserted.to_owned());
    }
    match actor.proof {
        Some(Proof::Telephone) => marks.push(words.telephone.to_owned()),
        Some(Proof::Paper) => marks.push(words.on_paper.to_owned()),
        Some(Proof::BreakGlass) => marks.push(words.break_glass.to_owned()),
        Some(Proof::Machine) => marks.push(words.machine.to_owned()),
        Some(Proof::Passphrase | Proof::SecondFactor | Proof::SingleSignOn | Proof::Token)
        | None => {}
    }
    if let Some(typed_by) = &actor.through {
        let typed_by = visible(typed_by.as_str(), NAME_CHARS_MAX);
        marks.push(format!("{} {typed_by}", words.typed_by));
    }
    if marks.is_empty() { name } else { format!("{name} ({})", marks.join(", ")) }
}

fn the_one(owners: std::collections::BTreeSet<Organisation>) -> Option<Organisation> {
    let mut owners = owners.into_iter();
    owners.next().filter(|_| owners.next().is_none())
}
