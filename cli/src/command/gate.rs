//! What an approver reads before they say yes: whether it is real, what it is about, who asks for it,
//! how many have said yes, and exactly what would be done.

use beistand_core::model::Mode;
use beistand_journal::{Need, Reader};
use serde_json::Value;

use super::body::{NeedBody, said};
use crate::exit::Outcome;
use crate::out::cell;
use crate::session::Context;

/// Prints what gates of one run show.
pub(super) async fn show(context: &Context, reader: &Reader, needs: &[Need]) -> Outcome<()> {
    let Some(first) = needs.first() else { return Ok(()) };
    context.say_stopped(reader).await?;
    context.out.loud(match first.mode {
        Mode::Live => "LIVE: its effects are real",
        Mode::Drill => "DRILL: its effects are pretended",
    });
    let incident = reader.incident(first.incident).await?;
    let incident = incident.map(|incident| format!("{}: {}", incident.number, incident.title));
    context.out.loud(cell(&format!("incident {}", incident.unwrap_or_default())));
    if let Some(run) = first.run {
        let row = reader.run(run).await?;
        let playbook = row.map(|row| format!(" of {}", row.playbook)).unwrap_or_default();
        context.out.loud(cell(&format!("run {run}{playbook}")));
    }
    for need in needs {
        for line in lines(context, need) {
            context.out.loud(cell(&line));
        }
    }
    Ok(())
}

/// One gate, a line each.
fn lines(context: &Context, need: &Need) -> Vec<String> {
    let body = NeedBody::of(need);
    let role = need.role.map(|role| role.to_string()).unwrap_or_default();
    let mut lines = vec![
        format!("{}  ({} by {role})", body.title, need.kind),
        format!("  {}", standing(context, need, &body)),
    ];
    lines.extend(body.effects().iter().map(|effect| format!("  {effect}")));
    lines.extend(body.each("others").map(|one| format!("  {}", later(one))));
    lines.extend(body.each("unresolved").map(|one| format!("  {}", unfit(one))));
    // The gate of an undo is no step's, and signs that it is one: that stands in its title.
    let signed = body.shown("shown").filter(|_| need.step.is_some());
    lines.extend(signed.into_iter().flat_map(shown));
    if let Some(digest) = need.digest {
        lines.push(format!("  digest {digest}"));
        lines.push(format!("  in words: {}", digest.spoken()));
    }
    lines
}

/// Who asks since when, how many have said yes, and until when the others can.
fn standing(context: &Context, need: &Need, body: &NeedBody) -> String {
    let by = body.requester().map(|by| format!(" by {by}")).unwrap_or_default();
    let until = match need.until {
        Some(at) => format!("until {}", context.time(at)),
        None => "without a deadline".to_owned(),
    };
    format!("asked for{by} since {}; {}; {until}", context.time(need.since), body.tally())
}

/// What stands behind the gate and is not decided with it.
fn later(one: &Value) -> String {
    let part = |name: &str| one.get(name).and_then(Value::as_str);
    let what = match (part("action"), part("playbook"), part("step")) {
        (Some(action), ..) => action.to_owned(),
        (None, Some(playbook), _) => format!("playbook {playbook}"),
        (None, None, Some(step)) => format!("step {step}"),
        (None, None, None) => String::new(),
    };
    format!("not bound: {}  {what}", part("path").unwrap_or_default())
}

/// What can not be done as it is written, and why.
pub(super) fn unfit(one: &Value) -> String {
    let part = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("can not be done: {}: {} ({})", part("path"), part("message"), part("error"))
}

/// What a gate signs that is no effect: a text, or what steps found out.
fn shown(what: &Value) -> Vec<String> {
    match what {
        Value::Null => Vec::new(),
        Value::Array(steps) => steps
            .iter()
            .map(|step| {
                let output = step.get("output").filter(|output| !output.is_null());
                let output = output.map_or_else(|| "nothing".to_owned(), said);
                format!("  {}: {output}", step.get("step").map(said).unwrap_or_default())
            })
            .collect(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            vec![format!("  {}", said(what))]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_bound_or_can_not_be_done_is_said_as_a_sentence() {
        let error = json!({"path": "all[1]/cut", "error": "invalid", "message": "`x` is unknown"});
        assert_eq!(unfit(&error), "can not be done: all[1]/cut: `x` is unknown (invalid)");
        for (other, words) in [
            (json!({"path": "a", "action": "network.isolate"}), "not bound: a  network.isolate"),
            (json!({"path": "a", "playbook": "contain"}), "not bound: a  playbook contain"),
            (json!({"path": "a", "step": "cut"}), "not bound: a  step cut"),
        ] {
            assert_eq!(later(&other), words);
        }
    }

    #[test]
    fn what_is_signed_is_said_without_the_marks_of_json() {
        assert_eq!(shown(&json!("Go?")), ["  Go?"]);
        let steps =
            json!([{"step": "look", "output": {"up": true}}, {"step": "ask", "output": null}]);
        assert_eq!(shown(&steps), [r#"  look: {"up":true}"#, "  ask: nothing"]);
    }
}
