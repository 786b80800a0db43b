//! A new installation: its configuration, its store, and the account that keeps the accounts.
//!
//! Nothing that is there is written over. Asked is only where somebody sits at a terminal; everything
//! can be said by options.

use std::io::{BufRead as _, ErrorKind, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use beistand_core::incident::IncidentNumber;
use beistand_core::model::{AccountName, Mode, Role};
use beistand_core::playbook::{Finding, SourceText};
use beistand_journal::{Journal, Options};
use beistand_runtime::{Clock as _, WallClock};
use serde_json::{Map, Value, json};

use super::user;
use crate::args::InitArgs;
use crate::args::access::{AddArgs, ReachArgs, UserVerb};
use crate::config::{Config, findings, sample};
use crate::exit::{Exit, Failure, Outcome};
use crate::library::Shelves;
use crate::out::Out;
use crate::prove::until_it_fits;
use crate::session::{Context, STORE};

/// Where the configuration is made when nobody says otherwise.
const FILE: &str = "beistand.yaml";

/// The Länder, as ISO 3166-2:DE abbreviates them.
const LAENDER: [&str; 16] = [
    "BB", "BE", "BW", "BY", "HB", "HE", "HH", "MV", "NI", "NW", "RP", "SH", "SL", "SN", "ST", "TH",
];

/// The way out where nobody can be asked.
const WHO: &str = "without a terminal they say who you are: --id sit.example --short SIT --name \"SIT \
                   Beispiel\"";

pub(super) async fn init(context: &Context, args: InitArgs) -> Outcome {
    let file = args.file.clone().unwrap_or_else(|| PathBuf::from(FILE));
    let file = std::path::absolute(&file)?;
    if file.exists() {
        return Err(there(&file));
    }
    let provider = provider(&context.out, &args)?;
    let store = store(context, &file);
    let mut given = Map::new();
    given.insert("provider".to_owned(), provider);
    given.insert("store".to_owned(), json!(store));
    let text = sample(&given).map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
    let config = Config::read(&text, &file)?;
    let found = findings(&config, &SourceText::new(file.display().to_string(), text.as_str()));
    if let Some(finding) = found.iter().find(|finding| Finding::is_error(finding)) {
        return Err(Failure::new(Exit::Check, finding.message.clone()));
    }
    write_new(&file, &text)?;
    context.out.note(format_args!("made {}", file.display()));
    let (made, _) = Config::load(Some(&file))?;
    // What is told as JSON is told once, at the end.
    let mut out = context.out.clone();
    out.json = false;
    let here = Context {
        url: store,
        actor: context.actor.clone(),
        said_who: context.said_who,
        passphrase: None,
        proved: tokio::sync::OnceCell::new(),
        shelves: Shelves::new(made.playbooks.clone()),
        config: made,
        config_file: Some(file.clone()),
        out,
        scripts: Arc::clone(&context.scripts),
        german: context.german,
        utc: context.utc,
    };
    make_store(&here).await?;
    let admin = admin(&here, &args).await?;
    if context.out.json {
        context.out.value(&json!({"config": file, "store": here.url, "admin": admin}));
    }
    next(&here, &file, admin.is_some());
    Ok(Exit::Ok)
}

fn there(file: &Path) -> Failure {
    let text = format!("`{}` is there already; nothing was changed", file.display());
    Failure::new(Exit::Conflict, text).hint("name another file, or edit this one")
}

/// Who we are, as the file says it.
fn provider(out: &Out, args: &InitArgs) -> Outcome<Value> {
    all_are_said(args)?;
    let id =
        said(out, args.id.as_deref(), ("--id", "Id of the provider, a domain of yours"), |id| {
            let fits = id.split('.').all(is_part);
            if fits { Ok(id.to_owned()) } else { Err(wrong("--id", id, "sit.example")) }
        })?;
    let question = ("--short", "Short name, part of incident numbers");
    let short = said(out, args.short.as_deref(), question, |short| {
        let number = IncidentNumber::new(short, 2026, 1, Mode::Live);
        number
            .map(|_| short.to_owned())
            .map_err(|error| Failure::usage(format!("--short: {error}")).hint("for example SIT"))
    })?;
    let plain = |option, text: &str, example| {
        let fits = !text.chars().any(char::is_control);
        if fits { Ok(text.to_owned()) } else { Err(wrong(option, text, example)) }
    };
    let name = said(out, args.name.as_deref(), ("--name", "Full name"), |name| {
        plain("--name", name, "SIT Beispiel")
    })?;
    let land = maybe(out, args.land.as_deref(), "Land, two letters (empty: none)", |land| {
        let land = land.to_uppercase();
        let known = LAENDER.contains(&land.as_str());
        if known { Ok(land) } else { Err(wrong("--land", &land, &LAENDER.join(", "))) }
    })?;
    let form = maybe(out, args.legal_form.as_deref(), "Legal form (empty: none)", |form| {
        plain("--legal-form", form, "zweckverband")
    })?;
    let mut provider = json!({"id": id, "short": short, "name": name});
    if let Value::Object(fields) = &mut provider {
        let more = [("land", land), ("legal_form", form)].into_iter();
        fields.extend(more.filter_map(|(name, said)| Some((name.to_owned(), json!(said?)))));
    }
    Ok(provider)
}

fn is_part(part: &str) -> bool {
    !part.is_empty()
        && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn wrong(option: &str, text: &str, example: &str) -> Failure {
    Failure::usage(format!("{option}: `{}` does not fit", text.escape_debug()))
        .hint(format!("for example {example}"))
}

/// Where nobody can be asked, everything that is missing is named at once.
fn all_are_said(args: &InitArgs) -> Outcome<()> {
    if std::io::stdin().is_terminal() {
        return Ok(());
    }
    let needed = [("--id", &args.id), ("--short", &args.short), ("--name", &args.name)];
    let missing = needed.iter().filter(|(_, said)| said.as_ref().is_none_or(String::is_empty));
    let missing: Vec<&str> = missing.map(|(option, _)| *option).collect();
    match missing.as_slice() {
        [] => Ok(()),
        [one] => Err(is_missing(one)),
        [first @ .., last] => Err(are_missing(first, last)),
    }
}

fn is_missing(option: &str) -> Failure {
    Failure::usage(format!("{option} is missing")).hint(WHO)
}

fn are_missing(first: &[&str], last: &str) -> Failure {
    Failure::usage(format!("{} and {last} are missing", first.join(", "))).hint(WHO)
}

/// What an option says, or who sits at the terminal.
fn said<T>(
    out: &Out,
    given: Option<&str>,
    (option, question): (&str, &str),
    read: impl Fn(&str) -> Outcome<T>,
) -> Outcome<T> {
    answered(out, given, question, |text| match text {
        "" if std::io::stdin().is_terminal() => {
            Err(Failure::usage(format!("{option} is needed")).hint("answer once more"))
        }
        "" => Err(is_missing(option)),
        text => read(text),
    })
}

/// The same for what may be left out.
fn maybe<T>(
    out: &Out,
    given: Option<&str>,
    question: &str,
    read: impl Fn(&str) -> Outcome<T>,
) -> Outcome<Option<T>> {
    answered(out, given, question, |text| match text {
        "" => Ok(None),
        text => read(text).map(Some),
    })
}

/// What was answered. Who mistypes is asked that one again, and keeps the answers before.
fn answered<T>(
    out: &Out,
    given: Option<&str>,
    question: &str,
    read: impl Fn(&str) -> Outcome<T>,
) -> Outcome<T> {
    if let Some(text) = given {
        return read(text);
    }
    until_it_fits(out, || match asked(question)? {
        Some(text) => Ok(read(&text)),
        None => read("").map(Ok),
    })
}

/// A line from the terminal; nothing without one, or where it ends.
fn asked(question: &str) -> Outcome<Option<String>> {
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    drop(write!(std::io::stderr().lock(), "{question}: "));
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line)?;
    Ok(Some(line.trim().to_owned()).filter(|_| read > 0))
}

/// The store that was named, or a file beside the configuration.
fn store(context: &Context, file: &Path) -> String {
    let is_named = context.url != STORE && context.config.store.as_ref() != Some(&context.url);
    if is_named {
        return context.url.clone();
    }
    let beside = file.parent().unwrap_or_else(|| Path::new("/")).join("beistand.db");
    format!("sqlite:{}", beside.display())
}

fn write_new(file: &Path, text: &str) -> Outcome<()> {
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).open(file);
    let mut opened = opened.map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            return there(file);
        }
        let text = format!("could not make `{}`: {error}", file.display());
        Failure::new(Exit::Unreachable, text)
    })?;
    opened.write_all(text.as_bytes())?;
    Ok(opened.sync_all()?)
}

