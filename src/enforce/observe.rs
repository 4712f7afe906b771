//! One count for every request, one event for every refusal, and gauges.

use hyper::Request;

use super::{
    index::Shared,
    layer::Settings,
    verdict::{Refused, Verdict},
};
use crate::introspect::Introspection;

/// A request was let through, with a token or without one.
#[cfg(feature = "metrics")]
pub(super) fn passed(anonymous: bool) {
    // Labels that are known here cost no memory.
    if anonymous {
        metrics::counter!(CHECKS, "verdict" => "anonymous", "selector" => "none").increment(1);
    } else {
        metrics::counter!(CHECKS, "verdict" => "live", "selector" => "none").increment(1);
    }
}

#[cfg(not(feature = "metrics"))]
pub(super) fn passed(_: bool) {}

#[cfg(feature = "metrics")]
const CHECKS: &str = "tower_revocation_checks_total";

/// A request was refused. Whose token it brought is there as far as it is known.
pub(super) fn refused<B>(
    refused: &Refused,
    token: Option<&Introspection>,
    request: &Request<B>,
    settings: &Settings,
) {
    count(refused.verdict());
    event(refused, token, request, settings);
}

#[cfg(feature = "metrics")]
fn count(verdict: Verdict) {
    let class = verdict.selector_class();
    metrics::counter!(
        CHECKS,
        "verdict" => verdict.as_str(), "selector" => class.map_or("none", |class| class.as_str())
    )
    .increment(1);
}

#[cfg(not(feature = "metrics"))]
fn count(_: Verdict) {}

/// How much the index knows, and how old that is.
#[cfg(feature = "metrics")]
pub(super) fn gauges(shared: &Shared) {
    let count = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    metrics::gauge!("tower_revocation_index_records").set(count(shared.table.len()));
    metrics::gauge!("tower_revocation_watched_streams").set(count(shared.watchers.len()));
    if let Some(silence) = shared.lease.silence() {
        metrics::gauge!("tower_revocation_index_freshness_seconds").set(silence.as_secs_f64());
    }
    if let Some(applied) = shared.lease.applied() {
        metrics::gauge!("tower_revocation_index_applied_age_seconds").set(applied.as_secs_f64());
    }
}

#[cfg(not(feature = "metrics"))]
pub(super) fn gauges(_: &Shared) {}

#[cfg(feature = "tracing")]
fn event<B>(
    refused: &Refused,
    token: Option<&Introspection>,
    request: &Request<B>,
    settings: &Settings,
) {
    use std::error::Error as _;

    use crate::endpoint::{Causes, Error, TARGET, cut};

    // Levels are fixed where an event stands, so the event stands here once for each.
    macro_rules! event {
        ($level:ident) => {
            tracing::$level!(
                target: TARGET,
                verdict = refused.verdict().as_str(),
                selector = refused.verdict().selector_class().map(|class| class.as_str()),
                client_id = token.map(|token| debug(cut(&token.client_id))),
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
