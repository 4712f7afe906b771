//! Verifies client secrets.

use std::{sync::Arc, time::SystemTime};

use hyper::Request;
use subtle::Choice;

use super::{Client, ClientAuthenticator, Clients, hashed::Hashed};
use crate::{
    client::{AuthMethod, Credentials, Refusal, SecretDigest, secret::Digests},
    error::{Error, ErrorKind},
    token::Secret,
};

impl<L: Clients> ClientAuthenticator<L> {
    pub(super) async fn by_post(
        &self,
        request: &Request<Credentials>,
        client_id: &str,
        secret: &Secret,
    ) -> Result<Arc<Client>, Error> {
        let methods = [AuthMethod::ClientSecretPost];
        let client = self.lookup(request, client_id, &methods).await?;
        let mut hashed = Hashed::of(self, request);
        self.verify_secret(&mut hashed, secret, client).await
    }

    /// Checks whether the secret belongs to the client. Without a client it does the same work, for
    /// nothing.
    ///
    /// If a secret could not be checked and another one is wrong, the error keeps the refusal and
    /// so counts as a failure. Otherwise an attacker could guess without limit.
    pub(super) async fn verify_secret(
        &self,
        hashed: &mut Hashed<'_>,
        secret: &Secret,
        client: Result<Arc<Client>, Refusal>,
    ) -> Result<Arc<Client>, Error> {
        let presented = Digests::of(secret, self.hmac_key.as_ref());
        // Also without a client: reading the clock takes a tenth of the whole time.
        let now = SystemTime::now();
        let live = client
            .as_ref()
            .map_or([None, None], |client| client.live_secrets(now));
        let mut proven = Choice::from(0);
        for secret in live {
            let counts = Choice::from(u8::from(secret.is_some()));
            proven |= secret.unwrap_or(&SecretDigest::NONE).matches(&presented) & counts;
        }
        // An empty secret proves nothing, even if its digest is registered.
        let proven = bool::from(proven) && !secret.expose().is_empty();
        let client_id = client.as_ref().map_or("", |client| client.client_id());
        let proven = if proven {
            Ok(true)
        } else {
            hashed.verify(client_id, secret, live).await
        };

        let (right, unhashed) = match proven {
            Ok(right) => (right, None),
            Err(error) => (false, Some(error)),
        };
        let judged = |secret: &SecretDigest| {
            let is_unhashed = secret.is_password() && unhashed.is_some();
            self.can_compare(secret) && !is_unhashed
        };
        let all = live.iter().flatten().all(|secret| judged(secret));
        let some = live.iter().flatten().any(|secret| judged(secret));
        let wrong = match client {
            Ok(client) if right => return Ok(client),
            Ok(_) if all || some => Some(Refusal::WrongSecret),
            Ok(_) => None,
            Err(refusal) => Some(refusal),
        };
        let unknown = unhashed.or_else(|| (!all).then(not_configured));
        Err(match (wrong, unknown) {
            (Some(refusal), None) => Error::refused(refusal),
            (Some(refusal), Some(error)) => error.ruled_out_by(refusal),
            (None, error) => error.unwrap_or_else(not_configured),
        })
    }

    /// Whether this kind of secret can be compared with this configuration.
    fn can_compare(&self, secret: &SecretDigest) -> bool {
        #[cfg(feature = "password-hashes")]
        if secret.is_password() {
            return self.passwords.is_some();
        }
        self.hmac_key.is_some() || !secret.needs_key()
    }
}

fn not_configured() -> Error {
    Error::new(ErrorKind::Unavailable).caused_by(
        "the client's secret is stored in a way that this authenticator is not configured for",
    )
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::client::{
        Basic,
        registry::{BasicDecoding, Registry},
        secret::effort,
    };

    fn clients() -> Registry {
        let digest = || SecretDigest::sha256(&Secret::new("gX1fBat3bV"));
        let past = SystemTime::UNIX_EPOCH;
        let client = |id: &str| {
            let client = Client::confidential(id, digest());
            client
                .into_builder()
                .auth_methods([AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost])
                .build()
        };
        Registry::from_iter([
            client("one"),
            client("two")
                .into_builder()
                .previous_secret(
                    digest(),
                    SystemTime::now() + std::time::Duration::from_secs(60),
                )
                .build(),
            client("hmac")
                .into_builder()
                .previous_secret(
                    SecretDigest::hmac_sha256(b"Jefe", &Secret::new("gX1fBat3bV")),
                    past,
                )
                .build(),
            client("expired")
                .into_builder()
                .secret_expires_at(past)
                .build(),
            client("disabled").into_builder().disabled(true).build(),
            client("raw")
                .into_builder()
                .basic_decoding(BasicDecoding::Raw)
                .build(),
            client("either")
                .into_builder()
                .basic_decoding(BasicDecoding::FormThenRaw)
                .build(),
            Client::builder("jwt")
                .secret(digest())
                .auth_methods([AuthMethod::ClientSecretJwt])
                .build(),
            Client::public("public"),
        ])
    }

    /// The numbers of digests and of comparisons until the secret is refused.
    fn effort(credentials: Credentials) -> (usize, usize) {
        let authenticator = ClientAuthenticator::new(clients()).hmac_key("Jefe");
        effort::take();
        let error = block_on(authenticator.authenticate(&Request::new(credentials))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidClient);
        effort::take()
    }

    #[test]
    fn every_refusal_of_a_secret_costs_the_same_work() {
        let ids = [
            "one", "two", "hmac", "expired", "disabled", "raw", "either", "jwt", "public", "nobody",
        ];
        for client_id in ids {
            let post = Credentials::Post {
                client_id: client_id.into(),
                client_secret: Secret::new("guess"),
            };
            assert_eq!(effort(post), (1, 2), "{client_id}");
            let basic = |secret| {
                let basic = Basic::new(format!("{client_id}:{secret}"));
                Credentials::Basic(basic.unwrap())
            };
            assert_eq!(effort(basic("guess")), (1, 2), "{client_id}");
            // Two readings.
            assert_eq!(effort(basic("gu%65ss")), (2, 4), "{client_id}");
        }
    }
}
