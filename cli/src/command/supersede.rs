//! `supersede`: a corrected playbook takes over from a run, after it was said what becomes of what
//! that run did.

use std::io::{BufRead as _, IsTerminal as _};

use beistand_core::run::{Outlook, OutlookLine};
use beistand_core::timeline::Scope;
use beistand_runtime::{NewSuccessor, Verb};
use serde_json::json;

use crate::args::{SupersedeArgs, Watching};
use crate::exit::{Exit, Failure, Outcome};
use crate::find;
use crate::modes::modes;
use crate::out::cell;
use crate::session::Context;

pub(super) async fn supersede(context: &Context, args: SupersedeArgs) -> Outcome {
    let reader = context.reader().await?;
    let run = find::run(&reader, &args.run).await?;
    let plan = context.shelves.plan(&args.playbook, &context.scripts, &context.out)?;
    let store = reader.meta().await?.store;
    let modes = modes(&context.config, store, &context.url, Vec::new())?;
    let found = context.views(&reader).outlook(run, &plan, &modes, &Scope::ALL).await?;
    if args.dry_run || (context.out.json && !args.yes) {
        if context.out.json {
            context.out.value(&json!(found));
        } else {
            show(context, &found);
        }
        return Ok(Exit::Ok);
    }
    if !context.out.json {
        show(context, &found);
    }
    if !args.yes && !is_meant(context)? {
        return Ok(Exit::NotAllowed);
    }
    let new = NewSuccessor {
        run,
        sources: plan.sources(),
        playbook: plan.name().clone(),
        reason: args.reason.into(),
        by_hand_ok: args.by_hand_ok,
        by: context.who().await?,
    };
    let watching = Watching {
        start_key: None,
        by_hand_ok: args.by_hand_ok,
        detach: args.detach,
        timeout: args.timeout,
    };
    let verb = Verb::Supersede(Box::new(new));
    super::run::start(context, verb, (None, Some(run)), &watching).await
}

/// On a terminal people are asked; without one they say it beforehand.
fn is_meant(context: &Context) -> Outcome<bool> {
    if !std::io::stdin().is_terminal() {
        let text = "without a terminal nobody can be asked whether this is meant";
        return Err(
            Failure::new(Exit::NotAllowed, text).hint("say yes with --yes, or look with --dry-run")
        );
    }
    context.out.loud(format_args!("The run gives way to the corrected playbook. Go on? [y/N]"));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "j" | "J" | "yes" | "ja"))
}

/// The three lists, and what they can not know.
fn show(context: &Context, found: &Outlook) {
    let lists = [
        ("taken over, not sent again:", &found.taken_over),
        ("new:", &found.new),
        ("dropped; it stays as it is, nothing is undone by itself:", &found.dropped),
    ];
    for (title, lines) in lists {
        context.out.line(title);
        if lines.is_empty() {
            context.out.line("  nothing");
        }
        for line in lines {
            context.out.line(format_args!("  {}", cell(&said(line))));
        }
    }
    context.out.line("What is out now is settled first, and taken over where it is the same.");
}

fn said(line: &OutlookLine) -> String {
    let OutlookLine { step, action, targets, undo } = line;
    let mut words = format!("{step}  {action}");
    for target in targets {
        words.push_str("  ");
        words.push_str(target);
    }
    if let Some(undo) = undo {
        words.push_str("  (undo: ");
        words.push_str(undo.as_str());
        words.push(')');
    }
    words
}
