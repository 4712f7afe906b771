//! The clock of the issuer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use crate::log::NumericDate;

/// The clock of a [`TestIssuer`](super::TestIssuer). It runs with the clock of the system, plus an
/// offset that the test sets. Defaults to no offset.
///
/// The issuer dates its tokens by this clock. **The layers read the clock of the system**, so the
/// test moves the issuer and not the layers: a token that is signed an hour ago expires now.
///
/// Clones share the offset.
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::test_util::TestIssuer;
///
/// let issuer = TestIssuer::new("https://issuer.test");
/// issuer.clock().rewind(Duration::from_secs(3600));
/// // Issued an hour ago for five minutes: it has expired.
/// let expired = issuer.token().sign();
///
/// issuer.clock().advance(Duration::from_secs(7200));
/// // Issued an hour from now: it is not yet valid.
/// let early = issuer.token().sign();
/// ```
#[derive(Clone, Debug, Default)]
pub struct TestClock {
    offset: Arc<AtomicI64>,
}

impl TestClock {
    /// The time of the issuer.
    #[must_use]
    pub fn now(&self) -> NumericDate {
        let offset = self.offset.load(Ordering::SeqCst);
        NumericDate::new(NumericDate::now().seconds().saturating_add_signed(offset))
    }

    /// Moves the clock forward by whole seconds.
    pub fn advance(&self, duration: Duration) {
        self.shift(seconds(duration));
    }

    /// Moves the clock back by whole seconds.
    pub fn rewind(&self, duration: Duration) {
        self.shift(-seconds(duration));
    }

    /// Sets the clock. It runs on from there.
    pub fn set(&self, now: NumericDate) {
        let system = NumericDate::now().seconds();
        let offset = i128::from(now.seconds()) - i128::from(system);
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        self.offset.store(offset, Ordering::SeqCst);
    }

    fn shift(&self, seconds: i64) {
        let shifted = |offset: i64| Some(offset.saturating_add(seconds));
        _ = self
            .offset
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, shifted);
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
