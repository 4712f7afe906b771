//! Too many failures.
//!
//! RFC 6749 §2.3.1 asks for protection against guessed secrets wherever a client authenticates with
//! one. [`LimitFailuresLayer`] is that, around any authenticator. It is off unless you add it.

mod failures;
mod future;
#[cfg(test)]
mod tests;

#[cfg(feature = "tracing")]
use std::sync::atomic::{AtomicBool, Ordering};
use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use hyper::Request;
use tower::{BoxError, Service};
use tower_layer::Layer;

use super::{AuthMethod, Credentials, SupportedMethods, origin};
#[cfg(doc)]
use super::{ClientAddr, PeerAddr};
use crate::{ask::Ask, client::Authenticator};
use failures::{Failures, Limits};
use future::Attempt;
pub use future::LimitFuture;

/// Answers 429 with `Retry-After` where there have been too many failures, and does not ask the
/// authenticator, not even with the right secret.
///
/// Failures are counted by the client that is claimed **and** the address that it is claimed from
/// ([`ClientAddr`], or else [`PeerAddr`], in the request's extensions), never by the client alone:
/// nobody can lock a client out from elsewhere. An IPv6 address counts as its /64, an IPv4-mapped
/// one as what it maps.
///
/// * **A request without an address is not limited.** The first that this layer sees is a warning
///   (feature `tracing`). Behind a proxy, put the address that the proxy reports into
///   [`ClientAddr`]: else all your clients have one address, and whoever fails there too often
///   keeps them all out.
/// * Only failures count: the answer `None`, and an [`Error`](crate::Error) of the kind
///   [`InvalidClient`](crate::ErrorKind::InvalidClient), or with a
///   [`refusal`](crate::Error::refusal). That something could not be found out does not. A success
///   forgets the failures of that client at that address.
/// * An attempt counts as failed until its outcome is known, and if it is cancelled: guesses that
///   are made at once are no more than those made in turn. A client that has more requests than
///   that waiting for a slow authenticator at once is told to come back in a second.
/// * An address has one window, which begins with its first attempt and takes its counts with it
///   when it ends.
///
/// Memory is bounded. Of one address no more than a hundred clients are counted at once; beyond it,
/// clients that are not among them are answered 429 until the window ends. So naming clients at
/// random resets no count of that address. Of all addresses together there is room for 100 000
/// counts, of some 200 bytes; then the address whose window began first is forgotten. It takes a
/// thousand addresses to bring that about, and whoever has so many is not held back by a limit per
/// address anyway.
///
/// ```
/// use std::time::Duration;
/// use tower::Layer;
/// use tower_revocation::client::limit::LimitFailuresLayer;
/// # use hyper::Request;
/// # use tower::{BoxError, service_fn};
/// # use tower_revocation::client::Credentials;
/// # let authenticator = service_fn(async |_: Request<Credentials>| Ok::<_, BoxError>(Some(())));
///
/// let limit = LimitFailuresLayer::new().failures(5).window(Duration::from_secs(300));
/// // Both endpoints count together.
/// let for_tokens = limit.layer(authenticator.clone());
/// let for_revocations = limit.layer(authenticator);
/// ```
///
/// Clones, and all the services that they make, share their counts.
#[derive(Clone, Debug)]
pub struct LimitFailuresLayer {
    limits: Limits,
    failures: Arc<Failures>,
    #[cfg(feature = "tracing")]
    has_warned: Arc<AtomicBool>,
}

impl LimitFailuresLayer {
    /// Ten failures within a minute.
    ///
    /// # Panics
    ///
    /// If the operating system has no random numbers: what is kept of clients and addresses is
    /// their HMAC under a key of this process.
    #[must_use]
    pub fn new() -> Self {
        Self {
            limits: Limits {
                failures: 10,
                window: Duration::from_secs(60),
                clients_per_peer: 100,
                capacity: 100_000,
            },
            failures: Arc::new(Failures::new()),
            #[cfg(feature = "tracing")]
            has_warned: Arc::default(),
        }
    }

    /// After so many failures of one client at one address there is no other attempt until the
    /// window ends.
    ///
    /// Keep it above the number of requests that one client has under way at once.
    ///
    /// # Panics
    ///
    /// If it is zero: nobody could ever authenticate.
    #[must_use]
    pub fn failures(mut self, failures: u32) -> Self {
        assert!(failures > 0, "a limit of no failures admits nobody");
        self.limits.failures = failures;
        self
    }

