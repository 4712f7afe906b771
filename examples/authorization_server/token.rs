//! `/oauth2/token` (RFC 6749 §3.2).

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tower_revocation::{
    Secret,
    client::AuthMethod,
    introspect::issued::{Grant, NewToken, Rotation, StoredToken, TokenUse},
    log::{NumericDate, Revocation, RevocationLog as _, Selector},
};

use crate::{
    authorize::{AuthorizationRequest, scope},
    config::AccessTokens,
    request::{NO_STORE, OAuthError, Post},
    server::{ACCESS_TOKEN_LIFETIME, REFRESH_TOKEN_LIFETIME, Server},
};

pub(crate) async fn token(
    State(server): State<Server>,
    post: Post,
) -> Result<Response, OAuthError> {
    let grant_type = post.require("grant_type")?;
    let known = ["authorization_code", "refresh_token", "client_credentials"];
    if !known.contains(&grant_type) {
        return Err(OAuthError::new(
            "unsupported_grant_type",
            "The grant type is unknown",
        ));
    }
    if !post
        .client
        .grant_types()
        .iter()
        .any(|registered| registered == grant_type)
    {
        return Err(OAuthError::new(
            "unauthorized_client",
            "The client is not registered for this grant type",
        ));
    }
    match grant_type {
        "authorization_code" => authorization_code(&server, &post).await,
        "refresh_token" => refresh_token(&server, &post).await,
        _ => client_credentials(&server, &post).await,
    }
}

async fn authorization_code(server: &Server, post: &Post) -> Result<Response, OAuthError> {
    let code = post.require_secret("code")?;
    let known = known(server, post, &code, TokenUse::AuthorizationCode).await?;
    // A code that is used a second time ends its grant, so do not check the rest (RFC 6749 §4.1.2).
    if !known.used {
        let asked: AuthorizationRequest =
            serde_json::from_str(&known.note).map_err(|error| OAuthError::unavailable(&error))?;
        let verifier = post.require("code_verifier")?;
        // RFC 7636 §4.1.
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(unreserved) {
            return Err(OAuthError::invalid_request("code_verifier is malformed"));
        }
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        if challenge != asked.code_challenge
            || asked.redirect_uri.is_some()
                && post.get("redirect_uri") != asked.redirect_uri.as_deref()
        {
            return Err(OAuthError::invalid_grant());
        }
    }
    exchange(server, post, &code, known.grant, None).await
}

async fn refresh_token(server: &Server, post: &Post) -> Result<Response, OAuthError> {
    let token = post.require_secret("refresh_token")?;
    let known = known(server, post, &token, TokenUse::RefreshToken).await?;
    // The scope must not exceed the granted one (RFC 6749 §6).
    let granted = known.grant.scope.as_deref().unwrap_or_default();
    let may_have = |scope: &str| granted.split(' ').any(|granted| granted == scope);
    if !post
        .get("scope")
        .is_none_or(|scope| scope.split(' ').all(may_have))
    {
        return Err(OAuthError::new(
            "invalid_scope",
            "The scope was not granted",
        ));
    }
    exchange(server, post, &token, known.grant, post.get("scope")).await
}

async fn client_credentials(server: &Server, post: &Post) -> Result<Response, OAuthError> {
    if post
        .client
        .token_endpoint_auth_methods()
        .contains(&AuthMethod::None)
    {
        return Err(OAuthError::new(
            "unauthorized_client",
            "A public client cannot use client_credentials",
        ));
    }
    let mut grant = Grant::random(post.client.client_id());
    grant.scope = scope(&post.client, post.get("scope"))?;
    let access_token = match server.access_tokens {
        AccessTokens::Opaque => {
            let new = vec![NewToken::access_token(ACCESS_TOKEN_LIFETIME)];
            let issued = server.tokens.issue(grant.clone(), new).await;
            let issued = issued.map_err(|error| OAuthError::unavailable(&error))?;
            let issued = issued.and_then(|mut issued| issued.pop());
            let issued = issued.ok_or_else(OAuthError::invalid_grant)?;
            (issued.token, issued.exp)
        }
        AccessTokens::Jwt => {
            // The client is the subject of the token, so a revocation of that subject ends it.
            grant.sub = Some(grant.client_id.clone());
            let iat = earliest_iat(server, &grant).await?;
            sign(server, &grant, iat)?
        }
    };
    Ok(tokens(&grant, &access_token, None))
}

