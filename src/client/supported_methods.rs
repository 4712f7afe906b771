//! What an authenticator supports, for the metadata.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use tower::Service;

use super::AuthMethod;

/// What an authenticator supports, for the metadata of the endpoint (RFC 8414 §2).
///
/// `ClientAuthenticator`, the authenticator over registered clients, implements it. Implement it
/// for an authenticator of your own, or wrap that in [`WithSupportedMethods`].
pub trait SupportedMethods {
    /// Returns the methods that can succeed.
    fn auth_methods_supported(&self) -> Vec<AuthMethod>;

    /// Returns the JWS algorithms that an assertion may be signed with. Empty if no supported
    /// method uses assertions.
    fn signing_algs_supported(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Returns the issuer that assertions and attestations must be meant for, if there is one. The
    /// metadata must have the same issuer.
    fn expected_issuer(&self) -> Option<&str> {
        None
    }

    /// Returns the JWS algorithms of attestations, and those of their proofs of possession.
    fn attestation_algs_supported(&self) -> [Vec<&'static str>; 2] {
        [Vec::new(), Vec::new()]
    }
}

impl<T: SupportedMethods> SupportedMethods for &T {
    fn auth_methods_supported(&self) -> Vec<AuthMethod> {
        (**self).auth_methods_supported()
    }

    fn signing_algs_supported(&self) -> Vec<&'static str> {
        (**self).signing_algs_supported()
    }

    fn expected_issuer(&self) -> Option<&str> {
        (**self).expected_issuer()
    }

    fn attestation_algs_supported(&self) -> [Vec<&'static str>; 2] {
        (**self).attestation_algs_supported()
    }
}

impl<T: SupportedMethods> SupportedMethods for Arc<T> {
    fn auth_methods_supported(&self) -> Vec<AuthMethod> {
        (**self).auth_methods_supported()
    }

    fn signing_algs_supported(&self) -> Vec<&'static str> {
        (**self).signing_algs_supported()
    }

    fn expected_issuer(&self) -> Option<&str> {
        (**self).expected_issuer()
    }

    fn attestation_algs_supported(&self) -> [Vec<&'static str>; 2] {
        (**self).attestation_algs_supported()
    }
}

/// Wraps an authenticator that does not implement [`SupportedMethods`], and states what it
/// supports.
///
/// ```
/// use tower::{BoxError, service_fn};
/// use tower_revocation::client::{
///     AuthMethod, Credentials, SupportedMethods, WithSupportedMethods,
/// };
///
/// let authenticator = service_fn(async |request: hyper::Request<Credentials>| {
///     Ok::<_, BoxError>(match request.into_body() {
///         Credentials::ClientId { client_id } if client_id == "spa-1" => Some(client_id),
///         _ => None,
///     })
/// });
/// let authenticator = WithSupportedMethods::new(authenticator, [AuthMethod::None]);
/// assert_eq!(authenticator.auth_methods_supported(), [AuthMethod::None]);
/// ```
#[derive(Clone, Debug)]
pub struct WithSupportedMethods<A> {
    authenticator: A,
    methods: Vec<AuthMethod>,
    signing_algs: Vec<&'static str>,
    issuer: Option<Arc<str>>,
    attestation_algs: [Vec<&'static str>; 2],
}

impl<A> WithSupportedMethods<A> {
    /// States that `authenticator` supports these methods.
    #[must_use]
    pub fn new(authenticator: A, methods: impl IntoIterator<Item = AuthMethod>) -> Self {
        Self {
            authenticator,
            methods: methods.into_iter().collect(),
            signing_algs: Vec::new(),
            issuer: None,
            attestation_algs: Default::default(),
        }
    }

    /// Sets the JWS algorithms that assertions may be signed with. By default there are none.
    ///
    /// # Panics
    ///
    /// Panics if one of them is `none` (RFC 8414 §2).
    #[must_use]
    pub fn signing_algs(mut self, algorithms: impl IntoIterator<Item = &'static str>) -> Self {
        self.signing_algs = algorithms.into_iter().collect();
        assert_signed(&self.signing_algs);
        self
    }

    /// Sets the issuer that assertions and attestations must be meant for.
    ///
    /// By default there is none, and the metadata may have any issuer.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<Arc<str>>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Sets the JWS algorithms of attestations, and those of their proofs of possession. By default
    /// there are none.
    ///
    /// # Panics
    ///
    /// Panics if one of them is `none`.
    #[must_use]
    pub fn attestation_algs(
        mut self,
        attestations: impl IntoIterator<Item = &'static str>,
        proofs: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        self.attestation_algs = [
            attestations.into_iter().collect(),
            proofs.into_iter().collect(),
        ];
        self.attestation_algs
            .iter()
            .for_each(|algorithms| assert_signed(algorithms));
        self
    }
}

fn assert_signed(algorithms: &[&str]) {
    assert!(
        !algorithms.contains(&"none"),
        "`none` is not a signature algorithm"
    );
}

impl<A> SupportedMethods for WithSupportedMethods<A> {
    fn auth_methods_supported(&self) -> Vec<AuthMethod> {
        self.methods.clone()
    }

    fn signing_algs_supported(&self) -> Vec<&'static str> {
        self.signing_algs.clone()
    }

    fn expected_issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    fn attestation_algs_supported(&self) -> [Vec<&'static str>; 2] {
        self.attestation_algs.clone()
    }
}

impl<A: Service<R>, R> Service<R> for WithSupportedMethods<A> {
    type Response = A::Response;
    type Error = A::Error;
    type Future = A::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.authenticator.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.authenticator.call(request)
    }
}
