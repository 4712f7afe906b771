//! The cache, with clocks and a source of keys that the tests set. Whether a token came from the
//! cache shows in the number of signatures that were verified.

mod history;
mod keys;
mod verdicts;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::super::{Audience, Dialect, JwtError, JwtTokens};
use crate::{
    date::fake::NOW,
    introspect::{Introspected, Introspection, Reason},
    jose::{FakeSource, KeySet, Keys, tests::effort::verified},
    log::NumericDate,
    test_util::{TestIssuer, TestToken},
    token::Secret,
};

const ISSUER: &str = "https://issuer.test";
const HOUR: Duration = Duration::from_secs(3600);

fn issuer() -> TestIssuer {
    TestIssuer::new(ISSUER)
}

/// Tokens that are signed with the keys that the issuer has now.
fn fixed(issuer: &TestIssuer) -> JwtTokens {
    JwtTokens::new(ISSUER, issuer.key_set(), audience())
}

fn audience() -> Audience {
    Audience::any_of([TestIssuer::AUDIENCE])
}

/// Tokens that are signed with keys of a source.
fn fetched(source: &Arc<FakeSource>) -> JwtTokens {
    let keys = Keys::from_uri("https://issuer.test/keys").unwrap();
    long_lived(keys).remote_keys(source.remote_keys(10))
}

fn long_lived(keys: impl Into<Keys>) -> JwtTokens {
    let tokens = JwtTokens::new(ISSUER, keys, audience()).longest_lifetime(1000 * HOUR);
    tokens.dialect(Dialect::rfc9068().grant(TestIssuer::GRANT_CLAIM))
}

type Outcome = Result<Introspected, JwtError>;

/// The outcome, and how many signatures were verified for it.
async fn ask(tokens: &JwtTokens, token: &str) -> (Outcome, usize) {
    verified();
    let outcome = tokens.clone().oneshot(Secret::new(token)).await;
    (outcome, verified())
}

/// Whether the token is genuine, and how many signatures were verified for it.
async fn genuine(tokens: &JwtTokens, token: &str) -> (bool, usize) {
    let (outcome, verified) = ask(tokens, token).await;
    (outcome.unwrap().token().is_some(), verified)
}

const VERIFIED: (bool, usize) = (true, 1);
const CACHED: (bool, usize) = (true, 0);

#[tokio::test]
async fn signature_of_a_token_is_verified_once() {
    let issuer = issuer();
    let tokens = fixed(&issuer);
    let token = issuer.token().subject("alice").sign();
    let (first, verified) = ask(&tokens, &token).await;
    assert_eq!(verified, 1);
    for _ in 0..3 {
        let (again, verified) = ask(&tokens, &token).await;
        assert_eq!(verified, 0);
        assert_eq!(again.unwrap(), first.clone().unwrap());
    }
    // Also in a clone, and one at a time.
    assert_eq!(genuine(&tokens.clone(), &token).await, CACHED);
    assert_eq!(genuine(&tokens, &issuer.token().sign()).await, VERIFIED);
}

#[tokio::test]
async fn payload_of_a_cached_token_is_kept() {
    let issuer = issuer();
    let tokens = fixed(&issuer);
    let token = issuer.token().claim("email", "alice@example.com").sign();
    let mut jsons = Vec::new();
    for _ in 0..2 {
        let token = ask(&tokens, &token).await.0.unwrap().into_token().unwrap();
        jsons.push(token.json().unwrap().to_owned());
    }
    assert_eq!(jsons[0], jsons[1]);
    assert!(jsons[0].contains("alice@example.com"));
}

#[tokio::test]
async fn changed_introspection_leaves_the_cached_one_as_it_is() {
    let issuer = issuer();
    let tokens = fixed(&issuer);
    let token = issuer.token().subject("alice").sign();
    for _ in 0..3 {
        let introspected = ask(&tokens, &token).await.0.unwrap();
        let mut changed: Introspection = introspected.into_token().unwrap();
        assert_eq!(changed.sub.as_deref(), Some("alice"));
        changed.sub = Some("mallory".into());
        changed.revoked = true;
    }
}

#[tokio::test]
async fn every_setter_makes_an_empty_cache() {
    let issuer = issuer();
    let tokens = fixed(&issuer);
    let token = issuer.token().sign();
    assert_eq!(genuine(&tokens, &token).await, VERIFIED);
    for other in [
        tokens.clone().cache_capacity(10_000),
        tokens.clone().leeway(HOUR),
        tokens.clone().tenant("another"),
    ] {
        assert_eq!(genuine(&other, &token).await, VERIFIED);
        assert_eq!(genuine(&other, &token).await, CACHED);
    }
    let refusing = tokens.clone().max_size(token.len() - 1);
    assert_eq!(genuine(&refusing, &token).await, (false, 0));
    assert_eq!(genuine(&tokens, &token).await, CACHED);
}

