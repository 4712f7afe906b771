//! The service of [`ProfileLayer`](super::ProfileLayer).

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::{Either, Full};
use hyper::{Request, Response, body::Body};
use pin_project_lite::pin_project;
use tower::{BoxError, Service};

use super::{Profile, ProfileLayer, exchange};

/// The service of [`ProfileLayer`](super::ProfileLayer).
///
/// It is ready when the inner service is, and calls the same instance that was polled.
pub struct ProfileService<S, P, E> {
    pub(super) inner: S,
    pub(super) layer: ProfileLayer<P, E>,
}

impl<S, P, E, B, ResBody> Service<Request<B>> for ProfileService<S, P, E>
where
    P: Profile,
    E: Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    E::Future: Send,
    S: Service<Request<B>, Response = Response<ResBody>>,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<Either<ResBody, Full<Bytes>>>;
    type Error = S::Error;
    type Future = ProfileFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let profile = &*self.layer.profile;
        let rest = self.layer.settings.rest(request.uri().path());
        let methods = rest.map_or(&[][..], |rest| profile.methods(rest));
        let state = match rest {
            Some(rest) if !methods.is_empty() && profile.is_call(request.headers()) => {
                let rest = rest.to_owned();
                State::Profile {
                    future: Box::pin(exchange::respond(
                        self.layer.clone(),
                        methods,
                        rest,
                        request,
                    )),
                }
            }
            _ => State::Inner {
                future: self.inner.call(request),
            },
        };
        ProfileFuture { state }
    }
}

pin_project! {
    /// The response future of [`ProfileService`].
    #[must_use = "futures do nothing unless polled"]
    pub struct ProfileFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F> {
        Inner { #[pin] future: F },
        Profile { future: BoxFuture<'static, Response<Full<Bytes>>> },
    }
}

impl<F, ResBody, Error> Future for ProfileFuture<F>
where
    F: Future<Output = Result<Response<ResBody>, Error>>,
{
    type Output = Result<Response<Either<ResBody, Full<Bytes>>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match self.project().state.project() {
            StateProj::Inner { future } => {
                ready!(future.poll(cx)).map(|response| response.map(Either::Left))
            }
            StateProj::Profile { future } => {
                let response = ready!(future.as_mut().poll(cx));
                Ok(response.map(Either::Right))
            }
        })
    }
}

impl<S: Clone, P, E: Clone> Clone for ProfileService<S, P, E> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: self.layer.clone(),
        }
    }
}

impl<S: fmt::Debug, P, E> fmt::Debug for ProfileService<S, P, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileService")
            .field("inner", &self.inner)
            .field("layer", &self.layer)
            .finish()
    }
}

impl<F> fmt::Debug for ProfileFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileFuture").finish_non_exhaustive()
    }
}
