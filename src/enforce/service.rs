//! Which token, and what has to be asked about it?

use std::{
    mem,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::{Request, Response, body::Body};
use tower::{BoxError, Service};

use super::{
    answer::Dialect,
    bearer::Presented,
    case::Case,
    future::EnforcementFuture,
    layer::EnforcementLayer,
    stream::EnforcedBody,
    verdict::{Refused, Verdict},
};
use crate::{
    introspect::{Introspected, Introspection, Reason, TokenType},
    token::Secret,
};

/// The service that [`EnforcementLayer`](super::EnforcementLayer) makes.
///
/// It is as ready as the inner service, and a request that passes goes to the very instance that
/// said so.
#[derive(Clone, Debug)]
pub struct EnforcementService<S, I> {
    pub(super) inner: S,
    pub(super) layer: EnforcementLayer<I>,
}

impl<S, I> EnforcementService<S, I> {
    /// The inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The inner service.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, I, ReqBody, ResBody> Service<Request<ReqBody>> for EnforcementService<S, I>
where
    I: Service<Secret, Response: Into<Introspected>> + Clone,
    I::Error: Into<BoxError>,
    ResBody: Body<Data = Bytes>,
    ResBody::Error: Into<BoxError>,
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
{
    type Response = Response<EnforcedBody<ResBody>>;
    type Error = S::Error;
    type Future = EnforcementFuture<I, S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let settings = &self.layer.settings;
        let (head, body) = request.into_parts();
        let mut case = Case {
            settings: settings.clone(),
            policy: settings.policy(&head),
            dialect: Dialect::of(&head.headers),
            scheme: TokenType::Bearer,
        };
        // The instance that was ready, and not the clone, is the one to call.
        let another = self.inner.clone();
        let inner = mem::replace(&mut self.inner, another);

        if settings.from_extension {
            let verified = head.extensions.get::<Introspection>().cloned();
            let request = Request::from_parts(head, body);
            return match verified {
                Some(token) => EnforcementFuture::judge(case, token, inner, request),
                None => EnforcementFuture::without_token(&case, inner, request),
            };
        }
        let presented = settings.presented(&head.uri, &head.headers);
        let request = Request::from_parts(head, body);
        match presented {
            Presented::Nothing => EnforcementFuture::without_token(&case, inner, request),
            Presented::Malformed => {
                EnforcementFuture::refuse(&case, Refused::new(Verdict::Malformed), &request)
            }
            Presented::Impossible(scheme) => {
                case.scheme = scheme;
                EnforcementFuture::refuse(
                    &case,
                    Refused::new(Verdict::Invalid(Reason::NotAToken)),
                    &request,
                )
            }
            Presented::Token(scheme, token) => {
                case.scheme = scheme;
                let introspect = self.layer.introspect.clone();
                EnforcementFuture::introspect(case, introspect, token, inner, request)
            }
        }
    }
}
