//! What does a relay say to a question, and when?

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use futures::{channel::oneshot, future};
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    super::{
        super::engine::{History, Incarnation, Membership, Page},
        codec::{LONGEST_PAGE, Leases, Packed, encode, pack},
        question::Question,
    },
    Relay, State,
    leaves::Listing,
    shares::{Credential, Share},
};

/// Why a question gets no answer now.
#[derive(Debug)]
pub(in crate::log::fleet::feed) enum Busy {
    /// Too many leaves follow.
    Leaves,
    /// Too many ask for what is not in memory.
    Snapshots,
    /// Too much is being sent to those who read slowly.
    Answers,
    /// The leaf asks again.
    AskedAgain,
    Engine,
}

/// What the memory of a relay says to a question.
enum Look {
    Found(Page, Vec<Packed>),
    /// The leaf has more than the relay, which is usual after it has asked another relay.
    Ahead,
    Unknown,
}

/// An answer that is being sent. Its share is free again once it is sent, or given up.
struct Sending {
    bytes: Bytes,
    _share: Share,
}

impl AsRef<[u8]> for Sending {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Relay {
    /// Answers a question, at once if there is something new, and otherwise after its wait.
    pub(in crate::log::fleet::feed) async fn answer(
        &self,
        credential: Credential,
        question: &Question,
    ) -> Result<Bytes, Busy> {
        let now = Instant::now();
        let again = self.hear(credential, question, now)?;
        let is_listed = again.is_some();
        let answer = pin!(self.find(credential, question, is_listed, now));
        let bytes = match again {
            None => answer.await?,
            Some(again) => match future::select(answer, again).await {
                future::Either::Left((answer, _)) => answer?,
                future::Either::Right(_) => return Err(Busy::AskedAgain),
            },
        };
        let share = self.answers.take(credential, bytes.len());
        let share = share.ok_or(Busy::Answers)?;
        Ok(Bytes::from_owner(Sending {
            bytes,
            _share: share,
        }))
    }

    /// Takes down what the leaf says of itself. If it was listed before, returns what is ready once it
    /// asks again.
    fn hear(
        &self,
        credential: Credential,
        question: &Question,
        now: Instant,
    ) -> Result<Option<oneshot::Receiver<()>>, Busy> {
        // Its lease counts from before now, by a clock that may be slower.
        let lease = self.lease.mul_f64(1.02);
        let Question {
            member, applied, ..
        } = *question;
        let mut state = self.state();
        let (name, reported) = ((credential, member), state.reported);
        let was_behind = state.leaves.is_behind(name, reported, now);
        let listing = state.leaves.heard(name, applied, now, lease);
        // Only a leaf that was behind can have held up the others.
        if state.report_wanted && was_behind && !state.leaves.is_behind(name, reported, now) {
            self.risen.notify_one();
        }
        match listing {
            Listing::Before(again) => Ok(Some(again)),
            Listing::New => Ok(None),
            Listing::Full => Err(Busy::Leaves),
        }
    }

    async fn find(
        &self,
        credential: Credential,
        question: &Question,
        is_listed: bool,
        now: Instant,
    ) -> Result<Bytes, Busy> {
        let mut changed = self.changed.subscribe();
        let deadline = now + question.wait.min(self.lease / 5);
        let (mut barrier, mut is_over) = (None, false);
        loop {
            match self.look(question, is_listed) {
                Look::Found(page, records) => {
                    let had_barrier = *barrier.get_or_insert(page.membership.barrier);
                    let is_news = !records.is_empty()
                        || !is_listed
                        || had_barrier && !page.membership.barrier
                        || question.after.map(|after| after.0) != Some(page.incarnation);
                    if is_news || is_over {
                        return Ok(encode(&page, self.leases(), &records));
                    }
                }
                // Only listed leaves wait: the table of leaves limits how many.
                Look::Ahead if is_listed && !is_over => {}
                Look::Ahead | Look::Unknown => {
                    return self.pass(credential, question, is_listed).await;
                }
            }
            let changed = pin!(changed.changed());
            is_over = timeout_at(deadline, changed).await.is_err();
        }
    }

    fn look(&self, question: &Question, is_listed: bool) -> Look {
        let state = self.state();
        let (Some(incarnation), Some(head)) = (state.ring.incarnation(), state.ring.head()) else {
            return Look::Unknown;
        };
        let after = question.after.map(|(_, after)| after).unwrap_or_default();
        let Some(tail) = state.ring.after(after) else {
            let is_ahead = question
                .after
                .is_some_and(|(of, after)| of == incarnation && after.sequence > head.sequence);
            return if is_ahead { Look::Ahead } else { Look::Unknown };
        };
        let mut page = Page {
            incarnation,
            history: History::Same,
            upto: tail.upto,
            records: Vec::new(),
            more: tail.more,
            expected: None,
            forgotten: state.forgotten,
            membership: Membership {
                was_listed: is_listed,
                barrier: false,
                report_wanted: state.report_wanted,
                members: Vec::new(),
            },
            age: Duration::ZERO,
            engine_now: None,
        };
        // The ring has everything that the node had at that moment, or else it says nothing.
        self.limit(&mut page, &state, head.sequence);
        Look::Found(page, tail.records)
    }

    /// Asks the engine. The question goes on if the client goes away: what it costs the engine counts
    /// until its end, and the connection can be used for the next one.
    async fn pass(
        &self,
        credential: Credential,
        question: &Question,
        is_listed: bool,
    ) -> Result<Bytes, Busy> {
        let ticket = self.passing.take(credential, 1).ok_or(Busy::Snapshots)?;
        let after = question.after.map(|(_, after)| after).unwrap_or_default();
        let reading = timeout(self.patience, (self.read)(after));
        let reading = tokio::spawn(async move {
            let read = reading.await;
            drop(ticket);
            read
        });
        let Ok(Ok(Ok(mut page))) = reading.await else {
            return Err(Busy::Engine);
        };
        if page.records.len() > LONGEST_PAGE {
            return Err(Busy::Engine);
        }
        let state = self.state();
        // The leaf would hear of the one in memory next, and take this one for over from then on.
        // Before the first poll there is none: the leaf can read, and renews nothing.
        let known = state.ring.incarnation();
        if known.is_some_and(|known| known != page.incarnation) {
            return Err(Busy::Engine);
        }
        page.membership.was_listed = is_listed;
        self.limit(&mut page, &state, u64::MAX);
        drop(state);
        let records: Vec<_> = page.records.iter().map(pack).collect();
        Ok(encode(&page, self.leases(), &records))
    }

    /// A hop adds the time from one answer to the next, and that for which the relay waits.
    fn leases(&self) -> Leases {
        Leases {
            longest: self.lease,
            shortest: (self.delay)() + self.lease * 2 / 5,
        }
    }

    /// Limits the freshness of a leaf to that of the node, if the node was complete up to `head` or before.
    /// The answer of the engine alone is not enough: an old engine may not know that it has been
    /// replaced, and appends do not wait for a node that is not listed.
    fn limit(&self, page: &mut Page, state: &State, head: u64) {
        let complete = state.complete.filter(|(position, _)| {
            Incarnation(position.epoch) == page.incarnation && position.sequence <= head
        });
        let age = complete.map(|(_, asked)| (self.clock)().since(asked));
        page.membership.barrier |= age.is_none();
        page.age = page.age.max(age.unwrap_or(Duration::MAX));
    }
}
