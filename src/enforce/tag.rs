//! A short name for a selector in memory.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use siphasher::sip128::SipHasher24;

use crate::log::{Selector, SelectorClass};

/// A name of 128 bits for a selector: a hash with a key of this process, so that others cannot make
/// two selectors with the same tag. Three of the bits are the class.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Tag(pub(super) [u32; 4]);

const CLASS: u32 = 0b111;

/// Makes tags.
#[derive(Clone)]
pub(super) struct Tagger {
    hasher: SipHasher24,
    id: u64,
}

/// The number of the next tagger. No two taggers of a process have the same one.
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

impl Tagger {
    pub(super) fn random() -> Self {
        let word = || getrandom::u64().expect("the operating system has random numbers");
        Self {
            hasher: SipHasher24::new_with_keys(word(), word()),
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Taggers with the same number make the same tags.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn tag(&self, selector: &Selector) -> Tag {
        let hash = self.hasher.hash(&selector.to_bytes()).as_bytes();
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(hash.chunks_exact(4)) {
            *word = bytes
                .iter()
                .fold(0, |word, byte| word << 8 | u32::from(*byte));
        }
        Tag(words).of(selector.class())
    }
}

/// The position of a class among the eight of [`SelectorClass::ALL`].
fn place(class: SelectorClass) -> u32 {
    class as u32 - 1
}

impl Tag {
    /// The same tag with another class.
    pub(super) fn of(self, class: SelectorClass) -> Self {
        let Self([a, b, c, d]) = self;
        Self([a, b, c, d & !CLASS | place(class)])
    }

    /// The class of the selector.
    pub(super) fn class(self) -> SelectorClass {
        SelectorClass::ALL[(self.0[3] & CLASS) as usize]
    }

    /// A hash, from other bits than those that choose the shard.
    pub(super) fn hash(self) -> u64 {
        u64::from(self.0[0]) << 32 | u64::from(self.0[1])
    }

    /// The number of a counter, from bits that neither the shard nor the hash uses.
    pub(super) fn counter(self, counters: usize) -> usize {
        (self.0[3] / (CLASS + 1)) as usize % counters
    }

    /// The number of a shard.
    pub(super) fn shard(self, shards: usize) -> usize {
        self.0[2] as usize % shards
    }
}

impl fmt::Debug for Tag {
    /// Only the class, as `Selector` does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({}, ..)", self.class().as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_has_the_class_and_differs_between_selectors() {
        let tagger = Tagger::random();
        let selectors = [
            Selector::token("https://as.example.com", "1"),
            Selector::grant("1"),
            Selector::session("1"),
            Selector::subject_and_client("1", "1"),
            Selector::subject("1"),
            Selector::client("1"),
            Selector::key(&[1; 32]),
            Selector::issuer("1"),
        ];
        for (place, selector) in selectors.iter().enumerate() {
            let tag = tagger.tag(selector);
            assert_eq!(tag.class(), selector.class());
            assert_eq!(tag, tagger.clone().tag(selector));
            for other in &selectors[..place] {
                assert_ne!(tag, tagger.tag(other));
            }
        }
    }

    #[test]
    fn every_tagger_has_a_key_of_its_own() {
        let selector = Selector::grant("g1");
        let (one, other) = (Tagger::random(), Tagger::random());
        assert_ne!(one.tag(&selector), other.tag(&selector));
        assert_ne!(one.id(), other.id());
        assert_eq!(one.id(), one.clone().id());
    }

    #[test]
    fn place_is_the_position_in_all() {
        for (expected, class) in SelectorClass::ALL.iter().enumerate() {
            assert_eq!(place(*class) as usize, expected);
        }
    }
}
