//! What a backend tells the layer whose options it has applied.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{introspect::Introspection, token::Outcome};

/// What the backends of one request tell the layer that has set its
/// [`RevocationOptions`](super::RevocationOptions).
///
/// A layer makes one for each request, and puts a clone into the
/// [`BackendExtensions`](crate::BackendExtensions). See
/// [`RevocationOptions`](super::RevocationOptions) for an example.
#[derive(Clone, Default)]
pub struct RevocationReport(Arc<Mutex<Reported>>);

#[derive(Default)]
struct Reported {
    outcomes: Vec<Outcome>,
    revoked: Option<Introspection>,
}

impl RevocationReport {
    /// Makes a report that says nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether a backend that applies the options has returned this outcome.
    ///
    /// **If not, the options were ignored**: more or less was revoked than the layer has asked for.
    #[must_use]
    pub fn confirms(&self, outcome: Outcome) -> bool {
        self.read(|reported| reported.outcomes.contains(&outcome))
    }

    /// Returns what is known of the token that was revoked. `None` if none was, or if the backend knows
    /// nothing of it. The tokens of other clients are not there.
    #[must_use]
    pub fn revoked(&self) -> Option<Introspection> {
        self.read(|reported| reported.revoked.clone())
    }

    pub(super) fn end(&self, outcome: Outcome, token: Option<&Introspection>) {
        self.read(|reported| {
            reported.outcomes.push(outcome);
            if outcome == Outcome::Revoked {
                reported.revoked = token.cloned();
            }
        });
    }

    fn read<T>(&self, read: impl FnOnce(&mut Reported) -> T) -> T {
        read(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for RevocationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcomes = self.read(|reported| reported.outcomes.clone());
        f.debug_tuple("RevocationReport").field(&outcomes).finish()
    }
}
