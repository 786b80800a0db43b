//! Blocks: what their insides see, and what is seen of them afterwards.

use super::super::draft::{self, Case, List, Spanned, Step};
use super::super::{
    Block, Code, Expressions, Field, ForEach, Join, Kind, ListSource, Place, Repeat, SwitchCase,
    Tolerance, Type,
};
use super::scope::{Hidden, loop_output};
use super::step::{Around, Gives};
use super::{Checker, Library, types};
use crate::model::StepId;

impl<E: Expressions, L: Library> Checker<'_, '_, E, L> {
    pub(super) fn parallel(
        &mut self,
        branches: &[(Spanned<StepId>, Vec<Step<'_>>)],
        join: Join,
        inner: Around,
    ) -> (Kind, Gives) {
        let around = Around { conditional: inner.conditional || join == Join::Any, ..inner };
        let before = self.scope.mark();
        let mut done: Vec<(StepId, Block)> = Vec::new();
        let mut hidden = Hidden::none();
        for (name, steps) in branches {
            let mark = self.scope.mark();
            let block = self.block(steps, around, Some(name.value.as_str()));
            hidden.extend(self.scope.hide_since(mark, "stands in another branch"));
            done.push((name.value.clone(), block));
        }
        self.scope.restore(hidden);
        if join == Join::Any {
            self.scope.skip_since(before);
        }
        (Kind::Parallel { branches: done, join }, Gives::NOTHING)
    }

    pub(super) fn switch(&mut self, cases: &[Case<'_>], inner: Around) -> (Kind, Gives) {
        let around = Around { conditional: true, ..inner };
        let before = self.scope.mark();
        let mut done = Vec::new();
        let mut hidden = Hidden::none();
        for case in cases {
            let when = case.when.map(|text| self.condition(text));
            let mark = self.scope.mark();
            let steps = self.block(&case.steps, around, None);
            hidden.extend(self.scope.hide_since(mark, "stands in another alternative"));
            done.push(SwitchCase { when, steps });
        }
        self.scope.restore(hidden);
        self.scope.skip_since(before);
        (Kind::Switch(done), Gives::NOTHING)
    }

    pub(super) fn for_each(
        &mut self,
        step: &Step<'_>,
        each: &draft::ForEach<'_>,
        inner: Around,
    ) -> (Kind, Gives) {
        let (list, item) = self.list(&each.list);
        self.is_free(&each.item);
        let around =
            Around { tolerant: inner.tolerant || each.tolerate.is_some(), looped: true, ..inner };
        let name = each.item.value.as_str();
        let variable = self.scope.set(name, Field::present(item.clone()));
        let index = self.scope.set(&format!("{name}_index"), Field::present(Type::Integer));
        let steps = self.inside(step, &each.steps, around);
        self.scope.unset(index);
        self.scope.unset(variable);
        let kind = Kind::ForEach(ForEach {
            list,
            item: each.item.value.clone(),
            max_parallel: each.max_parallel,
            tolerate: each.tolerate.map(|tolerate: Tolerance| tolerate),
            steps,
        });
        (kind, Gives { output: loop_output(&item), items: Some(item) })
    }

    /// The steps of a loop: afterwards nobody sees them.
    fn inside(&mut self, step: &Step<'_>, steps: &[Step<'_>], around: Around) -> Block {
        let mark = self.scope.mark();
        let block = self.block(steps, around, None);
        let sentence = inside_of(step);
        // What is in a loop is seen by nobody outside, whatever runs there.
        drop(self.scope.hide_since(mark, &sentence));
        block
    }

    fn list(&mut self, list: &List<'_>) -> (ListSource, Type) {
        match list {
            List::Count(count) => (ListSource::Count(*count), Type::Integer),
            List::Broken => (ListSource::Count(0), Type::Any),
            List::Expression(text) => {
                let (expression, ty) = self.bare(text);
                let item = match ty {
                    Type::Array(item) => *item,
                    Type::Any => Type::Any,
                    other @ (Type::Null
                    | Type::Boolean
                    | Type::Integer
                    | Type::Number
                    | Type::String
                    | Type::Object(_)) => {
                        let message =
                            format!("a loop runs over a list, this gives {}", types::word(&other));
                        self.report.add(Code::NotAList, text.place(0), message);
                        Type::Any
                    }
                };
                (ListSource::Expression(expression), item)
            }
        }
    }

    /// A loop variable must not hide another name.
    fn is_free(&mut self, item: &Spanned<StepId>) {
        let name = item.value.as_str();
        let index = format!("{name}_index");
        for taken in [name, &index] {
            if self.scope.has_variable(taken) || taken == "error" {
                let message = format!("the loop variable `{name}` hides the name `{taken}`");
                let hint = "give it another name with `as:`";
                self.report.hint(Code::NameTaken, item.place, message, hint);
            }
        }
    }

    pub(super) fn repeat(
        &mut self,
        step: &Step<'_>,
        repeat: &draft::Repeat<'_>,
        inner: Around,
    ) -> (Kind, Gives) {
        let around = Around { looped: true, ..inner };
        let mark = self.scope.mark();
        let steps = self.block(&repeat.steps, around, None);
        let until = match repeat.until {
            Some(text) => self.condition(text),
            None => super::super::Expression {
                text: "true".into(),
                place: Place::START,
                reads: Vec::new(),
                bare: false,
            },
        };
        drop(self.scope.hide_since(mark, &inside_of(step)));
        let every = repeat.every.as_ref().map(|length| self.length(length));
        let kind = Kind::Repeat(Repeat { until, max: repeat.max, every, steps });
        (kind, Gives::output(Type::Any))
    }
}

fn inside_of(step: &Step<'_>) -> String {
    let id = step.id.as_ref().map_or("?", StepId::as_str);
    format!("stands inside the loop `{id}`, so it can be read only there")
}
