//! What a call becomes.

use std::fmt;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request,
    header::{self, HeaderValue},
    http::request::Parts,
};

use super::Parameters;
use crate::{
    error::Error,
    revoke::{ClientOrder, Condition, RevocationOptions, RevocationReport},
    token::{BackendExtensions, NeedsNoToken, Outcome},
};

/// A call as a strict request of RFC 7009, or one that is done already.
pub struct Call(pub(super) Kind);

pub(super) enum Kind {
    Revoke(Box<Revoke>),
    Done(Outcome),
}

pub(super) struct Revoke {
    head: Parts,
    form: Form,
    options: RevocationOptions,
    condition: Option<Condition>,
    order: Option<ClientOrder>,
}

/// The body of the request for the endpoint.
pub(super) enum Form {
    Of(Parameters),
    /// As the client has sent it. To read and to write it again would cost more than a tenth of a
    /// revocation.
    AsItIs(Bytes),
}

/// A request for the endpoint, and what its backend tells.
pub(super) struct Asking {
    pub(super) request: Request<Full<Bytes>>,
    pub(super) report: RevocationReport,
    /// Whether it would be wrong if the backend ignored the options.
    pub(super) needs_report: bool,
}

impl Call {
    pub(super) fn new(head: Parts, form: Form) -> Self {
        Self(Kind::Revoke(Box::new(Revoke {
            head,
            form,
            options: RevocationOptions::new(),
            condition: None,
            order: None,
        })))
    }

    /// A call that needs no endpoint any more: the profile has carried it out, durably.
    #[must_use]
    pub fn done(outcome: Outcome) -> Self {
        Self(Kind::Done(outcome))
    }

    /// Sets the options of the revocation, such as what is revoked with the token. Defaults to those
    /// of the backend.
    ///
    /// **The backend must be one of this crate**, or pass its requests to one. If another backend ignores
    /// the options, the response is 500.
    #[must_use]
    pub fn options(mut self, options: RevocationOptions) -> Self {
        if let Kind::Revoke(revoke) = &mut self.0 {
            revoke.options = options;
        }
        self
    }

    /// Adds options that are found out after the client has been authenticated, such as whether a
    /// user's token in the request is live. If the future fails, nothing is revoked.
    #[must_use]
    pub fn after_authentication(
        mut self,
        options: impl Future<Output = Result<RevocationOptions, Error>> + Send + 'static,
    ) -> Self {
        if let Kind::Revoke(revoke) = &mut self.0 {
            revoke.condition = Some(Condition::new(options));
        }
        self
    }

    /// Revokes what the order says instead of one token. The call needs no parameter `token`.
    #[must_use]
    pub fn order(mut self, order: ClientOrder) -> Self {
        if let Kind::Revoke(revoke) = &mut self.0 {
            revoke.order = Some(order);
        }
        self
    }
}

impl Revoke {
    pub(super) fn into_request(self) -> Asking {
        let Self {
            mut head,
            form,
            mut options,
            condition,
            order,
        } = self;
        // What a layer in front of the profile asks.
        let outer = head.extensions.remove::<BackendExtensions>();
        let BackendExtensions(mut extensions) = outer.unwrap_or_default();
        if let Some(outer) = extensions.remove::<RevocationOptions>() {
            options = outer.and(options);
        }
        let report = RevocationReport::new();
        let needs_report =
            options != RevocationOptions::new() || condition.is_some() || order.is_some();
        extensions.insert(report.clone());
        extensions.insert(options);
        if let Some(condition) = condition {
            extensions.insert(condition);
        }
        if let Some(order) = order {
            extensions.insert(order);
            extensions.insert(NeedsNoToken);
        }
        head.extensions.insert(BackendExtensions(extensions));
        head.method = Method::POST;
        for name in [header::CONTENT_LENGTH, header::CONTENT_ENCODING] {
            head.headers.remove(name);
        }
        let media_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        head.headers.insert(header::CONTENT_TYPE, media_type);
        Asking {
            request: Request::from_parts(head, Full::new(form.into_bytes())),
            report,
            needs_report,
        }
    }
}

impl Form {
    /// The parameters, if they were read.
    fn parameters(&self) -> Option<&Parameters> {
        match self {
            Self::Of(parameters) => Some(parameters),
            Self::AsItIs(_) => None,
        }
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::Of(parameters) => parameters.to_form(),
            Self::AsItIs(body) => body,
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Revoke(revoke) => f
                .debug_struct("Call")
                .field("parameters", &revoke.form.parameters())
                .field("options", &revoke.options)
                .field("order", &revoke.order)
                .finish_non_exhaustive(),
            Kind::Done(outcome) => f.debug_tuple("Call").field(outcome).finish(),
        }
    }
}
