//! Whose credentials are these?

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::SystemTime,
};

use futures::future::BoxFuture;
use hyper::Request;
use subtle::Choice;
use tower::{BoxError, Service};

use super::{BasicDecoding, Client, Clients};
use crate::{
    client::{
        AuthMethod, Basic, Credentials, SecretDigest,
        secret::{Digests, Key},
    },
    token::Secret,
};

/// The authenticator over registered clients.
///
/// It verifies `client_secret_basic`, `client_secret_post` and `none`. Credentials of any other
/// method are refused.
///
/// There is one answer, `None`, for every reason, and it takes the same digests and comparisons to
/// find: nobody learns from it whether a client exists, is disabled, or has an expired secret.
///
/// ```
/// use tower::BoxError;
/// use tower_revocation::client::{Basic, Credentials, registry::{ClientAuthenticator, Registry}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let clients = Registry::from_json(
///     r#"{ "client_id": "s6BhdRkqt3", "client_secret": "gX1fBat3bV" }"#,
/// )?;
/// let authenticator = ClientAuthenticator::new(clients);
///
/// let basic = Basic::new("s6BhdRkqt3:gX1fBat3bV").ok_or("no colon")?;
/// let client = authenticator.authenticate(&Credentials::Basic(basic)).await?;
/// assert_eq!(client.ok_or("refused")?.client_id(), "s6BhdRkqt3");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ClientAuthenticator<L> {
    clients: L,
    hmac_key: Option<Key>,
}

impl<L> ClientAuthenticator<L> {
    /// Looks clients up in `clients`: a [`Registry`](super::Registry), or your database.
    ///
    /// As a `tower::Service` it clones `clients` for every request: put what is not cheap to clone
    /// into an `Arc`.
    #[must_use]
    pub fn new(clients: L) -> Self {
        Self {
            clients,
            hmac_key: None,
        }
    }

    /// The key of the secrets that are registered as HMAC-SHA-256.
    ///
    /// # Panics
    ///
    /// If the key is empty: that is a setting that was forgotten.
    #[must_use]
    pub fn hmac_key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.hmac_key = Some(Key::new(key.as_ref()));
        self
    }
}

impl<L: Clients> ClientAuthenticator<L> {
    /// The client whose credentials these are, or `None` for whatever reason. Expiry is judged now.
    ///
    /// The service does no more than this: a token endpoint or an introspection endpoint can call
    /// it too.
    ///
    /// # Errors
    ///
    /// If it could not be found out: the lookup failed, or the secret is registered as HMAC and
    /// there is no [key](Self::hmac_key).
    pub async fn authenticate(
        &self,
        credentials: &Credentials,
    ) -> Result<Option<Arc<Client>>, BoxError> {
        match credentials {
            Credentials::Basic(basic) => self.basic(basic).await,
            Credentials::Post {
                client_id,
                client_secret,
            } => {
                let client = self.look_up(client_id).await?;
                let admitted = admitting(client.as_ref(), |client| {
                    client.admits(AuthMethod::ClientSecretPost)
                });
                self.prove(client_secret, admitted)
            }
            Credentials::ClientId { client_id } => {
                let client = self.look_up(client_id).await?;
                Ok(client.filter(|client| client.is_public()))
            }
            Credentials::Assertion { .. } => Ok(None),
        }
    }

    /// Both readings are looked up and proven wherever they differ, whatever the client is
    /// registered for: that must not show in the time that it takes.
    async fn basic(&self, basic: &Basic) -> Result<Option<Arc<Client>>, BoxError> {
        let form = basic.form_decoded();
        let raw = basic.raw().filter(|raw| !same(form.as_ref(), raw));

        let form = self.reading(form, BasicDecoding::Form).await?;
        let raw = self.reading(raw, BasicDecoding::Raw).await?;
        Ok(form.or(raw))
    }

    async fn reading(
        &self,
        reading: Option<(String, Secret)>,
        decoding: BasicDecoding,
    ) -> Result<Option<Arc<Client>>, BoxError> {
        let Some((client_id, secret)) = reading else {
            return Ok(None);
        };
        let client = self.look_up(&client_id).await?;
        let admitted = admitting(client.as_ref(), |client| {
            let registered = client.basic_decoding();
            client.admits(AuthMethod::ClientSecretBasic)
                && (registered == decoding || registered == BasicDecoding::FormThenRaw)
        });
        self.prove(&secret, admitted)
    }

    async fn look_up(&self, client_id: &str) -> Result<Option<Arc<Client>>, BoxError> {
        let client = self.clients.client(client_id).await?;
        // A database may have found it without regard to case.
        Ok(client.filter(|client| client.client_id() == client_id))
    }

    /// Whether the secret is one of the client's. Without a client it does the same, in vain.
    fn prove(
        &self,
        secret: &Secret,
        client: Option<&Arc<Client>>,
    ) -> Result<Option<Arc<Client>>, BoxError> {
        let presented = Digests::of(secret, self.hmac_key.as_ref());
        let live = client.map_or([None, None], |client| {
            client.live_secrets(SystemTime::now())
        });
        let mut proven = Choice::from(0);
        for secret in live {
            let counts = Choice::from(u8::from(secret.is_some()));
            proven |= secret.unwrap_or(&SecretDigest::NONE).matches(&presented) & counts;
        }

        // An empty secret proves nothing, even where its digest was registered.
        if secret.expose().is_empty() {
            return Ok(None);
        }
        if proven.into() {
            return Ok(client.cloned());
        }
        if live
            .into_iter()
            .flatten()
            .any(|secret| !secret.is_comparable_to(&presented))
        {
            return Err(
                "a client's secret is registered as HMAC, and there is no key for it".into(),
            );
        }
        Ok(None)
    }
}

/// The client, if it is there and passes.
fn admitting(
    client: Option<&Arc<Client>>,
    passes: impl FnOnce(&Client) -> bool,
) -> Option<&Arc<Client>> {
    client.filter(|client| passes(client))
}

/// Whether the raw reading is the form-decoded one. Both come from the same peer, so time tells it
/// nothing.
fn same(form: Option<&(String, Secret)>, (id, secret): &(String, Secret)) -> bool {
    form.is_some_and(|form| form.0 == *id && form.1.expose() == secret.expose())
}

impl<L> Service<Request<Credentials>> for ClientAuthenticator<L>
where
    L: Clients + Clone + Send + Sync + 'static,
{
    type Response = Option<Arc<Client>>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    /// Always ready: a database waits for its connections when it is asked.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Credentials>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { this.authenticate(request.body()).await })
    }
}
