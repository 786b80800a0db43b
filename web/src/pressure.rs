//! Back-pressure: how many requests are worked on, how many may wait, and who never waits behind
//! whom.
//!
//! Lanes with places of their own. However many people reload their lists, and however many
//! strangers try passphrases, a vote and the stop switch find a place that nobody else may take.

use std::sync::Arc;
use std::time::Duration;

use beistand_core::model::Person;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use crate::limits::Limits;
use crate::peer::Peer;
use crate::report::Problem;
use crate::share::{Share, Shares};

/// Which places a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Most of them.
    Ordinary,
    /// What must get through: votes and answers, the stop switch, the proof they want.
    Urgent,
    /// Logging in: what strangers may ask for, and what costs the most.
    LogIn,
    /// Proving it once more: it costs as much, and only who is logged in may ask for it.
    Prove,
    /// Checking a text: it takes long, and what is launched or kept waits for none.
    Check,
    /// It waits for nothing, because it costs nothing.
    Free,
}

/// A place at work; given back when dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _held: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
    _share: Option<Share<Person>>,
}

/// Memory for what somebody sends whom nobody knows yet; given back when dropped.
#[derive(Debug)]
pub(crate) struct Stranger {
    _memory: OwnedSemaphorePermit,
    _share: Option<Share<String>>,
}

/// The places of one lane.
#[derive(Debug)]
struct Places {
    /// At work or waiting.
    seats: Arc<Semaphore>,
    /// At work.
    work: Arc<Semaphore>,
    at_work: u32,
}

/// All lanes.
#[derive(Debug)]
pub(crate) struct Pressure {
    ordinary: Places,
    urgent: Places,
    log_in: Places,
    prove: Places,
    /// Finding out who asks, and who asks for what is urgent.
    asking: Places,
    asking_urgent: Places,
    check: Places,
    large: Arc<Semaphore>,
    /// Texts to be checked, in memory.
    texts: Arc<Semaphore>,
    /// What strangers send, in memory.
    strangers: Arc<Semaphore>,
    strangers_shares: Shares<String>,
    /// Of what is urgent.
    shares: Shares<Person>,
    waits: Duration,
    turned_away_after: Duration,
}

impl Places {
    fn new(at_work: u32, waiting: u32) -> Self {
        let semaphore = |places: u32| Arc::new(Semaphore::new(places as usize));
        let seats = semaphore(at_work.saturating_add(waiting));
        Self { seats, work: semaphore(at_work), at_work }
    }

    async fn turn(&self, waits: Duration) -> Result<Turn, Problem> {
        let full = || Problem::too_many("more is asked of this server at once than it can bear");
        let seat = Arc::clone(&self.seats).try_acquire_owned().map_err(|_| full())?;
        let work = timeout(waits, Arc::clone(&self.work).acquire_owned()).await;
        let work = work.map_err(|_| full())?.map_err(|_| full())?;
        Ok(Turn { _held: Some((seat, work)), _share: None })
    }

    /// As [`Self::turn`], for those of whom there may be any number: who finds no seat is told so a
    /// while later. At once they would ask again at once, and to turn them away would be all that is
    /// still done.
    async fn turn_of_many(&self, pressure: &Pressure) -> Result<Turn, Problem> {
        if self.seats.available_permits() == 0 {
            sleep(pressure.turned_away_after).await;
        }
        self.turn(pressure.waits).await
    }
}

impl Pressure {
    pub(crate) fn new(limits: &Limits) -> Self {
        let semaphore = |places: u32| Arc::new(Semaphore::new(places as usize));
        Self {
            ordinary: Places::new(limits.at_work_max, limits.waiting_max),
            urgent: Places::new(limits.urgent_at_work_max, limits.urgent_waiting_max),
            log_in: Places::new(limits.log_in_at_work_max, limits.log_in_waiting_max),
            prove: Places::new(limits.log_in_at_work_max, limits.log_in_waiting_max),
            asking: Places::new(limits.asking_at_work_max, limits.connections_max),
            asking_urgent: Places::new(limits.asking_at_work_max, limits.connections_max),
            check: Places::new(limits.checks_at_work_max, limits.checks_waiting_max),
            large: semaphore(limits.large_bodies_max),
            texts: semaphore(limits.checked_texts_max),
            strangers: semaphore(limits.strangers_bodies_max),
            strangers_shares: Shares::new(limits.strangers_bodies_of_a_network_max),
            shares: Shares::new(limits.urgent_of_one_max),
            waits: limits.waits_within,
            turned_away_after: limits.turned_away_after,
        }
    }

