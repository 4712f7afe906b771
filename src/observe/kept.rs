//! Handles to the series of what happens with every request.

use std::{
    fmt,
    sync::{PoisonError, RwLock},
};

use crate::date::NumericDate;

/// Handles that are looked up at most once a second.
///
/// To look up a series by its name and labels takes longer than to check a known token. A recorder that is
/// installed later, or that removes series without changes, is asked again in the next second.
pub(crate) struct Kept<T>(RwLock<Option<(NumericDate, T)>>);

impl<T> Kept<T> {
    /// Calls `record` with the handles. `now` is the current second.
    pub(crate) fn record(
        &self,
        now: NumericDate,
        look_up: impl FnOnce() -> T,
        record: impl FnOnce(&T),
    ) {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, handles)) = kept.as_ref().filter(|(second, _)| *second == now) {
            return record(handles);
        }
        drop(kept);
        let handles = look_up();
        record(&handles);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some((now, handles));
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(RwLock::new(None))
    }
}

/// The clone looks up its own handles.
impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<T> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn handles_are_looked_up_once_in_a_second() {
        let kept = Kept::default();
        let recorded = Cell::new(0);
        let mut look_ups = 0;
        for (second, expected) in [(7, 1), (7, 1), (8, 2), (8, 2), (7, 3)] {
            let look_up = || {
                look_ups += 1;
                look_ups
            };
            kept.record(NumericDate::new(second), look_up, |handle| {
                recorded.set(*handle);
            });
            assert_eq!(recorded.get(), expected, "{second}");
        }
    }
}
