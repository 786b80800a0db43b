//! Who is on call now, and who was called to what waits.

use beistand_core::model::{NeedId, Role};
use beistand_core::on_call::{CallOut, Shift, instant};
use beistand_journal::Need;
use beistand_runtime::{Called, Clock as _, WallClock};
use serde_json::{Value, json};

use crate::config::roster;
use crate::exit::{Exit, Failure, Outcome};
use crate::out::cell;
use crate::session::Context;

pub(super) fn on_call(context: &Context, at: Option<&str>) -> Outcome {
    let now = match at {
        Some(text) => instant(text).ok_or_else(|| {
            Failure::usage(format!("`{text}` is no time")).hint("for example 2026-11-23 08:00")
        })?,
        None => WallClock.now(),
    };
    let roster = roster(&context.config.on_call.files)
        .map_err(|error| Failure::new(Exit::Check, error.to_string()))?;
    let now_on_call: Vec<&Shift> =
        Role::ALL.iter().flat_map(|role| roster.at(*role, now)).collect();
    if context.out.json {
        context.out.value(&now_on_call.iter().map(|shift| shift_json(shift)).collect());
        return Ok(Exit::Ok);
    }
    let rows: Vec<Vec<String>> = now_on_call.iter().map(|shift| line(context, shift)).collect();
    if roster.shifts().is_empty() {
        context.out.note("nobody is; name CSV files by `on_call: { files: […] }` in beistand.yaml");
    } else {
        context.out.table(&["ROLE", "PERSON", "UNTIL", "MAIL", "TELEPHONE"], &rows);
    }
    for role in Role::ALL {
        let has_shifts = roster.shifts().iter().any(|shift| shift.role == *role);
        if has_shifts && roster.at(*role, now).next().is_none() {
            context.out.loud(format_args!("nobody is on call as {role}"));
        }
    }
    if !roster.shifts().is_empty() && context.config.on_call.by.is_none() {
        context.out.note("nobody is called by mail: `on_call:` names no connector by `by`");
    }
    Ok(Exit::Ok)
}

fn shift_json(shift: &Shift) -> Value {
    json!({
        "role": shift.role, "person": shift.person,
        "from": shift.from.map(|at| at.to_string()), "until": shift.until.map(|at| at.to_string()),
        "mail": shift.mail, "telephone": shift.telephone,
    })
}

fn line(context: &Context, shift: &Shift) -> Vec<String> {
    vec![
        shift.role.to_string(),
        shift.person.to_string(),
        shift.until.map(|until| context.time(until)).unwrap_or_default(),
        shift.mail.join(" "),
        shift.telephone.clone().unwrap_or_default(),
    ]
}

/// Who was called to any of these needs of one incident, a line each.
pub(super) fn called_lines(context: &Context, called: &Called, group: &[&Need]) -> Vec<String> {
    let Some(first) = group.first() else { return Vec::new() };
    let ids: Vec<NeedId> = group.iter().map(|need| need.id).collect();
    let line = |call: &&CallOut| {
        let at = context.time(call.at);
        let end = match call.end {
            Some((end, _)) => end.as_str(),
            None => "under way",
        };
        let why =
            if call.message.is_empty() { String::new() } else { format!(": {}", call.message) };
        cell(&format!("{} ({}) by mail {at}, {end}{why}", call.person, call.role))
    };
    called.to(first.incident, &ids).iter().map(line).collect()
}
