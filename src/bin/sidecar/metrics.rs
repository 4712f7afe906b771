//! The series of the library, and those about this program's configuration.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tower_revocation::observe::{BUCKETS, describe_metrics};

use crate::lines::LOST;

/// 1 if the latest configuration is in use.
const IN_USE: &str = "sidecar_config_reload_successful";
/// When the configuration in use was read.
const READ_AT: &str = "sidecar_config_last_reload_timestamp_seconds";
/// How often the configuration was read again.
const RELOADS: &str = "sidecar_config_reloads_total";
/// The version of the program.
const BUILD: &str = "sidecar_build_info";

/// How often recorded durations are added up.
const UPKEEP: Duration = Duration::from_secs(1);

/// Starts to count. Opens no port: `/metrics` renders what was counted. [`add_up`] has to run.
pub(crate) fn install() -> Result<PrometheusHandle, BuildError> {
    let durations = Matcher::Suffix("_duration_seconds".to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(durations, BUCKETS)?;
    let handle = builder.install_recorder()?;
    describe_metrics();
    metrics::describe_gauge!(IN_USE, "1 if the latest configuration is in use, else 0.");
    metrics::describe_gauge!(READ_AT, "When the configuration in use was read.");
    metrics::describe_counter!(RELOADS, "How often the configuration was read again.");
    metrics::describe_counter!(
        LOST,
        "Lines that were lost, because nobody has read those before."
    );
    metrics::counter!(LOST).increment(0);
    metrics::describe_gauge!(BUILD, "The version of the program. Always 1.");
    metrics::gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    for result in ["used", "refused"] {
        metrics::counter!(RELOADS, "result" => result).increment(0);
    }
    Ok(handle)
}

/// Adds up recorded durations, for ever. Until then each of them takes memory, and nobody may read
/// `/metrics`.
pub(crate) async fn add_up(handle: PrometheusHandle) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        handle.run_upkeep();
    }
}

/// The configuration that was read last is in use.
pub(crate) fn in_use() {
    metrics::gauge!(IN_USE).set(1.0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    metrics::gauge!(READ_AT).set(now.unwrap_or_default().as_secs_f64());
}

/// The configuration was read again, and is in use or not.
pub(crate) fn reloaded(is_used: bool) {
    let result = if is_used { "used" } else { "refused" };
    metrics::counter!(RELOADS, "result" => result).increment(1);
    if is_used {
        in_use();
    } else {
        metrics::gauge!(IN_USE).set(0.0);
    }
}