async fn make_store(here: &Context) -> Outcome<()> {
    let mut options = Options::new(WallClock.now());
    options.witness = here.witness()?;
    let journal = Journal::open(&here.url, options).await?;
    journal.close(WallClock.now()).await?;
    here.out.note(format_args!("the store is {}", here.url));
    Ok(())
}

/// Makes the account that keeps the accounts, where one is wanted.
async fn admin(here: &Context, args: &InitArgs) -> Outcome<Option<String>> {
    let question = "Name of the account that keeps the accounts (empty: none yet)";
    let account = maybe(&here.out, args.admin.as_deref(), question, |name| {
        let account: Result<AccountName, _> = name.parse();
        account.map(|_| name.to_owned()).map_err(|error| Failure::usage(error.to_string()))
    })?;
    let Some(account) = account else { return Ok(None) };
    let reach = ReachArgs { organisation: None, incident: None, until: None };
    let add = AddArgs {
        account: account.clone(),
        person: None,
        service: false,
        break_glass: false,
        roles: vec![Role::Admin],
        reach,
        sso: None,
        file: args.new.clone(),
    };
    if let Err(failure) = user::user(here, UserVerb::Add(add)).await {
        here.out.loud("the configuration and the store are made; the account is not");
        let again = format!("beistand user add {account} --role admin");
        return Err(if failure.hint.is_some() { failure } else { failure.hint(again) });
    }
    Ok(Some(account))
}

/// What comes next, as it can be typed.
fn next(here: &Context, file: &Path, accounts: bool) {
    let usual = std::path::absolute(FILE).is_ok_and(|usual| usual == file);
    let named = if usual { String::new() } else { format!(" --config {}", file.display()) };
    let mut lines = vec![
        format!("edit {}: connectors, inventory, guard, on_call", file.display()),
        format!("beistand{named} config check"),
    ];
    if !accounts {
        lines.push(format!("beistand{named} user add NAME --role admin"));
    }
    lines.push(format!(
        "beistand{named} run ransomware-containment --drill --case attack-contained"
    ));
    for line in lines {
        here.out.note(format_args!("  {line}"));
    }
}
