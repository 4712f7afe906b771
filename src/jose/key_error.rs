//! Why a key is refused.

use std::fmt;

/// A key or a set of keys is refused. The error contains nothing of the keys.
///
/// ```
/// use tower_revocation::jose::{KeyErrorKind, KeySet};
///
/// let error = KeySet::from_json(r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#).unwrap_err();
/// assert_eq!(error.kind(), KeyErrorKind::Private);
/// assert_eq!(error.to_string(), "key 1: the key is not public");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyError {
    kind: KeyErrorKind,
    reason: &'static str,
    number: Option<usize>,
    none_left: bool,
}

/// What is wrong with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyErrorKind {
    /// It is not a key, or it is weak or malformed.
    Malformed,
    /// It is a private or a symmetric key. **Anyone who has read the document can sign with it.**
    /// Replace the key.
    Private,
    /// The key may be valid, but is of no use here: its type, curve or algorithm is not supported,
    /// or it is for encryption.
    Unsupported,
}

impl KeyError {
    pub(super) const fn malformed(reason: &'static str) -> Self {
        Self::new(KeyErrorKind::Malformed, reason)
    }

    pub(super) const fn private() -> Self {
        Self::new(KeyErrorKind::Private, "the key is not public")
    }

    pub(super) const fn unsupported(reason: &'static str) -> Self {
        Self::new(KeyErrorKind::Unsupported, reason)
    }

    const fn new(kind: KeyErrorKind, reason: &'static str) -> Self {
        Self {
            kind,
            reason,
            number: None,
            none_left: false,
        }
    }

    /// Adds the index of the key in its set, counted from zero.
    pub(super) fn at(self, index: usize) -> Self {
        Self {
            number: Some(index + 1),
            ..self
        }
    }

    /// Turns the error of one key into that of a set without a usable key.
    pub(super) fn no_usable_key(self) -> Self {
        Self {
            none_left: true,
            ..self
        }
    }

    /// Whether it is the error of a set without a usable key.
    pub(super) fn is_no_usable_key(&self) -> bool {
        self.none_left
    }

    /// The kind of the error.
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
        if let Some(number) = self.number {
            write!(f, "key {number}: ")?;
        }
        f.write_str(self.reason)
    }
}

impl std::error::Error for KeyError {}
