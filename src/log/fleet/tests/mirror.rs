//! The copy of the log on the disk is further than its node, and the server loses what only it has read.

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

use super::{
    super::{
        core::tests::model::Model,
        engine::{Append, Ask, Committed, Cursor, Engine, Incarnation, Page},
    },
    contract::{
        self,
        mirror::{count, is_mirrored, mirrored, node, until},
    },
    grant,
};
use crate::{
    enforce::Index,
    log::{Durability, LogError, NumericDate, RevocationLog as _},
};

/// How many records there are before another node appends one more.
const BEFORE: usize = 6;

/// Clones are the same server.
#[derive(Clone)]
struct Server {
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
}

struct State {
    model: Model,
    /// Whether another node is about to append a record, which only the copy reads.
    is_ahead: bool,
    /// Polls get no answer.
    is_held: bool,
}

impl Server {
    fn new() -> Self {
        let state = State {
            model: Model::new(),
            is_ahead: false,
            is_held: false,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            changed: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    /// Another node appends.
    fn put(&mut self, number: usize) {
        let append = contract::request([contract::batch([grant(number)])]);
        self.model.append(&append, NumericDate::new(1000));
    }
}

impl Engine for Server {
    async fn poll(&self, ask: Ask) -> Result<Page, LogError> {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                if !state.is_held {
                    return Ok(state.model.poll(ask));
                }
            }
            changed.await;
        }
    }

    async fn read(&self, after: Cursor) -> Result<Page, LogError> {
        let mut state = self.state();
        if state.is_ahead && state.model.len() == BEFORE {
            state.is_ahead = false;
            state.is_held = true;
            state.put(BEFORE);
        }
        Ok(state.model.poll(Ask::reading(after)))
    }

    async fn append(&self, append: Append) -> Result<Committed, LogError> {
        let committed = self.state().model.append(&append, NumericDate::new(1000));
        self.changed.notify_waiters();
        Ok(committed)
    }

    async fn begin(&self, after: Incarnation) -> Result<(), LogError> {
        self.state().model.begin(after);
        Ok(())
    }

    async fn leave(&self, _: u64) -> Result<(), LogError> {
        Ok(())
    }

    async fn hint(&self) {
        self.changed.notified().await;
    }

    async fn sweep(&self) -> Result<u64, LogError> {
        Ok(0)
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}

/// `lose` gets the server once only the copy has the last record.
async fn ahead(lose: impl Fn(&mut State)) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new();
    let log = node(server.clone(), &folder.path().join("mirror.redb")).await;
    let index = Index::follow(&log).await.unwrap();
    log.append((1..BEFORE).map(grant).collect()).await.unwrap();
    is_mirrored(&log, BEFORE - 1).await;

    server.state().is_ahead = true;
    log.append(vec![grant(0)]).await.unwrap();
    until("the copy is ahead", async || {
        mirrored(&log).await.0 == BEFORE + 1
    })
    .await;
    let only_there = grant(BEFORE).selector();
    assert!(!index.covers_selector(&only_there, None));
    {
        let mut state = server.state();
        lose(&mut state);
        assert!(!state.model.knows(&only_there));
        state.is_held = false;
    }
    server.changed.notify_waiters();

    until("the record is given back", async || {
        server.state().model.knows(&only_there)
    })
    .await;
    until("the node refuses what it revokes", async || {
        index.covers_selector(&only_there, None) && index.readiness().is_ready()
    })
    .await;
    is_mirrored(&log, count(&server).await).await;
}

#[tokio::test]
async fn record_that_only_the_copy_has_is_given_back_after_a_failover() {
    ahead(|state| {
        state.model.lose(1);
        state.model.incarnation += 1;
    })
    .await;
}

#[tokio::test]
async fn record_that_only_the_copy_has_is_given_back_if_only_the_copy_notices() {
    ahead(|state| {
        state.model.lose(1);
        state.put(BEFORE + 1);
        state.put(BEFORE + 2);
    })
    .await;
}
