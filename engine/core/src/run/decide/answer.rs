//! Answers of people to needs: votes, forms, decisions.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::event::{
    Actor, AnswerKind, Event, Head, NeedKind, ProbeEnd, Proof, RunEnd, StepEnd,
};
use super::super::state::{Need, Phase, StepError, StepIx, UndoMark};
use super::command::{Answer, AnswerError, Answered, Reply};
use super::outcome::ended;
use super::{Contradiction, Decided, Decider};
use crate::access::stands_in;
use crate::model::{ErrorKind, Mode, Person, Role, Schema, Span};

/// Work on paper may have begun long before its run did; what is said to be older than this was
/// mistyped.
const DONE_BEFORE_MAX: Span = Span::from_secs(30 * 24 * 3600);

impl Decider<'_, '_> {
    pub(super) fn answers(
        &mut self,
        answers: &[Answer],
        (by, roles): (&Actor, Option<&BTreeSet<Role>>),
    ) -> Answered {
        let mut needs = BTreeSet::new();
        for answer in answers {
            if !needs.insert(answer.need) {
                let text = format!("need {} is answered twice at once", answer.need);
                return Ok(Err(AnswerError::Usage(text)));
            }
            if let Err(error) = self.may_answer(answer, (by, roles)) {
                return Ok(Err(error));
            }
        }
        let mut reply = Reply::Done;
        for answer in answers {
            reply = self.answer(answer, by)?;
        }
        Ok(Ok(reply))
    }

    fn may_answer(
        &self,
        answer: &Answer,
        (by, roles): (&Actor, Option<&BTreeSet<Role>>),
    ) -> Result<(), AnswerError> {
        let Some(need) = self.state.need(answer.need) else {
            let text =
                format!("need {} is not open: it was answered, or is asked anew", answer.need);
            return Err(AnswerError::Conflict(text));
        };
        let takes = takers(need);
        if !takes.iter().any(|(kind, _)| *kind == answer.answer) {
            let words: Vec<&str> = takes.iter().map(|(_, word)| *word).collect();
            let never = answer.answer == AnswerKind::ByHand && is_guarded(need);
            let why = if never { "what is guarded is not touched by hand either: " } else { "" };
            let text = format!("{why}this need takes {}", words.join(", "));
            return Err(AnswerError::Usage(text));
        }
        let earliest = self.state.opened.at.minus(DONE_BEFORE_MAX);
        if let Some(at) = answer.done_at.filter(|at| *at < earliest) {
            let text = format!("{at} is long before the run began, {}", self.state.opened.at);
            return Err(AnswerError::Usage(text));
        }
        if answer.digest.is_some_and(|digest| digest != need.digest) {
            let text = "what was shown has changed: look again".to_owned();
            return Err(AnswerError::Conflict(text));
        }
        self.holds_the_role(need, (by, roles))?;
        if answer.answer == AnswerKind::Approve {
            self.counts(by)?;
            if asker(need) == Some(by.person.as_str()) {
                let text = format!("`{}` asked for it and can not approve it", by.person);
                return Err(AnswerError::NotAllowed(text));
            }
            if need.votes.iter().any(|vote| vote.person == by.person) {
                return Err(AnswerError::Conflict(format!("`{}` has voted already", by.person)));
            }
            other_hands(need, by)?;
        }
        let filled = matches!(answer.answer, AnswerKind::Done | AnswerKind::ByHand);
        let free = need.kind != NeedKind::Task && answer.form.is_null();
        if let Some(form) = need.form.as_deref().filter(|_| filled && !free) {
            let schema: Schema = serde_json::from_value(form.clone()).unwrap_or_default();
            let mut value = form_value(&answer.form);
            schema.fill(&mut value);
            let problems = schema.problems(&value);
            if !problems.is_empty() {
                return Err(AnswerError::Form(problems));
            }
        }
        Ok(())
    }

    /// Who is asked, who stands above them, and whom it was escalated to.
    fn holds_the_role(
        &self,
        need: &Need,
        (by, roles): (&Actor, Option<&BTreeSet<Role>>),
    ) -> Result<(), AnswerError> {
        let Some(roles) = roles else { return Ok(()) };
        let escalated = need.escalated_at.map(|_| self.world.setup.escalation);
        let asked = [Some(need.role), escalated].into_iter().flatten();
        let mut asked = asked.filter(|asked| roles.iter().any(|held| stands_in(*held, *asked)));
        if asked.next().is_some() {
            return Ok(());
        }
        let text = format!("this asks a {}, which `{}` is not", need.role, by.person);
        Err(AnswerError::NotAllowed(text))
    }

    /// A vote is a person's who is known: neither a machine's nor, once there are accounts, one that
    /// somebody only says to be.
    fn counts(&self, by: &Actor) -> Result<(), AnswerError> {
        if !by.is_person() {
            let text = format!("`{}` is a machine, and no person's second pair of eyes", by.person);
            return Err(AnswerError::NotAllowed(text));
        }
        if by.proof == Some(Proof::Paper) {
            let text = "a vote on paper does not count; a printed code does".to_owned();
            return Err(AnswerError::NotAllowed(text));
        }
        if self.is_void(by) {
            let text = format!("`{}` is only a name; prove it to vote", by.person);
            return Err(AnswerError::NotAllowed(text));
        }
        Ok(())
    }

