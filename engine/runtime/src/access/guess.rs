//! Guesses: how many wrong words somebody may give, and how long they wait then.
//!
//! They are counted by account and by where they come from, so that who guesses waits, and who is
//! guessed at from elsewhere does not. A try counts from before its words are looked at until it is
//! known to be right: many that come at once are no more than as many one after the other.
//!
//! Sealed accounts are for the night on which nobody else comes in. So what somebody behind the same
//! address guesses at other accounts never makes them wait; what is guessed at them is counted by
//! itself, with less room, and is loud.

use std::collections::BTreeMap;
use std::sync::Mutex;

use beistand_core::access::AccountKind;
use beistand_core::model::{AccountName, Millis, Span, digest_of_bytes};
use beistand_journal::{Reader, StoreError};

use super::identify::Denied;
use crate::engine::{Engine, lock};

/// Wrong words after which an account waits for who gave them: a bad night's typing errors.
const GUESSES_FREE: u64 = 5;

/// Wrong words from one place, whatever the account: an office behind one address.
const GUESSES_FROM_ONE_PLACE: u64 = 50;

/// Wrong words from one place at sealed accounts: there are two of them, typed from paper.
const SEALED_GUESSES_FROM_ONE_PLACE: u64 = 10;

/// How long wrong words are remembered.
const GUESSES_FOR: Span = Span::from_secs(3600);

/// The first wait; each further one is twice as long.
const WAIT_FIRST: Span = Span::from_secs(15);

/// The longest wait: who comes back to it must still be able to help.
const WAIT_MAX: Span = Span::from_secs(15 * 60);

/// By then those that are looked at before this one are known to be right or wrong.
const LOOKED_AT_WITHIN: Span = Span::from_secs(1);

/// Tries under way, by what they are counted under.
#[derive(Debug, Default)]
pub(crate) struct UnderWay(Mutex<BTreeMap<String, u64>>);

/// What a guess is counted under: the account from this place, and the place.
#[derive(Debug, Clone)]
pub(super) struct Counted {
    limits: [(String, u64); 2],
    /// The sealed account that it is at.
    sealed: Option<AccountName>,
}

/// A try whose words are looked at. It counts until it is dropped, and for good if it was wrong.
#[derive(Debug)]
pub(super) struct Try<'e> {
    engine: &'e Engine,
    counted: Counted,
    _held: Held<'e>,
}

/// Counts under way; taken back when dropped.
#[derive(Debug)]
struct Held<'u> {
    under_way: &'u UnderWay,
    keys: [String; 2],
}

impl Counted {
    /// A guess at this account from there.
    pub(super) async fn of(
        reader: &Reader,
        name: &AccountName,
        from: &str,
    ) -> Result<Self, StoreError> {
        let found = reader.account(name).await?;
        let sealed = found.filter(|found| found.kind == AccountKind::BreakGlass);
        let sealed = sealed.map(|found| found.name);
        // What was typed as an account's name may be a passphrase, on the wrong line. So what is kept
        // names it by 32 bits: enough to tell accounts apart, too few to find the words out by.
        let digest = digest_of_bytes(name.as_str().as_bytes()).hex();
        let of_account = (format!("login/{digest:.8}/{from}"), GUESSES_FREE);
        let of_place = match sealed {
            Some(_) => (format!("sealed-from/{from}"), SEALED_GUESSES_FROM_ONE_PLACE),
            None => (format!("login-from/{from}"), GUESSES_FROM_ONE_PLACE),
        };
        Ok(Self { limits: [of_account, of_place], sealed })
    }

    /// Whether it is time to try again. Those `ahead` may all be wrong.
    ///
    /// # Errors
    /// [`Denied::Later`].
    pub(super) async fn is_time(
        &self,
        reader: &Reader,
        ahead: [u64; 2],
        now: Millis,
    ) -> Result<(), Denied> {
        for ((key, free), ahead) in self.limits.iter().zip(ahead) {
            let (count, until) = reader.tally(key, now).await?;
            if count.saturating_add(ahead) < *free {
                continue;
            }
            let since = until.minus(GUESSES_FOR);
            let next = since.plus(wait_after(count, *free));
            let behind = if ahead > 0 { now.plus(LOOKED_AT_WITHIN) } else { now };
            let next = next.max(behind);
            if now < next {
                return Err(Denied::Later { until: next });
            }
        }
        Ok(())
    }
}

