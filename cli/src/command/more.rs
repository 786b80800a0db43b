//! `more`: the same playbook for items that were found later, as a run of its own.

use beistand_runtime::{NewMore, Verb, view};

use crate::args::MoreArgs;
use crate::exit::Outcome;
use crate::find;
use crate::session::Context;
use crate::values;

pub(super) async fn more(context: &Context, args: MoreArgs) -> Outcome {
    let reader = context.reader().await?;
    let run = find::run(&reader, &args.run).await?;
    let (plan, _, _) = view(&reader, run, &context.scripts).await?;
    let given = values::read(&args.pairs, &plan.parts().inputs)?;
    let new = NewMore {
        run,
        inputs: given.as_object().cloned().unwrap_or_default(),
        start_key: args.watching.start_key.clone().map(String::from),
        by_hand_ok: args.watching.by_hand_ok,
        by: context.who().await?,
    };
    super::run::start(context, Verb::More(Box::new(new)), (None, None), &args.watching).await
}
