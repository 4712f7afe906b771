//! One event and one count for every request on the path, true to its outcome.

use std::time::Instant;

#[cfg(feature = "tracing")]
use hyper::HeaderMap;

use super::error::Error;
#[cfg(feature = "tracing")]
use super::fingerprint::Fingerprints;
use crate::client::Refusal;
#[cfg(feature = "tracing")]
use crate::{client::Credentials, token::Secret};

/// What subscribers filter by.
#[cfg(feature = "tracing")]
pub(crate) const TARGET: &str = "tower_revocation";

/// What is known so far of a request on the path. Dropped before its end, it says so.
#[derive(Debug)]
pub(super) struct Observation {
    begun: Instant,
    ended: bool,
    #[cfg(feature = "tracing")]
    client_id: Option<String>,
    #[cfg(feature = "tracing")]
    token: Option<String>,
}

impl Observation {
    pub(super) fn begin() -> Self {
        Self {
            begun: Instant::now(),
            ended: false,
            #[cfg(feature = "tracing")]
            client_id: None,
            #[cfg(feature = "tracing")]
            token: None,
        }
    }

    /// Whose credentials were presented. Nobody has believed them yet.
    #[cfg(feature = "tracing")]
    pub(super) fn claim(&mut self, credentials: &Credentials, head: &HeaderMap) {
        if is_heard() {
            self.client_id = credentials.claimed_by(head).map(|id| cut(&id));
        }
    }

    /// Which token was presented.
    #[cfg(feature = "tracing")]
    pub(super) fn token(&mut self, token: &Secret, fingerprints: &Fingerprints) {
        self.token = is_heard().then(|| fingerprints.of(token));
    }

    pub(super) fn end(&mut self, outcome: &'static str, error: Option<&Error>) {
        self.ended = true;
        let duration = self.begun.elapsed();
        #[cfg(feature = "metrics")]
        {
            let reason = error
                .and_then(Error::refusal)
                .map_or("none", Refusal::as_str);
            let error = error.map_or("none", |error| error.kind().as_str());
            metrics::counter!(
                "tower_revocation_requests_total",
                "outcome" => outcome, "error" => error, "reason" => reason
            )
            .increment(1);
            metrics::histogram!("tower_revocation_request_duration_seconds", "outcome" => outcome)
                .record(duration);
        }
        #[cfg(feature = "tracing")]
        self.event(outcome, error, duration);
    }
}

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

/// A name as long as a line of a log should have it. Whoever writes it escapes it.
#[cfg(feature = "tracing")]
pub(crate) fn cut(name: &str) -> String {
    const LONGEST: usize = 128;
    name.chars().take(LONGEST).collect()
}

/// Whether anybody listens: whoever hears of less than errors hears of errors too.
#[cfg(feature = "tracing")]
fn is_heard() -> bool {
    tracing::event_enabled!(target: TARGET, tracing::Level::ERROR)
}

#[cfg(feature = "tracing")]
impl Observation {
    fn event(&self, outcome: &'static str, error: Option<&Error>, duration: std::time::Duration) {
        // Levels are fixed where an event stands, so the event stands here once for each.
        macro_rules! event {
            ($level:ident) => {
                tracing::$level!(
                    target: TARGET,
                    outcome,
                    error = error.map(|error| error.kind().as_str()),
                    reason = error.and_then(Error::refusal).map(Refusal::as_str),
                    client_id = self.client_id.as_ref().map(tracing::field::debug),
                    token = self.token.as_deref(),
                    duration = duration.as_secs_f64(),
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

/// An error and everything that it comes from.
#[cfg(feature = "tracing")]
pub(crate) struct Causes<'a>(pub(crate) &'a dyn std::error::Error);

#[cfg(feature = "tracing")]
impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut causes = self.0.to_string();
        let mut link = self.0.source();
        while let Some(cause) = link {
            causes = format!("{causes}: {cause}");
            link = cause.source();
        }
        // Somebody's error may quote the peer, and one event is one line.
        f.write_str(&causes.replace(char::is_control, "?"))
    }
}
