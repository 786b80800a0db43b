//! What people do to a run on a desk: they see what is asked, answer it, and give commands.

use beistand_core::model::NeedId;
use beistand_core::run::{Answer, AnswerError, AnswerKind, Command, Input, Need, Reply};
use serde_json::Value;

use super::desk::{Desk, at, person};

impl Desk {
    pub(super) fn command(&mut self, command: Command) -> Result<Reply, AnswerError> {
        let mut decision = self.take(vec![Input::Command(1, command)]);
        let reply = decision.replies.pop().unwrap().1;
        self.tick();
        reply
    }

    /// The open need of a step; empty: of the run.
    pub(super) fn need(&self, path: &str) -> Need {
        let of = |need: &&Need| {
            let step = need.step.and_then(|ix| self.state.step(ix));
            step.map_or("", |step| step.path.as_str()) == path
        };
        let found = self.state.needs().find(of).cloned();
        found.unwrap_or_else(|| panic!("nothing is asked at {path}: {:?}", self.asked()))
    }

    /// Paths and kinds of what is asked.
    pub(super) fn asked(&self) -> Vec<String> {
        let one = |need: &Need| {
            let step = need.step.and_then(|ix| self.state.step(ix));
            format!("{}: {:?}", step.map_or("", |step| step.path.as_str()), need.kind)
        };
        let mut asked: Vec<String> = self.state.needs().map(one).collect();
        asked.sort();
        asked
    }

    pub(super) fn try_say(
        &mut self,
        need: NeedId,
        by: &str,
        answer: AnswerKind,
        form: Value,
    ) -> Result<Reply, AnswerError> {
        let reason = "because".to_owned();
        let answers = vec![Answer { need, answer, reason, form, digest: None, done_at: None }];
        self.command(Command::Answer { answers, by: person(by), roles: None })
    }

    pub(super) fn say(&mut self, path: &str, answer: AnswerKind) -> &mut Self {
        let need = self.need(path).id;
        self.try_say(need, "anna", answer, Value::Null).unwrap();
        self
    }

    pub(super) fn fill(&mut self, path: &str, form: Value) -> &mut Self {
        let need = self.need(path).id;
        self.try_say(need, "anna", AnswerKind::Done, form).unwrap();
        self
    }

    pub(super) fn approve(&mut self, path: &str, by: &str) -> &mut Self {
        let need = self.need(path).id;
        self.try_say(need, by, AnswerKind::Approve, Value::Null).unwrap();
        self
    }

    pub(super) fn signal(
        &mut self,
        name: &str,
        key: &str,
        form: Value,
    ) -> Result<Reply, AnswerError> {
        let (name, key) = (name.to_owned(), key.to_owned());
        self.command(Command::Signal { name, form, key, by: person("outside") })
    }

    pub(super) fn cancel(&mut self) -> &mut Self {
        let reason = "enough".to_owned();
        self.command(Command::Cancel { by: person("anna"), reason }).unwrap();
        self
    }

    pub(super) fn undo(&mut self, paths: &[&str]) -> &mut Self {
        let (by, reason) = (person("anna"), "a mistake".to_owned());
        let paths = paths.iter().map(|path| at(path)).collect();
        self.command(Command::Undo { by, paths, reason }).unwrap();
        self
    }

    pub(super) fn pause(&mut self) -> &mut Self {
        self.command(Command::Pause {
            by: person("anna"),
            reason: String::new(),
            with_caller: false,
        })
        .unwrap();
        self
    }

    pub(super) fn unpause(&mut self) -> &mut Self {
        self.command(Command::Unpause { by: person("anna"), with_caller: false }).unwrap();
        self
    }
}
