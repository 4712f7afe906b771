//! One event and one count for every request on the path.

#[cfg(any(feature = "tracing", feature = "metrics"))]
use std::time::Duration;
use std::{sync::Arc, time::Instant};

use super::EndpointSettings;
use crate::error::Error;
#[cfg(feature = "tracing")]
use {
    crate::{
        client::Credentials,
        observe::{Causes, TARGET, truncated},
        refusal::Refusal,
        token::Secret,
    },
    hyper::HeaderMap,
};

/// What is known of a request so far. Reports a cancelled request when it is dropped early.
///
/// Without the features `tracing` and `metrics` it only checks that there is one end.
#[derive(Debug)]
pub(super) struct Observation {
    /// The settings of the endpoint, also for the rest of the conversation.
    pub(super) settings: Arc<EndpointSettings>,
    ended: bool,
    #[cfg(any(feature = "tracing", feature = "metrics"))]
    started: Instant,
    #[cfg(feature = "tracing")]
    client_id: Option<String>,
    #[cfg(feature = "tracing")]
    token: Option<String>,
}

impl Observation {
    pub(super) fn begin(settings: Arc<EndpointSettings>) -> Self {
        Self {
            ended: false,
            #[cfg(any(feature = "tracing", feature = "metrics"))]
            started: settings.timeouts.now(),
            #[cfg(feature = "tracing")]
            client_id: None,
            #[cfg(feature = "tracing")]
            token: None,
            settings,
        }
    }

    /// When the request began. The time-outs count from then, so that the time is read once.
    pub(super) fn started(&self) -> Instant {
        #[cfg(any(feature = "tracing", feature = "metrics"))]
        return self.started;
        #[cfg(not(any(feature = "tracing", feature = "metrics")))]
        return self.settings.timeouts.now();
    }

    #[cfg(any(feature = "tracing", feature = "metrics"))]
    fn elapsed(&self) -> Duration {
        let now = self.settings.timeouts.now();
        now.saturating_duration_since(self.started)
    }

    /// Notes the client that the credentials name. It is not authenticated yet.
    #[cfg(feature = "tracing")]
    pub(super) fn claim(&mut self, credentials: &Credentials, head: &HeaderMap) {
        if is_enabled() {
            self.client_id = credentials.claimed_by(head).map(|id| truncated(&id));
        }
    }

    /// Notes the fingerprint of the token.
    #[cfg(feature = "tracing")]
    pub(super) fn token(&mut self, token: &Secret) {
        self.token = is_enabled().then(|| self.settings.fingerprints.of(token));
    }

    pub(super) fn end(&mut self, outcome: &'static str, error: Option<&Error>) {
        debug_assert!(!self.ended, "a request ends once");
        self.ended = true;
        #[cfg(feature = "metrics")]
        self.count(outcome, error);
        #[cfg(feature = "tracing")]
        self.event(outcome, error);
        #[cfg(not(any(feature = "tracing", feature = "metrics")))]
        let _ = (outcome, error);
    }

    #[cfg(feature = "metrics")]
    fn count(&self, outcome: &'static str, error: Option<&Error>) {
        // Literal labels are static. Others allocate, so the frequent outcomes have their own.
        macro_rules! count {
            ($outcome:tt, $error:tt, $reason:tt) => {{
                metrics::counter!(
                    "tower_revocation_requests_total",
                    "outcome" => $outcome, "error" => $error, "reason" => $reason
                )
                .increment(1);
                metrics::histogram!(
                    "tower_revocation_request_duration_seconds", "outcome" => $outcome
                )
                .record(Elapsed(self));
            }};
        }
        let reason = error
            .and_then(Error::refusal)
            .map_or("none", crate::refusal::Refusal::as_str);
        let error = error.map_or("none", |error| error.kind().as_str());
        match (outcome, error) {
            ("revoked", "none") => count!("revoked", "none", "none"),
            ("not_found", "none") => count!("not_found", "none", "none"),
            _ => count!(outcome, error, reason),
        }
    }

    #[cfg(feature = "tracing")]
    fn event(&self, outcome: &'static str, error: Option<&Error>) {
        // The level of an event is static, so there is one call for each level.
        macro_rules! event {
            ($level:ident) => {
                tracing::$level!(
                    target: TARGET,
                    outcome,
                    error = error.map(|error| error.kind().as_str()),
                    reason = error.and_then(Error::refusal).map(Refusal::as_str),
                    client_id = self.client_id.as_ref().map(tracing::field::debug),
                    token = self.token.as_deref(),
                    duration = self.elapsed().as_secs_f64(),
                    cause = error.map(|error| tracing::field::display(Causes(error))),
                    "token revocation"
                )
            };
        }
        match error {
            Some(error) if error.is_alarm() => event!(error),
            Some(_) => event!(warn),
            None if outcome == "panicked" => event!(error),
            None => event!(info),
        }
    }
}

#[cfg(any(feature = "tracing", feature = "metrics"))]
impl Drop for Observation {
    fn drop(&mut self) {
        if !self.ended {
            let outcome = if std::thread::panicking() {
                "panicked"
            } else {
                "cancelled"
            };
            self.end(outcome, None);
        }
    }
}

/// Reads the time only if a recorder listens.
#[cfg(feature = "metrics")]
struct Elapsed<'a>(&'a Observation);

#[cfg(feature = "metrics")]
impl metrics::IntoF64 for Elapsed<'_> {
    fn into_f64(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// Whether a subscriber listens. One that listens to lower levels listens to errors too.
#[cfg(feature = "tracing")]
fn is_enabled() -> bool {
    tracing::event_enabled!(target: TARGET, tracing::Level::ERROR)
}
