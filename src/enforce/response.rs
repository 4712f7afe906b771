//! The one table of what a refused peer gets (RFC 6750 §3, RFC 9449 §7.1).

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{self, HeaderValue},
};

use super::{
    challenge::{Challenges, Parameters},
    judge::Judge,
    protocol::{GRPC, PERMISSION_DENIED, Protocol, UNAUTHENTICATED, UNAVAILABLE},
    settings::Settings,
    verdict::{Refused, Verdict},
};
use crate::{date::delay_seconds, error::Error, introspect::TokenType};

/// The responses of a layer to the requests that it refuses.
#[derive(Clone, Debug)]
pub(super) struct Refusals {
    parameters: Parameters,
    bearer: Challenges,
    dpop: Challenges,
    /// `Retry-After` of a 503 whose cause does not state a time itself.
    pub(super) retry_after: Duration,
}

impl Refusals {
    pub(super) fn new() -> Self {
        let parameters = Parameters::default();
        Self {
            bearer: parameters.challenges(TokenType::Bearer),
            dpop: parameters.challenges(TokenType::Dpop),
            retry_after: Duration::from_secs(1),
            parameters,
        }
    }

    /// Changes what every challenge states.
    pub(super) fn set(&mut self, change: impl FnOnce(&mut Parameters)) {
        change(&mut self.parameters);
        self.bearer = self.parameters.challenges(TokenType::Bearer);
        self.dpop = self.parameters.challenges(TokenType::Dpop);
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
            Verdict::InsufficientScope => {
                (StatusCode::FORBIDDEN, Some(&challenges.insufficient_scope))
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

    /// A response of trailers only: they are in the headers.
    fn grpc(&self, refused: &Refused) -> Response<Full<Bytes>> {
        let (status, message) = match refused.verdict() {
            Verdict::Unknown => (UNAVAILABLE, "the state of the token is unknown"),
            Verdict::InsufficientScope => (PERMISSION_DENIED, "the token lacks a scope"),
            _ => (UNAUTHENTICATED, "there is no valid token"),
        };
        let mut response = Response::new(Full::default());
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(GRPC));
        headers.insert("grpc-status", status);
        headers.insert("grpc-message", HeaderValue::from_static(message));
        if refused.verdict() == Verdict::Unknown {
            let delay = u64::try_from(self.delay(refused).as_millis()).unwrap_or(u64::MAX);
            headers.insert("grpc-retry-pushback-ms", delay.into());
        }
        response
    }

    /// The response to a request of which nothing else is known.
    pub(super) fn by_default(&self, refused: Refused) -> Response<Full<Bytes>> {
        self.response(refused, Protocol::Http, TokenType::Bearer)
    }

    /// The time that the cause states, or the default.
    fn delay(&self, refused: &Refused) -> Duration {
        let stated = Error::in_chain(refused).and_then(Error::retry_delay);
        stated.unwrap_or(self.retry_after)
    }
}

/// How a layer refuses one request.
#[derive(Clone)]
pub(super) struct Refusing {
    settings: Arc<Settings>,
    protocol: Protocol,
    scheme: TokenType,
}

impl Refusing {
    pub(super) fn response(&self, refused: Refused) -> Response<Full<Bytes>> {
        let refusals = &self.settings.refusals;
        refusals.response(refused, self.protocol, self.scheme)
    }
}

impl From<&Judge> for Refusing {
    fn from(judge: &Judge) -> Self {
        Self {
            settings: judge.settings.clone(),
            protocol: judge.protocol,
            scheme: judge.scheme,
        }
    }
}
