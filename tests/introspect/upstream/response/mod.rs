//! How responses are read, and which are errors.

mod errors;
mod times;

use std::{error::Error as _, time::Duration};

use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tower_revocation::{
    Error, Secret,
    introspect::{Reason, Scope, TokenKind, TokenType, jwt::Audience, upstream::UpstreamErrorKind},
    log::{NumericDate, Selector, SelectorClass},
};

use crate::upstream::{
    active, ask, introspect, printed,
    server::{Does, Server, json as respond, with_status, with_type},
};

const JWT: &str = "eyJhbGciOiJFUzI1NiJ9.e30.c2ln";

fn opaque(token: &str) -> Selector {
    Selector::opaque_token(Sha256::digest(token).into())
}

#[tokio::test]
async fn members_of_an_active_token_are_read() {
    let server = Server::json(active(json!({
        "iss": "https://as.example.com", "sub": "alice", "aud": ["https://api.example.com", "b"],
        "jti": "j1", "sid": "s1", "scope": "read write", "token_type": "bearer", "username": "al",
        "iat": 1000, "nbf": 1001, "exp": 4_000_000_000_u64, "grant_id": "g1",
        "cnf": {
            "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
            "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2",
            "kid": "unknown",
        },
        "anything": { "else": [null, 1.5] },
    })))
    .await;
    let upstream = server
        .uncached_builder()
        .grant_claim("grant_id")
        .tenant("one")
        .build()
        .unwrap();
    // The last two bits of this `x5t#S256` are unused.
    let error = ask(&upstream, "t").await.unwrap_err();
    assert_eq!(error.kind(), UpstreamErrorKind::Malformed);

    server.says(&active(json!({
        "iss": "https://as.example.com", "sub": "alice", "aud": ["https://api.example.com", "b"],
        "jti": "j1", "sid": "s1", "scope": "read write", "token_type": "bearer", "username": "al",
        "iat": 1000, "nbf": 1001, "exp": 4_000_000_000_u64, "grant_id": "g1",
        "cnf": {
            "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
            "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg0",
            "kid": "unknown",
        },
        "anything": { "else": [null, 1.5] },
    })));
    let token = ask(&upstream, "t").await.unwrap().unwrap();
    assert_eq!(token.kind, TokenKind::AccessToken);
    assert_eq!(token.token_type, Some(TokenType::Bearer));
    assert_eq!(token.client_id, "c1");
    assert_eq!(token.iss.as_deref(), Some("https://as.example.com"));
    assert_eq!(token.sub.as_deref(), Some("alice"));
    assert_eq!(token.aud, ["https://api.example.com", "b"]);
    assert_eq!(token.jti.as_deref(), Some("j1"));
    assert_eq!(token.sid.as_deref(), Some("s1"));
    assert_eq!(token.grant.as_deref(), Some("g1"));
    assert_eq!(token.tenant.as_deref(), Some("one"));
    assert_eq!(token.scope.as_ref().unwrap().as_str(), "read write");
    assert_eq!(token.iat, Some(NumericDate::new(1000)));
    assert_eq!(token.nbf, Some(NumericDate::new(1001)));
    assert_eq!(token.exp, Some(NumericDate::new(4_000_000_000)));
    assert_eq!(
        token.token,
        Some(Selector::token("https://as.example.com", "j1"))
    );
    assert_eq!(token.selectors_of(SelectorClass::Key).count(), 2);
    assert_eq!(token.cnf.jkt.unwrap()[..2], [0xd1, 0x97]);
    assert_eq!(token.cnf.x5t_s256.unwrap()[..2], [0x6f, 0x07]);
    assert!(!token.rotated);
}

#[tokio::test]
async fn optional_members_may_be_missing() {
    let server = Server::json(active(json!({}))).await;
    let upstream = server.uncached();
    let bare = ask(&upstream, "t").await.unwrap().unwrap();
    assert_eq!((bare.iat, bare.exp, &bare.sub), (None, None, &None));
    assert_eq!(bare.token, Some(opaque("t")));
    assert!(
        bare.selectors()
            .eq([bare.token.unwrap(), Selector::client("c1")])
    );

    // `null` and empty strings count as missing.
    server.says(&active(json!({
        "iss": null, "sub": "", "aud": null, "jti": null, "sid": "", "scope": null, "iat": null,
        "nbf": null, "exp": null, "cnf": null, "token_type": null, "typ": null, "token_use": null,
    })));
    assert_eq!(ask(&upstream, "t").await.unwrap().unwrap(), bare);
}

