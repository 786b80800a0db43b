//! What people type, and what it stands for: runs by prefix, incidents by number, steps by item.

use beistand_core::model::{CodeError, IncidentId, Millis, NeedCode, NeedId, Path, RunId};
use beistand_core::run::{NeedKind, RunState};
use beistand_core::timeline::Zone;
use beistand_journal::{Incident, Need, NeedFilter, Page, Reader};
use beistand_runtime::{Clock as _, WallClock, needs_by_code};

use crate::exit::{Exit, Failure, Outcome};

/// A run by its id or a unique beginning of it.
pub(crate) async fn run(reader: &Reader, text: &str) -> Outcome<RunId> {
    let found = reader.runs_by_prefix(&text.to_lowercase()).await?;
    match found.as_slice() {
        [run] => Ok(run.id),
        [] => Err(Failure::not_found(format!("there is no run `{text}`"))
            .hint("`beistand runs` lists them")),
        _ => Err(Failure::usage(format!("`{text}` fits more than one run; write more of the id"))),
    }
}

/// An incident by its number or id.
pub(crate) async fn incident(reader: &Reader, text: &str) -> Outcome<Incident> {
    let found = match text.parse::<IncidentId>() {
        Ok(id) => reader.incident(id).await?,
        Err(_) => reader.incident_by_number(&text.to_uppercase()).await?,
    };
    if let Some(incident) = found {
        return Ok(incident);
    }
    let by_prefix: Vec<Incident> = reader
        .incidents(Page::first(1_000))
        .await?
        .into_iter()
        .map(|(_, incident)| incident)
        .filter(|incident| incident.id.to_string().starts_with(&text.to_lowercase()))
        .collect();
    match by_prefix.as_slice() {
        [incident] => Ok(incident.clone()),
        _ => Err(Failure::not_found(format!("there is no incident `{text}`"))
            .hint("`beistand incident list` lists them")),
    }
}

/// A need by its id, a unique beginning of it, or the code on a printed sheet; with its group, if
/// asked for.
pub(crate) async fn needs(reader: &Reader, text: &str, group: bool) -> Outcome<Vec<Need>> {
    let found = match text.parse::<NeedId>() {
        Ok(id) => reader.need(id).await?.into_iter().collect(),
        Err(_) => match code(text)? {
            Some(code) => by_code(reader, code).await?,
            None => reader.needs_by_prefix(&text.to_lowercase()).await?,
        },
    };
    // Those that were answered count: a beginning that meant one need must never mean another.
    let need = match found.as_slice() {
        [need] if need.closed_at.is_none() => need.clone(),
        [_] => {
            return Err(Failure::new(
                Exit::Conflict,
                format!("need `{text}` was answered already"),
            )
            .hint("`beistand needs` lists what is open"));
        }
        [] => {
            return Err(Failure::not_found(format!("there is no need `{text}`"))
                .hint("`beistand needs` lists them; a code on paper is like K7M-4QX-P, without 0, 1, I, L, O, U and V"));
        }
        _ => {
            return Err(Failure::usage(format!(
                "`{text}` fits more than one need, answered ones too; write more of the id"
            )));
        }
    };
    if !group {
        return Ok(vec![need]);
    }
    let (run, group) = (need.run, need.group.clone());
    let Some(group) = group else { return Ok(vec![need]) };
    let filter = NeedFilter { run, group: Some(group), ..NeedFilter::default() };
    let mut equal = reader.needs(&filter).await?;
    // A gate and a decision at one step take no common answer.
    let here = place(&need);
    equal.retain(|other| place(other) == here);
    Ok(equal)
}

/// What is answered together with a need when its group is asked for: equal places are.
pub(crate) fn place(need: &Need) -> (Option<RunId>, String, NeedKind) {
    let group = need.group.clone().unwrap_or_else(|| need.id.to_string());
    (need.run, group, need.kind)
}

/// The code in a text; none where it is an id, all of which begin with a zero that no code has.
fn code(text: &str) -> Outcome<Option<NeedCode>> {
    match text.parse() {
        Ok(code) => Ok(Some(code)),
        Err(CodeError::Shape(_)) => Ok(None),
        Err(error @ CodeError::Mistyped(_)) => Err(Failure::usage(error.to_string())),
    }
}

