//! Takes the token of a request, and starts the check.

use std::{
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::{Request, Response, body::Body};
use tower::Service;

use super::{
    bearer::Presented,
    future::EnforcementFuture,
    judge::Judge,
    observe::Begun,
    settings::{Introspect, Settings},
    stream::EnforcedBody,
    verdict::{Refused, Verdict},
};
use crate::{
    introspect::{Introspection, Reason, TokenType},
    token::Secret,
};

/// The service that [`EnforcementLayer`](super::EnforcementLayer) makes.
///
/// It is as ready as the inner service. A request that passes goes to the same instance of the
/// inner service that was ready.
///
/// The future `F` follows from the introspection `I`. Leave it out to name the type:
/// `EnforcementService<Inner, MyIntrospection>`.
pub struct EnforcementService<S, I, F = <I as Service<Secret>>::Future> {
    pub(super) inner: S,
    pub(super) introspect: Introspect<I, F>,
    pub(super) settings: Arc<Settings>,
}

impl<S, I, F> EnforcementService<S, I, F> {
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

impl<S: Clone, I: Clone, F> Clone for EnforcementService<S, I, F> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            introspect: self.introspect.clone(),
            settings: self.settings.clone(),
        }
    }
}

impl<S: fmt::Debug, I: fmt::Debug, F> fmt::Debug for EnforcementService<S, I, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnforcementService")
            .field("inner", &self.inner)
            .field("introspect", &self.introspect)
            .field("settings", &self.settings)
            .finish()
    }
}

impl<S, I, F, ReqBody, ResBody> Service<Request<ReqBody>> for EnforcementService<S, I, F>
where
    I: Clone,
    ResBody: Body<Data = Bytes>,
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
{
    type Response = Response<EnforcedBody<ResBody>>;
    type Error = S::Error;
    type Future = EnforcementFuture<I, F, S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let settings = &self.settings;
        let (policy, request) = settings.policy(request);
        let mut judge = Judge {
            settings: settings.clone(),
            policy,
            protocol: settings.protocol(request.headers()),
            scheme: TokenType::Bearer,
            begun: Begun::now(),
        };
        // Call the instance that was ready, not its clone.
        let clone = self.inner.clone();
        let inner = mem::replace(&mut self.inner, clone);

        if settings.from_extension {
            let verified = request.extensions().get::<Introspection>().cloned();
            return match verified {
                Some(token) => EnforcementFuture::judge(judge, token, inner, request),
                None => EnforcementFuture::without_token(&judge, inner, request),
            };
        }
        let presented = settings.presented(request.uri(), request.headers());
        match presented {
            Presented::Nothing => EnforcementFuture::without_token(&judge, inner, request),
            Presented::Malformed => {
                EnforcementFuture::refuse(&judge, Refused::new(Verdict::Malformed), &request)
            }
            Presented::Impossible(scheme) => {
                judge.scheme = scheme;
                EnforcementFuture::refuse(
                    &judge,
                    Refused::new(Verdict::Invalid(Reason::NotAToken)),
                    &request,
                )
            }
            Presented::Token(scheme, token) => {
                judge.scheme = scheme;
                let introspect = self.introspect.clone();
                EnforcementFuture::introspect(judge, introspect, token, inner, request)
            }
        }
    }
}
