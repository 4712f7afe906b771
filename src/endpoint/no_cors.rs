//! The feature `cors` is off: there is no policy, and every request goes straight to the endpoint.

use hyper::{Request, body::Body};
use tower::{BoxError, Service};

use super::{Conversation, Endpoint};
use crate::{client::Credentials, token::RevocationRequest};

pub(super) type CorsFuture<F> = F;

pub(super) fn apply<A, B, C, ReqBody>(
    endpoint: &Endpoint<A, B>,
    request: Request<ReqBody>,
) -> CorsFuture<Conversation<A, B, C, ReqBody>>
where
    ReqBody: Body,
    ReqBody::Error: Into<BoxError>,
    A: Service<Request<Credentials>> + Clone,
    B: Service<RevocationRequest<C>> + Clone,
{
    endpoint.converse(request)
}
