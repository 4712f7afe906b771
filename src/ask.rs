//! How to ask a service once nothing is known of it but its type.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tower::{BoxError, Service};

/// A service together with the functions that ask it, which were chosen where its types were known.
///
/// It is a service itself, without a bound on anything. That is what lets people spawn it: to prove
/// that an `async` block is `Send`, the compiler replaces each lifetime in the types that the block
/// holds by one of its own, `'static` included. A bound on our `impl Service` would have to hold
/// for these types too, and `Box<dyn Error + Send + Sync + '0>: Into<BoxError>` does not. The
/// service, the request and the future are parameters for the same reason: none of them is found
/// through a bound on another.
pub(crate) struct Ask<S, R, F, T> {
    service: S,
    ready: fn(&mut S, &mut Context<'_>) -> Poll<Result<(), BoxError>>,
    call: fn(&mut S, R) -> F,
    poll: PollFn<F, T>,
}

type PollFn<F, T> = fn(Pin<&mut F>, &mut Context<'_>) -> Poll<Result<T, BoxError>>;

impl<S, R, F, T> Ask<S, R, F, T> {
    pub(crate) fn new(service: S) -> Self
    where
        S: Service<R, Future = F>,
        S::Response: Into<T>,
        S::Error: Into<BoxError>,
        F: Future<Output = Result<S::Response, S::Error>>,
    {
        Self {
            service,
            ready: |service, cx| service.poll_ready(cx).map_err(Into::into),
            call: S::call,
            poll: |future, cx| future.poll(cx).map_ok(Into::into).map_err(Into::into),
        }
    }

    /// The service that is asked.
    #[cfg(feature = "limiter")]
    pub(crate) fn service(&self) -> &S {
        &self.service
    }
}

impl<S, R, F, T> Service<R> for Ask<S, R, F, T> {
    type Response = T;
    type Error = BoxError;
    type Future = Answer<F, T>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        (self.ready)(&mut self.service, cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        Answer {
            future: (self.call)(&mut self.service, request),
            poll: self.poll,
        }
    }
}

pin_project! {
    /// What a service answers, its error in a box.
    pub(crate) struct Answer<F, T> {
        #[pin]
        future: F,
        poll: PollFn<F, T>,
    }
}

impl<F, T> Future for Answer<F, T> {
    type Output = Result<T, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        (this.poll)(this.future, cx)
    }
}

impl<S: Clone, R, F, T> Clone for Ask<S, R, F, T> {
    fn clone(&self) -> Self {
        Self {
            service: self.service.clone(),
            ..*self
        }
    }
}

impl<S: fmt::Debug, R, F, T> fmt::Debug for Ask<S, R, F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.service.fmt(f)
    }
}

impl<F: fmt::Debug, T> fmt::Debug for Answer<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.future.fmt(f)
    }
}
