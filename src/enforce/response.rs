//! The one table of what a refused peer is told.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{self, HeaderValue},
};

use super::{
    protocol::{GRPC, Protocol},
    verdict::{Refused, Verdict},
};
use crate::{challenge::quoted, date::delay_seconds, error::Error, introspect::TokenType};

/// What the answers of a layer depend on.
#[derive(Clone, Debug)]
pub(super) struct Refusals {
    bearer: Challenges,
    dpop: Challenges,
    /// `Retry-After` of a 503 that knows no better.
    pub(super) retry_after: Duration,
}

/// RFC 6750 §3, RFC 9449 §7.1.
#[derive(Clone, Debug)]
struct Challenges {
    /// Nothing was wrong with the token: there was none.
    bare: HeaderValue,
    invalid_request: HeaderValue,
    invalid_token: HeaderValue,
}

impl Challenges {
    fn new(scheme: TokenType, realm: &str) -> Self {
        let bare = format!("{} realm={}", scheme.as_str(), quoted(realm));
        let with = |error: &str| {
            HeaderValue::try_from(format!("{bare}, {error}")).expect("visible ASCII characters")
        };
        Self {
            invalid_request: with(
                "error=\"invalid_request\", \
                 error_description=\"The Authorization field is malformed\"",
            ),
            // One text for every reason: which one it is, is nobody's business.
            invalid_token: with(
                "error=\"invalid_token\", \
                 error_description=\"The token is expired, revoked or not valid here\"",
            ),
            bare: HeaderValue::try_from(&bare).expect("visible ASCII characters"),
        }
    }
}

/// The codes of gRPC (`doc/statuscodes.md` of its project).
pub(super) const UNAUTHENTICATED: HeaderValue = HeaderValue::from_static("16");
const UNAVAILABLE: HeaderValue = HeaderValue::from_static("14");

impl Refusals {
    /// # Panics
    ///
    /// If `realm` has other than visible ASCII characters and spaces.
    pub(super) fn new(realm: &str) -> Self {
        Self {
            bearer: Challenges::new(TokenType::Bearer, realm),
            dpop: Challenges::new(TokenType::Dpop, realm),
            retry_after: Duration::from_secs(1),
        }
    }

    pub(super) fn response(
        &self,
        refused: Refused,
        protocol: Protocol,
        scheme: TokenType,
    ) -> Response<Full<Bytes>> {
        let mut response = match protocol {
            Protocol::Http => self.http(&refused, scheme),
            Protocol::Grpc => self.grpc(&refused),
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.extensions_mut().insert(refused);
        response
    }

    fn http(&self, refused: &Refused, scheme: TokenType) -> Response<Full<Bytes>> {
        let challenges = match scheme {
            TokenType::Bearer => &self.bearer,
            TokenType::Dpop => &self.dpop,
        };
        let (status, challenge) = match refused.verdict() {
            Verdict::Missing | Verdict::Anonymous => {
                (StatusCode::UNAUTHORIZED, Some(&challenges.bare))
            }
            Verdict::Malformed => (StatusCode::BAD_REQUEST, Some(&challenges.invalid_request)),
            Verdict::Invalid(_) | Verdict::Expired | Verdict::Revoked(_) => {
                (StatusCode::UNAUTHORIZED, Some(&challenges.invalid_token))
            }
            Verdict::Unknown | Verdict::Live => (StatusCode::SERVICE_UNAVAILABLE, None),
        };
        let mut response = Response::new(Full::default());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        match challenge {
            Some(challenge) => headers.insert(header::WWW_AUTHENTICATE, challenge.clone()),
            None => headers.insert(header::RETRY_AFTER, delay_seconds(self.delay(refused))),
        };
        response
    }

    /// Trailers and nothing else, in the place of headers.
    fn grpc(&self, refused: &Refused) -> Response<Full<Bytes>> {
        let unknown = refused.verdict() == Verdict::Unknown;
        let (status, message) = if unknown {
            (UNAVAILABLE, "the state of the token is unknown")
        } else {
            (UNAUTHENTICATED, "no token that is valid here")
        };
        let mut response = Response::new(Full::default());
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(GRPC));
        headers.insert("grpc-status", status);
        headers.insert("grpc-message", HeaderValue::from_static(message));
        if unknown {
            let delay = u64::try_from(self.delay(refused).as_millis()).unwrap_or(u64::MAX);
            headers.insert("grpc-retry-pushback-ms", delay.into());
        }
        response
    }

    /// What the cause says of it, or what is said otherwise.
    fn delay(&self, refused: &Refused) -> Duration {
        let ours = Error::in_chain(refused).and_then(Error::retry_delay);
        ours.unwrap_or(self.retry_after)
    }
}
