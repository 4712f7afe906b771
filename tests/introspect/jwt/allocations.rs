//! How often a verification allocates memory.

use allocation_counter::measure;
use futures::FutureExt as _;
use serde_json::json;
use tower::Service as _;
use tower_revocation::{Secret, introspect::jwt::JwtTokens};

use crate::jwt::fixture::{AUDIENCE, claims, token, tokens};

/// Whether the token is genuine, and how often its introspection allocated memory.
fn allocations(tokens: &JwtTokens, token: &str) -> (bool, u64) {
    let mut tokens = tokens.clone();
    let mut secret = Some(Secret::new(token));
    let mut is_genuine = false;
    let allocated = measure(|| {
        let outcome = tokens.call(secret.take().unwrap()).now_or_never();
        is_genuine = outcome.unwrap().unwrap().token().is_some();
    });
    (is_genuine, allocated.count_total)
}

/// Each text is allocated once, because it is kept. Names, the future, the verification and the
/// kept JSON allocate nothing.
#[test]
fn token_allocates_only_what_is_kept() {
    let tokens = tokens().cache_capacity(0);
    // The first verification initialises what is needed once.
    assert!(allocations(&tokens, &token(&json!({}))).0);
    let claims = claims();
    let claims = claims.as_object().unwrap();
    let texts = claims.values().filter(|value| value.is_string()).count() as u64;
    let segments = 3;
    let members = 2;
    // `aud` is an array of one name: once as parsed, once as kept.
    let audience = 2 * 2;
    let most = segments + members + texts + audience;
    let (is_genuine, allocated) = allocations(&tokens, &token(&json!({})));
    assert!(is_genuine && allocated > 0);
    assert!(allocated <= most, "{allocated} of {most}");
}

#[test]
fn cached_token_allocates_nothing() {
    let tokens = tokens();
    let token = token(&json!({}));
    assert!(allocations(&tokens, &token).0);
    for _ in 0..3 {
        assert_eq!(allocations(&tokens, &token), (true, 0));
    }
}

#[test]
fn caching_a_token_takes_one_allocation() {
    let (cached, uncached) = (tokens().cache_capacity(16), tokens().cache_capacity(0));
    // The first token makes the cache.
    assert!(allocations(&cached, &token(&json!({}))).0);
    let mut growth = 0;
    for _ in 0..128 {
        let token = token(&json!({}));
        let (_, without) = allocations(&uncached, &token);
        let (is_genuine, with) = allocations(&cached, &token);
        assert!(is_genuine && with > without);
        growth += with - without - 1;
    }
    // The table doubles a few times. Its hashes are random, so nobody knows when.
    assert!(growth <= 10, "{growth}");
}

/// Each of the 500 audiences of a token is a block of the heap.
#[test]
fn cache_of_tokens_with_many_audiences_takes_no_more_than_its_capacity() {
    let capacity = 60;
    let mut audiences = vec!["a"; 500];
    audiences[0] = AUDIENCE;
    let token = || token(&json!({ "aud": audiences }));
    let texts: Vec<String> = (0..40).map(|_| token()).collect();
    let tokens = tokens().cache_capacity(capacity);
    // The first verification initialises what is needed once.
    assert!(allocations(&tokens.clone().cache_capacity(0), &texts[0]).0);
    let left = measure(|| {
        for token in &texts {
            assert!(allocations(&tokens, token).0);
        }
    });
    // A block has at least 32 bytes.
    let bytes = left.bytes_current + 31 * left.count_current;
    let most = 4096 * i64::try_from(capacity).unwrap();
    assert!((most / 2..=most).contains(&bytes), "{bytes} of {most}");
}

#[test]
fn text_that_is_too_long_or_not_a_jws_allocates_nothing() {
    let tokens = tokens();
    // The first token makes the cache.
    assert!(allocations(&tokens, &token(&json!({}))).0);
    let long = "x".repeat(17 * 1024);
    for other in ["45ghiukldjahdnhzdauz", &long] {
        assert_eq!(allocations(&tokens, other), (false, 0));
    }
}
