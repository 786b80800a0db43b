//! Accounts, grants, tokens and printed codes.

use std::collections::BTreeSet;
use std::path::Path;

use beistand_core::access::{
    Account, AccountKind, CredentialKind, Grant, Permission, Reach, Rights,
};
use beistand_core::model::{AccountName, Millis, Person};
use beistand_journal::{Credential, Reader};
use beistand_runtime::{
    AccessAct, Clock as _, NewCredential, Secret, Verb, WallClock, digested, new_code, new_token,
};
use serde_json::{Value, json};

use crate::args::access::{AddArgs, GrantArgs, ReachArgs, TokenVerb, UserVerb};
use crate::exit::{Exit, Failure, Outcome};
use crate::find;
use crate::session::Context;

fn usage(error: impl std::fmt::Display) -> Failure {
    Failure::usage(error.to_string())
}

pub(super) async fn user(context: &Context, verb: UserVerb) -> Outcome {
    match verb {
        UserVerb::Add(args) => add(context, args).await,
        UserVerb::List => list(context).await,
        UserVerb::Lock { account } => {
            let account = account.parse().map_err(usage)?;
            act(context, AccessAct::Lock { account }).await
        }
        UserVerb::Unlock { account } => {
            let account = account.parse().map_err(usage)?;
            act(context, AccessAct::Unlock { account }).await
        }
        UserVerb::Passphrase { account, file } => {
            let account: AccountName = account.parse().map_err(usage)?;
            let found = context.reader().await?.account(&account).await?;
            let kind = found.map_or(AccountKind::Person, |found| found.kind);
            let credentials = vec![passphrase(context, (&account, kind), file.as_deref()).await?];
            act(context, AccessAct::AddCredentials { account, credentials }).await
        }
        UserVerb::Sso { account, subject } => {
            let account: AccountName = account.parse().map_err(usage)?;
            let credentials = vec![link(context, &subject)?];
            act(context, AccessAct::AddCredentials { account, credentials }).await
        }
        UserVerb::Codes { account, count } => codes(context, &account, count).await,
        UserVerb::Remove { of, code } => {
            let credential = match code {
                Some(number) => unused_code(context, &of, number).await?,
                None => of,
            };
            act(context, AccessAct::RemoveCredential { credential }).await
        }
        UserVerb::Grant(args) => {
            let grant = grant(context, args).await?;
            act(context, AccessAct::Grant(grant)).await
        }
        UserVerb::Revoke(args) => {
            let grant = grant(context, args).await?;
            act(context, AccessAct::Revoke(grant)).await
        }
    }
}

async fn done(context: &Context, act: AccessAct) -> Outcome<Value> {
    let by = context.who().await?;
    context.act(Verb::Access { act, by }).await
}

async fn act(context: &Context, act: AccessAct) -> Outcome {
    let answer = done(context, act).await?;
    if context.out.json {
        context.out.value(&answer);
    } else {
        context.out.note("done");
    }
    Ok(Exit::Ok)
}

async fn add(context: &Context, args: AddArgs) -> Outcome {
    let account: AccountName = args.account.parse().map_err(usage)?;
    let kind = match (args.service, args.break_glass) {
        (true, _) => AccountKind::Service,
        (false, true) => AccountKind::BreakGlass,
        (false, false) => AccountKind::Person,
    };
    let person: Person =
        args.person.as_deref().unwrap_or(account.as_str()).parse().map_err(usage)?;
    let mut grants = Vec::new();
    for role in args.roles {
        let (reach, until) = reach(context, &args.reach).await?;
        grants.push(Grant { person: person.clone(), role, reach, until });
    }
    let mut credentials = match kind {
        AccountKind::Service => Vec::new(),
        AccountKind::Person | AccountKind::BreakGlass => {
            vec![passphrase(context, (&account, kind), args.file.as_deref()).await?]
        }
    };
    if let Some(subject) = &args.sso {
        credentials.push(link(context, subject)?);
    }
    let first = match Reader::open(&context.url).await {
        Ok(reader) => !reader.has_accounts().await?,
        Err(_) => true,
    };
    let added = AccessAct::AddAccount {
        account: account.clone(),
        kind,
        person: Some(person),
        credentials,
        grants,
    };
    let answer = done(context, added).await?;
    if context.out.json {
        context.out.value(&answer);
        return Ok(Exit::Ok);
    }
    context.out.note(format_args!("account {account} made"));
    if first {
        context.out.note(
            "the store has accounts now: every act is proved by a passphrase or a token, in drills too",
        );
    }
    if kind == AccountKind::Service {
        context.out.note(format_args!(
            "it has no token yet: `beistand token add {account} --title … --may read`"
        ));
    }
    Ok(Exit::Ok)
}

async fn passphrase(
    context: &Context,
    (account, kind): (&AccountName, AccountKind),
    file: Option<&Path>,
) -> Outcome<NewCredential> {
    // Before new words are thought of: who is not who they say types none for nothing.
    context.proved().await?;
    let words = context.new_passphrase(account, kind, file)?;
    Ok(NewCredential::passphrase(kept(&words)?))
}

