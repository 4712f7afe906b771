//! Against real servers: see `tests/fixture/redis`.

mod chaos;
mod contracts;
mod events;
mod failover;
mod fleet;
#[cfg(feature = "admin")]
mod journal;
mod lease;
mod messages;
mod replay;
mod replicas;
mod scanning;
mod tls;

#[path = "../../../../../tests/fixture/redis/cluster.rs"]
mod cluster;
#[path = "../../../../../tests/fixture/redis/mod.rs"]
mod fixture;

use std::time::Duration;

use fixture::Server;

use super::{
    super::{
        super::LogError,
        engine::{Cursor, Engine, History},
        tests::{
            contract::{self, all, append, ask, batch, grant, line, poll, recovered, request},
            memory, port,
        },
        url::Url,
    },
    Options, Redis,
};

/// How a test opens the log.
fn options() -> Options {
    Options {
        name: None,
        ceiling: usize::MAX,
        timeout: Duration::from_secs(5),
        lease: Duration::from_secs(5),
    }
}

/// A short time limit, for calls that cannot succeed.
fn hasty() -> Options {
    Options {
        timeout: Duration::from_secs(1),
        ..options()
    }
}

async fn try_open(url: &str, options: Options) -> Result<Redis, LogError> {
    Redis::open(&Url::parse(url)?, options).await
}

async fn open_at(url: &str, options: Options) -> Redis {
    let opened = try_open(url, options).await;
    opened.unwrap_or_else(|error| panic!("{}", line(&error)))
}

async fn open(server: &Server) -> Redis {
    open_at(&server.url(), options()).await
}
