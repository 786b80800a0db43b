//! The stop switch, said wherever somebody looks why nothing happens.
//!
//! It only says how the switch stands; what holds effects back is the transaction of each intent.

use std::path::PathBuf;

use beistand_journal::Reader;
use serde_json::Value;

use crate::exit::Outcome;
use crate::out::cell;
use crate::session::Context;

impl Context {
    /// Says loudly that the stop switch is on, or will be in a moment, if it is so; says whether.
    pub(crate) async fn say_stopped(&self, reader: &Reader) -> Outcome<bool> {
        let meta = reader.meta().await?;
        let file = self.present_stop_file();
        match (meta.stopped_at, &file) {
            (Some(at), _) => self.out.loud(sentence(&meta.stop_body, &self.time(at))),
            (None, Some(_)) => self.out.loud("STOPPED: no effect starts"),
            (None, None) => return Ok(false),
        }
        if let Some(file) = file {
            self.out.loud(format_args!(
                "  the stop file {} is there: whoever drives runs stops everything until it is taken \
                 away, and then another person lets things go on with `beistand go-on`",
                file.display()
            ));
        }
        Ok(true)
    }

    /// The stop file, where somebody has put one.
    pub(crate) fn present_stop_file(&self) -> Option<PathBuf> {
        self.stop_file().filter(|file| file.exists())
    }

    /// The switch for when nothing else answers: `<db>.stop`, or `beistand.stop` beside the
    /// configuration.
    pub(crate) fn stop_file(&self) -> Option<PathBuf> {
        match self.url.strip_prefix("sqlite:") {
            Some(path) => Some(PathBuf::from(format!("{}.stop", path.trim_start_matches("//")))),
            None => self.config_file.as_ref().map(|file| file.with_file_name("beistand.stop")),
        }
    }
}

/// That it is on: since when, by whom and why, and what lets things go on.
fn sentence(body: &str, since: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let word = |name: &str| body.get(name).and_then(Value::as_str).map(cell).unwrap_or_default();
    let (by, reason) = (word("by"), word("reason"));
    let who = if by.is_empty() { String::new() } else { format!(" by {by}") };
    let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    if body.get("restored").and_then(Value::as_bool).unwrap_or(false) {
        let unfinished = match body.get("unfinished").and_then(Value::as_u64) {
            None | Some(0) => String::new(),
            Some(1) => "; 1 run had not ended".to_owned(),
            Some(count) => format!("; {count} runs had not ended"),
        };
        let (stopped, whoever) = if by.is_empty() {
            (String::new(), "")
        } else {
            (format!("; and stopped{who}{why}"), " of somebody else")
        };
        return format!(
            "STOPPED: the stop switch is on since {since}, for the store was restored from a backup\
             {unfinished}{stopped}. No effect starts until `beistand go-on --reason …`{whoever} says \
             that the old instance is off"
        );
    }
    format!(
        "STOPPED: the stop switch is on since {since}{who}{why}. No effect starts until somebody \
         else lets things go on with `beistand go-on`"
    )
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn it_says_by_whom_and_why_and_what_lets_things_go_on() {
        let said = sentence(r#"{"by":"anna","reason":"wrong network\nrun  done"}"#, "03:00 CET");
        for part in ["since 03:00 CET by anna: wrong network\\u{a}run", "`beistand go-on`"] {
            assert!(said.contains(part), "{said}");
        }
        assert!(!said.contains('\n'), "a reason writes no line of its own");
        let restored = sentence(r#"{"restored":true,"unfinished":2}"#, "03:00 CET");
        for part in ["from a backup; 2 runs had not ended", "go-on --reason", "old instance"] {
            assert!(restored.contains(part), "{restored}");
        }
        let both = sentence(r#"{"by":"anna","reason":"smoke","restored":true}"#, "03:00 CET");
        for part in
            ["from a backup; and stopped by anna: smoke", "of somebody else", "old instance"]
        {
            assert!(both.contains(part), "{both}");
        }
        assert!(!sentence(r#"{"restored":true,"unfinished":0}"#, "x").contains("had not ended"));
        assert!(sentence("", "x").contains("since x. No effect"), "whatever was kept of it");
    }
}