/// A chain of setters makes only the last one.
#[tokio::test]
async fn first_introspection_makes_the_cache() {
    let issuer = issuer();
    let tokens = fixed(&issuer).leeway(HOUR);
    assert!(tokens.verifier.cache.get().is_none());
    assert_eq!(genuine(&tokens, &issuer.token().sign()).await, VERIFIED);
    assert!(tokens.verifier.cache.get().is_some());
}

#[tokio::test]
async fn without_capacity_every_signature_is_verified() {
    let issuer = issuer();
    let tokens = fixed(&issuer).cache_capacity(0);
    let token = issuer.token().sign();
    for _ in 0..3 {
        assert_eq!(genuine(&tokens, &token).await, VERIFIED);
    }
    assert!(tokens.verifier.cache().is_none());
}

#[tokio::test]
async fn full_cache_verifies_what_it_has_forgotten() {
    let issuer = issuer();
    let tokens = fixed(&issuer).cache_capacity(2);
    let signed: Vec<_> = (0..5).map(|_| issuer.token().sign()).collect();
    let mut total = 0;
    for token in signed.iter().chain(&signed) {
        let (is_genuine, verified) = genuine(&tokens, token).await;
        assert!(is_genuine);
        total += verified;
    }
    let cached = tokens.verifier.cached();
    assert!((1..=2).contains(&cached), "{cached}");
    // Two of the five, at most, were still there.
    assert!((8..=10).contains(&total), "{total}");
}

#[tokio::test]
async fn only_genuine_access_tokens_are_cached() {
    let issuer = issuer();
    let tokens = fixed(&issuer);
    let unhandled = [
        issuer.token().audience("https://other.test").sign(),
        issuer.token().typ("JWT").sign(),
    ];
    for token in unhandled
        .into_iter()
        .chain([issuer.token().forged().sign()])
    {
        for _ in 0..2 {
            assert_eq!(genuine(&tokens, &token).await, (false, 1));
        }
    }
    for other in ["45ghiukldjahdnhzdauz", "a.b.c", ""] {
        assert_eq!(genuine(&tokens, other).await, (false, 0));
    }
    assert_eq!(tokens.verifier.cached(), 0);
}

#[tokio::test]
async fn expired_token_is_verified_and_not_found() {
    let now = NumericDate::now();
    NOW.set(Some(now));
    let issuer = issuer();
    let tokens = fixed(&issuer);
    let token = issuer.token().issued_at(now).expires_in(HOUR).sign();
    assert_eq!(genuine(&tokens, &token).await, VERIFIED);
    NOW.set(Some(NumericDate::new((now + HOUR).seconds() - 1)));
    assert_eq!(genuine(&tokens, &token).await, CACHED);
    // An introspection does not check the time, so the token is still genuine.
    NOW.set(Some(now + HOUR));
    assert_eq!(genuine(&tokens, &token).await, VERIFIED);
    assert_eq!(tokens.verifier.cached(), 0);
    assert_eq!(genuine(&tokens, &token).await, VERIFIED);
    // The clock was set back. The result depends on it no more than without a cache.
    NOW.set(Some(now));
    assert_eq!(genuine(&tokens, &token).await, VERIFIED);
    assert_eq!(genuine(&tokens, &token).await, CACHED);
}

#[tokio::test]
async fn token_expires_in_the_cache_after_its_longest_lifetime() {
    let now = NumericDate::now();
    NOW.set(Some(now));
    let issuer = issuer();
    let tokens = fixed(&issuer).longest_lifetime(HOUR);
    let token = issuer.token().issued_at(now).expires_in(10 * HOUR).sign();
    assert_eq!(genuine(&tokens, &token).await, VERIFIED);
    assert_eq!(genuine(&tokens, &token).await, CACHED);
    NOW.set(Some(now + HOUR));
    assert_eq!(genuine(&tokens, &token).await, VERIFIED);
}

#[tokio::test]
async fn expired_token_is_not_cached() {
    let issuer = issuer();
    let tokens = fixed(&issuer);
    let token = issuer.token().expired().sign();
    for _ in 0..2 {
        assert_eq!(genuine(&tokens, &token).await, VERIFIED);
    }
    assert_eq!(tokens.verifier.cached(), 0);
}

/// A JWK Set with the first key of each issuer, under these names.
fn key_set<const N: usize>(keys: [(&TestIssuer, &str); N]) -> KeySet {
    let keys = keys.map(|(issuer, kid)| {
        let jwks: Value = serde_json::from_str(&issuer.jwks()).unwrap();
        let mut jwk = jwks["keys"][0].clone();
        jwk["kid"] = kid.into();
        jwk
    });
    KeySet::from_json(&json!({ "keys": keys.to_vec() }).to_string()).unwrap()
}

/// A token that was issued long before the keys were fetched, so that they settle it.
fn old_token(issuer: &TestIssuer, kid: &str) -> TestToken {
    let iat = NumericDate::new(NumericDate::now().seconds() - 3600);
    let token = issuer.token().kid(kid).issued_at(iat);
    token.expires_in(900 * HOUR)
}

fn refused(outcome: Outcome) -> Option<Reason> {
    outcome.unwrap().reason()
}
