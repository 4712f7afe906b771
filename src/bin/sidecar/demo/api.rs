//! An API that knows nothing of tokens: it greets the user that the sidecar names.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use hyper::{Request, Response, StatusCode, body::Incoming};
use tower::Service;

use crate::respond::{AnyBody, text};

#[derive(Clone, Copy, Debug)]
pub(super) struct Api;

impl Service<Request<Incoming>> for Api {
    type Response = Response<AnyBody>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let field = |name| {
            let field = request.headers().get(name);
            field
                .and_then(|field| field.to_str().ok())
                .unwrap_or_default()
        };
        let (subject, client) = (field("x-token-subject"), field("x-token-client"));
        let greeting = format!("hello {subject}, by {client}\n");
        ready(Ok(text(StatusCode::OK, "text/plain", greeting)))
    }
}
