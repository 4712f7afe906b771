//! What a record says, and what two of them say together.

use super::{NumericDate, Selector};

/// One record: every token with this selector that was issued at `not_before` or earlier is dead.
///
/// ```
/// use tower_revocation::log::{NumericDate, Revocation, Selector};
///
/// // A watermark: what was issued until now is dead, what comes later is not.
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
    /// Whatever has this selector is dead, whenever it was or will be issued. Forget the record at
    /// `expires`, when nothing that it covers can be alive any more.
    #[must_use]
    pub const fn forever(selector: Selector, expires: NumericDate) -> Self {
        Self {
            selector,
            not_before: NumericDate::FOREVER,
            expires,
        }
    }

    /// Whatever has this selector and was issued at `not_before` or earlier is dead.
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

    /// Which tokens it is about.
    #[must_use]
    pub const fn selector(&self) -> Selector {
        self.selector
    }

    /// The last second of issue that it covers.
    #[must_use]
    pub const fn not_before(&self) -> NumericDate {
        self.not_before
    }

    /// When nothing that it covers can be alive any more.
    #[must_use]
    pub const fn expires(&self) -> NumericDate {
        self.expires
    }

    /// Whether a token with this selector, issued then, is dead. A token of the same second is.
    #[must_use]
    pub fn covers(&self, issued: NumericDate) -> bool {
        self.not_before >= issued
    }

    /// What this record adds to the one that is known: both as one, or nothing if it is covered.
    pub(crate) fn beyond(self, known: Option<Self>) -> Option<Self> {
        let merged = known.map_or(self, |known| known.merge(self));
        (known != Some(merged)).then_some(merged)
    }

    /// Both records as one. Neither order, nor repetition, nor replay makes a difference, and
    /// nothing that was dead comes to life.
    ///
    /// # Panics
    ///
    /// In debug builds, if the two are about different tokens.
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
