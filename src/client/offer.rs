//! What an authenticator offers.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use tower::Service;

use super::AuthMethod;

/// What an authenticator verifies, for the metadata of the endpoint (RFC 8414 §2).
///
/// The `ClientAuthenticator` over registered clients says it of itself. An authenticator of your own
/// says it too, or is given to [`Offering`], which says it for one that cannot.
pub trait Offer {
    /// The methods that could succeed.
    fn auth_methods(&self) -> Vec<AuthMethod>;

    /// The JWS algorithms that an assertion may be signed with. None without a method that has
    /// assertions.
    fn signing_algs(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// The issuer that assertions and attestations have to be for, if there is one. The metadata say
    /// the same one.
    fn issuer(&self) -> Option<&str> {
        None
    }

    /// The JWS algorithms of attestations, and those of their proofs of possession.
    fn attestation_algs(&self) -> [Vec<&'static str>; 2] {
        [Vec::new(), Vec::new()]
    }
}

impl<T: Offer> Offer for &T {
    fn auth_methods(&self) -> Vec<AuthMethod> {
        (**self).auth_methods()
    }

    fn signing_algs(&self) -> Vec<&'static str> {
        (**self).signing_algs()
    }

    fn issuer(&self) -> Option<&str> {
        (**self).issuer()
    }

    fn attestation_algs(&self) -> [Vec<&'static str>; 2] {
        (**self).attestation_algs()
    }
}

impl<T: Offer> Offer for Arc<T> {
    fn auth_methods(&self) -> Vec<AuthMethod> {
        (**self).auth_methods()
    }

    fn signing_algs(&self) -> Vec<&'static str> {
        (**self).signing_algs()
    }

    fn issuer(&self) -> Option<&str> {
        (**self).issuer()
    }

    fn attestation_algs(&self) -> [Vec<&'static str>; 2] {
        (**self).attestation_algs()
    }
}

/// An authenticator, and what it offers, for one that cannot say it itself.
///
/// ```
/// use tower::{BoxError, service_fn};
/// use tower_revocation::client::{AuthMethod, Credentials, Offer, Offering};
///
/// let authenticator = service_fn(async |request: hyper::Request<Credentials>| {
///     Ok::<_, BoxError>(match request.into_body() {
///         Credentials::ClientId { client_id } if client_id == "spa-1" => Some(client_id),
///         _ => None,
///     })
/// });
/// let authenticator = Offering::new(authenticator, [AuthMethod::None]);
/// assert_eq!(authenticator.auth_methods(), [AuthMethod::None]);
/// ```
#[derive(Clone, Debug)]
pub struct Offering<A> {
    authenticator: A,
    methods: Vec<AuthMethod>,
    signing_algs: Vec<&'static str>,
    issuer: Option<Arc<str>>,
    attestation_algs: [Vec<&'static str>; 2],
}

impl<A> Offering<A> {
    /// Says that `authenticator` verifies these methods.
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

    /// The JWS algorithms that assertions may be signed with.
    ///
    /// # Panics
    ///
    /// If `none` is among them (RFC 8414 §2).
    #[must_use]
    pub fn signing_algs(mut self, algorithms: impl IntoIterator<Item = &'static str>) -> Self {
        self.signing_algs = algorithms.into_iter().collect();
        assert!(
            !self.signing_algs.contains(&"none"),
            "an assertion that nobody has signed proves nothing"
        );
        self
    }

    /// The issuer that assertions and attestations have to be for. None is said, unless this is
    /// called, and metadata of any issuer are served.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<Arc<str>>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// The JWS algorithms that attestations may be signed with, and those of their proofs of
    /// possession.
    ///
    /// # Panics
    ///
    /// If `none` is among them.
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
        assert!(
            !self
                .attestation_algs
                .iter()
                .flatten()
                .any(|it| *it == "none"),
            "an attestation that nobody has signed proves nothing"
        );
        self
    }
}

impl<A> Offer for Offering<A> {
    fn auth_methods(&self) -> Vec<AuthMethod> {
        self.methods.clone()
    }

    fn signing_algs(&self) -> Vec<&'static str> {
        self.signing_algs.clone()
    }

    fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    fn attestation_algs(&self) -> [Vec<&'static str>; 2] {
        self.attestation_algs.clone()
    }
}

impl<A: Service<R>, R> Service<R> for Offering<A> {
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
