//! Introspection of tokens at another server (RFC 7662).

mod builder;
mod cache;
mod config;
mod credentials;
mod error;
mod future;
mod limits;
mod observe;
mod request;
mod response;
mod signed;

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use tower::Service;

use self::cache::{Lookup, ResponseCache};
pub use self::{
    builder::UpstreamBuilder,
    error::{UpstreamError, UpstreamErrorKind},
    future::UpstreamFuture,
};
use super::{Introspected, Reason};
use crate::token::Secret;

/// Introspection of tokens at another server (RFC 7662), as a `tower::Service<Secret>`.
///
/// A clone shares the cache and the connections. [`builder`](Self::builder) has the settings.
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::{
///     Secret,
///     introspect::upstream::{Upstream, UpstreamError},
/// };
///
/// let tokens = Upstream::builder("https://as.example.com/oauth2/introspect")
///     .basic("gateway", &Secret::new("7Fjfp0ZBr1KtDRbnfVdmIw"))
///     .cache(Duration::from_secs(2), 10_000)
///     .build()?;
/// assert!(Upstream::builder("http://as.example.com/oauth2/introspect").build().is_err());
/// # Ok::<_, UpstreamError>(())
/// ```
///
/// # How a response is read
///
/// * `{"active": true}` is [`Token`](Introspected::Token), with the members that are known.
///   `{"active": false}` is [`Unrecognised`](Introspected::Unrecognised). The whole response is
///   kept, so that [`claims_as`](super::Claims::claims_as) can read all members into a type of your
///   own.
/// * **Everything else is an error**: a status other than 200, a redirect, a media type other than
///   `application/json`, a response of more than 64 KiB, a member that occurs twice, a
///   [time-out](UpstreamBuilder::timeout), or a `cnf` without a known thumbprint. So is a member of
///   the wrong type if it says whose token it is, what could have revoked it, or how long it lives.
///   Other members of the wrong type are ignored. A member that is `null` or empty counts as
///   missing.
/// * **`active: false` is the word of the other server.** It also says so of expired and rotated
///   tokens, and of tokens that are not valid yet. So an expired refresh token does not end its
///   grant here. A server that also introspects refresh tokens for you knows all tokens: then say
///   so with
///   [`responsible_for_all_tokens`](crate::revoke::RecordRevocation::responsible_for_all_tokens).
/// * **The client** is `client_id`, or [another member](UpstreamBuilder::client_claim). If it is
///   missing, the token has no owner, and that is an error: configure the member.
/// * **The record of the token alone** names its `iss` and `jti`, if the response has both.
///   Otherwise it names the SHA-256 of the token, if the token has only one spelling. A token with
///   two or more dots looks like a JWT, which can be encoded differently. Such a token has no
///   record of its own: it cannot be revoked alone, but its grant, session, subject or client can.
///   Do not use this for a server that accepts an *opaque* token in several spellings.
/// * **The use of the token**: it is a refresh token if `token_type`, `token_use` or `typ` is
///   `refresh_token`, `Refresh` or `Offline`. It is [`Unhandled`](Introspected::Unhandled), and
///   neither revoked nor let in, if one of them is `id_token` or `ID`. Otherwise it is an access
///   token. Case does not matter.
/// * **The audience** is not checked, unless [`audience`](UpstreamBuilder::audience) is set.
/// * **`exp` and `iat` may be missing.** A token without `exp` lives until it is revoked, and so
///   does one whose `exp` is 0 or beyond the year 9999, unless there is a
///   [`longest_lifetime`](UpstreamBuilder::longest_lifetime). An active token whose `exp` passed
///   more than a minute ago is an error. A token without `iat` is covered by every record of its
///   selectors, including those from before it was issued.
///
/// # How requests are sent
///
/// Requests are POSTs over connections that stay open. No proxy is used. The address may be a
/// private one: you name it, and no client does. TLS trusts the system's root certificates, which
/// are loaded at the first request, and uses the crypto provider of
/// [`RemoteKeys`](crate::jose::RemoteKeys).
///
/// If a connection is closed before any response, the request is sent once more: an introspection
/// changes nothing. There is one request about a token at a time, however many callers ask. It
/// lasts until there is a response, or until no caller waits for it. The number of tokens that are
/// asked about at once is not limited here: tower's `ConcurrencyLimit` around it also limits the
/// connections.
///
/// # The cache
///
/// A response is cached for ten seconds, or as long as is [configured](UpstreamBuilder::cache), and
/// never beyond the token's `exp`. "Not recognised" is cached for at most one second. Errors are
/// never cached. The cache holds no tokens, only their digests under a key of this process.
///
/// **The cache delays no revocation that is in the log**: it holds what the token *is*. Enforcement
/// asks the [`Index`](crate::enforce::Index) after every introspection whether the token is revoked.
/// The cache does delay, by at most its time, a revocation that only the other server knows.
///
/// # Example
///
/// The whole exchange, with a local server in place of the other one:
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
/// let response = async || Json(serde_json::json!({ "active": true, "client_id": "s6BhdRkqt3" }));
/// let server = Router::new().route("/introspect", post(response));
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let uri = format!("http://{}/introspect", listener.local_addr()?);
/// tokio::spawn(async move { axum::serve(listener, server).await });
///
/// let tokens = Upstream::builder(&uri).bearer(&Secret::new("45ghiukldjahdnhzdauz")).build()?;
/// let token = tokens.oneshot(Secret::new("mF_9.B5f-4.1JqM")).await?;
/// let token = token.into_token().expect("it is active");
/// assert_eq!((token.kind, token.client_id.as_str()), (TokenKind::AccessToken, "s6BhdRkqt3"));
/// # Ok(())
/// # }
/// ```
///
/// # Panics
///
/// Panics outside a tokio runtime with its time driver.
#[derive(Clone)]
#[must_use = "a service does nothing until it is called"]
pub struct Upstream {
    host: Option<String>,
    max_token: usize,
    cache: Arc<ResponseCache>,
}

impl Upstream {
    /// Builds an introspection at this URI: the introspection endpoint of the other server. It must
    /// be `https`, or `http` on this machine (`localhost`, `127.0.0.1`, `[::1]`).
    pub fn builder(uri: impl Into<String>) -> UpstreamBuilder {
        UpstreamBuilder::new(uri.into())
    }
}

impl Service<Secret> for Upstream {
    type Response = Introspected;
    type Error = UpstreamError;
    type Future = UpstreamFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, token: Secret) -> Self::Future {
        if token.expose().len() > self.max_token {
            // The other server did not see it, so it is not certain that it is not a token.
            return UpstreamFuture::ready(Introspected::Unhandled {
                reason: Reason::NotAToken,
                exp: None,
            });
        }
        match self.cache.look_up(token) {
            Lookup::Cached(introspected) => UpstreamFuture::ready(introspected),
            Lookup::Pending(request) => UpstreamFuture::pending(request),
        }
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("host", &self.host)
            .field("cached", &self.cache.len())
            .finish_non_exhaustive()
    }
}
