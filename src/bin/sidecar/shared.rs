//! A service without its type, whose clones cost nothing.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use tower::{Service, ServiceExt as _};

/// A service that is shared by its clones. A clone needs no allocation, as one of
/// [`BoxCloneSyncService`](tower::util::BoxCloneSyncService) does. Each request has its own clone of the
/// service inside.
pub(crate) struct Shared<Q, R, E>(Arc<dyn Run<Q, R, E>>);

trait Run<Q, R, E>: Send + Sync {
    fn run(&self, request: Q) -> BoxFuture<'static, Result<R, E>>;
}

impl<S, Q> Run<Q, S::Response, S::Error> for S
where
    S: Service<Q, Future: Send> + Clone + Send + Sync + 'static,
    Q: Send + 'static,
{
    fn run(&self, request: Q) -> BoxFuture<'static, Result<S::Response, S::Error>> {
        Box::pin(self.clone().oneshot(request))
    }
}

impl<Q, R, E> Shared<Q, R, E> {
    pub(crate) fn new<S>(service: S) -> Self
    where
        S: Service<Q, Response = R, Error = E, Future: Send> + Clone + Send + Sync + 'static,
        Q: Send + 'static,
    {
        Self(Arc::new(service))
    }

    /// Calls a clone of the service inside once it is ready.
    pub(crate) fn run(&self, request: Q) -> BoxFuture<'static, Result<R, E>> {
        self.0.run(request)
    }
}

impl<Q, R, E> Service<Q> for Shared<Q, R, E> {
    type Response = R;
    type Error = E;
    type Future = BoxFuture<'static, Result<R, E>>;

    /// Always ready: the future waits for the service inside.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Q) -> Self::Future {
        self.run(request)
    }
}

impl<Q, R, E> Clone for Shared<Q, R, E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
