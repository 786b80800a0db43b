//! Before a verb: which permission it needs, on what, and whether who asks has it.
//!
//! Each verb needs exactly one permission. What it is about is read from the store, never from who
//! asks.

use std::collections::BTreeSet;

use beistand_core::access::{About, Changed, Permission, may};
use beistand_core::model::{IncidentId, Mode, Role, RunId};
use beistand_core::run::{Actor, AnswerKind, Command, Proof};

use super::identify::Caller;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::incidents::IncidentAct;
use crate::verbs::Verb;

/// Where a verb comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum From<'a> {
    /// From this process, with who asks and what they may do; looked up where absent.
    Here(Option<&'a Caller>),
    /// Through the mailbox, from a process that may write the store.
    Mailbox,
}

/// What a verb is about.
struct Matter {
    about: About,
    mode: Mode,
}

impl Engine {
    /// Lets a verb through, or writes down that it was refused.
    pub(crate) async fn authorize(
        &self,
        verb: &mut Verb,
        from: From<'_>,
    ) -> Result<(), EngineError> {
        if !self.has_accounts().await? {
            return Ok(());
        }
        let by = verb.by().clone();
        let here = matches!(from, From::Here(_));
        // A guess is counted, whoever makes it.
        if matches!(verb, Verb::Misheard { .. }) {
            return Ok(());
        }
        // The program itself: what it does is not asked for by anybody.
        if here && by.proof.is_none() && !by.asserted {
            return Ok(());
        }
        let matter = self.matter(verb).await?;
        // Whoever types in from paper is asserted or not, as with an act of their own.
        if by.proof.is_none() || by.asserted {
            return if matter.mode == Mode::Drill && !is_about_access(verb) {
                Ok(())
            } else {
                let text = format!("`{}` is only a name; prove it with a passphrase", by.person);
                self.turned_away(verb, &by, text).await
            };
        }
        // Whoever types comes first: who may not do that is told nothing of who votes.
        if let Some(text) = self.typist_objection(verb, &by, &matter).await? {
            return self.turned_away(verb, &by, text).await;
        }
        let rights = match from {
            From::Here(Some(caller)) => caller.rights.clone(),
            From::Here(None) | From::Mailbox => {
                // What stands on paper is typed in by the right of who types it in: that somebody
                // else wrote it gives nobody theirs.
                let typed_by = by.through.as_ref().filter(|_| by.proof == Some(Proof::Paper));
                self.rights_of(typed_by.unwrap_or(&by.person)).await?
            }
        };
        let permission = verb.needs();
        if !rights.may(permission, &matter.about) && !self.is_own(verb, &by).await? {
            let text = format!("`{}` may not do this: it needs `{permission}`", by.person);
            return self.turned_away(verb, &by, text).await;
        }
        let destroys = matter.mode == Mode::Live && wants_proof(verb);
        // Who has a session can prove it once more; that is no refusal to write down.
        if let From::Here(Some(caller)) = from
            && destroys
            && !caller.is_fresh(self.0.clock.now())
        {
            return Err(EngineError::ProveAgain);
        }
        if destroys && matches!(by.proof, Some(Proof::Token | Proof::Machine)) {
            let text = format!(
                "a token of `{}` lets nothing through that destroys: prove who you are",
                by.person
            );
            return self.turned_away(verb, &by, text).await;
        }
        // A session was told of when it began; elsewhere each use is one.
        if by.proof == Some(Proof::BreakGlass) && !matches!(from, From::Here(Some(_))) {
            let account = by.account.clone();
            let account = account.or_else(|| by.person.as_str().parse().ok());
            if let Some(account) = account {
                let change = Changed::BreakGlassUsed { account };
                self.access_changed(change, by.clone()).await?;
            }
        }
        if let Verb::Run { command: Command::Answer { roles, .. }, .. }
        | Verb::Telephone { command: Command::Answer { roles, .. }, .. } = verb
        {
            *roles = rights.roles(&matter.about);
        }
        Ok(())
    }

    /// What stands against who types in what somebody else says or wrote. What is said on the telephone
    /// is voted by the right of who says it, and typed in by that of who hears it.
    async fn typist_objection(
        &self,
        verb: &Verb,
        by: &Actor,
        matter: &Matter,
    ) -> Result<Option<String>, EngineError> {
        if matches!(by.typed_with, Some(Proof::Token | Proof::Machine)) {
            let text = "a token types in nothing for others: prove who you are";
            return Ok(Some(text.to_owned()));
        }
        let typist = self.typist_of(verb).await?;
        let may_not = typist.filter(|typist| !typist.may(Permission::Note, &matter.about));
        Ok(may_not.map(|_| format!("who types this in needs `{}`", Permission::Note)))
    }

