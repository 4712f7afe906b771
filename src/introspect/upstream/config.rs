//! What is configured?

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use hyper::{Uri, header::HeaderValue};

use super::{
    Upstream, UpstreamError,
    cache::{Answers, Limits},
    request::{Asking, MAX_SIZE, basic, basic_raw, bearer},
    response::Dialect,
    signed::Signed,
};
use crate::{
    introspect::jwt::Audience,
    jose::KeySet,
    outbound::{ConnectionSettings, parse_operator_uri, parse_roots},
    token::Secret,
};

/// All that the knobs turn.
#[derive(Clone)]
pub(super) struct Config {
    pub(super) uri: Uri,
    pub(super) authorization: Option<HeaderValue>,
    /// The client and its secret, where they are sent in the body.
    pub(super) in_body: Option<(String, Secret)>,
    pub(super) dialect: Dialect,
    pub(super) signed: Option<Signed>,
    pub(super) connection: ConnectionSettings,
    pub(super) limits: Limits,
    pub(super) max_token: usize,
}

impl Config {
    pub(super) fn media_type(&self) -> &'static str {
        match self.signed {
            Some(_) => "application/token-introspection+jwt",
            None => "application/json",
        }
    }
}

impl Upstream {
    /// The introspection endpoint at this URI, which is `https`; or `http`, on this very machine
    /// (`localhost`, `127.0.0.1`, `[::1]`).
    ///
    /// It trusts the roots of the system, which are loaded when something is asked first. Its
    /// crypto provider is that of [`RemoteKeys`](crate::jose::RemoteKeys). No proxy is used. Its
    /// address may be a private one: you name it, and no client does.
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
        let uri = parse_operator_uri(text, allow_plain).map_err(UpstreamError::configuration)?;
        Ok(Self::of(Config {
            uri,
            authorization: None,
            in_body: None,
            dialect: Dialect {
                client_claim: "client_id".to_owned(),
                grant_claim: None,
                tenant: None,
                audience: None,
                longest_lifetime: None,
                any_visible_token: false,
            },
            connection: ConnectionSettings {
                max_size: MAX_SIZE,
                allow_private: true,
                // The URI has been judged.
                allow_http: true,
                keep_alive: true,
                ..ConnectionSettings::default()
            },
            signed: None,
            limits: Limits {
                ttl: Duration::from_secs(10),
                capacity: 10_000,
            },
            max_token: 16 * 1024,
        }))
    }

    /// This server authenticates with this secret, by HTTP Basic, both halves form-encoded (RFC
    /// 6749 §2.3.1).
    ///
    /// Of this, [`basic_raw`](Self::basic_raw), [`post`](Self::post) and [`bearer`](Self::bearer)
    /// the last one counts. Without any, this server does not authenticate, which the other one has
    /// to refuse (RFC 7662 §2.1) unless it knows by other means who asks.
    #[must_use]
    pub fn basic(self, client_id: &str, secret: &Secret) -> Self {
        self.authenticate(Some(basic(client_id, secret)), None)
    }

    /// Authenticates with this secret by HTTP Basic, both halves as they are (RFC 7617 §2), for
    /// servers that do not form-decode them. It differs from [`basic`](Self::basic) only if one of
    /// them has other characters than letters, digits and `-._*`.
    #[must_use]
    pub fn basic_raw(self, client_id: &str, secret: &Secret) -> Self {
        self.authenticate(Some(basic_raw(client_id, secret)), None)
    }

    /// Authenticates with this secret in the body of the request, as `client_id` and
    /// `client_secret` (RFC 6749 §2.3.1).
    #[must_use]
    pub fn post(self, client_id: &str, secret: &Secret) -> Self {
        self.authenticate(None, Some((client_id.to_owned(), secret.clone())))
    }

    fn authenticate(
        mut self,
        authorization: Option<HeaderValue>,
        in_body: Option<(String, Secret)>,
    ) -> Self {
        self.config.authorization = authorization;
        self.config.in_body = in_body;
        Self::of(self.config)
    }

    /// Authenticates with this access token (RFC 6750 §2.1).
    ///
    /// # Errors
    ///
    /// If it has characters that no field of HTTP may have.
    pub fn bearer(self, token: &Secret) -> Result<Self, UpstreamError> {
        Ok(self.authenticate(Some(bearer(token)?), None))
    }

    /// Requires that a token is for one of these audiences (`aud`). Defaults to no requirement.
    ///
    /// An active token for another audience is [`Unhandled`](crate::introspect::Introspected), so
    /// enforcement refuses it: **without this, a token that was made for another resource server is
    /// accepted here, if the other server calls it active.** A revocation endpoint that has to know
    /// all tokens needs an `Upstream` without it.
    #[must_use]
    pub fn audience(mut self, audience: Audience) -> Self {
        self.config.dialect.audience = Some(audience);
        Self::of(self.config)
    }

    /// Takes opaque tokens of any visible ASCII characters, such as the `|` and `:` of some products,
    /// for what they are: each has one spelling, and can be revoked alone. Defaults to `false`: such
    /// a token can be revoked alone only if the answer has `iss` and `jti`.
    ///
    /// [`EnforcementLayer::any_visible_token`](crate::enforce::EnforcementLayer::any_visible_token)
    /// lets them in.
    #[must_use]
    pub fn any_visible_token(mut self, any: bool) -> Self {
        self.config.dialect.any_visible_token = any;
        Self::of(self.config)
    }

    /// Limits how long after its `iat` a token expires, whatever its `exp` says. Defaults to no
    /// limit.
    ///
    /// It is the [`longest_lifetime`](crate::revoke::RecordRevocation::longest_lifetime) of the records about
    /// these tokens.
    #[must_use]
    pub fn longest_lifetime(mut self, lifetime: Duration) -> Self {
        self.config.dialect.longest_lifetime = Some(lifetime);
        Self::of(self.config)
    }

    /// How long an answer may take, from the lookup of the name to the last octet. Default: 5 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.config.connection.timeout = timeout;
        Self::of(self.config)
    }

    /// Limits the length of a token, in bytes. Defaults to 16 KiB. The server is not asked about a
    /// longer one, which is not recognised.
    #[must_use]
    pub fn max_token(mut self, bytes: usize) -> Self {
        self.config.max_token = bytes;
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

    /// The member that names the [grant](crate::introspect::Claims::grant). Default: none does.
    #[must_use]
    pub fn grant_claim(mut self, name: impl Into<String>) -> Self {
        self.config.dialect.grant_claim = Some(name.into());
        Self::of(self.config)
    }

    /// The [tenant](crate::introspect::Claims::tenant) of all tokens of this server, where one log
    /// serves several.
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
        self.config.connection.roots = Some(parse_roots(pem)?);
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
