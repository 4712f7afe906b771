//! The responses, and what they never contain (RFC 6749 §5.2).

mod errors;
mod media_type;
mod secrecy;

use hyper::{Request, header};
use tower_revocation::{Error, RevocationLayer};

use super::fixture::{C1, FullResponse, World, always, send, with};

fn own(body: &'static str) -> Request<http_body_util::Full<bytes::Bytes>> {
    with(body, |head| head.header(header::AUTHORIZATION, C1))
}

/// The response to an error of the backend.
async fn response_to(error: Error) -> FullResponse {
    let layer = RevocationLayer::new("/revoke", World::new().authenticator(), always(Err(error)));
    send(layer, own("token=RT1")).await
}
