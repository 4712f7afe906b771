//! The backend that records revocations: introspect, compare the owner, cascade, append.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use tower::{BoxError, Service, ServiceExt as _};

#[cfg(feature = "profiles")]
use super::order::{ClientOrder, OrderedRecords, Orders};
use super::{
    Cascade, options,
    options::Asked,
    quota::Quota,
    recorder::{Extent, Recorder},
};
use crate::{
    client::Identified,
    introspect::{Introspected, Introspection},
    log::RevocationLog,
    token::{Outcome, RevocationRequest, Secret},
};
#[cfg(feature = "profiles")]
use crate::{error::Error, refusal::Refusal};

/// A backend that introspects the token, compares its owner with the client, and appends one small
/// record to a log. The work does not depend on how many tokens are revoked.
///
/// It returns:
///
/// * [`Outcome::Revoked`] once the record is durable. Also for a token that is already
///   [revoked](crate::introspect::Claims::revoked) according to its introspection: what is revoked
///   with it is recorded, and the token itself is not.
/// * [`Outcome::IssuedToAnother`] for a token of another client, in every state of the token. A
///   client that is registered at other issuers is another client, even if it has the same identifier:
///   see [`is_client_of`](Identified::is_client_of).
/// * [`Outcome::NotFound`] for a token that has expired, if nothing else is revoked with it.
/// * [`Outcome::Unsupported`] for a live token that no selector names, such as a JWT without a
///   `jti`; for a genuine token that the introspection does not handle; and for a token that it
///   does not recognise. For the last, backends that are [responsible for all
///   tokens](Self::responsible_for_all_tokens) return `NotFound`.
/// * An error, which becomes 503, if the introspection or the log fails.
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
#[must_use = "a backend does nothing until it is called"]
pub struct RecordRevocation<I, L> {
    pub(super) introspect: I,
    pub(super) recorder: Recorder<L>,
    #[cfg(feature = "profiles")]
    orders: Option<Orders>,
}

impl<I, L> RecordRevocation<I, L> {
    /// Makes a backend with the default cascades: a refresh token revokes its grant, an access
    /// token only itself.
    pub fn new(introspect: I, log: L) -> Self {
        Self {
            introspect,
            recorder: Recorder::new(log),
            #[cfg(feature = "profiles")]
            orders: None,
        }
    }

    /// States that this backend is responsible for all tokens of the server: a token that its
    /// introspection does not recognise is certainly not live. Defaults to `false`.
    ///
    /// With `true`, an unrecognised token is [`Outcome::NotFound`], which becomes 200
    /// (RFC 7009 §2.2). With `false`, it is [`Outcome::Unsupported`], which becomes 400
    /// `unsupported_token_type`.
    ///
    /// **Set it to `true` only if the statement is true.** An introspection of access tokens does
    /// not recognise the refresh tokens of the same issuer. With `true`, a client that revokes a
    /// refresh token at logout would get 200 while the token stays live. The same applies to a JWT
    /// with an algorithm that `JwtTokens` does not accept, and to refresh tokens that `Links` do not
    /// know. `IssuedTokens` knows every token that it
    /// has issued, so set it there if nothing else issues tokens. Behind a
    /// [`ByHint`](crate::ByHint) or a [`ByFormat`](crate::introspect::ByFormat), set it if all
    /// members together know every token.
    pub fn responsible_for_all_tokens(mut self, responsible: bool) -> Self {
        self.recorder.settings.responsible_for_all_tokens = responsible;
        self
    }

    /// Sets what is revoked with a refresh token. Defaults to [`Cascade::Grant`].
    pub fn refresh_token_cascade(mut self, cascade: Cascade) -> Self {
        self.recorder.settings.refresh_token = cascade;
        self
    }

    /// Sets what is revoked with an access token. Defaults to [`Cascade::Token`].
    pub fn access_token_cascade(mut self, cascade: Cascade) -> Self {
        self.recorder.settings.access_token = cascade;
        self
    }

    /// Sets the longest lifetime of any token, including refresh tokens. Defaults to unlimited:
    /// records about more than one token are then kept forever.
    ///
    /// A record about more than one token is kept for this time, and until the presented token
    /// expires. If that token never expires, the record is kept forever.
    ///
    /// **If another token lives longer than this, it becomes live again.** Use the value that the
    /// issuer of the tokens is configured with.
    pub fn longest_lifetime(mut self, lifetime: Duration) -> Self {
        self.recorder.settings.retention.longest_lifetime = Some(lifetime);
        self
    }

