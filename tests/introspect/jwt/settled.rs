//! Which keys settle that a token is forged, and what the endpoint and the API answer.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

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
    log::{MemoryLog, NumericDate, RevocationLog as _},
    revoke::RecordRevocation,
};
use tracing::subscriber::DefaultGuard;

use crate::jwt::{
    fixture::{AUDIENCE, ISSUER, KEY, Key, claims, header, now, with, without},
    server::Server,
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
async fn token_of_a_new_key_is_revoked_despite_forged_tokens() {
    let (server, tokens) = issuer().await;
    let log = MemoryLog::new();
    // Somebody forges two tokens with new keys: the cool-down has started.
    for kid in ["made-up-1", "made-up-2"] {
        let forged = signed(&Key::generate(), kid, &json!({}));
        assert_eq!(
            present(&tokens, &log, &forged).await.0.0,
            StatusCode::SERVICE_UNAVAILABLE
        );
    }
    assert_eq!(server.fetches(), 2);
    server.serves(Some(KEY.jwks("new")));
    let token = signed(&KEY, "new", &json!({}));
    // The API waits for the cool-down. The owner of the token does not have to.
    let (response, verdict) = present(&tokens, &log, &token).await;
    assert_eq!(response.0, StatusCode::SERVICE_UNAVAILABLE);
    assert!((1..=60).contains(&response.1.unwrap()), "{response:?}");
    assert_eq!(verdict, Some(Verdict::Unknown));
    assert_eq!(
        revoke_with_retry(&tokens, &log, &token).await,
        (StatusCode::OK, None)
    );
    assert_eq!(server.fetches(), 3);
    assert_eq!(log.snapshot().await.unwrap().records.len(), 1);
    let (response, verdict) = present(&tokens, &log, &token).await;
    assert_eq!(response.0, StatusCode::UNAUTHORIZED);
    assert!(matches!(verdict, Some(Verdict::Revoked(_))));
}

#[tokio::test]
async fn revocation_is_503_and_never_200_while_the_keys_are_older_than_the_token() {
    let (server, tokens) = issuer().await;
    let tokens = tokens.remote_keys(server.remote_builder().fetches_per_client(0).build());
    let log = MemoryLog::new();
    assert!(
        introspect(&tokens, &signed(&KEY, "new", &json!({})))
            .await
            .is_err()
    );
    server.serves(Some(KEY.jwks("new")));
    for kid in ["new", "old"] {
        let token = signed(&KEY, kid, &json!({}));
        // The second fetch is due because of the first token.
        let first = revoke(&tokens, &log, &token).await;
        let again = signed(&Key::generate(), kid, &json!({}));
        let again = revoke(&tokens, &log, &again).await;
        assert_eq!(again.0, StatusCode::SERVICE_UNAVAILABLE);
        assert!(again.1.unwrap() >= 1);
        let is_known = kid == "new";
        assert_eq!(first.0 == StatusCode::OK, is_known, "{first:?}");
    }
    assert_eq!(log.snapshot().await.unwrap().records.len(), 1);
}

/// The `Secret` carries the client that asks.
#[tokio::test]
async fn wrapping_introspection_has_to_pass_on_the_same_secret() {
    let (server, tokens) = issuer().await;
    let log = MemoryLog::new();
    for kid in ["made-up-1", "made-up-2"] {
        let forged = signed(&Key::generate(), kid, &json!({}));
        present(&tokens, &log, &forged).await;
    }
    server.serves(Some(KEY.jwks("new")));
    let token = signed(&KEY, "new", &json!({}));

    let inner = tokens.clone();
    let rebuilt = service_fn(move |secret: Secret| {
        let secret = Secret::new(secret.expose());
        inner.clone().oneshot(secret)
    });
    let (status, seconds) = revoke_with_retry(&rebuilt, &log, &token).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(seconds.unwrap() > 1);
    assert_eq!(server.fetches(), 2);

    let same = service_fn(move |secret: Secret| tokens.clone().oneshot(secret.clone()));
    let response = revoke_with_retry(&same, &log, &token).await;
    assert_eq!(response, (StatusCode::OK, None));
    assert_eq!(server.fetches(), 3);
}

#[tokio::test]
async fn key_that_changed_under_the_same_kid_is_found() {
    let (server, tokens) = issuer().await;
    assert!(
        introspect(&tokens, &signed(&KEY, "old", &json!({})))
            .await
            .is_err()
    );
    server.serves(Some(KEY.jwks("old")));
    let known = introspect(&tokens, &signed(&KEY, "old", &json!({}))).await;
    assert!(known.unwrap().token().is_some());
    assert_eq!(server.fetches(), 2);
}

#[tokio::test]
async fn keys_settle_tokens_that_were_issued_a_leeway_before_they_were_fetched() {
    let (server, tokens) = issuer().await;
    let log = MemoryLog::new();
    let forged = |ago: u64| signed(&KEY, "any", &json!({ "iat": now() - ago }));
    for (leeway, ago, settled) in [
        (MINUTE, 0, false),
        (MINUTE, 50, false),
        (MINUTE, 70, true),
        (2 * MINUTE, 70, false),
        (2 * MINUTE, 130, true),
        (Duration::ZERO, 5, true),
    ] {
        let tokens = tokens.clone().leeway(leeway).remote_keys(server.remote());
        let (response, verdict) = present(&tokens, &log, &forged(ago)).await;
        let expected = if settled {
            (
                StatusCode::UNAUTHORIZED,
                Verdict::Invalid(Reason::UnknownKey),
            )
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, Verdict::Unknown)
        };
        assert_eq!((response.0, verdict), (expected.0, Some(expected.1)));
        // The time until a fetch settles it.
        let until = (leeway.as_secs() + 1).saturating_sub(ago).max(1);
        let is_right = response
            .1
            .is_none_or(|delay| (until - 1..=until + 60).contains(&delay));
        assert!(is_right, "{response:?} {leeway:?} {ago}");
        let revoked = revoke(&tokens, &log, &forged(ago)).await;
        let expected = if settled {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        assert_eq!(revoked.0, expected);
    }
    assert!(log.snapshot().await.unwrap().records.is_empty());
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
async fn expired_token_is_refused_with_any_keys() {
    let (server, tokens) = issuer().await;
    let log = MemoryLog::new();
    let ended = |ago: u64| {
        signed(
            &KEY,
            "new",
            &json!({ "iat": now() - 30, "exp": now() - ago }),
        )
    };
    for ago in [1, 30, 59, 61, 600] {
        let (response, verdict) = present(&tokens, &log, &ended(ago)).await;
        assert_eq!(response, (StatusCode::UNAUTHORIZED, None), "{ago}");
        let expected = [
            Some(Verdict::Expired),
            Some(Verdict::Invalid(Reason::UnknownKey)),
        ];
        assert!(expected.contains(&verdict), "{ago}: {verdict:?}");
        // By another clock it may be live. That is unknown, unless it expired long ago.
        let expected = if ago < 60 {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::OK
        };
        assert_eq!(
            revoke(&tokens, &log, &ended(ago)).await.0,
            expected,
            "{ago}"
        );
    }
    // There are no keys at all.
    server.serves(None);
    let tokens = tokens.remote_keys(server.remote());
    let (response, verdict) = present(&tokens, &log, &ended(10)).await;
    assert_eq!(response, (StatusCode::UNAUTHORIZED, None));
    assert_eq!(verdict, Some(Verdict::Expired));
    assert_eq!(
        revoke(&tokens, &log, &ended(10)).await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

/// Otherwise a token with an `iat` in the year 9999 would cause 503 and fetches until that year.
#[tokio::test]
async fn token_from_the_future_is_settled_by_the_next_fetch() {
    let (server, tokens) = issuer().await;
    let log = MemoryLog::new();
    let forged = |ahead: u64| {
        signed(
            &KEY,
            "new",
            &json!({ "iat": now() + ahead, "exp": now() + 2 * ahead }),
        )
    };
    let (response, verdict) = present(&tokens, &log, &forged(3600)).await;
    assert_eq!(response, (StatusCode::UNAUTHORIZED, None));
    // The first fetch was for this token.
    assert_eq!(verdict, Some(Verdict::Invalid(Reason::UnknownKey)));
    for _ in 0..3 {
        let (response, _) = present(&tokens, &log, &forged(250_000_000_000)).await;
        assert_eq!(response, (StatusCode::UNAUTHORIZED, None));
    }
    assert_eq!(server.fetches(), 2);
    // The clock of the issuer is ahead, and the key is new: the owner gets success or 503.
    let owners = forged(3600);
    let response = revoke(&tokens, &log, &owners).await;
    assert_eq!(response.0, StatusCode::SERVICE_UNAVAILABLE);
    server.serves(Some(KEY.jwks("new")));
    assert_eq!(
        revoke_with_retry(&tokens, &log, &owners).await.0,
        StatusCode::OK
    );
    assert_eq!(log.snapshot().await.unwrap().records.len(), 1);
}

#[tokio::test]
async fn token_without_iat_is_settled_by_the_next_fetch() {
    let (server, tokens) = issuer().await;
    let undated = || KEY.sign(&header(), &without(claims(), "iat"));
    // The keys were fetched for this introspection.
    let first = introspect(&tokens, &undated()).await.unwrap();
    assert_eq!(first, Introspected::Unrecognised(Reason::UnknownKey));
    let second = introspect(&tokens, &undated()).await.unwrap();
    assert_eq!(second, Introspected::Unrecognised(Reason::UnknownKey));
    assert_eq!(server.fetches(), 2);
    let third = introspect(&tokens, &undated()).await.unwrap_err();
    assert_eq!(third.kind(), JwtErrorKind::Unsettled);
    assert_eq!(server.fetches(), 2);
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

#[tokio::test]
async fn exp_beyond_the_calendar_is_limited_by_the_longest_lifetime() {
    let tokens = JwtTokens::new(ISSUER, KEY.set(), Audience::any_of([AUDIENCE]));
    let iat = now();
    for exp in [
        json!(253_402_300_800_u64),
        json!(1e18),
        json!(u64::MAX),
        json!(1e300),
    ] {
        let token = signed(&KEY, "k1", &json!({ "iat": iat, "exp": exp }));
        let known = introspect(&tokens, &token).await.unwrap();
        let end = known.token().and_then(|token| token.exp);
        assert_eq!(end.map(NumericDate::seconds), Some(iat + 86_400), "{exp}");
    }
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

/// The events of this thread, as lines.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    pub(crate) fn listen() -> (Self, DefaultGuard) {
        let lines = Self::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(tracing::Level::INFO)
            .with_writer(move || writer.clone())
            .finish();
        (lines, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn length_of_a_token_is_limited_in_one_place() {
    let tokens = JwtTokens::new(ISSUER, KEY.set(), Audience::any_of([AUDIENCE]));
    let log = MemoryLog::new();
    let padded = signed(&KEY, "k1", &json!({ "padding": "x".repeat(30_000) }));
    let (events, verdict) = present(&tokens, &log, &padded).await;
    assert_eq!(events, (StatusCode::UNAUTHORIZED, None));
    assert_eq!(verdict, Some(Verdict::Invalid(Reason::NotAToken)));
    let tokens = tokens.max_size(padded.len());
    assert_eq!(present(&tokens, &log, &padded).await.0.0, StatusCode::OK);
}
