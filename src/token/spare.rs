//! The memory of a dropped secret, for the next secret of the thread.
//!
//! A request that is enforced copies its token into a secret and drops it microseconds later. After
//! the first request of a thread, this allocates nothing. The memory has been overwritten when it
//! gets here. Without the feature `zeroize`, nothing is kept.

use std::cell::Cell;

/// The longest text whose memory is kept, in bytes. Each drop overwrites the whole buffer, so a
/// large one would cost more.
const LONGEST: usize = 1024;

thread_local! {
    static SPARE: Cell<String> = const { Cell::new(String::new()) };
}

pub(super) fn copy(text: &str) -> String {
    // The thread may be ending.
    let mut copy = SPARE.try_with(Cell::take).unwrap_or_default();
    copy.push_str(text);
    copy
}

/// Keeps the memory of an empty text, unless the thread keeps a larger one.
pub(super) fn keep(text: String) {
    if text.capacity() > LONGEST {
        return;
    }
    let _ = SPARE.try_with(|spare| {
        let known = spare.take();
        let is_larger = text.capacity() > known.capacity();
        spare.set(if is_larger { text } else { known });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spare() -> usize {
        let spare = SPARE.take();
        assert_eq!(spare, "");
        let capacity = spare.capacity();
        SPARE.set(spare);
        capacity
    }

    #[test]
    fn memory_of_a_short_text_is_used_again() {
        let mut text = copy(&"a".repeat(300));
        let memory = text.as_ptr();
        text.clear();
        keep(text);
        assert!(spare() >= 300);
        let next = copy("b");
        assert_eq!((next.as_str(), next.as_ptr()), ("b", memory));
        assert_eq!(spare(), 0);
    }

    #[test]
    fn larger_memory_stays() {
        keep(String::with_capacity(300));
        let known = spare();
        for smaller in [0, 1] {
            keep(String::with_capacity(smaller));
            assert_eq!(spare(), known);
        }
        keep(String::with_capacity(400));
        assert!(spare() >= 400);
    }

    #[test]
    fn memory_of_a_long_text_is_not_kept() {
        keep(String::with_capacity(LONGEST + 1));
        assert_eq!(spare(), 0);
    }
}
