//! Which tokens is a record about?

use std::fmt;

use sha2::{Digest as _, Sha256};

/// Which tokens a record is about. A token is revoked if any one of its selectors is revoked.
///
/// A selector contains the digest of a name. So the log does not disclose whose tokens were
/// revoked, and all records have the same size. **Names are compared byte for byte.**
///
/// ```
/// use tower_revocation::log::Selector;
///
/// assert_eq!(Selector::grant("g1"), Selector::grant("g1"));
/// assert_ne!(Selector::grant("g1"), Selector::session("g1"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector {
    class: SelectorClass,
    digest: [u8; 32],
}

/// The property by which a [`Selector`] selects tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum SelectorClass {
    /// One token.
    Token = 1,
    /// All tokens of one authorization.
    Grant = 2,
    /// All tokens of one session (`sid`).
    Session = 3,
    /// All tokens of one subject at one client.
    SubjectAndClient = 4,
    /// All tokens of one subject.
    Subject = 5,
    /// All tokens of one client.
    Client = 6,
    /// All tokens bound to one key (`cnf`).
    Key = 7,
    /// All tokens of one issuer.
    Issuer = 8,
}

impl SelectorClass {
    /// All classes. Those that select the fewest tokens come first.
    pub const ALL: &'static [Self] = &[
        Self::Token,
        Self::Grant,
        Self::Session,
        Self::SubjectAndClient,
        Self::Subject,
        Self::Client,
        Self::Key,
        Self::Issuer,
    ];

    /// Whether a record of this class is about all tokens, future ones included. The others have a
    /// date.
    #[cfg(feature = "admin")]
    pub(crate) fn is_for_ever(self) -> bool {
        match self {
            Self::Token | Self::Grant | Self::Session => true,
            Self::SubjectAndClient | Self::Subject | Self::Client | Self::Key | Self::Issuer => {
                false
            }
        }
    }

    /// Returns a short name for logs and counters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Grant => "grant",
            Self::Session => "session",
            Self::SubjectAndClient => "subject_and_client",
            Self::Subject => "subject",
            Self::Client => "client",
            Self::Key => "key",
            Self::Issuer => "issuer",
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Token,
            2 => Self::Grant,
            3 => Self::Session,
            4 => Self::SubjectAndClient,
            5 => Self::Subject,
            6 => Self::Client,
            7 => Self::Key,
            8 => Self::Issuer,
            _ => return None,
        })
    }
}

impl Selector {
    /// Selects the self-contained token with the identifier `id` (`jti`) of `issuer` (`iss`).
    #[must_use]
    pub fn token(issuer: &str, id: &str) -> Self {
        Self::named(SelectorClass::Token, &[issuer, id])
    }

    /// Selects the opaque token that its store identifies by this digest. The store chooses the
    /// digest function.
    #[must_use]
    pub const fn opaque_token(digest: [u8; 32]) -> Self {
        Self {
            class: SelectorClass::Token,
            digest,
        }
    }

    /// Selects all tokens of one authorization.
    #[must_use]
    pub fn grant(grant: &str) -> Self {
        Self::named(SelectorClass::Grant, &[grant])
    }

    /// Selects all tokens of one session (`sid`).
    #[must_use]
    pub fn session(session: &str) -> Self {
        Self::named(SelectorClass::Session, &[session])
    }

    /// Selects all tokens that one client holds for one subject.
    #[must_use]
    pub fn subject_and_client(subject: &str, client_id: &str) -> Self {
        Self::named(SelectorClass::SubjectAndClient, &[subject, client_id])
    }

    /// Selects all tokens of one subject (`sub`), at every client.
    #[must_use]
    pub fn subject(subject: &str) -> Self {
        Self::named(SelectorClass::Subject, &[subject])
    }

    /// Selects all tokens of one client, for every subject.
    #[must_use]
    pub fn client(client_id: &str) -> Self {
        Self::named(SelectorClass::Client, &[client_id])
    }

    /// Selects all tokens bound to one key, by its SHA-256 thumbprint (`jkt`, `x5t#S256`).
    #[must_use]
    pub const fn key(thumbprint: &[u8; 32]) -> Self {
        Self {
            class: SelectorClass::Key,
            digest: *thumbprint,
        }
    }

    /// Selects all tokens of one issuer (`iss`).
    #[must_use]
    pub fn issuer(issuer: &str) -> Self {
        Self::named(SelectorClass::Issuer, &[issuer])
    }

    /// Limits the selector to one tenant.
    ///
    /// An issuer names its subjects, clients, grants and sessions, and another issuer may use the
    /// same names. If one log serves several issuers, make each of them a tenant. Otherwise a user
    /// who can choose a subject name at one issuer can revoke the tokens of the subject with the
    /// same name at another issuer.
    ///
    /// ```
    /// use tower_revocation::log::Selector;
    ///
    /// let alice = Selector::subject("alice");
    /// assert_ne!(alice.within("https://one.example"), alice.within("https://other.example"));
    /// ```
    #[must_use]
    pub fn within(self, tenant: &str) -> Self {
        let mut digest = Sha256::new();
        digest.update(self.digest);
        digest.update(tenant);
        Self {
            class: self.class,
            digest: digest.finalize().into(),
        }
    }

    /// Returns the property by which it selects tokens.
    #[must_use]
    pub const fn class(&self) -> SelectorClass {
        self.class
    }

    fn named(class: SelectorClass, names: &[&str]) -> Self {
        let mut digest = Sha256::new();
        for name in names {
            // The lengths make ("a", "bc") differ from ("ab", "c").
            digest.update((name.len() as u64).to_be_bytes());
            digest.update(name);
        }
        let digest = digest.finalize().into();
        Self { class, digest }
    }

    /// Returns the selector as it is stored in a file.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 33] {
        let mut bytes = [0; 33];
        bytes[0] = self.class as u8;
        bytes[1..].copy_from_slice(&self.digest);
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote. Returns `None` for a class that is not known.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 33]) -> Option<Self> {
        let [class, digest @ ..] = *bytes;
        Some(Self {
            class: SelectorClass::from_byte(class)?,
            digest,
        })
    }
}

impl fmt::Debug for Selector {
    /// Shows only the class: a digest in a log can be compared with a guess.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Selector({}, ..)", self.class.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_another_boundary_are_different() {
        assert_ne!(Selector::token("a", "bc"), Selector::token("ab", "c"));
        assert_ne!(
            Selector::subject_and_client("a", "bc"),
            Selector::subject_and_client("ab", "c")
        );
    }
}
