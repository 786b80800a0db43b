//! What is configured: schemas, the configuration, the inventory, connectors.

use std::collections::BTreeSet;

use beistand_connector_api::CallError;
use beistand_connectors::{CONNECTORS, inventory as csv};
use beistand_core::model::{Catalogue, ConnectorName};
use beistand_core::playbook::{Finding, SourceText, playbook_schema};
use beistand_runtime::Verb;
use serde_json::json;

use crate::args::{ConnectorsVerb, InventoryVerb, SchemaOf};
use crate::config::{config_schema, findings, without_account};
use crate::exit::{Exit, Failure, Outcome};
use crate::modes::{connectors as make, inventory_of, without_store};
use crate::out::many;
use crate::session::Context;

pub(super) fn schema(context: &Context, what: SchemaOf) -> Exit {
    let schema = match what {
        SchemaOf::Playbook => playbook_schema(&Catalogue::first()),
        SchemaOf::Config => config_schema(),
    };
    context.out.value(&schema);
    Exit::Ok
}

pub(super) async fn config(context: &Context) -> Outcome {
    if let Some(file) = &context.config_file {
        let text = std::fs::read_to_string(file)?;
        let source = SourceText::new(file.display().to_string(), text);
        let mut findings = findings(&context.config, &source);
        // Without a store nobody has an account yet.
        if let Ok(reader) = context.reader().await {
            findings.extend(without_account(&context.config, &source, &reader).await?);
            findings.sort();
        }
        context.out.findings(&findings, std::slice::from_ref(&source));
        if findings.iter().any(Finding::is_error) {
            return Err(Failure::new(Exit::Check, ""));
        }
        if !findings.is_empty() || context.out.json {
            return Ok(Exit::Ok);
        }
    } else if context.out.json {
        context.out.findings(&[], &[]);
        return Ok(Exit::Ok);
    }
    let modes = without_store(&context.config, &context.url)?;
    let file = context
        .config_file
        .as_ref()
        .map_or_else(|| "no file".to_owned(), |file| file.display().to_string());
    context.out.note(format_args!(
        "{file}: {}, {}, {}, {} guarded, nothing found",
        many(modes.live.connectors.len(), "connector"),
        many(modes.live.bindings.len(), "binding"),
        many(modes.live.setup.inventory.hosts().len(), "host"),
        modes.live.setup.guard.identities().len(),
    ));
    if !modes.live.setup.guarded {
        context.out.note("there is no `guard:` section: nothing destructive will run live");
    }
    Ok(Exit::Ok)
}

pub(super) fn inventory(context: &Context, verb: InventoryVerb) -> Outcome {
    let hosts = match verb {
        InventoryVerb::List => inventory_of(&context.config)?,
        InventoryVerb::Import { file } => {
            std::fs::metadata(&file).map_err(|error| {
                Failure::not_found(format!("could not read `{}`: {error}", file.display()))
            })?;
            let read = csv::load(std::slice::from_ref(&file))
                .map_err(|error| Failure::new(Exit::Check, error.to_string()))?;
            let note = format!(
                "`{}` is in order; name it under `inventory:` in beistand.yaml",
                file.display()
            );
            context.out.note(note);
            read
        }
    };
    let list = |values: Vec<String>| values.join(" ");
    if context.out.json {
        context.out.value(&json!(hosts.hosts()));
        return Ok(Exit::Ok);
    }
    let rows: Vec<Vec<String>> = hosts
        .hosts()
        .iter()
        .map(|host| {
            vec![
                host.name.clone(),
                list(host.addresses.iter().map(ToString::to_string).collect()),
                host.organisation.as_ref().map(ToString::to_string).unwrap_or_default(),
                list(host.groups.iter().cloned().collect()),
            ]
        })
        .collect();
    if rows.is_empty() {
        context
            .out
            .note("the inventory is empty; name CSV files under `inventory:` in beistand.yaml");
    } else {
        context.out.table(&["NAME", "ADDRESSES", "ORGANISATION", "GROUPS"], &rows);
    }
    Ok(Exit::Ok)
}

pub(super) async fn connectors(context: &Context, verb: Option<ConnectorsVerb>) -> Outcome {
    match verb {
        None => list(context).await,
        Some(ConnectorsVerb::Test { name }) => test(context, name.as_deref()).await,
        Some(ConnectorsVerb::Pause { name }) => pause(context, &name, true).await,
        Some(ConnectorsVerb::Unpause { name }) => pause(context, &name, false).await,
    }
}