/// What is asked under a code: what was answered, or is asked anew, has it no more.
async fn by_code(reader: &Reader, code: NeedCode) -> Outcome<Vec<Need>> {
    let found = needs_by_code(reader, code).await?;
    if found.is_empty() {
        let text = format!("nothing is asked under the code {code}");
        return Err(Failure::not_found(text).hint(
            "it was answered, or is asked anew since it was printed; `beistand needs` lists what is open",
        ));
    }
    Ok(found)
}

/// When something happened. The engine refuses what is yet to come; here it is said which flag that
/// is.
pub(crate) fn past(text: Option<&str>, zone: Zone) -> Outcome<Option<Millis>> {
    let Some(text) = text else { return Ok(None) };
    let now = WallClock.now();
    let at = zone.read(text, now).ok_or_else(|| {
        Failure::usage(format!("`{text}` is no time"))
            .hint("for example 04:12 for today, 2026-11-23 04:12 or 2026-11-23T04:12:00+01:00")
    })?;
    if !at.can_have_been(now) {
        return Err(Failure::usage(format!("{text} is yet to come; --at says when it happened"))
            .hint("one of another day has its date in front: 2026-11-23 04:12"));
    }
    Ok(Some(at))
}

/// A step by its path; `contain[pc-2]/cut` names an item where that is unique. A bare number in
/// brackets is always the index.
pub(crate) fn step(state: &RunState, text: &str) -> Outcome<Path> {
    if let Ok(path) = text.parse::<Path>()
        && state.step_at(&path).is_some()
    {
        return Ok(path);
    }
    let matches: Vec<Path> = state
        .steps()
        .filter(|step| {
            let by_id = step.path.as_str() == text || step.path.id() == text;
            by_id || with_item(state, step).is_some_and(|named| named == text)
        })
        .map(|step| step.path.clone())
        .collect();
    match matches.as_slice() {
        [path] => Ok(path.clone()),
        [] => Err(Failure::not_found(format!("the run has no step `{text}`"))
            .hint("`beistand show RUN` lists them")),
        many => Err(Failure::usage(format!(
            "`{text}` fits {} steps; write the path with its index",
            many.len()
        ))),
    }
}

/// `contain[1]/cut` with the item's text in the innermost brackets.
fn with_item(state: &RunState, step: &beistand_core::run::Step) -> Option<String> {
    let item = state.item_of(step)?;
    let text = step.path.as_str();
    let (before, rest) = text.rsplit_once('[')?;
    let (_, after) = rest.split_once(']')?;
    Some(format!("{before}[{item}]{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_today_is_that_of_the_zone_that_people_read_in() {
        let now = Millis::parse("2026-07-01T22:30:00Z").unwrap();
        let told = |text, zone: Zone| zone.read(text, now).map(|at| at.to_string());
        for (text, zone, at) in [
            ("00:12", Zone::Berlin, "2026-07-01T22:12:00.000Z"),
            ("0:12", Zone::Berlin, "2026-07-01T22:12:00.000Z"),
            ("22:12", Zone::Utc, "2026-07-01T22:12:00.000Z"),
            ("2026-07-01 23:50", Zone::Berlin, "2026-07-01T21:50:00.000Z"),
            ("2026-07-01 23:50:10", Zone::Utc, "2026-07-01T23:50:10.000Z"),
            ("2026-07-01T04:00:00+02:00", Zone::Utc, "2026-07-01T02:00:00.000Z"),
        ] {
            assert_eq!(told(text, zone).as_deref(), Some(at), "{text}");
        }
        for text in ["4", "25:00", "04:60", "2026-07-01", "now", "04:12 CET"] {
            assert_eq!(told(text, Zone::Berlin), None, "{text}");
        }
    }

    #[test]
    fn what_is_yet_to_come_did_not_happen() {
        assert!(past(Some("2023-10-30T04:00:00Z"), Zone::Utc).unwrap().is_some());
        assert!(past(Some("2999-01-01T00:00:00Z"), Zone::Utc).is_err());
        assert!(past(Some("tomorrow"), Zone::Utc).is_err());
        assert_eq!(past(None, Zone::Utc).unwrap(), None);
    }
}
