//! The parameters of a log, by name.

use std::{path::Path, time::Duration};

use super::{
    super::{Durability, LogError},
    FleetAck, FleetAssumption, FleetLog,
    core::NodeSettings,
    member::name_of_this_process,
    open::{check, open},
    url::Address,
};

/// Connects to a log with parameters by name, which override those of its URL. Made by
/// [`FleetLog::builder`]. What belongs to the connection is in the URL only: hosts, role, database and
/// the files of certificates.
///
/// ```no_run
/// use std::time::Duration;
/// use tower_revocation::log::FleetLog;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower_revocation::log::LogError> {
/// let log = FleetLog::builder("postgres://revoker@db.example.com/app")
///     .lease(Duration::from_secs(2))
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct FleetLogBuilder {
    address: Result<Address, LogError>,
}

impl FleetLogBuilder {
    pub(super) fn new(url: &str) -> Self {
        Self {
            address: Address::parse(url),
        }
    }

    /// Sets how long a process relies on what it knows, counted from its last question to the
    /// database. Defaults to 5 s. Between 500 ms and 300 s.
    ///
    /// All processes of a log have the same lease: the first one decides, and
    /// [`connect`](Self::connect) refuses another one. One that follows a feed can have a shorter one.
    pub fn lease(self, lease: Duration) -> Self {
        self.with(|address| address.lease = lease)
    }

