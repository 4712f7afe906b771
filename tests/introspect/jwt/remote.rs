//! Keys at a URI: rotated, not found, and unreachable.

use std::{error::Error as _, time::Duration};

use futures::{FutureExt as _, future::join_all};
use serde_json::{Value, json};
use tower::{Service as _, ServiceExt as _};
use tower_revocation::{
    Secret,
    introspect::{
        Introspected, Introspection, Reason,
        jwt::{Audience, JwtError, JwtErrorKind, JwtTokens},
    },
    jose::{Algorithm, Keys, RemoteKeys},
};

use crate::jwt::{
    fixture::{AUDIENCE, ISSUER, KEY, Key, claims, header, now, token, with, without},
    server::Server,
};

fn tokens(server: &Server, remote: RemoteKeys) -> JwtTokens {
    JwtTokens::new(ISSUER, server.keys(), Audience::any_of([AUDIENCE])).remote_keys(remote)
}

async fn ask(tokens: &JwtTokens, token: &str) -> Result<Option<Introspection>, JwtError> {
    let introspected = tokens.clone().oneshot(Secret::new(token)).await;
    introspected.map(Introspected::into_token)
}

fn by(key: &Key, kid: &str) -> String {
    key.sign(&with(header(), &json!({ "kid": kid })), &claims())
}

/// The same, issued ten minutes ago.
fn old(key: &Key, kid: &str) -> String {
    let claims = with(claims(), &json!({ "iat": now() - 600 }));
    key.sign(&with(header(), &json!({ "kid": kid })), &claims)
}

async fn publishing(jwks: Value) -> Server {
    let server = Server::start().await;
    server.serves(Some(jwks));
    server
}

#[tokio::test]
async fn keys_are_fetched_once_and_then_cached() {
    let server = publishing(KEY.jwks("k1")).await;
    let mut tokens = tokens(&server, server.remote());
    assert_eq!(server.fetches(), 0);
    let fetched = ask(&tokens, &token(&json!({}))).await.unwrap();
    assert_eq!(fetched.unwrap().client_id, "s6BhdRkqt3");

    let at_hand = tokens.call(Secret::new(token(&json!({}))));
    assert!(at_hand.now_or_never().unwrap().unwrap().token().is_some());
    let forged = old(&Key::generate(), "k1");
    assert!(ask(&tokens, &forged).await.unwrap().is_none());
    assert_eq!(server.fetches(), 1);
}

#[tokio::test]
async fn thousand_tokens_at_once_cause_one_fetch() {
    let server = publishing(KEY.jwks("k1")).await;
    let tokens = tokens(&server, server.remote());
    let token = token(&json!({}));
    for introspected in join_all((0..1000).map(|_| ask(&tokens, &token))).await {
        assert!(introspected.unwrap().is_some());
    }
    assert_eq!(server.fetches(), 1);
}

#[tokio::test]
async fn rotated_key_is_found() {
    let (old, new) = (Key::generate(), Key::generate());
    let server = publishing(old.jwks("2026-10")).await;
    let tokens = tokens(&server, server.remote());
    let (by_old, by_new) = (self::old(&old, "2026-10"), by(&new, "2026-11"));
    assert!(ask(&tokens, &by_old).await.unwrap().is_some());
    server.serves(Some(new.jwks("2026-11")));
    assert!(ask(&tokens, &by_new).await.unwrap().is_some());
    assert!(ask(&tokens, &by_old).await.unwrap().is_none());
    assert_eq!(server.fetches(), 2);
}

#[tokio::test]
async fn thousand_forged_tokens_cause_one_fetch() {
    let server = publishing(KEY.jwks("k1")).await;
    let tokens = tokens(&server, server.remote());
    assert!(ask(&tokens, &token(&json!({}))).await.unwrap().is_some());
    let stranger = Key::generate();
    for n in 0..1000 {
        let kid = format!("made-up-{n}");
        // Either no key is newer than those at hand, or one may be.
        let forged = ask(&tokens, &old(&stranger, &kid)).await;
        assert!(forged.unwrap().is_none());
        let forged = ask(&tokens, &by(&stranger, &kid)).await;
        assert_eq!(forged.unwrap_err().kind(), JwtErrorKind::Unsettled);
    }
    assert_eq!(server.fetches(), 2);
}

