//! The requests that are counted, and the store for them.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, header};

use crate::server::{PATH, Server};

/// One for the warm-up, one for the measurement.
const TOKENS: [&str; 2] = [
    "WqLhwBbLJkUV1xJpbZjLmn5EjFe0s2hYyNq0rTjmnXc",
    "45ghiukldjahdnhzdauzM2v0bZq8sVbXcR1yTt5wEiA",
];

pub(crate) fn server() -> Server {
    Server::new(TOKENS)
}

/// Not on the path of the endpoint.
pub(crate) fn passing() -> Request<Full<Bytes>> {
    Request::get("/api/me")
        .header(header::HOST, "as.example.com")
        .body(Full::default())
        .expect("a valid request")
}

/// Revokes one of the two tokens.
pub(crate) fn warm_up() -> Request<Full<Bytes>> {
    revocation(TOKENS[0])
}

/// Revokes the other.
pub(crate) fn measured() -> Request<Full<Bytes>> {
    revocation(TOKENS[1])
}

fn revocation(token: &str) -> Request<Full<Bytes>> {
    let body = format!("token={token}&token_type_hint=refresh_token&client_id=s6BhdRkqt3");
    Request::post(PATH)
        .header(header::HOST, "as.example.com")
        .header(header::USER_AGENT, "client/1.0")
        .header(header::ACCEPT, "*/*")
        .header(
            header::AUTHORIZATION,
            "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3",
        )
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::CONTENT_LENGTH, body.len())
        .body(Full::from(body))
        .expect("a valid request")
}
