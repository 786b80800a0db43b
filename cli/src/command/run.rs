//! `run`, `watch`: starting and following runs.

use beistand_core::model::{Mode, RunId, Span};
use beistand_core::playbook::{Case, Plan};
use beistand_core::run::RunStatus;
use beistand_journal::{NeedFilter, Reader};
use beistand_runtime::{Drive, Engine, NewRun, Verb};

use super::drill::{self, Cast, Played};
use super::needs;
use super::plan::{inputs, say_missing_live};
use crate::args::{RunArgs, Watching};
use crate::exit::{DEAD_HINT, Exit, Failure, Outcome};
use crate::find;
use crate::out::many;
use crate::session::{Context, Held, owned_by};
use crate::signals::Signals;
use crate::watch::{Progress, Rest, Tick, Watched, follow};

/// A run that another process drives is followed; after so many looks, whether it is still there.
const LOOKS_FOR_OWNER: u32 = 5;

pub(super) async fn run(context: &Context, args: RunArgs) -> Outcome {
    let plan = context.shelves.plan(&args.playbook, &context.scripts, &context.out)?;
    run_plan(context, args, &plan).await
}

/// Starts a run of a plan and watches it to rest.
pub(super) async fn run_plan(context: &Context, args: RunArgs, plan: &Plan) -> Outcome {
    timeout(&args.watching)?;
    let played = args.case.as_ref().map(|name| drill::named(context, plan, name)).transpose()?;
    let mut given = inputs(&args.inputs, &plan.parts().inputs)?;
    if let (Some(played), serde_json::Value::Object(given)) = (&played, &mut given) {
        for (name, value) in &played.case.inputs {
            given.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    let incident = match &args.incident {
        Some(text) => Some(find::incident(&context.reader().await?, text).await?.id),
        None => None,
    };
    let mut shown = given.clone();
    plan.parts().inputs.fill(&mut shown);
    // What a live run fails at in the middle is said before it begins; a drill pretends it.
    if !args.drill {
        say_missing_live(context, plan, &shown)?;
    }
    let new = NewRun {
        sources: plan.sources(),
        playbook: plan.name().clone(),
        inputs: given,
        incident,
        title: args.title.clone().map(String::from),
        mode: if args.drill { Mode::Drill } else { Mode::Live },
        short: context.config.provider.short.clone(),
        start_key: args.watching.start_key.clone().map(String::from),
        by_hand_ok: args.watching.by_hand_ok || ask_by_hand(context, plan, args.drill)?,
        case: played.as_ref().map(|played| played.source.clone()),
        by: context.who().await?,
    };
    let exit = start(context, Verb::Launch(Box::new(new)), (played, None), &args.watching).await?;
    if args.drill {
        say_missing_live(context, plan, &shown)?;
    }
    Ok(exit)
}

/// How long is watched at most.
fn timeout(watching: &Watching) -> Outcome<Option<Span>> {
    let timeout = watching.timeout.as_deref().map(Span::parse).transpose();
    timeout.map_err(|error| Failure::usage(error.to_string()))
}

/// Has a run opened, here or by whoever owns the store, and watches it to rest.
pub(super) async fn start(
    context: &Context,
    verb: Verb,
    (played, before): (Option<Played>, Option<RunId>),
    watching: &Watching,
) -> Outcome {
    let timeout = timeout(watching)?;
    context.proved().await?.may(&verb)?;
    let (canned, case) = played.map(|played| (played.canned, played.case)).unzip();
    match context.take(Drive::Yes, canned.unwrap_or_default()).await? {
        Held::Here(engine) => {
            let run = match engine.execute(verb).await.map_err(Failure::from) {
                Ok(answer) => opened(context, &answer),
                Err(failure) => Err(failure),
            };
            let run = match run {
                Ok(run) => run,
                Err(failure) => {
                    engine.leave().await;
                    return Err(failure);
                }
            };
            let announced = announce(context, engine.journal().reader(), run, before).await;
            if watching.detach || announced.is_err() {
                engine.leave().await;
                // The run is there: which it is comes before what could not be said of it.
                let exit = detached(context, before.unwrap_or(run)).await;
                announced?;
                context.say_who_goes_on(&context.reader().await?).await?;
                return exit;
            }
            let runs = Runs { before, run };
            drive(context, *engine, runs, timeout, case.map(|case| (run, case))).await
        }
        Held::Elsewhere(owner) if case.is_some() => Err(owned_by(&owner).hint(
            "it plays only the people of its own drill; give this one a store of its own: \
             --store sqlite:drill.db",
        )),
        Held::Elsewhere(_) => {
            let answer = context.post(verb).await?;
            let run = opened(context, &answer)?;
            let reader = context.reader().await?;
            let announced = announce(context, &reader, run, before).await;
            if watching.detach || announced.is_err() {
                context.out.note("the process that owns the store drives it");
                let exit = detached(context, before.unwrap_or(run)).await;
                announced.and(exit)
            } else {
                Box::pin(beside(context, &reader, Runs { before, run }, timeout)).await
            }
        }
    }
}

/// The run that an answer names; what it leaves out is said.
fn opened(context: &Context, answer: &serde_json::Value) -> Outcome<RunId> {
    for left_out in
        answer.get("left_out").and_then(serde_json::Value::as_array).into_iter().flatten()
    {
        let left_out = left_out.as_str().unwrap_or_default();
        context.out.note(format_args!("left out: {}", crate::out::cell(left_out)));
    }
    let run = answer.get("run").and_then(serde_json::Value::as_str);
    run.and_then(|text| text.parse().ok())
        .ok_or_else(|| Failure::new(Exit::Internal, "the owner of the store named no run"))
}

/// A run that nobody here waits for: as JSON, how it stands.
async fn detached(context: &Context, run: RunId) -> Outcome {
    if context.out.json {
        let reader = context.reader().await?;
        context.out.value(&super::show::run_json(context, &reader, run).await?);
    }
    Ok(Exit::Ok)
}

/// On a terminal people are asked whether steps may fall to them.
fn ask_by_hand(context: &Context, plan: &Plan, drill: bool) -> Outcome<bool> {
    use std::io::{BufRead as _, IsTerminal as _};
    if drill || !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    let modes = crate::modes::without_store(&context.config, &context.url)?;
    let count = beistand_core::run::by_hand(plan, &modes.live.bindings).len();
    if count == 0 {
        return Ok(false);
    }
    context.out.loud(format_args!(
        "{} without a connector would fall to people. Go on? [y/N]",
        many(count, "step")
    ));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "j" | "J" | "yes" | "ja"))
}

