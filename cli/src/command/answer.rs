//! Answers to needs: votes, forms, decisions, settled outcomes, signals.

use std::io::{BufRead as _, IsTerminal as _};

use beistand_core::model::{AccountName, Digest, Millis, Person, Reason, RunId, Schema};
use beistand_core::run::{Actor, Answer, AnswerKind, Command, NeedKind};
use beistand_journal::{Need, Reader};
use beistand_runtime::{Verb, view};
use clap::ValueEnum as _;
use serde_json::{Value, json};

use super::body::NeedBody;
use super::telephone::{Voter, voter};
use super::{form, gate};
use crate::args::{
    ApproveArgs, Choice, DecideArgs, DenyArgs, DoneArgs, OnTelephone, ResolveArgs, Settled,
    SignalArgs,
};
use crate::exit::{Exit, Failure, Outcome};
use crate::find;
use crate::session::Context;
use crate::values;

/// What is answered, beside which needs.
struct Said {
    answer: AnswerKind,
    reason: String,
    form: Value,
    done_at: Option<Millis>,
    by: Actor,
    /// The printed code of somebody on the telephone.
    code: Option<String>,
}

async fn said(context: &Context, answer: AnswerKind, reason: Option<Reason>) -> Outcome<Said> {
    let by = context.who().await?;
    let reason = reason.map(String::from).unwrap_or_default();
    Ok(Said { answer, reason, form: Value::Null, done_at: None, by, code: None })
}

/// A vote, which may be that of somebody on the telephone.
async fn vote(
    context: &Context,
    (answer, reason): (AnswerKind, Option<Reason>),
    telephone: &OnTelephone,
) -> Outcome<Said> {
    let Voter { by, code } = voter(context, telephone).await?;
    let reason = reason.map(String::from).unwrap_or_default();
    Ok(Said { answer, reason, form: Value::Null, done_at: None, by, code })
}

/// Needs that somebody means to answer so; what takes another answer is told with the verb for it.
async fn found(
    reader: &Reader,
    (text, group): (&str, bool),
    kinds: &[NeedKind],
) -> Outcome<Vec<Need>> {
    let needs = find::needs(reader, text, group).await?;
    if let Some(other) = needs.iter().find(|need| !kinds.contains(&need.kind)) {
        let text = format!("this is no question for that verb, but: {}", other.kind);
        return Err(Failure::usage(text).hint(super::needs::answer(other)));
    }
    Ok(needs)
}

/// Sends answers to needs of one run: all or none.
async fn send(context: &Context, needs: &[Need], said: Said, digest: Option<Digest>) -> Outcome {
    let Some(first) = needs.first() else {
        return Err(Failure::not_found("there is no such need"));
    };
    let run = first.run.ok_or_else(|| Failure::new(Exit::Conflict, "this need is of no run"))?;
    if needs.iter().any(|need| need.run != Some(run)) {
        return Err(Failure::usage("needs of one run can be answered together"));
    }
    let answers = needs.iter().map(|need| Answer {
        need: need.id,
        answer: said.answer,
        reason: said.reason.clone(),
        form: said.form.clone(),
        digest: digest.or(need.digest),
        done_at: said.done_at,
    });
    let command = Command::Answer { answers: answers.collect(), by: said.by, roles: None };
    let verb = match said.code {
        Some(code) => Verb::Telephone { code, run, command },
        None => Verb::Run { run, command },
    };
    let look = || format!("`beistand needs --run {run}` shows what is asked now");
    let reply = context.act(verb).await.map_err(|failure| failure.or_hint(Exit::Conflict, look))?;
    if context.out.json {
        context.out.value(&reply);
    } else {
        let votes = reply.get("votes").zip(reply.get("needed"));
        match votes {
            Some((votes, needed)) => context.out.note(format_args!("{votes} of {needed} votes")),
            None => context.out.note("done"),
        }
    }
    Ok(Exit::Ok)
}

pub(super) async fn approve(context: &Context, args: ApproveArgs) -> Outcome {
    let reader = context.reader().await?;
    let needs = found(&reader, (&args.need, args.group), &[NeedKind::Approval]).await?;
    let digest = if let Some(text) = &args.digest {
        let digest: Digest = text.parse().map_err(|error| Failure::usage(format!("{error}")))?;
        Some(digest)
    } else {
        gate::show(context, &reader, &needs).await?;
        told_before((context, &reader), &needs, &args.telephone).await?;
        if let Some(name) = &args.telephone.by {
            context.out.loud(format_args!(
                "  read the six words aloud; {name} says yes only where they are the same there"
            ));
        }
        if !std::io::stdin().is_terminal() {
            let digest =
                needs.first().and_then(|need| need.digest).map(|digest| digest.to_string());
            return Err(Failure::usage("without a terminal, say what you approve")
                .hint(format!("--digest {}", digest.unwrap_or_default())));
        }
        context.out.loud("Approve exactly this? [y/N]");
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer)?;
        if !matches!(answer.trim(), "y" | "Y" | "j" | "J" | "yes" | "ja") {
            return Err(Failure::new(Exit::NotAllowed, "not approved"));
        }
        None
    };
    let said = vote(context, (AnswerKind::Approve, args.reason), &args.telephone).await?;
    send(context, &needs, said, digest).await
}

