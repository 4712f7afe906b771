//! The feature `cors` is off: there is no policy, and every request goes straight to the endpoint.

use hyper::{Request, body::Body};
use tower::BoxError;

use super::{Conversation, Endpoint};

pub(super) type CorsFuture<F> = F;

pub(super) fn apply<A, B, C, FA, FB, ReqBody>(
    endpoint: &Endpoint<A, B, C, FA, FB>,
    request: Request<ReqBody>,
) -> CorsFuture<Conversation<A, B, C, FA, FB, ReqBody>>
where
    A: Clone,
    B: Clone,
    ReqBody: Body,
    ReqBody::Error: Into<BoxError>,
{
    endpoint.converse(request)
}
