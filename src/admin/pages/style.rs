//! The style sheet, under a name that changes with it.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH},
};
use sha2::{Digest as _, Sha256};

const STYLE: &str = include_str!("style.css");

/// Its file name: `style-` and half of its digest.
pub(super) static NAME: LazyLock<String> = LazyLock::new(|| {
    let digest: [u8; 32] = Sha256::digest(STYLE).into();
    let half = &digest[..16];
    format!("style-{}.css", URL_SAFE_NO_PAD.encode(half))
});

/// The style sheet. Browsers keep it for a year: another one has another name.
pub(super) fn respond(headers: &HeaderMap) -> Response<Full<Bytes>> {
    let etag = format!("\"{}\"", *NAME);
    let mut known = headers.get_all(IF_NONE_MATCH).iter();
    let mut response = Response::new(Full::default());
    if known.any(|known| known.as_bytes() == etag.as_bytes()) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        *response.body_mut() = Full::from(STYLE);
    }
    let headers = response.headers_mut();
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    headers.insert(CACHE_CONTROL, forever);
    let kind = HeaderValue::from_static("text/css; charset=utf-8");
    headers.insert(CONTENT_TYPE, kind);
    if let Ok(etag) = HeaderValue::try_from(etag) {
        headers.insert(ETAG, etag);
    }
    response
}
