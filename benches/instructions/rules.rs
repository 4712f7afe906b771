//! What a handler written by hand checks, according to RFC 7009.
//!
//! It has the same limits and rejects the same requests as the layer, with one exception: serde's
//! forms repair broken escapes, and the layer rejects them.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Response, StatusCode, Uri,
    header::{self, HeaderName, HeaderValue},
};
use serde::Deserialize;
use tower_revocation::{Outcome, Secret};

use crate::server::Server;

pub(crate) const MAX_BODY: usize = 64 * 1024;

/// Every response has these.
pub(crate) const FIELDS: [(HeaderName, &str); 3] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::PRAGMA, "no-cache"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// serde rejects a repeated parameter.
#[derive(Deserialize)]
pub(crate) struct Parameters {
    token: Option<String>,
    token_type_hint: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_assertion: Option<String>,
}

impl Parameters {
    pub(crate) fn revoke(self, server: &Server, basic: &Basic) -> Result<(), Refusal> {
        let Basic { id, secret } = basic;
        let token = self.token.map(Secret::from);
        let client_secret = self.client_secret.filter(|text| !text.is_empty());
        let client_assertion = self.client_assertion.filter(|text| !text.is_empty());
        if client_secret.is_some() || client_assertion.is_some() {
            return Err(Refusal::INVALID_REQUEST);
        }
        let client_id = self.client_id.filter(|text| !text.is_empty());
        if client_id.is_some_and(|client_id| client_id != *id) {
            return Err(Refusal::INVALID_REQUEST);
        }
        if !server.knows(id, secret.expose()) {
            return Err(Refusal::INVALID_CLIENT);
        }
        let token = token.ok_or(Refusal::INVALID_REQUEST)?;
        let can_be_one = |text: &str| text.bytes().all(|byte| matches!(byte, 0x20..=0x7e));
        match token.expose() {
            "" => return Err(Refusal::INVALID_REQUEST),
            text if text.len() > 16 * 1024 || !can_be_one(text) => {
                return Err(Refusal::INVALID_REQUEST);
            }
            _ => {}
        }
        // There is only one store, so the hint has no effect.
        drop(self.token_type_hint);
        match server.revoke(id, token.expose()) {
            Outcome::Revoked | Outcome::NotFound => Ok(()),
            _ => Err(Refusal(StatusCode::BAD_REQUEST, "invalid_grant")),
        }
    }
}

/// The credentials of the client.
pub(crate) struct Basic {
    id: String,
    secret: Secret,
}

impl Basic {
    /// Checks the head, and parses the credentials.
    pub(crate) fn read(headers: &HeaderMap, uri: &Uri) -> Result<Self, Refusal> {
        at_most_one(headers, &header::CONTENT_TYPE)?;
        at_most_one(headers, &header::AUTHORIZATION)?;
        if headers.contains_key(header::CONTENT_ENCODING) {
            return Err(Refusal::UNSUPPORTED_MEDIA_TYPE);
        }
        let query: Vec<(String, String)> = match uri.query() {
            Some(query) => {
                serde_urlencoded::from_str(query).map_err(|_| Refusal::INVALID_REQUEST)?
            }
            None => Vec::new(),
        };
        if query.iter().any(|(name, _)| name == "token") {
            return Err(Refusal::INVALID_REQUEST);
        }
        let field = headers.get(header::AUTHORIZATION);
        field
            .and_then(|field| Self::parse(field.to_str().ok()?))
            .ok_or(Refusal::INVALID_CLIENT)
    }

    fn parse(field: &str) -> Option<Self> {
        let (scheme, encoded) = field.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let bytes = BASE64_STANDARD.decode(encoded.trim_start()).ok()?;
        let user_pass = Secret::from(String::from_utf8(bytes).ok()?);
        let (id, secret) = user_pass.expose().split_once(':')?;
        Some(Self {
            id: decoded(id)?,
            secret: Secret::from(decoded(secret)?),
        })
    }
}

/// Both halves are form-encoded (RFC 6749 §2.3.1).
fn decoded(half: &str) -> Option<String> {
    if !half.contains(['%', '+', '&']) {
        return Some(half.to_owned());
    }
    let pair = format!("={}", half.replace('&', "%26"));
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&pair).ok()?;
    pairs.into_iter().next().map(|(_, value)| value)
}

fn at_most_one(headers: &HeaderMap, name: &HeaderName) -> Result<(), Refusal> {
    match headers.get_all(name).iter().nth(1) {
        Some(_) => Err(Refusal::INVALID_REQUEST),
        None => Ok(()),
    }
}

pub(crate) struct Refusal(pub(crate) StatusCode, pub(crate) &'static str);

impl Refusal {
    pub(crate) const INVALID_REQUEST: Self = Self(StatusCode::BAD_REQUEST, "invalid_request");
    pub(crate) const INVALID_CLIENT: Self = Self(StatusCode::UNAUTHORIZED, "invalid_client");
    pub(crate) const PAYLOAD_TOO_LARGE: Self =
        Self(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request");
    pub(crate) const UNSUPPORTED_MEDIA_TYPE: Self =
        Self(StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid_request");

    pub(crate) fn response(self) -> Response<Full<Bytes>> {
        let Self(status, code) = self;
        let body = serde_json::json!({ "error": code }).to_string();
        let mut response = sealed(status, Full::from(body));
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static(r#"Basic realm="oauth", charset="UTF-8""#);
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

pub(crate) fn sealed(status: StatusCode, body: Full<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in FIELDS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}
