//! Client authentication.
//!
//! The endpoint sorts the credentials of a request into [`Credentials`]. An authenticator is any
//! `tower::Service<Request<Credentials>, Response = Option<C>>`:
//!
//! * `Some` is the authenticated client.
//! * `None` means that the credentials are wrong, for whatever reason. The endpoint returns
//!   `invalid_client`.
//! * An error means that the result is unknown. The endpoint returns 503, unless the error is an
//!   [`Error`](crate::Error) of another kind.
//!
//! `ClientAuthenticator`, the authenticator over registered clients, refuses with
//! [`Error::refused`](crate::Error::refused), which keeps the [`Refusal`] for the log. The peer
//! receives the same response as for `None`.
//!
//! | method | module | feature |
//! |---|---|---|
//! | `client_secret_basic`, `client_secret_post`, `none` | `registry` | `registry` |
//! | `private_key_jwt`, `client_secret_jwt` | `assertion` | `jwt` |
//! | `tls_client_auth`, `self_signed_tls_client_auth` | `certificate` | `mtls` |
//! | `attest_jwt_client_auth` | `attestation` | `attestation` |
//!
//! `password` verifies secrets that people chose. `limit` refuses clients after too many failures.
//! `replay` remembers what may be used only once.

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
#[cfg(any(feature = "admin", feature = "mtls", feature = "proxy"))]
mod network;
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
#[cfg(any(feature = "admin", feature = "mtls", feature = "proxy"))]
#[cfg_attr(
    docsrs,
    doc(cfg(any(feature = "admin", feature = "mtls", feature = "proxy")))
)]
pub use network::{InvalidNetwork, Network};
#[cfg(any(feature = "limiter", feature = "pages", feature = "password-hashes"))]
pub(crate) use peer::origin;
#[cfg(any(feature = "limiter", feature = "password-hashes", feature = "proxy"))]
pub(crate) use peer::subscriber;
pub use peer::{ClientAddr, PeerAddr};
#[cfg(feature = "registry")]
#[cfg_attr(docsrs, doc(cfg(feature = "registry")))]
pub use secret::{InvalidDigest, SecretDigest};
pub use supported_methods::{SupportedMethods, WithSupportedMethods};
#[cfg(feature = "upstream")]
#[cfg_attr(docsrs, doc(cfg(feature = "upstream")))]
pub use with_credentials::{
    KeepCredentials, KeepCredentialsFuture, UnverifiedClients, WithCredentials,
};

/// Has a client identifier.
///
/// Backends that check the owner of a token require it of the client type of the authenticator.
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
    /// Returns the `client_id`. **Compared byte for byte, without normalisation.**
    fn client_id(&self) -> &str;

    /// Returns whether the client is registered at the issuer of a token, its `iss`. Defaults to
    /// `true`.
    ///
    /// Implement it if one server revokes the tokens of several issuers: at each of them, the same
    /// identifier may belong to another client. If the result is `false`, a token with the
    /// [`client_id`](Self::client_id) of this client is the token of another client.
    fn is_client_of(&self, iss: Option<&str>) -> bool {
        let _ = iss;
        true
    }

    /// Returns whether the client needs no proof of its identity: its `client_id` alone authenticates
    /// it. It is only asked for requests without a secret or an assertion. Defaults to `true`.
    ///
    /// Implement it if clients can prove their identity by a certificate. **With `false` for a public
    /// client, whoever knows its identifier is taken for it**, also where only confidential clients are
    /// accepted.
    fn is_public(&self) -> bool {
        true
    }
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

    fn is_client_of(&self, iss: Option<&str>) -> bool {
        (**self).is_client_of(iss)
    }

    fn is_public(&self) -> bool {
        (**self).is_public()
    }
}

impl<T: Identified + ?Sized> Identified for std::sync::Arc<T> {
    fn client_id(&self) -> &str {
        (**self).client_id()
    }

    fn is_client_of(&self, iss: Option<&str>) -> bool {
        (**self).is_client_of(iss)
    }

    fn is_public(&self) -> bool {
        (**self).is_public()
    }
}
