//! Why a client is not who it says it is.

use std::fmt;

/// Why a client was not authenticated: for the log and the counters, never for the peer.
///
/// The peer hears one answer, equal in octets, whatever the reason. The reason rides in the
/// [`Error`](crate::Error) of that answer, and stands in its event and its counter.
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
    /// Nothing says who the client is, or nothing that can be read.
    NoCredentials,
    /// There is no such client, or it is disabled.
    UnknownClient,
    /// The client is registered for other methods: what it presented was not even looked at.
    MethodNotRegistered,
    /// The method is not offered at this endpoint.
    MethodNotOffered,
    /// The secret is not the client's, or is it no longer.
    WrongSecret,
    /// The assertion is no compact JWS of a known type, or its header or claims cannot be read.
    MalformedAssertion,
    /// The assertion's algorithm is not allowed, or not allowed for this client.
    AlgorithmNotAllowed,
    /// The client has no key that the assertion could have been signed with.
    NoSuchKey,
    /// The signature does not verify.
    BadSignature,
    /// `iss` and `sub` are not one client, or not the one that the request names.
    WrongSubject,
    /// `aud` is not this server.
    WrongAudience,
    /// `exp`, `nbf` or `iat` are missing, past, ahead, or too far apart.
    OutOfTime,
    /// `jti` is missing or malformed.
    NoIdentifier,
    /// The `jti` has been used before.
    Replayed,
    /// There is no client certificate.
    NoCertificate,
    /// The client certificate's chain was not verified.
    UntrustedCertificate,
    /// The client certificate is not the client's.
    WrongCertificate,
    /// The attestation is missing, expired, or not of a known attester.
    UntrustedAttestation,
    /// The proof of possession is not of the attested key, or not for this server.
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
