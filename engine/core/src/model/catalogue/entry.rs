//! How an action is written down in the catalogue: a short form, and the shapes that recur.

use crate::model::{ActionName, ActionSpec, Format, Schema, TargetKind, TargetRule, UndoRule};

/// An action being written down; the short form of the catalogue's tables.
pub(super) struct Entry(ActionSpec);

#[expect(
    clippy::expect_used,
    reason = "names in this file are literals, and a test reads them all"
)]
fn name(text: &str) -> ActionName {
    text.parse().expect("a literal action name")
}

impl Entry {
    pub(super) fn new(action: &str, title: &str, by_hand: &str) -> Self {
        Self(ActionSpec {
            name: name(action),
            title: title.to_owned(),
            by_hand: by_hand.to_owned(),
            arguments: Schema::object([]),
            output: Schema::object([]),
            destructive: false,
            targets: Vec::new(),
            duplicate_harmless: false,
            undo: None,
            previous: None,
        })
    }
    pub(super) fn takes<const N: usize>(mut self, arguments: [(&str, Schema); N]) -> Self {
        self.0.arguments = Schema::object(arguments);
        self
    }
    pub(super) fn gives<const N: usize>(mut self, output: [(&str, Schema); N]) -> Self {
        self.0.output = Schema::object(output);
        self
    }
    pub(super) fn on(mut self, argument: &str, kind: TargetKind) -> Self {
        self.0.targets.push(TargetRule::Argument { argument: argument.to_owned(), kind });
        self
    }
    pub(super) fn going_to(mut self, argument: &str) -> Self {
        self.0.targets.push(TargetRule::GoesTo { argument: argument.to_owned() });
        self
    }
    pub(super) fn hurts(mut self) -> Self {
        self.0.destructive = true;
        self
    }
    pub(super) fn undone_by(mut self, action: &str, argument: &str) -> Self {
        self.0.undo = Some(UndoRule { action: name(action), arguments: vec![argument.to_owned()] });
        self
    }
    pub(super) fn after_reading(mut self, action: &str) -> Self {
        self.0.previous = Some(name(action));
        self
    }
    pub(super) fn harmless_twice(mut self) -> Self {
        self.0.duplicate_harmless = true;
        self
    }
}

impl From<Entry> for ActionSpec {
    fn from(entry: Entry) -> Self {
        entry.0
    }
}

pub(super) fn text() -> Schema {
    Schema::string()
}

pub(super) fn host() -> Schema {
    Schema::format(Format::Host)
}

pub(super) fn state(words: &[&str]) -> Schema {
    Schema::one_of(words)
}

/// Cutting a thing off, joining it again, and looking: the shape of network, endpoint and link.
pub(super) fn cut_and_join(
    capability: &str,
    [cut, join]: [&str; 2],
    (argument, kind, schema): (&str, TargetKind, Schema),
    [closed, open]: [&str; 2],
) -> Vec<ActionSpec> {
    let action = |verb: &str| format!("{capability}.{verb}");
    let output = || [("state", state(&[closed, open]))];
    let reason = || text().optional();
    vec![
        Entry::new(
            &action(cut),
            &format!("Cut off a {}", kind.as_str()),
            &format!("Cut {{{argument}}} off. Keep it powered. Say what you did."),
        )
        .takes([(argument, schema.clone()), ("reason", reason())])
        .gives(output())
        .on(argument, kind)
        .hurts()
        .undone_by(&action(join), argument)
        .after_reading(&action("state"))
        .into(),
        Entry::new(
            &action(join),
            &format!("Join a {} again", kind.as_str()),
            &format!("Join {{{argument}}} to the network again. Say what you did."),
        )
        .takes([(argument, schema.clone()), ("reason", reason())])
        .gives(output())
        .on(argument, kind)
        .into(),
        Entry::new(
            &action("state"),
            &format!("Look whether a {} is cut off", kind.as_str()),
            &format!("Look whether {{{argument}}} is cut off."),
        )
        .takes([(argument, schema)])
        .gives(output())
        .on(argument, kind)
        .into(),
    ]
}
