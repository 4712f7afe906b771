//! Password hashes.

use std::{fmt, sync::Arc};

use tower::BoxError;

use super::{InvalidHash, function::Function};
use crate::token::Secret;

/// A password hash: a [PHC string] of argon2id, scrypt or PBKDF2, or a bcrypt hash.
///
/// Its costs are checked when it is parsed. So no row of a database can stop the server, and no
/// hash can be worthless:
///
/// | Function | At most | At least |
/// |---|---|---|
/// | `argon2id`, `v=19` | `m` 262 144 KiB, `t` 10 passes, `p` 4 lanes; `m` × `t` 1 048 576 KiB | `m` 7 168 KiB |
/// | `scrypt` | `ln` 17, `r` 16, `p` 4, which is 256 MiB | 16 MiB, as `ln` 14 with `r` 8 |
/// | `pbkdf2-sha256`, `pbkdf2-sha512` | `i` 2 000 000 rounds; half, if the output is longer than the digest | `i` 10 000 rounds |
/// | `$2a$`, `$2b$`, `$2y$` (bcrypt) | cost 14 | cost 4, the least that bcrypt has |
///
/// The lower limits are where a hash protects nothing. They are not recommendations: **choose what
/// [OWASP] recommends.**
///
/// **bcrypt reads at most 72 bytes. A longer secret, or a secret with a NUL, never matches a bcrypt
/// hash.** A hash that was made from a longer secret matches its first 72 bytes.
///
/// It has no `PartialEq`, and its `Debug` output shows only the name of the function.
///
/// ```
/// use tower_revocation::client::password::{InvalidHash, PasswordHash};
///
/// let hash = PasswordHash::parse(
///     "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
/// )?;
/// assert_eq!(format!("{hash:?}"), "PasswordHash(argon2id)");
///
/// let four_gibibytes = "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5Q";
/// assert_eq!(PasswordHash::parse(four_gibibytes).unwrap_err(), InvalidHash::TooCostly);
/// # Ok::<_, InvalidHash>(())
/// ```
///
/// [PHC string]: https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md
/// [OWASP]: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
#[derive(Clone)]
pub struct PasswordHash(Arc<Parsed>);

struct Parsed {
    text: Box<str>,
    function: Function,
}

impl PasswordHash {
    /// Parses a hash. **All parameters must be present, and no others.**
    ///
    /// # Errors
    ///
    /// Fails with the reason, which never repeats the hash.
    pub fn parse(text: &str) -> Result<Self, InvalidHash> {
        Ok(Self(Arc::new(Parsed {
            text: text.into(),
            function: Function::parse(text)?,
        })))
    }

    /// The original text. Two hashes of one password differ.
    pub(super) fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Whether the hash was made from this secret. It is slow: never call it on an async thread.
    pub(super) fn matches(&self, secret: &Secret) -> Result<bool, BoxError> {
        self.0.function.matches(secret)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordHash({})", self.0.function.name())
    }
}
