//! What operators see: how many sightings there are, and what was not noted.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why a token was not noted, or made room for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dropped {
    /// The capacity is used up.
    Full,
    /// The subject has as many sightings as it can have.
    Subject,
    /// A name is longer than 255 bytes.
    Name,
    /// Another thread was changing the same part of the table.
    Busy,
}

impl Dropped {
    /// All reasons.
    pub const ALL: [Self; 4] = [Self::Full, Self::Subject, Self::Name, Self::Busy];

    /// Returns the name: `full`, `subject`, `name` or `busy`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Subject => "subject",
            Self::Name => "name",
            Self::Busy => "busy",
        }
    }
}

/// How often something was dropped.
#[derive(Debug, Default)]
pub(super) struct Counts([AtomicU64; Dropped::ALL.len()]);

impl Counts {
    pub(super) fn count(&self, dropped: Dropped) {
        self.0[dropped as usize].fetch_add(1, Ordering::Relaxed);
        #[cfg(feature = "metrics")]
        metrics::counter!(
            "tower_revocation_sightings_dropped_total", "reason" => dropped.as_str()
        )
        .increment(1);
    }

    pub(super) fn of(&self, dropped: Dropped) -> u64 {
        self.0[dropped as usize].load(Ordering::Relaxed)
    }
}

/// The number of sightings has changed.
pub(super) fn number(number: usize) {
    #[cfg(feature = "metrics")]
    {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        metrics::gauge!("tower_revocation_sightings").set(f64::from(number));
    }
    let _ = number;
}
