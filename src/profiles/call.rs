//! The request to the endpoint that a call becomes.

use std::fmt;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request,
    header::{self, HeaderValue},
    http::{Extensions, request::Parts},
};

use super::Parameters;
use crate::{revoke::RevocationOptions, token::BackendExtensions};

/// A call as a strict request of RFC 7009.
pub struct Call {
    head: Parts,
    parameters: Parameters,
    pub(super) options: RevocationOptions,
}

impl Call {
    pub(super) fn new(head: Parts, parameters: Parameters) -> Self {
        Self {
            head,
            parameters,
            options: RevocationOptions::new(),
        }
    }

    /// Sets the options of the revocation, such as what is revoked with the token. Defaults to those
    /// of the backend.
    #[must_use]
    pub fn options(mut self, options: RevocationOptions) -> Self {
        self.options = options;
        self
    }

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
        f.debug_struct("Call")
            .field("parameters", &self.parameters)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