    /// Whether a vote of somebody who only says a name does not count: live, once there are accounts.
    pub(super) fn is_void(&self, by: &Actor) -> bool {
        by.asserted && self.world.shared.accounts && self.state.opened.mode == Mode::Live
    }

    fn answer(&mut self, answer: &Answer, by: &Actor) -> Result<Reply, Contradiction> {
        let Some(need) = self.state.need(answer.need).cloned() else {
            // The same group was answered twice in one command.
            return Ok(Reply::Already);
        };
        if answer.answer == AnswerKind::Approve {
            self.walk_undo |= need.step.is_none();
            self.emit(
                Event::new(Head::Voted { need: need.id, by: by.clone() })
                    .text(answer.reason.clone()),
            )?;
            let votes = u32::try_from(need.votes.len()).unwrap_or(u32::MAX).saturating_add(1);
            return Ok(if votes < need.votes_needed {
                Reply::Voted { votes, needed: need.votes_needed }
            } else {
                Reply::Done
            });
        }
        let head = Head::NeedAnswered {
            need: need.id,
            answer: answer.answer,
            by: by.clone(),
            done_at: answer.done_at,
        };
        let form = form_value(&answer.form);
        self.emit(Event::new(head).text(answer.reason.clone()).value(form.clone()))?;
        match need.step {
            Some(ix) => self.answer_step(ix, &need, answer, form)?,
            None => self.answer_run(answer)?,
        }
        Ok(Reply::Done)
    }

    fn answer_step(&mut self, ix: StepIx, need: &Need, answer: &Answer, form: Value) -> Decided {
        let path = self.path(ix)?;
        let output = if answer.form.is_null() { Value::Null } else { filled(need, form) };
        match answer.answer {
            AnswerKind::Approve => Ok(()),
            AnswerKind::Deny => self.fail(ix, ErrorKind::Denied, denial(&answer.reason)),
            AnswerKind::Done if need.kind == NeedKind::Unknown || self.step(ix)?.sent.is_some() => {
                self.done_by_hand(ix, output)
            }
            AnswerKind::Done => {
                let output = filled(need, form_value(&answer.form));
                self.emit(ended(path, StepEnd::Succeeded, None, None).value(output))
            }
            AnswerKind::Retry => {
                let renew = !self.step(ix)?.unknown;
                self.emit(Head::StepReopened { path, renew })
            }
            AnswerKind::Skip => self.skip(ix),
            AnswerKind::ByHand if self.step(ix)?.sent.is_some() => {
                self.mark_by_hand(ix)?;
                self.done_by_hand(ix, output)
            }
            AnswerKind::ByHand => {
                let mut event = ended(path, StepEnd::Succeeded, None, None).value(output);
                if let Head::StepEnded { by_hand, .. } = &mut event.head {
                    *by_hand = true;
                }
                self.emit(event)
            }
            AnswerKind::Abort => self.abort(ix),
            AnswerKind::NotDone => {
                self.free(ix)?;
                self.emit(Head::ProbeEnded {
                    path: path.clone(),
                    end: ProbeEnd::NotDone,
                    reached: None,
                })?;
                if self.is_stopping(ix)? {
                    return self.stop_call(ix);
                }
                if !self.step(ix)?.home.is_do() {
                    return Ok(());
                }
                self.emit(Head::StepReopened { path, renew: false })
            }
            AnswerKind::SendAgain => {
                self.free(ix)?;
                self.emit(Head::StepReopened { path, renew: true })
            }
        }
    }

    fn mark_by_hand(&mut self, ix: StepIx) -> Decided {
        let path = self.path(ix)?;
        self.emit(Head::DoneByHand { path })
    }

    fn skip(&mut self, ix: StepIx) -> Decided {
        if self.step(ix)?.sent.is_some() {
            self.free(ix)?;
        }
        self.conclude(ix, StepEnd::Skipped, None, false)
    }

    /// The run fails; nothing is undone by itself.
    fn abort(&mut self, ix: StepIx) -> Decided {
        let error = self.step(ix)?.error.clone().unwrap_or_else(|| StepError {
            kind: ErrorKind::Internal,
            message: "a person ended the run".to_owned(),
        });
        if self.state.closing().is_none() {
            let head = Head::Closing { end: RunEnd::Failed, by: None, error: Some(error.kind) };
            self.emit(Event::new(head).text(error.message.clone()))?;
        }
        self.conclude(ix, StepEnd::Failed, Some(error), false)?;
        self.cancel_all()
    }

