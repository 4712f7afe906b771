//! The records that are written when a client revokes a token.

use std::time::Duration;

use serde_json::{Value, json};
use tower::{BoxError, ServiceExt as _};
use tower_revocation::{
    Outcome, RevocationRequest, Secret,
    introspect::jwt::{Audience, Dialect, JwtTokens},
    log::{MemoryLog, NumericDate, Revocation, Selector, Snapshot},
    revoke::{Cascade, RecordRevocation},
};

use crate::jwt::{
    fixture::{AUDIENCE, ISSUER, KEY, Key, claims, header, now, token, tokens, with, without},
    server::Server,
};

const CLIENT: &str = "s6BhdRkqt3";
/// The default of [`RecordRevocation`].
const LEEWAY: Duration = Duration::from_secs(60);

/// The outcome for the client, and the records in the log.
async fn revoke_at(tokens: JwtTokens, token: &str) -> (Outcome, Vec<Revocation>) {
    let log = MemoryLog::new();
    let outcome = ask(tokens, &log, token).await.unwrap();
    (outcome, Snapshot::of(&log).await.unwrap().records)
}

async fn revoke(token: &str) -> (Outcome, Vec<Revocation>) {
    revoke_at(tokens(), token).await
}

async fn ask(tokens: JwtTokens, log: &MemoryLog, token: &str) -> Result<Outcome, BoxError> {
    let request = RevocationRequest::new(CLIENT.to_owned(), Secret::new(token));
    RecordRevocation::new(tokens, log.clone())
        .oneshot(request)
        .await
}

fn forever(selector: Selector, expires: NumericDate) -> Vec<Revocation> {
    vec![Revocation::forever(selector, expires)]
}

#[tokio::test]
async fn record_expires_with_its_token() {
    let exp = now() + 300;
    let selector = Selector::token(ISSUER, "dbe39bf3a3ba4238a513f51d6e1691c4");
    let expected = forever(selector, NumericDate::new(exp) + LEEWAY);
    let revoked = revoke(&token(&json!({ "exp": exp }))).await;
    assert_eq!(revoked, (Outcome::Revoked, expected));
}

#[tokio::test]
async fn record_of_a_long_lived_token_expires_after_the_longest_lifetime() {
    let iat = now() - 10;
    let years = token(&json!({ "iat": iat, "exp": iat + 1_000_000_000 }));
    let hour = Duration::from_secs(3600);
    let (outcome, records) = revoke_at(tokens().longest_lifetime(hour), &years).await;
    let expires = records.iter().map(Revocation::expires);
    let end = NumericDate::new(iat) + hour + LEEWAY;
    assert_eq!(outcome, Outcome::Revoked);
    assert_eq!(expires.collect::<Vec<_>>(), [end]);
}

#[tokio::test]
async fn unrecognised_token_writes_nothing_and_is_success_only_if_stated() {
    let foreign = token(&json!({ "iss": "https://evil.example.com" }));
    let forged = Key::generate().sign(&header(), &claims());
    for (reason, token) in [
        ("forged", &*forged),
        ("foreign", &*foreign),
        ("opaque", "45ghiukldjahdnhzdauz"),
    ] {
        let expected = (Outcome::Unsupported, vec![]);
        assert_eq!(revoke(token).await, expected, "{reason}");
        let log = MemoryLog::new();
        let backend = RecordRevocation::new(tokens(), log.clone()).responsible_for_all_tokens(true);
        let request = RevocationRequest::new(CLIENT.to_owned(), Secret::new(token));
        let outcome = backend.oneshot(request).await.unwrap();
        assert_eq!(outcome, Outcome::NotFound, "{reason}");
        assert!(Snapshot::of(&log).await.unwrap().records.is_empty());
    }
}

