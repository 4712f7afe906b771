//! Why a text is not accepted as a password hash.

use std::fmt;

/// Why a text is not accepted as a password hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidHash {
    /// The function, or its version, is not supported.
    UnknownFunction,
    /// Verifying a password would cost more than the limits allow.
    TooCostly,
    /// Guessing the password would cost almost nothing.
    TooCheap,
    /// The text is neither a PHC string with all its parameters nor a bcrypt hash.
    Malformed,
}

impl InvalidHash {
    /// The reason, which errors of the registry contain.
    fn as_str(self) -> &'static str {
        match self {
            Self::UnknownFunction => {
                "a password hash is argon2id (version 19), scrypt, pbkdf2-sha256, pbkdf2-sha512 or \
                 bcrypt ($2a$, $2b$ or $2y$)"
            }
            Self::TooCostly => "a password hash with costs above the limits",
            Self::TooCheap => "a password hash with costs so low that it protects nothing",
            Self::Malformed => "neither a PHC string with all its parameters nor a bcrypt hash",
        }
    }
}

impl fmt::Display for InvalidHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for InvalidHash {}
