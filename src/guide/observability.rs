//! Events, series, alerts and a dashboard.
//!
//! # Events
//!
//! With the feature `tracing`, this crate emits events with the target `tower_revocation`. It emits
//! one event for each request on the revocation path, for each refused request of an API, for each
//! administrative request, and whenever a log, a key fetch or a registry starts or stops to fail. A
//! request that passes emits none. No event contains a token, a secret or an assertion. Where an
//! event identifies a token, it has a fingerprint: see
//! [`RevocationLayer::fingerprint_key`](crate::RevocationLayer::fingerprint_key).
//!
//! The level `ERROR` means that this server or one it depends on fails. `WARN` and lower levels can
//! be caused by clients. The documentation of [`RevocationLayer`](crate::RevocationLayer),
//! [`enforce`](crate::enforce), [`revoke`](crate::revoke) and [`log`](crate::log) lists the fields.
//!
//! # Series
//!
//! With the feature `metrics`, install a recorder, describe the series, and configure the buckets.
//! [`observe`](crate::observe) lists every series with its labels.
//!
//! ```no_run
//! // metrics_exporter_prometheus::PrometheusBuilder::new()
//! //     .set_buckets_for_metric(
//! //         Matcher::Suffix("_duration_seconds".into()),
//! //         tower_revocation::observe::BUCKETS,
//! //     )?
//! //     .install()?;
//! tower_revocation::observe::describe_metrics();
//! ```
//!
//! # Alerts
//!
//! Expressions of Prometheus. Every alert below needs an operator, except where it says otherwise.
//!
//! | alert | expression | meaning |
//! |---|---|---|
//! | log not writable | `tower_revocation_log_writable == 0` for 1 min | Every revocation is 503. Check the disk, or the server of the log. The event says why. On a process that follows a feed: the relay does not answer. |
//! | log fails | `increase(tower_revocation_log_failures_total[10m]) > 0` | Writes or questions fail now and then: a disk that is about to fail, a server of the log that cannot be reached, or a relay that does not answer. |
//! | revocations fail | `sum(rate(tower_revocation_requests_total{outcome="failed"}[5m])) > 0` for 5 min | The backend or the authenticator fails. `error` and the event say why. |
//! | checks fail | `sum(rate(tower_revocation_checks_total{verdict="unknown"}[5m])) > 0` for 2 min | The API responds with 503: no keys, no introspection, or a stale index. |
//! | index is stale | `tower_revocation_index_freshness_seconds > 10` | The log of the processes does not answer. Only for logs that others append to. Put two leases in place of 10. |
//! | clocks differ | `abs(tower_revocation_fleet_clock_offset_seconds) > 1` for 1 min | The clock of a machine and that of the server of the log differ. Put your `skew` in place of 1. If all processes show it, the clock of the server is wrong. |
//! | process is behind | `tower_revocation_fleet_largest_lag > 1000` for 2 min | A process of the fleet does not keep up. [`members`](crate::log::FleetLog::members) names it. |
//! | log may have lost records | `increase(tower_revocation_fleet_incarnations_total[10m]) > 0` | The server of the log has started again, another one has taken its place, or it has lost its newest records. The processes give back what they remember: see [`fleet`](super::fleet). A warning. |
//! | mirror is behind | `tower_revocation_fleet_mirror_lag > 10000` for 5 min | The file cannot be written, or its disk is slow. [`reason`](crate::log::LogHealth::reason) says why. |
//! | no room | `increase(tower_revocation_appends_refused_total{reason="ceiling"}[10m]) > 0` | The log has as many records as its ceiling allows. Raise it, or find out who revokes. |
//! | client at its quota | `increase(tower_revocation_appends_refused_total{reason="quota"}[1h]) > 0` | One client revokes more than its quota. A warning. |
//! | queue grows | `tower_revocation_log_queued_writes > 1000` for 1 min | The disk is slower than the revocations. |
//! | writes refused | `increase(tower_revocation_log_refused_writes_total[10m]) > 0` | The queue is full, or a client used up its quota of it. |
//! | slow writes | `histogram_quantile(0.99, sum by (le) (rate(tower_revocation_log_write_duration_seconds_bucket[5m]))) > 1` | The disk is slow. |
//! | keys are old | `time() - tower_revocation_keys_fetched_timestamp_seconds > 7200` | Keys cannot be fetched. Tokens signed with new keys are 503. |
//! | key fetches fail | `sum by (source) (increase(tower_revocation_key_fetches_total{result!="fetched"}[10m])) > 3` | The issuer cannot be reached, or its keys cannot be used. |
//! | cache too small | `sum(rate(tower_revocation_jwt_cache_lookups_total{result="miss"}[5m])) / sum(rate(tower_revocation_jwt_cache_lookups_total[5m])) > 0.5` for 10 min, while `tower_revocation_jwt_cache_entries` is near the capacity | Signatures are verified again. Raise [`cache_capacity`](crate::introspect::jwt::JwtTokens::cache_capacity). A warning. |
//! | introspection fails | `sum(rate(tower_revocation_upstream_introspections_total{result!~"active\|inactive\|unhandled\|abandoned"}[5m])) > 0` for 2 min | The other server cannot be reached, or its responses cannot be used. |
//! | cascade not recorded | `increase(tower_revocation_forwarded_total{result=~"unnamed\|token_only"}[1h]) > 0` | The other server revoked a token, but its introspection does not name the grant. Other tokens of the grant are accepted here until they expire. |
//! | API does not respond | `sum by (kind) (rate(tower_revocation_proxy_failures_total{kind=~"unreachable\|bad_response\|timed_out"}[5m])) > 0` for 2 min | The gateway responds with 502 or 504. The event says why. |
//! | gateway is full | `increase(tower_revocation_proxy_failures_total{kind="overloaded"}[10m]) > 0` | More requests are at the API than [`max_requests`](crate::proxy::ReverseProxy::max_requests) allows, in total or from one client: it gets 503. The API is slow, or the limit is low. |
//! | clients stop in uploads | `sum(rate(tower_revocation_proxy_failures_total{kind="client_timed_out"}[5m])) > 1` for 5 min | Clients send nothing of their bodies for [`upload_idle_timeout`](crate::proxy::ReverseProxy::upload_idle_timeout): a bad network, an attack, or a limit that is low. A warning. |
//! | guessing | `sum(rate(tower_revocation_requests_total{error="invalid_client"}[5m])) > 10` | Someone guesses credentials. `reason` says what is wrong with them. |
//! | revoked tokens in use | `sum(rate(tower_revocation_checks_total{verdict="revoked"}[5m])) > 1` | Revoked tokens are presented: an app that ignores 401, or a thief. |
//!
//! # Dashboard
//!
//! `examples/grafana/tower-revocation.json` is a Grafana dashboard for Prometheus with all series.
//! Import it and choose the data source.
