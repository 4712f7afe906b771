//! Why a client failed to authenticate.

use std::fmt;

/// Why a client failed to authenticate: for logs and counters, never for the peer.
///
/// The response is the same for every reason, byte for byte. The reason is part of the
/// [`Error`](crate::Error) in the response's extensions, and a field of its event and counter.
///
/// ```
/// use tower_revocation::{Error, ErrorKind, client::Refusal};
///
/// let error = Error::refused(Refusal::WrongSecret);
/// assert_eq!(error.kind(), ErrorKind::InvalidClient);
/// assert_eq!(error.refusal().map(Refusal::as_str), Some("wrong_secret"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The request names no client, or its credentials cannot be parsed.
    NoCredentials,
    /// The client does not exist or is disabled.
    UnknownClient,
    /// The client is registered for other methods. Its credentials were not verified.
    MethodNotRegistered,
    /// This endpoint does not accept the method.
    MethodNotOffered,
    /// The secret is wrong or has expired.
    WrongSecret,
    /// The assertion is not a compact JWS of a known type, or its header or claims cannot be parsed.
    MalformedAssertion,
    /// The assertion's algorithm is not allowed, or not allowed for this client.
    AlgorithmNotAllowed,
    /// The client has no key that fits the assertion.
    NoSuchKey,
    /// The signature does not verify.
    BadSignature,
    /// `iss` and `sub` differ, or are not the client that the request names.
    WrongSubject,
    /// `aud` is not this server.
    WrongAudience,
    /// `exp`, `nbf` or `iat` is missing, in the past, in the future, or they are too far apart.
    OutOfTime,
    /// `jti` is missing or malformed.
    NoIdentifier,
    /// The `jti` was used before.
    Replayed,
    /// The connection has no client certificate.
    NoCertificate,
    /// The chain of the client certificate was not verified.
    UntrustedCertificate,
    /// The certificate belongs to another client.
    WrongCertificate,
    /// The attestation is missing, has expired, or comes from an unknown attester.
    UntrustedAttestation,
    /// The proof of possession was made with another key, or for another server.
    BadProof,
    /// The authenticator gave no reason.
    Unspecified,
}

impl Refusal {
    /// A short name for logs and counters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoCredentials => "no_credentials",
            Self::UnknownClient => "unknown_client",
            Self::MethodNotRegistered => "method_not_registered",
            Self::MethodNotOffered => "method_not_offered",
            Self::WrongSecret => "wrong_secret",
            Self::MalformedAssertion => "malformed_assertion",
            Self::AlgorithmNotAllowed => "algorithm_not_allowed",
            Self::NoSuchKey => "no_such_key",
            Self::BadSignature => "bad_signature",
            Self::WrongSubject => "wrong_subject",
            Self::WrongAudience => "wrong_audience",
            Self::OutOfTime => "out_of_time",
            Self::NoIdentifier => "no_identifier",
            Self::Replayed => "replayed",
            Self::NoCertificate => "no_certificate",
            Self::UntrustedCertificate => "untrusted_certificate",
            Self::WrongCertificate => "wrong_certificate",
            Self::UntrustedAttestation => "untrusted_attestation",
            Self::BadProof => "bad_proof",
            Self::Unspecified => "unspecified",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for Refusal {}