    /// An answer to a need of the run itself: an undo's gate, or a parked run.
    fn answer_run(&mut self, answer: &Answer) -> Decided {
        self.walk_undo = true;
        match answer.answer {
            AnswerKind::Deny => self.deny_undo(&answer.reason),
            AnswerKind::Abort => {
                let goes_on = matches!(self.state.closing(), None | Some(RunEnd::Superseded));
                if goes_on && !self.is_ended() {
                    let error = Some(ErrorKind::Internal);
                    let head = Head::Closing { end: RunEnd::Failed, by: None, error };
                    self.emit(Event::new(head).text(answer.reason.clone()))?;
                }
                let by = self.requester().clone();
                self.emit(Head::Unpaused { by })?;
                self.cancel_all()
            }
            AnswerKind::Retry => {
                let by = self.requester().clone();
                self.emit(Head::Unpaused { by })
            }
            AnswerKind::Approve
            | AnswerKind::Done
            | AnswerKind::Skip
            | AnswerKind::ByHand
            | AnswerKind::NotDone
            | AnswerKind::SendAgain => Ok(()),
        }
    }

    /// What was wanted and not begun is not taken back.
    fn deny_undo(&mut self, reason: &str) -> Decided {
        let open: Vec<StepIx> = self
            .state
            .steps
            .iter()
            .filter(|(_, step)| matches!(step.undo, UndoMark::Wanted | UndoMark::Undoing))
            .map(|(ix, _)| *ix)
            .collect();
        for of in open {
            let path = self.path(of)?;
            if let Some(ix) = self.state.by_path.get(&path.child("undo")).copied() {
                if self.step(ix)?.phase != Phase::Ready {
                    continue;
                }
                self.end(ix, StepEnd::Cancelled)?;
            } else if self.step(of)?.undo == UndoMark::Undoing {
                continue;
            }
            self.not_undone(of, path, (ErrorKind::Denied, denial(reason)))?;
        }
        Ok(())
    }
}

/// Who asked for what a gate guards, by what it shows: their yes does not count.
pub fn requester(shows: &Value) -> Option<&str> {
    shows.get("requester")?.as_str()
}

fn asker(need: &Need) -> Option<&str> {
    requester(need.shows.as_deref()?)
}

/// Several votes are several people's, and so are the hands that give them: who asked for it, has
/// voted or has typed in a vote types in no further one. Or one person with somebody's stolen codes
/// would be all of them. A no is always taken.
fn other_hands(need: &Need, by: &Actor) -> Result<(), AnswerError> {
    let refused = |who: &Person, why: &str| {
        let text = format!("`{who}` {why}; somebody else types this one in");
        Err(AnswerError::NotAllowed(text))
    };
    if let Some(typist) = &by.through {
        if asker(need) == Some(typist.as_str()) {
            return refused(typist, "asked for it and can not type in a vote for it");
        }
        if need.votes.iter().any(|vote| vote.person == *typist) {
            return refused(typist, "has voted already");
        }
        if need.votes.iter().any(|vote| vote.through.as_ref() == Some(typist)) {
            return refused(typist, "has typed in a vote for it already");
        }
    }
    if need.votes.iter().any(|vote| vote.through.as_ref() == Some(&by.person)) {
        let text = format!("`{}` has typed in somebody else's vote for it", by.person);
        return Err(AnswerError::NotAllowed(text));
    }
    Ok(())
}

/// The answers a need takes.
fn takers(need: &Need) -> &'static [(AnswerKind, &'static str)] {
    match (need.kind, need.step) {
        (NeedKind::Approval, _) => &[(AnswerKind::Approve, "approve"), (AnswerKind::Deny, "deny")],
        (NeedKind::Task, _) => &[(AnswerKind::Done, "done")],
        (NeedKind::Decision, Some(_)) if is_guarded(need) => &[
            (AnswerKind::Retry, "retry"),
            (AnswerKind::Skip, "skip"),
            (AnswerKind::Abort, "abort"),
        ],
        (NeedKind::Decision, Some(_)) => &[
            (AnswerKind::Retry, "retry"),
            (AnswerKind::Skip, "skip"),
            (AnswerKind::ByHand, "by-hand"),
            (AnswerKind::Abort, "abort"),
        ],
        (NeedKind::Decision, None) => &[(AnswerKind::Retry, "retry"), (AnswerKind::Abort, "abort")],
        (NeedKind::Unknown, _) => &[
            (AnswerKind::Done, "done"),
            (AnswerKind::NotDone, "not-done"),
            (AnswerKind::SendAgain, "send-again"),
        ],
    }
}

/// Whether it is asked because of the guard. A person who does by hand what nothing is bound for
/// goes by guard and gate like a connector; here neither was passed.
fn is_guarded(need: &Need) -> bool {
    let kind = |shows: &Value| shows.pointer("/error/kind").cloned();
    need.shows.as_deref().and_then(kind) == Some(json!(ErrorKind::Guarded))
}

pub(super) fn form_value(form: &Value) -> Value {
    if form.is_null() { json!({}) } else { form.clone() }
}

/// The form with its defaults; optional fields that were left out are null.
fn filled(need: &Need, mut form: Value) -> Value {
    let schema =
        need.form.as_deref().and_then(|form| serde_json::from_value::<Schema>(form.clone()).ok());
    if let Some(schema) = schema {
        schema.fill(&mut form);
    }
    form
}

fn denial(reason: &str) -> String {
    if reason.is_empty() { "denied".to_owned() } else { format!("denied: {reason}") }
}
