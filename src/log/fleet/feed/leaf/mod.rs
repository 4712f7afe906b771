//! The side of the leaf: an engine that asks a relay.

mod connection;
mod fault;
mod pace;
mod target;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

#[cfg(test)]
pub(super) use self::connection::Opened;
use self::{connection::Connection, pace::Pace, target::Target};
pub(super) use self::{
    connection::{Open, Place},
    fault::Fault,
};
use super::{
    super::{
        engine::{Append, Ask, Committed, Cursor, Done, Engine, Incarnation, Page},
        url::Url,
    },
    codec::{Leases, decode},
    question::{Applied, Question},
    view::View,
};
use crate::log::{Durability, LogError, LogErrorKind, NumericDate};

/// A log that is read from a relay.
pub(crate) struct Leaf {
    connection: Connection,
    /// For those that follow this node.
    reads: Connection,
    lease: Duration,
    state: Mutex<State>,
    /// The relay has answered, and can be asked again.
    again: Notify,
}

#[derive(Debug)]
struct State {
    pace: Pace,
    view: View,
    /// The shortest lease of those that follow the relay, as of its last answer.
    delay: Duration,
}

impl Leaf {
    /// Checks the URL and the files that it names, without a connection. It blocks.
    ///
    /// # Errors
    ///
    /// Fails if they can never lead to a connection.
    pub(in crate::log::fleet) fn check_url(url: &Url) -> Result<(), LogError> {
        Ok(Target::read(url).map(drop)?)
    }

    /// Connects to a relay, and checks that it is one.
    ///
    /// # Errors
    ///
    /// Fails with `Misconfigured` if something has to be changed before, with `UnknownFormat` if the
    /// relay has another version, and with `Unavailable` if it cannot be reached.
    pub(in crate::log::fleet) async fn open(url: &Url, lease: Duration) -> Result<Self, LogError> {
        let target = Target::read(url)?;
        let leaf = Self::new(target.place(), target.open(), lease);
        leaf.check().await?;
        Ok(leaf)
    }

    pub(super) fn new(place: Place, open: Arc<Open>, lease: Duration) -> Self {
        Self {
            connection: Connection::new(place.clone(), open.clone()),
            reads: Connection::new(place, open),
            lease,
            state: Mutex::new(State {
                pace: Pace::new(lease),
                view: View::default(),
                delay: Duration::ZERO,
            }),
            again: Notify::new(),
        }
    }

    /// Asks once, without being listed.
    pub(super) async fn check(&self) -> Result<(), Fault> {
        let question = Question::reading(None);
        let limit = self.lease.max(Duration::from_secs(10));
        let asked = timeout(limit, self.ask(&self.connection, &question)).await;
        match asked.unwrap_or_else(|_| Err(Fault::late(self.connection.place()))) {
            // It is a relay, and will have time.
            Err(fault) if fault.is_busy => Ok(()),
            asked => {
                let (_, leases) = asked?;
                self.state().delay = leases.shortest;
                self.suffices(leases)
            }
        }
    }

    /// Refuses a lease that would end although nothing has failed.
    fn suffices(&self, leases: Leases) -> Result<(), Fault> {
        let (place, Leases { longest, shortest }) = (self.connection.place(), leases);
        if self.lease >= shortest {
            return Ok(());
        }
        Err(Fault::misconfigured(if longest < shortest {
            format!(
                "too many relays are between the log and {place}: follow one that is nearer to it"
            )
        } else {
            format!(
                "a lease of {:?} is too short to follow {place}: set `lease` to at least {shortest:?}, \
                 and at most {longest:?}",
                self.lease,
            )
        }))
    }

