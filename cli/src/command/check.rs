//! `check`: every fault of every file at once.

use beistand_core::playbook::Severity;

use crate::exit::{Exit, Failure, Outcome};
use crate::session::Context;

pub(super) fn check(context: &Context, files: &[String]) -> Outcome {
    let mut findings = Vec::new();
    let mut sources = Vec::new();
    for file in files {
        let source = context.shelves.open(file)?;
        let (_, found) = context.shelves.check(&source, &context.scripts);
        findings.extend(found);
        sources.push(source);
    }
    findings.sort();
    findings.dedup();
    context.out.findings(&findings, &sources);
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(Failure::new(Exit::Check, ""));
    }
    if findings.is_empty() && !context.out.json {
        context.out.note(format_args!("{} checked, nothing found", files.len()));
    }
    Ok(Exit::Ok)
}
