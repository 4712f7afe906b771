//! What the listener for proxies of others serves: `/verify`, and Envoy's `ext_authz` over gRPC.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::{BoxFuture, ready};
use http_body_util::Either;
use hyper::{Request, Response, body::Incoming};
use tower::{Service, ServiceExt as _};
use tower_revocation::{
    enforce::EnforcementLayer,
    proxy::{
        VerifyBody, VerifyService,
        ext_authz::{ExtAuthzService, unavailable},
    },
};

use crate::{
    config::Verify,
    gateway::{headers, policy},
    respond::{AnyBody, any, starting},
    tokens::Introspect,
};

/// The path of the one gRPC method.
const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// The decision on both wires.
#[derive(Clone)]
pub(crate) enum Decide {
    /// It is not known yet what is revoked.
    Starting,
    Deciding(Arc<Wires>),
}

pub(crate) struct Wires {
    http: VerifyService<Introspect>,
    grpc: ExtAuthzService<Introspect>,
}

impl Decide {
    pub(crate) fn new(config: &Verify, enforcement: EnforcementLayer<Introspect>) -> Self {
        let routes = config.routes.clone();
        let enforcement = enforcement.policy_by(move |head| policy(&routes, head.uri.path()));
        let http = VerifyService::new(enforcement, headers(&config.identity))
            .trusted_proxies(config.trusted_proxies.iter().copied());
        let grpc = ExtAuthzService::new(http.clone());
        Self::Deciding(Arc::new(Wires { http, grpc }))
    }
}

impl Service<Request<Incoming>> for Decide {
    type Response = Response<Either<VerifyBody, AnyBody>>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let is_check = request.uri().path() == CHECK;
        let Self::Deciding(wires) = self else {
            let response = if is_check {
                unavailable().map(any)
            } else {
                starting()
            };
            return Box::pin(ready(Ok(response.map(Either::Right))));
        };
        if is_check {
            let decided = wires.grpc.clone().oneshot(request);
            Box::pin(async move { Ok(decided.await?.map(any).map(Either::Right)) })
        } else {
            let decided = wires.http.clone().oneshot(request);
            Box::pin(async move { Ok(decided.await?.map(Either::Left)) })
        }
    }
}
