//! Who types: a name alone in a store without accounts, and proof of it in one with accounts.
//!
//! Proof is a token or a passphrase; without a terminal it comes from a file or the environment,
//! never from the command line, where every process on the machine can read it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;

use beistand_core::access::{Account, AccountKind, Permission};
use beistand_core::model::AccountName;
use beistand_core::run::{Actor, Proof};
use beistand_journal::{OpenError, Reader};
use beistand_runtime::{Secret, Verb, WallClock, account_of_words, holder_of_token, strong};

use crate::config::variable;
use crate::exit::{Exit, Failure, Outcome};
use crate::out::Out;
use crate::session::Context;

/// So often somebody at a terminal may mistype before a verb gives up.
const TRIES: u32 = 3;

/// Somebody who proved who they are, or only said it.
#[derive(Debug, Clone)]
pub(crate) struct Proved {
    pub(crate) actor: Actor,
    /// A token is for these alone.
    only: Option<Vec<Permission>>,
}

impl Proved {
    pub(crate) const fn asserted(actor: Actor) -> Self {
        Self { actor, only: None }
    }

    /// Whether a token was made for this.
    pub(crate) fn may(&self, verb: &Verb) -> Outcome<()> {
        let needs = verb.needs();
        if self.only.as_ref().is_none_or(|only| only.contains(&needs)) {
            return Ok(());
        }
        let text = format!("this token was not made for `{needs}`");
        Err(Failure::new(Exit::NotAllowed, text))
    }
}

impl Context {
    /// Who acts, proved where the store has accounts; asked for once.
    pub(crate) async fn proved(&self) -> Outcome<&Proved> {
        self.proved.get_or_try_init(|| self.prove()).await
    }

    /// Who acts, for verbs that write: what is written says who did it.
    pub(crate) async fn who(&self) -> Outcome<Actor> {
        Ok(self.proved().await?.actor.clone())
    }

    async fn prove(&self) -> Outcome<Proved> {
        let reader = match Reader::open(&self.url).await {
            Ok(reader) if reader.has_accounts().await? => reader,
            // What is not there yet, or of an older program, has no accounts.
            Ok(_) | Err(OpenError::Missing(_) | OpenError::Outdated { .. }) => {
                return Ok(Proved::asserted(self.named()?));
            }
            Err(error) => return Err(error.into()),
        };
        // What is said with the call outdoes what lies in the environment.
        let token = variable("BEISTAND_TOKEN").filter(|_| self.passphrase.is_none());
        if let Some(token) = token {
            let proved = by_token(&reader, Secret::new(token)).await?;
            return self.is_meant(proved);
        }
        let name = self.named()?.person;
        let account: AccountName =
            name.as_str().parse().map_err(|error| Failure::usage(format!("{error}")))?;
        if let Some(file) = &self.passphrase {
            let found = account_of_words(&reader, &account, first_line(file)?).await?;
            return found.map(of_words).ok_or_else(wrong);
        }
        let asked = format!("Passphrase of {account}: ");
        for tried in 1..=TRIES {
            let words = hidden(&asked).ok_or_else(|| unproved(&account))?;
            if let Some(found) = account_of_words(&reader, &account, words).await? {
                return Ok(of_words(found));
            }
            if tried < TRIES {
                self.out.loud(format_args!(
                    "this account and these words do not fit together; once more"
                ));
            }
        }
        Err(wrong())
    }

    /// A new passphrase: from a file, or typed twice on the terminal until it is one.
    pub(crate) fn new_passphrase(
        &self,
        account: &AccountName,
        kind: AccountKind,
        file: Option<&Path>,
    ) -> Outcome<Secret> {
        let is_one = |words: Secret| match strong(&words, kind, account.as_str()) {
            Ok(()) => Ok(words),
            Err(weak) => Err(Failure::usage(weak.to_string())),
        };
        if let Some(file) = file {
            return is_one(first_line(file)?);
        }
        until_it_fits(&self.out, || typed_twice(account, is_one))
    }

    /// A token is of one account: nobody acts by it as somebody else they name.
    fn is_meant(&self, proved: Proved) -> Outcome<Proved> {
        let said = self.actor.as_ref().filter(|_| self.said_who);
        // An account that is called like its person is not named beside it.
        let account = proved.actor.account.as_ref().map(AccountName::as_str);
        let account = account.unwrap_or(proved.actor.person.as_str());
        let Some(said) = said.filter(|said| said.person.as_str() != account) else {
            return Ok(proved);
        };
        let text =
            format!("the token in BEISTAND_TOKEN is of `{account}`, not of `{}`", said.person);
        let hint = "leave out --as, or give the passphrase with --passphrase FILE";
        Err(Failure::usage(text).hint(hint))
    }

