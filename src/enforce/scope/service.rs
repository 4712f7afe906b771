//! Does the token of a request have the required scopes?

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper::{Request, Response};
use pin_project_lite::pin_project;
use tower::Service;

use super::ScopeSettings;
use crate::{
    enforce::{
        bearer, observe,
        verdict::{Refused, Verdict},
    },
    introspect::{Introspection, TokenType},
};

/// The service that [`ScopeLayer`](super::ScopeLayer) makes.
///
/// It is as ready as the inner service. A refusal has the default body of the inner service, which
/// is empty for the usual types.
#[derive(Clone, Debug)]
pub struct ScopeService<S> {
    pub(super) inner: S,
    pub(super) settings: Arc<ScopeSettings>,
}

impl<S> ScopeService<S> {
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

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for ScopeService<S>
where
    ResBody: Default,
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ScopeFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let settings = &self.settings;
        let token = request.extensions().get::<Introspection>();
        let verdict = match token {
            Some(token) if settings.permits(token) => {
                return ScopeFuture::inner(self.inner.call(request));
            }
            Some(_) => Verdict::InsufficientScope,
            None => Verdict::Missing,
        };
        let refused = Refused::new(verdict);
        observe::scope_refused(&refused, token);
        let headers = request.headers();
        let response = settings.refusals.response(
            refused,
            settings.protocol(headers),
            bearer::scheme(headers).unwrap_or(TokenType::Bearer),
        );
        ScopeFuture::refused(response.map(|_| ResBody::default()))
    }
}

pin_project! {
    /// The response future of [`ScopeService`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ScopeFuture<F, B> {
        #[pin]
        state: State<F, B>,
    }
}

pin_project! {
    #[project = StateProj]
    #[derive(Debug)]
    enum State<F, B> {
        Inner { #[pin] future: F },
        Refused { response: Option<Response<B>> },
    }
}

impl<F, B> ScopeFuture<F, B> {
    fn inner(future: F) -> Self {
        Self {
            state: State::Inner { future },
        }
    }

    fn refused(response: Response<B>) -> Self {
        Self {
            state: State::Refused {
                response: Some(response),
            },
        }
    }
}

impl<F, B, E> Future for ScopeFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Inner { future } => future.poll(cx),
            StateProj::Refused { response } => {
                Poll::Ready(Ok(response.take().expect("polled after it was done")))
            }
        }
    }
}
