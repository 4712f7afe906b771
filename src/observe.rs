//! The series that this crate emits through the facade of the crate `metrics`.
//!
//! Nothing has to be switched on beside the feature: the application installs a recorder, such as
//! that of `metrics-exporter-prometheus`, and calls [`describe_metrics`] once. Labels have few
//! values, all of which are fixed here or chosen by the operator. None comes from a peer.
//!
//! Durations are in seconds. **Give the exporter [`BUCKETS`] for them**: without buckets,
//! `metrics-exporter-prometheus` renders summaries, which cannot be added up over several nodes. Its
//! call is `set_buckets_for_metric(Matcher::Suffix("_duration_seconds".into()), BUCKETS)`.
//!
//! # The endpoint
//!
//! | series | kind | labels | what it says |
//! |---|---|---|---|
//! | `tower_revocation_requests_total` | counter | `outcome`, `error`, `reason` | Requests on the path. `error` is the [`ErrorKind`](crate::ErrorKind), and `reason` the [`Refusal`](crate::client::Refusal) of a client. |
//! | `tower_revocation_request_duration_seconds` | histogram | `outcome` | The time from the request to the answer. |
//! | `tower_revocation_appends_refused_total` | counter | `reason` | Revocations for which there was no room: at the `ceiling` of the log, or beyond a client's `quota`. |
//! | `tower_revocation_forwarded_total` | counter | `result` | Revocations that `revoke::ForwardRevocation` has sent to another server. |
//!
//! # Enforcement
//!
//! | series | kind | labels | what it says |
//! |---|---|---|---|
//! | `tower_revocation_checks_total` | counter | `verdict`, `selector`, `reason` | Requests. `verdict` is `live`, `anonymous`, `missing`, `malformed`, `invalid`, `expired`, `revoked` or `unknown`. `selector` is the class of the record that covers a revoked token, and `reason` says why a token is `invalid`. |
//! | `tower_revocation_check_duration_seconds` | histogram | `verdict` | The time from the request to the verdict, introspection included. |
//! | `tower_revocation_index_records` | gauge | | Records in the index. |
//! | `tower_revocation_index_freshness_seconds` | gauge | | How long the log has been silent: 0 where nobody else appends, and absent before the log has been read. |
//! | `tower_revocation_index_applied_age_seconds` | gauge | | The time since the last record, absent before one has come. |
//! | `tower_revocation_watched_streams` | gauge | | Streams and connections that are cut when their token ends. |
//!
//! The gauges are set four times a second.
//!
//! # Keys, and other servers
//!
//! | series | kind | labels | what it says |
//! |---|---|---|---|
//! | `tower_revocation_key_fetches_total` | counter | `source`, `result` | Fetches of keys. `source` is the URI or the issuer that the operator has named, without its query, and `clients` for whatever clients have registered. `result` is `fetched`, `unavailable` or `unusable` (what is registered or published cannot be used). |
//! | `tower_revocation_key_fetch_duration_seconds` | histogram | `result` | The time from the beginning of a fetch to the keys. |
//! | `tower_revocation_keys_fetched_timestamp_seconds` | gauge | `source` | When the keys at hand were requested, in seconds after 1970. Their age is `time()` less this. Absent for keys of clients. |
//! | `tower_revocation_upstream_introspections_total` | counter | `result` | Requests to an introspection endpoint: `active`, `inactive`, `unhandled`, `abandoned` (nobody waited any more), or the [kind](crate::introspect::upstream::UpstreamErrorKind) of the error. |
//! | `tower_revocation_upstream_introspection_duration_seconds` | histogram | `result` | The time from such a request to its answer. |
//! | `tower_revocation_upstream_cache_lookups_total` | counter | `result` | Tokens that `Upstream` was asked about: `hit`, `miss`, or `joined` to a request about the same token that was under way. |
//! | `tower_revocation_upstream_cache_entries` | gauge | | Answers in the cache, outdated ones included. |
//!
//! # The log
//!
//! | series | kind | labels | what it says |
//! |---|---|---|---|
//! | `tower_revocation_log_writable` | gauge | | 1 while the log in a file takes appends, else 0. It is readiness *for revocation*, and apart from the readiness for checks. |
//! | `tower_revocation_log_failures_total` | counter | `kind` | Failed commits and failed attempts to recover. |
//! | `tower_revocation_log_write_duration_seconds` | histogram | `result` | The time that a write takes from the queue until it is `durable`, or has `failed`. Writes are revocations, and tokens that `IssuedTokens` registers. |
//! | `tower_revocation_log_queued_writes` | gauge | | Writes that wait for the thread that writes, of all logs in the process. Install the recorder before a log is opened: what waits by then is not counted. |
//! | `tower_revocation_log_refused_writes_total` | counter | `reason` | Writes that were not tried: the `queue` is full, a client has used up its quota (`queue_quota`), or the log is `not_writable`. |
//! | `tower_revocation_orders_total` | counter | `class`, `outcome` | Orders of operators by the class of their target. `outcome` is `revoked`, `failed`, `cancelled` or `panicked`. |
//!
//! # What the labels say
//!
//! A label that does not apply is `none`. Gauges do not say which index, log or server they are
//! about: several of one kind in one process overwrite each other.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Bounds for the buckets of every `_duration_seconds`: three for each power of ten, from a check
/// in memory to a server that times out.
pub const BUCKETS: &[f64] = &[
    0.000_01, 0.000_03, 0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0,
];

