//! A backend that forwards revocations to another server, and records what that server has revoked.

mod audience;
mod error;
mod forwarding;
mod response;
mod server;
mod service;
mod slot;
mod token_lock;

use std::{fmt, sync::Arc, time::Duration};

use tower::{BoxError, Service, ServiceExt as _, util::BoxCloneSyncService};

pub use self::error::{ForwardError, ForwardErrorKind};
use self::{server::Server, slot::Slots, token_lock::TokenLocks};
use super::{RecordRevocation, recorder::Recorder};
use crate::{
    introspect::Introspected,
    outbound::{parse_operator_uri, parse_roots},
    token::Secret,
};

/// A backend that forwards the revocation to another server's revocation endpoint, with the
/// client's own credentials, and records it here.
///
/// 1. It **introspects** the token, because an introspection endpoint may not know the token after
///    its revocation.
/// 2. It **forwards** the request once, with the credentials that the client has sent, byte for
///    byte.
/// 3. It **records** the revocation, with the cascades of the [`RecordRevocation`] that it is made
///    from.
/// 4. It **responds** to the client.
///
/// | response of the other server | response to the client | what is recorded |
/// |---|---|---|
/// | 200 or 204 | 200 | the token, and what is revoked with it |
/// | 400, 401 or 403 with a code of RFC 6749 §5.2 or RFC 7009 §2.2.1 | the same code | nothing |
/// | 400 with another code, 401 with another or none | `invalid_request`, `invalid_client` | nothing |
/// | 429, 5xx, another status, a redirect, nothing within the [time limit](Self::timeout) | 503 with `Retry-After` | nothing |
///
/// It forwards nothing while the log cannot be written, or if the client has used up its
/// [quota](RecordRevocation::quota): the client gets 503. If the record fails after the other
/// server has revoked the token, the client gets 503, and the record is tried again until it is
/// durable, for at most an hour. In that time, other revocations of the same token wait. All of
/// this continues if the client disconnects. **It ends with the process**: after a crash, a token
/// that its introspection no longer knows is `unlinked`.
///
/// # Whose token it is
///
/// Some servers respond with 200 for the token of another client, so 200 does not prove ownership.
/// What is revoked with the presented token is therefore recorded only if the client was
/// authenticated here ([`KeepCredentials`](crate::client::KeepCredentials)), or if a second
/// introspection ([`confirm_by`](Self::confirm_by)) says that the token is dead. A token that
/// belongs to another client according to the introspection is [`Outcome::IssuedToAnother`].
///
/// If the introspection does not know the token, the client gets the response of the other server,
/// and **nothing is recorded here**. An example is an opaque refresh token with an introspection of
/// JWTs. Access tokens of the same grant are then accepted until they expire, unless their
/// introspection says otherwise. The label `result` of the counter
/// `tower_revocation_forwarded_total` shows it:
///
/// * `recorded`, `token_only`: the cascade, or only the presented token, was recorded.
/// * `unlinked`: the introspection does not know the token. `unnamed`: no selector names the token,
///   such as a JWT without a `jti`. Both are 200, and nothing is recorded.
/// * `already_revoked`, `expired`: there was nothing left to record.
/// * `not_effective`: the other server has responded with success, but the token is still active.
///   The client gets 503.
/// * `refused`, `failed`: the other server has responded with an error, or not at all.
/// * `lost`: the record could not be made durable within an hour. It is also an event of level
///   `ERROR`.
///
/// # Credentials
///
/// It forwards credentials in the Authorization field, in the body and in the fields of an
/// attestation. It refuses an assertion whose `aud` is not [for the other server](Self::audiences),
/// and an attestation whose proof is not, as `invalid_client`, because the other server could not
/// accept them. Client certificates cannot be forwarded.
///
/// The other server sees the address of this one, so its own limits of failed attempts count all
/// clients as one. Put a `LimitFailuresLayer` around an authenticator that verifies here.
///
/// [`Outcome::IssuedToAnother`]: crate::Outcome::IssuedToAnother
///
/// ```
/// use tower::service_fn;
/// use tower_revocation::{
///     RevocationLayer, Secret,
///     client::UnverifiedClients,
///     introspect::upstream::Upstream,
///     log::MemoryLog,
///     revoke::{ForwardRevocation, RecordRevocation},
/// };
///
/// # fn main() -> Result<(), tower::BoxError> {
/// let tokens = Upstream::builder("https://as.example.com/oauth2/introspect")
///     .basic("gateway", &Secret::new("7Fjfp0ZBr1KtDRbnfVdmIw"));
/// let record = RecordRevocation::new(tokens.clone().build()?, MemoryLog::new());
/// let backend = ForwardRevocation::new("https://as.example.com/oauth2/revoke", record)?
///     .audiences(["https://as.example.com"])
///     .confirm_by(tokens.cache(std::time::Duration::ZERO, 0).build()?);
/// let layer = RevocationLayer::new("/oauth2/revoke", UnverifiedClients::new(), backend);
/// # Ok(())
/// # }
/// ```
///
/// # Panics
///
/// Panics outside a tokio runtime with its time driver.
#[derive(Clone)]
#[must_use = "a backend does nothing until it is called"]
pub struct ForwardRevocation<I, L> {
    server: Server,
    introspect: I,
    recorder: Recorder<L>,
    confirm_by: Option<ConfirmBy>,
    confirmed_issuers: Option<Arc<[String]>>,
    locks: TokenLocks,
    slots: Slots,
}