/// Somebody at the identity provider that the configuration names.
fn link(context: &Context, subject: &str) -> Outcome<NewCredential> {
    let provider = context.config.single_sign_on.as_ref().ok_or_else(|| {
        Failure::new(Exit::Check, "the configuration names no identity provider")
            .hint("name it under `single_sign_on:`; `beistand schema config` lists every key")
    })?;
    Ok(NewCredential::single_sign_on(&provider.issuer, subject)?)
}

fn kept(words: &Secret) -> Outcome<String> {
    Ok(digested(words, getrandom::fill)?)
}

/// The name of a printed code that is not used up, by its number on the sheet.
async fn unused_code(context: &Context, account: &str, number: u32) -> Outcome<String> {
    let account: AccountName = account.parse().map_err(usage)?;
    let label = number.to_string();
    let credentials = context.reader().await?.credentials(&account).await?;
    let is_it = |one: &Credential| {
        one.kind == CredentialKind::Code && one.label == label && one.used_at.is_none()
    };
    let found = credentials.into_iter().find(is_it).map(|one| one.id);
    found.ok_or_else(|| {
        Failure::not_found(format!("`{account}` has no unused code {number}"))
            .hint("a code that was used is dead already; `user list --json` has all of them")
    })
}

async fn codes(context: &Context, account: &str, count: u32) -> Outcome {
    let account: AccountName = account.parse().map_err(usage)?;
    let before = context.reader().await?.credentials(&account).await?;
    let used = before.iter().filter(|one| one.kind == CredentialKind::Code);
    let last = used.filter_map(|one| one.label.parse::<u32>().ok()).max().unwrap_or(0);
    let (mut sheet, mut credentials) = (Vec::new(), Vec::new());
    for number in last + 1..=last + count {
        let code = new_code(getrandom::fill)?;
        credentials.push(NewCredential::code(number, kept(&code)?));
        sheet.push((number, code));
    }
    done(context, AccessAct::AddCredentials { account: account.clone(), credentials }).await?;
    if context.out.json {
        let codes =
            sheet.iter().map(|(number, code)| json!({"number": number, "code": code.expose()}));
        context.out.value(&codes.collect());
        return Ok(Exit::Ok);
    }
    // On paper too: a sheet that does not say whose it is helps nobody.
    context.out.line(format_args!(
        "Printed codes of {account}. Each counts once. They are printed now and never again."
    ));
    for (number, code) in &sheet {
        context.out.line(format_args!("{number:>4}  {}", code.expose()));
    }
    Ok(Exit::Ok)
}

async fn grant(context: &Context, args: GrantArgs) -> Outcome<Grant> {
    let (reach, until) = reach(context, &args.reach).await?;
    let person = args.person.parse().map_err(usage)?;
    Ok(Grant { person, role: args.role, reach, until })
}

async fn reach(context: &Context, args: &ReachArgs) -> Outcome<(Reach, Option<Millis>)> {
    let reach = match (&args.organisation, &args.incident) {
        (Some(organisation), _) => Reach::Organisation(organisation.parse().map_err(usage)?),
        (None, Some(incident)) => {
            Reach::Incident(find::incident(&context.reader().await?, incident).await?.id)
        }
        (None, None) => Reach::Instance,
    };
    Ok((reach, end(args.until.as_deref())?))
}

fn end(until: Option<&str>) -> Outcome<Option<Millis>> {
    until.map(Millis::parse).transpose().map_err(usage)
}

/// A credential as a list shows it; what it is checked against is nobody's to see.
fn shown(account: &Account, one: &Credential, now: Millis) -> Value {
    json!({
        "id": one.id, "kind": one.kind.as_str(), "label": one.label,
        "made_at": one.made_at.to_string(),
        "until": one.until.map(|at| at.to_string()), "used_at": one.used_at.map(|at| at.to_string()),
        "usable": one.holds(now) && account.locked_at.is_none(),
    })
}

/// Whether a credential is good now, in words.
fn state(context: &Context, (account, one): (&Account, &Credential), now: Millis) -> String {
    match one.until {
        // As a restore leaves them: it does not know which of them were taken back.
        Some(until) if until <= Millis::new(0) => "void by a restore".to_owned(),
        Some(until) if until <= now => format!("ended {}", context.time(until)),
        _ if account.locked_at.is_some() => "its account is locked".to_owned(),
        Some(until) => format!("usable until {}", context.time(until)),
        None => "usable".to_owned(),
    }
}

/// The store, or how it comes to be by making the first account.
async fn reader(context: &Context) -> Outcome<Reader> {
    context.reader().await.map_err(|failure| {
        if failure.exit != Exit::NotFound {
            return failure;
        }
        failure.hint(
            "name another one by --store or --config; `beistand user add NAME --role admin` makes a \
             store with its first account",
        )
    })
}

