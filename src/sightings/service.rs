//! Notes the token of a request.

use std::task::{Context, Poll};

use hyper::Request;
use tower::Service;

use super::Sightings;
use crate::introspect::Introspection;

/// The service that [`SightingsLayer`](super::SightingsLayer) makes. It is as ready as the inner
/// service, and returns its response.
#[derive(Clone, Debug)]
pub struct SightingsService<S> {
    pub(super) inner: S,
    pub(super) sightings: Sightings,
}

impl<S> SightingsService<S> {
    /// Returns a reference to the inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns a mutable reference to the inner service.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the inner service.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, B> Service<Request<B>> for SightingsService<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let extensions = request.extensions();
        if let Some(token) = extensions.get::<Introspection>() {
            self.sightings.note(token, request.headers(), extensions);
        }
        self.inner.call(request)
    }
}
