//! `/oauth2/authorize`: authorization codes with PKCE (RFC 6749 §4.1, RFC 7636) and `iss` (RFC
//! 9207).

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use tower_revocation::{
    client::registry::{Client, Clients as _},
    introspect::issued::{Grant, NewToken},
};

use crate::{
    request::{NO_STORE, OAuthError, parameters},
    server::{CODE_LIFETIME, Server},
};

/// The only user. She is always signed in and always agrees.
const DEMO_USER: &str = "alice";

/// The parameters that the token endpoint compares. Stored with the code.
#[derive(Serialize, Deserialize)]
pub(crate) struct AuthorizationRequest {
    /// As the client sent it, if it did (RFC 6749 §4.1.3).
    pub(crate) redirect_uri: Option<String>,
    pub(crate) code_challenge: String,
}

pub(crate) async fn authorize(
    State(server): State<Server>,
    RawQuery(query): RawQuery,
) -> Result<Response, OAuthError> {
    let parameters = parameters(query.unwrap_or_default().as_bytes())?;
    let get = |name: &str| parameters.get(name).map(String::as_str);

    // Redirect only if the redirect URI belongs to the client (RFC 6749 §4.1.2.1).
    let client_id = get("client_id").ok_or_else(unknown_client)?;
    let client = server.clients.client(client_id).await;
    let client = client
        .map_err(|error| OAuthError::unavailable(&*error))?
        .filter(|client| !client.disabled())
        .ok_or_else(unknown_client)?;
    let redirect_uri = redirect_uri(&client, get("redirect_uri"))?;

    let mut response = vec![("iss", server.issuer.to_string())];
    response.extend(get("state").map(|state| ("state", state.to_owned())));
    match code(&server, &client, &get).await {
        Ok(code) => response.push(("code", code)),
        Err(error) => {
            response.push(("error", error.code.to_owned()));
            response.push(("error_description", error.description));
        }
    }
    redirect(&redirect_uri, &response)
}

async fn code<'a>(
    server: &Server,
    client: &Arc<Client>,
    get: &impl Fn(&str) -> Option<&'a str>,
) -> Result<String, OAuthError> {
    let response_type = get("response_type")
        .ok_or_else(|| OAuthError::invalid_request("The parameter response_type is missing"))?;
    if response_type != "code" {
        return Err(OAuthError::new(
            "unsupported_response_type",
            "response_type is not code",
        ));
    }
    if !client
        .grant_types()
        .iter()
        .any(|grant| grant == "authorization_code")
    {
        return Err(OAuthError::new(
            "unauthorized_client",
            "The client is not registered for this grant type",
        ));
    }
    if get("code_challenge_method") != Some("S256") {
        return Err(OAuthError::invalid_request(
            "code_challenge_method is not S256",
        ));
    }
    // A SHA-256 hash in base64url (RFC 7636 §4.2).
    let code_challenge = get("code_challenge").filter(|challenge| {
        URL_SAFE_NO_PAD
            .decode(challenge)
            .is_ok_and(|hash| hash.len() == 32)
    });
    let code_challenge = code_challenge
        .ok_or_else(|| OAuthError::invalid_request("code_challenge is missing or malformed"))?;
    let asked = AuthorizationRequest {
        redirect_uri: get("redirect_uri").map(str::to_owned),
        code_challenge: code_challenge.to_owned(),
    };

    let mut grant = Grant::random(client.client_id()).subject(DEMO_USER);
    grant.scope = scope(client, get("scope"))?;
    let note = serde_json::to_string(&asked).map_err(|error| OAuthError::unavailable(&error))?;
    let code = vec![NewToken::authorization_code(CODE_LIFETIME).note(note)];
    let issued = server.tokens.issue(grant, code).await;
    let issued = issued.map_err(|error| OAuthError::unavailable(&error))?;
    let code = issued.and_then(|mut issued| issued.pop());
    let code = code.ok_or_else(|| OAuthError::new("access_denied", "The client is revoked"))?;
    Ok(code.token.expose().to_owned())
}

/// The requested scope, if the client may have it. Without a request, the registered scope.
pub(crate) fn scope(client: &Client, asked: Option<&str>) -> Result<Option<String>, OAuthError> {
    let Some(asked) = asked else {
        return Ok(client.scope().map(str::to_owned));
    };
    let registered = client.scope().unwrap_or_default();
    let may_have = |scope| registered.split(' ').any(|registered| registered == scope);
    if asked.split(' ').all(may_have) {
        Ok(Some(asked.to_owned()))
    } else {
        Err(OAuthError::new(
            "invalid_scope",
            "The client may not have this scope",
        ))
    }
}

fn unknown_client() -> OAuthError {
    OAuthError::invalid_request("The client is unknown")
}

/// The redirect URI, if it is registered. Compares **byte for byte**, except for the port of a
/// loopback address (RFC 8252 §7.3).
fn redirect_uri(client: &Client, asked: Option<&str>) -> Result<String, OAuthError> {
    let registered = client.redirect_uris();
    let Some(asked) = asked else {
        return match registered {
            [only] => Ok(only.clone()),
            _ => Err(OAuthError::invalid_request(
                "The parameter redirect_uri is missing",
            )),
        };
    };
    let portless = without_loopback_port(asked);
    registered
        .iter()
        .any(|registered| registered == asked || Some(registered) == portless.as_ref())
        .then(|| asked.to_owned())
        .ok_or_else(|| OAuthError::invalid_request("The redirect_uri is not registered"))
}

fn without_loopback_port(uri: &str) -> Option<String> {
    ["http://127.0.0.1", "http://[::1]"]
        .into_iter()
        .find_map(|host| {
            let rest = uri.strip_prefix(host)?.strip_prefix(':')?;
            let path = rest.find('/')?;
            // `parse` alone would accept a sign.
            let port =
                Some(&rest[..path]).filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
            port?.parse::<u16>().ok()?;
            Some(format!("{host}{}", &rest[path..]))
        })
}

fn redirect(uri: &str, response: &[(&str, String)]) -> Result<Response, OAuthError> {
    let query =
        serde_urlencoded::to_string(response).map_err(|error| OAuthError::unavailable(&error))?;
    let separator = if uri.contains('?') { '&' } else { '?' };
    let location = HeaderValue::try_from(format!("{uri}{separator}{query}"))
        .map_err(|error| OAuthError::unavailable(&error))?;
    Ok((
        StatusCode::SEE_OTHER,
        NO_STORE,
        [(header::LOCATION, location)],
    )
        .into_response())
}
