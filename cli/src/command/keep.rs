//! `verify`, `backup`, `restore`: keeping the store, and knowing that it was kept.

use std::path::Path;

use beistand_core::model::Digest;
use beistand_core::timeline::{ChainError, Export};
use beistand_journal::verify::{Broken, Verified};
use beistand_journal::{CodesAndTokens, Options, Reader, verify as check};
use beistand_runtime::{Clock as _, Compared, WallClock, compare};
use serde_json::{Value, json};

use crate::exit::{Exit, Failure, Outcome};
use crate::out::cell;
use crate::session::{Context, Held};

fn broken(error: Broken) -> Failure {
    match error {
        Broken::Store(error) => error.into(),
        Broken::Entry { .. } | Broken::NotFound(_) => Failure::new(Exit::Broken, error.to_string())
            .hint("compare with a backup or an export; what stands before this entry is in order"),
    }
}

fn report(context: &Context, verified: &Verified) {
    if context.out.json {
        context.out.value(&verified_json(verified));
    } else {
        context.out.line(verified_line(context, verified));
    }
}

fn verified_json(verified: &Verified) -> Value {
    let until = verified.anchored_until.map(|at| at.to_string());
    json!({
        "streams": verified.streams, "entries": verified.entries, "erased": verified.erased,
        "anchored_until": until, "anchor": verified.anchor,
    })
}

fn verified_line(context: &Context, verified: &Verified) -> String {
    let until = verified.anchored_until.map_or_else(|| "never".to_owned(), |at| context.time(at));
    let anchor = verified.anchor.map(|anchor| anchor.to_string()).unwrap_or_default();
    format!(
        "{} entries of {} streams in order, {} erased; anchored until {until} {anchor}",
        verified.entries, verified.streams, verified.erased
    )
}

/// Says what the tables have otherwise than the entries; that is exit 10 too.
fn report_compared(context: &Context, verified: &Verified, compared: &Compared) -> Outcome {
    if context.out.json {
        let mut json = verified_json(verified);
        if let Value::Object(fields) = &mut json {
            let differences = compared.differences.iter();
            let differences =
                differences.map(|found| json!({"stream": found.stream, "what": found.what}));
            fields.insert("compared".to_owned(), json!(compared.streams));
            fields.insert("not_comparable".to_owned(), json!(compared.erased));
            fields.insert("differences".to_owned(), differences.collect());
        }
        context.out.value(&json);
    } else {
        context.out.line(verified_line(context, verified));
        for stream in &compared.erased {
            context.out.line(format_args!("{stream}: not comparable, a body was erased"));
        }
        for found in &compared.differences {
            context.out.line(format_args!("{}: {}", found.stream, cell(&found.what)));
        }
    }
    let count = compared.differences.len();
    if count > 0 {
        let message = format!("the tables differ from what the entries say in {count} places");
        return Err(Failure::new(Exit::Broken, message).hint(
            "the entries are in order and are what counts; lists, needs and holds are not to be \
             relied on until a backup was brought back",
        ));
    }
    if !context.out.json {
        let streams = compared.streams - compared.erased.len() as u64;
        context.out.line(format_args!("the rows of {streams} streams are what their entries say"));
    }
    Ok(Exit::Ok)
}

pub(super) async fn verify(
    context: &Context,
    file: Option<&Path>,
    expect: Option<&str>,
) -> Outcome {
    let expect: Option<Digest> = expect
        .map(str::parse)
        .transpose()
        .map_err(|error: beistand_core::model::IdError| Failure::usage(error.to_string()))?;
    if let Some(file) = file {
        return export(context, file, expect);
    }
    // Read before the store, which may go on meanwhile.
    let witness = context.witness()?;
    let seal = witness.as_deref().map(beistand_journal::witnessed).transpose()?.flatten();
    if witness.is_none() {
        context.out.loud(
            "no witness: this store is not held against a seal that stands outside of it; a \
             configuration gives it a place",
        );
    }
    let witnessed = seal.map(|seal| seal.hash);
    let reader = context.reader().await?;
    let verified = check::store(&reader, expect.or(witnessed)).await.map_err(broken)?;
    let compared = compare(&reader, &context.scripts).await?;
    report_compared(context, &verified, &compared)
}

/// The way out of a file that is not in order.
const ANEW: &str = "it is not as it was exported, or was cut on its way; keep it as evidence, and \
                    export anew with `beistand timeline INCIDENT --format jsonl`";

