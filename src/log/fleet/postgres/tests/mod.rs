//! Against a real server: see `tests/fixture/postgres`.

mod chaos;
mod connecting;
mod contract;
mod messages;
mod nodes;
mod pooler;
mod schema;
mod sweep;
mod tls;

#[path = "../../../../../tests/fixture/postgres/mod.rs"]
mod fixture;

use std::time::Duration;

use fixture::Server;

use super::{
    super::{
        super::{LogError, NumericDate, Revocation, Selector},
        engine::{Append, Ask, Batch, Committed, Cursor, Done, Engine, History, Page},
    },
    Options, Postgres,
};

/// How a test opens the log.
fn options() -> Options {
    Options {
        name: None,
        ceiling: usize::MAX,
        timeout: Duration::from_secs(5),
    }
}

async fn open(server: &Server) -> Postgres {
    let opened = Postgres::open(&server.url("postgres"), options()).await;
    opened.unwrap_or_else(|error| panic!("{}", line(&error)))
}

/// An error with its cause, in one line.
fn line(error: &LogError) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    format!("{error}: {}", cause.unwrap_or_default())
}

fn grant(name: impl std::fmt::Display) -> Revocation {
    Revocation::forever(Selector::grant(&name.to_string()), NumericDate::FOREVER)
}

fn batch(records: impl IntoIterator<Item = Revocation>) -> Batch {
    Batch {
        records: records.into_iter().collect(),
        new: usize::MAX,
    }
}

fn request(batches: impl IntoIterator<Item = Batch>) -> Append {
    Append {
        mark: getrandom::u64().unwrap(),
        batches: batches.into_iter().collect(),
        as_given: false,
    }
}

async fn append(log: &Postgres, records: impl IntoIterator<Item = Revocation>) -> Committed {
    let appended = log.append(request([batch(records)])).await;
    appended.unwrap_or_else(|error| panic!("{}", line(&error)))
}

/// A poll that only reads.
fn ask(after: Cursor) -> Ask {
    Ask {
        after,
        member: 1,
        report: None,
        silent: Vec::new(),
    }
}

async fn poll(log: &Postgres, after: Cursor) -> Page {
    let page = log.poll(ask(after)).await;
    page.unwrap_or_else(|error| panic!("{}", line(&error)))
}

/// The last record after the only batch.
fn sequence(committed: &Committed) -> u64 {
    match committed.batches[..] {
        [Done::Appended { sequence, .. }] => sequence,
        ref other => panic!("{other:?}"),
    }
}
