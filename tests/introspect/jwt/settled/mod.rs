//! Which keys settle that a token is forged, and what the endpoint and the API answer.

mod revocation;
mod time;

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER},
};
use serde_json::{Value, json};
use tower::{BoxError, Layer as _, Service, ServiceExt as _, service_fn};
use tower_revocation::{
    RevocationLayer, Secret,
    client::Credentials,
    enforce::{EnforcementLayer, Index, Refused, Verdict},
    introspect::{
        Introspected, Reason,
        jwt::{Audience, JwtError, JwtErrorKind, JwtTokens},
    },
    log::{MemoryLog, NumericDate},
    revoke::RecordRevocation,
};

use crate::{
    events::Lines,
    jwt::{
        fixture::{AUDIENCE, ISSUER, KEY, Key, claims, header, now, with, without},
        server::Server,
    },
};

const MINUTE: Duration = Duration::from_secs(60);

/// An issuer that publishes a retired key.
async fn issuer() -> (Server, JwtTokens) {
    let server = Server::start().await;
    server.serves(Some(Key::generate().jwks("old")));
    let tokens = JwtTokens::new(ISSUER, server.keys(), Audience::any_of([AUDIENCE]));
    let tokens = tokens.remote_keys(server.remote());
    (server, tokens)
}

/// A token with these claims, signed with this key, which it calls `kid`.
fn signed(key: &Key, kid: &str, more: &Value) -> String {
    key.sign(
        &with(header(), &json!({ "kid": kid })),
        &with(claims(), more),
    )
}

async fn introspect(tokens: &JwtTokens, token: &str) -> Result<Introspected, JwtError> {
    tokens.clone().oneshot(Secret::new(token)).await
}

/// The status, and the seconds of `Retry-After`.
type StatusAndDelay = (StatusCode, Option<u64>);

fn status_and_delay<B>(response: &Response<B>) -> StatusAndDelay {
    let seconds = response.headers().get(RETRY_AFTER);
    let seconds = seconds.map(|seconds| seconds.to_str().unwrap().parse().unwrap());
    (response.status(), seconds)
}

/// What the endpoint answers when the client of all tokens revokes this one.
async fn revoke<I>(tokens: &I, log: &MemoryLog, token: &str) -> StatusAndDelay
where
    I: Service<Secret, Response: Into<Introspected>> + Clone + Send + Sync + 'static,
    I::Error: Into<BoxError>,
    I::Future: Send,
{
    let backend =
        RecordRevocation::new(tokens.clone(), log.clone()).responsible_for_all_tokens(true);
    let client = service_fn(async |_: Request<Credentials>| {
        Ok::<_, BoxError>(Some("s6BhdRkqt3".to_owned()))
    });
    let inner = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, BoxError>(Response::new(Full::<Bytes>::default()))
    });
    let service = RevocationLayer::new("/revoke", client, backend).layer(inner);
    let request = Request::post("/revoke")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::from(format!("client_id=s6BhdRkqt3&token={token}")))
        .unwrap();
    status_and_delay(&service.oneshot(request).await.unwrap())
}

/// The same, for a client that tries again once after `Retry-After`. No source is asked twice
/// within a second.
async fn revoke_with_retry<I>(tokens: &I, log: &MemoryLog, token: &str) -> StatusAndDelay
where
    I: Service<Secret, Response: Into<Introspected>> + Clone + Send + Sync + 'static,
    I::Error: Into<BoxError>,
    I::Future: Send,
{
    let response = revoke(tokens, log, token).await;
    match response {
        (StatusCode::SERVICE_UNAVAILABLE, Some(seconds @ 0..=1)) => {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            revoke(tokens, log, token).await
        }
        response => response,
    }
}

/// What the API answers to this token.
async fn present(
    tokens: &JwtTokens,
    log: &MemoryLog,
    token: &str,
) -> (StatusAndDelay, Option<Verdict>) {
    let index = Index::follow(log).await.unwrap();
    let api = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, BoxError>(Response::new(Full::<Bytes>::default()))
    });
    let service = EnforcementLayer::new(tokens.clone(), index).layer(api);
    let request = Request::get("/")
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(Full::default())
        .unwrap();
    let response = service.oneshot(request).await.unwrap();
    let refused = response.extensions().get::<Refused>();
    (status_and_delay(&response), refused.map(Refused::verdict))
}

#[tokio::test]
async fn fixed_keys_settle_every_token() {
    let tokens = JwtTokens::new(ISSUER, KEY.set(), Audience::any_of([AUDIENCE]));
    let log = MemoryLog::new();
    for (kid, reason) in [("k1", Reason::Signature), ("k2", Reason::UnknownKey)] {
        let forged = signed(&Key::generate(), kid, &json!({}));
        let (response, verdict) = present(&tokens, &log, &forged).await;
        assert_eq!(response, (StatusCode::UNAUTHORIZED, None));
        assert_eq!(verdict, Some(Verdict::Invalid(reason)));
        assert_eq!(revoke(&tokens, &log, &forged).await, (StatusCode::OK, None));
    }
}

