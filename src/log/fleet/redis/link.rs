//! A connection that comes back by itself.

use std::sync::Arc;

use tokio::{
    sync::Mutex,
    task::{self, JoinHandle},
    time,
};

use super::{
    fault::{Fault, Then},
    resp::{Reply, Request},
    session::Session,
    target::Target,
};

pub(super) struct Link {
    pub(super) target: Arc<Target>,
    slot: Mutex<Slot>,
}

enum Slot {
    Empty,
    Idle(Box<Session>),
    /// In a task of its own, which goes on if the call that began it is given up.
    Connecting(JoinHandle<Result<Session, Fault>>),
}

/// What a call sends, and what it makes of the replies.
pub(super) trait Call {
    type Answer;

    fn request(&self, session: &Session) -> Request;

    fn read(&self, replies: Vec<Reply>, session: &Session) -> Result<Self::Answer, Fault>;
}

impl Link {
    pub(super) fn new(target: Arc<Target>, session: Session) -> Self {
        let slot = Mutex::new(Slot::Idle(Box::new(session)));
        Self { target, slot }
    }

    /// Connects at the first call.
    #[cfg(any(
        feature = "admin",
        feature = "embedded",
        feature = "feed",
        feature = "jwt"
    ))]
    pub(super) fn idle(target: Arc<Target>) -> Self {
        let slot = Mutex::new(Slot::Empty);
        Self { target, slot }
    }

    /// Calls the server, within the time limit. Connects again if the connection is lost or was left
    /// in the middle of a call.
    pub(super) async fn call<C: Call>(&self, call: &C) -> Result<C::Answer, Fault> {
        let called = time::timeout(self.target.timeout, self.attempts(call)).await;
        let answer = called.unwrap_or_else(|_| Err(self.target.late()));
        answer.map_err(Fault::while_open)
    }

    async fn attempts<C: Call>(&self, call: &C) -> Result<C::Answer, Fault> {
        let mut slot = self.slot.lock().await;
        let was_idle = matches!(*slot, Slot::Idle(_));
        let first = self.attempt(&mut slot, call).await;
        match first {
            // The server may have restarted since the last call. A request that is sent twice does
            // no harm.
            Err(fault) if fault.then == Then::Again && was_idle => {
                self.attempt(&mut slot, call).await
            }
            answer => answer,
        }
    }

    async fn attempt<C: Call>(&self, slot: &mut Slot, call: &C) -> Result<C::Answer, Fault> {
        let mut busy = Busy {
            session: Some(self.session(slot).await?),
            target: &self.target,
        };
        let asked = busy.ask(call).await;
        match &asked {
            Err(fault) if fault.then != Then::Keep => {
                if let Some(session) = busy.done() {
                    self.target.leave(session.entry);
                }
            }
            _ => *slot = busy.done().map_or(Slot::Empty, Slot::Idle),
        }
        asked
    }

    async fn session(&self, slot: &mut Slot) -> Result<Box<Session>, Fault> {
        let connecting = match std::mem::replace(slot, Slot::Empty) {
            Slot::Idle(session) if self.target.keeps(&session) => {
                return Ok(session);
            }
            Slot::Connecting(connecting) => connecting,
            Slot::Idle(_) | Slot::Empty => {
                let target = self.target.clone();
                task::spawn(async move { target.connect().await })
            }
        };
        // It stays there if this call is given up.
        *slot = Slot::Connecting(connecting);
        let Slot::Connecting(connecting) = slot else {
            return Err(self.target.late());
        };
        let connected = connecting.await;
        *slot = Slot::Empty;
        let connected = connected.map_err(|_| Fault::unavailable("the runtime has ended"))?;
        connected.map(Box::new)
    }
}

/// A session during a call. If the call is given up, so is the session: its reply would be taken for
/// that of the next call.
struct Busy<'a> {
    session: Option<Box<Session>>,
    target: &'a Target,
}

impl Busy<'_> {
    async fn ask<C: Call>(&mut self, call: &C) -> Result<C::Answer, Fault> {
        let Some(session) = &mut self.session else {
            return Err(self.target.late());
        };
        let request = call.request(session);
        let replies = session.wire.ask(&request).await?;
        call.read(replies, session)
    }

    /// The call has ended.
    fn done(mut self) -> Option<Box<Session>> {
        self.session.take()
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.target.leave(session.entry);
        }
    }
}
