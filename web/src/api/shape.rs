//! How a run and what belongs to it looks: the description of what the engine renders.
//!
//! Nothing is rendered by these types: every answer that a test gets is held against what is described
//! by them, and has every field and no other. Where somebody sees a run in outline, what is not for them is null.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A run.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Run {
    #[serde(flatten)]
    run: RunListed,
    /// Its steps so far, in the order in which they came up.
    steps: Vec<Step>,
}

/// A run as lists have it: without its steps.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct RunListed {
    #[schema(format = "uuid")]
    id: String,
    /// The playbook's name.
    playbook: String,
    /// The playbook's title.
    title: Option<String>,
    /// Of the playbook and all it calls, as it was when the run began.
    digest: String,
    /// `live` or `drill`.
    mode: String,
    /// `running`, `waiting`, `paused`, `cancelling`, `undoing`, `succeeded`, `failed`, `cancelled`,
    /// `undone`, `superseded`; there may be more.
    status: String,
    #[schema(format = "uuid")]
    incident: String,
    incident_number: String,
    /// The run that called it.
    #[schema(format = "uuid")]
    parent: Option<String>,
    /// The run that it has more items for.
    #[schema(format = "uuid")]
    more_of: Option<String>,
    /// The run that it took over from.
    #[schema(format = "uuid")]
    supersedes: Option<String>,
    /// The run that took over from it.
    #[schema(format = "uuid")]
    superseded_by: Option<String>,
    /// Runs that it called.
    children: Vec<String>,
    requested_by: Option<String>,
    inputs: Option<Value>,
    outputs: Option<Value>,
    /// What ended it.
    error: Option<Value>,
    #[schema(format = DateTime)]
    started_at: String,
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// The hash of its newest entry.
    head: String,
    needs: Vec<Need>,
    waits: Vec<Wait>,
}

/// A step of a run.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Step {
    /// Its place in the run: `attacked/contain[1]/cut`.
    path: String,
    /// Its id in the playbook.
    id: String,
    /// The loop item that it is about.
    item: Option<String>,
    /// `call`, `script`, `task`, `approve`, `wait`, …
    kind: String,
    title: Option<String>,
    /// `ready`, `running`, `waiting-for-approval`, `succeeded`, `unknown`, …
    status: String,
    attempts: Option<u64>,
    /// The key that its effect was sent with.
    key: Option<String>,
    generation: Option<u64>,
    connector: Option<String>,
    reached: Option<String>,
    late: Option<bool>,
    /// Until when it should end, as its `within` says.
    #[schema(format = DateTime)]
    due_at: Option<String>,
    by_hand: Option<bool>,
    handled: Option<bool>,
    /// The run that had done it already.
    #[schema(format = "uuid")]
    taken_over_from: Option<String>,
    already_held_by: Option<Vec<Value>>,
    still_held_by: Option<Vec<Value>>,
    output: Option<Value>,
    /// How the items of a loop went.
    counts: Option<Value>,
    error: Option<Value>,
    #[schema(format = DateTime)]
    started_at: Option<String>,
    #[schema(format = DateTime)]
    ended_at: Option<String>,
}

/// Something that waits for people.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Need {
    #[schema(format = "uuid")]
    id: String,
    /// `approval`, `task`, `decision`, `unknown`.
    kind: String,
    step: Option<String>,
    item: Option<String>,
    /// Who is asked.
    role: Option<String>,
    title: Option<String>,
    #[schema(format = "uuid")]
    run: String,
    #[schema(format = "uuid")]
    incident: String,
    #[schema(format = DateTime)]
    since: String,
    /// When it is escalated.
    #[schema(format = DateTime)]
    until: Option<String>,
    #[schema(format = DateTime)]
    escalated_at: Option<String>,
    votes: Option<u64>,
    /// Who approved so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    voted_by: Option<Vec<String>>,
    votes_needed: Option<u64>,
    /// What an answer says that it has seen.
    digest: Option<String>,
    /// The digest as six words, to be compared on the telephone.
    words: Option<String>,
    /// Equal needs have equal groups.
    group: Option<String>,
    /// What is shown to who answers.
    shows: Option<Value>,
    /// What is filled in: a JSON Schema.
    form: Option<Value>,
    /// The newest call of each person to it, where it is listed among what waits and all of its
    /// incident may be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    called: Option<Vec<Called>>,
}

/// That somebody on call was called to what waits.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Called {
    person: String,
    /// As what they are on call.
    role: String,
    /// `opened`, or `escalated`.
    step: String,
    /// Names the mail.
    key: String,
    #[schema(format = DateTime)]
    at: String,
    /// `sent`, `unavailable`, `refused` or `unknown`; null while it is under way.
    end: Option<String>,
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// Why it did not go out.
    message: String,
}

/// Something that a step waits for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Wait {
    step: String,
    /// `time`, `signal`, `child`, `permit`, `hold`.
    r#for: String,
    #[schema(format = DateTime)]
    since: String,
    #[schema(format = DateTime)]
    until: Option<String>,
}

/// A part of the runs.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Runs {
    items: Vec<RunListed>,
    /// Where the next part begins; null where this is the last one.
    next: Option<String>,
}

/// A part of what waits for people.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Needs {
    items: Vec<Need>,
    /// Where the next part begins; null where this is the last one.
    next: Option<String>,
}

/// What became of what was asked of a run.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the word that the engine has for it")]
pub(super) struct Reply {
    reply: ReplyWord,
    /// Votes so far, where more are needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    votes: Option<u32>,
    /// Votes in all, where more are needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    needed: Option<u32>,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ReplyWord {
    /// It was done.
    Done,
    /// It was so already.
    Already,
    /// A vote was counted, and more are needed.
    Voted,
}
