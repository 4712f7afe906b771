//! One connection, set up and checked.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::future::join;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Notify,
    task::JoinHandle,
};
use tokio_postgres::{
    AsyncMessage, Client, Connection, Row, SimpleQueryMessage, SimpleQueryRow, Statement,
    error::Severity, types::ToSql,
};

use super::{advice::Who, checks, fault::Fault, settings::Server, target::Target, tls::Tls};

/// What a connection gets beside the answers.
#[derive(Default)]
pub(super) struct Inbox {
    warnings: AtomicU64,
    /// Another node has appended.
    pub(super) notified: Notify,
    /// The connection has ended.
    pub(super) closed: Notify,
}

/// A statement that gives a row.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    sql: &'a Arc<str>,
    parameters: &'a [&'a (dyn ToSql + Sync)],
    /// A statement that is sent with it.
    flush: Option<&'a Arc<str>>,
}

impl<'a> Question<'a> {
    pub(super) fn new(sql: &'a Arc<str>, parameters: &'a [&'a (dyn ToSql + Sync)]) -> Self {
        Self {
            sql,
            parameters,
            flush: None,
        }
    }

    /// The answer counts once this statement has succeeded too. It is sent with the question.
    pub(super) fn then(self, flush: &'a Arc<str>) -> Self {
        Self {
            flush: Some(flush),
            ..self
        }
    }
}

pub(super) struct Session {
    pub(super) client: Client,
    pub(super) who: Who,
    /// Which of the servers it is.
    pub(super) place: usize,
    /// See [`Target::keeps`].
    pub(super) generation: u64,
    pub(super) tls: Tls,
    /// The process of the server. Another one in an answer means another session.
    pub(super) process: i32,
    /// When the server was started.
    pub(super) identity: String,
    /// Whether commits wait for a standby, as of the beginning.
    pub(super) replicated: bool,
    pub(super) inbox: Arc<Inbox>,
    prepared: Vec<(Arc<str>, Statement)>,
    driver: JoinHandle<()>,
}

impl Session {
    pub(super) async fn open(
        target: &Target,
        place: usize,
        who: Who,
        server: &Server,
        tls: &Tls,
    ) -> Result<Self, Fault> {
        let mut session = Self::connect(place, who, server, tls).await?;
        let facts = checks::server(&session).await?;
        session.process = facts.process;
        session.replicated = facts.replicated;
        session.run(&setup(target.timeout)).await?;
        session.identity = checks::identity(&session).await?;
        // A part of the incarnation, which functions of the schema compute.
        let set = format!("set tower_revocation.identity = '{}'", session.identity);
        session.run(&set).await?;
        Ok(session)
    }

    /// Connects to a server that is only read from.
    pub(super) async fn reading(
        target: &Target,
        who: Who,
        server: &Server,
        tls: &Tls,
    ) -> Result<Self, Fault> {
        let session = Self::connect(0, who, server, tls).await?;
        session.run(&setup(target.timeout)).await?;
        Ok(session)
    }

    async fn connect(place: usize, who: Who, server: &Server, tls: &Tls) -> Result<Self, Fault> {
        let connected = server.config.connect(tls.clone()).await;
        let (client, connection) = connected.map_err(|error| Fault::connecting(&error, &who))?;
        let inbox = Arc::new(Inbox::default());
        let driver = tokio::spawn(drive(connection, inbox.clone()));
        Ok(Self {
            client,
            who,
            place,
            generation: 0,
            tls: tls.clone(),
            process: 0,
            identity: String::new(),
            replicated: false,
            inbox,
            prepared: Vec::new(),
            driver,
        })
    }

    /// Runs statements without an answer.
    pub(super) async fn run(&self, sql: &str) -> Result<(), Fault> {
        let run = self.client.batch_execute(sql).await;
        run.map_err(|error| Fault::asking(&error, &self.who))
    }

    /// Asks for a row of text.
    pub(super) async fn text(&self, sql: &str) -> Result<SimpleQueryRow, Fault> {
        let messages = self.client.simple_query(sql).await;
        let messages = messages.map_err(|error| Fault::asking(&error, &self.who))?;
        let mut rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        rows.next()
            .ok_or_else(|| Fault::corrupt(format!("{} gives no answer", self.who.place)))
    }

    /// Asks for a row. Statements are prepared once.
    ///
    /// # Errors
    ///
    /// Fails also if a commit was to wait for a standby and somebody has ended the wait: PostgreSQL
    /// calls that a success with a warning.
    pub(super) async fn row(&mut self, question: Question<'_>) -> Result<Row, Fault> {
        let statement = self.prepare(question.sql).await?;
        let flush = match &question.flush {
            Some(sql) => Some(self.prepare(sql).await?),
            None => None,
        };
        let warnings = self.inbox.warnings.load(Ordering::Acquire);
        let asking = self.client.query_one(&statement, question.parameters);
        // Both are sent together.
        let flushing = async {
            match &flush {
                Some(flush) => self.client.execute(flush, &[]).await.map(drop),
                None => Ok(()),
            }
        };
        let (row, flushed) = join(asking, flushing).await;
        let row = row.and_then(|row| flushed.map(|()| row));
        let row = row.map_err(|error| Fault::asking(&error, &self.who))?;
        if self.inbox.warnings.load(Ordering::Acquire) != warnings {
            return Err(Fault::unavailable(format!(
                "{} has committed without its standby",
                self.who.place,
            )));
        }
        Ok(row)
    }

    async fn prepare(&mut self, sql: &Arc<str>) -> Result<Statement, Fault> {
        let known = self.prepared.iter().find(|(known, _)| known == sql);
        if let Some((_, statement)) = known {
            return Ok(statement.clone());
        }
        let prepared = self.client.prepare(sql).await;
        let statement = prepared.map_err(|error| Fault::asking(&error, &self.who))?;
        self.prepared.push((sql.clone(), statement.clone()));
        Ok(statement)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Carries messages until the connection ends.
async fn drive<S, T>(mut connection: Connection<S, T>, inbox: Arc<Inbox>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
        match message {
            // Counted before the answer that follows it is handed over.
            AsyncMessage::Notice(notice) if notice.parsed_severity() == Some(Severity::Warning) => {
                inbox.warnings.fetch_add(1, Ordering::Release);
            }
            AsyncMessage::Notification(_) => inbox.notified.notify_one(),
            _ => {}
        }
    }
    inbox.closed.notify_one();
}

/// Settings of the role or the database must not change what statements mean, or when they return.
/// To plan the statements of an append anew each time would take longer than to run them.
/// Policies for rows would hide records: without `row_security`, statements fail instead.
fn setup(timeout: Duration) -> String {
    // The server gives up first, so that the connection survives.
    let limit = (timeout / 8 * 7).as_millis();
    format!(
        "set search_path = pg_catalog; \
         set synchronous_commit = on; \
         set default_transaction_isolation = 'read committed'; \
         set row_security = off; \
         set jit = off; \
         set enable_seqscan = off; \
         set plan_cache_mode = force_generic_plan; \
         set client_min_messages = warning; \
         set lock_timeout = 0; \
         set statement_timeout = {limit}"
    )
}
