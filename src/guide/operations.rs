//! How to run the layers in production.
//!
//! The log is a file ([`EmbeddedLog`](crate::log::EmbeddedLog)), or it is on a server
//! ([`FleetLog`](crate::log::FleetLog)). This guide is mostly about the file, and the guide
//! [`fleet`](super::fleet) about servers. The [module `log`](crate::log) describes the guarantees of
//! the file in detail.
//!
//! # One process or several
//!
//! One process opens the file. A revocation takes effect in this process before its 200, and in no
//! other process.
//!
//! * **One process** with the revocation endpoint and the API: nothing else is needed.
//! * **Several processes with the same tokens**: with a file, each has its own log, and a revocation
//!   in one is not known to the others. Share a log on a server (see [`fleet`](super::fleet)), or put
//!   one process in front of all APIs, as `examples/gateway` does, or introspect the tokens at one server that knows
//!   the revocations ([`introspect::upstream`](crate::introspect::upstream)). Do not copy or share the
//!   file between running processes: a second process cannot open it.
//!
//! # Start
//!
//! ```
//! use std::time::Duration;
//! use tower_revocation::{enforce::Index, log::EmbeddedLog};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("revocations.redb");
//! # drop(EmbeddedLog::open(&path)?);
//! let log = EmbeddedLog::open_existing_within(&path, Duration::from_secs(30))?
//!     .sweep_every(Duration::from_secs(60))
//!     .ceiling(5_000_000);
//! let index = Index::follow(&log).await?;
//! # let _ = index;
//! # Ok(())
//! # }
//! ```
//!
//! * `open` creates a missing file. Use it once, then use `open_existing`: if a volume is not
//!   mounted, `open` would start with an empty log, and every revoked token would be accepted again.
//! * The sidecar has `log.create = false` for that. Set it after the first start.
//! * `open_existing_within` waits until the previous process has closed the file.
//! * [`Index::follow`](crate::enforce::Index::follow) returns once the log has been read. Start to
//!   listen after that. Reading a million records takes about 1.5 s.
//!
//! # Health
//!
//! There are two kinds of readiness. Expose them separately.
//!
//! ```
//! use tower_revocation::{enforce::Index, log::RevocationLog};
//!
//! /// Whether this process can check tokens. Use it as the readiness of the API.
//! async fn can_check(index: &Index, log: &impl RevocationLog) -> bool {
//!     index.readiness().is_ready() && log.health().is_ready()
//! }
//!
//! /// Whether this process can revoke tokens. Alert on it, but do not stop the API.
//! fn can_revoke(log: &impl RevocationLog) -> bool {
//!     log.health().is_writable()
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let log = tower_revocation::log::MemoryLog::new();
//! # let index = Index::follow(&log).await?;
//! # assert!(can_check(&index, &log).await && can_revoke(&log));
//! # Ok(())
//! # }
//! ```
//!
//! On a process that follows a feed, `is_writable` says whether the relay answers: such a process can
//! never append.
//!
//! In a fleet, [`is_ready`](crate::log::LogHealth::is_ready) also says whether the process knows the log
//! of the others, and has the right time. Without a fleet, it is always true.
//! [`reason`](crate::log::LogHealth::reason) says on one line what is wrong:
//!
//! * `reading the log: 1,200,000 of about 3,000,000 records`, after the start. The number to come is
//!   an estimate of `PostgreSQL` and Redis. A feed does not tell it.
//! * `the clock of this machine is at least 30.0 s ahead of that of the database`. A clock may be
//!   off by [`skew`](crate::log::FleetLogBuilder::skew), 1 s if you do not set it. Run NTP
//!   everywhere. Issued tokens get the time of the database, and so do records that revoke all
//!   tokens until a time (watermarks), so a wrong clock revives nothing. But it ends the life of
//!   tokens too early or too late, and a watermark of a process whose clock is more than 60 s
//!   behind does not cover the newest tokens. A process that follows a feed does not learn the time
//!   of the database: watch its clock by other means. If the clock of the database is wrong, all
//!   processes are unready at once, although they still check tokens: alert on it, and do not let a
//!   load balancer take out the last process.
//!
//! While the disk is full or fails, revocations are 503 and checks continue: the index keeps what it
//! knows. The log retries, after 1 s at first and after at most 30 s later, and recovers without a
//! restart.
//!
//! # Sweeping
//!
//! A record of a token expires with the token. A record of a grant, session, subject, client, key or
//! issuer expires after the longest lifetime of a token. **Without
//! [`longest_lifetime`](crate::revoke::RecordRevocation::longest_lifetime) it never expires.**
//!
//! `sweep_every` removes expired records. It works in small steps between appends. A sweep stops
//! while the system's clock is ahead of the time that has really passed, because it would remove
//! records of live tokens: watch for the event "the clock has jumped", and fix the clock.
//!
//! # Size
//!
//! The index takes 25 to 47 bytes of memory for each record, and up to 64 after a sweep. The log
//! takes 74 to 149 bytes, because its table doubles when it is full, and caches the file in up to
//! 1 GiB. The file takes about 55 bytes for each record of a large batch, and about 75 for one
//! that is appended alone, or 150 if it is swept before fifty others follow. The number of records
//! is the number of revocations within the longest lifetime: 10 revocations a second and a
//! lifetime of 24 hours are 864,000 records.
//!
//! [`ceiling`](crate::log::EmbeddedLog::ceiling) limits the records of the log, and
//! [`quota`](crate::revoke::RecordRevocation::quota) those of one client, so that a single client
//! cannot fill the log. Beyond either, a revocation is 503 with `Retry-After`. The file does not
//! shrink by itself: call [`compact`](crate::log::EmbeddedLog::compact) when most of it is free.
//!
//! Each [`JwtTokens`](crate::introspect::jwt::JwtTokens), so each issuer, caches verified tokens in
//! at most 40 MiB. [`cache_capacity`](crate::introspect::jwt::JwtTokens::cache_capacity) changes
//! that.
//!
//! # Backup and restore
//!
//! [`backup`](crate::log::EmbeddedLog::backup) copies the file while the log is in use.
//! [`restore`](crate::log::EmbeddedLog::restore) creates a log from the copy.
//!
//! ```
//! use tower_revocation::log::EmbeddedLog;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let (path, copy) = (folder.path().join("revocations.redb"), folder.path().join("copy.redb"));
//! let log = EmbeddedLog::open(&path)?;
//! log.backup(&copy).await?;
//! # drop(log);
//! # std::fs::remove_file(&path)?;
//!
//! // On another day, after the file was lost:
//! let log = EmbeddedLog::restore(&copy, &path)?;
//! # let _ = log;
//! # Ok(())
//! # }
//! ```
//!
//! **Tokens revoked after the backup are live again after a restore.** If some of them may not have
//! expired yet, revoke all tokens of the issuer that were issued before the restore:
//!
//! ```
//! use tower::ServiceExt;
//! use tower_revocation::{
//!     log::{MemoryLog, NumericDate},
//!     revoke::{AdminRequest, Administration, Target},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let log = MemoryLog::new();
//! let request = AdminRequest::new(Target::Issuer("https://as.example.com".into()))
//!     .before(NumericDate::now())
//!     .reason("restored a backup");
//! Administration::new(log).oneshot(request).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Rolling restart
//!
//! On one machine, start the new process with `open_existing_within` while the old one shuts down.
//! On `SIGTERM`, stop listening, let requests in progress finish, and drop the log: that writes
//! what is queued and closes the file. [`drain`](crate::log::EmbeddedLog::drain) waits for it in
//! async code. A process that is killed loses no revocation that it has confirmed.
//!
//! In a fleet, call [`FleetLog::close`](crate::log::FleetLog::close) after the last request: the process
//! looks at the log once more, gives back what it has lost, and leaves the list of members. The others
//! wait for one that was killed until its lease is over: each append that waits for all processes, and
//! every process after a failover. They also wait for a process that follows a feed, and for a relay that
//! others follow.
//!
//! With a `mirror`, end the old process before you start the new one, or give each a file of its own.
//!
//! # Changing clients
//!
//! [`ReloadingRegistry`](crate::client::registry::ReloadingRegistry) reads the registered clients from
//! a file, and reads the file again when it changes. A broken file keeps the old clients:
//! [`last_error`](crate::client::registry::ReloadingRegistry::last_error) says what is wrong with it.
//! Expose it beside the health checks.
//!
//! ```
//! use std::time::Duration;
//! use hyper_util::rt::TokioTimer;
//! use tower_revocation::client::registry::{ClientAuthenticator, ReloadingRegistry};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("clients.json");
//! # std::fs::write(&path, "[]")?;
//! let clients = ReloadingRegistry::open(&path)?;
//! tokio::spawn(clients.watch(TokioTimer::new(), Duration::from_secs(5)));
//! let authenticator = ClientAuthenticator::new(clients);
//! # let _ = authenticator;
//! # Ok(())
//! # }
//! ```
//!
//! # Full disk
//!
//! An append fails, the client gets 503 and retries. Free some space, and the log recovers by itself
//! within 30 s. Tokens that were revoked before remain refused.
//!
//! # Upgrade
//!
//! The file has a format number. A version of this crate that does not know the format refuses to
//! open the file and leaves it unchanged. Make a backup before an upgrade, so that you can go back.
