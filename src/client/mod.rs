//! Who is asking.
//!
//! The endpoint sorts what a request presents into [`Credentials`]; an authenticator, which is any
//! `tower::Service<Request<Credentials>, Response = Option<C>>`, says whose they are. `None` means
//! "not that client", for whatever reason; an error means "could not find out", and is answered
//! 503, unless it is an [`Error`](crate::Error) that says better: `ClientAuthenticator`, the one over
//! registered clients, refuses by [`Error::refused`](crate::Error::refused), which keeps the
//! [`Refusal`] for the log. To the peer both are one answer.
//!
//! | method | what it takes | feature |
//! |---|---|---|
//! | `client_secret_basic`, `client_secret_post`, `none` | `registry` | `registry` |
//! | `private_key_jwt`, `client_secret_jwt` | `assertion` | `jwt` |
//! | `tls_client_auth`, `self_signed_tls_client_auth` | `certificate` | `mtls` |
//! | `attest_jwt_client_auth` | `attestation` | `attestation` |
//!
//! Secrets that people chose are verified by `password`; too many failures are refused by `limit`; what
//! may be used once is remembered by `replay`.

#[cfg(feature = "jwt")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
pub mod assertion;
#[cfg(feature = "attestation")]
#[cfg_attr(docsrs, doc(cfg(feature = "attestation")))]
pub mod attestation;
mod basic;
#[cfg(feature = "mtls")]
#[cfg_attr(docsrs, doc(cfg(feature = "mtls")))]
pub mod certificate;
mod credentials;
#[cfg(feature = "jwt")]
mod key_errors;
#[cfg(feature = "limiter")]
#[cfg_attr(docsrs, doc(cfg(feature = "limiter")))]
pub mod limit;
mod method;
#[cfg(feature = "password-hashes")]
#[cfg_attr(docsrs, doc(cfg(feature = "password-hashes")))]
pub mod password;
mod peer;
#[cfg(feature = "registry")]
#[cfg_attr(docsrs, doc(cfg(feature = "registry")))]
pub mod registry;
#[cfg(feature = "jwt")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
pub mod replay;
#[cfg(feature = "registry")]
mod secret;
mod supported_methods;
#[cfg(feature = "upstream")]
mod with_credentials;

pub use crate::refusal::Refusal;
pub use basic::Basic;
pub use credentials::Credentials;
pub(crate) use credentials::{Authenticator, Authorization, Presented};
pub use method::{AcceptedMethods, AuthMethod, UnknownAuthMethod};
pub use peer::{ClientAddr, PeerAddr};
#[cfg(any(feature = "limiter", feature = "password-hashes"))]
use peer::{origin, subscriber};
#[cfg(feature = "registry")]
#[cfg_attr(docsrs, doc(cfg(feature = "registry")))]
pub use secret::{InvalidDigest, SecretDigest};
pub use supported_methods::{SupportedMethods, WithSupportedMethods};
#[cfg(feature = "upstream")]
#[cfg_attr(docsrs, doc(cfg(feature = "upstream")))]
pub use with_credentials::{
    KeepCredentials, KeepCredentialsFuture, UnverifiedClients, WithCredentials,
};

/// What answers to a client identifier.
///
/// Backends that compare owners ask it of whatever the authenticator answered.
///
/// ```
/// use std::sync::Arc;
/// use tower_revocation::client::Identified;
///
/// struct Tenant { client: Arc<str> }
/// impl Identified for Tenant {
///     fn client_id(&self) -> &str { &self.client }
/// }
/// assert_eq!(Tenant { client: "s6BhdRkqt3".into() }.client_id(), "s6BhdRkqt3");
/// ```
pub trait Identified {
    /// The `client_id`. **Compared byte for byte, without normalisation.**
    fn client_id(&self) -> &str;
}

impl Identified for str {
    fn client_id(&self) -> &str {
        self
    }
}

impl Identified for String {
    fn client_id(&self) -> &str {
        self
    }
}

impl<T: Identified + ?Sized> Identified for &T {
    fn client_id(&self) -> &str {
        (**self).client_id()
    }
}

impl<T: Identified + ?Sized> Identified for std::sync::Arc<T> {
    fn client_id(&self) -> &str {
        (**self).client_id()
    }
}
