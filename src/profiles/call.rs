//! What a call becomes.

use std::fmt;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request,
    header::{self, HeaderValue},
    http::{Extensions, request::Parts},
};

use super::Parameters;
use crate::{
    revoke::RevocationOptions,
    token::{BackendExtensions, Outcome},
};

/// A call as a strict request of RFC 7009, or one that is done already.
pub struct Call(pub(super) Kind);

pub(super) enum Kind {
    Revoke(Box<Revoke>),
    Done(Outcome),
}

pub(super) struct Revoke {
    head: Parts,
    parameters: Parameters,
    pub(super) options: RevocationOptions,
}

impl Call {
    pub(super) fn new(head: Parts, parameters: Parameters) -> Self {
        Self(Kind::Revoke(Box::new(Revoke {
            head,
            parameters,
            options: RevocationOptions::new(),
        })))
    }

    /// A call that needs no endpoint any more: the profile has carried it out, durably.
    #[must_use]
    pub fn done(outcome: Outcome) -> Self {
        Self(Kind::Done(outcome))
    }

    /// Sets the options of the revocation, such as what is revoked with the token. Defaults to those
    /// of the backend.
    #[must_use]
    pub fn options(mut self, options: RevocationOptions) -> Self {
        if let Kind::Revoke(revoke) = &mut self.0 {
            revoke.options = options;
        }
        self
    }
}

impl Revoke {
    pub(super) fn into_request(self) -> Request<Full<Bytes>> {
        let Self {
            mut head,
            parameters,
            options,
        } = self;
        let mut extensions = Extensions::new();
        extensions.insert(options);
        head.extensions.insert(BackendExtensions(extensions));
        head.method = Method::POST;
        for name in [header::CONTENT_LENGTH, header::CONTENT_ENCODING] {
            head.headers.remove(name);
        }
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        head.headers.insert(header::CONTENT_TYPE, form);
        Request::from_parts(head, Full::new(parameters.to_form()))
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Revoke(revoke) => f
                .debug_struct("Call")
                .field("parameters", &revoke.parameters)
                .field("options", &revoke.options)
                .finish_non_exhaustive(),
            Kind::Done(outcome) => f.debug_tuple("Call").field(outcome).finish(),
        }
    }
}
