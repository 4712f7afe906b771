//! One count and one duration for every request, one event for every refusal, and gauges.

#[cfg(feature = "metrics")]
use std::time::{Duration, Instant};

use hyper::Request;

#[cfg(feature = "tracing")]
use super::verdict::Verdict;
use super::{settings::Settings, verdict::Refused};
use crate::introspect::Introspection;

/// When a check began. It is nothing where nobody measures.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun(#[cfg(feature = "metrics")] Instant);

impl Begun {
    pub(super) fn now() -> Self {
        Self(
            #[cfg(feature = "metrics")]
            Instant::now(),
        )
    }
}

/// A request was let through, with a token or without one.
#[cfg(feature = "metrics")]
pub(super) fn passed(anonymous: bool, begun: Begun) {
    // A literal label costs no memory, so the verdict stands here once for each.
    macro_rules! passed {
        ($verdict:literal) => {
            metrics::counter!(
                "tower_revocation_checks_total",
                "verdict" => $verdict, "selector" => "none", "reason" => "none"
            )
            .increment(1);
            metrics::histogram!("tower_revocation_check_duration_seconds", "verdict" => $verdict)
                .record(begun.0.elapsed());
        };
    }
    if anonymous {
        passed!("anonymous");
    } else {
        passed!("live");
    }
}

#[cfg(not(feature = "metrics"))]
pub(super) fn passed(_: bool, _: Begun) {}

/// A request was refused. Whose token it brought is there as far as it is known.
pub(super) fn refused<B>(
    refused: &Refused,
    token: Option<&Introspection>,
    request: &Request<B>,
    settings: &Settings,
    begun: Begun,
) {
    count(refused, begun);
    event(refused, token, request, settings);
}

#[cfg(feature = "metrics")]
fn count(refused: &Refused, begun: Begun) {
    let verdict = refused.verdict();
    let class = verdict.selector_class();
    metrics::counter!(
        "tower_revocation_checks_total",
        "verdict" => verdict.as_str(),
        "selector" => class.map_or("none", |class| class.as_str()),
        "reason" => refused.reason().map_or("none", |reason| reason.as_str())
    )
    .increment(1);
    metrics::histogram!(
        "tower_revocation_check_duration_seconds",
        "verdict" => verdict.as_str()
    )
    .record(begun.0.elapsed());
}

#[cfg(not(feature = "metrics"))]
fn count(_: &Refused, _: Begun) {}

/// What an index knows, and how old that is.
#[cfg(feature = "metrics")]
pub(super) struct Gauges {
    /// `None` if there is no log.
    pub(super) records: Option<usize>,
    pub(super) watched: usize,
    /// How long the index may be behind the log.
    pub(super) silence: Option<Duration>,
    /// How long ago the last record came.
    pub(super) applied: Option<Duration>,
}

#[cfg(feature = "metrics")]
pub(super) fn gauges(gauges: &Gauges) {
    let count = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    metrics::gauge!("tower_revocation_watched_streams").set(count(gauges.watched));
    if let Some(records) = gauges.records {
        metrics::gauge!("tower_revocation_index_records").set(count(records));
    }
    if let Some(silence) = gauges.silence {
        metrics::gauge!("tower_revocation_index_freshness_seconds").set(silence.as_secs_f64());
    }
    if let Some(applied) = gauges.applied {
        metrics::gauge!("tower_revocation_index_applied_age_seconds").set(applied.as_secs_f64());
    }
}

#[cfg(feature = "tracing")]
fn event<B>(
    refused: &Refused,
    token: Option<&Introspection>,
    request: &Request<B>,
    settings: &Settings,
) {
    use std::error::Error as _;

    use crate::{
        error::Error,
        observe::{Causes, TARGET, truncated},
    };

    // Levels are fixed where an event stands, so the event stands here once for each.
    macro_rules! event {
        ($level:ident) => {
            tracing::$level!(
                target: TARGET,
                verdict = refused.verdict().as_str(),
                selector = refused.verdict().selector_class().map(|class| class.as_str()),
                reason = refused.reason().map(|reason| reason.as_str()),
                client_id = token.map(|token| debug(truncated(&token.client_id))),
                token = settings.fingerprint(request.uri(), request.headers()),
                cause = refused.source().map(|cause| display(Causes(cause))),
                "token refused"
            )
        };
    }
    match refused.verdict() {
        Verdict::Unknown if Error::in_chain(refused).is_none_or(Error::is_alarm) => event!(error),
        Verdict::Unknown => event!(warn),
        Verdict::Revoked(_) => event!(warn),
        // Whoever comes without a token is about to fetch one.
        Verdict::Missing => event!(debug),
        _ => event!(info),
    }
}

#[cfg(not(feature = "tracing"))]
fn event<B>(_: &Refused, _: Option<&Introspection>, _: &Request<B>, _: &Settings) {}