    /// Sets how far clocks may differ. Records are kept longer by this time. Defaults to one
    /// minute.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.recorder.settings.retention.leeway = leeway;
        self
    }

    /// Limits each client to `records` live records, so that no client uses up the ceiling of the
    /// log. Defaults to no limit.
    ///
    /// A client that has used up its quota gets 503 with `Retry-After`. Other clients are not
    /// affected, and what is already revoked still succeeds.
    ///
    /// The count is in memory and includes what this backend and its clones append. It is empty
    /// after a restart, and [`Administration`](super::Administration) has no quota. A record counts
    /// from when it is sent to the log until it expires, or a little longer. Later records with the
    /// same selector do not prolong that. In a log without its own
    /// [`append_at_most`](RevocationLog::append_at_most), every record counts as a new one.
    ///
    /// # Panics
    ///
    /// Panics if `records` is zero, because nothing could be revoked.
    pub fn quota(mut self, records: usize) -> Self {
        assert!(records > 0, "a quota of zero records allows no revocation");
        self.recorder.quota = Some(Quota::new(records));
        self
    }

    /// Carries out [`ClientOrder`](super::ClientOrder)s, in a log where each of these issuers is a
    /// [tenant](crate::log::Selector::within). Defaults to none: an order is `invalid_request`.
    ///
    /// An order becomes one record for each issuer that the client is
    /// [registered at](Identified::is_client_of), in one batch. If there is none, it is
    /// `invalid_request`, because a record would revoke nothing.
    ///
    /// A client can name any subject, so each of them can have at most 10,000 live records of orders,
    /// or the [`quota`](Self::quota) if there is one.
    ///
    /// ```
    /// # use tower_revocation::{introspect::Introspection, log::MemoryLog, revoke::RecordRevocation};
    /// # let introspect = tower::service_fn(async |_: tower_revocation::Secret| Ok::<_, tower::BoxError>(None::<Introspection>));
    /// let backend = RecordRevocation::new(introspect, MemoryLog::new())
    ///     .client_orders_within(["https://as.example.com"]);
    /// ```
    #[cfg(feature = "profiles")]
    #[cfg_attr(docsrs, doc(cfg(feature = "profiles")))]
    pub fn client_orders_within(
        mut self,
        issuers: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let issuers = issuers.into_iter().map(Into::into).collect();
        self.orders = Some(Orders::new(issuers, true));
        self
    }

    /// Carries out orders as [`client_orders_within`](Self::client_orders_within) does, in a log whose
    /// tokens have no tenant. They are of these issuers.
    #[cfg(feature = "profiles")]
    #[cfg_attr(docsrs, doc(cfg(feature = "profiles")))]
    pub fn client_orders_of(
        mut self,
        issuers: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let issuers = issuers.into_iter().map(Into::into).collect();
        self.orders = Some(Orders::new(issuers, false));
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

    /// Always returns ready: the backend waits for its introspection when it is called.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: RevocationRequest<C>) -> Self::Future {
        let backend = self.clone();
        Box::pin(async move {
            let asked = options::of(&request);
            let is_public = asked.is_unproven && request.client.is_public();
            asked.check_client(is_public)?;
            #[cfg(feature = "profiles")]
            let asked = asked.complete().await?;
            #[cfg(feature = "profiles")]
            if let Some(order) = &asked.order {
                let ordered = backend.ordered(order, &request.client, is_public)?;
                backend.recorder.carry_out(ordered).await?;
                asked.report(Outcome::Revoked, None);
                return Ok(Outcome::Revoked);
            }
            let (outcome, token) = backend.revoke(request, &asked, is_public).await?;
            asked.report(outcome, token.as_ref());
            Ok(outcome)
        })
    }
}

impl<I, L> RecordRevocation<I, L>
where
    I: Service<Secret, Response: Into<Introspected>> + Clone,
    I::Error: Into<BoxError>,
    L: RevocationLog,
{
    /// Returns the outcome, and what is known of the token.
    async fn revoke<C: Identified>(
        self,
        request: RevocationRequest<C>,
        asked: &Asked,
        is_public: bool,
    ) -> Result<(Outcome, Option<Introspection>), BoxError> {
        let Self {
            introspect,
            mut recorder,
            ..
        } = self;
        let options = &asked.options;
        let RevocationRequest { client, token, .. } = request;
        // Whoever has a token is nobody in particular, and must not share a limit with all others.
        #[cfg(feature = "jwt")]
        let token = if options.is_by_possession() {
            token
        } else {
            token.asked_by(client.client_id())
        };
        let secret = token.clone();
        let introspected = introspect.clone().oneshot(token).await;
        let token = match introspected.map_err(Into::into)?.into() {
            Introspected::Token(token) => token,
            Introspected::Unhandled { exp, .. } => {
                return Ok((recorder.settings.unhandled(exp), None));
            }
            Introspected::Unrecognised(_) => return Ok((recorder.settings.unrecognised(), None)),
        };
        let iss = token.iss.as_deref();
        let is_owner = token.client_id == client.client_id() && client.is_client_of(iss);
        options.apply(is_public, &mut recorder);
        if let Some(outcome) = options.exclude(&token, is_owner) {
            return Ok((outcome, None));
        }
        let outcome = recorder.revoke(&token, Extent::Cascade).await?;
        if token.issued_with.is_none() || outcome != Outcome::Revoked {
            return Ok((outcome, Some(token)));
        }
        // Another token may have been issued before the record. From now on there is none.
        let again = introspect.oneshot(secret).await.map_err(Into::into)?;
        let outcome = recorder.revoke_later_tokens(&token, again.into()).await?;
        Ok((outcome, Some(token)))
    }

    /// Returns the records of an order, if its client has proved its identity.
    #[cfg(feature = "profiles")]
    fn ordered(
        &self,
        order: &ClientOrder,
        client: &impl Identified,
        is_public: bool,
    ) -> Result<OrderedRecords, Error> {
        if is_public {
            return Err(Error::refused(Refusal::MethodNotOffered));
        }
        let unsupported = || Error::invalid_request("Only a token can be named here");
        let orders = self.orders.as_ref().ok_or_else(unsupported)?;
        orders.records(order, client, self.recorder.settings.retention)
    }
}