    async fn ask(
        &self,
        connection: &Connection,
        question: &Question,
    ) -> Result<(Page, Leases), Fault> {
        let body = connection.ask(question).await?;
        let place = self.connection.place();
        let (page, leases) = decode(&body).map_err(|why| Fault::broken(why, place))?;
        let lease = leases.longest;
        if lease < self.lease {
            // The relay would not know for how long this process relies on an answer.
            return Err(Fault::misconfigured(format!(
                "the lease of {place} is {lease:?}: set `lease` to at most that",
            )));
        }
        Ok((page, leases))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn question(&mut self, ask: &Ask, now: Instant) -> Question {
        let seen = self.view.seen();
        let report = ask.report.as_ref();
        let applied = report.map(|report| Applied {
            incarnation: self.view.theirs(report.healed),
            sequence: report.applied,
        });
        // Who has everything of an empty log waits too.
        let is_empty = self.pace.upto() == Some(Cursor::default());
        Question {
            after: seen
                .filter(|_| is_empty || ask.after != Cursor::default())
                .map(|incarnation| (incarnation, ask.after)),
            wait: self.pace.wait(ask, now),
            member: ask.member,
            applied,
        }
    }

    fn answered(&mut self, question: &Question, took: Duration, page: &mut Page) -> bool {
        page.incarnation = self.view.ours(page.incarnation);
        self.pace.answered(question.wait, took, page)
    }

    /// The answer to an append of what the log has lost. `None` if the relay has never answered.
    fn kept(&self, append: &Append) -> Option<Committed> {
        let sequence = self.pace.upto()?.sequence;
        let done = Done::Appended { sequence, added: 0 };
        Some(Committed {
            incarnation: self.view.current()?,
            at: NumericDate::now(),
            batches: vec![done; append.batches.len()],
        })
    }
}

impl Engine for Leaf {
    async fn poll(&self, ask: Ask) -> Result<Page, LogError> {
        let sent = Instant::now();
        let question = self.state().question(&ask, sent);
        let asked = self.ask(&self.connection, &question).await;
        let (mut page, leases) = asked.map_err(Fault::while_open)?;
        // A relay that was busy at the start has not said this before.
        self.suffices(leases).map_err(Fault::while_open)?;
        let mut state = self.state();
        state.delay = leases.shortest;
        let asks_again = state.answered(&question, sent.elapsed(), &mut page);
        drop(state);
        if asks_again {
            self.again.notify_one();
        }
        Ok(page)
    }

    async fn read(&self, after: Cursor) -> Result<Page, LogError> {
        let seen = self.state().view.seen();
        let seen = seen.filter(|_| after != Cursor::default());
        let question = Question::reading(seen.map(|incarnation| (incarnation, after)));
        let asked = self.ask(&self.reads, &question).await;
        let (mut page, _) = asked.map_err(Fault::while_open)?;
        page.incarnation = self.state().view.name(page.incarnation);
        Ok(page)
    }

    fn delay(&self) -> Duration {
        self.state().delay
    }

    fn read_only(&self) -> Option<&'static str> {
        Some(READ_ONLY)
    }

    /// Fails if there is a record: a relay only reads. Those that write the log give back what it
    /// has lost. This process keeps it for itself, and need not wait for that.
    async fn append(&self, append: Append) -> Result<Committed, LogError> {
        // Without a record, it asks whether an append would be tried.
        if append.as_given || append.batches.is_empty() {
            let kept = self.state().kept(&append);
            return kept.ok_or_else(|| LogError::new(LogErrorKind::Unavailable));
        }
        Err(LogError::new(LogErrorKind::Misconfigured).caused_by(READ_ONLY))
    }

    /// Begins another incarnation here: the nodes that write the log do so for themselves.
    async fn begin(&self, after: Incarnation) -> Result<(), LogError> {
        self.state().view.begin(after);
        Ok(())
    }

    /// Calls all incarnations something else from now on. Which one is over is not for a leaf to say:
    /// relays behind one name, and a relay that has restarted, come back to one that it has seen
    /// before. The age in each answer says how fresh the leaf is.
    fn reconnect(&self) {
        self.state().view.rename();
    }

    async fn leave(&self, _: u64) -> Result<(), LogError> {
        Ok(())
    }

    async fn hint(&self) {
        self.again.notified().await;
    }

    async fn sweep(&self) -> Result<u64, LogError> {
        Ok(0)
    }

    /// Nothing is appended here.
    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}

const READ_ONLY: &str = "a feed can only be read: revoke at a process whose log is on a server";