/// Checks an export.
fn export(context: &Context, file: &Path, expect: Option<Digest>) -> Outcome {
    let bytes = std::fs::read(file).map_err(|error| {
        Failure::not_found(format!("could not read `{}`: {error}", file.display()))
    })?;
    if bytes.starts_with(b"SQLite format 3\0") {
        return Err(Failure::usage(format!("`{}` is a store or a backup", file.display()))
            .hint(format!("`beistand --store sqlite:{} verify` checks it", file.display())));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        let text = format!("`{}` is no export: it is not UTF-8", file.display());
        Failure::new(Exit::Broken, text).hint(ANEW)
    })?;
    let broken = |error: ChainError| Failure::new(Exit::Broken, error.to_string()).hint(ANEW);
    let export = Export::read(&text).map_err(broken)?;
    let checked = export.check().map_err(broken)?;
    let chain = &export.chain;
    if let Some(wanted) = expect {
        let known =
            export.digest == wanted || chain.entries.iter().any(|entry| entry.hash == wanted);
        if !known {
            return Err(Failure::new(
                Exit::Broken,
                format!(
                    "{wanted} is neither the export's digest nor the hash of one of its entries"
                ),
            ));
        }
    }
    let seal = chain.seal.as_ref();
    if context.out.json {
        context.out.value(&json!({
            "entries": checked.entries, "streams": chain.streams.len(), "lines": checked.lines,
            "sealed": checked.sealed, "seal": seal.map(|seal| seal.hash), "digest": export.digest,
        }));
        return Ok(Exit::Ok);
    }
    let anchor = seal.map_or_else(|| "no seal".to_owned(), |seal| format!("seal {}", seal.hash));
    context.out.line(format_args!(
        "{} entries of {} streams and {} lines in order; {} entries are bound by a seal, {anchor}",
        checked.entries,
        chain.streams.len(),
        checked.lines,
        checked.sealed
    ));
    context.out.line(format_args!("digest {}", export.digest));
    if expect.is_none() {
        context.out.note(
            "this file vouches for itself alone: compare the digest or the seal with one that was \
             kept outside, by --expect",
        );
    }
    Ok(Exit::Ok)
}

pub(super) async fn backup(context: &Context, file: &Path) -> Outcome {
    let shown = file.display();
    if file.exists() {
        return Err(Failure::new(Exit::Conflict, format!("`{shown}` is there already"))
            .hint("a backup overwrites nothing; give another name"));
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(Failure::not_found(format!("there is no folder `{}`", folder.display())));
    }
    // Sealed to its end where the store is free; a running owner seals every ten seconds itself.
    if let Held::Here(engine) = context.take(beistand_runtime::Drive::No, Vec::new()).await? {
        engine.journal().seal(WallClock.now()).await?;
        engine.leave().await;
    }
    let reader: Reader = context.reader().await?;
    let verified = beistand_journal::backup(&reader, file).await.map_err(broken)?;
    report(context, &verified);
    context.out.note(format_args!("written to {}; keep it away from this machine", file.display()));
    Ok(Exit::Ok)
}

pub(super) async fn restore(context: &Context, file: &Path, keep_credentials: bool) -> Outcome {
    let options = Options { witness: context.witness()?, ..Options::new(WallClock.now()) };
    let codes_and_tokens =
        if keep_credentials { CodesAndTokens::Kept } else { CodesAndTokens::Void };
    let restored = beistand_journal::restore(file, &context.url, options, codes_and_tokens).await?;
    if context.out.json {
        context.out.value(&json!({
            "epoch": restored.epoch, "unfinished": restored.unfinished,
            "newest": restored.newest.map(|at| at.to_string()), "entries": restored.verified.entries,
            "voided": restored.voided,
        }));
    }
    let newest = restored.newest.map(|at| context.time(at)).unwrap_or_default();
    context
        .out
        .note(format_args!("restored until {newest}; unfinished runs: {}", restored.unfinished));
    if let Some(replaced) = &restored.replaced {
        context.out.note(format_args!("the store that was here is now {}", replaced.display()));
    }
    let reader = context.reader().await?;
    if reader.has_accounts().await? {
        say_who_comes_in(context, &newest, restored.voided);
    }
    context.say_stopped(&reader).await?;
    Ok(Exit::Ok)
}

/// Who may come in is as old as the backup: what was taken back since has to be taken back again.
fn say_who_comes_in(context: &Context, newest: &str, voided: Option<u64>) {
    context.out.loud(format_args!(
        "accounts, roles and passphrases are those of {newest}: what was locked, revoked or changed \
         since is not; look at `beistand user list`"
    ));
    context.out.loud("all sessions are ended");
    match voided {
        None => context.out.loud(
            "printed codes and tokens were kept: one that was used or taken back since the backup is \
             good again",
        ),
        Some(0) => {}
        Some(voided) => context.out.loud(format_args!(
            "printed codes and tokens that are void now: {voided}; make new ones with `beistand user \
             codes ACCOUNT` and `beistand token add ACCOUNT`"
        )),
    }
}