/// No key could make these texts tokens of this issuer.
#[tokio::test]
async fn token_that_does_not_name_the_issuer_causes_no_fetch() {
    let server = publishing(KEY.jwks("k1")).await;
    let tokens = tokens(&server, server.remote()).algorithms([Algorithm::Es256]);
    let unhandled = |reason| Introspected::unhandled(reason, None);
    for (expected, header, claims) in [
        (
            Introspected::Unrecognised(Reason::Issuer),
            header(),
            with(claims(), &json!({ "iss": "https://evil.example.com" })),
        ),
        (
            Introspected::Unrecognised(Reason::Algorithm),
            with(header(), &json!({ "alg": "RS256" })),
            claims(),
        ),
        (
            Introspected::Unrecognised(Reason::Algorithm),
            with(header(), &json!({ "alg": "HS512" })),
            claims(),
        ),
        (
            Introspected::Unrecognised(Reason::Algorithm),
            with(header(), &json!({ "alg": "ES256K" })),
            claims(),
        ),
        (
            unhandled(Reason::NotAToken),
            with(header(), &json!({ "crit": ["exp"] })),
            claims(),
        ),
        (
            unhandled(Reason::NotAToken),
            with(header(), &json!({ "kid": "k".repeat(300) })),
            claims(),
        ),
        (
            unhandled(Reason::NotAToken),
            header(),
            with(claims(), &json!({ "long": "x".repeat(16 * 1024) })),
        ),
        (
            Introspected::Unrecognised(Reason::Algorithm),
            with(header(), &json!({ "alg": "none" })),
            claims(),
        ),
    ] {
        let token = Secret::new(KEY.sign(&header, &claims));
        let introspected = tokens.clone().oneshot(token).await.unwrap();
        assert_eq!(introspected, expected, "{header}");
        assert_eq!(server.fetches(), 0, "{header}");
    }
    let introspected = tokens.oneshot(Secret::new("45ghiukldjahdnhzdauz")).await;
    assert_eq!(
        introspected.unwrap(),
        Introspected::Unrecognised(Reason::NotAToken)
    );
    assert_eq!(server.fetches(), 0);
}

/// With any algorithms allowed: a key set has no shared secrets.
#[tokio::test]
async fn token_with_a_shared_secret_algorithm_causes_no_fetch() {
    let server = publishing(KEY.jwks("k1")).await;
    let tokens = tokens(&server, server.remote());
    let willing = tokens.algorithms(Algorithm::ALL.iter().copied());
    for alg in ["HS256", "HS384", "HS512"] {
        let token = KEY.sign(&with(header(), &json!({ "alg": alg })), &claims());
        assert!(ask(&willing, &token).await.unwrap().is_none(), "{alg}");
    }
    assert_eq!(server.fetches(), 0);
}

#[tokio::test]
async fn without_keys_introspection_fails() {
    let server = Server::start().await;
    let tokens = tokens(&server, server.remote());
    let token = token(&json!({}));
    let error = ask(&tokens, &token).await.unwrap_err();
    let mut shown = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        shown = format!("{shown} {cause} {cause:?}");
        source = cause.source();
    }
    for part in token.split('.') {
        assert!(!shown.contains(part));
    }
    // The source is not asked again for a while. A malformed token is still refused.
    assert!(ask(&tokens, &token).await.is_err());
    assert!(
        ask(&tokens, "45ghiukldjahdnhzdauz")
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(server.fetches(), 1);
}

#[tokio::test]
async fn keys_that_may_not_be_fetched_are_an_error() {
    let elsewhere = Keys::from_client_uri("https://169.254.169.254/latest").unwrap();
    let tokens = JwtTokens::new(ISSUER, elsewhere, Audience::any_of([AUDIENCE]));
    assert!(ask(&tokens, &token(&json!({}))).await.is_err());
}

/// Old keys stay usable while the source is down, but a token that they do not verify may be signed
/// with a new one.
#[tokio::test]
async fn unknown_key_is_an_error_while_the_source_is_down() {
    let server = publishing(KEY.jwks("k1")).await;
    let tokens = tokens(
        &server,
        server
            .remote_builder()
            .lifetime_bounds(Duration::ZERO, Duration::ZERO)
            .cool_down(Duration::ZERO)
            .build(),
    );
    assert!(ask(&tokens, &token(&json!({}))).await.unwrap().is_some());
    server.serves(None);

    let new = Key::generate();
    assert!(ask(&tokens, &by(&new, "k2")).await.is_err());
    let unnamed = without(header(), "kid");
    assert!(ask(&tokens, &new.sign(&unnamed, &claims())).await.is_err());
    // These tokens name a known key.
    assert!(ask(&tokens, &token(&json!({}))).await.unwrap().is_some());
    assert!(ask(&tokens, &old(&new, "k1")).await.unwrap().is_none());
    assert!(ask(&tokens, &by(&new, "k1")).await.is_err());
    assert!(
        ask(&tokens, &KEY.sign(&unnamed, &claims()))
            .await
            .unwrap()
            .is_some()
    );

    server.serves(Some(new.jwks("k2")));
    assert!(ask(&tokens, &by(&new, "k2")).await.unwrap().is_some());
}

/// The source is asked once for a new key and does not have it. It is then not asked for a while,
/// and the token stays unsettled.
#[tokio::test]
async fn new_key_that_the_source_lacks_is_an_error() {
    let server = publishing(KEY.jwks("k1")).await;
    let tokens = tokens(&server, server.remote());
    assert!(ask(&tokens, &token(&json!({}))).await.unwrap().is_some());
    server.serves(None);
    let by_new = by(&Key::generate(), "k2");
    for _ in 0..3 {
        assert!(ask(&tokens, &by_new).await.is_err());
    }
    assert!(ask(&tokens, &token(&json!({}))).await.unwrap().is_some());
    assert_eq!(server.fetches(), 2);
}
