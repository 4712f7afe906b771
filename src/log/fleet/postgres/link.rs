//! A connection that comes back by itself.

use std::sync::Arc;

use tokio::{sync::Mutex, task::JoinHandle, time};
use tokio_postgres::{Row, types::ToSql};

use super::{
    advice,
    fault::Fault,
    migrate,
    session::{Question, Session},
    target::Target,
    values::column,
};

/// Each statement begins with three columns: the process of the server, the version of the tables,
/// and whether commits wait for a standby. Its own columns follow.
pub(super) const OWN: usize = 3;

pub(super) struct Link {
    pub(super) target: Arc<Target>,
    state: Mutex<State>,
}

struct State {
    session: Option<Session>,
    /// It goes on after the call that began it was given up: connecting may take longer than a call.
    connecting: Option<JoinHandle<Result<Session, Fault>>>,
}

impl State {
    async fn connect(&mut self, target: &Arc<Target>) -> Result<Session, Fault> {
        let begin = || {
            let to = target.clone();
            target.runtime.spawn(async move { to.connect().await })
        };
        let connected = self.connecting.get_or_insert_with(begin).await;
        self.connecting = None;
        connected.unwrap_or_else(|_| Err(Fault::unavailable("the attempt to connect ended")))
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if let Some(connecting) = &self.connecting {
            connecting.abort();
        }
    }
}

impl Link {
    pub(super) fn new(target: Arc<Target>, session: Session) -> Self {
        Self::with(target, Some(session))
    }

    /// Connects at the first call.
    #[cfg(any(
        feature = "admin",
        feature = "embedded",
        feature = "feed",
        feature = "jwt"
    ))]
    pub(super) fn idle(target: Arc<Target>) -> Self {
        Self::with(target, None)
    }

    fn with(target: Arc<Target>, session: Option<Session>) -> Self {
        let state = Mutex::new(State {
            session,
            connecting: None,
        });
        Self { target, state }
    }

    /// Asks for a row, within the time limit. Connects again if the connection is lost or was left
    /// in the middle of a call, and if another server is the primary now.
    pub(super) async fn ask(
        &self,
        sql: &Arc<str>,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, Fault> {
        self.within(Question::new(sql, parameters)).await
    }

    /// Like [`ask`](Self::ask), and sends another statement at once, which has to succeed as well.
    pub(super) async fn ask_then(
        &self,
        sql: &Arc<str>,
        parameters: &[&(dyn ToSql + Sync)],
        flush: &Arc<str>,
    ) -> Result<Row, Fault> {
        self.within(Question::new(sql, parameters).then(flush))
            .await
    }

    async fn within(&self, question: Question<'_>) -> Result<Row, Fault> {
        let asked = time::timeout(self.target.timeout, self.attempts(question)).await;
        let answer = asked.unwrap_or_else(|_| Err(self.target.late()));
        answer.map_err(Fault::while_open)
    }

    async fn attempts(&self, question: Question<'_>) -> Result<Row, Fault> {
        let mut state = self.state.lock().await;
        let is_usable =
            |session: &Session| !session.client.is_closed() && self.target.keeps(session);
        if let Some(session) = state.session.take().filter(is_usable) {
            let mut busy = Busy::new(session, &self.target);
            match busy.ask(question).await {
                // The server may have restarted since the last call. A statement that is sent twice
                // does no harm.
                Err(fault) if fault.lost => {}
                asked => {
                    state.session = busy.done();
                    return asked;
                }
            }
        }
        let mut busy = Busy::new(state.connect(&self.target).await?, &self.target);
        let asked = busy.ask(question).await;
        state.session = busy.done();
        asked
    }
}

/// A session during a call. If the call is given up, so is the session: its answer would be taken
/// for that of the next call.
struct Busy<'a> {
    session: Option<Session>,
    target: &'a Target,
}

impl<'a> Busy<'a> {
    fn new(session: Session, target: &'a Target) -> Self {
        let session = Some(session);
        Self { session, target }
    }

    async fn ask(&mut self, question: Question<'_>) -> Result<Row, Fault> {
        let Some(session) = &mut self.session else {
            return Err(self.target.late());
        };
        let row = session.row(question).await?;
        if column::<i32>(&row, 0)? != session.process {
            return Err(Fault::misconfigured(advice::pooled(&session.who.place)));
        }
        let format = usize::try_from(column::<i32>(&row, 1)?).unwrap_or(usize::MAX);
        migrate::compare(format, migrate::FORMAT, &self.target.schema)?;
        self.target.saw(column(&row, 2)?)?;
        Ok(row)
    }

    /// The call has ended. Returns the session for the next one.
    fn done(mut self) -> Option<Session> {
        self.session.take()
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else {
            return;
        };
        if session.client.is_closed() {
            return;
        }
        self.target.leave(session.place);
        // A commit that waits for a standby does not notice that its caller has gone. Without this,
        // each call that was given up would occupy a process of the server.
        let cancel = session.client.cancel_token();
        let tls = session.tls.clone();
        let limit = self.target.timeout;
        self.target.runtime.spawn(async move {
            let _ = time::timeout(limit, cancel.cancel_query(tls)).await;
        });
    }
}