#[tokio::test]
async fn inactive_token_is_unrecognised_with_any_other_members() {
    let server = Server::json(json!({ "active": false })).await;
    let upstream = server.uncached();
    assert_eq!(ask(&upstream, "t").await.unwrap(), None);
    server.says(&json!({ "active": false, "client_id": 7, "exp": "never" }));
    assert_eq!(ask(&upstream, "t").await.unwrap(), None);
}

#[tokio::test]
async fn opaque_token_has_the_selector_of_its_digest_and_a_jwt_never() {
    let server = Server::json(active(json!({}))).await;
    let upstream = server.uncached();
    for token in ["45ghiukldjahdnhzdauz", "ory_at_8Yb3.wQ7d", "a-._~+/=="] {
        let known = ask(&upstream, token).await.unwrap().unwrap();
        assert_eq!(known.token, Some(opaque(token)), "{token}");
    }
    // These could be encoded differently, or the server could strip bytes.
    for token in [
        JWT,
        "eyJhbGciOiJFUzI1NiJ9.e30=.c2ln",
        "one.two.three",
        "a.b.c.d.e",
        " a",
        "a=b",
    ] {
        let known = ask(&upstream, token).await.unwrap().unwrap();
        assert_eq!(known.token, None, "{token}");
    }
    // `iss` and `jti` are both needed.
    for half in [json!({ "jti": "j1" }), json!({ "iss": "i1" })] {
        server.says(&active(half));
        assert_eq!(ask(&upstream, JWT).await.unwrap().unwrap().token, None);
        assert_eq!(
            ask(&upstream, "t").await.unwrap().unwrap().token,
            Some(opaque("t"))
        );
    }
    server.says(&active(json!({ "iss": "i1", "jti": "j1" })));
    for token in [JWT, "t"] {
        let known = ask(&upstream, token).await.unwrap().unwrap();
        assert_eq!(known.token, Some(Selector::token("i1", "j1")), "{token}");
    }
}

#[tokio::test]
async fn opaque_token_of_any_visible_characters_has_a_selector_if_allowed() {
    let server = Server::json(active(json!({}))).await;
    let any = server
        .uncached_builder()
        .any_visible_token(true)
        .build()
        .unwrap();
    for token in ["17|yLDoe3", "urn:t:1", "a(b)", "\"{}", "x=y"] {
        let usual = ask(&server.uncached(), token).await.unwrap().unwrap();
        assert_eq!(usual.token, None, "{token}");
        let named = ask(&any, token).await.unwrap().unwrap();
        assert_eq!(named.token, Some(opaque(token)), "{token}");
    }
    // What looks like a JWT may still have another spelling.
    for token in [JWT, "a|b.c.d", "a b", "é"] {
        let named = ask(&any, token).await.unwrap().unwrap();
        assert_eq!(named.token, None, "{token}");
    }
}

#[tokio::test]
async fn refresh_tokens_are_recognised_by_all_known_names() {
    let server = Server::json(active(json!({}))).await;
    let upstream = server.uncached();
    for (beside, kind, token_type) in [
        (
            json!({ "token_type": "Bearer" }),
            Some(TokenKind::AccessToken),
            Some(TokenType::Bearer),
        ),
        (
            json!({ "token_type": "DPoP" }),
            Some(TokenKind::AccessToken),
            Some(TokenType::Dpop),
        ),
        (
            json!({ "token_type": "access_token" }),
            Some(TokenKind::AccessToken),
            None,
        ),
        (
            json!({ "token_use": "access" }),
            Some(TokenKind::AccessToken),
            None,
        ),
        (
            json!({ "typ": "at+jwt" }),
            Some(TokenKind::AccessToken),
            None,
        ),
        (
            json!({ "token_type": "refresh_token" }),
            Some(TokenKind::RefreshToken),
            None,
        ),
        (
            json!({ "token_type": "Bearer", "token_use": "refresh_token" }),
            Some(TokenKind::RefreshToken),
            Some(TokenType::Bearer),
        ),
        (
            json!({ "typ": "Refresh" }),
            Some(TokenKind::RefreshToken),
            None,
        ),
        (
            json!({ "typ": "Offline", "token_type": "Bearer" }),
            Some(TokenKind::RefreshToken),
            Some(TokenType::Bearer),
        ),
        (json!({ "token_use": "id" }), None, None),
        (json!({ "typ": "ID" }), None, None),
        (json!({ "token_type": "id_token" }), None, None),
    ] {
        server.says(&active(beside.clone()));
        let known = ask(&upstream, "t").await.unwrap();
        assert_eq!(known.as_ref().map(|it| it.kind), kind, "{beside}");
        assert_eq!(known.and_then(|it| it.token_type), token_type, "{beside}");
    }
}

