use super::*;
use crate::{introspect::TokenKind, log::NumericDate};

fn introspection(number: usize) -> Introspection {
    let mut token = Introspection::new(TokenKind::AccessToken, format!("c{number}"));
    token.exp = Some(NumericDate::FOREVER);
    token
}

fn insert(cache: &TokenCache, number: usize, token: Introspection) {
    let tag = cache.tag(&number.to_string());
    cache.insert(tag, token, VerifiedBy::Fixed);
}

fn has(cache: &TokenCache, number: usize) -> bool {
    let tag = cache.tag(&number.to_string());
    let entry = cache.get(&tag, NumericDate::now());
    entry.is_some_and(|entry| entry.token().client_id == format!("c{number}"))
}

#[test]
fn cache_has_at_most_its_capacity_and_almost_reaches_it() {
    for capacity in [1, 2, 31, 64, 100, 1000, 2047, 10_000] {
        let cache = TokenCache::new(capacity).unwrap();
        for number in 0..3 * capacity {
            insert(&cache, number, introspection(number));
            assert!(cache.len() <= capacity);
        }
        // Each shard is full, or has a few places left.
        assert!(
            cache.len() * 10 >= capacity * 8,
            "{} of {capacity}",
            cache.len()
        );
    }
    assert!(TokenCache::new(0).is_none());
}

#[test]
fn token_that_is_used_survives_a_flood_of_others() {
    let cache = TokenCache::new(1000).unwrap();
    for number in 0..100 {
        insert(&cache, number, introspection(number));
    }
    for number in 100..20_000 {
        insert(&cache, number, introspection(number));
        if number % 500 == 0 {
            assert!((0..100).all(|used| has(&cache, used)), "{number}");
        }
    }
}

#[test]
fn large_token_counts_as_several() {
    let cache = TokenCache::new(16).unwrap();
    for number in 0..100 {
        let mut large = introspection(number);
        // With what an entry takes besides, it is 4 units.
        large.scope = Some(crate::introspect::Scope::new("x".repeat(3 * 4096)));
        insert(&cache, number, large);
        assert!(cache.len() <= 4);
    }
    assert!(cache.len() >= 3);
    // This one has no room.
    let mut huge = introspection(1000);
    huge.aud = vec![String::new(); 4096];
    insert(&cache, 1000, huge);
    assert!(!has(&cache, 1000) && cache.len() >= 3);
}

#[test]
fn insertion_returns_the_introspection_that_is_cached() {
    let cache = TokenCache::new(10).unwrap();
    let tag = cache.tag("t");
    let token = cache.insert(tag, introspection(1), VerifiedBy::Fixed);
    assert_eq!(token, introspection(1));
    let mut expired = introspection(2);
    expired.exp = Some(NumericDate::new(1));
    let tag = cache.tag("u");
    assert_eq!(
        cache.insert(tag, expired.clone(), VerifiedBy::Fixed),
        expired
    );
    assert_eq!(cache.len(), 1);
}
