//! Tokens that another server knows (RFC 7662).

mod answer;
mod answers;
mod asking;
mod error;
mod future;
mod signed;

use std::{
    fmt,
    net::IpAddr,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use hyper::Uri;
use tower::Service;

use self::{
    answer::Dialect,
    answers::{Answers, Limits, Next},
    asking::{Asking, Config, MAX_SIZE, basic, bearer},
    signed::Signed,
};
pub use self::{
    error::{UpstreamError, UpstreamErrorKind},
    future::UpstreamFuture,
};
use super::Introspection;
use crate::{
    jose::{KeySet, Reach, roots_of, sound_uri},
    token::Secret,
};

/// Introspection at another server (RFC 7662), as a `tower::Service<Secret>`.
///
/// A clone shares the cache and the connections. **A knob makes new ones of either**: turn them
/// before anything is asked.
///
/// * **What is known.** `{"active": true}` with its members is `Some`, `{"active": false}` is
///   `None`, and **everything else is an error**: another status than 200, a redirect, another
///   media type than `application/json`, more than 64 KiB, a member twice or of a wrong type, a
///   [time-out]( Self::timeout). A member that is `null` or empty is not there.
/// * **`None` is the other server's word.** It says so of expired and rotated tokens too, and of
///   one that is not valid yet. An expired refresh token therefore does not end its grant here.
/// * **Whose it is** says `client_id`, or [another member](Self::client_claim). If it is missing,
///   the token can be nobody's, and that is an error: it has to be configured.
/// * **Which record covers it.** One of its `iss` and `jti`, if the answer has both. Else one of
///   the SHA-256 of the token, provided that it has one spelling only: a token with two dots or
///   more looks like a JWT, which can be encoded anew. That one has no record of its own: revoking
///   it alone is not possible, its grant, session, subject or client is. A server that takes an
///   *opaque* token in several spellings is not to be put behind this.
/// * **What it is used as.** A refresh token, if `token_type`, `token_use` or `typ` is
///   `refresh_token`, `Refresh` or `Offline`; not a token to be revoked or let in, thus `None`, if
///   it is `id_token` or `ID`; else an access token. Case does not matter.
/// * **`exp` and `iat` may be missing.** A token without `exp` lives until it is revoked. One
///   without `iat` falls with every record of its selectors, also with those from before it was
///   issued.
/// * **How it is asked.** By POST, over connections that are kept. If one of them turns out to have
///   been closed before there was any answer, the request is sent once more: asking twice changes
///   nothing. However many ask about a token, there is one request about it at a time, which lasts
///   until it is answered or nobody waits for it any more.
///
/// # The cache
///
/// An answer holds for ten seconds, or as long as is [configured](Self::cache), and never beyond
/// the token's `exp`; `None` holds for one second at most. An error is never kept. Tokens are not
/// in there, only their digests under a key of this process.
///
/// **It makes no revocation late that is in the log**: it keeps what the token *is*, and whether it
/// has been revoked is asked of the [`Index`](crate::enforce::Index) after every introspection. It
/// does make late, by the time that it keeps an answer, what was revoked at the other server and
/// recorded nowhere else.
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::{
///     Secret,
///     introspect::upstream::{Upstream, UpstreamError},
/// };
///
/// let tokens = Upstream::new("https://as.example.com/oauth2/introspect")?
///     .basic("gateway", &Secret::new("7Fjfp0ZBr1KtDRbnfVdmIw"))
///     .cache(Duration::from_secs(2), 10_000);
/// assert!(Upstream::new("http://as.example.com/oauth2/introspect").is_err());
/// # Ok::<_, UpstreamError>(())
/// ```
///
/// A whole conversation, with a server in place of the other one:
///
/// ```
/// use axum::{Json, Router, routing::post};
/// use tower::ServiceExt;
/// use tower_revocation::{
///     Secret,
///     introspect::{TokenKind, upstream::Upstream},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let answer = async || Json(serde_json::json!({ "active": true, "client_id": "s6BhdRkqt3" }));
/// let server = Router::new().route("/introspect", post(answer));
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let uri = format!("http://{}/introspect", listener.local_addr()?);
/// tokio::spawn(async move { axum::serve(listener, server).await });
///
/// let tokens = Upstream::new(&uri)?.bearer(&Secret::new("45ghiukldjahdnhzdauz"))?;
/// let token = tokens.oneshot(Secret::new("mF_9.B5f-4.1JqM")).await?.expect("it is active");
/// assert_eq!((token.kind, token.client_id.as_str()), (TokenKind::AccessToken, "s6BhdRkqt3"));
/// # Ok(())
/// # }
/// ```
///
/// # Panics
///
/// Outside a tokio runtime with its time driver.
#[derive(Clone)]
pub struct Upstream {
    config: Config,
    answers: Arc<Answers>,
}

impl Upstream {
    /// The introspection endpoint at this URI, which is `https`; or `http`, on this very machine
    /// (`localhost`, `127.0.0.1`, `[::1]`).
    ///
    /// It trusts the roots of the system, which are loaded when something is asked first. No proxy
    /// is used. Its address may be a private one: you name it, and no client does.
    ///
    /// # Errors
    ///
    /// If the URI is no such one, or has userinfo or a fragment.
    pub fn new(uri: &str) -> Result<Self, UpstreamError> {
        Self::at(uri, false)
    }

    /// Also by `http`, wherever the server is. **Every token and the secret of this server can then
    /// be read on the way**, and whoever can read them can use them, or answer in the other's name:
    /// only where the network itself is encrypted.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn plain_http(uri: &str) -> Result<Self, UpstreamError> {
        Self::at(uri, true)
    }

    fn at(text: &str, allow_plain: bool) -> Result<Self, UpstreamError> {
        let (uri, address) = sound_uri(text).map_err(UpstreamError::configuration)?;
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if allow_plain || is_loopback(&uri, address) => {}
            _ => return Err(UpstreamError::configuration("the URI is not https")),
        }
        Ok(Self::of(Config {
            uri,
            authorization: None,
            dialect: Dialect {
                client_claim: "client_id".to_owned(),
                grant_claim: None,
                tenant: None,
            },
            reach: Reach {
                max_size: MAX_SIZE,
                allow_private: true,
                // The URI has been judged.
                allow_plain: true,
                pooled: true,
                ..Reach::default()
            },
            signed: None,
            limits: Limits {
                ttl: Duration::from_secs(10),
                capacity: 10_000,
            },
        }))
    }

    /// This server authenticates with this secret, by HTTP Basic, both halves form-encoded (RFC
    /// 6749 §2.3.1).
    ///
    /// Without this and [`bearer`](Self::bearer) it does not authenticate, which a server has to
    /// refuse (RFC 7662 §2.1) unless it knows by other means who asks.
    #[must_use]
    pub fn basic(mut self, client_id: &str, secret: &Secret) -> Self {
        self.config.authorization = Some(basic(client_id, secret));
        Self::of(self.config)
    }

    /// This server authenticates with this access token (RFC 6750 §2.1). It takes the place of
    /// [`basic`](Self::basic).
    ///
    /// # Errors
    ///
    /// If it has characters that no field of HTTP may have.
    pub fn bearer(mut self, token: &Secret) -> Result<Self, UpstreamError> {
        self.config.authorization = Some(bearer(token)?);
        Ok(Self::of(self.config))
    }

    /// How long an answer may take, from the lookup of the name to the last octet. Default: 5 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.config.reach.timeout = timeout;
        Self::of(self.config)
    }

    /// How long an answer holds, from when it was asked for, and how many are kept. Default: 10 s
    /// and 10 000. If either is zero, none is.
    ///
    /// The longer, the later is seen here what was revoked there, and recorded nowhere else. An
    /// answer of more than 4 KiB is not kept.
    #[must_use]
    pub fn cache(mut self, ttl: Duration, capacity: usize) -> Self {
        self.config.limits = Limits { ttl, capacity };
        Self::of(self.config)
    }

    /// The member that names the client. Default: `client_id`.
    #[must_use]
    pub fn client_claim(mut self, name: impl Into<String>) -> Self {
        self.config.dialect.client_claim = name.into();
        Self::of(self.config)
    }

    /// The member that names the [grant](Introspection::grant). Default: none does.
    #[must_use]
    pub fn grant_claim(mut self, name: impl Into<String>) -> Self {
        self.config.dialect.grant_claim = Some(name.into());
        Self::of(self.config)
    }

    /// The [tenant](Introspection::tenant) of all tokens of this server, where one log serves
    /// several.
    #[must_use]
    pub fn tenant(mut self, name: impl Into<String>) -> Self {
        self.config.dialect.tenant = Some(name.into());
        Self::of(self.config)
    }

    /// Answers are to be signed by this issuer, for this server as the audience (RFC 9701), with
    /// one of these keys. **An answer that is not is an error**, and so is one that is encrypted.
    ///
    /// What is verified: the type `token-introspection+jwt`, the signature, `iss` and `aud` **byte
    /// for byte**, and an `iat` that is no more than a minute away. The issuer can then not deny
    /// what it has said. Nothing in a signed answer says which token it is about, so that it is no
    /// reason to do without TLS.
    ///
    /// ```
    /// use tower_revocation::{introspect::upstream::Upstream, jose::KeySet};
    ///
    /// let keys = KeySet::from_json(r#"{ "keys": [{
    ///     "kty": "OKP", "crv": "Ed25519", "kid": "2026-01",
    ///     "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    /// }] }"#)?;
    /// let tokens = Upstream::new("https://as.example.com/oauth2/introspect")?
    ///     .signed("https://as.example.com", "https://api.example.com", keys);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn signed(
        mut self,
        issuer: impl Into<String>,
        audience: impl Into<String>,
        keys: KeySet,
    ) -> Self {
        self.config.signed = Some(Signed {
            issuer: issuer.into(),
            audience: audience.into(),
            keys,
        });
        Self::of(self.config)
    }

    /// Trusts these certificates, in PEM, and no longer the system's roots.
    ///
    /// # Errors
    ///
    /// If there is none, or one that cannot be read.
    pub fn trusted_ca(mut self, pem: &[u8]) -> Result<Self, UpstreamError> {
        self.config.reach.roots = Some(roots_of(pem)?);
        Ok(Self::of(self.config))
    }

    fn of(config: Config) -> Self {
        let asking = Arc::new(Asking::new(config.clone()));
        let ask = move |token: Secret| -> BoxFuture<'static, _> {
            let asking = Arc::clone(&asking);
            Box::pin(async move { asking.ask(token).await })
        };
        Self {
            answers: Arc::new(Answers::new(config.limits, Box::new(ask))),
            config,
        }
    }
}

/// Whether the host is this machine.
fn is_loopback(uri: &Uri, address: Option<IpAddr>) -> bool {
    match address {
        Some(address) => address.is_loopback(),
        None => uri
            .host()
            .is_some_and(|host| host.eq_ignore_ascii_case("localhost")),
    }
}

impl Service<Secret> for Upstream {
    type Response = Option<Introspection>;
    type Error = UpstreamError;
    type Future = UpstreamFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, token: Secret) -> Self::Future {
        match self.answers.next(token) {
            Next::Answer(known) => UpstreamFuture::known(known),
            Next::Wait(flight) => UpstreamFuture::asked(flight),
        }
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("host", &self.config.uri.host())
            .field("kept", &self.answers.len())
            .finish_non_exhaustive()
    }
}
