//! Who votes: whoever is at the keyboard, or somebody on the telephone who reads out a printed code.

use beistand_core::model::AccountName;
use beistand_core::run::Actor;
use beistand_runtime::{Clock as _, Denied, Secret, Verb, WallClock, on_telephone};

use crate::args::OnTelephone;
use crate::exit::{Exit, Failure, Outcome};
use crate::prove::hidden;
use crate::session::Context;

/// Who votes, and how they proved it.
pub(super) struct Voter {
    pub(super) by: Actor,
    /// Names the printed code that is used up by it.
    pub(super) code: Option<String>,
}

/// Whoever acts, or whose code was given. The code is looked at here and used up with the vote.
pub(super) async fn voter(context: &Context, args: &OnTelephone) -> Outcome<Voter> {
    let typed_by = context.who().await?;
    let Some(name) = &args.by else {
        return Ok(Voter { by: typed_by, code: None });
    };
    let account: AccountName = name.parse().map_err(|error| Failure::usage(format!("{error}")))?;
    let read_out = match &args.code {
        Some(code) => Secret::new(code.clone()),
        None => hidden(&format!("Number and code of {account}: ")).ok_or_else(|| {
            Failure::usage("there is no terminal to type a code on")
                .hint("give it by --code NUMBER:CODE")
        })?,
    };
    let (number, code) = parted(&read_out).ok_or_else(|| {
        Failure::usage("this is no code with its number").hint("as on the sheet: 7:K3FQ9-ZTMAX")
    })?;
    let reader = context.reader().await?;
    let now = WallClock.now();
    let heard = on_telephone(&reader, &account, (&number, &code), (&typed_by.person, now)).await;
    match heard {
        Ok(heard) => {
            let by = heard.actor.typed_with(&typed_by);
            Ok(Voter { by, code: Some(heard.credential) })
        }
        Err(Denied::Wrong) => {
            let text = format!(
                "no unused code of `{account}` has this number and these letters; it counts as a guess"
            );
            context.act(Verb::Misheard { account, by: typed_by }).await?;
            Err(Failure::new(Exit::NotAllowed, text).hint(
                "`beistand user list` says whether codes are left; nobody reads one to themselves",
            ))
        }
        Err(
            denied @ (Denied::Later { .. }
            | Denied::TooManyQuestions { .. }
            | Denied::SecondFactorMissing),
        ) => Err(Failure::new(Exit::NotAllowed, denied.to_string())),
        Err(denied @ (Denied::Store(_) | Denied::Internal(_))) => {
            Err(Failure::new(Exit::Unreachable, denied.to_string()).because(&denied))
        }
    }
}

/// The number on the sheet and the code beside it, parted by anything that is neither.
fn parted(read_out: &Secret) -> Option<(String, Secret)> {
    let text = read_out.expose().trim();
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, code) = text.split_at(end);
    let is_parted = code.starts_with(|c: char| !c.is_ascii_alphanumeric());
    let code = code.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    (!number.is_empty() && is_parted && !code.is_empty())
        .then(|| (number.to_owned(), Secret::new(code.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_its_code_are_parted_however_they_are_typed() {
        for text in ["7:K3FQ9-ZTMAX", " 7 K3FQ9-ZTMAX ", "7 - K3FQ9-ZTMAX"] {
            let (number, code) = parted(&Secret::new(text.to_owned())).unwrap();
            assert_eq!((number.as_str(), code.expose()), ("7", "K3FQ9-ZTMAX"), "{text}");
        }
        for text in ["", "7", "7:", "K3FQ9-ZTMAX", ":K3FQ9", "7K3FQ9-ZTMAX", "37 "] {
            assert!(parted(&Secret::new(text.to_owned())).is_none(), "{text}");
        }
    }
}
