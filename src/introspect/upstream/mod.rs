//! Tokens that another server knows (RFC 7662).

mod cache;
mod config;
mod error;
mod future;
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

use self::{
    cache::{Answers, Next},
    config::Config,
};
pub use self::{
    error::{UpstreamError, UpstreamErrorKind},
    future::UpstreamFuture,
};
use super::{Introspected, Reason};
use crate::token::Secret;

/// Introspection at another server (RFC 7662), as a `tower::Service<Secret>`.
///
/// A clone shares the cache and the connections. **A knob makes new ones of either**: turn them
/// before anything is asked.
///
/// * **What is known.** `{"active": true}` with its members is
///   [`Token`](Introspected::Token), `{"active": false}` is
///   [`Unrecognised`](Introspected::Unrecognised), and **everything else is an error**: another
///   status than 200, a redirect, another media type than `application/json`, more than 64 KiB, a
///   member twice, a [time-out](Self::timeout), a `cnf` without a thumbprint that is known, or a
///   member of a wrong type that says whose token it is, what could have revoked it, or for how
///   long it lives. Other members of a wrong type are ignored. A member that is `null` or empty is
///   missing.
/// * **`active: false` is the other server's word.** It says so of expired and rotated tokens too,
///   and of one that is not valid yet. An expired refresh token therefore does not end its grant
///   here. A server that also introspects refresh tokens for you knows all tokens: then a
///   [`RecordRevocation`](crate::revoke::RecordRevocation::responsible_for_all_tokens) can say so.
/// * **Whose it is** says `client_id`, or [another member](Self::client_claim). If it is missing,
///   the token can be nobody's, and that is an error: it has to be configured.
/// * **Which record covers it.** One of its `iss` and `jti`, if the answer has both. Else one of
///   the SHA-256 of the token, provided that it has one spelling only: a token with two dots or
///   more looks like a JWT, which can be encoded anew. That one has no record of its own: revoking
///   it alone is not possible, its grant, session, subject or client is. A server that takes an
///   *opaque* token in several spellings is not to be put behind this.
/// * **What it is used as.** A refresh token, if `token_type`, `token_use` or `typ` is
///   `refresh_token`, `Refresh` or `Offline`; not a token to be revoked or let in, thus
///   [`Unhandled`](Introspected::Unhandled), if it is `id_token` or `ID`; else an access token. Case
///   does not matter.
/// * **For whom it is** is not checked unless [`audience`](Self::audience) says so.
/// * **`exp` and `iat` may be missing.** A token without `exp` lives until it is revoked, and so
///   does one whose `exp` is 0 or beyond the year 9999, unless there is a
///   [`longest_lifetime`](Self::longest_lifetime); if it is more than a minute past, that is an
///   error. A token
///   without `iat` falls with every record of its selectors, also with those from before it was
///   issued.
/// * **How it is asked.** By POST, over connections that are kept. If one of them turns out to have
///   been closed before there was any answer, the request is sent once more: asking twice changes
///   nothing. However many ask about a token, there is one request about it at a time, which lasts
///   until it is answered or nobody waits for it any more. Of how many tokens at once it is asked
///   is not limited here: tower's `ConcurrencyLimit` around it also limits the connections.
///
/// # The cache
///
/// An answer holds for ten seconds, or as long as is [configured](Self::cache), and never beyond
/// the token's `exp`; "not recognised" holds for one second at most. An error is never kept. Tokens are not
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
/// let token = tokens.oneshot(Secret::new("mF_9.B5f-4.1JqM")).await?;
/// let token = token.into_token().expect("it is active");
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

impl Service<Secret> for Upstream {
    type Response = Introspected;
    type Error = UpstreamError;
    type Future = UpstreamFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, token: Secret) -> Self::Future {
        if token.expose().len() > self.config.max_token {
            // It was not looked at, so nobody can say that it is none.
            return UpstreamFuture::known(Introspected::Unhandled {
                reason: Reason::NotAToken,
                exp: None,
            });
        }
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