/// The token may be a live refresh token, or a token for another API.
#[tokio::test]
async fn unhandled_token_is_never_success() {
    let elsewhere = token(&json!({ "aud": "https://other.example.com" }));
    let other_type = KEY.sign(&with(header(), &json!({ "typ": "JWT" })), &claims());
    for token in [elsewhere, other_type] {
        assert_eq!(revoke(&token).await, (Outcome::Unsupported, vec![]));
        let log = MemoryLog::new();
        let backend = RecordRevocation::new(tokens(), log.clone()).responsible_for_all_tokens(true);
        let request = RevocationRequest::new(CLIENT.to_owned(), Secret::new(token));
        let outcome = backend.oneshot(request).await.unwrap();
        assert_eq!(outcome, Outcome::Unsupported);
        assert!(Snapshot::of(&log).await.unwrap().records.is_empty());
    }
}

#[tokio::test]
async fn token_of_another_client_writes_nothing_live_or_expired() {
    let theirs = json!({ "client_id": "c2" });
    let expired = with(
        theirs.clone(),
        &json!({ "iat": now() - 600, "exp": now() - 300 }),
    );
    for theirs in [theirs, expired] {
        let expected = (Outcome::IssuedToAnother, vec![]);
        assert_eq!(revoke(&token(&theirs)).await, expected);
    }
}

#[tokio::test]
async fn expired_token_writes_nothing() {
    let expired = |exp| token(&json!({ "iat": now() - 600, "exp": exp }));
    let (outcome, records) = revoke(&expired(now() - 300)).await;
    assert_eq!((outcome, records), (Outcome::NotFound, vec![]));
    // By another clock the token may be live.
    let (outcome, records) = revoke(&expired(now() - 30)).await;
    assert_eq!((outcome, records.len()), (Outcome::Revoked, 1));
    // So has a token with a later `exp` whose longest lifetime has passed.
    let old = token(&json!({ "iat": now() - 100_000, "exp": now() + 300 }));
    assert_eq!(revoke(&old).await, (Outcome::NotFound, vec![]));
}

/// RFC 7009 §2.2.1: the token is ours and live, but has no identifier.
#[tokio::test]
async fn token_without_an_identifier_is_unsupported() {
    let nameless = KEY.sign(&header(), &without(claims(), "jti"));
    let expected = (Outcome::Unsupported, vec![]);
    assert_eq!(revoke(&nameless).await, expected);
}

#[tokio::test]
async fn token_revoked_again_in_another_spelling_writes_no_second_record() {
    let log = MemoryLog::new();
    let claims = claims();
    let mut positions = Vec::new();
    for _ in 0..3 {
        // Every signature is different.
        let token = KEY.sign(&header(), &claims);
        let outcome = ask(tokens(), &log, &token).await.unwrap();
        assert_eq!(outcome, Outcome::Revoked);
        positions.push(Snapshot::of(&log).await.unwrap().position);
    }
    assert!(positions.iter().all(|position| *position == positions[0]));
}

#[tokio::test]
async fn grant_claim_of_the_dialect_revokes_the_whole_grant() {
    let dialect = Dialect::rfc9068().grant("origin_jti");
    let claims: Value = with(claims(), &json!({ "origin_jti": "g1" }));
    let log = MemoryLog::new();
    let token = Secret::new(KEY.sign(&header(), &claims));
    let backend = RecordRevocation::new(tokens().dialect(dialect).tenant("t1"), log.clone())
        .access_token_cascade(Cascade::Grant);
    let request = RevocationRequest::new(CLIENT.to_owned(), token);
    assert_eq!(backend.oneshot(request).await.unwrap(), Outcome::Revoked);
    let grant = Selector::grant("g1").within("t1");
    let records = Snapshot::of(&log).await.unwrap().records;
    assert_eq!(records, forever(grant, NumericDate::FOREVER));
}

#[tokio::test]
async fn without_keys_revocation_fails_and_writes_nothing() {
    let server = Server::start().await;
    let tokens = JwtTokens::new(ISSUER, server.keys(), Audience::any_of([AUDIENCE]))
        .remote_keys(server.remote());
    let log = MemoryLog::new();
    assert!(ask(tokens, &log, &token(&json!({}))).await.is_err());
    assert!(Snapshot::of(&log).await.unwrap().records.is_empty());
}
