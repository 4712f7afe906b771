//! What reading a token costs beside the signature.

use allocation_counter::measure;
use futures::FutureExt as _;
use serde_json::json;
use tower::Service as _;
use tower_revocation::Secret;

use crate::jwt::fixture::{claims, token, tokens};

/// How often memory is asked for until the answer is there.
fn allocations(token: &str) -> (bool, u64) {
    let mut tokens = tokens();
    let mut secret = Some(Secret::new(token));
    let mut is_genuine = false;
    let allocated = measure(|| {
        let answer = tokens.call(secret.take().unwrap()).now_or_never();
        is_genuine = answer.unwrap().unwrap().token().is_some();
    });
    (is_genuine, allocated.count_total)
}

/// Each text costs once, for it is kept. Names cost nothing, nor do the future and the verification.
#[test]
fn a_token_allocates_what_is_kept_and_no_more() {
    // What is needed once is done before.
    assert!(allocations(&token(&json!({}))).0);
    let claims = claims();
    let claims = claims.as_object().unwrap();
    let texts = claims.values().filter(|value| value.is_string()).count() as u64;
    let segments = 3;
    let members = 2;
    // `aud` is an array, of one: as it is read, and as it is kept.
    let audience = 2 * 2;
    let most = segments + members + texts + audience;
    let (is_genuine, allocated) = allocations(&token(&json!({})));
    assert!(is_genuine && allocated > 0);
    assert!(allocated <= most, "{allocated} of {most}");
}

#[test]
fn what_is_too_long_or_no_jws_allocates_nothing() {
    let long = "x".repeat(17 * 1024);
    for other in ["45ghiukldjahdnhzdauz", &long] {
        assert_eq!(allocations(other), (false, 0));
    }
}
