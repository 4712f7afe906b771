//! The `CheckResponse` for a decision.

use bytes::Bytes;
use hyper::{
    HeaderMap, StatusCode,
    header::{self, HeaderName},
};

use super::messages::{
    CheckResponse, DeniedHttpResponse, HeaderValue, HeaderValueOption, HttpResponse, HttpStatus,
    OVERWRITE_IF_EXISTS_OR_ADD, OkHttpResponse, Status,
};
use crate::proxy::verify::{Decision, unavailable};

/// Permits or denies. `forged` are the identity fields that the client has sent, in any spelling.
pub(super) fn message(decision: Decision, forged: Vec<HeaderName>) -> CheckResponse {
    match decision {
        Decision::Permit(response) => permitted(response.headers(), forged),
        Decision::Refuse(response) => denied(response.status(), response.headers()),
    }
}

/// Denies with 503. An error in gRPC would pass the request on under `failure_mode_allow`.
pub(super) fn unknown() -> CheckResponse {
    message(Decision::Refuse(unavailable()), Vec::new())
}

fn permitted(identity: &HeaderMap, forged: Vec<HeaderName>) -> CheckResponse {
    let others = forged
        .into_iter()
        .filter(|name| !identity.contains_key(name));
    CheckResponse {
        status: Some(Status { code: 0 }),
        http_response: Some(HttpResponse::Ok(OkHttpResponse {
            headers: options(identity),
            headers_to_remove: others.map(|name| bytes(name.as_str())).collect(),
        })),
    }
}

fn denied(status: StatusCode, headers: &HeaderMap) -> CheckResponse {
    // The codes of gRPC. Envoy reads no more from them than that they are not 0.
    let code = match status {
        StatusCode::BAD_REQUEST => 3,
        StatusCode::UNAUTHORIZED => 16,
        StatusCode::SERVICE_UNAVAILABLE => 14,
        _ => 7,
    };
    let status = HttpStatus {
        code: status.as_u16().into(),
    };
    CheckResponse {
        status: Some(Status { code }),
        http_response: Some(HttpResponse::Denied(DeniedHttpResponse {
            status: Some(status),
            headers: options(headers),
        })),
    }
}

/// These fields, which replace others of the same name. The proxy makes those about the body.
fn options(headers: &HeaderMap) -> Vec<HeaderValueOption> {
    let fields = headers
        .iter()
        .filter(|(name, _)| *name != header::CONTENT_LENGTH);
    let option = |(name, value): (&HeaderName, &hyper::header::HeaderValue)| HeaderValueOption {
        header: Some(HeaderValue {
            key: bytes(name.as_str()),
            value: Bytes::copy_from_slice(value.as_bytes()),
            raw_value: Bytes::new(),
        }),
        append_action: OVERWRITE_IF_EXISTS_OR_ADD,
        keep_empty_value: true,
    };
    fields.map(option).collect()
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}
