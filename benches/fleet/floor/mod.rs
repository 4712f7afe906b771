//! The bare server, without this crate: what a durable write of the same data costs there.

mod postgres;
mod redis;

use tower_revocation::log::Revocation;

pub(crate) enum Floor {
    Postgres(postgres::Connection),
    Redis(redis::Connection),
}

impl Floor {
    pub(crate) async fn connect(url: &str) -> Self {
        let scheme = url.split_once("://").map_or(url, |(scheme, _)| scheme);
        match scheme {
            "postgres" | "postgresql" => Self::Postgres(postgres::Connection::open(url).await),
            "redis" | "valkey" => Self::Redis(redis::Connection::open(url).await),
            _ => panic!("there is no floor for `{scheme}`"),
        }
    }

    /// Another connection to the same server.
    pub(crate) async fn another(&self, url: &str) -> Self {
        Self::connect(url).await
    }

    /// Inserts records or raises what is there, in one durable write and in no order.
    pub(crate) async fn upsert(&self, records: &[Revocation]) {
        match self {
            Self::Postgres(connection) => connection.upsert(records).await,
            Self::Redis(connection) => connection.upsert(records).await,
        }
    }

    /// Measures appends and polls while an old snapshot is open, where the server has such a thing.
    pub(crate) async fn old_snapshot(&self, url: &str) {
        match self {
            Self::Postgres(connection) => connection.old_snapshot(url).await,
            Self::Redis(_) => {}
        }
    }
}