    async fn turned_away(&self, verb: &Verb, by: &Actor, text: String) -> Result<(), EngineError> {
        self.refused(by, verb.needs().as_str(), verb.about()).await?;
        Err(EngineError::NotAllowed(text))
    }

    async fn matter(&self, verb: &Verb) -> Result<Matter, EngineError> {
        Ok(match verb {
            Verb::Launch(new) => match new.incident {
                Some(incident) => self.matter_of(incident).await?,
                None => Matter { about: About::Instance, mode: new.mode },
            },
            Verb::More(new) => self.matter_of_run(new.run).await?,
            Verb::Supersede(new) => self.matter_of_run(new.run).await?,
            Verb::Run { run, .. } | Verb::Telephone { run, .. } => self.matter_of_run(*run).await?,
            Verb::Incident { incident, .. } => self.matter_of(*incident).await?,
            Verb::OpenIncident(new) => Matter { about: About::Instance, mode: new.mode },
            // The stop switch is everybody's, whatever the mode; what a drill turns into is live.
            Verb::StopAll { .. }
            | Verb::TurnReal { .. }
            | Verb::GoOn { .. }
            | Verb::PauseConnector { .. }
            | Verb::Misheard { .. }
            | Verb::Access { .. } => Matter { about: About::Instance, mode: Mode::Live },
        })
    }

    async fn matter_of_run(&self, run: RunId) -> Result<Matter, EngineError> {
        let row = self.0.journal.doors().run(run).await?;
        let row = row.ok_or_else(|| crate::drive::missing(run))?;
        self.matter_of(row.incident).await
    }

    async fn matter_of(&self, id: IncidentId) -> Result<Matter, EngineError> {
        let incident = self.0.incidents.get(&self.0.journal, id).await?;
        let organisations = self.0.journal.doors().organisations(id).await?;
        let organisations: BTreeSet<_> = organisations.into_iter().collect();
        Ok(Matter { about: About::Incident { id, organisations }, mode: incident.mode })
    }

    /// What an act on an incident is about, for who checks a right before.
    ///
    /// # Errors
    /// [`EngineError::NotFound`].
    pub async fn about_incident(&self, id: IncidentId) -> Result<About, EngineError> {
        Ok(self.matter_of(id).await?.about)
    }

    /// Whom it is escalated to in an incident when nobody answered in time.
    ///
    /// # Errors
    /// [`EngineError::NotFound`].
    pub async fn escalation_in(&self, id: IncidentId) -> Result<Role, EngineError> {
        let mode = self.matter_of(id).await?.mode;
        Ok(self.0.modes.of(mode).setup.escalation)
    }

    /// What an act on the incident of a run is about.
    ///
    /// # Errors
    /// [`EngineError::NotFound`].
    pub async fn about_run(&self, run: RunId) -> Result<About, EngineError> {
        let row = self.0.journal.doors().run(run).await?;
        let row = row.ok_or_else(|| crate::drive::missing(run))?;
        self.about_incident(row.incident).await
    }
}

fn is_about_access(verb: &Verb) -> bool {
    matches!(verb, Verb::Access { .. })
}

/// Whether something is cut off, sent once more or taken back because of it, everything goes on, or
/// somebody may let such things through from now on: live, that wants a person who proved a moment ago
/// who they are. A session that was left open makes itself no second pair of eyes.
fn wants_proof(verb: &Verb) -> bool {
    match verb {
        Verb::Run { command: Command::Answer { answers, .. }, .. } => answers
            .iter()
            .any(|one| matches!(one.answer, AnswerKind::Approve | AnswerKind::SendAgain)),
        Verb::Run { command: Command::Undo { .. }, .. }
        | Verb::Telephone { .. }
        | Verb::GoOn { .. } => true,
        Verb::Incident { act, .. } => gives_power(act),
        Verb::Run {
            command:
                Command::Signal { .. }
                | Command::Pause { .. }
                | Command::Unpause { .. }
                | Command::Cancel { .. }
                | Command::Supersede { .. }
                | Command::Park { .. },
            ..
        }
        | Verb::Launch(_)
        | Verb::More(_)
        | Verb::Supersede(_)
        | Verb::OpenIncident(_)
        | Verb::TurnReal { .. }
        | Verb::StopAll { .. }
        | Verb::PauseConnector { .. }
        | Verb::Misheard { .. }
        | Verb::Access { .. } => false,
    }
}

