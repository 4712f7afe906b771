//! The name of a token in the cache.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use siphasher::sip128::SipHasher24;

/// A name of 128 bits for a token: SipHash-2-4 of its whole text, with a key that the cache
/// chooses at random.
///
/// A token whose tag is in the cache is genuine without a look at its signature. So a forger needs
/// another text with the tag of a cached token. With a secret key, `SipHash` is a pseudorandom
/// function, and neither the key nor any tag leaves the process: the forger cannot compute tags,
/// and a refused text tells him nothing about the tag of the next one. He can only guess. With a
/// full cache of 10 000 tokens, a guess succeeds with a probability of 2⁻¹¹⁴. All 128 bits are
/// compared, but not in constant time: how many bits of a tag match does not help to find a text
/// with a better one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Tag {
    place: u64,
    rest: u64,
}

/// Makes the tags of one cache.
pub(super) struct Tagger(SipHasher24);

impl Tagger {
    /// # Errors
    ///
    /// Fails if the operating system has no random numbers.
    pub(super) fn random() -> Result<Self, getrandom::Error> {
        let (a, b) = (getrandom::u64()?, getrandom::u64()?);
        Ok(Self(SipHasher24::new_with_keys(a, b)))
    }

    pub(super) fn tag(&self, token: &str) -> Tag {
        let hash = self.0.hash(token.as_bytes());
        Tag {
            place: hash.h1,
            rest: hash.h2,
        }
    }
}

/// A tag is a hash, so one half of it finds its place.
impl Hash for Tag {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.place);
    }
}

/// Hashes a [`Tag`].
#[derive(Default)]
pub(super) struct TagHasher(u64);

impl Hasher for TagHasher {
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tag(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_a_token_counts() {
        let tagger = Tagger::random().unwrap();
        let token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl";
        let tag = tagger.tag(token);
        assert_eq!(tag, tagger.tag(token));
        for place in 0..token.len() {
            let other = format!("{}~{}", &token[..place], &token[place + 1..]);
            assert_ne!(tag, tagger.tag(&other), "{place}");
            assert_ne!(tag, tagger.tag(&token[..place]), "{place}");
        }
    }

    #[test]
    fn both_halves_of_a_tag_are_compared() {
        let Tag { place, rest } = Tagger::random().unwrap().tag("mF_9.B5f-4.1JqM");
        let tag = Tag { place, rest };
        for bit in 0..64 {
            let bit = 1 << bit;
            let place = place ^ bit;
            assert_ne!(tag, Tag { place, rest });
            let (place, rest) = (tag.place, rest ^ bit);
            assert_ne!(tag, Tag { place, rest });
        }
    }

    #[test]
    fn every_cache_has_a_key_of_its_own() {
        let (one, other) = (Tagger::random().unwrap(), Tagger::random().unwrap());
        assert_ne!(one.tag("mF_9.B5f-4.1JqM"), other.tag("mF_9.B5f-4.1JqM"));
    }
}
