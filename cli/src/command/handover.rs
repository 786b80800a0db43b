//! Command of an incident: the briefing, the offer to the next commander, and its acceptance.

use std::io::{BufRead as _, IsTerminal as _};

use beistand_core::incident::Offer;
use beistand_core::model::{Digest, Person};
use beistand_core::timeline::briefing as told;
use beistand_journal::{Incident, Page, Reader};
use beistand_runtime::{Briefed, IncidentAct, brief, offer_of};
use serde_json::{Value, json};

use super::incident::{act, usage};
use crate::args::HandoverArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::find;
use crate::out::cell;
use crate::session::Context;

/// How an incident stands, with the digest that an acceptance is bound to.
pub(super) async fn briefing(context: &Context, incident: &str) -> Outcome {
    let reader = context.reader().await?;
    context.say_stopped(&reader).await?;
    let incident = find::incident(&reader, incident).await?;
    let briefed = brief(&reader, incident.id).await?;
    if context.out.json {
        let (digest, value) = (briefed.digest, briefed.briefing.value());
        context.out.value(&json!({"digest": digest, "briefing": value}));
    } else {
        context.out.line(text(context, &briefed).trim_end());
    }
    Ok(Exit::Ok)
}

fn text(context: &Context, briefed: &Briefed) -> String {
    told(&briefed.briefing, briefed.digest, (context.lang(), context.zone()))
}

pub(super) async fn handover(context: &Context, args: HandoverArgs) -> Outcome {
    let HandoverArgs { incident, what, note, digest } = args;
    let asked = if let Some(to) = what.to {
        let to: Person = to.parse().map_err(usage)?;
        IncidentAct::OfferCommand { to, note: note.map(String::from).unwrap_or_default() }
    } else if what.accept {
        let digest = match digest {
            Some(text) => text.parse::<Digest>().map_err(usage)?,
            None => seen(context, &incident).await?,
        };
        IncidentAct::AcceptCommand { digest }
    } else {
        IncidentAct::WithdrawCommand
    };
    let accepts = matches!(asked, IncidentAct::AcceptCommand { .. });
    let done = act(context, &incident, asked).await;
    let stands = || format!("`beistand incident briefing {incident}` says how it stands now");
    let whose = || "`beistand needs` says who it is offered to".to_owned();
    done.map_err(|failure| {
        if !accepts {
            return failure;
        }
        failure.or_hint(Exit::Conflict, stands).or_hint(Exit::NotAllowed, whose)
    })
}

/// The digest of the briefing that somebody has read on their terminal and says yes to.
async fn seen(context: &Context, incident: &str) -> Outcome<Digest> {
    let reader = context.reader().await?;
    let incident = find::incident(&reader, incident).await?;
    let Some(offer) = offer_of(&incident) else {
        let text = format!("command of {} is not offered to anybody", incident.number);
        return Err(Failure::new(Exit::Conflict, text).hint(offered_by(&incident)));
    };
    // Before a long text is read that is another's to answer.
    let by = context.who().await?.person;
    if offer.to != by {
        let text = format!("command is offered to `{}`, who alone can accept it", offer.to);
        return Err(Failure::new(Exit::NotAllowed, text).hint(format!(
            "beistand incident handover {} --accept --as {}; or {}",
            incident.number,
            offer.to,
            offered_by(&incident)
        )));
    }
    let briefed = brief(&reader, incident.id).await?;
    context.out.loud(text(context, &briefed).trim_end());
    if let Some(note) = &briefed.state.offer_note {
        context.out.loud(format_args!("{}: {}", offer.by, cell(note)));
    }
    if offer.digest != briefed.digest {
        let changed = briefed.state.since(&briefed.briefing.value());
        context.out.loud(format_args!("Since the offer changed: {}", cell(&changed)));
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage("without a terminal, say which briefing you have seen")
            .hint(format!("--digest {}", briefed.digest)));
    }
    context.out.loud(format_args!("Take command of {} as it stands here? [y/N]", incident.number));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "j" | "J" | "yes" | "ja") {
        Ok(briefed.digest)
    } else {
        Err(Failure::new(Exit::NotAllowed, "command is not taken"))
    }
}

/// How command comes to be offered.
fn offered_by(incident: &Incident) -> String {
    format!("its commander offers it: `beistand incident handover {} --to PERSON`", incident.number)
}

/// Incidents in which command is offered.
pub(super) async fn offers(
    reader: &Reader,
    only: Option<&Incident>,
) -> Outcome<Vec<(Incident, Offer)>> {
    let rows: Vec<Incident> = if let Some(incident) = only {
        vec![incident.clone()]
    } else {
        let rows = reader.incidents(Page::first(1_000)).await?;
        rows.into_iter().map(|(_, incident)| incident).collect()
    };
    let offered = |incident: Incident| offer_of(&incident).map(|offer| (incident, offer));
    Ok(rows.into_iter().filter_map(offered).collect())
}

/// An offer beside the needs of runs: the incident's id is what it is answered by.
pub(super) fn offer_json((incident, offer): &(Incident, Offer)) -> Value {
    json!({
        "id": incident.id, "kind": "handover", "incident": incident.id, "run": null, "step": null,
        "role": "commander", "title": incident.title, "to": offer.to, "by": offer.by,
        "since": offer.since.to_string(), "until": null, "digest": offer.digest,
    })
}

/// An offer, and how it is answered.
pub(super) fn show_offer(context: &Context, (incident, offer): &(Incident, Offer)) {
    let number = &incident.number;
    context.out.line(format_args!("Command of {}  [for {}]", cell(&incident.title), offer.to));
    let since = context.time(offer.since);
    context.out.line(format_args!("  {number}  offered by {}  since {since}", offer.by));
    let answer = format!("beistand incident handover {number} --accept --as {}", offer.to);
    context.out.line(format_args!("  answer: {answer}"));
}