    /// Memory for a large body, until it is dropped: texts that are checked take none of what a file
    /// needs.
    ///
    /// # Errors
    /// 429 at once: whoever sends one would hold up the others for long.
    pub(crate) fn large(&self, lane: Lane) -> Result<OwnedSemaphorePermit, Problem> {
        let memory = match lane {
            Lane::Check => &self.texts,
            Lane::Ordinary | Lane::Urgent | Lane::LogIn | Lane::Prove | Lane::Free => &self.large,
        };
        let full = "other large bodies are being read; send yours in a moment";
        Arc::clone(memory).try_acquire_owned().map_err(|_| Problem::too_many(full))
    }

    /// Memory for what a stranger sends who has more to say than words to log in by, until it is dropped.
    /// This machine stands for many.
    ///
    /// # Errors
    /// 429 at once.
    pub(crate) fn stranger(&self, peer: &Peer) -> Result<Stranger, Problem> {
        let full = || Problem::too_many("more is sent at once by whoever nobody knows yet");
        let here = peer.address.is_loopback();
        let share = (!here).then(|| self.strangers_shares.take(&peer.network())).transpose();
        let share = share.map_err(|_| full())?;
        let memory = Arc::clone(&self.strangers).try_acquire_owned().map_err(|_| full())?;
        Ok(Stranger { _memory: memory, _share: share })
    }

    /// A place to find out who asks for something in a lane: one after the other, and there is a seat
    /// for each connection. Who asks for something urgent waits behind nobody who does not.
    ///
    /// # Errors
    /// 429 when it took too long.
    pub(crate) async fn asks(&self, lane: Lane) -> Result<Turn, Problem> {
        let places = match lane {
            Lane::Urgent | Lane::Prove => &self.asking_urgent,
            Lane::Ordinary | Lane::LogIn | Lane::Check | Lane::Free => &self.asking,
        };
        places.turn(self.waits).await
    }

    /// A place in a lane for this person, as soon as there is one. Of what is urgent nobody holds more
    /// than a share: an account that may do nothing asks for it too, until it is refused.
    ///
    /// # Errors
    /// 429 when too many wait already, or it took too long, or their share is used up.
    pub(crate) async fn turn(&self, lane: Lane, who: Option<&Person>) -> Result<Turn, Problem> {
        match lane {
            Lane::Ordinary => self.ordinary.turn_of_many(self).await,
            Lane::Urgent => {
                let share = who.map(|person| self.shares.take(person)).transpose();
                let share = share.map_err(|held| {
                    let text = format!("{held} urgent requests of yours are under way");
                    Problem::too_many(text).hint("wait for one of them")
                })?;
                Ok(Turn { _share: share, ..self.urgent.turn(self.waits).await? })
            }
            Lane::LogIn => self.log_in.turn_of_many(self).await,
            Lane::Prove => self.prove.turn(self.waits).await,
            Lane::Check => self.check.turn_of_many(self).await,
            Lane::Free => Ok(Turn { _held: None, _share: None }),
        }
    }

