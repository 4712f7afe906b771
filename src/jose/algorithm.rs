//! Signature algorithms and their names.

use std::{fmt, str::FromStr};

/// An algorithm of a signature or of a MAC (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2).
///
/// There is no variant for `none`, so an unsigned token cannot be represented.
///
/// ```
/// use tower_revocation::jose::Algorithm;
///
/// assert_eq!("ES256".parse(), Ok(Algorithm::Es256));
/// assert!("none".parse::<Algorithm>().is_err());
/// assert!("es256".parse::<Algorithm>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// `EdDSA`, the name that RFC 9864 deprecates. In this crate always on Ed25519.
    EdDsa,
    /// `EdDSA` on Ed25519, by its fully specified name.
    Ed25519,
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
}

impl Algorithm {
    /// All algorithms.
    pub const ALL: &'static [Self] = &[
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::EdDsa,
        Self::Ed25519,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    /// The name in the header of a JWS.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// Whether it is an HMAC, for which both sides hold the same secret.
    #[must_use]
    pub fn is_hmac(self) -> bool {
        self.shortest_secret().is_some()
    }

    /// The minimum length of a secret, in bytes: the length of the hash (RFC 7518 §3.2). `None` if
    /// the algorithm is not an HMAC.
    ///
    /// ```
    /// use tower_revocation::jose::Algorithm;
    ///
    /// assert_eq!(Algorithm::Hs512.shortest_secret(), Some(64));
    /// assert_eq!(Algorithm::Es256.shortest_secret(), None);
    /// ```
    #[must_use]
    pub fn shortest_secret(self) -> Option<usize> {
        match self {
            Self::Hs256 => Some(32),
            Self::Hs384 => Some(48),
            Self::Hs512 => Some(64),
            _ => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    /// **Compared byte for byte, without normalisation.**
    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        let known = Self::ALL.iter().find(|known| known.as_str() == name);
        known.copied().ok_or(UnknownAlgorithm)
    }
}

/// The name is not that of an [`Algorithm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownAlgorithm;

impl fmt::Display for UnknownAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown signature algorithm")
    }
}

impl std::error::Error for UnknownAlgorithm {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_byte_for_byte() {
        for &algorithm in Algorithm::ALL {
            let name = algorithm.as_str();
            assert_eq!(name.parse(), Ok(algorithm));
            for other in [
                name.to_lowercase(),
                format!("{name} "),
                format!("{name}\0"),
                name[1..].to_owned(),
            ] {
                assert_eq!(other.parse::<Algorithm>(), Err(UnknownAlgorithm), "{other}");
            }
        }
    }

    #[test]
    fn none_and_other_names_are_unknown() {
        for name in [
            "none", "None", "NONE", "nOnE", "", "HS1", "RS1", "dir", "A128KW", "ES256K",
        ] {
            assert_eq!(name.parse::<Algorithm>(), Err(UnknownAlgorithm), "{name}");
        }
    }

    #[test]
    fn secrets_are_at_least_as_long_as_the_hash() {
        let lengths = Algorithm::ALL.iter().map(|known| known.shortest_secret());
        let lengths: Vec<_> = lengths.collect();
        assert_eq!(lengths[11..], [Some(32), Some(48), Some(64)]);
        assert!(Algorithm::ALL[..11].iter().all(|known| !known.is_hmac()));
        assert!(Algorithm::ALL[11..].iter().all(|known| known.is_hmac()));
    }
}
