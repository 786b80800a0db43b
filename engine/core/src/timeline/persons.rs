//! Entries without the persons in them: each is called by a number and what they were, the same
//! wherever they appear, and what people wrote freely is left out. It is done before anything is told,
//! so no sentence has to be searched for names.
//!
//! Hosts, addresses, lines and organisations are no persons and stay. What a program calls itself stays
//! too.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::{Events, Lang, Recorded};
use super::sentence;
use crate::access::Changed;
use crate::incident::{self, store};
use crate::model::{AccountName, Person, Role, Target, TargetKind, words};
use crate::run::{self, Actor, Proof};

words! {
    /// Whether a timeline says who.
    Persons = "way to name persons" {
        /// By their names.
        Named = "named",
        /// By numbers, and without what people wrote freely.
        Numbered = "numbered",
    }
}

impl Default for Persons {
    /// As the journal has it.
    fn default() -> Self {
        Self::Named
    }
}

/// What persons and accounts are called instead.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Numbers {
    persons: BTreeMap<Person, Person>,
    /// Accounts of people, whether they act or are acted on, by their names in small letters.
    accounts: BTreeMap<String, String>,
}

impl Numbers {
    /// For everybody in these entries, in the order in which they appear.
    pub fn of<'e>(entries: impl IntoIterator<Item = &'e Recorded>, lang: Lang) -> Self {
        let mut entries: Vec<&Recorded> = entries.into_iter().collect();
        entries.sort_by(|a, b| (a.at, &a.stream, a.seq).cmp(&(b.at, &b.stream, b.seq)));
        let mut seen = Seen::default();
        for recorded in entries {
            let mut events = recorded.events.clone();
            each_name(&mut events, &mut seen);
        }
        let roles = &seen.roles;
        let word = match lang {
            Lang::De => "konto",
            Lang::En => "account",
        };
        let person = |(name, number): (Person, usize)| {
            let role = roles.get(&name).map(|role| format!(" ({})", sentence::role(lang, *role)));
            let text = format!("person {number}{}", role.unwrap_or_default());
            Some((name, text.parse().ok()?))
        };
        let account = |(name, number): (String, usize)| (name, format!("{word} {number}"));
        Self {
            persons: seen.persons.into_iter().zip(1..).filter_map(person).collect(),
            accounts: seen.accounts.into_iter().zip(1..).map(account).collect(),
        }
    }

    /// The same entries without names, and without what people wrote freely.
    pub fn hide(&self, mut entries: Vec<Recorded>) -> Vec<Recorded> {
        let targets = targets_in(&entries);
        for recorded in &mut entries {
            each_name(&mut recorded.events, &mut Hiding(self));
            without_words(&mut recorded.events, &targets);
        }
        entries
    }
}

/// What is done with each name of an event.
trait Names {
    fn person(&mut self, person: &mut Person);
    fn account(&mut self, account: &mut String);
    /// Somebody has a role.
    fn role(&mut self, person: &Person, role: Role);
}

/// Everybody who is named, each once, in the order of their first appearance.
#[derive(Default)]
struct Seen {
    persons: Vec<Person>,
    known: BTreeSet<Person>,
    accounts: Vec<String>,
    /// What each was first.
    roles: BTreeMap<Person, Role>,
}

impl Names for Seen {
    fn person(&mut self, person: &mut Person) {
        if self.known.insert(person.clone()) {
            self.persons.push(person.clone());
        }
    }
    fn account(&mut self, account: &mut String) {
        let account = account.to_lowercase();
        if !self.accounts.contains(&account) {
            self.accounts.push(account);
        }
    }
    fn role(&mut self, person: &Person, role: Role) {
        self.roles.entry(person.clone()).or_insert(role);
    }
}

struct Hiding<'n>(&'n Numbers);

impl Names for Hiding<'_> {
    fn person(&mut self, person: &mut Person) {
        if let Some(number) = self.0.persons.get(person) {
            *person = number.clone();
        }
    }
    fn account(&mut self, account: &mut String) {
        if let Some(number) = self.0.accounts.get(&account.to_lowercase()) {
            account.clone_from(number);
        }
    }
    fn role(&mut self, _: &Person, _: Role) {}
}

fn each_name(events: &mut Events, names: &mut impl Names) {
    match events {
        Events::Run(events) => events.iter_mut().for_each(|event| of_run(event, names)),
        Events::Incident(events) => events.iter_mut().for_each(|event| of_incident(event, names)),
        Events::Store(events) => events.iter_mut().for_each(|event| of_store(event, names)),
    }
}

/// Machines are no persons.
fn of_actor(actor: &mut Actor, names: &mut impl Names) {
    if actor.proof != Some(Proof::Machine) {
        names.person(&mut actor.person);
    }
    if let Some(through) = &mut actor.through {
        names.person(through);
    }
    // Which account it was says who it was.
    actor.account = None;
}

