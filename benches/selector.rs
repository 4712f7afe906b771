//! The selectors that the index is measured with.

use tower_revocation::log::{Selector, SelectorClass};

/// A pseudo-random digest of a token.
pub(crate) fn selector(number: u64) -> Selector {
    let mut bytes = [0; 33];
    bytes[0] = SelectorClass::Token as u8;
    let mut word = number;
    for chunk in bytes[1..].chunks_exact_mut(8) {
        // SplitMix64.
        word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        chunk.copy_from_slice(&(mixed ^ (mixed >> 27)).to_be_bytes());
    }
    Selector::from_bytes(&bytes).expect("a class")
}