fn gives_power(act: &IncidentAct) -> bool {
    match act {
        IncidentAct::Assign { role, person } => {
            let lets_through = [Permission::Approve, Permission::Assign, Permission::Manage];
            person.is_some() && lets_through.iter().any(|one| may(*role, *one))
        }
        IncidentAct::OfferCommand { .. } | IncidentAct::AcceptCommand { .. } => true,
        IncidentAct::Note { .. }
        | IncidentAct::Propose { .. }
        | IncidentAct::Evidence { .. }
        | IncidentAct::Close { .. }
        | IncidentAct::Edit { .. }
        | IncidentAct::Assets { .. }
        | IncidentAct::Link { .. }
        | IncidentAct::Mark { .. }
        | IncidentAct::WithdrawCommand => false,
    }
}

impl Verb {
    /// Who asks.
    pub fn by(&self) -> &Actor {
        match self {
            Self::Launch(new) => &new.by,
            Self::More(new) => &new.by,
            Self::Supersede(new) => &new.by,
            Self::Run { command, .. } | Self::Telephone { command, .. } => command.by(),
            Self::OpenIncident(new) => &new.by,
            Self::TurnReal { by, .. }
            | Self::Incident { by, .. }
            | Self::StopAll { by, .. }
            | Self::GoOn { by, .. }
            | Self::PauseConnector { by, .. }
            | Self::Misheard { by, .. }
            | Self::Access { by, .. } => by,
        }
    }

    /// The permission it needs.
    pub fn needs(&self) -> Permission {
        match self {
            Self::Launch(_) | Self::More(_) | Self::Supersede(_) => Permission::Launch,
            Self::Run { command, .. } | Self::Telephone { command, .. } => of_command(command),
            Self::Misheard { .. } => Permission::Note,
            Self::OpenIncident(_) | Self::TurnReal { .. } => Permission::Open,
            Self::Incident { act, .. } => of_act(act),
            Self::StopAll { .. } => Permission::Stop,
            Self::GoOn { .. } => Permission::Resume,
            Self::PauseConnector { .. } => Permission::Connect,
            Self::Access { .. } => Permission::Manage,
        }
    }

    /// The one thing it is about, where it is about one.
    pub fn about(&self) -> Option<String> {
        match self {
            Self::Launch(new) => Some(new.playbook.to_string()),
            Self::More(new) => Some(new.run.to_string()),
            Self::Supersede(new) => Some(new.run.to_string()),
            Self::Run { run, .. } | Self::Telephone { run, .. } => Some(run.to_string()),
            Self::TurnReal { incident, .. } | Self::Incident { incident, .. } => {
                Some(incident.to_string())
            }
            Self::PauseConnector { connector, .. } => Some(connector.to_string()),
            Self::OpenIncident(_)
            | Self::StopAll { .. }
            | Self::GoOn { .. }
            | Self::Misheard { .. }
            | Self::Access { .. } => None,
        }
    }
}

pub(crate) fn of_command(command: &Command) -> Permission {
    match command {
        Command::Answer { answers, .. } => {
            let votes = |kind| matches!(kind, AnswerKind::Approve | AnswerKind::Deny);
            if answers.iter().any(|answer| votes(answer.answer)) {
                Permission::Approve
            } else {
                Permission::Answer
            }
        }
        Command::Signal { .. } => Permission::Answer,
        Command::Pause { .. }
        | Command::Unpause { .. }
        | Command::Cancel { .. }
        | Command::Undo { .. }
        | Command::Park { .. } => Permission::Control,
        Command::Supersede { .. } => Permission::Launch,
    }
}

fn of_act(act: &IncidentAct) -> Permission {
    match act {
        IncidentAct::Note { .. }
        | IncidentAct::Propose { .. }
        | IncidentAct::Evidence { .. }
        | IncidentAct::Mark { .. } => Permission::Note,
        IncidentAct::Close { .. }
        | IncidentAct::Edit { .. }
        | IncidentAct::Assets { .. }
        | IncidentAct::Link { .. } => Permission::Change,
        // Who keeps the accounts is made by who keeps the accounts.
        IncidentAct::Assign { role: Role::Admin, .. } => Permission::Manage,
        IncidentAct::Assign { .. }
        | IncidentAct::OfferCommand { .. }
        | IncidentAct::WithdrawCommand => Permission::Assign,
        // Whom it was offered to; they may have had no part in it until now.
        IncidentAct::AcceptCommand { .. } => Permission::Read,
    }
}