/// What is watched: a run and, where it takes over from another, that one first.
#[derive(Clone, Copy)]
pub(super) struct Runs {
    pub(super) before: Option<RunId>,
    pub(super) run: RunId,
}

/// Watches to rest; says which run it is that rests.
async fn follow_on(
    (context, reader): (&Context, &Reader),
    runs: Runs,
    timeout: Option<Span>,
    mut tick: impl AsyncFnMut(bool) -> Outcome<Tick>,
) -> Outcome<(RunId, Watched)> {
    if let Some(before) = runs.before {
        let mut progress = Progress::new(before, context);
        let watched = follow(reader, &mut progress, timeout, &mut tick).await?;
        let row = reader.run(before).await?;
        if row.is_none_or(|row| row.status != RunStatus::Superseded.as_str()) {
            return Ok((before, watched));
        }
    }
    let mut progress = Progress::new(runs.run, context);
    let watched = follow(reader, &mut progress, timeout, tick).await?;
    Ok((runs.run, watched))
}

async fn announce(
    context: &Context,
    reader: &Reader,
    run: RunId,
    before: Option<RunId>,
) -> Outcome<()> {
    if let Some(before) = before {
        if !context.out.json {
            context.out.note(format_args!("run {run} takes over from run {before}"));
        }
        return Ok(());
    }
    if context.out.json {
        return Ok(());
    }
    let Some(row) = reader.run(run).await? else { return Ok(()) };
    let number = reader.incident(row.incident).await?.map(|incident| incident.number);
    let mode = match row.mode {
        Mode::Live => "live: its effects are real",
        Mode::Drill => "drill: its effects are pretended",
    };
    context.out.note(format_args!("run {run} in incident {}, {mode}", number.unwrap_or_default()));
    Ok(())
}

/// Drives a run in this process and watches it to rest.
pub(super) async fn drive(
    context: &Context,
    engine: Engine,
    runs: Runs,
    timeout: Option<Span>,
    played: impl IntoIterator<Item = (RunId, Case)>,
) -> Outcome {
    let mut cast = Cast::new(&engine, context, played).await?;
    cast.announce(context);
    let background = context.drive(&engine);
    let mut signals = Signals::listen()?;
    let reader = engine.journal().reader().clone();
    let watched = {
        let engine = &engine;
        let (signals, cast) = (&mut signals, &mut cast);
        let tick = async move |resting: bool| {
            if poll(&mut signals.stop).await {
                engine.stop_from_outside("SIGUSR1").await;
            }
            if let Some(why) = engine.dead() {
                return Err(Failure::new(Exit::Internal, why).hint(DEAD_HINT));
            }
            let expected = cast.act(engine, context, resting).await?;
            Ok(match (poll(&mut signals.terminate).await, expected) {
                (true, _) => Tick::Leave,
                (false, true) => Tick::Expected,
                (false, false) => Tick::Idle,
            })
        };
        follow_on((context, &reader), runs, timeout, tick).await
    };
    let (run, watched) = match watched {
        Ok(watched) => watched,
        Err(failure) => {
            engine.leave().await;
            return Err(failure);
        }
    };
    let exit = finish((context, &reader), (run, &watched), &Then::Resume).await;
    let left = engine.leave().await;
    if left > 0 {
        context.out.note(format_args!(
            "{} still had something out; `beistand resume` goes on",
            many(left, "run")
        ));
    }
    drop(background.await);
    if let Some(why) = engine.dead() {
        return Err(Failure::new(Exit::Internal, why).hint(DEAD_HINT));
    }
    exit
}

