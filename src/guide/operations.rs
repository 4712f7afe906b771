//! How to run the layers in production.
//!
//! The log is a file ([`EmbeddedLog`](crate::log::EmbeddedLog)), or it is on a server
//! ([`FleetLog`](crate::log::FleetLog)). Most of this guide is about the file. The
//! [module `log`](crate::log) describes its guarantees in detail.
//!
//! # One process or several
//!
//! One process opens the file. A revocation takes effect in this process before its 200, and in no
//! other process.
//!
//! * **One process** with the revocation endpoint and the API: nothing else is needed.
//! * **Several processes with the same tokens**: with a file, each has its own log, and a revocation
//!   in one is not known to the others. Share a log on a server (below), or put one process in
//!   front of all APIs, as `examples/gateway` does, or introspect the tokens at one server that knows
//!   the revocations ([`introspect::upstream`](crate::introspect::upstream)). Do not copy or share the
//!   file between running processes: a second process cannot open it.
//!
//! # A fleet
//!
//! [`FleetLog`](crate::log::FleetLog) is a log that any number of processes share, on a server that
//! you run already. It is opened in another way, and it removes expired records itself. Everything
//! else is as with a file:
//!
//! ```no_run
//! use tower_revocation::{enforce::Index, log::FleetLog};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let log = FleetLog::connect("postgres://revoker@db.example.com/app").await?;
//! let index = Index::follow(&log).await?;
//! # Ok(())
//! # }
//! ```
//!
//! What is promised, on every kind of server:
//!
//! * **A process that is in contact with the server refuses a revoked token within milliseconds**, or
//!   within a fifth of the lease if a notice of the server is lost. The *lease* is how long a process
//!   relies on what it knows: 5 s, if you do not set it. All processes have the same, and one with another
//!   is refused at its start. Every fifth of it, a process asks the server for new records (a *question*),
//!   and earlier if the server tells it to.
//! * **No process accepts a revoked token later than 1.02 leases after the 200**, also if it loses its
//!   connection, is paused, or sleeps, unless a [`Policy`](crate::enforce::Policy) or
//!   [`stale_after`](crate::enforce::Index::stale_after) allows more. The lease counts from the moment
//!   at which a process *sent* the last question that was answered, and the 2 % allow for clocks of
//!   different speed. A process whose lease is over responds with 503, and still refuses revoked tokens.
//!   It comes back by itself. The two exceptions are a server that loses the record together with every
//!   process that had it, and a former primary that goes on answering after a failover; the sections
//!   below say how to exclude them.
//! * A revocation returns once the server has made it durable. If the server does not confirm it within
//!   `append_timeout` (2 s), the revocation is 503. It may have been recorded; a retry does no harm.
//! * With `ack=fleet` in the URL, a revocation returns only once no process accepts the token any more.
//!   That takes a few more questions to the server, and up to a lease if a process does not answer. In
//!   the first lease after a process or the server has started, it always takes up to a lease: another
//!   process could have a lease from before that the server no longer knows of.
//! * If the server loses its newest records, processes notice that with their next question. Each gives
//!   back what it remembers, up to 65,536 of the newest records. No process renews its lease before all
//!   have done so, but none waits for longer than 1.02 leases. **A record is lost, or known to others
//!   too late, only if every process that had it is gone, had joined the fleet only just before, or
//!   cannot reach the server within that time.** Revoke again then, or use a server that loses nothing.
//! * After each start, a server could have lost records: an older copy may have been put in its place. So
//!   after each start all processes give back what they remember before they renew their leases. If
//!   all are there, a restart within two fifths of a lease is not noticed. If a process has ended
//!   without notice, the others wait for it, and may respond with 503 for a lease.
//!
//! | | `PostgreSQL` | Redis, Valkey | feed |
//! |---|---|---|---|
//! | feature | `postgres` | `redis` | `feed` |
//! | version | 14 or later | Redis 7, Valkey 8, or later | a process with one of the others, or with a file |
//! | URL | `postgres://` | `redis://`, `rediss://`, `valkey://`, `valkeys://`, `redis+sentinel://`, `redis+cluster://` | `https://` |
//! | 200 means | the transaction is on the disk of the primary, and of the standby if `synchronous_standby_names` is set | the append-only file is on the disk of the primary; with `replicas=K`, K replicas have the record too | it cannot append: clients revoke at another process |
//! | [`durability`](crate::log::RevocationLog::durability) | `Disk`, or `Replicated` with a synchronous standby | `Disk`, or `Volatile` if asked for | `Volatile` |
//! | a failover loses | nothing with a synchronous standby, else the newest records | it can lose the newest records | nothing of its own |
//! | settings | defaults | `appendonly yes`, `appendfsync always`, `maxmemory-policy noeviction` | a bearer token, or a check of yours |
//! | connections of a process | 3; 1 more for a feed that it serves, a mirror, or both; 1 more for `snapshot_from` | 3; 1 more for a feed that it serves, a mirror, or both | 1; 1 more if it serves a feed |
//!
//! A server whose settings break a promise is refused when the process starts, in one line that says
//! what to change. There is no fallback to memory or to a file.
//!
//! Choose `PostgreSQL` with a synchronous standby if no revocation may be lost. Choose Redis if the
//! denylist is there today. Choose a feed for gateways without credentials of the database, for other
//! regions, and if more than about fifty processes follow one log.
//!
//! [`members`](crate::log::FleetLog::members) lists the processes that use the log, and how far each
//! is behind. The guide [`observability`](super::observability) has alerts for a fleet, and
//! [`observe`](crate::observe) lists the series.
//!
//! **Size.** A process asks the server five times in a lease, and after records of others: twenty
//! processes with a lease of 5 s ask twenty times a second. A record takes about 245 bytes in
//! `PostgreSQL`, with its indexes, until it has expired and is removed. In each process it takes the
//! memory of the index (see [Size](#size)), and a process also remembers 65,536 records in full. A
//! process that starts reads 49 bytes for each record.
//!
//! **Restarts and losses.** With [`mirror`](crate::log::FleetLogBuilder::mirror) and the feature
//! `embedded`, a process keeps all records in a file on its own disk. When it starts again, it reads
//! only what is new. Without it, a process remembers the last 65,536 records, or fewer if it has started
//! since and much of the log had expired by then. If the database loses more, or was emptied by
//! `FLUSHALL` or `truncate`, only a process with a mirror has the rest. One or
//! two of them are enough. While such a process gives back a long log, it is not ready. The others
//! still refuse all that they know. One that starts meanwhile lacks what is not back yet.
//!
//! **Regions.** With [`snapshot_from`](crate::log::FleetLogBuilder::snapshot_from), a process reads the
//! whole log from a replica of `PostgreSQL` that is near, and only what is newer from the primary. A
//! lease is renewed by the primary alone, so a long way to it needs a longer lease.
//!
//! **What else is shared.** In PostgreSQL, Redis and Valkey, an assertion of a client is accepted once by
//! all processes, if each gives `FleetLog::replay_guard` to its authenticator. Each then has one more
//! connection. In PostgreSQL, opaque tokens of your own are shared, if each process opens
//! `IssuedTokens` with its `FleetLog`. Each then has four more connections. Otherwise, both belong to
//! one process.
//!
//! ## `PostgreSQL`
//!
//! The role makes the tables, in the schema `tower_revocation`:
//!
//! ```sql
//! create role revoker login password '...';
//! grant create on database app to revoker;
//! ```
//!
//! Put the password into `PGPASSWORD` or `~/.pgpass`. Connections to other machines use TLS, and the
//! certificate is always verified, whatever `sslmode` says: enable `tls-aws-lc-rs` or `tls-ring`.
//! `sslrootcert=FILE` names the certificate authority. `PgBouncer` must pool sessions, and not
//! transactions. With several hosts in the URL, a process finds the primary after a failover.
//! `durability=replicated` refuses a server without a synchronous standby.
//!
//! Processes can have different roles. The functions of the schema run with the rights of the role
//! that calls them. So a process refuses a schema unless it and all in it belong to the role of the
//! process, a role that this one is a member of, the owner of the database, or a superuser. Let a
//! second role `node` act as the first one:
//!
//! ```sql
//! grant revoker to node;
//! ```
//!
//! Start a process of `revoker` first, also after an upgrade that changes the tables: what `node` makes
//! belongs to `node`, and `revoker` would refuse it.
//!
//! Or give the schema and all in it to the owner of the database, here `app_owner`. In the database
//! of the log, as a superuser, once the tables are there:
//!
//! ```sql
//! reassign owned by revoker to app_owner; -- all that it owns in this database
//! grant usage on schema tower_revocation to revoker, node;
//! grant select, insert, update, delete on all tables in schema tower_revocation to revoker, node;
//! ```
//!
//! After a failover the bound holds if the old primary was stopped, or if there is a synchronous
//! standby, without which an old primary cannot answer. Otherwise a process that still reaches the old
//! one accepts what it confirms.
//!
//! A process that knows the new primary never follows the old one again, also if it reaches no other.
//! It responds with 503 then. A process that starts later does not know which one is newer.
//!
//! **Restart the server after you have restored the tables of the log alone, or a virtual machine
//! together with its memory, or have deleted rows by hand.** Such a server does not look different from
//! before. A process notices that the server went back if it has asked since the copy was made, and
//! all processes know a fifth of a lease later. Until then, one that was out of contact can take the
//! log for complete, and accept a token whose record was lost for one more lease.
//!
//! ## Redis and Valkey
//!
//! ```sh
//! docker run -d -p 127.0.0.1:6379:6379 redis redis-server --appendonly yes --appendfsync always
//! ```
//!
//! `redis://127.0.0.1` is one server on this machine. To other machines the connection must use TLS:
//! `rediss://revoker@redis.example.com`. A user of its own needs these rights, without `+waitaof`
//! before Redis 7.2:
//!
//! ```sh
//! redis-cli ACL SETUSER revoker reset on '>PASSWORD' '~{tr*' +@hash +@stream +@sortedset \
//!   +exists +del +eval +evalsha '+script|load' +info +time '+config|get' +wait +waitaof \
//!   +select '+client|setname'
//! ```
//!
//! Do the same on each replica, because Redis does not replicate users, and keep the user in
//! `redis.conf` or the ACL file for the next restart. Put the password into the file that
//! `TOWER_REVOCATION_PASSWORD_FILE` names.
//!
//! `redis+sentinel://a,b,c/NAME?replicas=1` asks sentinels for the primary, and
//! `redis+cluster://a,b,c?replicas=1` is a cluster, which holds one log on one shard. From Redis
//! 7.2 on, each append asks whether it is on the disk, and `appendfsync everysec` is accepted too.
//! If the server does not tell its settings, as managed ones do, `assume=noeviction,aof-always`
//! says what they are.
//!
//! With sentinels and clusters, appends and questions count only once K replicas have confirmed them
//! (`replicas=K`). K must be at least half of the replicas that follow the primary. Then a former primary
//! that was cut off has too few replicas, and renews no lease. A process refuses a server with more
//! replicas than that. If one is added later, appends and questions fail until K is raised, so raise it
//! first. The same holds for `redis://` if a replica may be promoted. Write `replicas=K`, or
//! `assume=no-failover` if a replica is never promoted.
//!
//! ## Feed
//!
//! [`FeedService`](crate::log::FeedService) serves the log of its process to others. A relay says how
//! old its knowledge is, so the bound holds over all hops together: a process that follows a feed can
//! serve it on, with at most two relays in a row. Make a token, in a file that others cannot read:
//!
//! ```sh
//! (umask 077; openssl rand -hex 32 > feed-tokens)
//! ```
//!
//! Mount the service at the relay, as in the example of [`FeedService`](crate::log::FeedService).
//!
//! The log can also be an `EmbeddedLog`. Then the fleet needs no database: one process revokes, all
//! others follow its file, and while it is away, they refuse every token once their lease has ended.
//! The lease of such a feed is 5 s.
//!
//! Each process that follows gets a copy of the token in a file, and the variable
//! `TOWER_REVOCATION_PASSWORD_FILE` names the file. It connects to
//! `https://relay.example.com/feed`, with the `lease` of the relay or a shorter one. With a lease
//! of 5 s everywhere: 2 s to 5 s behind one relay, 4 s to 5 s behind two. It only reads, so clients
//! revoke at another process. A relay counts its followers as a part of itself:
//! [`members`](crate::log::FleetLog::members) does not list them, and is empty on them.
//!
//! ## Upgrades
//!
//! Replace the processes one by one, and a relay before the processes that follow it. If a new version
//! changes the tables, the changelog says so: its first process changes them, with a role that owns them
//! or is a member of the owner. Older processes then respond with 503 until they are replaced.
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
