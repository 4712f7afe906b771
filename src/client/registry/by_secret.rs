//! Is this the client's secret?

use std::{sync::Arc, time::SystemTime};

use hyper::Request;
use subtle::Choice;

use super::{BasicDecoding, Client, ClientAuthenticator, Clients};
use crate::{
    client::{AuthMethod, Basic, Credentials, Refusal, SecretDigest, secret::Digests},
    endpoint::{Error, ErrorKind},
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
        let client = self.candidate(request, client_id, &methods).await?;
        self.prove(secret, client).await
    }

    /// Where the readings differ, both are looked up and proven until one is right, whatever the
    /// client is registered for: that must not show in the time that it takes to refuse.
    pub(super) async fn by_basic(
        &self,
        request: &Request<Credentials>,
        basic: &Basic,
    ) -> Result<Arc<Client>, Error> {
        let form = basic.form_decoded();
        let raw = basic.raw().filter(|raw| !same(form.as_ref(), raw));

        let mut refusal = None;
        for (reading, decoding) in [(form, BasicDecoding::Form), (raw, BasicDecoding::Raw)] {
            match self.reading(request, reading, decoding).await? {
                Some(Ok(client)) => return Ok(client),
                Some(Err(reason)) => refusal = refusal.or(Some(reason)),
                None => {}
            }
        }
        Err(Error::refused(refusal.unwrap_or(Refusal::NoCredentials)))
    }

    async fn reading(
        &self,
        request: &Request<Credentials>,
        reading: Option<(String, Secret)>,
        decoding: BasicDecoding,
    ) -> Result<Option<Result<Arc<Client>, Refusal>>, Error> {
        let Some((client_id, secret)) = reading else {
            return Ok(None);
        };
        let methods = [AuthMethod::ClientSecretBasic];
        let client = self.candidate(request, &client_id, &methods).await?;
        let client = client.and_then(|client| {
            let registered = client.basic_decoding();
            if registered == decoding || registered == BasicDecoding::FormThenRaw {
                Ok(client)
            } else {
                Err(Refusal::WrongSecret)
            }
        });
        match self.prove(&secret, client).await {
            Ok(client) => Ok(Some(Ok(client))),
            Err(error) => error
                .refusal()
                .map(|refusal| Some(Err(refusal)))
                .ok_or(error),
        }
    }

    /// Whether the secret is one of the client's. Without a client it does the same, in vain.
    async fn prove(
        &self,
        secret: &Secret,
        client: Result<Arc<Client>, Refusal>,
    ) -> Result<Arc<Client>, Error> {
        let presented = Digests::of(secret, self.hmac_key.as_ref());
        // Without a client too: reading the clock takes a tenth of all this.
        let now = SystemTime::now();
        let live = client
            .as_ref()
            .map_or([None, None], |client| client.live_secrets(now));
        let mut proven = Choice::from(0);
        for secret in live {
            let counts = Choice::from(u8::from(secret.is_some()));
            proven |= secret.unwrap_or(&SecretDigest::NONE).matches(&presented) & counts;
        }
        // An empty secret proves nothing, even where its digest was registered.
        let proven = bool::from(proven) && !secret.expose().is_empty();
        let client_id = client.as_ref().map_or("", |client| client.client_id());
        let proven = proven || is_password(self, client_id, secret, live).await?;

        let compared = live
            .into_iter()
            .flatten()
            .all(|secret| self.can_compare(secret));

        let client = client.map_err(Error::refused)?;
        if proven {
            return Ok(client);
        }
        if !compared {
            return Err(Error::new(ErrorKind::Unavailable)
                .with_source("a client's secret is registered in a way that is not set up here"));
        }
        Err(Error::refused(Refusal::WrongSecret))
    }

    /// Whether what is kept of a secret could have matched.
    fn can_compare(&self, secret: &SecretDigest) -> bool {
        #[cfg(feature = "password-hashes")]
        if secret.password().is_some() {
            return self.passwords.is_some();
        }
        self.hmac_key.is_some() || !secret.needs_key()
    }
}

/// Whether it is one of these that are kept as password hashes.
#[cfg(feature = "password-hashes")]
async fn is_password<L>(
    authenticator: &ClientAuthenticator<L>,
    client_id: &str,
    secret: &Secret,
    live: [Option<&SecretDigest>; 2],
) -> Result<bool, Error> {
    match &authenticator.passwords {
        Some(passwords) => {
            let hashes = live.map(|secret| secret.and_then(SecretDigest::password));
            passwords.verify(client_id, secret, hashes).await
        }
        None => Ok(false),
    }
}

#[cfg(not(feature = "password-hashes"))]
fn is_password<L>(
    _: &ClientAuthenticator<L>,
    _: &str,
    _: &Secret,
    _: [Option<&SecretDigest>; 2],
) -> std::future::Ready<Result<bool, Error>> {
    std::future::ready(Ok(false))
}

/// Whether the raw reading is the form-decoded one. Both come from the same peer, so time tells it
/// nothing.
fn same(form: Option<&(String, Secret)>, (id, secret): &(String, Secret)) -> bool {
    form.is_some_and(|form| form.0 == *id && form.1.expose() == secret.expose())
}
