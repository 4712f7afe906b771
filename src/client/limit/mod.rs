//! Limits failed authentications.
//!
//! RFC 6749 §2.3.1 requires protection against guessed secrets wherever a client authenticates with
//! one. [`LimitFailuresLayer`] adds it to any authenticator. It is off unless you add it.

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

/// Returns 429 with `Retry-After` after too many failures, without calling the authenticator, even
/// if the secret is correct.
///
/// It counts failures by claimed client **and** address ([`ClientAddr`], or else [`PeerAddr`], in
/// the extensions of the request). It never counts by the client alone, so guesses from one address
/// cannot lock out a client at another address. An IPv6 address counts as its /64, and an
/// IPv4-mapped address as its IPv4 address.
///
/// * **A request without an address is not limited.** The first one is a warning (feature
///   `tracing`). Behind a proxy, insert the address that the proxy reports as [`ClientAddr`].
///   Otherwise all clients share one address, and too many failures there lock out all of them.
/// * Only failures count: a `None` from the authenticator, and an [`Error`](crate::Error) whose
///   kind is [`InvalidClient`](crate::ErrorKind::InvalidClient) or that has a
///   [`refusal`](crate::Error::refusal). Unknown results do not count. A success clears the
///   failures of this client at this address.
/// * An attempt counts as failed until its result is known, and if it is cancelled. So concurrent
///   guesses are as limited as sequential ones. If a client has more concurrent requests than the
///   limit, and the authenticator is slow, the excess requests get a `Retry-After` of one second.
/// * An address has one window. It begins with the first attempt. All counts of the address end
///   with it.
///
/// Memory is bounded:
///
/// * At most 100 clients of one address are counted at a time. Further clients of this address get
///   429 until the window ends. So an attacker cannot reset counts by claiming random clients.
/// * At most 100 000 counts of all addresses are kept, of about 200 bytes each. Then the address
///   with the oldest window is forgotten. This takes a thousand addresses, and a limit per address
///   does not stop an attacker who has that many.
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
/// Clones, and all services that they create, share their counts.
#[derive(Clone, Debug)]
pub struct LimitFailuresLayer {
    limits: Limits,
    failures: Arc<Failures>,
    #[cfg(feature = "tracing")]
    has_warned: Arc<AtomicBool>,
}

impl LimitFailuresLayer {
    /// Allows 10 failures within one minute.
    ///
    /// # Panics
    ///
    /// Panics if the operating system has no random numbers. Clients and addresses are stored as an
    /// HMAC under a random key of this process.
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

    /// Sets how many failures one client at one address may have before further attempts are
    /// refused, until the window ends. Defaults to 10.
    ///
    /// Keep it above the number of concurrent requests of one client.
    ///
    /// # Panics
    ///
    /// Panics if it is zero, because no client could authenticate.
    #[must_use]
    pub fn failures(mut self, failures: u32) -> Self {
        assert!(failures > 0, "the limit of failures is zero");
        self.limits.failures = failures;
        self
    }

    /// Sets how long failures count. Defaults to 1 min.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.limits.window = window;
        self
    }

    /// Sets how many clients of one address are counted at a time: clients that failed within the
    /// window, and clients with concurrent attempts. Defaults to 100. Raise it for a gateway whose
    /// many clients share one address.
    ///
    /// # Panics
    ///
    /// Panics if it is zero, because no client could authenticate.
    #[must_use]
    pub fn clients_per_peer(mut self, clients: usize) -> Self {
        assert!(clients > 0, "the limit of clients is zero");
        self.limits.clients_per_peer = clients;
        self
    }

    /// Sets how many counts of all addresses are kept. Defaults to 100 000.
    ///
    /// # Panics
    ///
    /// Panics if it is zero, because nothing could be counted.
    #[must_use]
    pub fn capacity(mut self, capacity: usize) -> Self {
        assert!(capacity > 0, "the capacity is zero");
        self.limits.capacity = capacity;
        self
    }

    /// Returns the attempt to count, or how long to wait. `None` if the request has no address.
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

    /// No response shows that a configured limit has no effect, so warn.
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
/// The client `C` and the future `F` follow from the authenticator `A`. To name the type, omit
/// them: `LimitFailures<MyAuthenticator>`.
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
            Ok(attempt) => LimitFuture::authenticating(self.inner.call(request), attempt),
            Err(retry_after) => LimitFuture::refused(retry_after),
        }
    }
}
