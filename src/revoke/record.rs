//! What falls with a token? Introspect, compare the owner, cascade, append.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use tower::{BoxError, Service, ServiceExt as _};

use super::{
    quota::Quota,
    recorder::{Extent, Recorder},
};
use crate::{
    client::Identified,
    introspect::Introspected,
    log::RevocationLog,
    token::{Outcome, RevocationRequest, Secret},
};

/// A backend that introspects the token, compares its owner with the client that asks, and appends
/// one small record to a log. The work does not grow with the number of tokens that fall.
///
/// * [`Outcome::Revoked`] once the log says that the record is durable.
/// * [`Outcome::Revoked`] as well for a token that its introspection says is
///   [revoked](crate::introspect::Claims::revoked). What falls with it is recorded, and the token
///   alone is not.
/// * [`Outcome::IssuedToAnother`] for a token of another client, in whatever state it is.
/// * [`Outcome::NotFound`] for a token that has expired, if nothing else falls with it.
/// * [`Outcome::Unsupported`] for a live token that nothing names, such as a JWT without a `jti`,
///   for a genuine one that the introspection does not handle, and for one that it does not
///   recognise. Backends that are [responsible for all tokens](Self::responsible_for_all_tokens)
///   answer `NotFound` for the last.
/// * An error, and so 503, for what cannot be found out or written.
///
/// ```
/// use tower::ServiceExt;
/// use tower_revocation::{
///     Outcome, RevocationRequest, Secret,
///     introspect::{Introspection, TokenKind},
///     log::{MemoryLog, NumericDate, Selector},
///     revoke::RecordRevocation,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower::BoxError> {
/// let introspect = tower::service_fn(async |_: Secret| {
///     let mut token = Introspection::new(TokenKind::RefreshToken, "s6BhdRkqt3");
///     token.token = Some(Selector::token("https://as.example.com", "1"));
///     token.iat = Some(NumericDate::new(1000));
///     Ok::<_, tower::BoxError>(Some(token))
/// });
/// let backend = RecordRevocation::new(introspect, MemoryLog::new());
///
/// let theirs = RevocationRequest::new("c2", Secret::new("45ghiukldjahdnhzdauz"));
/// assert_eq!(backend.clone().oneshot(theirs).await?, Outcome::IssuedToAnother);
/// let ours = RevocationRequest::new("s6BhdRkqt3", Secret::new("45ghiukldjahdnhzdauz"));
/// assert_eq!(backend.oneshot(ours).await?, Outcome::Revoked);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a backend does nothing until it is asked"]
pub struct RecordRevocation<I, L> {
    pub(super) introspect: I,
    pub(super) recorder: Recorder<L>,
}

/// What falls with a token that is revoked (RFC 7009 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cascade {
    /// That token alone.
    Token,
    /// All that came of the same authorization, past and future: every access token, every refresh
    /// token, rotated or not. A token that names no grant takes its session with it, and one that
    /// names neither falls alone.
    Grant,
    /// The grant, and all that the client holds for the same subject until now. A token without a
    /// subject is treated as under [`Grant`](Self::Grant): no subject is not every subject.
    SubjectAndClient,
    /// The grant, and all that any client holds for the same subject until now. A token without a
    /// subject is treated as under [`Grant`](Self::Grant).
    Subject,
}

impl<I, L> RecordRevocation<I, L> {
    /// A backend with the default cascades: a refresh token takes its grant with it, an access
    /// token falls alone.
    pub fn new(introspect: I, log: L) -> Self {
        Self {
            introspect,
            recorder: Recorder::new(log),
        }
    }

