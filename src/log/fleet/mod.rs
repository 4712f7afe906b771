//! One log for many nodes, in an engine that people run already.

mod ack;
mod assumption;
mod builder;
#[cfg(any(feature = "feed", feature = "postgres", feature = "redis"))]
mod cause;
mod core;
mod downstream;
mod driver;
#[cfg_attr(
    not(any(test, feature = "postgres", feature = "redis")),
    expect(dead_code, reason = "a feed only reads")
)]
mod engine;
#[cfg(feature = "feed")]
mod feed;
#[cfg(feature = "admin")]
#[cfg_attr(
    not(any(feature = "postgres", feature = "redis")),
    expect(dead_code, reason = "a feed only reads")
)]
mod journal;
mod kept;
mod member;
#[cfg(feature = "embedded")]
mod mirror;
mod node;
mod observe;
#[cfg(feature = "jwt")]
#[cfg_attr(
    not(any(feature = "postgres", feature = "redis")),
    expect(dead_code, reason = "a feed only reads")
)]
mod once;
mod open;
mod operation;
mod pause;
#[cfg(feature = "postgres")]
mod postgres;
mod readiness;
mod reading;
#[cfg(feature = "redis")]
mod redis;
mod requests;
mod revocation_log;
mod start;
#[cfg(test)]
mod tests;
mod url;

use std::{fmt, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use self::{driver::Command, kept::Kept, node::Node};
use super::{Durability, LogError, RevocationLog as _};

#[cfg(feature = "feed")]
pub use self::feed::{FeedBody, FeedFuture, FeedService, FeedSource};
#[cfg(feature = "admin")]
pub use self::journal::FleetJournal;
#[cfg(feature = "jwt")]
pub(crate) use self::once::{OnceResult, OnceStore, OnceUse};
#[cfg(all(feature = "issued", feature = "postgres"))]
pub(crate) use self::postgres::{Issued, IssuedServer, IssuedTables, NewRow, OldToken};
pub use self::{
    ack::FleetAck, assumption::FleetAssumption, builder::FleetLogBuilder, member::FleetMember,
};

/// A log that many processes share, in PostgreSQL, Redis or Valkey, or over HTTP from a process that
/// has such a log or a file. A token that is revoked on one of them is refused on all.
///
/// A process that is in contact with the database refuses the token within milliseconds, or within a
/// fifth of its lease if a notice is lost. Without contact, it refuses every token once its lease has
/// ended. The guide [`fleet`](crate::guide::fleet) says what is promised.
///
/// Clones are the same log. The log needs a runtime of tokio, with its timer, and runs a task there.
/// The task ends with the last clone and the last reader, such as an index.
///
/// ```no_run
/// use tower_revocation::{enforce::Index, log::FleetLog};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower_revocation::log::LogError> {
/// let log = FleetLog::connect("postgres://revoker@db.example.com/app").await?;
/// let index = Index::follow(&log).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FleetLog {
    node: Arc<Node>,
    commands: mpsc::Sender<Command>,
    lease: Duration,
    durability: Arc<dyn Fn() -> Durability + Send + Sync>,
    /// Why nothing can be appended, if the log can only be read.
    read_only: Option<&'static str>,
    #[cfg(feature = "jwt")]
    once: Option<Arc<dyn OnceStore>>,
    #[cfg(feature = "admin")]
    journal: Option<Arc<dyn journal::JournalStore>>,
    #[cfg(feature = "admin")]
    runtime: tokio::runtime::Handle,
    #[cfg(feature = "feed")]
    relay: Arc<feed::Relay>,
    /// The copy on the disk.
    kept: Option<Arc<dyn Kept>>,
    #[cfg(all(feature = "issued", feature = "postgres"))]
    issued_server: Option<IssuedServer>,
}

