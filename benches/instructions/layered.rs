//! The layer, and a service inside it.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response};
use tower::Service;
use tower_revocation::{Outcome, RevocationLayer, RevocationRequest, client::Credentials};

use crate::server::{PATH, Server};

pub(crate) fn layer(server: Server) -> RevocationLayer<Authenticator, Backend> {
    RevocationLayer::new(PATH, Authenticator(server.clone()), Backend(server))
}

/// Responds at once to every request.
#[derive(Clone)]
pub(crate) struct Inner;

impl<B> Service<Request<B>> for Inner {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Ok(Response::new(Full::default())))
    }
}

#[derive(Clone)]
pub(crate) struct Authenticator(Server);

impl Service<Request<Credentials>> for Authenticator {
    type Response = Option<String>;
    type Error = Infallible;
    type Future = Ready<Result<Option<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Credentials>) -> Self::Future {
        let presented = match request.body() {
            Credentials::Basic(basic) => basic.form_decoded(),
            _ => None,
        };
        let known = presented.filter(|(id, secret)| self.0.knows(id, secret.expose()));
        ready(Ok(known.map(|(id, _)| id)))
    }
}

#[derive(Clone)]
pub(crate) struct Backend(Server);

impl Service<RevocationRequest<String>> for Backend {
    type Response = Outcome;
    type Error = Infallible;
    type Future = Ready<Result<Outcome, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: RevocationRequest<String>) -> Self::Future {
        ready(Ok(self.0.revoke(&request.client, request.token.expose())))
    }
}