async fn list(context: &Context) -> Outcome {
    let made = make(&context.config)?;
    // Without a store nothing was paused yet.
    let paused = match context.reader().await {
        Ok(reader) => reader.paused().await?,
        Err(_) => Vec::new(),
    };
    let mut rows = Vec::new();
    let mut all = Vec::new();
    for (name, connector) in &made {
        let spec = connector.spec();
        let offers: Vec<String> =
            spec.offers.iter().map(|offer| offer.action.to_string()).collect();
        all.push(json!({"name": name, "kind": spec.kind, "title": spec.title, "source": spec.source, "offers": spec.offers, "paused": paused.contains(name)}));
        let paused = if paused.contains(name) { "paused" } else { "" };
        rows.push(vec![name.to_string(), spec.kind.clone(), paused.to_owned(), offers.join(" ")]);
    }
    if context.out.json {
        context.out.value(&json!(all));
    } else if rows.is_empty() {
        let kinds: Vec<&str> = CONNECTORS.iter().map(|maker| maker.kind).collect();
        context.out.note(format_args!(
            "no connectors are configured; there are kinds {}",
            kinds.join(", ")
        ));
    } else {
        context.out.table(&["NAME", "KIND", "", "CAN"], &rows);
    }
    Ok(Exit::Ok)
}

/// Asks one connector, or all of them, whether it answers; one that does not is no reason to stop.
async fn test(context: &Context, wanted: Option<&str>) -> Outcome {
    let made = make(&context.config)?;
    let is_wanted = |name: &ConnectorName| wanted.is_none_or(|wanted| name.as_str() == wanted);
    let chosen: Vec<_> = made.iter().filter(|(name, _)| is_wanted(name)).collect();
    if let (Some(wanted), []) = (wanted, chosen.as_slice()) {
        return Err(Failure::not_found(format!("there is no connector `{wanted}`"))
            .hint("`beistand connectors` lists them"));
    }
    let (mut silent, mut all, mut advice) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (name, connector) in chosen {
        let (answers, words) = match connector.health().await {
            Ok(words) => (true, words),
            Err(error) => {
                advice.insert(advised(&error));
                (false, error.to_string())
            }
        };
        if !answers {
            silent.push(format!("{name}: {words}"));
        } else if !context.out.json {
            context.out.line(format_args!("{name}: {}", crate::out::safe(&words)));
        }
        all.push(json!({"name": name, "answers": answers, "message": words}));
    }
    if context.out.json {
        context.out.value(&all.into());
    }
    if made.is_empty() {
        context.out.note("no connectors are configured");
    }
    if silent.is_empty() {
        return Ok(Exit::Ok);
    }
    let advice: Vec<&str> = advice.into_iter().collect();
    Err(Failure::new(Exit::Unreachable, silent.join("\n")).hint(advice.join("; ")))
}

/// Where to look first.
const fn advised(error: &CallError) -> &'static str {
    match error {
        CallError::Unavailable { .. } => {
            "where nothing answers: is the address in `connectors:` right, does the service run, and \
             does every firewall between let this machine through?"
        }
        CallError::Refused { .. } => {
            "where it says no: is the account or the secret in `connectors:` right, and may it do this?"
        }
        CallError::Unknown { .. } => {
            "where it answers otherwise than expected: is that the service that is meant, and does it work?"
        }
        CallError::Invalid { .. } => {
            "where the call does not fit: `beistand config check` looks at the settings"
        }
    }
}

async fn pause(context: &Context, text: &str, paused: bool) -> Outcome {
    let connector: ConnectorName =
        text.parse().map_err(|error| Failure::usage(format!("{error}")))?;
    if !context.config.connectors.contains_key(&connector) {
        return Err(Failure::not_found(format!("there is no connector `{connector}`")));
    }
    let verb = Verb::PauseConnector { connector, paused, by: context.who().await? };
    let answer = context.act(verb).await?;
    if context.out.json {
        context.out.value(&answer);
    }
    context.out.note(format_args!(
        "{text} {}",
        if paused { "starts nothing any more" } else { "goes on" }
    ));
    Ok(Exit::Ok)
}