    /// Waits until nothing is at work.
    pub(crate) async fn idle(&self) {
        for places in [&self.ordinary, &self.urgent, &self.log_in, &self.prove, &self.check] {
            drop(places.work.acquire_many(places.at_work).await);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrow() -> Pressure {
        let limits = Limits {
            at_work_max: 1,
            waiting_max: 1,
            urgent_at_work_max: 1,
            urgent_waiting_max: 0,
            log_in_at_work_max: 1,
            log_in_waiting_max: 0,
            waits_within: Duration::from_millis(20),
            turned_away_after: Duration::from_millis(5),
            urgent_of_one_max: 2,
            ..Limits::default()
        };
        Pressure::new(&limits)
    }

    #[tokio::test]
    async fn beyond_those_that_may_wait_it_is_too_many_at_once() {
        let pressure = narrow();
        let first = pressure.turn(Lane::Ordinary, None).await.unwrap();
        let (second, third) =
            tokio::join!(pressure.turn(Lane::Ordinary, None), pressure.turn(Lane::Ordinary, None));
        // One waited in vain for the first, the other found no seat.
        assert_eq!(second.unwrap_err().status().as_u16(), 429);
        assert_eq!(third.unwrap_err().status().as_u16(), 429);
        drop(first);
        assert!(pressure.turn(Lane::Ordinary, None).await.is_ok());
    }

    #[tokio::test]
    async fn who_waits_gets_the_place_that_becomes_free() {
        let pressure = narrow();
        let first = pressure.turn(Lane::Ordinary, None).await.unwrap();
        let (second, ()) = tokio::join!(pressure.turn(Lane::Ordinary, None), async { drop(first) });
        assert!(second.is_ok());
    }

    #[tokio::test]
    async fn neither_readers_nor_logins_take_a_place_of_what_is_urgent() {
        let pressure = narrow();
        let _ordinary = pressure.turn(Lane::Ordinary, None).await.unwrap();
        let _login = pressure.turn(Lane::LogIn, None).await.unwrap();
        assert!(pressure.turn(Lane::LogIn, None).await.is_err());
        let _urgent = pressure.turn(Lane::Urgent, None).await.unwrap();
        assert!(pressure.turn(Lane::Urgent, None).await.is_err());
        assert!(pressure.turn(Lane::Free, None).await.is_ok());
    }

    #[tokio::test]
    async fn a_text_that_is_checked_takes_neither_a_place_nor_the_memory_of_a_file() {
        let limits = Limits { large_bodies_max: 1, checked_texts_max: 1, ..Limits::default() };
        let pressure = Pressure::new(&Limits { checks_waiting_max: 0, ..limits });
        let _checked = pressure.turn(Lane::Check, None).await.unwrap();
        assert!(pressure.turn(Lane::Check, None).await.is_err());
        assert!(pressure.turn(Lane::Ordinary, None).await.is_ok());
        let _text = pressure.large(Lane::Check).unwrap();
        assert!(pressure.large(Lane::Check).is_err());
        assert!(pressure.large(Lane::Ordinary).is_ok());
    }

    #[test]
    fn strangers_fill_no_memory_and_one_network_leaves_room_for_others() {
        let limits = Limits {
            strangers_bodies_max: 3,
            strangers_bodies_of_a_network_max: 2,
            ..Limits::default()
        };
        let pressure = Pressure::new(&limits);
        let sends = |from: &str| {
            let peer = Peer { address: from.parse().unwrap(), host: None, tls: true };
            pressure.stranger(&peer)
        };
        let mut held = vec![sends("2001:db8:1:2::3").unwrap(), sends("2001:db8:1:ff::3").unwrap()];
        assert_eq!(sends("2001:db8:1:7::9").unwrap_err().status().as_u16(), 429);
        held.push(sends("2001:db8:2::1").unwrap());
        assert_eq!(sends("192.0.2.1").unwrap_err().status().as_u16(), 429, "all of it is taken");
        held.clear();
        let here = [sends("127.0.0.1"), sends("127.0.0.1"), sends("::1")];
        assert!(here.iter().all(Result::is_ok), "this machine stands for many: {here:?}");
        assert!(sends("127.0.0.1").is_err());
    }

    #[tokio::test]
    async fn one_person_leaves_what_is_urgent_to_others() {
        let limits = Limits { urgent_of_one_max: 2, ..Limits::default() };
        let pressure = Pressure::new(&limits);
        let (anna, ben): (Person, Person) = ("anna".parse().unwrap(), "ben".parse().unwrap());
        let mine = [
            pressure.turn(Lane::Urgent, Some(&anna)).await.unwrap(),
            pressure.turn(Lane::Urgent, Some(&anna)).await.unwrap(),
        ];
        let third = pressure.turn(Lane::Urgent, Some(&anna)).await.unwrap_err();
        assert_eq!(third.status().as_u16(), 429);
        assert!(pressure.turn(Lane::Urgent, Some(&ben)).await.is_ok());
        assert!(pressure.turn(Lane::Ordinary, Some(&anna)).await.is_ok());
        drop(mine);
        assert!(pressure.turn(Lane::Urgent, Some(&anna)).await.is_ok());
    }

    #[tokio::test]
    async fn who_is_turned_away_hears_it_later_but_for_what_is_urgent() {
        let limits = Limits {
            at_work_max: 1,
            waiting_max: 0,
            urgent_at_work_max: 1,
            urgent_waiting_max: 0,
            turned_away_after: Duration::from_hours(1),
            ..Limits::default()
        };
        let pressure = Pressure::new(&limits);
        let _held = [
            pressure.turn(Lane::Ordinary, None).await.unwrap(),
            pressure.turn(Lane::Urgent, None).await.unwrap(),
        ];
        let ordinary = timeout(Duration::from_millis(5), pressure.turn(Lane::Ordinary, None));
        assert!(ordinary.await.is_err(), "it still waits");
        let urgent = timeout(Duration::from_secs(5), pressure.turn(Lane::Urgent, None));
        assert!(urgent.await.unwrap().is_err(), "it is told at once");
    }

    #[tokio::test]
    async fn it_is_idle_when_the_last_one_left() {
        let pressure = narrow();
        let turn = pressure.turn(Lane::Ordinary, None).await.unwrap();
        let brief = Duration::from_millis(5);
        assert!(timeout(brief, pressure.idle()).await.is_err());
        drop(turn);
        assert!(timeout(Duration::from_secs(5), pressure.idle()).await.is_ok());
    }
}
