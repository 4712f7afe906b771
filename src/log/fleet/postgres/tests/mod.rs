//! Against a real server: see `tests/fixture/postgres`.

mod chaos;
mod clock;
mod connecting;
mod contracts;
mod issued;
#[cfg(feature = "admin")]
mod journal;
mod lease;
mod members;
mod messages;
mod nodes;
mod owners;
mod pooler;
#[cfg(feature = "jwt")]
mod replay;
mod schema;
mod snapshot;
mod sweep;
mod tls;

#[path = "../../../../../tests/fixture/postgres/mod.rs"]
mod fixture;

use std::time::Duration;

use fixture::Server;

use super::{
    super::{
        super::{LogError, NumericDate, Revocation, Selector},
        engine::{Committed, Cursor, Done, Engine, History},
        tests::{
            contract::{self, all, append, ask, batch, grant, line, poll, request, watermark},
            memory, port,
        },
        url::Url,
    },
    Options, Postgres,
};

/// How a test opens the log.
fn options() -> Options {
    Options {
        name: None,
        ceiling: usize::MAX,
        timeout: Duration::from_secs(5),
        poll_timeout: Duration::from_secs(4),
        lease: Duration::from_secs(5),
    }
}

async fn open_at(url: &str, options: Options) -> Result<Postgres, LogError> {
    Postgres::open(&Url::parse(url)?, options).await
}

async fn open(server: &Server) -> Postgres {
    let opened = open_at(&server.url("postgres"), options()).await;
    opened.unwrap_or_else(|error| panic!("{}", line(&error)))
}

/// The last record after the only batch.
fn sequence(committed: &Committed) -> u64 {
    match committed.batches[..] {
        [Done::Appended { sequence, .. }] => sequence,
        ref other => panic!("{other:?}"),
    }
}
