//! Another server revokes the token, and what it has revoked is recorded here.

mod audience;
mod error;
mod forwarding;
mod place;
mod server;
mod turn;

use std::{
    fmt,
    task::{Context, Poll},
    time::Duration,
};

use futures::{channel::oneshot, future::BoxFuture};
use tower::{BoxError, Service, ServiceExt as _, util::BoxCloneSyncService};

pub use self::error::{ForwardError, ForwardErrorKind};
use self::{
    forwarding::{Answer, Forwarding, Known},
    place::Places,
    server::Server,
    turn::Turns,
};
use super::{RecordRevocation, recorder::Recorder};
use crate::{
    client::{Identified, WithCredentials},
    introspect::Introspected,
    log::RevocationLog,
    outbound::{parse_operator_uri, parse_roots},
    token::{Outcome, RevocationRequest, Secret},
};

/// A backend for a server that has a revocation endpoint of its own: the revocation is forwarded
/// there with the client's own credentials, and recorded here.
///
/// 1. The token is **introspected**: afterwards an introspection endpoint knows nothing of it.
/// 2. The request is **forwarded**, once, with the credentials that the client has presented,
///    byte for byte.
/// 3. What falls is **recorded**, by the [`RecordRevocation`] that this backend is made of.
/// 4. The client is **answered**.
///
/// | what the other server answers | what the client hears | what is recorded |
/// |---|---|---|
/// | 200 or 204 | 200 | the token, and what falls with it |
/// | 400, 401 or 403 with a code of RFC 6749 §5.2 or RFC 7009 §2.2.1 | the same code | nothing |
/// | 400 with another code, 401 with another or none | `invalid_request`, `invalid_client` | nothing |
/// | 429, 5xx, another status, a redirect, nothing within the [time-out](Self::timeout) | 503 with `Retry-After` | nothing |
///
/// Nothing is forwarded while the log cannot be written, or while the client has used up its
/// [quota](RecordRevocation::quota): that is 503. If the record fails all the same after the other server has
/// revoked, the client hears 503, and the record is tried until it is durable, for at most an hour.
/// Meanwhile another revocation of the same token waits. All of this goes on if the client goes
/// away. **It ends with the process**: a token that an introspection no longer knows after a crash
/// is `unlinked`.
///
/// # Whose token it is
///
/// Some servers answer 200 for the token of another client, so 200 proves no ownership. Beyond the
/// token that was presented, what falls with it is recorded only if the client was authenticated
/// here ([`KeepCredentials`](crate::client::KeepCredentials)), or if a second introspection
/// ([`confirm_by`](Self::confirm_by)) says that the token is dead. A token that the introspection
/// knows to be another client's is [`Outcome::IssuedToAnother`].
///
/// Where the introspection does not know the token, such as an opaque refresh token before an
/// introspection of JWTs, the other server's answer stands and **nothing is recorded here**: access
/// tokens of the same grant are accepted until they expire, unless their introspection says
/// otherwise. The counter `tower_revocation_forwarded_total` says so by its label `result`:
///
/// * `recorded`, `token_only`: the cascade, or the presented token alone, is recorded.
/// * `unlinked`: nothing is known of the token. `unnamed`: nothing names it, such as a JWT without a
///   `jti`. Both are 200, and nothing is recorded.
/// * `already_revoked`, `expired`: nothing is left to be recorded.
/// * `not_effective`: the other server has answered success, and the token is still active. The
///   client hears 503.
/// * `refused`, `failed`: the other server has answered an error, or nothing.
/// * `lost`: the record could not be made durable within an hour. It is also an event of the level
///   `ERROR`.
///
/// # Credentials
///
/// Those in the Authorization field, in the body and in the fields of an attestation are
/// forwarded. An assertion whose `aud` is not [for the other server](Self::audiences), and an
/// attestation whose proof is not, are refused as `invalid_client`: it could not accept them.
/// Client certificates cannot be forwarded. The other server sees the address of this one: its own
/// limits of failures count all clients as one, so put a
/// `LimitFailuresLayer` around an authenticator that verifies here.
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
/// let tokens = Upstream::new("https://as.example.com/oauth2/introspect")?
///     .basic("gateway", &Secret::new("7Fjfp0ZBr1KtDRbnfVdmIw"));
/// let record = RecordRevocation::new(tokens.clone(), MemoryLog::new());
/// let backend = ForwardRevocation::new("https://as.example.com/oauth2/revoke", record)?
///     .audiences(["https://as.example.com"])
///     .confirm_by(tokens.cache(std::time::Duration::ZERO, 0));
/// let layer = RevocationLayer::new("/oauth2/revoke", UnverifiedClients::new(), backend);
/// # Ok(())
/// # }
/// ```
///
/// # Panics
///
/// Outside a tokio runtime with its time driver.
#[derive(Clone)]
#[must_use = "a backend does nothing until it is called"]
pub struct ForwardRevocation<I, L> {
    server: Server,
    introspect: I,
    recorder: Recorder<L>,
    confirm_by: Option<ConfirmBy>,
    turns: Turns,
    places: Places,
}

type ConfirmBy = BoxCloneSyncService<Secret, Introspected, BoxError>;

