//! `run`, `resume`, `watch`: starting, taking up and following runs.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use beistand_connectors::simulator::Canned;
use beistand_core::model::{Mode, RunId, Span};
use beistand_core::playbook::{Case, SourceText};
use beistand_core::run::{NeedKind, RunStatus};
use beistand_journal::{NeedFilter, Reader};
use beistand_runtime::{Drive, Engine, NewRun, Verb};
use tokio::signal::unix::{SignalKind, signal};

use super::plan::inputs;
use crate::args::RunArgs;
use crate::exit::{DEAD_HINT, Exit, Failure, Outcome};
use crate::find;
use crate::session::{Context, Held};
use crate::watch::{Progress, Rest, Tick, Watched, follow};

/// The answers of a case, as the simulator takes them.
#[derive(serde::Deserialize)]
struct Answers {
    #[serde(default)]
    answers: Vec<Canned>,
}

/// What a case gives a drill: answers of the simulator, and people who act.
struct Played {
    canned: Vec<Canned>,
    case: Option<Case>,
}

pub(super) async fn run(context: &Context, args: RunArgs) -> Outcome {
    let plan = context.shelves.plan(&args.playbook, &context.scripts, &context.out)?;
    let timeout = args.timeout.as_deref().map(Span::parse).transpose();
    let timeout = timeout.map_err(|error| Failure::usage(error.to_string()))?;
    let played = match &args.case {
        Some(name) => case(context, &plan, name)?,
        None => Played { canned: Vec::new(), case: None },
    };
    let mut given = inputs(&args.inputs, &plan.parts().inputs)?;
    if let (Some(case), serde_json::Value::Object(given)) = (&played.case, &mut given) {
        for (name, value) in &case.inputs {
            given.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    let incident = match &args.incident {
        Some(text) => Some(find::incident(&context.reader().await?, text).await?.id),
        None => None,
    };
    let new = NewRun {
        sources: plan.sources(),
        playbook: plan.name().clone(),
        inputs: given,
        incident,
        title: args.title.clone(),
        mode: if args.drill { Mode::Drill } else { Mode::Live },
        short: context.config.provider.short.clone(),
        start_key: args.start_key.clone(),
        by_hand_ok: args.by_hand_ok || ask_by_hand(context, &plan, args.drill)?,
        by: context.who()?,
    };
    match context.take(Drive::Yes, played.canned).await? {
        Held::Here(engine) => {
            let launched = engine.launch(new).await;
            let run = match launched {
                Ok(run) => run,
                Err(error) => {
                    engine.leave().await;
                    return Err(error.into());
                }
            };
            announce(context, engine.journal().reader(), run).await?;
            if args.detach {
                engine.leave().await;
                context.out.note("continues with `beistand resume`");
                return detached(context, run).await;
            }
            drive(context, *engine, run, timeout, played.case).await
        }
        Held::Elsewhere => {
            let answer = context.post(Verb::Launch(Box::new(new))).await?;
            let run: RunId = answer
                .get("run")
                .and_then(serde_json::Value::as_str)
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| {
                    Failure::new(Exit::Internal, "the owner of the store named no run")
                })?;
            let reader = context.reader().await?;
            announce(context, &reader, run).await?;
            if args.detach {
                detached(context, run).await
            } else {
                Box::pin(beside(context, &reader, run, timeout)).await
            }
        }
    }
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
fn ask_by_hand(
    context: &Context,
    plan: &beistand_core::playbook::Plan,
    drill: bool,
) -> Outcome<bool> {
    use std::io::{BufRead as _, IsTerminal as _};
    if drill || !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    let store = beistand_core::model::StoreId::new(0, &[0; 10]);
    let modes = crate::modes::modes(&context.config, store, &context.url, Vec::new())?;
    let count = beistand_core::run::by_hand(plan, &modes.live.bindings).len();
    if count == 0 {
        return Ok(false);
    }
    context
        .out
        .loud(format_args!("{count} steps have no connector and fall to people. Go on? [y/N]"));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "j" | "J" | "yes" | "ja"))
}

fn case(context: &Context, plan: &beistand_core::playbook::Plan, name: &str) -> Outcome<Played> {
    let playbook = &plan.parts().source;
    let source: SourceText = context.shelves.case(playbook, name).ok_or_else(|| {
        Failure::not_found(format!("playbook `{}` has no case `{name}`", plan.name()))
    })?;
    let catalogue = beistand_core::model::Catalogue::first();
    let (case, findings) = Case::read(&source, plan, &catalogue);
    let Some(case) = case else {
        context.out.findings(&findings, std::slice::from_ref(&source));
        return Err(Failure::new(Exit::Check, format!("case `{name}` has faults")));
    };
    let canned: Answers = serde_yaml::from_str(source.text())
        .map_err(|error| Failure::new(Exit::Check, format!("case `{name}`: {error}")))?;
    Ok(Played { canned: canned.answers, case: Some(case) })
}

