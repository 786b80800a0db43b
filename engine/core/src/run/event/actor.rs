//! Who acts, and how sure that is.
//!
//! What a person may do stands in `access`; here is only what the journal keeps of who did it.

use serde::{Deserialize, Serialize};

use crate::access::AccountKind;
use crate::model::{AccountName, Person, words};

/// Who acts.
///
/// Votes count by person, whatever the account: one person with two accounts is one person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Actor {
    /// The name. Of a machine it is the name of its account.
    pub person: Person,
    /// The name was given and not proved: the store has no accounts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asserted: bool,
    /// How it was proved; absent while it is asserted, and for the program itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// With which account, where it is not called like the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountName>,
    /// Who typed it in, where that was somebody else: from paper, or at the other end of a telephone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<Person>,
    /// How who typed it in proved who they are, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typed_with: Option<Proof>,
}

words! {
    /// How somebody proved who they are.
    Proof = "proof" {
        /// A passphrase alone.
        Passphrase = "passphrase",
        /// A passphrase, and a passkey or a printed code.
        SecondFactor = "second-factor",
        /// Single sign-on: the word of an identity provider, which may be the attacker's.
        SingleSignOn = "single-sign-on",
        /// A token that a person made for a program.
        Token = "token",
        /// A token of a service account, or a hook's signature: this is no person.
        Machine = "machine",
        /// A printed code, read out on the telephone; somebody else typed it in.
        Telephone = "telephone",
        /// It stands on paper, signed there; somebody else typed it in.
        Paper = "paper",
        /// A sealed account for the day on which nothing else works.
        BreakGlass = "break-glass",
    }
}

impl Proof {
    /// What a token of an account proves.
    pub const fn by_token(of: AccountKind) -> Self {
        match of {
            AccountKind::Person | AccountKind::BreakGlass => Self::Token,
            AccountKind::Service => Self::Machine,
        }
    }
    /// What the passphrase of an account proves, without anything beside it.
    pub const fn by_words(of: AccountKind) -> Self {
        match of {
            AccountKind::Person | AccountKind::Service => Self::Passphrase,
            AccountKind::BreakGlass => Self::BreakGlass,
        }
    }
}

impl Actor {
    /// Somebody whose name was given and not proved.
    pub const fn asserted(person: Person) -> Self {
        Self { person, asserted: true, proof: None, account: None, through: None, typed_with: None }
    }
    /// Somebody who proved it.
    pub const fn proved(person: Person, proof: Proof) -> Self {
        Self {
            person,
            asserted: false,
            proof: Some(proof),
            account: None,
            through: None,
            typed_with: None,
        }
    }
    /// The program itself.
    pub const fn program(name: Person) -> Self {
        Self {
            person: name,
            asserted: false,
            proof: None,
            account: None,
            through: None,
            typed_with: None,
        }
    }
    /// Somebody whose act stands on paper, typed in by another; as asserted as that one's name.
    pub fn on_paper(person: Person, typed_by: &Self) -> Self {
        let mut actor = Self::proved(person, Proof::Paper).through(typed_by.person.clone());
        actor.asserted = typed_by.asserted;
        actor.typed_with(typed_by)
    }
    /// The same with the name of the account; left out where it says nothing new.
    #[must_use]
    pub fn with_account(mut self, account: AccountName) -> Self {
        self.account = Some(account).filter(|account| account.as_str() != self.person.as_str());
        self
    }
    /// The same, typed in by somebody else.
    #[must_use]
    pub fn through(mut self, typed_by: Person) -> Self {
        self.through = Some(typed_by);
        self
    }
    /// The same, with how that other one proved who they are.
    #[must_use]
    pub const fn typed_with(mut self, typed_by: &Self) -> Self {
        self.typed_with = typed_by.proof;
        self
    }
    /// Whose hands it came by: who typed it in, or else who acts.
    #[must_use]
    pub fn hands(&self) -> Self {
        match (&self.through, self.proof) {
            (Some(typed_by), Some(Proof::Telephone | Proof::Paper)) => Self {
                proof: self.typed_with,
                asserted: self.asserted,
                ..Self::program(typed_by.clone())
            },
            (Some(_) | None, _) => self.clone(),
        }
    }
    /// Whether they are here themselves: who types in what others say or wrote is no program, nor
    /// somebody who has only a token.
    pub fn is_present(&self) -> bool {
        !matches!(self.proof, Some(Proof::Token | Proof::Machine))
    }
    /// Whether a person stands behind it: a machine's vote is none.
    pub fn is_person(&self) -> bool {
        self.proof != Some(Proof::Machine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str) -> Person {
        name.parse().unwrap()
    }

    #[test]
    fn what_is_not_known_of_an_actor_is_not_written() {
        let asserted = Actor::asserted(person("anna"));
        let text = serde_json::to_string(&asserted).unwrap();
        assert_eq!(text, r#"{"person":"anna","asserted":true}"#);
        assert_eq!(serde_json::from_str::<Actor>(&text).unwrap(), asserted);
        let old: Actor = serde_json::from_str(r#"{"person":"anna"}"#).unwrap();
        assert_eq!(old, Actor::program(person("anna")));
    }

    #[test]
    fn an_account_is_named_only_where_it_is_not_the_person() {
        let proved = Actor::proved(person("anna"), Proof::Passphrase);
        assert_eq!(proved.clone().with_account("Anna".parse().unwrap()), proved);
        let second = proved.with_account("anna.admin".parse().unwrap());
        assert_eq!(second.account.unwrap().as_str(), "anna.admin");
    }

    #[test]
    fn what_stands_on_paper_is_as_asserted_as_who_typed_it_in() {
        let paper = Actor::on_paper(person("ben"), &Actor::asserted(person("anna")));
        assert!(paper.asserted && paper.is_person());
        assert_eq!((paper.proof, paper.through), (Some(Proof::Paper), Some(person("anna"))));
        let typist = Actor::proved(person("anna"), Proof::SecondFactor);
        assert!(!Actor::on_paper(person("ben"), &typist).asserted);
    }

    #[test]
    fn a_token_and_words_prove_what_their_account_is_for() {
        let by = |kind| (Proof::by_token(kind), Proof::by_words(kind));
        assert_eq!(by(AccountKind::Person), (Proof::Token, Proof::Passphrase));
        assert_eq!(by(AccountKind::BreakGlass), (Proof::Token, Proof::BreakGlass));
        assert!(!Actor::proved(person("pump"), Proof::by_token(AccountKind::Service)).is_person());
    }

    #[test]
    fn the_hands_are_of_who_typed_it_in_with_their_own_proof() {
        let anna = Actor::proved(person("anna"), Proof::SecondFactor);
        let told = Actor::proved(person("ben"), Proof::Telephone);
        let told = told.through(person("anna")).typed_with(&anna);
        for typed in [Actor::on_paper(person("ben"), &anna), told] {
            assert_eq!(typed.typed_with, Some(Proof::SecondFactor));
            assert_eq!(typed.hands(), anna);
        }
        assert_eq!(anna.hands(), anna);
        for (proof, is_present) in [(Proof::Token, false), (Proof::Machine, false)] {
            assert_eq!(Actor::proved(person("anna"), proof).is_present(), is_present);
        }
        assert!(anna.is_present() && Actor::asserted(person("anna")).is_present());
    }

    #[test]
    fn a_machine_is_no_person() {
        assert!(!Actor::proved(person("monitoring"), Proof::Machine).is_person());
    }
}