impl<I, L> ForwardRevocation<I, L> {
    /// Forwards to the revocation endpoint at this URI, and records with this backend. The URI is
    /// `https`, or `http` on this machine (`localhost`, `127.0.0.1`, `[::1]`).
    ///
    /// It trusts the system's root certificates. It uses no proxy and follows no redirect.
    ///
    /// # Errors
    ///
    /// If the URI is neither, or has userinfo or a fragment.
    pub fn new(uri: &str, record: RecordRevocation<I, L>) -> Result<Self, ForwardError> {
        Self::at(uri, record, false)
    }

    /// Forwards to `http` URIs of other machines too. **Every token and every secret can then be
    /// read on the way**: use it only where the network itself is encrypted.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
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
            turns: Turns::default(),
            places: Places::new(256),
        })
    }

    /// Sets what assertions and attestation proofs for the other server have as `aud`: its issuer,
    /// or the URL of an endpoint. Defaults to the URI that is forwarded to.
    ///
    /// **Compared byte for byte, without normalisation.** One that names none of these is refused
    /// here and not forwarded.
    pub fn audiences<A>(mut self, audiences: A) -> Self
    where
        A: IntoIterator<Item: Into<String>>,
    {
        self.server.audiences = audiences.into_iter().map(Into::into).collect();
        self
    }

    /// Asks this introspection about a token once the other server has answered success, if the
    /// client was not authenticated here. If it no longer knows the token, what falls with the
    /// token is recorded too.
    ///
    /// It has to see the effect at once: an `Upstream` without a cache, and never an introspection
    /// that only verifies signatures.
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

    /// Limits how long the other server may take, from the lookup of its name to the last byte of
    /// its answer. Defaults to 5 s.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.server = self
            .server
            .with_connection(|connection| connection.timeout = limit);
        self
    }

    /// Limits how many revocations are under way to the other server at once, also those whose
    /// client has gone. Beyond it the client hears 503 with `Retry-After`, and nothing is forwarded.
    /// Defaults to 256.
    ///
    /// # Panics
    ///
    /// If it is zero.
    pub fn concurrency(mut self, revocations: usize) -> Self {
        self.places = Places::new(revocations);
        self
    }

    /// Trusts these certificates, in PEM, instead of the system's.
    ///
    /// # Errors
    ///
    /// If there is none, or one that cannot be read.
    pub fn trusted_ca(mut self, pem: &[u8]) -> Result<Self, ForwardError> {
        let roots = parse_roots(pem)?;
        self.server = self
            .server
            .with_connection(|connection| connection.roots = Some(roots));
        Ok(self)
    }
}

impl<C, I, L> Service<RevocationRequest<WithCredentials<C>>> for ForwardRevocation<I, L>
where
    C: Identified + Send + Sync + 'static,
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

    fn call(&mut self, request: RevocationRequest<WithCredentials<C>>) -> Self::Future {
        let forward = self.clone();
        Box::pin(async move {
            match forward.prepare(request).await? {
                Prepared::Answered(outcome) => Ok(outcome),
                Prepared::Forwarding(forwarding, answered) => {
                    // What the other server revokes is recorded, whoever still waits for it.
                    tokio::spawn(forwarding.run());
                    answered.await?
                }
            }
        })
    }
}

/// What comes of a request before it is forwarded.
enum Prepared<C, L> {
    Answered(Outcome),
    Forwarding(
        Box<Forwarding<C, L>>,
        oneshot::Receiver<Result<Outcome, BoxError>>,
    ),
}

impl<I, L> ForwardRevocation<I, L>
where
    I: Service<Secret, Response: Into<Introspected>>,
    I::Error: Into<BoxError>,
    L: RevocationLog,
{
    async fn prepare<C: Identified>(
        self,
        request: RevocationRequest<WithCredentials<C>>,
    ) -> Result<Prepared<C, L>, BoxError> {
        let RevocationRequest {
            client,
            token,
            hint,
        } = request;
        self.server.admit(&client)?;
        let turn = self.turns.wait(&token).await;
        // What could not be recorded afterwards is not forwarded.
        self.recorder.is_ready()?;
        let mut asked = token.clone();
        if client.is_verified() {
            asked = asked.asked_by(client.client().client_id());
        }
        let introspected = self.introspect.oneshot(asked).await;
        let known = match introspected.map_err(Into::into)?.into().into_token() {
            None => Known::Nothing,
            Some(known) if client.is(&known.client_id) => Known::Ours(known),
            // A client that nobody has authenticated yet learns nothing about a token.
            Some(_) if client.is_verified() => {
                return Ok(Prepared::Answered(Outcome::IssuedToAnother));
            }
            Some(_) => Known::Foreign,
        };
        if let Known::Ours(known) = &known {
            self.recorder.has_room(known)?;
        }
        let place = self.places.take()?;
        let (answer, answered) = Answer::new();
        let forwarding = Forwarding {
            server: self.server,
            recorder: self.recorder,
            confirm_by: self.confirm_by,
            client,
            token,
            hint,
            known,
            answer,
            _turn: turn,
            _place: place,
        };
        Ok(Prepared::Forwarding(Box::new(forwarding), answered))
    }
}

impl<I, L> fmt::Debug for ForwardRevocation<I, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwardRevocation")
            .field("host", &self.server.uri.host())
            .finish_non_exhaustive()
    }
}
