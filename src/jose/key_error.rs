//! Why is a key refused?

use std::fmt;

/// Why a key, or a set of keys, is refused. It never repeats what is in a key.
///
/// ```
/// use tower_revocation::jose::{KeyErrorKind, KeySet};
///
/// let error = KeySet::from_json(r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#).unwrap_err();
/// assert_eq!(error.kind(), KeyErrorKind::Private);
/// assert_eq!(error.to_string(), "key 1: it is not public");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyError {
    kind: KeyErrorKind,
    reason: &'static str,
    place: Option<usize>,
    none_left: bool,
}

/// What is wrong with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyErrorKind {
    /// It is no key, or not a sound one.
    Malformed,
    /// It is a private or a symmetric key. **Whoever has read the document can now sign with it**:
    /// replace it.
    Private,
    /// It may be a fine key, but verifies no signature that this crate knows: it has another type,
    /// curve or algorithm, or is meant for encryption.
    Unsupported,
}

impl KeyError {
    pub(super) const fn malformed(reason: &'static str) -> Self {
        Self::new(KeyErrorKind::Malformed, reason)
    }

    pub(super) const fn private() -> Self {
        Self::new(KeyErrorKind::Private, "it is not public")
    }

    pub(super) const fn unsupported(reason: &'static str) -> Self {
        Self::new(KeyErrorKind::Unsupported, reason)
    }

    const fn new(kind: KeyErrorKind, reason: &'static str) -> Self {
        Self {
            kind,
            reason,
            place: None,
            none_left: false,
        }
    }

    /// Of the key at this place of a set, counted from zero.
    pub(super) fn at(self, index: usize) -> Self {
        Self {
            place: Some(index + 1),
            ..self
        }
    }

    /// No key of the set can be used. This is what is wrong with one of them.
    pub(super) fn no_usable_key(self) -> Self {
        Self {
            none_left: true,
            ..self
        }
    }

    /// Whether it is a set, of which no key can be used.
    pub(super) fn is_no_usable_key(&self) -> bool {
        self.none_left
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> KeyErrorKind {
        self.kind
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.none_left {
            f.write_str("the set has no usable key: ")?;
        }
        if let Some(place) = self.place {
            write!(f, "key {place}: ")?;
        }
        f.write_str(self.reason)
    }
}

impl std::error::Error for KeyError {}
