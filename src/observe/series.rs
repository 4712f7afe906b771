//! The names, units and descriptions of the series.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Histogram buckets for every `_duration_seconds` series, in seconds: from a check in memory to a
/// server that times out, two for each power of ten.
pub const BUCKETS: &[f64] = &[
    0.000_001, 0.000_003, 0.000_01, 0.000_03, 0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3,
    1.0, 3.0, 10.0,
];

/// Registers the unit and the description of every series with the recorder.
///
/// Call it once, after installing the recorder. It also describes the series of features that are
/// off. Exporters show only series with values.
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

/// A name, a unit and a description.
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
        "Revocations refused because of the ceiling of the log or the quota of a client.",
    ),
    (
        "tower_revocation_forwarded_total",
        Unit::Count,
        "Revocations forwarded to another server.",
    ),
    (
        "tower_revocation_links_total",
        Unit::Count,
        "Token responses watched for links of refresh tokens.",
    ),
    (
        "tower_revocation_checks_total",
        Unit::Count,
        "Requests whose token was checked.",
    ),
    (
        "tower_revocation_log_failures_total",
        Unit::Count,
        "Failed commits of the log and failed attempts to recover.",
    ),
    (
        "tower_revocation_log_refused_writes_total",
        Unit::Count,
        "Writes to the log that were refused without an attempt.",
    ),
    (
        "tower_revocation_journal_damaged_total",
        Unit::Count,
        "Reads of entries of the journal that are damaged and were skipped.",
    ),
    (
        "tower_revocation_fleet_incarnations_total",
        Unit::Count,
        "Times that the log of the fleet may have lost its newest records.",
    ),
    (
        "tower_revocation_fleet_read_records_total",
        Unit::Count,
        "Records read from the log of the fleet.",
    ),
    (
        "tower_revocation_fleet_returned_records_total",
        Unit::Count,
        "Records given back to a log that may have lost them.",
    ),
    (
        "tower_revocation_sightings_dropped_total",
        Unit::Count,
        "Tokens that were not noted, or made room for others.",
    ),
    (
        "tower_revocation_admin_requests_total",
        Unit::Count,
        "Administrative requests.",
    ),
    (
        "tower_revocation_notices_total",
        Unit::Count,
        "Attempts to tell an issuer of an order.",
    ),
    (
        "tower_revocation_proxy_failures_total",
        Unit::Count,
        "Requests that the proxy did not forward, or to which the API did not respond.",
    ),
    (
        "tower_revocation_proxy_connections_refused_total",
        Unit::Count,
        "Connections of clients that were closed at a limit.",
    ),
    (
        "tower_revocation_key_fetches_total",
        Unit::Count,
        "Key fetches.",
    ),
    (
        "tower_revocation_jwt_cache_lookups_total",
        Unit::Count,
        "Lookups in the cache of verified tokens.",
    ),
    (
        "tower_revocation_upstream_introspections_total",
        Unit::Count,
        "Requests to an introspection endpoint.",
    ),
    (
        "tower_revocation_upstream_cache_lookups_total",
        Unit::Count,
        "Lookups in the cache of introspections.",
    ),
];

const GAUGES: &[Series] = &[
    (
        "tower_revocation_fleet_members",
        Unit::Count,
        "Processes that follow the log of the fleet.",
    ),
    (
        "tower_revocation_fleet_largest_lag",
        Unit::Count,
        "Records that the slowest member of the fleet lacked.",
    ),
    (
        "tower_revocation_fleet_clock_offset_seconds",
        Unit::Seconds,
        "How far the clock is ahead of that of the server of the log, at least.",
    ),
    (
        "tower_revocation_fleet_loading_records",
        Unit::Count,
        "Records read so far while the log of the fleet is read.",
    ),
    (
        "tower_revocation_fleet_loading_bytes",
        Unit::Bytes,
        "Size of the records read so far while the log of the fleet is read.",
    ),
    (
        "tower_revocation_fleet_loading_expected_records",
        Unit::Count,
        "About how many records there are to read while the log of the fleet is read.",
    ),
    (
        "tower_revocation_fleet_mirror_lag",
        Unit::Count,
        "Records that the mirror of the process lacks.",
    ),
    (
        "tower_revocation_index_records",
        Unit::Count,
        "Records in the index.",
    ),
    (
        "tower_revocation_index_freshness_seconds",
        Unit::Seconds,
        "Time since the log was last known to be complete.",
    ),
    (
        "tower_revocation_index_applied_age_seconds",
        Unit::Seconds,
        "Time since the last record was applied to the index.",
    ),
    (
        "tower_revocation_notices_pending",
        Unit::Count,
        "Orders of which an issuer has not been told yet.",
    ),
    (
        "tower_revocation_notices_oldest_seconds",
        Unit::Seconds,
        "Age of the oldest order of which an issuer has not been told yet.",
    ),
    (
        "tower_revocation_sightings",
        Unit::Count,
        "Tokens noted because they were used here.",
    ),
    (
        "tower_revocation_proxy_connections",
        Unit::Count,
        "Open connections of clients.",
    ),
    (
        "tower_revocation_watched_streams",
        Unit::Count,
        "Open streams and connections that end with their token.",
    ),
    (
        "tower_revocation_log_writable",
        Unit::Count,
        "Whether the log accepts appends.",
    ),
    (
        "tower_revocation_log_queued_writes",
        Unit::Count,
        "Writes in the queue of the log.",
    ),
    (
        "tower_revocation_keys_fetched_timestamp_seconds",
        Unit::Seconds,
        "When the current keys were requested, since the Unix epoch.",
    ),
    (
        "tower_revocation_jwt_cache_entries",
        Unit::Count,
        "Entries in the cache of verified tokens.",
    ),
    (
        "tower_revocation_jwt_cache_bytes",
        Unit::Bytes,
        "Memory of the entries in the cache of verified tokens.",
    ),
    (
        "tower_revocation_upstream_cache_entries",
        Unit::Count,
        "Entries in the cache of introspections.",
    ),
];

const HISTOGRAMS: &[Series] = &[
    (
        "tower_revocation_fleet_poll_duration_seconds",
        Unit::Seconds,
        "Time of a question for new records.",
    ),
    (
        "tower_revocation_request_duration_seconds",
        Unit::Seconds,
        "Duration of requests to the revocation endpoint.",
    ),
    (
        "tower_revocation_check_duration_seconds",
        Unit::Seconds,
        "Duration of token checks, including introspection.",
    ),
    (
        "tower_revocation_log_write_duration_seconds",
        Unit::Seconds,
        "Duration of writes to the log, from the queue to the disk.",
    ),
    (
        "tower_revocation_key_fetch_duration_seconds",
        Unit::Seconds,
        "Duration of key fetches.",
    ),
    (
        "tower_revocation_upstream_introspection_duration_seconds",
        Unit::Seconds,
        "Duration of requests to an introspection endpoint.",
    ),
];
