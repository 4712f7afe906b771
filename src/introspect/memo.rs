//! What an index keeps with an introspection.

#[cfg(all(test, loom))]
use loom::sync::atomic::AtomicU64;
#[cfg(all(test, shuttle))]
use shuttle::sync::atomic::AtomicU64;
#[cfg(not(all(test, any(shuttle, loom))))]
use std::sync::atomic::AtomicU64;
use std::{
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::log::SelectorClass;

/// The most selectors that a token has: one of each class, and two of keys.
pub(crate) const MOST_SELECTORS: usize = SelectorClass::ALL.len() + 1;

/// Numbers about the selectors of a token. Only the index that made them can read them.
pub(crate) struct Numbers {
    /// The number of that index.
    owner: u64,
    /// One for each selector, which the index computes when it needs it. `None` if the token has no
    /// such selector.
    pub(crate) tags: [OnceLock<Option<[u32; 4]>>; MOST_SELECTORS],
    /// What the index knew of them last. 0 for nothing.
    pub(crate) remembered: AtomicU64,
}

/// The docs of `Introspection::for_reuse` state it.
const _: () = assert!(cfg!(all(test, any(shuttle, loom))) || size_of::<Numbers>() <= 256);

impl Numbers {
    pub(crate) fn of(owner: u64) -> Self {
        Self {
            owner,
            tags: Default::default(),
            remembered: AtomicU64::new(0),
        }
    }
}

/// A place for the numbers of one index, the first that needs it.
///
/// It belongs to the claims of the introspection, so a copy of them starts with an empty one.
#[derive(Default)]
pub(super) struct Memo {
    is_for_reuse: bool,
    was_read: AtomicBool,
    numbers: OnceLock<Box<Numbers>>,
}

impl Memo {
    /// For an introspection that is returned for several requests.
    pub(super) fn for_reuse() -> Self {
        Self {
            is_for_reuse: true,
            ..Self::default()
        }
    }

    pub(super) fn is_for_reuse(&self) -> bool {
        self.is_for_reuse
    }

    /// The numbers of this index. The second call makes them: many tokens are only read once.
    pub(super) fn numbers(&self, owner: u64) -> Option<&Numbers> {
        let numbers = match self.numbers.get() {
            Some(numbers) => numbers,
            None if self.is_for_reuse && self.was_read.swap(true, Ordering::Relaxed) => {
                self.numbers.get_or_init(|| Box::new(Numbers::of(owner)))
            }
            None => return None,
        };
        (numbers.owner == owner).then_some(numbers)
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