/// The earliest `iat` for a JWT of this grant that no revocation covers.
async fn earliest_iat(server: &Server, grant: &Grant) -> Result<NumericDate, OAuthError> {
    let iat = server.tokens.earliest_iat(grant).await;
    iat.map_err(|error| OAuthError::unavailable(&error))?
        .ok_or_else(OAuthError::invalid_grant)
}

fn sign(server: &Server, grant: &Grant, iat: NumericDate) -> Result<AccessToken, OAuthError> {
    let signed = server.signer.sign(grant, iat);
    signed.map_err(|error| OAuthError::unavailable(&error))
}

/// A token and its expiry.
type AccessToken = (Secret, NumericDate);

/// Looks up a token. Fails unless it has this use and belongs to this client.
async fn known(
    server: &Server,
    post: &Post,
    token: &Secret,
    usage: TokenUse,
) -> Result<StoredToken, OAuthError> {
    let known = server.tokens.look_up(token).await;
    known
        .map_err(|error| OAuthError::unavailable(&error))?
        .filter(|known| known.usage == usage)
        .filter(|known| known.grant.client_id == post.client.client_id())
        .ok_or_else(OAuthError::invalid_grant)
}

/// Exchanges an old token for new ones, once. If the old one is used again, two parties have it, so
/// its grant ends (RFC 9700 §4.14.2).
async fn exchange(
    server: &Server,
    post: &Post,
    old: &Secret,
    mut grant: Grant,
    scope: Option<&str>,
) -> Result<Response, OAuthError> {
    let mut access_token = NewToken::access_token(ACCESS_TOKEN_LIFETIME);
    if let Some(scope) = scope {
        // Only for the access token: the next refresh token keeps the whole granted scope.
        access_token = access_token.scope(scope);
        grant.scope = Some(scope.to_owned());
    }
    let mut new = match server.access_tokens {
        AccessTokens::Opaque => vec![access_token],
        AccessTokens::Jwt => Vec::new(),
    };
    if post
        .client
        .grant_types()
        .iter()
        .any(|registered| registered == "refresh_token")
    {
        new.push(NewToken::refresh_token(REFRESH_TOKEN_LIFETIME));
    }
    let rotation = server.tokens.rotate(old, new).await;
    match rotation.map_err(|error| OAuthError::unavailable(&error))? {
        Rotation::Issued(issued) => {
            let of = |usage| issued.iter().find(move |issued| issued.usage == usage);
            let refresh_token = of(TokenUse::RefreshToken);
            let access_token = match (of(TokenUse::AccessToken), refresh_token) {
                (Some(opaque), _) => (opaque.token.clone(), opaque.exp),
                // Its `iat` is good for the JWT too: no revocation covers it.
                (None, Some(refresh_token)) => sign(server, &grant, refresh_token.iat)?,
                (None, None) => sign(server, &grant, earliest_iat(server, &grant).await?)?,
            };
            let refresh_token = refresh_token.map(|issued| &issued.token);
            Ok(tokens(&grant, &access_token, refresh_token))
        }
        Rotation::Reused(grant) => {
            tracing::warn!(client_id = ?grant.client_id, "a spent token was used again; ending its grant");
            let expires = NumericDate::now() + server.tokens.longest_lifetime();
            let record = Revocation::forever(Selector::grant(&grant.id), expires);
            let appended = server.log.append(vec![record]).await;
            appended.map_err(|error| OAuthError::unavailable(&error))?;
            Err(OAuthError::invalid_grant())
        }
        _ => Err(OAuthError::invalid_grant()),
    }
}

/// RFC 6749 §5.1.
fn tokens(grant: &Grant, access_token: &AccessToken, refresh_token: Option<&Secret>) -> Response {
    let (token, exp) = access_token;
    let mut object = json!({
        "token_type": "Bearer",
        "access_token": token.expose(),
        "expires_in": exp.seconds().saturating_sub(NumericDate::now().seconds()),
    });
    if let Some(refresh_token) = refresh_token {
        object["refresh_token"] = refresh_token.expose().into();
    }
    if let Some(scope) = &grant.scope {
        object["scope"] = scope.as_str().into();
    }
    (NO_STORE, Json(object)).into_response()
}
