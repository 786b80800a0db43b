//! Questions to devices that wait for an answer: whose share one takes, and which goes for one more.
//!
//! Somebody who has learned a passphrase may ask as well as its owner. So what is asked by words is
//! refused beyond a share of the account's, and whoever is logged in has a share of their own, which
//! nobody without that session can use up: they can always be asked who they are.

use std::collections::BTreeMap;

use beistand_core::model::{AccountName, Millis};

/// Questions that wait for an answer at once, of all accounts.
const WAITING_MAX: usize = 1_000;

/// Of one account and asked by its words: a few browsers that were closed half way.
const WAITING_BY_WORDS_MAX: usize = 10;

/// Of one session: the pages of one browser. The oldest goes for one more.
const WAITING_IN_SESSION_MAX: usize = 10;

/// Who asks.
#[derive(Debug, PartialEq, Eq)]
enum AskedBy {
    /// Whoever has the account's passphrase.
    Words,
    /// Who is logged in, in this session.
    Session(String),
}

/// What waits for an answer, and of whom.
#[derive(Debug)]
struct Question<W> {
    account: AccountName,
    by: AskedBy,
    until: Millis,
    what: W,
}

/// All that wait, by their names.
#[derive(Debug)]
pub(super) struct Questions<W>(BTreeMap<String, Question<W>>);

impl<W> Default for Questions<W> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<W> Questions<W> {
    /// Keeps what was asked by the words of an account until it is answered.
    ///
    /// # Errors
    /// When there is room for one more, where there is none.
    pub(super) fn by_words(
        &mut self,
        (id, account): (String, AccountName),
        (until, what): (Millis, W),
        now: Millis,
    ) -> Result<(), Millis> {
        let question = Question { account, by: AskedBy::Words, until, what };
        let (count, first) = self.beside(&question, now);
        if let (WAITING_BY_WORDS_MAX.., Some((_, until))) = (count, first) {
            return Err(until);
        }
        self.keep(id, question);
        Ok(())
    }

    /// Keeps what was asked in a session, named by what the store finds it by, until it is answered.
    pub(super) fn in_session(
        &mut self,
        (id, account): (String, AccountName),
        session: String,
        (until, what): (Millis, W),
        now: Millis,
    ) {
        let question = Question { account, by: AskedBy::Session(session), until, what };
        if let (WAITING_IN_SESSION_MAX.., Some((oldest, _))) = self.beside(&question, now) {
            self.0.remove(&oldest);
        }
        self.keep(id, question);
    }

    /// What was asked, once, and only of this account.
    pub(super) fn take(&mut self, id: &str, account: &AccountName, now: Millis) -> Option<W> {
        let question = self.0.remove(id)?;
        (question.account == *account && now < question.until).then_some(question.what)
    }

    /// How many wait of the same share, and the oldest of them.
    fn beside(&mut self, new: &Question<W>, now: Millis) -> (usize, Option<(String, Millis)>) {
        self.0.retain(|_, one| now < one.until);
        let of_share = |one: &&Question<W>| one.account == new.account && one.by == new.by;
        (self.0.values().filter(of_share).count(), self.oldest(of_share))
    }

    /// Whoever has the most makes room in all: nobody makes the questions of others go.
    fn keep(&mut self, id: String, question: Question<W>) {
        if self.0.len() >= WAITING_MAX {
            let most = self.of_the_most();
            let oldest = self.oldest(|one| most.as_ref() == Some(&one.account));
            oldest.and_then(|(id, _)| self.0.remove(&id));
        }
        self.0.insert(id, question);
    }

    fn oldest(&self, of: impl Fn(&&Question<W>) -> bool) -> Option<(String, Millis)> {
        let found = self.0.iter().filter(|(_, one)| of(one));
        found.min_by_key(|(_, one)| one.until).map(|(id, one)| (id.clone(), one.until))
    }