    /// Sets the file with the password of the database, or with the bearer token of a feed. Defaults
    /// to the one that the variable `TOWER_REVOCATION_PASSWORD_FILE` names.
    ///
    /// The file is read again for each connection. A password in the URL counts more, and `PGPASSWORD`
    /// counts less.
    ///
    /// ```no_run
    /// use tower_revocation::log::FleetLog;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), tower_revocation::log::LogError> {
    /// let log = FleetLog::builder("https://relay.example.com/feed")
    ///     .password_file("/run/secrets/feed-token")
    ///     .connect()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn password_file(self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref().to_string_lossy().into_owned();
        self.with(|address| address.url.password_file = Some(path))
    }

    /// Sets how long an append waits for the database. Defaults to 2 s. Between 100 ms and 300 s.
    pub fn append_timeout(self, timeout: Duration) -> Self {
        self.with(|address| address.append_timeout = timeout)
    }

    /// Sets how far the clock of this machine may be off from that of the database. Defaults to
    /// 1 s. Between 100 ms and 60 s.
    ///
    /// If it is further off, [`health`](super::super::RevocationLog::health) is not
    /// [ready](super::super::LogHealth::is_ready) and names the offset, until the clock is right again.
    /// Appends and checks go on. A clock that is ahead issues tokens that a revocation elsewhere does
    /// not cover, and ends the life of tokens too early. A difference that the time of a round trip may
    /// explain does not count. A feed does not carry the time of the database.
    pub fn skew(self, skew: Duration) -> Self {
        self.with(|address| address.skew = Some(skew))
    }

    /// Keeps all records in a file beside the process. Needs the feature `embedded`. Defaults to no
    /// file.
    ///
    /// * A process that starts again reads what is new, and not the whole log.
    /// * If the database loses more records than a process remembers (65,536), or all of them, the
    ///   process gives them back from the file. So it does with records that only the file has: it can
    ///   be a moment ahead of the process.
    ///
    /// The file follows the database on a second connection, which it shares with a feed that the
    /// process serves, and may be behind. If it cannot be written, because the disk is full, the process
    /// goes on without it, and [`reason`](super::super::LogHealth::reason) says so, until it can be
    /// written again. If it cannot be read after a loss, that says so too: the process gives back what
    /// it remembers, and compares the file after the next loss or start. No lease depends on the file
    /// until the database has lost records: then the process renews its lease once it has compared as
    /// much of the file as it needs, and the others wait for that for 1.02 leases at most.
    ///
    /// The file belongs to one process and one log: it is refused if it is the mirror of another log, or
    /// if another process still has it open after 3 s. Redis has no name for a log that outlives
    /// `FLUSHALL`, so there a log is known by its `name` and the number of its database only. The
    /// process keeps the keys of all records in memory once more, as an `EmbeddedLog` does. The file is
    /// closed when the last clone of the log and the last reader are dropped. A feed has no mirror.
    ///
    /// ```no_run
    /// use tower_revocation::log::FleetLog;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), tower_revocation::log::LogError> {
    /// let builder = FleetLog::builder("postgres://revoker@db.example.com/app");
    /// let log = builder.mirror("/var/lib/app/mirror.redb").connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn mirror(self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref().to_owned();
        self.with(|address| address.mirror = Some(path))
    }

    /// Sets when an append returns. Defaults to [`FleetAck::Durable`].
    ///
    /// With [`FleetAck::Fleet`], no process accepts the token once the append has returned. Usually
    /// that takes three round trips to the database, and at worst 1.02 times the lease and two
    /// round trips. It takes that long if a process does not answer, and in the first lease after
    /// this process or the database has started: another process could have a lease of which the
    /// database no longer knows. The append fails with
    /// [`Unavailable`](super::super::LogErrorKind::Unavailable) if it takes longer than that and
    /// [`append_timeout`](Self::append_timeout). While a process of the fleet waits like this, all
    /// of them report to the database after each record.
    ///
    /// ```no_run
    /// use tower_revocation::log::{FleetAck, FleetLog};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), tower_revocation::log::LogError> {
    /// let builder = FleetLog::builder("postgres://revoker@db.example.com/app");
    /// let log = builder.ack(FleetAck::Fleet).connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn ack(self, ack: FleetAck) -> Self {
        self.with(|address| address.ack = Some(ack))
    }

    /// Sets which log, if a database has several: at most 32 of `a-z`, `0-9` and `_`, a letter
    /// first. Defaults to the log without a name.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.with(|address| address.name = Some(name.into()))
    }

    /// Limits the log to this many selectors. Defaults to no limit. Set the same limit on every
    /// process.
    ///
    /// An append that would add another selector fails with
    /// [`LogErrorKind::Full`](super::super::LogErrorKind::Full). No record is removed before it
    /// expires, and expired records count until they are removed, every ten minutes.
    pub fn ceiling(self, selectors: usize) -> Self {
        self.with(|address| address.ceiling = Some(selectors))
    }

    /// Sets how many replicas of Redis or Valkey confirm each append and each question for new
    /// records: at least half of those that follow the primary. Defaults to 0. Sentinels and
    /// clusters need at least 1.
    pub fn replicas(self, replicas: u32) -> Self {
        self.with_parameter("replicas", replicas.to_string())
    }

    /// Sets the durability. Defaults to [`Durability::Disk`].
    ///
    /// * [`Disk`](Durability::Disk): PostgreSQL may have a synchronous standby, and waits for it then.
    /// * [`Replicated`](Durability::Replicated): PostgreSQL must have a synchronous standby. Redis and
    ///   Valkey refuse the value.
    /// * [`Volatile`](Durability::Volatile): a restart of Redis or Valkey may lose the log. PostgreSQL
    ///   refuses the value.
    ///
    /// A feed refuses each value.
    pub fn durability(self, durability: Durability) -> Self {
        let name = match durability {
            Durability::Volatile => "volatile",
            Durability::Disk => "disk",
            Durability::Replicated => "replicated",
        };
        self.with_parameter("durability", name.to_owned())
    }

    /// Vouches for a property of Redis or Valkey that its settings do not tell, as with managed
    /// services. Defaults to none. Adds to those of the URL, and to earlier calls.
    ///
    /// **A revocation can be lost if the assumption is wrong.** An event of level `WARN` names each
    /// assumption when the log is opened.
    ///
    /// ```no_run
    /// use tower_revocation::log::{FleetAssumption, FleetLog};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), tower_revocation::log::LogError> {
    /// let log = FleetLog::builder("rediss://revoker@cache.example.com")
    ///     .assume(FleetAssumption::NoEviction)
    ///     .assume(FleetAssumption::AofAlways)
    ///     .connect()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn assume(self, assumption: FleetAssumption) -> Self {
        self.with(|address| address.url.parameters.add("assume", assumption.name()))
    }

    /// Reads the whole log from a replica of PostgreSQL, `HOST` or `HOST:PORT`, with the same role,
    /// database and TLS as the primary. Defaults to the primary.
    ///
    /// That spares the primary most of the work when many processes start, and a slow way to another
    /// region. The process goes on at the primary, and no lease is renewed before. If the replica does
    /// not answer or has another log, an event of level `WARN` says so, and the primary serves all
    /// until the process starts again. A page may take a fifth of the lease. A replica with another
    /// history costs time and does no harm.
    ///
    /// ```no_run
    /// use tower_revocation::log::FleetLog;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), tower_revocation::log::LogError> {
    /// let builder = FleetLog::builder("postgres://revoker@db.example.com/app");
    /// let log = builder.snapshot_from("replica.example.com").connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn snapshot_from(self, host: impl Into<String>) -> Self {
        self.with_parameter("snapshot_from", host.into())
    }

    /// Checks the URL, the parameters and the files that they name, without a connection.
    ///
    /// It reads files, so it blocks.
    ///
    /// ```
    /// use tower_revocation::log::FleetLog;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # #[cfg(feature = "postgres")]
    /// assert!(FleetLog::builder("postgres://revoker@db.example.com/app").check().is_ok());
    /// assert!(FleetLog::builder("mysql://db.example.com/app").check().is_err());
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if [`connect`](Self::connect) would fail whatever the server says: a part of the URL is
    /// wrong or unknown, or a file cannot be read.
    ///
    /// # Panics
    ///
    /// Panics outside of a runtime of tokio.
    pub fn check(&self) -> Result<(), LogError> {
        let address = self.address.as_ref().map_err(LogError::clone)?;
        address.check()?;
        check(address)
    }

    /// Connects to the log.
    ///
    /// # Errors
    ///
    /// The same as [`FleetLog::connect`].
    ///
    /// # Panics
    ///
    /// Panics outside of a runtime of tokio.
    pub async fn connect(self) -> Result<FleetLog, LogError> {
        let address = self.address?;
        address.check()?;
        let settings = NodeSettings {
            lease: address.lease,
            append_timeout: address.append_timeout,
            waits: address.ack == Some(FleetAck::Fleet),
            seed: getrandom::u64().expect("the operating system has random numbers"),
            name: name_of_this_process(),
        };
        open(&address, settings).await
    }

    fn with_parameter(self, name: &str, value: String) -> Self {
        self.with(|address| address.url.parameters.set(name, value))
    }

    fn with(mut self, set: impl FnOnce(&mut Address)) -> Self {
        if let Ok(address) = &mut self.address {
            set(address);
        }
        self
    }
}
