//! `test`: playbooks have unit tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use beistand_core::case::{Played, play};
use beistand_core::entry::{StreamKind, stream_name};
use beistand_core::model::Catalogue;
use beistand_core::playbook::{Case, Plan, SourceText};
use beistand_core::timeline::{Events, Lang, Recorded, Scope, golden, timeline};
use serde_json::json;

use crate::args::TestArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::session::Context;

pub(super) fn test(context: &Context, args: &TestArgs) -> Outcome {
    let folder = args.folder.clone().unwrap_or_else(|| PathBuf::from("playbooks"));
    let playbooks = find(&folder);
    if playbooks.is_empty() {
        return Err(Failure::not_found(format!("`{}` holds no playbook.yaml", folder.display()))
            .hint("a playbook with cases is a folder: NAME/playbook.yaml and NAME/cases/*.yaml"));
    }
    let (mut good, mut bad) = (0, 0);
    let mut results = Vec::new();
    for playbook in playbooks {
        let plan = Arc::new(context.shelves.plan(
            &playbook.display().to_string(),
            &context.scripts,
            &context.out,
        )?);
        for file in cases(&playbook) {
            let faults = one(context, &plan, &file, args.bless)?;
            if !context.out.json {
                let word = if faults.is_empty() { "ok  " } else { "FAIL" };
                context.out.line(format_args!("{word} {}", file.display()));
                for fault in &faults {
                    context.out.line(format_args!("     {fault}"));
                }
            }
            if faults.is_empty() {
                good += 1;
            } else {
                bad += 1;
            }
            results.push(json!({"case": file.display().to_string(), "differences": faults}));
        }
    }
    if context.out.json {
        context.out.value(&json!(results));
    }
    context.out.note(format_args!("{good} cases as expected, {bad} not"));
    Ok(if bad > 0 { Exit::Ended } else { Exit::Ok })
}

/// Plays one case; the answer is what differs.
fn one(context: &Context, plan: &Arc<Plan>, file: &Path, bless: bool) -> Outcome<Vec<String>> {
    let text = std::fs::read_to_string(file)?;
    let source = SourceText::new(file.display().to_string(), text);
    let catalogue = Catalogue::first();
    let (case, findings) = Case::read(&source, plan, &catalogue);
    let Some(case) = case else {
        context.out.findings(&findings, std::slice::from_ref(&source));
        return Err(Failure::new(Exit::Check, format!("case `{}` has faults", file.display())));
    };
    let played = match play(plan, &case, &catalogue, context.scripts.as_ref()) {
        Ok(played) => played,
        Err(error) => return Ok(vec![error.to_string()]),
    };
    let mut faults = played.differences.clone();
    let story = golden_of(&played);
    let expected = file.with_extension("expected");
    if bless {
        std::fs::write(&expected, &story)?;
        return Ok(faults);
    }
    let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
    faults.extend(diff(&wanted, &story));
    Ok(faults)
}

fn golden_of(played: &Played) -> String {
    let mut entries = Vec::new();
    let mut plans = BTreeMap::new();
    for run in &played.runs {
        let id = run.state.opened().run.to_string();
        plans.insert(run.plan.digest(), Arc::clone(&run.plan));
        for (entry, seq) in run.entries.iter().zip(1..) {
            entries.push(Recorded {
                stream: stream_name(StreamKind::Run, &id),
                seq,
                at: entry.at,
                id: None,
                events: Events::Run(entry.events.clone()),
            });
        }
    }
    golden(&timeline(&entries, &plans, &Scope::ALL, Lang::En))
}

/// Lines that are there on one side only.
fn diff(wanted: &str, came: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let (wanted, came): (Vec<&str>, Vec<&str>) = (wanted.lines().collect(), came.lines().collect());
    for line in wanted.iter().filter(|line| !came.contains(line)) {
        faults.push(format!("- {line}"));
    }
    for line in came.iter().filter(|line| !wanted.contains(line)) {
        faults.push(format!("+ {line}"));
    }
    if faults.is_empty() && wanted != came {
        faults.push("the same lines in another order".to_owned());
    }
    faults
}

/// Playbooks below a folder, the deliberately broken ones left out.
fn find(folder: &Path) -> Vec<PathBuf> {
    let own = folder.join("playbook.yaml");
    if own.is_file() {
        return vec![own];
    }
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("playbook.yaml"))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found
}

fn cases(playbook: &Path) -> Vec<PathBuf> {
    let folder = playbook.with_file_name("cases");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    found.sort();
    found
}
