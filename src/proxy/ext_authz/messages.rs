//! The messages of `envoy.service.auth.v3`, as far as they are used here. Other fields are skipped.
//!
//! Text from the network is `bytes`: one name or value that is not UTF-8 would make the whole
//! message unreadable. Nothing that may hold a token implements `Debug`.

use bytes::Bytes;
use prost::{Message, Oneof};

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct CheckRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) attributes: Option<AttributeContext>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct AttributeContext {
    #[prost(message, optional, tag = "4")]
    pub(super) request: Option<AttributeRequest>,
}

/// `AttributeContext.Request`
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct AttributeRequest {
    #[prost(message, optional, tag = "2")]
    pub(super) http: Option<HttpRequest>,
}

/// `AttributeContext.HttpRequest`
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct HttpRequest {
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) method: Bytes,
    /// A map. On the wire it is a list of keys and values, which keeps a key that is there twice.
    #[prost(message, repeated, tag = "3")]
    pub(super) headers: Vec<HeaderValue>,
    #[prost(bytes = "bytes", tag = "4")]
    pub(super) path: Bytes,
    /// With `encode_raw_headers`. `headers` is empty then.
    #[prost(message, optional, tag = "13")]
    pub(super) header_map: Option<HeaderMap>,
}

/// `envoy.config.core.v3.HeaderMap`
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct HeaderMap {
    #[prost(message, repeated, tag = "1")]
    pub(super) headers: Vec<HeaderValue>,
}

/// `envoy.config.core.v3.HeaderValue`, and an entry of `HttpRequest.headers`.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct HeaderValue {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) key: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) value: Bytes,
    /// With `encode_raw_headers`. `value` is empty then.
    #[prost(bytes = "bytes", tag = "3")]
    pub(super) raw_value: Bytes,
}

/// **The default of this message is a permission.** [`response`](super::response) makes them.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct CheckResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<Status>,
    #[prost(oneof = "HttpResponse", tags = "2, 3")]
    pub(super) http_response: Option<HttpResponse>,
}

/// `google.rpc.Status`
#[derive(Clone, PartialEq, Message)]
pub(super) struct Status {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
}

#[derive(Clone, PartialEq, Oneof)]
#[prost(skip_debug)]
pub(super) enum HttpResponse {
    #[prost(message, tag = "2")]
    Denied(DeniedHttpResponse),
    #[prost(message, tag = "3")]
    Ok(OkHttpResponse),
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct DeniedHttpResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<HttpStatus>,
    #[prost(message, repeated, tag = "2")]
    pub(super) headers: Vec<HeaderValueOption>,
}

/// `envoy.type.v3.HttpStatus`. The values of its enumeration are those of HTTP.
#[derive(Clone, PartialEq, Message)]
pub(super) struct HttpStatus {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct OkHttpResponse {
    #[prost(message, repeated, tag = "2")]
    pub(super) headers: Vec<HeaderValueOption>,
    #[prost(bytes = "bytes", repeated, tag = "5")]
    pub(super) headers_to_remove: Vec<Bytes>,
}

/// `envoy.config.core.v3.HeaderValueOption`
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct HeaderValueOption {
    #[prost(message, optional, tag = "1")]
    pub(super) header: Option<HeaderValue>,
    /// `HeaderAppendAction`
    #[prost(int32, tag = "3")]
    pub(super) append_action: i32,
    #[prost(bool, tag = "4")]
    pub(super) keep_empty_value: bool,
}

/// `HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD`. The default appends.
pub(super) const OVERWRITE_IF_EXISTS_OR_ADD: i32 = 2;
