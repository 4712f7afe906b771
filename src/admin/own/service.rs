//! Around the calls: the check of the token, its scope, and the headers for browsers.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use hyper::{Request, Response, body::Body};
use tower::{BoxError, Service, ServiceExt as _};
use tower_layer::Layer as _;

use super::{Inside, OwnSessions};
use crate::{
    admin::AdminBody, enforce::EnforcedBody, introspect::Introspected, log::RevocationLog,
    token::Secret,
};

impl<L, I, J, B> Service<Request<B>> for OwnSessions<L, I, J>
where
    L: RevocationLog + Clone + Send + Sync + 'static,
    I: Service<Secret, Response: Into<Introspected>> + Clone + Send + 'static,
    I::Error: Into<BoxError>,
    I::Future: Send + 'static,
    J: Service<Secret, Response: Into<Introspected>> + Clone + Send + 'static,
    J::Error: Into<BoxError>,
    J::Future: Send,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<EnforcedBody<AdminBody>>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let enforced = Enforced(self.clone());
        #[cfg(feature = "cors")]
        if let Some(cors) = &self.cors {
            return Box::pin(cors.layer(enforced).oneshot(request));
        }
        Box::pin(enforced.oneshot(request))
    }
}

/// Everything but the headers for browsers.
struct Enforced<L, I, J>(OwnSessions<L, I, J>);

impl<L, I, J, B> Service<Request<B>> for Enforced<L, I, J>
where
    L: RevocationLog + Clone + Send + Sync + 'static,
    I: Service<Secret, Response: Into<Introspected>> + Clone + Send + 'static,
    I::Error: Into<BoxError>,
    I::Future: Send + 'static,
    J: Service<Secret, Response: Into<Introspected>> + Clone + Send + 'static,
    J::Error: Into<BoxError>,
    J::Future: Send,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<EnforcedBody<AdminBody>>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let OwnSessions {
            enforcement,
            scope,
            inside,
            ..
        } = &self.0;
        match scope {
            Some(scope) => {
                let scoped = scope.layer(inside.clone());
                Box::pin(enforcement.layer(scoped).oneshot(request))
            }
            None => Box::pin(enforcement.layer(inside.clone()).oneshot(request)),
        }
    }
}

/// The token is live.
impl<L, J, B> Service<Request<B>> for Inside<L, J>
where
    L: RevocationLog + Clone + Send + Sync + 'static,
    J: Service<Secret, Response: Into<Introspected>> + Clone + Send + 'static,
    J::Error: Into<BoxError>,
    J::Future: Send,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<AdminBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, introspect) = (self.parts.clone(), self.introspect.clone());
        Box::pin(async move {
            let response = parts.respond(introspect, request).await;
            Ok(response.unwrap_or_else(|refusal| refusal.response()))
        })
    }
}
