//! Checks a request, cleans it and passes it on.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response, Version,
    header::{EXPECT, HeaderValue, TE},
};
use tower::Service;

use super::{
    Rules, SanitizedBody, WantsWebSocket,
    forwarded::{self, Before},
};
use crate::{
    ResponseBody, ResponseFuture,
    proxy::{fields::takes_trailers, observe},
};

/// The service that [`SanitizeLayer`](super::SanitizeLayer) makes. It is as ready as the inner
/// service.
#[derive(Clone, Debug)]
pub struct SanitizeService<S> {
    pub(super) inner: S,
    pub(super) rules: Arc<Rules>,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SanitizeService<S>
where
    S: Service<Request<SanitizedBody<ReqBody>>, Response = Response<ResBody>>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, Ready<Result<Response<Full<Bytes>>, Infallible>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let host = match self.rules.check(&request) {
            Ok(host) => host,
            Err(error) => {
                observe::failed(&error);
                let response = error.into_response(request.version());
                return ResponseFuture::endpoint(ready(Ok(response)));
            }
        };
        if let Some(wants) = WantsWebSocket::of(&request) {
            request.extensions_mut().insert(wants);
        }
        let (mut head, body) = request.into_parts();
        // HTTP/2 always allows trailers.
        let takes_trailers = head.version == Version::HTTP_2 || takes_trailers(&head.headers);
        let before = Before::read(&head.headers, &head.extensions, &self.rules.proxies);
        self.rules.clean(&mut head.headers);
        // The server sends `100 Continue` once somebody reads the body.
        head.headers.remove(EXPECT);
        if takes_trailers {
            head.headers
                .insert(TE, HeaderValue::from_static("trailers"));
        }
        if self.rules.sets_forwarded {
            forwarded::set(&mut head.headers, &mut head.extensions, host, before);
        }
        let body = SanitizedBody::new(body, self.rules.clone());
        ResponseFuture::inner(self.inner.call(Request::from_parts(head, body)))
    }
}
