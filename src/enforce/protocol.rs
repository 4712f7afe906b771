//! Does the peer speak HTTP or gRPC?

use hyper::{
    HeaderMap,
    header::{self, HeaderValue},
};

/// The media type of gRPC.
pub(super) const GRPC: &str = "application/grpc";

/// Status codes of gRPC (`doc/statuscodes.md` of its project).
pub(super) const PERMISSION_DENIED: HeaderValue = HeaderValue::from_static("7");
pub(super) const UNAVAILABLE: HeaderValue = HeaderValue::from_static("14");
pub(super) const UNAUTHENTICATED: HeaderValue = HeaderValue::from_static("16");

/// The protocol of a request or of a response. It decides how a refusal and a cut look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// The status of HTTP counts. A body is cut by an error: hyper resets an HTTP/2 stream, and
    /// closes an HTTP/1.1 connection.
    Http,
    /// The status of HTTP is that of the connection. The status of the call is in the trailers.
    Grpc,
}

impl Protocol {
    /// The protocol of a message with these headers, unless the layer always responds in HTTP.
    pub(super) fn choose(responds_in_http: bool, headers: &HeaderMap) -> Self {
        if responds_in_http {
            Self::Http
        } else {
            Self::of(headers)
        }
    }

    /// The protocol of a message with these headers. gRPC-Web counts as HTTP: its trailers are in
    /// the body.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let media_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        let Some((grpc, rest)) = media_type.and_then(|it| it.split_at_checked(GRPC.len())) else {
            return Self::Http;
        };
        let ends = matches!(rest.first(), None | Some(b'+' | b';' | b' '));
        if ends && grpc.eq_ignore_ascii_case(GRPC.as_bytes()) {
            Self::Grpc
        } else {
            Self::Http
        }
    }
}