    /// How long failures count.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.limits.window = window;
        self
    }

    /// So many clients of one address are counted at once: those that have failed within the
    /// window, and those whose attempts are under way. Raise it for a gateway whose many clients
    /// come from one address.
    ///
    /// # Panics
    ///
    /// If it is zero: nobody could ever authenticate.
    #[must_use]
    pub fn clients_per_peer(mut self, clients: usize) -> Self {
        assert!(clients > 0, "a limit of no clients admits nobody");
        self.limits.clients_per_peer = clients;
        self
    }

    /// Room for so many counts, of all addresses together.
    ///
    /// # Panics
    ///
    /// If it is zero: nothing could be counted.
    #[must_use]
    pub fn capacity(mut self, capacity: usize) -> Self {
        assert!(capacity > 0, "without room nothing can be counted");
        self.limits.capacity = capacity;
        self
    }

    /// The attempt to count, or how long to wait. None if it comes from nowhere.
    fn admit(&self, request: &Request<Credentials>) -> Result<Option<Attempt>, Duration> {
        let Some(peer) = origin(request.extensions()) else {
            #[cfg(feature = "tracing")]
            self.warn_once();
            return Ok(None);
        };
        let client_id = request.body().claimed_by(request.headers());
        let admitted =
            self.failures
                .admit(peer, client_id.as_deref(), self.limits, Instant::now())?;
        Ok(Some(Attempt::new(self.failures.clone(), admitted)))
    }

    /// Of a limit that was put there and does nothing, which no answer shows.
    #[cfg(feature = "tracing")]
    fn warn_once(&self) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                target: "tower_revocation",
                "failures are not limited: the request has neither a ClientAddr nor a PeerAddr"
            );
        }
    }
}

impl Default for LimitFailuresLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<A, C> Layer<A> for LimitFailuresLayer
where
    A: Service<Request<Credentials>, Response = Option<C>>,
    A::Error: Into<BoxError>,
{
    type Service = LimitFailures<A, C>;

    fn layer(&self, inner: A) -> Self::Service {
        LimitFailures {
            inner: Ask::new(inner),
            layer: self.clone(),
        }
    }
}

/// An authenticator behind a [`LimitFailuresLayer`].
///
/// The client `C` and the future `F` follow from the authenticator `A`. To name the type, leave
/// them out: `LimitFailures<MyAuthenticator>`.
pub struct LimitFailures<
    A,
    C = <<A as Service<Request<Credentials>>>::Response as IntoIterator>::Item,
    F = <A as Service<Request<Credentials>>>::Future,
> {
    inner: Authenticator<A, C, F>,
    layer: LimitFailuresLayer,
}

impl<A: Clone, C, F> Clone for LimitFailures<A, C, F> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: self.layer.clone(),
        }
    }
}

impl<A: fmt::Debug, C, F> fmt::Debug for LimitFailures<A, C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitFailures")
            .field("inner", &self.inner)
            .field("layer", &self.layer)
            .finish()
    }
}

impl<A: SupportedMethods, C, F> SupportedMethods for LimitFailures<A, C, F> {
    fn auth_methods_supported(&self) -> Vec<AuthMethod> {
        self.inner.service().auth_methods_supported()
    }

    fn signing_algs_supported(&self) -> Vec<&'static str> {
        self.inner.service().signing_algs_supported()
    }

    fn expected_issuer(&self) -> Option<&str> {
        self.inner.service().expected_issuer()
    }

    fn attestation_algs_supported(&self) -> [Vec<&'static str>; 2] {
        self.inner.service().attestation_algs_supported()
    }
}

impl<A, C, F> Service<Request<Credentials>> for LimitFailures<A, C, F> {
    type Response = Option<C>;
    type Error = BoxError;
    type Future = LimitFuture<F, C>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Credentials>) -> Self::Future {
        match self.layer.admit(&request) {
            Ok(attempt) => LimitFuture::asked(self.inner.call(request), attempt),
            Err(retry_after) => LimitFuture::refused(retry_after),
        }
    }
}