    /// States that this backend is responsible for all tokens of the server: a token that its
    /// introspection does not recognise is certainly not a live one. Defaults to `false`.
    ///
    /// With the statement, an unrecognised token is [`Outcome::NotFound`], which is answered 200
    /// (RFC 7009 §2.2). Without it, an unrecognised token is [`Outcome::Unsupported`], which is 400
    /// `unsupported_token_type`.
    ///
    /// **Only state what is true.** An introspection of access tokens does not recognise the
    /// refresh tokens of the same issuer: with the statement, a client that revokes one at logout
    /// hears 200 while the token lives on. So it is with a JWT of another algorithm than those that
    /// `JwtTokens` accepts. `IssuedTokens` knows every token that it has issued,
    /// so state it there if nothing else issues tokens. Behind a [`ByHint`](crate::ByHint) or a
    /// [`ByFormat`](crate::introspect::ByFormat), state it if all members together know every token.
    pub fn responsible_for_all_tokens(mut self, responsible: bool) -> Self {
        self.recorder.policy.responsible_for_all_tokens = responsible;
        self
    }

    /// What falls with a refresh token. Its grant, unless this is called.
    pub fn refresh_token_cascade(mut self, cascade: Cascade) -> Self {
        self.recorder.policy.refresh_token = cascade;
        self
    }

    /// What falls with an access token. Nothing else, unless this is called.
    pub fn access_token_cascade(mut self, cascade: Cascade) -> Self {
        self.recorder.policy.access_token = cascade;
        self
    }

    /// The longest that any token lives, refresh tokens included. Records about more than one token
    /// can be forgotten after that time, and after the end of the token that was presented (never,
    /// if that has none); unless this is called, they never are.
    ///
    /// **If another token lives longer than this, it comes to life again.** Take it from where
    /// tokens are issued.
    pub fn longest_lifetime(mut self, lifetime: Duration) -> Self {
        self.recorder.policy.retention.longest_lifetime = Some(lifetime);
        self
    }

    /// How far clocks may be apart: records are kept for so much longer. A minute, unless this is
    /// called.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.recorder.policy.retention.leeway = leeway;
        self
    }

    /// So many live records at the most are appended for one client, so that none can use up a
    /// log's ceiling for all. Beyond it that client is told 503 with `Retry-After`, and the others
    /// notice nothing; what is revoked already is still answered with success. There is no limit
    /// unless this is called.
    ///
    /// Only what this backend and its clones append is counted, in memory: a restart begins anew,
    /// and [`Administration`](super::Administration) has no quota. A record counts from when it is
    /// on its way to the log until its end, which may be taken for a little later than it is;
    /// later records about the same do not prolong that. In a log that has no
    /// [`append_at_most`](RevocationLog::append_at_most) of its own, every record counts as a new
    /// one.
    ///
    /// # Panics
    ///
    /// If it is zero: nothing could be revoked.
    pub fn quota(mut self, records: usize) -> Self {
        assert!(records > 0, "without a quota nothing can be revoked");
        self.recorder.quota = Some(Quota::new(records));
        self
    }
}

impl<C, I, L> Service<RevocationRequest<C>> for RecordRevocation<I, L>
where
    C: Identified + Send + 'static,
    I: Service<Secret, Response: Into<Introspected>> + Clone + Send + 'static,
    I::Error: Into<BoxError>,
    I::Future: Send,
    L: RevocationLog + Clone + Send + Sync + 'static,
{
    type Response = Outcome;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Outcome, BoxError>>;

    /// Always ready: the introspection is waited for once there is a token to ask it about.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: RevocationRequest<C>) -> Self::Future {
        let Self {
            introspect,
            recorder,
        } = self.clone();
        Box::pin(async move {
            let RevocationRequest { client, token, .. } = request;
            #[cfg(feature = "jwt")]
            let token = token.asked_by(client.client_id());
            let introspected = introspect.oneshot(token).await.map_err(Into::into)?;
            let token = match introspected.into() {
                Introspected::Token(token) => token,
                Introspected::Unhandled { exp, .. } => return Ok(recorder.policy.unhandled(exp)),
                Introspected::Unrecognised(_) => return Ok(recorder.policy.unrecognised()),
            };
            if token.client_id != client.client_id() {
                return Ok(Outcome::IssuedToAnother);
            }
            recorder.end(&token, Extent::Cascade).await
        })
    }
}
