//! How an `Upstream` is built.

use std::{fmt, sync::Arc, time::Duration};

use futures::future::BoxFuture;

use super::{
    Upstream, UpstreamError,
    cache::ResponseCache,
    config::Config,
    credentials::ServerCredentials,
    limits::{CacheLimits, MAX_RESPONSE},
    request::IntrospectionEndpoint,
    response::ClaimNames,
    signed::Signer,
};
use crate::{
    introspect::jwt::Audience,
    jose::KeySet,
    outbound::{ConnectionSettings, parse_operator_uri, parse_roots},
    token::Secret,
};

/// Builds an [`Upstream`]. Made by [`Upstream::builder`].
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::{
///     Secret,
///     introspect::upstream::{Upstream, UpstreamError},
/// };
///
/// let builder = Upstream::builder("https://as.example.com/oauth2/introspect")
///     .basic("gateway", &Secret::new("7Fjfp0ZBr1KtDRbnfVdmIw"));
/// let cached = builder.clone().build()?;
/// let uncached = builder.cache(Duration::ZERO, 0).build()?;
/// # Ok::<_, UpstreamError>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct UpstreamBuilder {
    uri: String,
    allow_plain_http: bool,
    credentials: ServerCredentials,
    trusted_ca: Option<Vec<u8>>,
    timeout: Duration,
    max_token: usize,
    cache: CacheLimits,
    claim_names: ClaimNames,
    signer: Option<Signer>,
}

impl UpstreamBuilder {
    pub(super) fn new(uri: String) -> Self {
        Self {
            uri,
            allow_plain_http: false,
            credentials: ServerCredentials::None,
            trusted_ca: None,
            timeout: Duration::from_secs(5),
            max_token: 16 * 1024,
            cache: CacheLimits {
                ttl: Duration::from_secs(10),
                capacity: 10_000,
            },
            claim_names: ClaimNames::default(),
            signer: None,
        }
    }

    /// Authenticates this server with a secret by HTTP Basic, both halves form-encoded (RFC 6749
    /// §2.3.1).
    ///
    /// Of this, [`basic_raw`](Self::basic_raw), [`post`](Self::post) and [`bearer`](Self::bearer)
    /// the last call counts. Without any of them this server does not authenticate. The other
    /// server must refuse that (RFC 7662 §2.1), unless it identifies this server by other means.
    pub fn basic(mut self, client_id: &str, secret: &Secret) -> Self {
        self.credentials = ServerCredentials::Basic(client_id.to_owned(), secret.clone());
        self
    }

    /// Authenticates this server with a secret by HTTP Basic, both halves as they are (RFC 7617
    /// §2), for servers that do not form-decode them. It differs from [`basic`](Self::basic) only
    /// if one half has characters other than letters, digits and `-._*`.
    pub fn basic_raw(mut self, client_id: &str, secret: &Secret) -> Self {
        self.credentials = ServerCredentials::BasicRaw(client_id.to_owned(), secret.clone());
        self
    }

    /// Authenticates this server with a secret in the body of the request, as `client_id` and
    /// `client_secret` (RFC 6749 §2.3.1).
    pub fn post(mut self, client_id: &str, secret: &Secret) -> Self {
        self.credentials = ServerCredentials::Post(client_id.to_owned(), secret.clone());
        self
    }

    /// Authenticates this server with an access token (RFC 6750 §2.1).
    ///
    /// [`build`](Self::build) fails if the token has characters that no header may have.
    pub fn bearer(mut self, token: &Secret) -> Self {
        self.credentials = ServerCredentials::Bearer(token.clone());
        self
    }

    /// Whether to allow `http` URIs of other machines too. Defaults to `false`: only `https`, and
    /// `http` on this machine.
    ///
    /// **Anyone on the way can then read and use every token and the secret of this server**, and
    /// can send responses in the name of the other server. Use it only where the network itself is
    /// encrypted.
    pub fn allow_plain_http(mut self, allow: bool) -> Self {
        self.allow_plain_http = allow;
        self
    }

    /// Trusts these certificates, in PEM, instead of the system's root certificates.
    ///
    /// [`build`](Self::build) fails if there is no certificate, or one that cannot be read.
    pub fn trusted_ca(mut self, pem: &[u8]) -> Self {
        self.trusted_ca = Some(pem.to_owned());
        self
    }

    /// Limits how long a response may take, from the lookup of the name to the last byte. Defaults
    /// to 5 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Limits the length of a token, in bytes. Defaults to 16 KiB.
    ///
    /// The other server is not asked about a longer token, which is
    /// [`Unhandled`](crate::introspect::Introspected::Unhandled).
    pub fn max_token(mut self, bytes: usize) -> Self {
        self.max_token = bytes;
        self
    }

    /// Sets how long a response is cached, counted from the request, and how many are. Defaults to
    /// 10 s and 10 000. If either is zero, nothing is cached.
    ///
    /// The longer the time, the later a revocation is seen here that the other server knows and
    /// that is not in the log. A response of more than 4 KiB is not cached. An entry has the
    /// response as JSON and the members that are read from it. If that takes more than 10 KiB of
    /// memory, it is not cached either.
    ///
    /// Each response counts once, whatever its size. In
    /// [`JwtTokens::cache_capacity`](crate::introspect::jwt::JwtTokens::cache_capacity), a large
    /// token counts several times.
    pub fn cache(mut self, ttl: Duration, capacity: usize) -> Self {
        self.cache = CacheLimits { ttl, capacity };
        self
    }