async fn announce(context: &Context, reader: &Reader, run: RunId) -> Outcome<()> {
    let number = match reader.run(run).await? {
        Some(row) => reader.incident(row.incident).await?.map(|incident| incident.number),
        None => None,
    };
    let number = number.unwrap_or_default();
    if context.out.json {
        return Ok(());
    }
    context.out.note(format_args!("run {run} in incident {number}"));
    Ok(())
}

/// The switch for when nothing else answers: `<db>.stop`, or `beistand.stop` beside the configuration.
fn stop_file(context: &Context) -> Option<PathBuf> {
    match context.url.strip_prefix("sqlite:") {
        Some(path) => Some(PathBuf::from(format!("{}.stop", path.trim_start_matches("//")))),
        None => context.config_file.as_ref().map(|file| file.with_file_name("beistand.stop")),
    }
}

/// Drives a run in this process and watches it to rest.
async fn drive(
    context: &Context,
    engine: Engine,
    run: RunId,
    timeout: Option<Span>,
    case: Option<Case>,
) -> Outcome {
    let looping = engine.clone();
    let file = stop_file(context);
    let background = tokio::spawn(async move { looping.run(file).await });
    let mut terminate = signal(SignalKind::terminate())?;
    let mut stop = signal(SignalKind::user_defined1())?;
    let reader = engine.journal().reader().clone();
    let who = context.who()?;
    let mut people = case.map(|case| super::cases::People::new(&case, run, &who));
    let mut progress = Progress::new(run, &context.out);
    let watched = {
        let engine = &engine;
        let (terminate, stop, people) = (&mut terminate, &mut stop, &mut people);
        let reading = reader.clone();
        let scripts = context.scripts.clone();
        let tick = async move || {
            if poll(stop).await {
                engine.stop_from_outside("SIGUSR1").await;
            }
            if let Some(why) = engine.dead() {
                return Err(Failure::new(Exit::Internal, why).hint(DEAD_HINT));
            }
            let expected = match people.as_mut() {
                Some(people) => people.act(engine, &reading, &scripts).await?,
                None => false,
            };
            Ok(match (poll(terminate).await, expected) {
                (true, _) => Tick::Leave,
                (false, true) => Tick::Expected,
                (false, false) => Tick::Idle,
            })
        };
        follow(&reader, &mut progress, timeout, tick).await
    };
    let watched = match watched {
        Ok(watched) => watched,
        Err(failure) => {
            engine.leave().await;
            return Err(failure);
        }
    };
    let exit = finish(context, &reader, run, &watched).await;
    let left = engine.leave().await;
    if left > 0 {
        context.out.note(format_args!(
            "{left} runs still had something out; `beistand resume` takes them up"
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
async fn beside(context: &Context, reader: &Reader, run: RunId, timeout: Option<Span>) -> Outcome {
    let mut progress = Progress::new(run, &context.out);
    let mut looks = 0_u32;
    let mut taken: Option<Engine> = None;
    let watched = {
        let taken = &mut taken;
        let tick = async move || {
            looks += 1;
            if taken.is_none()
                && looks.is_multiple_of(12)
                && let Held::Here(engine) = context.take(Drive::Yes, Vec::new()).await?
            {
                context.out.note("the owner left; taking over");
                let looping = (*engine).clone();
                let file = stop_file(context);
                tokio::spawn(async move { looping.run(file).await });
                *taken = Some(*engine);
            }
            Ok(Tick::Idle)
        };
        follow(reader, &mut progress, timeout, tick).await
    };
    let exit = match &watched {
        Ok(watched) => finish(context, reader, run, watched).await,
        Err(_) => Ok(Exit::Internal),
    };
    if let Some(engine) = taken {
        engine.leave().await;
    }
    watched?;
    exit
}

/// Says how a run stands, and what it waits for.
async fn finish(context: &Context, reader: &Reader, run: RunId, watched: &Watched) -> Outcome {
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
            context.out.note("time is up; the run goes on with `beistand resume`");
            Exit::Timeout
        }
        Watched::Interrupted => {
            context.out.note("the run was not stopped; it goes on with `beistand resume`");
            Exit::Interrupted
        }
    })
}

async fn waits(context: &Context, reader: &Reader, run: RunId) -> Outcome<()> {
    let needs = reader.needs(&NeedFilter { run: Some(run), ..NeedFilter::default() }).await?;
    for need in needs {
        let step = need.step.map_or_else(|| "the run".to_owned(), |step| step.to_string());
        let verb = match need.kind {
            NeedKind::Approval => format!("beistand approve {}", need.id),
            NeedKind::Task => format!("beistand done {}", need.id),
            NeedKind::Decision => {
                format!("beistand decide {} retry|skip|by-hand|abort --reason …", need.id)
            }
            NeedKind::Unknown => {
                format!("beistand resolve {run} {step} done|not-done|send-again --reason …")
            }
        };
        context.out.note(format_args!("waits: {step} ({}): {verb}", need.kind));
    }
    Ok(())
}

pub(super) async fn resume(context: &Context, wanted: Option<&str>) -> Outcome {
    let engine = match context.take(Drive::Yes, Vec::new()).await? {
        Held::Here(engine) => *engine,
        Held::Elsewhere => {
            return Err(Failure::new(
                Exit::Conflict,
                "another process owns the store and drives its runs",
            )
            .hint("`beistand watch RUN` follows one of them"));
        }
    };
    let reader = engine.journal().reader().clone();
    if let Some(text) = wanted {
        let run = match find::run(&reader, text).await {
            Ok(run) => run,
            Err(failure) => {
                engine.leave().await;
                return Err(failure);
            }
        };
        engine.answer_commands().await?;
        return drive(context, engine, run, None, None).await;
    }
    let interrupted = drive_all(context, engine).await?;
    let exit = summary(context, &context.reader().await?).await?;
    Ok(if interrupted { Exit::Interrupted } else { exit })
}

/// Drives all runs of the store to rest and leaves; says whether it was cut short by a signal.
pub(super) async fn drive_all(context: &Context, engine: Engine) -> Outcome<bool> {
    let looping = engine.clone();
    let file = stop_file(context);
    let background = tokio::spawn(async move { looping.run(file).await });
    let mut terminate = signal(SignalKind::terminate())?;
    let mut stop = signal(SignalKind::user_defined1())?;
    engine.answer_commands().await?;
    let interrupted = loop {
        tokio::select! {
            () = engine.rest() => break false,
            _ = tokio::signal::ctrl_c() => break true,
            _ = terminate.recv() => break true,
            _ = stop.recv() => engine.stop_from_outside("SIGUSR1").await,
        }
    };
    // What just rested may have woken its caller: a moment later nothing must be due.
    if !interrupted {
        tokio::time::sleep(Duration::from_millis(100)).await;
        engine.rest().await;
    }
    let dead = engine.dead();
    engine.leave().await;
    drop(background.await);
    match dead {
        Some(why) => Err(Failure::new(Exit::Internal, why).hint(DEAD_HINT)),
        None => Ok(interrupted),
    }
}

/// Of all runs: 6 where one waits for people or is paused, otherwise 0.
async fn summary(context: &Context, reader: &Reader) -> Outcome {
    // By its needs: a run that waits for a day costs nothing here.
    let needs = reader.needs(&NeedFilter::default()).await?;
    let asking: BTreeSet<RunId> = needs.iter().filter_map(|need| need.root.or(need.run)).collect();
    for run in &asking {
        waits(context, reader, *run).await?;
    }
    let counts = reader.run_counts().await?;
    let is_paused =
        counts.iter().any(|(status, count)| *status == RunStatus::Paused.as_str() && *count > 0);
    if context.out.json {
        let counts: serde_json::Map<String, serde_json::Value> =
            counts.into_iter().map(|(status, count)| (status, count.into())).collect();
        context.out.value(&counts.into());
    } else {
        let words: Vec<String> =
            counts.iter().map(|(status, count)| format!("{count} {status}")).collect();
        context.out.note(words.join(", "));
    }
    Ok(if asking.is_empty() && !is_paused { Exit::Ok } else { Exit::Waits })
}

pub(super) async fn watch(context: &Context, text: &str) -> Outcome {
    let reader = context.reader().await?;
    let run = find::run(&reader, text).await?;
    let mut progress = Progress::new(run, &context.out);
    let watched = follow(&reader, &mut progress, None, async || Ok(Tick::Idle)).await?;
    finish(context, &reader, run, &watched).await
}