impl UnderWay {
    /// Counts one more; how many of each were under way before it.
    fn hold(&self, counted: &Counted) -> (Held<'_>, [u64; 2]) {
        let keys = counted.limits.clone().map(|(key, _)| key);
        let mut all = lock(&self.0);
        let ahead = keys.clone().map(|key| {
            let count = all.entry(key).or_default();
            let before = *count;
            *count = before.saturating_add(1);
            before
        });
        (Held { under_way: self, keys }, ahead)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut all = lock(&self.under_way.0);
        for key in &self.keys {
            if let Some(count) = all.get_mut(key) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    all.remove(key);
                }
            }
        }
    }
}

impl Engine {
    /// A try at an account from there, where it is time for one.
    ///
    /// It is held before what was counted is read: whoever was wrong until then stands in the store,
    /// and whoever is not known yet stands before it.
    ///
    /// # Errors
    /// [`Denied::Later`].
    pub(super) async fn tries(&self, name: &AccountName, from: &str) -> Result<Try<'_>, Denied> {
        let reader = self.0.journal.doors();
        let counted = Counted::of(reader, name, from).await?;
        let (held, ahead) = self.0.guesses.hold(&counted);
        counted.is_time(reader, ahead, self.0.clock.now()).await?;
        Ok(Try { engine: self, counted, _held: held })
    }

    /// Counts wrong words for good.
    pub(super) async fn guessed(&self, counted: &Counted) -> Result<Denied, Denied> {
        let now = self.0.clock.now();
        for (key, _) in &counted.limits {
            self.0.journal.count(key, now, now.plus(GUESSES_FOR)).await?;
        }
        if let Some(account) = &counted.sealed {
            tracing::warn!(%account, "Somebody gave wrong words for a sealed account.");
        }
        Ok(Denied::Wrong)
    }
}

impl Try<'_> {
    /// The words were wrong. It is durable before anybody is told.
    pub(super) async fn was_wrong(self) -> Result<Denied, Denied> {
        self.engine.guessed(&self.counted).await
    }

    /// They were right: what was wrong before at this account from there is forgotten.
    pub(super) async fn was_right(self) -> Result<(), StoreError> {
        let [(of_account, _), _] = &self.counted.limits;
        self.engine.0.journal.forget(of_account).await
    }
}

/// How long to wait after so many wrong tries.
fn wait_after(count: u64, free: u64) -> Span {
    let doublings = u32::try_from(count.saturating_sub(free)).unwrap_or(u32::MAX).min(10);
    let wait = WAIT_FIRST.millis().saturating_mul(1 << doublings);
    Span::from_millis(wait.min(WAIT_MAX.millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_guesses_waits_longer_each_time_and_never_for_ever() {
        let waits: Vec<u64> = (5..14).map(|count| wait_after(count, 5).millis() / 1000).collect();
        assert_eq!(waits, [15, 30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(wait_after(u64::MAX, 5), WAIT_MAX);
    }

    #[test]
    fn what_is_under_way_is_counted_until_it_is_known() {
        let (under_way, counted) = (UnderWay::default(), counted("a"));
        let (first, ahead) = under_way.hold(&counted);
        assert_eq!(ahead, [0, 0]);
        let (second, ahead) = under_way.hold(&counted);
        assert_eq!(ahead, [1, 1]);
        drop(first);
        assert_eq!(under_way.hold(&counted).1, [1, 1]);
        drop(second);
        assert!(lock(&under_way.0).is_empty(), "nothing is kept of what is over");
    }

    fn counted(name: &str) -> Counted {
        Counted { limits: [(name.to_owned(), 5), ("place".to_owned(), 50)], sealed: None }
    }
}