    /// Requires that a token is for one of these audiences (`aud`). Defaults to no requirement.
    ///
    /// An active token for another audience is
    /// [`Unhandled`](crate::introspect::Introspected::Unhandled), so enforcement refuses it.
    /// **Without this setting, a token that was made for another resource server is accepted here
    /// if the other server reports it as active.** A revocation endpoint that has to know all
    /// tokens needs an `Upstream` without it.
    pub fn audience(mut self, audience: Audience) -> Self {
        self.claim_names.audience = Some(audience);
        self
    }

    /// Takes opaque tokens of any visible ASCII characters, such as the `|` and `:` of some
    /// products, as they are: each token has one spelling and can be revoked alone. Defaults to
    /// `false`: such a token can be revoked alone only if the response has `iss` and `jti`.
    ///
    /// [`EnforcementLayer::any_visible_token`](crate::enforce::EnforcementLayer::any_visible_token)
    /// accepts such tokens.
    pub fn any_visible_token(mut self, any: bool) -> Self {
        self.claim_names.any_visible_token = any;
        self
    }

    /// Limits how long after its `iat` a token expires, even if its `exp` is later. Defaults to no
    /// limit.
    /// An older token is refused as [`TooOld`](crate::introspect::Reason::TooOld).
    ///
    /// Give the same value to
    /// [`RecordRevocation::longest_lifetime`](crate::revoke::RecordRevocation::longest_lifetime).
    pub fn longest_lifetime(mut self, lifetime: Duration) -> Self {
        self.claim_names.longest_lifetime = Some(lifetime);
        self
    }

    /// Sets the member that names the client. Defaults to `client_id`.
    pub fn client_claim(mut self, name: impl Into<String>) -> Self {
        self.claim_names.client = name.into();
        self
    }

    /// Sets the member that names the [grant](crate::introspect::Claims::grant). Defaults to none.
    pub fn grant_claim(mut self, name: impl Into<String>) -> Self {
        self.claim_names.grant = Some(name.into());
        self
    }

    /// Sets the [tenant](crate::introspect::Claims::tenant) of all tokens of this server, for a log
    /// that serves several issuers. Defaults to none.
    pub fn tenant(mut self, name: impl Into<String>) -> Self {
        self.claim_names.tenant = Some(name.into());
        self
    }

    /// Requires that responses are signed by this issuer with one of these keys, for this server as
    /// the audience (RFC 9701). **A response that is not is an error**, and so is an encrypted one.
    ///
    /// These are verified: the type `token-introspection+jwt`, the signature, `iss` and `aud`
    /// **byte for byte**, and an `iat` within a minute of now. The issuer cannot deny a response
    /// later. A signed response does not say which token it is about, so it does not replace TLS.
    ///
    /// ```
    /// use tower_revocation::{introspect::upstream::Upstream, jose::KeySet};
    ///
    /// let keys = KeySet::from_json(r#"{ "keys": [{
    ///     "kty": "OKP", "crv": "Ed25519", "kid": "2026-01",
    ///     "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    /// }] }"#)?;
    /// let tokens = Upstream::builder("https://as.example.com/oauth2/introspect")
    ///     .signed("https://as.example.com", "https://api.example.com", keys)
    ///     .build()?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn signed(
        mut self,
        issuer: impl Into<String>,
        audience: impl Into<String>,
        keys: KeySet,
    ) -> Self {
        self.signer = Some(Signer {
            issuer: issuer.into(),
            audience: audience.into(),
            keys,
        });
        self
    }

    /// Builds the introspection, with a cache and connections of its own. It connects to nothing.
    ///
    /// # Errors
    ///
    /// [`Configuration`](super::UpstreamErrorKind::Configuration) if the URI is neither `https` nor
    /// `http` on this machine (`localhost`, `127.0.0.1`, `[::1]`), unless
    /// [`allow_plain_http`](Self::allow_plain_http) is set; if the URI has userinfo or a fragment;
    /// or if the bearer token or the certificates cannot be used.
    ///
    /// # Panics
    ///
    /// Panics if the operating system has no random numbers.
    pub fn build(self) -> Result<Upstream, UpstreamError> {
        let uri = parse_operator_uri(&self.uri, self.allow_plain_http);
        let uri = uri.map_err(UpstreamError::configuration)?;
        let authorization = self.credentials.authorization()?;
        let roots = self.trusted_ca.as_deref().map(parse_roots).transpose()?;
        let host = uri.host().map(str::to_owned);
        let endpoint = Arc::new(IntrospectionEndpoint::new(Config {
            uri,
            authorization,
            in_body: self.credentials.in_body(),
            claim_names: self.claim_names,
            signer: self.signer,
            connection: ConnectionSettings {
                timeout: self.timeout,
                max_size: MAX_RESPONSE,
                roots,
                // The operator names the address, no client does.
                allow_private: true,
                // The URI was checked above.
                allow_http: true,
                keep_alive: true,
                ..ConnectionSettings::default()
            },
        }));
        let send = move |token: Secret| -> BoxFuture<'static, _> {
            let endpoint = Arc::clone(&endpoint);
            Box::pin(async move { endpoint.introspect(token).await })
        };
        Ok(Upstream {
            host,
            max_token: self.max_token,
            cache: Arc::new(ResponseCache::new(self.cache, Box::new(send))),
        })
    }
}

impl fmt::Debug for UpstreamBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URI may have a password in it, and is not checked yet.
        f.debug_struct("UpstreamBuilder").finish_non_exhaustive()
    }
}