async fn list(context: &Context) -> Outcome {
    let reader = reader(context).await?;
    let (grants, now) = (reader.grants().await?, WallClock.now());
    let (mut all, mut lines, mut named) = (Vec::new(), Vec::new(), Vec::new());
    for account in reader.accounts().await? {
        let credentials = reader.credentials(&account.name).await?;
        let held = grants.iter().filter(|grant| grant.person == account.person);
        let words = held.clone().map(|grant| match &grant.reach {
            Reach::Instance => grant.role.to_string(),
            Reach::Organisation(organisation) => format!("{} for {organisation}", grant.role),
            Reach::Incident(incident) => format!("{} in {incident}", grant.role),
        });
        let count = |kind| {
            let usable = |one: &&Credential| one.kind == kind && one.holds(now);
            credentials.iter().filter(usable).count()
        };
        let proofs = CredentialKind::ALL.iter().filter_map(|kind| match count(*kind) {
            0 => None,
            1 => Some(kind.as_str().to_owned()),
            many => Some(format!("{many} × {}", kind.as_str())),
        });
        lines.push(vec![
            account.name.to_string(),
            account.kind.as_str().to_owned(),
            account.person.to_string(),
            if account.locked_at.is_some() { "locked" } else { "usable" }.to_owned(),
            words.collect::<Vec<_>>().join(", "),
            proofs.collect::<Vec<_>>().join(", "),
        ]);
        // What is taken back by its id; a passphrase is changed, and a code is named by its number.
        let one_by_one = |one: &&Credential| match one.kind {
            CredentialKind::Token | CredentialKind::Passkey | CredentialKind::SingleSignOn => true,
            CredentialKind::Passphrase | CredentialKind::Code => false,
        };
        named.extend(credentials.iter().filter(one_by_one).map(|one| {
            let (kind, title) = (one.kind.as_str().to_owned(), one.label.clone());
            let state = state(context, (&account, one), now);
            vec![one.id.clone(), account.name.to_string(), kind, title, state]
        }));
        all.push(json!({
            "account": account.name, "kind": account.kind.as_str(), "person": account.person,
            "made_at": account.made_at.to_string(),
            "locked_at": account.locked_at.map(|at| at.to_string()),
            "grants": held.collect::<Vec<_>>(),
            "credentials": credentials.iter().map(|one| shown(&account, one, now)).collect::<Vec<_>>(),
        }));
    }
    if context.out.json {
        context.out.value(&json!(all));
    } else if lines.is_empty() {
        context.out.note(
            "there are no accounts: names are taken as they are given; \
             `beistand user add NAME --role admin` makes the first",
        );
    } else {
        let head = ["ACCOUNT", "KIND", "PERSON", "STATE", "MAY", "PROVES BY"];
        context.out.table(&head, &lines);
        if !named.is_empty() {
            context.out.line("");
            context.out.table(&["ID", "OF", "KIND", "TITLE", "STATE"], &named);
        }
    }
    Ok(Exit::Ok)
}

pub(super) async fn token(context: &Context, verb: TokenVerb) -> Outcome {
    let TokenVerb::Add { account, title, may, until } = verb;
    let account: AccountName = account.parse().map_err(usage)?;
    let beyond = beyond(context, &account, &may).await?;
    let token = new_token(getrandom::fill)?;
    let until = end(until.as_deref())?;
    let credentials = vec![NewCredential::token(&token, title, &may, until)];
    let answer =
        done(context, AccessAct::AddCredentials { account: account.clone(), credentials }).await?;
    let id = answer.pointer("/credentials/0").and_then(Value::as_str).unwrap_or_default();
    if context.out.json {
        context.out.value(&json!({"id": id, "token": token.expose(), "beyond_account": beyond}));
        return Ok(Exit::Ok);
    }
    if !beyond.is_empty() {
        let words: Vec<String> = beyond.iter().map(|one| format!("`{one}`")).collect();
        context.out.loud(format_args!(
            "a token never has more than its account: {account} has no {}, so this token has none \
             until a role of {account} brings it",
            words.join(", ")
        ));
    }
    context.out.note(format_args!("{id}; it is shown now and never again"));
    context.out.line(token.expose());
    Ok(Exit::Ok)
}

/// Which of these permissions no role of an account brings now, wherever it holds.
async fn beyond(
    context: &Context,
    account: &AccountName,
    may: &[Permission],
) -> Outcome<BTreeSet<Permission>> {
    let reader = context.reader().await?;
    // Whether there is such an account is said by who makes the token.
    let Some(found) = reader.account(account).await? else { return Ok(BTreeSet::new()) };
    let mut grants = reader.grants_of(&found.person).await?;
    grants.extend(reader.roles_of(&found.person).await?);
    let rights = Rights::of(grants, WallClock.now());
    Ok(may.iter().copied().filter(|one| !rights.may_somewhere(*one)).collect())
}