fn of_run(event: &mut run::Event, names: &mut impl Names) {
    use run::Head;
    if let Head::RunOpened { by, .. }
    | Head::SignalReceived { by, .. }
    | Head::Voted { by, .. }
    | Head::NeedAnswered { by, .. }
    | Head::Paused { by, .. }
    | Head::Unpaused { by }
    | Head::Closing { by: Some(by), .. }
    | Head::UndoRequested { by: Some(by), .. } = &mut event.head
    {
        of_actor(by, names);
    }
    if let Head::Superseding { next } = &mut event.head {
        of_actor(&mut next.by, names);
    }
    event.body.targets.iter_mut().for_each(|target| of_target(target, names));
}

/// An account or a mailbox is somebody's.
const fn is_of_a_person(kind: TargetKind) -> bool {
    match kind {
        TargetKind::Account | TargetKind::Mailbox => true,
        TargetKind::Host
        | TargetKind::Address
        | TargetKind::Vm
        | TargetKind::Link
        | TargetKind::Organisation => false,
    }
}

fn of_target(target: &mut Target, names: &mut impl Names) {
    if is_of_a_person(target.kind) {
        names.account(&mut target.name);
    }
}

fn of_incident(event: &mut incident::Event, names: &mut impl Names) {
    use incident::Head;
    of_actor(&mut event.by, names);
    match &mut event.head {
        Head::RoleAssigned { role, person: Some(person) }
        | Head::CalledOut { person, role, .. } => {
            names.role(person, *role);
            names.person(person);
        }
        Head::CommandTaken { .. } => names.role(&event.by.person, Role::Commander),
        Head::CommandOffered { to, .. } => names.person(to),
        Head::NoteCopied { wrote, .. } => names.person(wrote),
        Head::AssetChanged { kind, .. } if is_of_a_person(*kind) => {
            if let Some(name) = &mut event.body.name {
                names.account(name);
            }
        }
        Head::RoleAssigned { person: None, .. }
        | Head::AssetChanged { .. }
        | Head::IncidentOpened { .. }
        | Head::IncidentChanged { .. }
        | Head::IncidentClosed
        | Head::NoteAdded { .. }
        | Head::TurnedReal { .. }
        | Head::PlaybookProposed { .. }
        | Head::OfferWithdrawn
        | Head::OrganisationLinked
        | Head::EvidenceAdded { .. }
        | Head::CallOutEnded { .. }
        | Head::LineCorrected { .. }
        | Head::LineStarred { .. }
        | Head::StarRemoved { .. }
        | Head::StoryTold { .. }
        | Head::StoryLeftOut { .. } => {}
    }
}

fn of_store(event: &mut store::Event, names: &mut impl Names) {
    if let Some(by) = &mut event.by {
        of_actor(by, names);
    }
    let store::Head::AccessChanged { change } = &mut event.head else { return };
    match change {
        Changed::AccountMade { account, person, .. } => {
            of_account(account, names);
            names.person(person);
        }
        Changed::AccountLocked { account }
        | Changed::AccountUnlocked { account }
        | Changed::CredentialAdded { account, .. }
        | Changed::CredentialRemoved { account, .. }
        | Changed::BreakGlassUsed { account } => of_account(account, names),
        Changed::Granted { grant } | Changed::Revoked { grant } => names.person(&mut grant.person),
        Changed::Refused { .. } => {}
    }
}

fn of_account(account: &mut AccountName, names: &mut impl Names) {
    let mut name = account.to_string();
    names.account(&mut name);
    if let Ok(name) = name.parse() {
        *account = name;
    }
}

/// Texts, forms and inputs may name anybody. Items of loops stay where all of them are targets that are
/// nobody's; otherwise a loop is told by its rounds.
fn without_words(events: &mut Events, targets: &BTreeSet<String>) {
    match events {
        Events::Run(events) => {
            for event in events {
                let keeps = matches!(event.head, run::Head::ListFixed { .. });
                let value = event.body.value.take().filter(|_| keeps);
                event.body.value = value.filter(|value| are_targets(value, targets));
                if let run::Head::SignalAwaited { name, .. }
                | run::Head::SignalReceived { name, .. }
                | run::Head::SignalTaken { name, .. } = &mut event.head
                {
                    "…".clone_into(name);
                }
                (event.body.text, event.body.form, event.body.previous) = (None, None, None);
            }
        }
        Events::Incident(events) => {
            for event in events {
                let keeps = matches!(event.head, incident::Head::AssetChanged { .. });
                let name = event.body.name.take().filter(|_| keeps);
                event.body = incident::Body { name, ..incident::Body::default() };
            }
        }
        Events::Store(events) => {
            for event in events {
                event.body.text = None;
            }
        }
    }
}

/// The names of what is acted on and is nobody's.
fn targets_in(entries: &[Recorded]) -> BTreeSet<String> {
    let events = entries.iter().flat_map(|recorded| match &recorded.events {
        Events::Run(events) => events.as_slice(),
        Events::Incident(_) | Events::Store(_) => &[],
    });
    let all = events.flat_map(|event| &event.body.targets);
    all.filter(|target| !is_of_a_person(target.kind)).map(|target| target.name.clone()).collect()
}

/// Whether all items of a list are such things.
fn are_targets(items: &serde_json::Value, known: &BTreeSet<String>) -> bool {
    items.as_array().is_some_and(|items| {
        items.iter().all(|item| item.as_str().is_some_and(|item| known.contains(item)))
    })
}
