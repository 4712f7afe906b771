//! Calls a service without a trait bound on it.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tower::{BoxError, Service};

/// A service and pointers to the functions that call it, chosen where its types are known.
///
/// `Ask` is a service itself, and its `impl Service` has no bounds, so that users can spawn it. To
/// prove that an `async` block is `Send`, the compiler replaces each lifetime in the types of the
/// block, including `'static`, by one of its own. A bound on the impl would have to hold for these
/// types too, and `Box<dyn Error + Send + Sync + '0>: Into<BoxError>` does not hold. For the same
/// reason the service, the request and the future are type parameters of their own: none is derived
/// from a bound on another.
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

    /// The wrapped service.
    #[cfg(feature = "limiter")]
    pub(crate) fn service(&self) -> &S {
        &self.service
    }
}

impl<S, R, F, T> Service<R> for Ask<S, R, F, T> {
    type Response = T;
    type Error = BoxError;
    type Future = AskFuture<F, T>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        (self.ready)(&mut self.service, cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        AskFuture {
            future: (self.call)(&mut self.service, request),
            poll: self.poll,
        }
    }
}

pin_project! {
    /// The future of [`Ask`], which boxes the error.
    pub(crate) struct AskFuture<F, T> {
        #[pin]
        future: F,
        poll: PollFn<F, T>,
    }
}

impl<F, T> Future for AskFuture<F, T> {
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

impl<F: fmt::Debug, T> fmt::Debug for AskFuture<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.future.fmt(f)
    }
}