/// Who asked for it hears that their yes does not count before they give it or read out a code, and so
/// does whoever would type in another's.
async fn told_before(
    (context, reader): (&Context, &Reader),
    needs: &[Need],
    telephone: &OnTelephone,
) -> Outcome<()> {
    let by = context.who().await?.person;
    // On the telephone is whoever an account belongs to, whatever it is called.
    let voter = match telephone.by.as_deref().map(str::parse::<AccountName>) {
        Some(Ok(account)) => reader.account(&account).await?.map(|account| account.person),
        Some(Err(_)) | None => None,
    };
    let asked = |who: &Person| {
        needs.iter().any(|need| NeedBody::of(need).requester() == Some(who.as_str()))
    };
    let text = match (&telephone.by, &voter) {
        (Some(_), Some(voter)) if asked(voter) => {
            format!("`{voter}` asked for it and can not approve it")
        }
        (Some(_), _) if asked(&by) => {
            format!("`{by}` asked for it and can not type in a vote for it")
        }
        (None, _) if asked(&by) => format!("`{by}` asked for it and can not approve it"),
        (Some(_) | None, _) => return Ok(()),
    };
    Err(Failure::new(Exit::NotAllowed, text).hint("somebody else does; `deny` is always taken"))
}

pub(super) async fn deny(context: &Context, args: DenyArgs) -> Outcome {
    let reader = context.reader().await?;
    let needs = found(&reader, (&args.need, args.group), &[NeedKind::Approval]).await?;
    let said = vote(context, (AnswerKind::Deny, Some(args.reason)), &args.telephone).await?;
    send(context, &needs, said, None).await
}

pub(super) async fn done(context: &Context, args: DoneArgs) -> Outcome {
    let reader = context.reader().await?;
    let needs =
        found(&reader, (&args.need, args.group), &[NeedKind::Task, NeedKind::Unknown]).await?;
    let mut said = said(context, AnswerKind::Done, args.reason).await?;
    if let Some(need) = needs.first() {
        said.form = form::of_done(&args.form, need)?;
    }
    said.done_at = find::past(args.at.as_deref(), context.zone())?;
    said.by = context.wrote(args.by.as_deref()).await?;
    send(context, &needs, said, None).await
}

pub(super) async fn decide(context: &Context, args: DecideArgs) -> Outcome {
    let Some((choice, ids)) = args.words.split_last() else {
        return Err(Failure::usage("name needs, then retry, skip, by-hand or abort"));
    };
    let choice = Choice::from_str(choice, false).map_err(|_| {
        Failure::usage(format!("`{choice}` is none of retry, skip, by-hand, abort"))
    })?;
    let answer = match choice {
        Choice::Retry => AnswerKind::Retry,
        Choice::Skip => AnswerKind::Skip,
        Choice::ByHand => AnswerKind::ByHand,
        Choice::Abort => AnswerKind::Abort,
    };
    let reader = context.reader().await?;
    let mut needs = Vec::new();
    for id in ids {
        needs.extend(found(&reader, (id, args.group), &[NeedKind::Decision]).await?);
    }
    needs.sort_by_key(|need| need.id);
    needs.dedup_by_key(|need| need.id);
    let mut said = said(context, answer, Some(args.reason)).await?;
    if let Some(need) = needs.first() {
        said.form = form::typed(&args.form, need)?;
    }
    send(context, &needs, said, None).await
}

pub(super) async fn resolve(context: &Context, args: ResolveArgs) -> Outcome {
    let reader = context.reader().await?;
    let run = find::run(&reader, &args.run).await?;
    let need = unknown_at(context, &reader, run, &args.path).await?;
    let answer = match args.how {
        Settled::Done => AnswerKind::Done,
        Settled::NotDone => AnswerKind::NotDone,
        Settled::SendAgain => AnswerKind::SendAgain,
    };
    let mut said = said(context, answer, Some(args.reason)).await?;
    said.form = form::typed(&args.form, &need)?;
    send(context, &[need], said, None).await
}

async fn unknown_at(context: &Context, reader: &Reader, run: RunId, path: &str) -> Outcome<Need> {
    let (_, state, _) = view(reader, run, &context.scripts).await?;
    let path = find::step(&state, path)?;
    let waiting = state
        .needs()
        .find(|need| need.step.and_then(|ix| state.step(ix)).is_some_and(|step| step.path == path));
    let id = waiting.map(|need| need.id).ok_or_else(|| {
        Failure::new(Exit::Conflict, format!("{path} does not wait for a person"))
            .hint("`beistand needs` lists what does")
    })?;
    let need = reader.need(id).await?;
    need.ok_or_else(|| {
        Failure::new(Exit::Conflict, format!("the need of {path} is not open any more"))
    })
}

pub(super) async fn signal(context: &Context, args: SignalArgs) -> Outcome {
    let reader = context.reader().await?;
    let run = find::run(&reader, &args.run).await?;
    let (plan, _, _) = view(&reader, run, &context.scripts).await?;
    if !plan.awaits(args.name.as_str()) {
        let text = format!("the playbook never waits for a signal `{}`", args.name);
        return Err(Failure::not_found(text));
    }
    let form = if args.form.is_empty() {
        json!({})
    } else {
        values::read(&args.form, &Schema::default())?
    };
    let key = match args.key {
        Some(key) => key.into(),
        None => fresh_key()?,
    };
    let command = Command::Signal { name: args.name.into(), form, key, by: context.who().await? };
    let reply = context.act(Verb::Run { run, command }).await?;
    if context.out.json {
        context.out.value(&reply);
    }
    Ok(Exit::Ok)
}

fn fresh_key() -> Outcome<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
    Ok(hex::encode(random))
}
