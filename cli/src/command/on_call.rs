//! Who is on call now, and who was called to what waits.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use beistand_core::model::{IncidentId, Millis, NeedId, Role};
use beistand_core::on_call::{CallOut, CallOuts, Shift, instant};
use beistand_journal::{Need, Reader};
use beistand_runtime::{Clock as _, WallClock, call_outs};
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

/// Who was called to what, in the incidents of some needs.
pub(super) struct Called(BTreeMap<IncidentId, CallOuts>);

impl Called {
    pub(super) async fn of(reader: &Reader, needs: &[Need]) -> Outcome<Self> {
        let mut all = BTreeMap::new();
        for need in needs {
            if let Entry::Vacant(place) = all.entry(need.incident) {
                place.insert(call_outs(reader, need.incident).await?);
            }
        }
        Ok(Self(all))
    }

    /// The newest call of each person to any of these, oldest first.
    fn to(&self, incident: IncidentId, needs: &[NeedId]) -> Vec<&CallOut> {
        let calls = self.0.get(&incident).map(CallOuts::all).unwrap_or_default();
        let about = calls.iter().filter(|call| call.needs.iter().any(|id| needs.contains(id)));
        let mut newest: BTreeMap<(String, &str), &CallOut> = BTreeMap::new();
        for call in about {
            newest.insert((call.person.to_string(), call.step.as_str()), call);
        }
        let mut newest: Vec<&CallOut> = newest.into_values().collect();
        newest.sort_by_key(|call| call.at);
        newest
    }

    /// As lines for people.
    pub(super) fn lines(&self, context: &Context, group: &[&Need]) -> Vec<String> {
        let Some(first) = group.first() else { return Vec::new() };
        let ids: Vec<NeedId> = group.iter().map(|need| need.id).collect();
        let line = |call: &&CallOut| {
            let at = |at: Millis| context.time(at);
            let end = match call.end {
                Some((end, _)) => end.as_str(),
                None => "under way",
            };
            let why =
                if call.message.is_empty() { String::new() } else { format!(": {}", call.message) };
            cell(&format!("{} ({}) by mail {}, {end}{why}", call.person, call.role, at(call.at)))
        };
        self.to(first.incident, &ids).iter().map(line).collect()
    }

    /// As JSON beside a need.
    pub(super) fn add_to(&self, need: &mut Value) {
        let parsed = |name: &str| need.get(name).and_then(Value::as_str);
        let id = parsed("id").and_then(|id| id.parse::<NeedId>().ok());
        let incident = parsed("incident").and_then(|id| id.parse::<IncidentId>().ok());
        let (Some(id), Some(incident), Value::Object(fields)) = (id, incident, need) else {
            return;
        };
        let calls = self.to(incident, &[id]).into_iter().map(|call| {
            let (end, ended_at) = call.end.unzip();
            json!({
                "person": call.person, "role": call.role, "step": call.step, "key": call.key,
                "at": call.at.to_string(), "end": end,
                "ended_at": ended_at.map(|at| at.to_string()), "message": call.message,
            })
        });
        fields.insert("called".to_owned(), calls.collect());
    }
}
