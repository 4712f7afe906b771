//! One event and one count for every request on the path, true to its outcome.

#[cfg(feature = "tracing")]
use std::sync::OnceLock;
use std::time::Instant;

#[cfg(feature = "tracing")]
use hmac::{Hmac, KeyInit as _, Mac as _};

use super::answer::Error;
use crate::{client::Credentials, token::Secret};

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
    #[cfg_attr(
        not(feature = "tracing"),
        expect(unused_variables, clippy::unused_self)
    )]
    pub(super) fn claim(&mut self, credentials: &Credentials) {
        #[cfg(feature = "tracing")]
        if is_heard() {
            const LONGEST: usize = 128;
            self.client_id = credentials
                .claimed_client_id()
                .map(|id| id.chars().take(LONGEST).collect());
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
            let error = error.map_or("none", |error| error.kind().as_str());
            metrics::counter!("tower_revocation_requests_total", "outcome" => outcome, "error" => error).increment(1);
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

/// Whether anybody listens: whoever hears of less than errors hears of errors too.
#[cfg(feature = "tracing")]
fn is_heard() -> bool {
    tracing::event_enabled!(target: "tower_revocation", tracing::Level::ERROR)
}

#[cfg(feature = "tracing")]
impl Observation {
    fn event(&self, outcome: &'static str, error: Option<&Error>, duration: std::time::Duration) {
        // Levels are fixed where an event stands, so the event stands here once for each.
        macro_rules! event {
            ($level:ident) => {
                tracing::$level!(
                    target: "tower_revocation",
                    outcome,
                    error = error.map(|error| error.kind().as_str()),
                    client_id = self.client_id.as_ref().map(tracing::field::debug),
                    token = self.token.as_deref(),
                    duration = duration.as_secs_f64(),
                    cause = error.map(|error| tracing::field::display(Causes(error))),
                    "token revocation"
                )
            };
        }
        match error {
            Some(error) if error.kind().is_fault() => event!(error),
            Some(_) => event!(warn),
            None if outcome == "panicked" => event!(error),
            None => event!(info),
        }
    }
}

/// An error and everything that it comes from.
#[cfg(feature = "tracing")]
struct Causes<'a>(&'a Error);

#[cfg(feature = "tracing")]
impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut link = std::error::Error::source(self.0);
        while let Some(cause) = link {
            write!(f, ": {cause}")?;
            link = cause.source();
        }
        Ok(())
    }
}

/// What a token is called in a log: equal for equal tokens, and of no use without the key.
#[cfg(feature = "tracing")]
#[derive(Clone)]
pub(crate) struct Fingerprints(Hmac<sha2::Sha256>);

#[cfg(feature = "tracing")]
impl Fingerprints {
    pub(crate) fn keyed(key: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes keys of any length"))
    }

    fn of(&self, token: &Secret) -> String {
        let digest = self
            .0
            .clone()
            .chain_update(token.expose())
            .finalize()
            .into_bytes();
        let mut fingerprint = [0; 8];
        fingerprint.copy_from_slice(&digest[..8]);
        format!("{:016x}", u64::from_be_bytes(fingerprint))
    }
}

/// At random, and the same throughout the process.
#[cfg(feature = "tracing")]
impl Default for Fingerprints {
    fn default() -> Self {
        use std::hash::BuildHasher as _;

        static KEYED: OnceLock<Fingerprints> = OnceLock::new();
        KEYED
            .get_or_init(|| {
                let mut key = [0; 32];
                for word in key.chunks_exact_mut(8) {
                    // The standard library draws its hash keys from the operating system.
                    let random = std::hash::RandomState::new().hash_one(word.len());
                    word.copy_from_slice(&random.to_ne_bytes());
                }
                Self::keyed(&key)
            })
            .clone()
    }
}

#[cfg(feature = "tracing")]
impl std::fmt::Debug for Fingerprints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fingerprints(..)")
    }
}
