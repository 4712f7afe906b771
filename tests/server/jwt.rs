//! Access tokens that are JWTs.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::future::join;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk};
use serde_json::{Value, json};

use super::{
    http::{C1, C2, Http, POST, SPA},
    process::{Server, command, folder},
};

macro_rules! server {
    ($server:ident, $http:ident) => {
        let (_folder, data) = folder();
        let $server = Server::start_with_jwts(&data);
        let $http = Http::to($server.url(""));
    };
}

fn is_jwt(token: &str) -> bool {
    token.split('.').count() == 3 && decode_header(token).is_ok()
}

#[tokio::test]
async fn revoked_refresh_token_ends_every_jwt_of_its_grant() {
    server!(server, http);
    for credentials in [C1, POST, SPA] {
        let (first, refresh) = http.tokens(credentials).await;
        let response = http.refresh(credentials, &refresh).await;
        let (second, refresh) = (
            response.text("access_token"),
            response.text("refresh_token"),
        );
        for access in [&first, &second] {
            assert!(is_jwt(access) && !is_jwt(&refresh));
            let me = http.me(access).await;
            assert_eq!((me.status.as_u16(), &*me.text("sub")), (200, "alice"));
        }

        let response = http.revoke(credentials, &refresh).await;
        assert_eq!((response.status.as_u16(), response.body.len()), (200, 0));
        for access in [&first, &second] {
            assert!(http.me(access).await.is_refused_token());
            assert!(!http.is_active(access).await);
        }
        assert!(
            http.refresh(credentials, &refresh)
                .await
                .is_error(400, "invalid_grant")
        );
    }
    drop(server);
}

#[tokio::test]
async fn revoked_jwt_does_not_end_other_jwts_of_its_grant() {
    server!(server, http);
    let (first, refresh) = http.tokens(C1).await;
    let response = http.refresh(C1, &refresh).await;
    let (second, refresh) = (
        response.text("access_token"),
        response.text("refresh_token"),
    );

    assert_eq!(http.revoke(C1, &first).await.status, 200);
    assert!(http.me(&first).await.is_refused_token());
    assert_eq!(http.me(&second).await.status, 200);
    let third = http.refresh(C1, &refresh).await.text("access_token");
    assert_eq!(http.me(&third).await.status, 200);
    drop(server);
}

#[tokio::test]
async fn spent_refresh_token_ends_the_jwts_of_its_grant() {
    server!(server, http);
    let (first, refresh) = http.tokens(C1).await;
    let second = http.refresh(C1, &refresh).await.text("access_token");
    let again = http.refresh(C1, &refresh).await;
    assert!(again.is_error(400, "invalid_grant"));
    for access in [first, second] {
        assert!(http.me(&access).await.is_refused_token());
    }
    drop(server);
}

#[tokio::test]
async fn jwt_of_a_refresh_that_races_a_revocation_is_never_live() {
    server!(server, http);
    for round in 0..20 {
        let (access, refresh) = http.tokens(SPA).await;
        let revoke = async {
            // Sometimes before the refresh, sometimes after it.
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            http.revoke(SPA, &refresh).await
        };
        let (next, revoked) = join(http.refresh(SPA, &refresh), revoke).await;
        assert_eq!(revoked.status, 200);
        assert!(http.me(&access).await.is_refused_token());
        if next.status == 200 {
            let next = next.text("access_token");
            assert!(http.me(&next).await.is_refused_token());
        } else {
            assert!(next.is_error(400, "invalid_grant"), "{next:?}");
        }
    }
    drop(server);
}

#[tokio::test]
async fn jwt_has_the_requested_scope() {
    server!(server, http);
    let (_, refresh) = http.tokens(C1).await;
    let parameters = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &*refresh),
        ("scope", "read"),
    ];
    let less = http.post("/oauth2/token", C1, &parameters).await;
    assert_eq!(less.text("scope"), "read");
    let me = http.me(&less.text("access_token")).await;
    assert_eq!(me.text("scope"), "read");
    let all = http.refresh(C1, &less.text("refresh_token")).await;
    let me = http.me(&all.text("access_token")).await;
    assert_eq!(me.text("scope"), "read write");
    drop(server);
}

