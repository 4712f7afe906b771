//! Secrets that are kept as password hashes. Without the feature `password-hashes` there are none.

use hyper::Request;

use super::{ClientAuthenticator, Clients};
#[cfg(feature = "password-hashes")]
use crate::client::{origin, password::Verification};
use crate::{
    client::{Credentials, SecretDigest},
    error::Error,
    token::Secret,
};

/// The password hashes that one request has verified.
pub(super) struct Hashed<'a> {
    #[cfg(feature = "password-hashes")]
    verification: Option<Verification<'a>>,
    /// Whether a client without a hash costs as much as a client with one.
    #[cfg(feature = "password-hashes")]
    needs_decoy: bool,
    #[cfg(not(feature = "password-hashes"))]
    lifetime: std::marker::PhantomData<&'a ()>,
}

impl<'a> Hashed<'a> {
    #[cfg(feature = "password-hashes")]
    pub(super) fn of<L: Clients>(
        authenticator: &'a ClientAuthenticator<L>,
        request: &Request<Credentials>,
    ) -> Self {
        let verification = authenticator.passwords.as_ref();
        Self {
            verification: verification.map(|it| it.verification(origin(request.extensions()))),
            needs_decoy: authenticator.clients.have_password_hashes(),
        }
    }

    #[cfg(not(feature = "password-hashes"))]
    pub(super) fn of<L: Clients>(_: &'a ClientAuthenticator<L>, _: &Request<Credentials>) -> Self {
        let lifetime = std::marker::PhantomData;
        Self { lifetime }
    }

    /// Whether the secret matches one of the password hashes among `live`.
    #[cfg(feature = "password-hashes")]
    pub(super) async fn verify(
        &mut self,
        client_id: &str,
        secret: &Secret,
        live: [Option<&SecretDigest>; 2],
    ) -> Result<bool, Error> {
        let hashes = live.map(|secret| secret.and_then(SecretDigest::password));
        match &mut self.verification {
            Some(verification) if self.needs_decoy || hashes.iter().any(Option::is_some) => {
                verification.verify(client_id, secret, hashes).await
            }
            _ => Ok(false),
        }
    }

    #[cfg(not(feature = "password-hashes"))]
    pub(super) fn verify(
        &mut self,
        _: &str,
        _: &Secret,
        _: [Option<&SecretDigest>; 2],
    ) -> std::future::Ready<Result<bool, Error>> {
        let std::marker::PhantomData = self.lifetime;
        std::future::ready(Ok(false))
    }
}
