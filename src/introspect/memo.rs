//! What the reader of an introspection keeps with it.

use std::{
    any::Any,
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// A place for what a reader has computed from the claims of an introspection.
///
/// It belongs to these claims, so a copy of them starts with an empty one. Its type is erased,
/// because readers are in rooms that this one does not know.
#[derive(Default)]
pub(super) struct Memo {
    is_kept: bool,
    was_read: AtomicBool,
    value: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl Memo {
    /// For an introspection that is kept for several requests.
    pub(super) fn kept() -> Self {
        Self {
            is_kept: true,
            ..Self::default()
        }
    }

    pub(super) fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// What the reader keeps. The second call makes it: many tokens are only read once.
    pub(super) fn get<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Option<&T> {
        let value = match self.value.get() {
            Some(value) => value,
            None if self.is_kept && self.was_read.swap(true, Ordering::Relaxed) => {
                self.value.get_or_init(|| Box::new(make()))
            }
            None => return None,
        };
        value.downcast_ref()
    }
}

/// The copy may be changed.
impl Clone for Memo {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memo").finish_non_exhaustive()
    }
}