/// The claims, as another library verifies them with the published keys.
async fn verified(http: &Http, token: &str) -> Value {
    let metadata = http.get("/.well-known/oauth-authorization-server").await;
    let issuer = metadata.text("issuer");
    assert_eq!(metadata.text("jwks_uri"), format!("{issuer}/oauth2/jwks"));
    let jwks = http.get("/oauth2/jwks").await;
    let keys: jwk::JwkSet = serde_json::from_slice(&jwks.body).unwrap();
    assert_eq!(jwks.json()["keys"][0].get("d"), None);

    let header = decode_header(token).unwrap();
    assert_eq!(
        (header.typ.as_deref(), header.alg),
        (Some("at+jwt"), Algorithm::ES256)
    );
    let key = keys
        .find(&header.kid.unwrap())
        .expect("a key with this `kid`");
    assert_eq!(
        key.common.key_id.as_ref(),
        Some(&key.thumbprint(jwk::ThumbprintHash::SHA256))
    );
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_issuer(&[&issuer]);
    validation.set_audience(&[format!("{issuer}/api")]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let key = DecodingKey::from_jwk(key).unwrap();
    decode(token, &key, &validation).unwrap().claims
}

#[tokio::test]
async fn published_keys_verify_the_jwt() {
    server!(server, http);
    let (of_alice, _) = http.tokens(C1).await;
    let claims = verified(&http, &of_alice).await;
    for (claim, value) in [
        ("sub", "alice"),
        ("client_id", "s6BhdRkqt3"),
        ("scope", "read write"),
    ] {
        assert_eq!(claims[claim], value);
    }
    let (iat, exp) = (claims["iat"].as_u64(), claims["exp"].as_u64());
    assert_eq!(exp.unwrap() - iat.unwrap(), 3600);

    // A client that acts on its own behalf is the subject (RFC 9068 §2.2).
    let own = http.own_token(C2).await;
    let own = verified(&http, &own).await;
    assert_eq!(own["sub"], "c2");
    for claim in ["jti", "grant"] {
        assert!(own[claim].is_string());
        assert_ne!(own[claim], claims[claim]);
    }
    drop(server);
}

#[tokio::test]
async fn introspection_describes_a_jwt_until_it_is_revoked() {
    server!(server, http);
    let (access, _) = http.tokens(C1).await;
    let claims = verified(&http, &access).await;
    let form = [("token", &*access)];
    let introspection = http.post("/oauth2/introspect", C1, &form).await.json();
    assert_eq!(introspection["active"], true);
    assert_eq!(introspection["token_type"], "Bearer");
    assert_eq!(introspection["aud"], json!([claims["aud"]]));
    for member in ["iss", "sub", "client_id", "scope", "iat", "exp", "jti"] {
        assert_eq!(introspection[member], claims[member], "{member}");
    }

    assert_eq!(http.revoke(C1, &access).await.status, 200);
    let introspection = http.post("/oauth2/introspect", C1, &form).await;
    assert_eq!(introspection.json(), json!({ "active": false }));
    drop(server);
}

#[tokio::test]
async fn jwt_of_another_client_is_refused_and_stays_live() {
    server!(server, http);
    let (access, _) = http.tokens(C2).await;
    for credentials in [C1, POST, SPA] {
        let response = http.revoke(credentials, &access).await;
        assert!(response.is_error(400, "invalid_grant"));
    }
    assert_eq!(http.me(&access).await.status, 200);
    drop(server);
}

/// The same claims with an invalid signature.
pub(crate) fn forged(token: &str) -> String {
    let (signed, _) = token.rsplit_once('.').unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode([1; 64]))
}

#[tokio::test]
async fn forged_jwt_revokes_nothing() {
    server!(server, http);
    let (access, _) = http.tokens(C1).await;
    let forged = forged(&access);
    assert!(http.me(&forged).await.is_refused_token());
    assert!(!http.is_active(&forged).await);
    assert_eq!(http.revoke(C1, &forged).await.status, 200);
    assert_eq!(http.me(&access).await.status, 200);
    drop(server);
}

/// Starts a server whose issuer does not depend on the port.
fn start(data: &Path, access_tokens: &str) -> (Server, Http) {
    let mut command = command();
    command
        .env("DATA", data)
        .env("ISSUER", "https://as.example")
        .env("ACCESS_TOKENS", access_tokens);
    let server = Server::run(command);
    let http = Http::to(server.url(""));
    (server, http)
}

#[tokio::test]
async fn jwts_and_their_revocations_survive_a_kill() {
    let (_folder, data) = folder();
    let (server, http) = start(&data, "jwt");
    let (revoked, live) = (http.own_token(C1).await, http.own_token(C1).await);
    assert_eq!(http.revoke(C1, &revoked).await.status, 200);
    let keys = http.get("/oauth2/jwks").await.json();
    server.kill();

    let (_server, http) = start(&data, "jwt");
    assert_eq!(http.get("/oauth2/jwks").await.json(), keys);
    assert!(http.me(&revoked).await.is_refused_token());
    assert_eq!(http.me(&live).await.status, 200);
}

#[tokio::test]
async fn tokens_of_both_formats_work_with_either_setting() {
    let (_folder, data) = folder();
    for (before, after) in [("jwt", "opaque"), ("opaque", "jwt")] {
        let (server, http) = start(&data, before);
        let (access, refresh) = http.tokens(C1).await;
        assert_eq!(is_jwt(&access), before == "jwt");
        server.kill();

        let (server, http) = start(&data, after);
        assert_eq!(http.me(&access).await.status, 200);
        let response = http.refresh(C1, &refresh).await;
        let (next, refresh) = (
            response.text("access_token"),
            response.text("refresh_token"),
        );
        assert_eq!(is_jwt(&next), after == "jwt");
        assert_eq!(http.revoke(C1, &refresh).await.status, 200);
        for access in [access, next] {
            assert!(http.me(&access).await.is_refused_token());
        }
        server.kill();
    }
}

#[tokio::test]
async fn logs_contain_no_part_of_a_jwt() {
    server!(server, http);
    let (access, refresh) = http.tokens(C1).await;
    http.me(&forged(&access)).await;
    http.revoke(C2, &access).await;
    http.revoke(C1, &access).await;
    http.me(&access).await;
    http.revoke(C1, &refresh).await;

    let log = server.end();
    assert!(log.contains("issued_to_another"), "{log}");
    for part in access.split('.') {
        assert!(!log.contains(part), "{log}");
    }
}
