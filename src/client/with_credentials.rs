//! Clients whose credentials are kept, for a server that has to see them too.

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

/// A client, and the credentials that its request presented.
///
/// [`ForwardRevocation`](crate::revoke::ForwardRevocation) sends them to the server that it forwards to. It comes from
/// [`KeepCredentials`] or [`UnverifiedClients`]. It is not [`Identified`]: whether the credentials
/// are the client's is known only if it [was verified](Self::is_verified).
///
/// Its `Debug` output has no secret.
#[derive(Clone, Debug)]
pub struct WithCredentials<C> {
    client: C,
    is_verified: bool,
    credentials: Credentials,
    attestation: Vec<HeaderValue>,
    proof: Vec<HeaderValue>,
}

impl<C> WithCredentials<C> {
    /// The client.
    pub fn client(&self) -> &C {
        &self.client
    }

    /// The client, without the credentials.
    pub fn into_client(self) -> C {
        self.client
    }

    /// Whether an authenticator of this server has verified that the credentials are the client's.
    pub fn is_verified(&self) -> bool {
        self.is_verified
    }

    /// The credentials, as they were presented.
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
    /// Whether the client is the one with this identifier; or says that it is, if it was not
    /// verified.
    pub(crate) fn is(&self, client_id: &str) -> bool {
        if self.client.client_id() == client_id {
            return true;
        }
        // Only the other server knows which of the two readings it went by.
        match &self.credentials {
            Credentials::Basic(basic) if !self.is_verified => {
                basic.raw().is_some_and(|(id, _)| id == client_id)
            }
            _ => false,
        }
    }
}

/// What is kept of a request before an authenticator takes it.
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

/// An authenticator that also hands on the credentials which it has verified.
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
    /// Verifies by this authenticator.
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
        let kept = this.kept.take().expect("polled after it was done");
        Poll::Ready(Ok(client.map(|client| kept.with(client, true))))
    }
}

impl<F> fmt::Debug for KeepCredentialsFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeepCredentialsFuture")
            .finish_non_exhaustive()
    }
}

/// In the place of an authenticator where only another server knows the clients.
///
/// **It verifies nothing.** Every request that names a client is that client's, so it is good for
/// [`ForwardRevocation`](crate::revoke::ForwardRevocation) alone, which leaves the decision to the other server. A
/// request that names no client is refused.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnverifiedClients(());

impl UnverifiedClients {
    /// Takes every client for what it says that it is.
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
