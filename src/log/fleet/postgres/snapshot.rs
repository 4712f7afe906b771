//! Reads the whole log from a replica, such as a standby that is near.
//!
//! Each page of the replica follows on a cursor that the primary knows, and the primary says all but
//! the records: the incarnation, the members, what was removed. So a replica only spares the primary
//! the work. A page of it never is the last one: the node goes on at the primary, whose answer to the
//! last cursor proves that both have the same history.

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::{sync::Mutex, time};
use tokio_postgres::types::ToSql;

use super::{
    super::{
        engine::{Ask, Cursor, History, Page},
        observe,
    },
    fault::Fault,
    poll::{PAGE, PollStatement},
    session::{Question, Session},
    target::Target,
    values::{column, count, number, records, unsigned},
};
use crate::log::Revocation;

pub(super) struct Snapshots {
    target: Arc<Target>,
    sql: Arc<str>,
    /// How long the replica has for a page.
    patience: Duration,
    state: Mutex<State>,
}

struct State {
    /// `None` if there is none, or it has failed: it is not asked again.
    replica: Option<Session>,
    /// The end of its last page.
    cursor: Option<Cursor>,
    /// Ends of its pages that the primary has not been asked about.
    unproven: HashSet<Cursor>,
    /// How many records it has given.
    #[cfg(test)]
    served: usize,
}

impl State {
    /// The primary says whether it has the end of a page of the replica.
    fn prove(&mut self, after: Cursor, page: &mut Page) {
        match page.history {
            History::Same => {
                self.unproven.remove(&after);
            }
            // The replica has another history. The log has lost nothing. The node may ask again.
            History::Other => page.history = History::Swept,
            History::Swept => {}
        }
    }
}

/// What a replica has after a cursor.
struct Piece {
    records: Vec<Revocation>,
    upto: Cursor,
}

impl Snapshots {
    /// Connects to the replica of the settings, if there is one. `id` is that of the log.
    ///
    /// A replica that cannot be used is reported, and the primary serves all.
    pub(super) async fn open(target: &Arc<Target>, id: &str, poll_timeout: Duration) -> Self {
        let limit = target.timeout;
        let opened = time::timeout(limit, connect(target, id)).await;
        let opened = opened.unwrap_or_else(|_| Err(target.late_replica(limit)));
        let replica = opened.unwrap_or_else(|fault| {
            observe::replica_failed(&fault.into());
            None
        });
        Self {
            target: target.clone(),
            // The rest is for the primary: what is asked of it before, and the page if there is none.
            patience: poll_timeout / 2,
            sql: include_str!("snapshot.sql")
                .replace("{schema}", &target.schema)
                .into(),
            state: Mutex::new(State {
                replica,
                cursor: None,
                unproven: HashSet::new(),
                #[cfg(test)]
                served: 0,
            }),
        }
    }

    /// Polls the primary, or the replica while the node reads the whole log.
    pub(super) async fn poll(&self, primary: &PollStatement, ask: Ask) -> Result<Page, Fault> {
        let mut state = self.state.lock().await;
        let (after, is_first) = (ask.after, ask.after == Cursor::default());
        let goes_on = state.cursor.take() == Some(after);
        let is_unproven = state.unproven.contains(&after);
        if state.replica.is_none() || !is_first && !goes_on {
            let mut page = primary.run(ask).await?;
            if is_unproven {
                state.prove(after, &mut page);
            }
            return Ok(page);
        }
        let head = primary.head(ask.clone()).await?;
        // A short log is read at once.
        let is_long = head.expected.is_some_and(|expected| expected > PAGE.into());
        let is_known = head.history == History::Same;
        if is_known && (goes_on || is_long) {
            if let Some(piece) = self.piece(&mut state, after).await {
                state.unproven.remove(&after);
                state.unproven.insert(piece.upto);
                state.cursor = Some(piece.upto);
                return Ok(Page {
                    records: piece.records,
                    upto: piece.upto,
                    more: true,
                    ..head
                });
            }
        }
        let mut page = primary.run(ask).await?;
        if is_unproven {
            state.prove(after, &mut page);
        }
        Ok(page)
    }

    /// Returns what the replica has after a cursor. `None` if that is nothing, or if it does not
    /// answer.
    async fn piece(&self, state: &mut State, after: Cursor) -> Option<Piece> {
        let replica = state.replica.as_mut()?;
        let read = time::timeout(self.patience, read(replica, &self.sql, after)).await;
        match read.unwrap_or_else(|_| Err(self.target.late_replica(self.patience))) {
            Ok(piece) => {
                #[cfg(test)]
                {
                    state.served += piece.records.len();
                }
                (!piece.records.is_empty()).then_some(piece)
            }
            Err(fault) => {
                state.replica = None;
                observe::replica_failed(&fault.into());
                None
            }
        }
    }

    /// How many records the replica has given.
    #[cfg(test)]
    pub(super) async fn served(&self) -> usize {
        self.state.lock().await.served
    }
}

async fn connect(target: &Target, id: &str) -> Result<Option<Session>, Fault> {
    let Some(session) = target.connect_replica().await? else {
        return Ok(None);
    };
    let theirs = session
        .text(&format!("select id from {}.meta", target.schema))
        .await?;
    if theirs.try_get(0).ok().flatten() != Some(id) {
        return Err(Fault::misconfigured(format!(
            "{} has another log: name a replica of the primary in `snapshot_from`",
            session.who.place,
        )));
    }
    Ok(Some(session))
}

async fn read(replica: &mut Session, sql: &Arc<str>, after: Cursor) -> Result<Piece, Fault> {
    let (sequence, page) = (number(after.sequence), i64::from(PAGE));
    let parameters: [&(dyn ToSql + Sync); 2] = [&sequence, &page];
    let row = replica.row(Question::new(sql, &parameters)).await?;
    Ok(Piece {
        upto: Cursor {
            sequence: count(column(&row, 0)?)?,
            mark: unsigned(column(&row, 1)?),
        },
        records: records(column(&row, 2)?)?,
    })
}