#[tokio::test]
async fn token_without_a_client_is_an_error_until_the_claim_is_configured() {
    let server = Server::json(json!({ "active": true, "azp": "c2" })).await;
    let error = ask(&server.uncached(), "t").await.unwrap_err();
    assert_eq!(error.kind(), UpstreamErrorKind::Unowned);
    let upstream = server
        .uncached_builder()
        .client_claim("azp")
        .build()
        .unwrap();
    assert_eq!(ask(&upstream, "t").await.unwrap().unwrap().client_id, "c2");

    server.says(&json!({ "active": true, "azp": "" }));
    let error = ask(&upstream, "t").await.unwrap_err();
    assert_eq!(error.kind(), UpstreamErrorKind::Unowned);
}

#[tokio::test]
async fn scope_may_be_an_array_of_words() {
    let server = Server::json(json!({})).await;
    for (scope, expected) in [
        (json!("read write"), Some("read write")),
        (json!(["read", "write"]), Some("read write")),
        (json!(["read"]), Some("read")),
        (json!(["read", 7, "write"]), Some("read write")),
        // Joined with the others, these would be scopes that the server did not grant.
        (json!(["read", "x admin", "", " "]), Some("read")),
        (json!(["x admin"]), None),
        (json!([]), None),
        (json!(7), None),
    ] {
        server.says(&active(json!({ "scope": scope })));
        let token = ask(&server.uncached(), "t").await.unwrap().unwrap();
        let words = token.scope.as_ref().map(Scope::as_str);
        assert_eq!(words, expected, "{scope}");
    }
}

#[tokio::test]
async fn active_token_for_another_audience_is_unhandled_if_an_audience_is_required() {
    let server = Server::json(json!({})).await;
    let ours = "https://api.example.com";
    let upstream = server
        .uncached_builder()
        .audience(Audience::any_of([ours]))
        .build()
        .unwrap();
    for (aud, is_ours) in [
        (json!(ours), true),
        (json!([ours]), true),
        (json!(["https://other.example.com", ours]), true),
        (json!("https://other.example.com"), false),
        (json!(["https://other.example.com"]), false),
        (json!("https://api.example.com/"), false),
        (json!([]), false),
        (json!(null), false),
    ] {
        server.says(&active(json!({ "aud": aud })));
        let introspected = introspect(&upstream, "t").await.unwrap();
        assert_eq!(introspected.token().is_some(), is_ours, "{aud}");
        let reason = (!is_ours).then_some(Reason::Audience);
        assert_eq!(introspected.reason(), reason, "{aud}");
        let unchecked = ask(&server.uncached(), "t").await.unwrap();
        assert!(unchecked.is_some(), "{aud}");
    }
    // If `aud` is malformed, the token is not accepted.
    for aud in [json!(7), json!([ours, 7]), json!({ "a": ours })] {
        server.says(&active(json!({ "aud": aud })));
        let error = introspect(&upstream, "t").await.unwrap_err();
        assert_eq!(error.kind(), UpstreamErrorKind::Malformed, "{aud}");
    }
    server.says(&json!({ "active": true }));
    let introspected = introspect(&upstream, "t").await.unwrap();
    assert_eq!(introspected.reason(), Some(Reason::Audience));
}
