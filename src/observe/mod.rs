//! Metrics: the series that this crate emits through the `metrics` facade.
//!
//! Install a recorder, such as the one of `metrics-exporter-prometheus`, and call
//! [`describe_metrics`] once. No other configuration is needed. Every label has few values, which
//! are fixed here or chosen by the operator. No label value comes from a peer.
//!
//! Durations are in seconds. **Configure the exporter with [`BUCKETS`]**: without buckets,
//! `metrics-exporter-prometheus` renders summaries, which cannot be aggregated over several nodes.
//! Call `set_buckets_for_metric(Matcher::Suffix("_duration_seconds".into()), BUCKETS)`.
//!
//! # The endpoint
//!
//! | series | kind | labels | description |
//! |---|---|---|---|
//! | `tower_revocation_requests_total` | counter | `outcome`, `error`, `reason` | Requests on the path. `error` is the [`ErrorKind`](crate::ErrorKind), `reason` the [`Refusal`](crate::client::Refusal) of a client. |
//! | `tower_revocation_request_duration_seconds` | histogram | `outcome` | Time from the request to the response. |
//! | `tower_revocation_appends_refused_total` | counter | `reason` | Revocations refused because of the `ceiling` of the log or the `quota` of a client. |
//! | `tower_revocation_forwarded_total` | counter | `result` | Revocations that `revoke::ForwardRevocation` sent to another server. |
//! | `tower_revocation_links_total` | counter | `result` | Token responses from which `revoke::LearnLinksLayer` learnt which tokens belong together, requests that it refused, and damaged rows. |
//!
//! # Enforcement
//!
//! | series | kind | labels | description |
//! |---|---|---|---|
//! | `tower_revocation_checks_total` | counter | `verdict`, `selector`, `reason` | Checked requests. `verdict` is `live`, `anonymous`, `missing`, `malformed`, `invalid`, `expired`, `revoked`, `unknown` or `insufficient_scope`. `selector` is the class of the record that covers a revoked token, `reason` says why a token is `invalid`. A request that a `ScopeLayer` refuses counts twice: the check of its token, and the refusal. |
//! | `tower_revocation_check_duration_seconds` | histogram | `verdict` | Time from the request to the verdict on its token, including introspection. |
//! | `tower_revocation_index_records` | gauge | | Records in the index. Absent without a log. |
//! | `tower_revocation_index_freshness_seconds` | gauge | | Time since the log was last known to be complete. 0 if only this process appends. Absent until the log has been read. |
//! | `tower_revocation_index_applied_age_seconds` | gauge | | Time since the last record. Absent before the first record. |
//! | `tower_revocation_watched_streams` | gauge | | Open streams and connections that end with their token, of all indexes of the process. |
//!
//! The gauges are updated four times a second.
//!
//! # Keys and other servers
//!
//! | series | kind | labels | description |
//! |---|---|---|---|
//! | `tower_revocation_key_fetches_total` | counter | `source`, `result` | Key fetches. `source` is the configured URI or issuer without its query, or `clients` for all registered clients. `result` is `fetched`, `unavailable` or `unusable` (the response or the registered URI cannot be used). |
//! | `tower_revocation_key_fetch_duration_seconds` | histogram | `result` | Duration of a fetch. |
//! | `tower_revocation_keys_fetched_timestamp_seconds` | gauge | `source` | When the current keys were requested, in seconds since the Unix epoch. Their age is `time()` minus this value. Absent for keys of clients. |
//! | `tower_revocation_jwt_cache_lookups_total` | counter | `result` | Tokens that `JwtTokens` looked up in its cache: `hit`, or `miss` if their signature was verified. |
//! | `tower_revocation_jwt_cache_entries` | gauge | | Entries in the caches of all `JwtTokens` of the process, including expired ones. Install the recorder before the first token, else earlier entries are not counted. |
//! | `tower_revocation_jwt_cache_bytes` | gauge | | Memory that these entries take. |
//! | `tower_revocation_upstream_introspections_total` | counter | `result` | Requests to an introspection endpoint: `active`, `inactive`, `unhandled`, `abandoned` (every caller went away), or the [kind](crate::introspect::upstream::UpstreamErrorKind) of the error. |
//! | `tower_revocation_upstream_introspection_duration_seconds` | histogram | `result` | Duration of such a request. |
//! | `tower_revocation_upstream_cache_lookups_total` | counter | `result` | Tokens looked up by `Upstream`: `hit`, `miss`, or `joined` if a request about the same token was already in progress. |
//! | `tower_revocation_upstream_cache_entries` | gauge | | Entries in the cache of `Upstream`, including expired ones. |
//!
//! # The log
//!
//! | series | kind | labels | description |
//! |---|---|---|---|
//! | `tower_revocation_log_writable` | gauge | | 1 while the log accepts appends, else 0. This is readiness *for revocation*, separate from readiness for checks. |
//! | `tower_revocation_log_failures_total` | counter | `kind` | Failed commits and failed attempts to recover. |
//! | `tower_revocation_log_write_duration_seconds` | histogram | `result` | Time from the queue until a write is `durable` or has `failed`. Writes are revocations, and tokens registered by `IssuedTokens`. |
//! | `tower_revocation_log_queued_writes` | gauge | | Queued writes of all logs in the process. Install the recorder before opening a log, else earlier writes are not counted. |
//! | `tower_revocation_log_refused_writes_total` | counter | `reason` | Writes refused without an attempt: the `queue` is full, the client used up its share of it (`queue_quota`), or the log is `not_writable`. |
//! | `tower_revocation_journal_damaged_total` | counter | | Reads of entries of `log::EmbeddedJournal` that are damaged and were skipped. |
//! | `tower_revocation_fleet_members` | gauge | | Processes that use the log of the fleet, this one included. 0 on those that follow a feed. |
//! | `tower_revocation_fleet_largest_lag` | gauge | | Records that the slowest member lacked when it last reported. |
//! | `tower_revocation_fleet_clock_offset_seconds` | gauge | | How far the clock of this machine is ahead of that of the log's server, at least. Negative if it is behind, 0 if the delay of the network explains it. |
//! | `tower_revocation_fleet_read_records_total` | counter | | Records that this process has read from the log. |
//! | `tower_revocation_fleet_loading_records` | gauge | | Records read so far while the process reads the log. 0 once it has read all. |
//! | `tower_revocation_fleet_loading_bytes` | gauge | | Their size. |
//! | `tower_revocation_fleet_loading_expected_records` | gauge | | About how many there are. 0 if that is unknown. |
//! | `tower_revocation_fleet_mirror_lag` | gauge | | Records that the `mirror` of this process lacks. Absent without one. |
//! | `tower_revocation_fleet_poll_duration_seconds` | histogram | `result` | Time until a question for new records (a poll) was `answered` or has `failed`. |
//! | `tower_revocation_fleet_incarnations_total` | counter | | How often the log of the fleet was restored, moved to another server, or may have lost its newest records. |
//! | `tower_revocation_fleet_returned_records_total` | counter | | Records that this process gave back to a log that may have lost them. |
//! | `tower_revocation_sightings` | gauge | | Tokens that `sightings` has noted. It is that of the table that changed last, if a process has several. |
//! | `tower_revocation_sightings_dropped_total` | counter | `reason` | Tokens that `sightings` did not note, or that made room for others: the table is `full`, the `subject` has as many as it can have, a `name` is too long, or the part of the table was `busy`. |
//! | `tower_revocation_admin_requests_total` | counter | `class`, `outcome` | Administrative requests by the class of their target. `outcome` is `revoked`, `failed`, `cancelled` or `panicked`. |
//! | `tower_revocation_notices_total` | counter | `outcome` | Attempts to tell an issuer of an order: `ended`, or the [kind](crate::notify::NotifyErrorKind) of the error. |
//! | `tower_revocation_notices_pending` | gauge | | Orders of which an issuer has not been told yet. Of all processes that share the journal. |
//! | `tower_revocation_notices_oldest_seconds` | gauge | | Age of the oldest of them that this process has tried. |
//!
//! # The proxy
//!
//! | series | kind | labels | description |
//! |---|---|---|---|
//! | `tower_revocation_proxy_failures_total` | counter | `kind` | Requests that `proxy` did not forward, or to which the API did not respond. `kind` is that of `proxy::Error`. |
//! | `tower_revocation_proxy_connections` | gauge | | Open connections of clients to every `proxy::server::Server` of the process, upgraded ones included. |
//! | `tower_revocation_proxy_connections_refused_total` | counter | `reason` | Connections of clients that were closed at a limit: that of one `address`, or of a `flood` of resets, or of a `user` that a Unix socket does not serve, or because it was `idle` while others waited. |
//!
//! # Labels
//!
//! A label that does not apply is `none`. Gauges do not name their index, log or server: several of
//! one kind in one process overwrite each other.

#[cfg(feature = "tracing")]
mod event;
#[cfg(feature = "tracing")]
mod fingerprint;
#[cfg(all(feature = "metrics", feature = "log"))]
mod kept;
#[cfg(feature = "metrics")]
mod series;

#[cfg(feature = "tracing")]
pub(crate) use event::{Causes, TARGET, truncated};
#[cfg(feature = "tracing")]
pub(crate) use fingerprint::Fingerprints;
#[cfg(all(feature = "metrics", feature = "log"))]
pub(crate) use kept::Kept;
#[cfg(feature = "metrics")]
pub use series::{BUCKETS, describe_metrics};