    fn named(&self) -> Outcome<Actor> {
        self.actor.clone().ok_or_else(|| {
            Failure::usage("nobody knows who you are: the operating system has no name for you")
                .hint("say it with --as NAME")
        })
    }
}

fn unproved(account: &AccountName) -> Failure {
    let text = format!("the store has accounts: prove that you are `{account}`");
    Failure::new(Exit::NotAllowed, text).hint(
        "say --as ACCOUNT and type its passphrase on a terminal, or give it by --passphrase FILE, \
         or a token in BEISTAND_TOKEN",
    )
}

fn of_words(account: Account) -> Proved {
    let proof = Proof::by_words(account.kind);
    Proved { actor: Actor::proved(account.person, proof).with_account(account.name), only: None }
}

async fn by_token(reader: &Reader, token: Secret) -> Outcome<Proved> {
    use beistand_runtime::Clock as _;
    let found = holder_of_token(reader, &token, WallClock.now()).await?;
    let (holder, only) = found.ok_or_else(|| {
        let text = "the token in BEISTAND_TOKEN is unknown, ended or taken back";
        let hint =
            "`beistand token add` makes another; without the variable a passphrase is asked for";
        Failure::new(Exit::NotAllowed, text).hint(hint)
    })?;
    let account = holder.account;
    let proof = Proof::by_token(account.kind);
    let actor = Actor::proved(account.person, proof).with_account(account.name);
    Ok(Proved { actor, only: Some(only.into_iter().collect()) })
}

fn wrong() -> Failure {
    Failure::new(Exit::NotAllowed, "this account and these words do not fit together").hint(
        "look at the name after --as and at the keyboard's letters; an admin can give another \
         passphrase with `beistand user passphrase`",
    )
}

/// What somebody at a terminal says, until it fits: what is wrong with it they read, and say it once
/// more. The outer failure is one that saying it again does not mend.
pub(crate) fn until_it_fits<T>(out: &Out, said: impl Fn() -> Outcome<Outcome<T>>) -> Outcome<T> {
    for _ in 1..TRIES {
        match said()? {
            Ok(fits) => return Ok(fits),
            Err(failure) => {
                let hint = failure.hint.as_deref().unwrap_or("once more");
                out.loud(format_args!("{failure}; {hint}"));
            }
        }
    }
    said()?
}

/// The first line of a file, without its end.
pub(crate) fn first_line(file: &Path) -> Outcome<Secret> {
    let wrong = |error: std::io::Error| {
        Failure::not_found(format!("could not read `{}`: {error}", file.display()))
    };
    let mut line = String::new();
    BufReader::new(std::fs::File::open(file).map_err(wrong)?).read_line(&mut line)?;
    Ok(Secret::new(line.trim_end_matches(['\n', '\r']).to_owned()))
}

/// What somebody types on the terminal without it being shown; nothing without a terminal.
pub(crate) fn hidden(asked: &str) -> Option<Secret> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let terminal = std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
    let before = tcgetattr(&terminal).ok()?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    silent.local_modes.insert(LocalModes::ECHONL);
    // Silent before it asks: who answers at once is neither shown nor lost.
    tcsetattr(&terminal, OptionalActions::Flush, &silent).ok()?;
    let mut line = String::new();
    let asked = (&terminal).write_all(asked.as_bytes());
    let read = asked.and_then(|()| BufReader::new(&terminal).read_line(&mut line));
    // Whatever was typed: a terminal that stays silent is worse.
    let restored = tcsetattr(&terminal, OptionalActions::Flush, &before);
    (read.is_ok() && restored.is_ok())
        .then(|| Secret::new(line.trim_end_matches(['\n', '\r']).to_owned()))
}

/// A new passphrase, typed twice; what is wrong with it is for who may try again.
fn typed_twice(
    account: &AccountName,
    is_one: impl FnOnce(Secret) -> Outcome<Secret>,
) -> Outcome<Outcome<Secret>> {
    let missing = || {
        Failure::usage("there is no terminal to type a passphrase on")
            .hint("give it as the first line of a file: --new FILE")
    };
    let first = hidden(&format!("New passphrase of {account}: ")).ok_or_else(missing)?;
    let first = match is_one(first) {
        Ok(first) => first,
        Err(failure) => return Ok(Err(failure)),
    };
    let second = hidden("Once more: ").ok_or_else(missing)?;
    let same = first.expose() == second.expose();
    Ok(if same { Ok(first) } else { Err(Failure::usage("the two are not the same")) })
}