/// Whether a signal came; never waits.
async fn poll(signal: &mut tokio::signal::unix::Signal) -> bool {
    tokio::select! {
        biased;
        got = signal.recv() => got.is_some(),
        () = std::future::ready(()) => false,
    }
}

/// Follows a run that another process drives; takes over when that one leaves.
async fn beside(context: &Context, reader: &Reader, runs: Runs, timeout: Option<Span>) -> Outcome {
    let mut looks = 0_u32;
    let mut taken: Option<Engine> = None;
    let watched = {
        let taken = &mut taken;
        let tick = async move |_resting: bool| {
            looks += 1;
            if taken.is_none()
                && looks.is_multiple_of(LOOKS_FOR_OWNER)
                && let Held::Here(engine) = context.take(Drive::Yes, Vec::new()).await?
            {
                context.out.note("the owner left; taking over");
                context.drive(&engine);
                *taken = Some(*engine);
            }
            Ok(Tick::Idle)
        };
        follow_on((context, reader), runs, timeout, tick).await
    };
    let then = if taken.is_some() { Then::Resume } else { Then::Owner };
    let exit = match &watched {
        Ok((run, watched)) => finish((context, reader), (*run, watched), &then).await,
        Err(_) => Ok(Exit::Internal),
    };
    if let Some(engine) = taken {
        engine.leave().await;
    }
    watched?;
    exit
}

/// Who goes on with a run that is not watched any more.
enum Then {
    /// Nobody: it was driven here.
    Resume,
    /// The process that owns the store.
    Owner,
    /// Whoever drives it, if somebody does: it was only looked at.
    Whoever,
}

impl Then {
    const fn sentence(&self) -> &'static str {
        match self {
            Self::Resume => "it goes on with `beistand resume`",
            Self::Owner => "it goes on in the process that owns the store",
            Self::Whoever => {
                "it goes on where it is driven; where nobody does, `beistand resume` does"
            }
        }
    }
}

/// Says how a run stands, and what it waits for.
async fn finish(
    (context, reader): (&Context, &Reader),
    (run, watched): (RunId, &Watched),
    then: &Then,
) -> Outcome {
    if context.out.json {
        context.out.value(&super::show::run_json(context, reader, run).await?);
    }
    Ok(match watched {
        Watched::Rested(rest) => {
            if *rest == Rest::Waits {
                waits(context, reader, run).await?;
            }
            rest.exit()
        }
        Watched::TimedOut => {
            context.out.note(format_args!("time is up; {}", then.sentence()));
            Exit::Timeout
        }
        Watched::Interrupted => {
            context.out.note(format_args!("the run was not stopped; {}", then.sentence()));
            Exit::Interrupted
        }
    })
}

/// Says what a run waits for, and the verb that answers it.
pub(super) async fn waits(context: &Context, reader: &Reader, run: RunId) -> Outcome<()> {
    let needs = reader.needs(&NeedFilter { run: Some(run), ..NeedFilter::default() }).await?;
    for need in needs {
        let step = need.step.as_ref().map_or_else(|| "the run".to_owned(), ToString::to_string);
        if let Some(error) = needs::error(&need) {
            context.out.note(format_args!("{step}: {}", crate::out::cell(&error)));
        }
        let verb = needs::answer(&need);
        context.out.note(format_args!("waits: {step} ({}): {verb}", need.kind));
    }
    Ok(())
}

pub(super) async fn watch(context: &Context, text: &str) -> Outcome {
    let reader = context.reader().await?;
    let run = find::run(&reader, text).await?;
    let mut progress = Progress::new(run, context);
    let watched = follow(&reader, &mut progress, None, async |_| Ok(Tick::Idle)).await?;
    finish((context, &reader), (run, &watched), &Then::Whoever).await
}
