//! The counts, durations and events of enforcement.
//!
//! One count and one duration for every request, and one event for every refusal.

#[cfg(feature = "metrics")]
use std::time::Instant;

use hyper::Request;
#[cfg(feature = "metrics")]
use metrics::{Counter, Histogram};

#[cfg(feature = "tracing")]
use super::verdict::Verdict;
use super::{settings::Settings, verdict::Refused};
#[cfg(feature = "metrics")]
use crate::observe::Kept;
use crate::{introspect::Introspection, log::NumericDate};

/// When a check began. Empty without the feature `metrics`.
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

/// The series of the requests that pass with a token. Empty without the feature `metrics`.
#[derive(Clone, Default)]
pub(super) struct Live(#[cfg(feature = "metrics")] Kept<(Counter, Histogram)>);

/// The series of the requests that pass. A literal label costs no allocation.
#[cfg(feature = "metrics")]
macro_rules! passed {
    ($verdict:literal) => {
        (
            metrics::counter!(
                "tower_revocation_checks_total",
                "verdict" => $verdict, "selector" => "none", "reason" => "none"
            ),
            metrics::histogram!("tower_revocation_check_duration_seconds", "verdict" => $verdict),
        )
    };
}

impl Live {
    /// A request passed with its token.
    pub(super) fn passed(&self, now: NumericDate, begun: Begun) {
        #[cfg(feature = "metrics")]
        self.0
            .record(now, || passed!("live"), |series| add(series, begun));
        #[cfg(not(feature = "metrics"))]
        let _ = (self, now, begun);
    }
}

/// A request passed without a token.
#[cfg(feature = "metrics")]
pub(super) fn passed_without_token(begun: Begun) {
    add(&passed!("anonymous"), begun);
}

#[cfg(not(feature = "metrics"))]
pub(super) fn passed_without_token(_: Begun) {}

#[cfg(feature = "metrics")]
fn add((requests, durations): &(Counter, Histogram), begun: Begun) {
    requests.increment(1);
    durations.record(begun.0.elapsed());
}

/// A request was refused. `token` is what is known of its token.
pub(super) fn refused<B>(
    refused: &Refused,
    token: Option<&Introspection>,
    request: &Request<B>,
    settings: &Settings,
    begun: Begun,
) {
    count(refused);
    duration(refused, begun);
    event(refused, token, || fingerprint(request, settings));
}

/// A request was refused because of its scope. [`Live::passed`] has counted it before, so it has no
/// duration of its own.
pub(super) fn scope_refused(refused: &Refused, token: Option<&Introspection>) {
    count(refused);
    event(refused, token, || None);
}

#[cfg(feature = "metrics")]
fn count(refused: &Refused) {
    let verdict = refused.verdict();
    let class = verdict.selector_class();
    metrics::counter!(
        "tower_revocation_checks_total",
        "verdict" => verdict.as_str(),
        "selector" => class.map_or("none", |class| class.as_str()),
        "reason" => refused.reason().map_or("none", |reason| reason.as_str())
    )
    .increment(1);
}

#[cfg(not(feature = "metrics"))]
fn count(_: &Refused) {}

#[cfg(feature = "metrics")]
fn duration(refused: &Refused, begun: Begun) {
    metrics::histogram!(
        "tower_revocation_check_duration_seconds",
        "verdict" => refused.verdict().as_str()
    )
    .record(begun.0.elapsed());
}

#[cfg(not(feature = "metrics"))]
fn duration(_: &Refused, _: Begun) {}

#[cfg(feature = "tracing")]
fn fingerprint<B>(request: &Request<B>, settings: &Settings) -> Option<String> {
    settings.fingerprint(request.uri(), request.headers())
}

#[cfg(not(feature = "tracing"))]
fn fingerprint<B>(_: &Request<B>, _: &Settings) -> Option<String> {
    None
}

#[cfg(feature = "tracing")]
fn event(
    refused: &Refused,
    token: Option<&Introspection>,
    fingerprint: impl Fn() -> Option<String>,
) {
    use std::error::Error as _;

    use crate::{
        error::Error,
        observe::{Causes, TARGET, truncated},
    };

    // The level of an event is static, so the macro expands once for each level.
    macro_rules! event {
        ($level:ident) => {
            tracing::$level!(
                target: TARGET,
                verdict = refused.verdict().as_str(),
                selector = refused.verdict().selector_class().map(|class| class.as_str()),
                reason = refused.reason().map(|reason| reason.as_str()),
                client_id = token.map(|token| debug(truncated(&token.client_id))),
                token = fingerprint(),
                cause = refused.source().map(|cause| display(Causes(cause))),
                "token refused"
            )
        };
    }
    match refused.verdict() {
        Verdict::Unknown if Error::in_chain(refused).is_none_or(Error::is_alarm) => event!(error),
        Verdict::Unknown => event!(warn),
        Verdict::Revoked(_) => event!(warn),
        // A client without a token usually fetches one next.
        Verdict::Missing => event!(debug),
        _ => event!(info),
    }
}

#[cfg(not(feature = "tracing"))]
fn event(_: &Refused, _: Option<&Introspection>, _: impl Fn() -> Option<String>) {}
