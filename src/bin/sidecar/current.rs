//! A service that is replaced while it is used.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use arc_swap::ArcSwap;
use tower::{Service, ServiceExt as _, util::Oneshot};

/// The service in use. Clones share it. A request stays with the service that it began with.
#[derive(Debug)]
pub(crate) struct Current<S>(Arc<ArcSwap<S>>);

impl<S> Current<S> {
    pub(crate) fn new(service: S) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(service)))
    }

    /// From now on, requests come to this service.
    pub(crate) fn replace(&self, service: S) {
        self.0.store(Arc::new(service));
    }
}

impl<S> Clone for Current<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S, R> Service<R> for Current<S>
where
    S: Service<R, Error = Infallible> + Clone,
{
    type Response = S::Response;
    type Error = Infallible;
    type Future = Oneshot<S, R>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> Self::Future {
        S::clone(&self.0.load()).oneshot(request)
    }
}

#[cfg(test)]
mod tests {
    use tower::service_fn;

    use super::*;

    #[tokio::test]
    async fn request_stays_with_the_service_that_it_began_with() {
        let service = |number: u32| {
            service_fn(move |()| async move {
                tokio::task::yield_now().await;
                Ok::<_, Infallible>(number)
            })
        };
        let current = Current::new(service(1));
        let mut clone = current.clone();
        let begun = clone.call(());
        current.replace(service(2));
        assert_eq!(begun.await, Ok(1));
        assert_eq!(clone.call(()).await, Ok(2));
    }
}