type ConfirmBy = BoxCloneSyncService<Secret, Introspected, BoxError>;

impl<I, L> ForwardRevocation<I, L> {
    /// Forwards to the revocation endpoint at `uri`, and records as `record` does. The URI must be
    /// `https`, or `http` on this machine (`localhost`, `127.0.0.1`, `[::1]`).
    ///
    /// It trusts the system's root certificates. It uses no proxy and follows no redirect.
    ///
    /// # Errors
    ///
    /// Fails if the URI is neither, or has userinfo or a fragment.
    pub fn new(uri: &str, record: RecordRevocation<I, L>) -> Result<Self, ForwardError> {
        Self::at(uri, record, false)
    }

    /// As [`new`](Self::new), and also accepts `http` URIs of other machines. **Anyone on the
    /// network path can then read every token and every secret**: use it only where the network
    /// itself is encrypted.
    ///
    /// # Errors
    ///
    /// Fails as [`new`](Self::new) does.
    pub fn plain_http(uri: &str, record: RecordRevocation<I, L>) -> Result<Self, ForwardError> {
        Self::at(uri, record, true)
    }

    fn at(
        uri: &str,
        record: RecordRevocation<I, L>,
        allow_plain: bool,
    ) -> Result<Self, ForwardError> {
        let uri = parse_operator_uri(uri, allow_plain).map_err(ForwardError::new)?;
        Ok(Self {
            server: Server::new(uri),
            introspect: record.introspect,
            recorder: record.recorder,
            confirm_by: None,
            confirmed_issuers: None,
            locks: TokenLocks::default(),
            slots: Slots::new(256),
        })
    }

    /// Sets the values of `aud` in assertions and attestation proofs for the other server: its
    /// issuer, or the URL of an endpoint. Defaults to the URI of its revocation endpoint.
    ///
    /// **Compared byte for byte, without normalisation.** An assertion or a proof without any of
    /// these values is refused here and not forwarded.
    pub fn audiences<A>(mut self, audiences: A) -> Self
    where
        A: IntoIterator<Item: Into<String>>,
    {
        self.server.audiences = audiences.into_iter().map(Into::into).collect();
        self
    }

    /// Introspects a token again after the other server has responded with success, if the client
    /// was not authenticated here. If the second introspection does not know the token, or says
    /// that it is dead, what is revoked with the token is recorded too. Defaults to no second
    /// introspection.
    ///
    /// The introspection must see a revocation immediately: use an `Upstream` without a cache, and
    /// never an introspection that only verifies signatures.
    pub fn confirm_by<S>(mut self, introspect: S) -> Self
    where
        S: Service<Secret, Response: Into<Introspected>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
    {
        let introspect = introspect.map_response(Into::into).map_err(Into::into);
        self.confirm_by = Some(BoxCloneSyncService::new(introspect));
        self
    }

    /// Confirms only the tokens of these issuers (`iss`, byte for byte). Defaults to all tokens.
    ///
    /// Use it if [`confirm_by`](Self::confirm_by) knows the tokens of some issuers only: that it does
    /// not know a token of another one says nothing. Of such a token, or of one without an `iss`,
    /// only the token itself is recorded if the client was not authenticated here.
    ///
    /// ```
    /// # fn main() -> Result<(), tower::BoxError> {
    /// # use tower_revocation::{
    /// #     introspect::{ByIssuer, upstream::Upstream},
    /// #     log::MemoryLog,
    /// #     revoke::{ForwardRevocation, RecordRevocation},
    /// # };
    /// # let tokens = ByIssuer::<Upstream>::new();
    /// # let record = RecordRevocation::new(tokens, MemoryLog::new());
    /// let shop = Upstream::builder("https://shop.example.com/oauth2/introspect");
    /// let backend = ForwardRevocation::new("https://shop.example.com/oauth2/revoke", record)?
    ///     .confirm_by(shop.cache(std::time::Duration::ZERO, 0).build()?)
    ///     .confirm_tokens_of(["https://shop.example.com"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn confirm_tokens_of<A>(mut self, issuers: A) -> Self
    where
        A: IntoIterator<Item: Into<String>>,
    {
        self.confirmed_issuers = Some(issuers.into_iter().map(Into::into).collect());
        self
    }

    /// Limits the time for the other server, from the lookup of its name to the last byte of its
    /// response. Defaults to 5 s.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.server = self
            .server
            .with_connection(|connection| connection.timeout = limit);
        self
    }

    /// Limits how many revocations are forwarded at the same time, including those whose client has
    /// disconnected. Beyond the limit the client gets 503 with `Retry-After`, and nothing is
    /// forwarded. Defaults to 256.
    ///
    /// # Panics
    ///
    /// Panics if `revocations` is zero.
    pub fn concurrency(mut self, revocations: usize) -> Self {
        self.slots = Slots::new(revocations);
        self
    }

    /// Trusts these certificates in PEM instead of the system's.
    ///
    /// # Errors
    ///
    /// Fails if there is no certificate, or one that cannot be read.
    pub fn trusted_ca(mut self, pem: &[u8]) -> Result<Self, ForwardError> {
        let roots = parse_roots(pem)?;
        self.server = self
            .server
            .with_connection(|connection| connection.roots = Some(roots));
        Ok(self)
    }
}

impl<I, L> fmt::Debug for ForwardRevocation<I, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwardRevocation")
            .field("host", &self.server.uri.host())
            .finish_non_exhaustive()
    }
}
