//! What happens to blocks: their lists begin, go on, stop.

use super::super::event::{Event, Head};
use super::super::state::{LoopState, Phase, RunState, Slot};
use super::Contradiction;
use crate::model::{Millis, Path};
use crate::playbook::{Kind, Plan};

impl RunState {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`apply` names every head and passes on these; another one contradicts"
    )]
    pub(super) fn apply_to_block(
        &mut self,
        plan: &Plan,
        event: &Event,
        at: Millis,
    ) -> Result<(), Contradiction> {
        match &event.head {
            Head::BlockStarted { path } => self.start_block(plan, path, at),
            Head::CaseChosen { path, case } => {
                let ix = self.enter_block(path, at)?;
                self.step_mut(ix)?.case = *case;
                if let Some(case) = case {
                    self.open_seq(plan, Some(ix), Slot::Case(*case), at).map(|_| ())
                } else {
                    self.attend(ix);
                    Ok(())
                }
            }
            Head::ListFixed { path, count } => {
                let ix = self.ix(path)?;
                self.step_mut(ix)?.looping = Some(Box::new(LoopState {
                    items: event.body.value.clone().unwrap_or_default(),
                    total: *count,
                    ..LoopState::default()
                }));
                Ok(())
            }
            Head::ItemsStarted { path, from, to } => self.start_items(plan, path, (*from, *to), at),
            Head::RoundStarted { path, index } => {
                let ix = self.enter_block(path, at)?;
                self.drop_round(ix)?;
                self.step_mut(ix)?.round = *index;
                self.open_seq(plan, Some(ix), Slot::Round(*index), at).map(|_| ())
            }
            Head::HandlerStarted { path, error } => {
                let ix = self.ix(path)?;
                self.take_result(ix, Some(*error), event)?;
                self.set_phase(ix, Phase::Handling)?;
                self.open_seq(plan, Some(ix), Slot::OnError, at).map(|_| ())
            }
            Head::AlwaysStarted { path, end, error, handled } => {
                let ix = self.ix(path)?;
                self.take_result(ix, *error, event)?;
                self.set_phase(ix, Phase::Concluding(*end, *handled))?;
                self.open_seq(plan, Some(ix), Slot::Always, at).map(|_| ())
            }
            Head::BlockStopped { path } => {
                let ix = self.ix(path)?;
                self.step_mut(ix)?.stopped = true;
                Ok(())
            }
            Head::StepReopened { path, renew } => {
                let ix = self.ix(path)?;
                self.reopen(ix, *renew)
            }
            other => Err(Contradiction::new(format!("{other:?} is no event of a block"))),
        }
    }

    fn start_block(&mut self, plan: &Plan, path: &Path, at: Millis) -> Result<(), Contradiction> {
        let ix = self.enter_block(path, at)?;
        let node = self.step_ref(ix)?.node;
        let Kind::Parallel { branches, .. } = &plan.node(node).kind else {
            return self.open_seq(plan, Some(ix), Slot::Body, at).map(|_| ());
        };
        for (_, number) in branches.iter().zip(0..) {
            self.open_seq(plan, Some(ix), Slot::Branch(number), at)?;
        }
        Ok(())
    }

    fn start_items(
        &mut self,
        plan: &Plan,
        path: &Path,
        (from, to): (u64, u64),
        at: Millis,
    ) -> Result<(), Contradiction> {
        let ix = self.enter_block(path, at)?;
        let looping = self.loop_mut(ix)?;
        if looping.next != from || to > looping.total {
            return Err(Contradiction::new(format!("items {from} to {to} of {path}")));
        }
        looping.next = to;
        looping.open += to - from;
        for index in from..to {
            self.open_seq(plan, Some(ix), Slot::Item(index), at)?;
        }
        Ok(())
    }
}
