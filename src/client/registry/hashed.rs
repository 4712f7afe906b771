//! Is it a secret that is kept as a password hash?

use hyper::Request;

use super::{ClientAuthenticator, Clients};
use crate::{
    client::{Credentials, SecretDigest, origin, password::Verification},
    endpoint::Error,
    token::Secret,
};

/// What one request has verified.
pub(super) struct Hashed<'a> {
    verification: Option<Verification<'a>>,
    /// Whether a client without a hash costs as much as one with it.
    needs_decoy: bool,
}

impl<'a> Hashed<'a> {
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

    /// Whether it is one of these that are kept as password hashes.
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
}
