//! A fleet: several processes with one log, on a server.
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
//! | connections of a process | 3; 1 more for a feed that it serves, a mirror, or both; 1 more each for `snapshot_from` and a journal | 3; 1 more for a feed that it serves, a mirror, or both; 1 more for a journal | 1; 1 more if it serves a feed |
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
//! memory of the index (see [`operations`](super::operations#size)), and a process also remembers 65,536 records in full. A
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
//! With the feature `admin`, `FleetLog::journal` is a journal in PostgreSQL, Redis or Valkey that all
//! processes share. It contains what the application writes there, such as the orders of operators, in
//! plain text: who ordered what and why, and what has to be told to an issuer. Whoever can read the
//! database can read it.
//!
//! * In PostgreSQL it is in the table `journal` of the schema, and `journal_meta` has the last place that
//!   was removed. In Redis it is in the keys `entries`, `places`, `entry-keys`, `entry-ends` and `dues`,
//!   beside those of the log. The rights below include it.
//! * A change is durable as a revocation is. What the server loses, in a failover or a restore, is lost:
//!   no process and no mirror has a copy of an entry, and `FLUSHALL` removes all. An order that is lost
//!   can be ordered again, because the record of a revocation is given back by the processes.
//! * An entry that is due is taken by one process. If that process ends, the entry is due again later.
//! * Expired entries are removed about as soon as expired records, by any process of the log.
//! * A batch is one transaction, or one script of Redis, during which the server does nothing else: about
//!   10 ms for 1,000 entries.
//!
//! # `PostgreSQL`
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
//! Repeat this after an upgrade that changes the tables.
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
//! # Redis and Valkey
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
//! # Feed
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
//! # Upgrades
//!
//! Replace the processes one by one, and a relay before the processes that follow it. If a new version
//! changes the tables, the changelog says so: its first process changes them, with a role that owns them
//! or is a member of the owner. Older processes then respond with 503 until they are replaced.
