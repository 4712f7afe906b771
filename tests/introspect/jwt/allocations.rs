//! How often a verification allocates memory.

use allocation_counter::measure;
use futures::FutureExt as _;
use serde_json::json;
use tower::Service as _;
use tower_revocation::{Secret, introspect::jwt::JwtTokens};

use crate::jwt::fixture::{claims, token, tokens};

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
    for number in 0..64 {
        let token = token(&json!({}));
        let (_, without) = allocations(&uncached, &token);
        let (is_genuine, with) = allocations(&cached, &token);
        assert!(is_genuine);
        // By then, the table is as large as it becomes.
        if number >= 48 {
            assert_eq!(with - without, 1);
        }
    }
}

#[test]
fn text_that_is_too_long_or_not_a_jws_allocates_nothing() {
    let long = "x".repeat(17 * 1024);
    for other in ["45ghiukldjahdnhzdauz", &long] {
        assert_eq!(allocations(&tokens(), other), (false, 0));
    }
}