impl FleetLog {
    /// Connects to the log at a URL, and makes the log if there is none.
    ///
    /// | parameter | meaning | default |
    /// |---|---|---|
    /// | `lease` | How long a process relies on what it knows, counted from its last question to the database: 500 ms to 300 s. The same for all. | `5s` |
    /// | `ack` | When an append returns: `durable`, once the database has stored it, or `fleet`, once every process refuses the token. See [`FleetLogBuilder::ack`]. | `durable` |
    /// | `skew` | How far the clocks of this process and of the database may be apart: 100 ms to 60 s. See [`FleetLogBuilder::skew`]. | `1s` |
    /// | `append_timeout` | How long an append waits for the database: 100 ms to 300 s. | `2s` |
    /// | `ceiling` | How many selectors the log may have. See [`FleetLogBuilder::ceiling`]. | no limit |
    /// | `name` | Which log, if a database has several: at most 32 of `a-z`, `0-9` and `_`, a letter first. In PostgreSQL, each has a schema of its own. | the one in the schema `tower_revocation` |
    /// | `snapshot_from` | The replica of PostgreSQL from which the whole log is read: `HOST` or `HOST:PORT`. See [`FleetLogBuilder::snapshot_from`]. | the primary |
    /// | `mirror` | A file beside the process that keeps all records. See [`FleetLogBuilder::mirror`]. | none |
    ///
    /// A time is a number with `ms`, `s` or `m`. Other parameters are those of the database. A parameter
    /// that is unknown, or occurs twice, is an error.
    ///
    /// Waits for a server that does not answer: at least 5 s for Redis and Valkey, and 10 s for
    /// PostgreSQL or a relay.
    ///
    /// # PostgreSQL
    ///
    /// `postgres://ROLE@HOST/DATABASE`. What the URL does not say is read from the variables `PG…` and
    /// the password file, as by other clients of PostgreSQL, and from the file that
    /// `TOWER_REVOCATION_PASSWORD_FILE` names.
    ///
    /// Connections to other machines use TLS, and the certificate is always verified, whatever
    /// `sslmode` says. Enable `tls-aws-lc-rs` or `tls-ring`. `sslrootcert=FILE` names the certificate
    /// authority. With `durability=replicated`, a server without a synchronous standby is refused.
    ///
    /// # Redis and Valkey
    ///
    /// `redis://HOST/DATABASE` is one server, `rediss://` with TLS, `redis+sentinel://HOST,HOST/NAME` a
    /// primary that sentinels watch, and `redis+cluster://HOST,HOST` a cluster. `valkey` means the same.
    /// The password can be in the file that `TOWER_REVOCATION_PASSWORD_FILE` names.
    ///
    /// | parameter | meaning | default |
    /// |---|---|---|
    /// | `replicas` | How many replicas confirm each append and each question for new records: at least half of those that follow the primary, and at least 1 with sentinels and clusters. | `0` |
    /// | `durability` | With `volatile`, a restart of the server may lose the log. | `disk` |
    /// | `assume` | What the settings of the server do not tell and you vouch for: `noeviction`, `aof-always`, `no-failover` (no replica takes over), with commas between. See [`FleetAssumption`]. | none |
    /// | `db` | The number of the database, behind sentinels. | `0` |
    /// | `tls` | With `on`, TLS also on this machine, for sentinels and clusters. | for other machines |
    /// | `sslrootcert`, `sslcert`, `sslkey` | Files of certificates in PEM: the authority, and the client's own. | those of the system |
    ///
    /// A failover of Redis can lose records that it has acknowledged, so the durability is never
    /// [`Replicated`](Durability::Replicated). The nodes give back what they remember.
    ///
    /// # A feed
    ///
    /// `https://HOST/feed` follows a [`FeedService`] (feature `feed`), for a process that cannot
    /// reach the database. `http` is accepted on this machine only. The process sends the bearer
    /// token in the file that `TOWER_REVOCATION_PASSWORD_FILE` names, or shows a certificate:
    /// `sslrootcert`, `sslcert` and `sslkey` mean the same as for Redis. The `lease` is that of the
    /// relay, or a shorter one. With a lease of 5 s everywhere: 2 s to 5 s behind one relay, 4 s to
    /// 5 s behind two. A lease below 40 % of that of the relay, or of the sum of both relays'
    /// leases, would end without a fault, and is refused. So at most two relays are in between.
    ///
    /// **Such a log can only be read.** Each append fails with `Misconfigured`. Let clients revoke at a
    /// process that has another log. [`is_writable`](super::LogHealth::is_writable) says whether the
    /// relay answers.
    ///
    /// # Errors
    ///
    /// * [`Misconfigured`](super::LogErrorKind::Misconfigured) if a parameter is wrong, or the settings
    ///   of the database break a promise. The cause says what to change.
    /// * [`UnknownFormat`](super::LogErrorKind::UnknownFormat) if a later version has changed the
    ///   tables.
    /// * [`Unavailable`](super::LogErrorKind::Unavailable) if the database does not answer.
    ///
    /// # Panics
    ///
    /// Panics outside of a runtime of tokio.
    pub async fn connect(url: impl AsRef<str>) -> Result<Self, LogError> {
        Self::builder(url).connect().await
    }

    /// Sets parameters by name. See [`connect`](Self::connect). A URL that is not valid is an error of
    /// [`FleetLogBuilder::connect`].
    pub fn builder(url: impl AsRef<str>) -> FleetLogBuilder {
        FleetLogBuilder::new(url.as_ref())
    }

    /// Returns where issued tokens can be stored, if the engine has tables for them.
    #[cfg(all(feature = "issued", feature = "postgres"))]
    pub(crate) fn issued_server(&self) -> Option<&IssuedServer> {
        self.issued_server.as_ref()
    }

    /// Returns the store of what may be used only once.
    #[cfg(feature = "jwt")]
    pub(crate) fn once_store(&self) -> Result<Arc<dyn OnceStore>, LogError> {
        self.once.clone().ok_or_else(|| {
            url::wrong(
                "a feed has no replay guard: connect to the server of the log, or give your own \
                 guard to the authenticator",
            )
        })
    }

    /// Returns the error of a request that is not sent, because the engine does not answer.
    #[cfg(any(feature = "admin", feature = "jwt"))]
    pub(crate) fn refusal(&self) -> Option<LogError> {
        self.node.refusal()
    }
}

impl fmt::Debug for FleetLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("FleetLog");
        debug.field("durability", &self.durability());
        if let Some(status) = self.node.status() {
            debug
                .field("reachable_for", &status.reachable_for)
                .field("complete_for", &status.complete_for)
                .field("clock_offset", &status.clock_offset)
                .field("reading", &status.reading)
                .field("queued", &status.queued);
        }
        debug
            .field("health", &self.health())
            .finish_non_exhaustive()
    }
}