    /// The account of which the most wait.
    fn of_the_most(&self) -> Option<AccountName> {
        let mut counts: BTreeMap<&AccountName, usize> = BTreeMap::new();
        for one in self.0.values() {
            *counts.entry(&one.account).or_default() += 1;
        }
        counts.into_iter().max_by_key(|(_, count)| *count).map(|(account, _)| account.clone())
    }
}

#[cfg(test)]
mod tests {
    use beistand_core::model::Span;

    use super::*;

    const LASTS: Span = Span::from_secs(300);

    fn of(account: &str) -> AccountName {
        account.parse().unwrap()
    }

    /// Asks, under a name that says who and which.
    fn asks(
        questions: &mut Questions<()>,
        (account, session): (&str, Option<&str>),
        (number, now): (usize, i64),
    ) -> Result<(), Millis> {
        let named = (format!("{number} of {account}{}", session.unwrap_or_default()), of(account));
        let now = Millis::new(now);
        let kept = (now.plus(LASTS), ());
        match session {
            Some(session) => questions.in_session(named, session.to_owned(), kept, now),
            None => questions.by_words(named, kept, now)?,
        }
        Ok(())
    }

    #[test]
    fn nobody_makes_the_questions_of_others_go() {
        let mut all = Questions::default();
        assert_eq!(asks(&mut all, ("cleo", None), (0, 0)), Ok(()));
        for number in 0..WAITING_BY_WORDS_MAX {
            assert_eq!(asks(&mut all, ("mallory", None), (number, 7)), Ok(()));
        }
        let first = Millis::new(7).plus(LASTS);
        assert_eq!(asks(&mut all, ("mallory", None), (10, 8)), Err(first));
        assert_eq!(asks(&mut all, ("cleo", None), (1, 8)), Ok(()));
        assert!(all.take("0 of cleo", &of("cleo"), Millis::new(9)).is_some());
        // An answer makes room for another question, and so does time.
        assert!(all.take("3 of mallory", &of("mallory"), Millis::new(9)).is_some());
        assert_eq!(asks(&mut all, ("mallory", None), (11, 10)), Ok(()));
        assert_eq!(asks(&mut all, ("mallory", None), (12, 11)), Err(first));
        assert_eq!(asks(&mut all, ("mallory", None), (12, first.get())), Ok(()));
        // However many sessions somebody begins, theirs are those that go.
        for number in 0..2 * WAITING_MAX {
            let session = format!("s{number}");
            let now = 1_000 + i64::try_from(number).unwrap();
            assert_eq!(asks(&mut all, ("mallory", Some(&session)), (number, now)), Ok(()));
        }
        assert_eq!(all.0.len(), WAITING_MAX);
        assert!(all.take("1 of cleo", &of("cleo"), Millis::new(4_000)).is_some());
    }

    #[test]
    fn who_is_logged_in_has_a_share_that_no_words_use_up() {
        let mut all = Questions::default();
        for number in 0..WAITING_BY_WORDS_MAX {
            assert_eq!(asks(&mut all, ("cleo", None), (number, 0)), Ok(()));
        }
        assert!(asks(&mut all, ("cleo", None), (10, 0)).is_err());
        for number in 0..3 * WAITING_IN_SESSION_MAX {
            let now = i64::try_from(number).unwrap();
            assert_eq!(asks(&mut all, ("cleo", Some("s")), (number, now)), Ok(()));
        }
        assert_eq!(all.0.len(), WAITING_BY_WORDS_MAX + WAITING_IN_SESSION_MAX);
        let now = Millis::new(50);
        assert!(all.take("0 of cleos", &of("cleo"), now).is_none(), "the oldest went");
        assert!(all.take("29 of cleos", &of("mallory"), now).is_none(), "it is not theirs");
        assert!(all.take("28 of cleos", &of("cleo"), now).is_some());
        assert!(all.take("28 of cleos", &of("cleo"), now).is_none(), "it counts once");
    }
}
