//! `/api/me`: a protected resource (RFC 6750).

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tower_revocation::{
    Secret,
    introspect::{Scope, TokenKind},
    log::NumericDate,
};

use crate::{
    request::{NO_STORE, OAuthError},
    server::Server,
};

pub(crate) async fn me(State(server): State<Server>, headers: HeaderMap) -> Response {
    let Some(token) = bearer(&headers) else {
        // Nothing was wrong with it: nothing was there (RFC 6750 §3.1).
        return challenge(r#"Bearer realm="api""#);
    };
    let token = match server.tokens.introspect(&token) {
        Ok(token) => token,
        Err(error) => return OAuthError::unavailable(&error).into_response(),
    };
    let live = token
        .filter(|token| token.kind == TokenKind::AccessToken)
        .filter(|token| server.index.is_live(token, NumericDate::now()));
    match live {
        Some(token) => {
            let me = json!({
                "sub": token.sub,
                "client_id": token.client_id,
                "scope": token.scope.as_ref().map(Scope::as_str),
            });
            (NO_STORE, Json(me)).into_response()
        }
        None => challenge(
            r#"Bearer realm="api", error="invalid_token", error_description="The token is expired, revoked or unknown""#,
        ),
    }
}

fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| Secret::from(token.trim_start()))
}

fn challenge(challenge: &'static str) -> Response {
    (
        StatusCode::UNAUTHORIZED,
        NO_STORE,
        [(header::WWW_AUTHENTICATE, challenge)],
    )
        .into_response()
}