/// Describes every series to the recorder: what it says, and its unit.
///
/// Call this once, after the recorder was installed. It describes series of features that are off
/// as well; exporters show only what was emitted.
///
/// ```
/// // metrics_exporter_prometheus::PrometheusBuilder::new().install()?;
/// tower_revocation::observe::describe_metrics();
/// ```
pub fn describe_metrics() {
    for (name, unit, help) in COUNTERS {
        describe_counter!(*name, *unit, *help);
    }
    for (name, unit, help) in GAUGES {
        describe_gauge!(*name, *unit, *help);
    }
    for (name, unit, help) in HISTOGRAMS {
        describe_histogram!(*name, *unit, *help);
    }
}

/// A name, a unit and what it says.
type Series = (&'static str, Unit, &'static str);

const COUNTERS: &[Series] = &[
    (
        "tower_revocation_requests_total",
        Unit::Count,
        "Requests to the revocation endpoint.",
    ),
    (
        "tower_revocation_appends_refused_total",
        Unit::Count,
        "Revocations for which the log had no room.",
    ),
    (
        "tower_revocation_forwarded_total",
        Unit::Count,
        "Revocations that were forwarded to another server.",
    ),
    (
        "tower_revocation_checks_total",
        Unit::Count,
        "Requests whose token was checked.",
    ),
    (
        "tower_revocation_log_failures_total",
        Unit::Count,
        "Failed commits of the log, and failed attempts to recover.",
    ),
    (
        "tower_revocation_log_refused_writes_total",
        Unit::Count,
        "Writes to the log that were refused before they were tried.",
    ),
    (
        "tower_revocation_orders_total",
        Unit::Count,
        "Orders of operators.",
    ),
    (
        "tower_revocation_key_fetches_total",
        Unit::Count,
        "Fetches of keys.",
    ),
    (
        "tower_revocation_upstream_introspections_total",
        Unit::Count,
        "Requests to an introspection endpoint.",
    ),
    (
        "tower_revocation_upstream_cache_lookups_total",
        Unit::Count,
        "Tokens that were looked for in the cache of introspections.",
    ),
];

const GAUGES: &[Series] = &[
    (
        "tower_revocation_index_records",
        Unit::Count,
        "Records in the index.",
    ),
    (
        "tower_revocation_index_freshness_seconds",
        Unit::Seconds,
        "How long the log has been silent.",
    ),
    (
        "tower_revocation_index_applied_age_seconds",
        Unit::Seconds,
        "Time since the last record was applied to the index.",
    ),
    (
        "tower_revocation_watched_streams",
        Unit::Count,
        "Streams and connections that are cut when their token ends.",
    ),
    (
        "tower_revocation_log_writable",
        Unit::Count,
        "Whether the log takes appends.",
    ),
    (
        "tower_revocation_log_queued_writes",
        Unit::Count,
        "Writes that wait to be written to the log.",
    ),
    (
        "tower_revocation_keys_fetched_timestamp_seconds",
        Unit::Seconds,
        "When the keys at hand were requested, since the Unix epoch.",
    ),
    (
        "tower_revocation_upstream_cache_entries",
        Unit::Count,
        "Answers in the cache of introspections.",
    ),
];

const HISTOGRAMS: &[Series] = &[
    (
        "tower_revocation_request_duration_seconds",
        Unit::Seconds,
        "Duration of requests to the revocation endpoint.",
    ),
    (
        "tower_revocation_check_duration_seconds",
        Unit::Seconds,
        "Duration of checks of tokens, introspection included.",
    ),
    (
        "tower_revocation_log_write_duration_seconds",
        Unit::Seconds,
        "Duration of writes to the log, from the queue to the disk.",
    ),
    (
        "tower_revocation_key_fetch_duration_seconds",
        Unit::Seconds,
        "Duration of fetches of keys.",
    ),
    (
        "tower_revocation_upstream_introspection_duration_seconds",
        Unit::Seconds,
        "Duration of requests to an introspection endpoint.",
    ),
];
