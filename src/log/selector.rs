//! Which tokens a record is about.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// Which tokens a record is about. A token falls if any one of its selectors is revoked.
///
/// Names are kept as digests: a log tells nobody whose tokens it is about, and all records are of
/// one size. **Names are compared byte for byte.**
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

/// What a [`Selector`] selects by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum SelectorClass {
    /// One token.
    Token = 1,
    /// Everything that came of one authorization.
    Grant = 2,
    /// Everything of one session (`sid`).
    Session = 3,
    /// Everything of one subject at one client.
    SubjectAndClient = 4,
    /// Everything of one subject.
    Subject = 5,
    /// Everything of one client.
    Client = 6,
    /// Everything bound to one key (`cnf`).
    Key = 7,
    /// Everything of one issuer.
    Issuer = 8,
}

impl SelectorClass {
    /// All of them, those of the fewest tokens first.
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

    /// A short name for logs and counters.
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

    fn from_octet(octet: u8) -> Option<Self> {
        Some(match octet {
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
    /// The self-contained token that `issuer` (`iss`) gave the identifier `id` (`jti`).
    #[must_use]
    pub fn token(issuer: &str, id: &str) -> Self {
        Self::named(SelectorClass::Token, &[issuer, id])
    }

    /// The opaque token with this digest, by whichever digest its store keeps it.
    #[must_use]
    pub const fn opaque_token(digest: [u8; 32]) -> Self {
        Self {
            class: SelectorClass::Token,
            digest,
        }
    }

    /// Everything that came of one authorization.
    #[must_use]
    pub fn grant(grant: &str) -> Self {
        Self::named(SelectorClass::Grant, &[grant])
    }

    /// Everything of one session (`sid`).
    #[must_use]
    pub fn session(session: &str) -> Self {
        Self::named(SelectorClass::Session, &[session])
    }

    /// Everything that one client holds for one subject.
    #[must_use]
    pub fn subject_and_client(subject: &str, client_id: &str) -> Self {
        Self::named(SelectorClass::SubjectAndClient, &[subject, client_id])
    }

    /// Everything of one subject (`sub`), at every client.
    #[must_use]
    pub fn subject(subject: &str) -> Self {
        Self::named(SelectorClass::Subject, &[subject])
    }

    /// Everything of one client, for every subject.
    #[must_use]
    pub fn client(client_id: &str) -> Self {
        Self::named(SelectorClass::Client, &[client_id])
    }

    /// Everything bound to one key, by its SHA-256 thumbprint (`jkt`, `x5t#S256`).
    #[must_use]
    pub const fn key(thumbprint: &[u8; 32]) -> Self {
        Self {
            class: SelectorClass::Key,
            digest: *thumbprint,
        }
    }

    /// Everything of one issuer (`iss`).
    #[must_use]
    pub fn issuer(issuer: &str) -> Self {
        Self::named(SelectorClass::Issuer, &[issuer])
    }

    /// The same name, of one tenant alone.
    ///
    /// Subjects, clients, grants and sessions are named by their issuer, and another issuer may use
    /// the same names. Where one log serves several, each has to be a tenant: whoever can choose a
    /// subject at one could otherwise end the tokens of its namesake at another.
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

    /// What it selects by.
    #[must_use]
    pub const fn class(&self) -> SelectorClass {
        self.class
    }

    fn named(class: SelectorClass, names: &[&str]) -> Self {
        let mut digest = Sha256::new();
        for name in names {
            // Lengths first: ("a", "bc") is not ("ab", "c").
            digest.update((name.len() as u64).to_be_bytes());
            digest.update(name);
        }
        let digest = digest.finalize().into();
        Self { class, digest }
    }

    /// As it stands in a file.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 33] {
        let mut bytes = [0; 33];
        bytes[0] = self.class as u8;
        bytes[1..].copy_from_slice(&self.digest);
        bytes
    }

    /// What [`to_bytes`](Self::to_bytes) wrote, or nothing if it did not.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 33]) -> Option<Self> {
        let [class, digest @ ..] = *bytes;
        Some(Self {
            class: SelectorClass::from_octet(class)?,
            digest,
        })
    }
}

impl fmt::Debug for Selector {
    /// The class alone: a digest in a log can be compared with a guess.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Selector({}, ..)", self.class.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_names_are_told_apart_wherever_one_ends() {
        assert_ne!(Selector::token("a", "bc"), Selector::token("ab", "c"));
        assert_ne!(
            Selector::subject_and_client("a", "bc"),
            Selector::subject_and_client("ab", "c")
        );
    }
}
