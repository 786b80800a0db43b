//! JSON, a line an entry: with the fields that Timesketch wants, and ours.
//! <https://timesketch.org/guides/user/import-from-json-csv/>

use serde::Serialize;
use serde_json::Value;

use super::{About, Document};
use crate::model::{LineId, Role, Span};
use crate::timeline::TimelineEntry;
use crate::timeline::escape::armoured;
use crate::timeline::export::block;

/// One line. The order of its fields is that of the file.
#[derive(Serialize)]
struct Line<'a> {
    message: &'a str,
    datetime: String,
    timestamp_desc: &'static str,
    recorded_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    happened_at: Option<String>,
    lane: &'static str,
    kind: &'static str,
    detail: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    failed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    late_by_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    playbook: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    targets: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    asserted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    through: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a Value>,
    mode: &'static str,
    tlp: &'static str,
    stream: &'a str,
    seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
    #[serde(rename = "line", skip_serializing_if = "Option::is_none")]
    id: Option<LineId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<LineId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    corrected_by: Option<LineId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    starred_by: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Role]>::is_empty")]
    roles: &'a [Role],
}

/// A line for each entry and, where the document has a chain, one last line `{"chain": …}` that
/// binds the chain and the lines before it.
///
/// `datetime` is when it happened where somebody said so, otherwise when it was written down;
/// `timestamp_desc` says which.
pub fn jsonl(lines: &[TimelineEntry], document: &Document<'_>) -> String {
    let mut out = String::new();
    for line in lines {
        let (datetime, timestamp_desc) = match line.happened_at {
            Some(at) => (at, "happened"),
            None => (line.at, "recorded"),
        };
        push(
            &mut out,
            &Line {
                message: &line.text,
                datetime: datetime.to_string(),
                timestamp_desc,
                recorded_at: line.at.to_string(),
                happened_at: line.happened_at.map(|at| at.to_string()),
                lane: line.lane.as_str(),
                kind: line.kind,
                detail: line.detail,
                failed: line.failed,
                late_by_ms: line.late_by().map(Span::millis),
                run: line.run.map(|run| run.to_string()),
                playbook: line.playbook.as_ref().map(crate::model::PlaybookName::as_str),
                path: line.path.as_ref().map(crate::model::Path::as_str),
                item: line.item.as_deref(),
                targets: &line.targets,
                actor: line.actor.as_ref().map(crate::model::Person::as_str),
                asserted: line.asserted,
                account: line.account.as_ref().map(crate::model::AccountName::as_str),
                proof: line.proof.map(crate::run::Proof::as_str),
                through: line.through.as_ref().map(crate::model::Person::as_str),
                organisation: line.organisation.as_ref().map(crate::model::Organisation::as_str),
                value: line.value.as_ref(),
                mode: document.mode.as_str(),
                tlp: document.tlp.as_str(),
                stream: &line.stream,
                seq: line.seq,
                entry: line.entry.map(|entry| entry.to_string()),
                id: line.line(),
                about: line.about,
                corrected_by: line.corrected_by,
                starred_by: line.starred_by.as_ref().map(crate::model::Person::as_str),
                roles: &line.roles,
            },
        );
    }
    if let Some(chain) = document.chain {
        let block = block(chain, About::of(lines, document), &out);
        out.push_str(&block);
        out.push('\n');
    }
    out
}

#[expect(clippy::expect_used, reason = "writing to memory, and every map has text as keys")]
fn push(out: &mut String, line: &impl Serialize) {
    out.push_str(&armoured(&serde_json::to_string(line).expect("a line is JSON")));
    out.push('\n');
}
