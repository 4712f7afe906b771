//! The same revocation in an axum handler written by hand, according to RFC 7009.
//!
//! It has the same limits and rejects the same requests as the layer, with one exception: `Form`
//! repairs broken escapes, and the layer rejects them.

use axum::{
    Form, Json, Router,
    extract::{DefaultBodyLimit, FromRequestParts, State, rejection::FormRejection},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use tower_revocation::{Outcome, Secret};

use crate::server::{PATH, Server};

pub(crate) fn router(server: Server) -> Router {
    Router::new()
        .route(PATH, post(revoke))
        .layer(DefaultBodyLimit::max(64 * 1024))
        .with_state(server)
}

/// serde rejects a repeated parameter.
#[derive(Deserialize)]
struct Parameters {
    token: Option<String>,
    token_type_hint: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_assertion: Option<String>,
}

async fn revoke(
    State(server): State<Server>,
    Basic { id, secret }: Basic,
    parameters: Result<Form<Parameters>, FormRejection>,
) -> Result<Response, Refusal> {
    let Form(parameters) = parameters.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid_request")
        }
        _ => INVALID_REQUEST,
    })?;
    let token = parameters.token.map(Secret::from);
    let client_secret = parameters.client_secret.filter(|text| !text.is_empty());
    let client_assertion = parameters.client_assertion.filter(|text| !text.is_empty());
    if client_secret.is_some() || client_assertion.is_some() {
        return Err(INVALID_REQUEST);
    }
    let client_id = parameters.client_id.filter(|text| !text.is_empty());
    if client_id.is_some_and(|client_id| client_id != id) {
        return Err(INVALID_REQUEST);
    }
    if !server.knows(&id, secret.expose()) {
        return Err(INVALID_CLIENT);
    }
    let token = token.ok_or(INVALID_REQUEST)?;
    let can_be_one = |text: &str| text.bytes().all(|byte| matches!(byte, 0x20..=0x7e));
    match token.expose() {
        "" => return Err(INVALID_REQUEST),
        text if text.len() > 16 * 1024 || !can_be_one(text) => return Err(INVALID_REQUEST),
        _ => {}
    }
    // There is only one store, so the hint has no effect.
    drop(parameters.token_type_hint);
    match server.revoke(&id, token.expose()) {
        Outcome::Revoked | Outcome::NotFound => Ok(sealed(StatusCode::OK)),
        _ => Err(Refusal(StatusCode::BAD_REQUEST, "invalid_grant")),
    }
}

/// Checks the head, and parses the credentials of the client.
struct Basic {
    id: String,
    secret: Secret,
}

impl<S: Sync> FromRequestParts<S> for Basic {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        at_most_one(&parts.headers, &header::CONTENT_TYPE)?;
        at_most_one(&parts.headers, &header::AUTHORIZATION)?;
        if parts.headers.contains_key(header::CONTENT_ENCODING) {
            return Err(Refusal(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "invalid_request",
            ));
        }
        let query: Vec<(String, String)> = match parts.uri.query() {
            Some(query) => serde_urlencoded::from_str(query).map_err(|_| INVALID_REQUEST)?,
            None => Vec::new(),
        };
        if query.iter().any(|(name, _)| name == "token") {
            return Err(INVALID_REQUEST);
        }
        let field = parts.headers.get(header::AUTHORIZATION);
        field
            .and_then(|field| Self::parse(field.to_str().ok()?))
            .ok_or(INVALID_CLIENT)
    }
}

impl Basic {
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

fn at_most_one(headers: &HeaderMap, name: &header::HeaderName) -> Result<(), Refusal> {
    match headers.get_all(name).iter().nth(1) {
        Some(_) => Err(INVALID_REQUEST),
        None => Ok(()),
    }
}

struct Refusal(StatusCode, &'static str);

const INVALID_REQUEST: Refusal = Refusal(StatusCode::BAD_REQUEST, "invalid_request");
const INVALID_CLIENT: Refusal = Refusal(StatusCode::UNAUTHORIZED, "invalid_client");

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, code) = self;
        let challenge = [(
            header::WWW_AUTHENTICATE,
            r#"Basic realm="oauth", charset="UTF-8""#,
        )];
        let body = Json(serde_json::json!({ "error": code }));
        match status {
            StatusCode::UNAUTHORIZED => sealed((status, challenge, body)),
            _ => sealed((status, body)),
        }
    }
}

fn sealed(response: impl IntoResponse) -> Response {
    let fields = [
        (header::CACHE_CONTROL, "no-store"),
        (header::PRAGMA, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (fields, response).into_response()
}
