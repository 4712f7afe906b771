//! What does one record say, and what do two records say together?

use super::{NumericDate, Selector};

/// One record: every token with this selector that was issued at `not_before` or earlier is
/// revoked.
///
/// ```
/// use tower_revocation::log::{NumericDate, Revocation, Selector};
///
/// // A watermark revokes what was issued until then, and not what is issued later.
/// let record = Revocation::watermark(Selector::subject("alice"), NumericDate::new(1000), NumericDate::new(5000));
/// assert!(record.covers(NumericDate::new(1000)));
/// assert!(!record.covers(NumericDate::new(1001)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Revocation {
    selector: Selector,
    not_before: NumericDate,
    expires: NumericDate,
}

impl Revocation {
    /// Revokes every token with this selector, past and future.
    ///
    /// The record can be removed at `expires`, when no token that it covers can be alive.
    #[must_use]
    pub const fn forever(selector: Selector, expires: NumericDate) -> Self {
        Self {
            selector,
            not_before: NumericDate::FOREVER,
            expires,
        }
    }

    /// Revokes every token with this selector that was issued at `not_before` or earlier.
    ///
    /// The record can be removed at `expires`, when no token that it covers can be alive.
    #[must_use]
    pub const fn watermark(
        selector: Selector,
        not_before: NumericDate,
        expires: NumericDate,
    ) -> Self {
        Self {
            selector,
            not_before,
            expires,
        }
    }

    /// Returns which tokens the record is about.
    #[must_use]
    pub const fn selector(&self) -> Selector {
        self.selector
    }

    /// Returns the last second of issue that the record covers.
    #[must_use]
    pub const fn not_before(&self) -> NumericDate {
        self.not_before
    }

    /// Returns the time at which no token that the record covers can be alive.
    #[must_use]
    pub const fn expires(&self) -> NumericDate {
        self.expires
    }

    /// Returns whether a token with this selector that was issued at `issued` is revoked. Tokens
    /// that were issued in the second of [`not_before`](Self::not_before) are revoked.
    #[must_use]
    pub fn covers(&self, issued: NumericDate) -> bool {
        self.not_before >= issued
    }

    /// Merges this record into a known one. Returns `None` if the known record already covers it.
    pub(crate) fn beyond(self, known: Option<Self>) -> Option<Self> {
        let merged = known.map_or(self, |known| known.merge(self));
        (known != Some(merged)).then_some(merged)
    }

    /// Merges two records into one. Order, repetition and replay make no difference, and a token
    /// that was revoked stays revoked.
    ///
    /// # Panics
    ///
    /// Panics in debug builds if the two records have different selectors.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        debug_assert_eq!(self.selector, other.selector);
        Self {
            selector: self.selector,
            not_before: self.not_before.max(other.not_before),
            expires: self.expires.max(other.expires),
        }
    }
}
