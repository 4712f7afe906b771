//! `/oauth2/introspect` (RFC 7662).

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde_json::json;
use tower::ServiceExt as _;
use tower_revocation::{
    client::AuthMethod,
    introspect::{Claims, TokenKind},
    log::NumericDate,
};

use crate::{
    request::{NO_STORE, OAuthError, Post},
    server::Server,
};

pub(crate) async fn introspect(
    State(server): State<Server>,
    post: Post,
) -> Result<Response, OAuthError> {
    // A public client is not authenticated. Every other client of this demo is a resource server
    // too, and may introspect the tokens of all clients (RFC 7662 §2.1). Your server may want to
    // register resource servers.
    if post
        .client
        .token_endpoint_auth_methods()
        .contains(&AuthMethod::None)
    {
        return Err(OAuthError::invalid_client());
    }
    let token = post.require_secret("token")?;
    let token = server.introspect.oneshot(token).await;
    let token = token
        .map_err(|error| OAuthError::unavailable(&*error))?
        .into_token()
        .filter(|token| server.index.is_live(token, NumericDate::now()));
    let Some(token) = token else {
        return Ok((NO_STORE, Json(json!({ "active": false }))).into_response());
    };
    let Claims {
        client_id,
        sub,
        scope,
        iat,
        exp,
        aud,
        jti,
        kind,
        ..
    } = token.into_claims();
    let mut object = json!({
        "active": true,
        "iss": &*server.issuer,
        "client_id": client_id,
    });
    let optional = [
        ("sub", sub.map(Into::into)),
        ("scope", scope.map(|scope| scope.as_str().into())),
        ("iat", iat.map(|iat| iat.seconds().into())),
        ("exp", exp.map(|exp| exp.seconds().into())),
        ("aud", (!aud.is_empty()).then(|| aud.into())),
        ("jti", jti.map(Into::into)),
        // A refresh token has no `token_type`.
        (
            "token_type",
            (kind == TokenKind::AccessToken).then(|| "Bearer".into()),
        ),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            object[name] = value;
        }
    }
    Ok((NO_STORE, Json(object)).into_response())
}
