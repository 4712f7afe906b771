//! Authenticators that keep the credentials, for a backend that forwards them.

use std::{
    convert::Infallible,
    fmt,
    future::{Future, Ready, ready},
    pin::Pin,
    task::{Context, Poll, ready},
};

use hyper::{HeaderMap, Request, header::HeaderValue};
use pin_project_lite::pin_project;
use tower::Service;

use super::{AuthMethod, Credentials, Identified, SupportedMethods};

/// A client, and the credentials in its request.
///
/// [`ForwardRevocation`](crate::revoke::ForwardRevocation) sends these credentials to another
/// server. [`KeepCredentials`] and [`UnverifiedClients`] create it.
///
/// It does not implement [`Identified`], because the credentials may be
/// [unverified](Self::is_verified). Its `Debug` output has no secret.
#[derive(Clone, Debug)]
pub struct WithCredentials<C> {
    client: C,
    is_verified: bool,
    credentials: Credentials,
    attestation: Vec<HeaderValue>,
    proof: Vec<HeaderValue>,
}

impl<C> WithCredentials<C> {
    /// Returns the client.
    pub fn client(&self) -> &C {
        &self.client
    }

    /// Returns the client without the credentials.
    pub fn into_client(self) -> C {
        self.client
    }

    /// Returns whether an authenticator of this server has verified that the credentials belong to
    /// the client.
    pub fn is_verified(&self) -> bool {
        self.is_verified
    }

    /// Returns the credentials as they were presented.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The fields of an attestation, byte for byte: `OAuth-Client-Attestation` and
    /// `OAuth-Client-Attestation-PoP`.
    pub(crate) fn attestation(&self) -> [&[HeaderValue]; 2] {
        [&self.attestation, &self.proof]
    }
}

impl<C: Identified> WithCredentials<C> {
    /// Whether this is the client with this identifier at this issuer. An unverified client only
    /// claims it.
    pub(crate) fn is(&self, client_id: &str, iss: Option<&str>) -> bool {
        if !self.client.is_client_of(iss) {
            return false;
        }
        if self.client.client_id() == client_id {
            return true;
        }
        // Only the other server knows which of the two readings it accepted.
        match &self.credentials {
            Credentials::Basic(basic) if !self.is_verified => {
                basic.raw().is_some_and(|(id, _)| id == client_id)
            }
            _ => false,
        }
    }
}

/// The parts of a request that are kept before an authenticator consumes it.
#[derive(Debug)]
struct Kept {
    credentials: Credentials,
    attestation: Vec<HeaderValue>,
    proof: Vec<HeaderValue>,
}

impl Kept {
    fn of(request: &Request<Credentials>) -> Self {
        let fields = |headers: &HeaderMap, name| headers.get_all(name).iter().cloned().collect();
        let headers = request.headers();
        Self {
            credentials: request.body().clone(),
            attestation: fields(headers, Credentials::ATTESTATION),
            proof: fields(headers, Credentials::ATTESTATION_POP),
        }
    }

    fn with<C>(self, client: C, is_verified: bool) -> WithCredentials<C> {
        let Self {
            credentials,
            attestation,
            proof,
        } = self;
        WithCredentials {
            client,
            is_verified,
            credentials,
            attestation,
            proof,
        }
    }
}

/// Wraps an authenticator, and keeps the credentials that it has verified.
///
/// ```
/// use tower_revocation::client::{
///     KeepCredentials,
///     registry::{ClientAuthenticator, Registry},
/// };
///
/// let clients = ClientAuthenticator::new(Registry::default());
/// let authenticator = KeepCredentials::new(clients);
/// ```
#[derive(Clone, Debug)]
pub struct KeepCredentials<A> {
    authenticator: A,
}

impl<A> KeepCredentials<A> {
    /// Wraps an authenticator.
    pub fn new(authenticator: A) -> Self {
        Self { authenticator }
    }
}

impl<A, C> Service<Request<Credentials>> for KeepCredentials<A>
where
    A: Service<Request<Credentials>, Response = Option<C>>,
{
    type Response = Option<WithCredentials<C>>;
    type Error = A::Error;
    type Future = KeepCredentialsFuture<A::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.authenticator.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Credentials>) -> Self::Future {
        let kept = Some(Kept::of(&request));
        KeepCredentialsFuture {
            verifying: self.authenticator.call(request),
            kept,
        }
    }
}

impl<A: SupportedMethods> SupportedMethods for KeepCredentials<A> {
    fn auth_methods_supported(&self) -> Vec<AuthMethod> {
        self.authenticator.auth_methods_supported()
    }

    fn signing_algs_supported(&self) -> Vec<&'static str> {
        self.authenticator.signing_algs_supported()
    }

    fn expected_issuer(&self) -> Option<&str> {
        self.authenticator.expected_issuer()
    }

    fn attestation_algs_supported(&self) -> [Vec<&'static str>; 2] {
        self.authenticator.attestation_algs_supported()
    }
}

pin_project! {
    /// The response future of [`KeepCredentials`].
    #[must_use = "futures do nothing unless polled"]
    pub struct KeepCredentialsFuture<F> {
        #[pin]
        verifying: F,
        kept: Option<Kept>,
    }
}

impl<F, C, E> Future for KeepCredentialsFuture<F>
where
    F: Future<Output = Result<Option<C>, E>>,
{
    type Output = Result<Option<WithCredentials<C>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let client = ready!(this.verifying.poll(cx))?;
        let kept = this.kept.take().expect("polled after completion");
        Poll::Ready(Ok(client.map(|client| kept.with(client, true))))
    }
}

impl<F> fmt::Debug for KeepCredentialsFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeepCredentialsFuture")
            .finish_non_exhaustive()
    }
}

/// An authenticator for deployments where only another server knows the clients.
///
/// **It verifies nothing.** It accepts every claimed client identifier, so use it only with
/// [`ForwardRevocation`](crate::revoke::ForwardRevocation), which leaves the decision to the other
/// server. It refuses requests without a client identifier.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnverifiedClients(());

impl UnverifiedClients {
    /// Creates the authenticator.
    #[must_use]
    pub fn new() -> Self {
        Self(())
    }
}

impl Service<Request<Credentials>> for UnverifiedClients {
    type Response = Option<WithCredentials<String>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Credentials>) -> Self::Future {
        let claimed = request.body().claimed_client_id();
        let claimed = claimed.map(std::borrow::Cow::into_owned);
        ready(Ok(
            claimed.map(|client_id| Kept::of(&request).with(client_id, false))
        ))
    }
}
