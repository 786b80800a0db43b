//! `call`: one effect now, as a run of one step: with guard, limits, policy, journal and undo.

use beistand_core::model::{ActionName, Catalogue, Mode};
use beistand_runtime::{OneCall, Verb};

use crate::args::{CallArgs, Inputs, RunArgs, Watching};
use crate::exit::{Exit, Failure, Outcome};
use crate::find;
use crate::modes::without_store;
use crate::session::Context;
use crate::values;

pub(super) async fn call(context: &Context, args: CallArgs) -> Outcome {
    let action: ActionName =
        args.action.parse().map_err(|error| Failure::usage(format!("{error}")))?;
    let catalogue = Catalogue::first();
    let spec = catalogue.get(&action).ok_or_else(|| {
        let all: Vec<String> = catalogue.iter().map(|spec| spec.name.to_string()).collect();
        Failure::not_found(format!("there is no action `{action}`"))
            .hint(format!("there are: {}", all.join(", ")))
    })?;
    let once = OneCall {
        with: values::read(&args.with, &spec.arguments)?,
        action,
        reason: args.reason.into(),
        // On a terminal people are asked when the run is started.
        by_hand_ok: args.by_hand_ok || std::io::IsTerminal::is_terminal(&std::io::stdin()),
        by: context.who().await?,
    };
    let plan = once.plan(&context.scripts)?;
    let incident = find::incident(&context.reader().await?, &args.incident).await?;
    if (incident.mode == Mode::Drill) != args.drill {
        let text = format!("incident {} is {}", incident.number, incident.mode);
        return Err(
            Failure::new(Exit::Conflict, text).hint("--drill goes with drills, and only with them")
        );
    }
    let modes = without_store(&context.config, &context.url)?;
    once.may_be_sent(modes.of(incident.mode), &plan, &incident)?;
    let (act, by) = (once.note(), once.by);
    context.act(Verb::Incident { incident: incident.id, act, by, if_seq: None }).await?;
    let run = RunArgs {
        playbook: plan.name().to_string(),
        inputs: Inputs { pairs: Vec::new(), inputs: None },
        incident: Some(incident.number),
        title: None,
        drill: args.drill,
        case: None,
        watching: Watching {
            start_key: None,
            by_hand_ok: args.by_hand_ok,
            detach: false,
            timeout: None,
        },
    };
    super::run::run_plan(context, run, &plan).await
}