#[tokio::test]
async fn empty_set_does_not_replace_the_last_good_one() {
    let (server, tokens) = issuer().await;
    server.serves(Some(KEY.jwks("k1")));
    let remote = server
        .remote_builder()
        .lifetime_bounds(Duration::ZERO, Duration::ZERO)
        .cool_down(Duration::ZERO)
        .build();
    let tokens = tokens.remote_keys(remote);
    let good = signed(&KEY, "k1", &json!({}));
    assert!(introspect(&tokens, &good).await.is_ok());
    let enc = KEY.jwk(&json!({ "use": "enc" }));
    for nothing in [
        json!([]),
        json!([enc]),
        json!([{ "kty": "unknown" }]),
        json!([7]),
    ] {
        server.serves(Some(json!({ "keys": nothing })));
        let known = introspect(&tokens, &good).await.unwrap();
        assert!(known.token().is_some(), "{nothing}");
        let new = signed(&Key::generate(), "k2", &json!({}));
        assert!(introspect(&tokens, &new).await.is_err(), "{nothing}");
    }
}

#[tokio::test]
async fn genuine_token_of_another_kind_or_audience_is_unhandled() {
    let tokens = JwtTokens::new(ISSUER, KEY.set(), Audience::any_of([AUDIENCE]));
    let exp = now() + 300;
    let log = MemoryLog::new();
    for (reason, header, claims) in [
        (
            Reason::Typ,
            with(header(), &json!({ "typ": "JWT" })),
            claims(),
        ),
        (
            Reason::Audience,
            header(),
            with(claims(), &json!({ "aud": "account" })),
        ),
        (Reason::Client, header(), without(claims(), "client_id")),
        (
            Reason::Claim,
            header(),
            with(claims(), &json!({ "cnf": {} })),
        ),
    ] {
        let claims = with(claims, &json!({ "exp": exp }));
        let token = KEY.sign(&header, &claims);
        let introspected = introspect(&tokens, &token).await.unwrap();
        let Introspected::Unhandled {
            reason: found,
            exp: end,
            ..
        } = introspected
        else {
            panic!("{reason}: {introspected:?}");
        };
        assert_eq!((found, end.map(NumericDate::seconds)), (reason, Some(exp)));
        assert_eq!(
            revoke(&tokens, &log, &token).await.0,
            StatusCode::BAD_REQUEST
        );
        let (response, verdict) = present(&tokens, &log, &token).await;
        assert_eq!(response, (StatusCode::UNAUTHORIZED, None));
        assert_eq!(verdict, Some(Verdict::Invalid(reason)));
        // Signed with another key, it is forged.
        let forged = Key::generate().sign(&header, &claims);
        let introspected = introspect(&tokens, &forged).await.unwrap();
        assert_eq!(introspected, Introspected::Unrecognised(Reason::Signature));
    }
    // An offline token of Keycloak: `exp` is 0, and it never expires.
    let offline = with(claims(), &json!({ "exp": 0, "typ": "Offline" }));
    let offline = KEY.sign(&with(header(), &json!({ "typ": "JWT" })), &offline);
    assert_eq!(
        revoke(&tokens, &log, &offline).await.0,
        StatusCode::BAD_REQUEST
    );
}

/// Anybody can cause this error with a forged token.
#[tokio::test]
async fn unsettled_token_is_not_an_alarm() {
    let (lines, _guard) = Lines::listen();
    let (server, tokens) = issuer().await;
    let log = MemoryLog::new();
    let forged = signed(&Key::generate(), "made-up", &json!({}));
    present(&tokens, &log, &forged).await;
    revoke(&tokens, &log, &forged).await;
    let events = lines.take();
    assert!(
        events.contains(" WARN ") && !events.contains("ERROR"),
        "{events}"
    );
    assert!(events.contains("not newer than the token"), "{events}");
    for part in forged.split('.') {
        assert!(!events.contains(part));
    }
    // Keys that cannot be fetched are an alarm.
    server.serves(None);
    let tokens = tokens.remote_keys(server.remote());
    present(&tokens, &log, &forged).await;
    assert!(lines.take().contains("ERROR"));
    revoke(&tokens, &log, &forged).await;
    assert!(lines.take().contains("ERROR"));
}

#[tokio::test]
async fn length_of_a_token_is_limited_in_one_place() {
    let tokens = JwtTokens::new(ISSUER, KEY.set(), Audience::any_of([AUDIENCE]));
    let log = MemoryLog::new();
    let padded = signed(&KEY, "k1", &json!({ "padding": "x".repeat(30_000) }));
    let (response, verdict) = present(&tokens, &log, &padded).await;
    assert_eq!(response, (StatusCode::UNAUTHORIZED, None));
    assert_eq!(verdict, Some(Verdict::Invalid(Reason::NotAToken)));
    let tokens = tokens.max_size(padded.len());
    assert_eq!(present(&tokens, &log, &padded).await.0.0, StatusCode::OK);
}
