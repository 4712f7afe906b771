//! Tokens that were verified before. Whether a token came from the cache shows in the metrics.

use serde_json::json;
use tower::ServiceExt as _;
use tower_revocation::{
    Secret,
    introspect::{
        Introspected, Reason,
        jwt::{Audience, Dialect, JwtTokens},
    },
    jose::Algorithm,
};

use crate::{
    jwt::{
        fixture::{AUDIENCE, ISSUER, KEY, Key, ask, claims, header, token, tokens, with},
        server::Server,
    },
    recorder::{Recorder, Value},
};

/// The count of a series of the cache since the last call.
fn taken(recorder: &Recorder, series: &str, label: &str) -> u64 {
    let name = format!("tower_revocation_jwt_cache_{series}");
    let all = recorder.take().into_iter();
    let mut of_name =
        all.filter(|(key, _)| key.name() == name && key.labels().all(|own| own.value() == label));
    match of_name.next() {
        None => 0,
        Some((_, Value::Counter(count))) => count,
        Some((_, value)) => panic!("{value:?}"),
    }
}

/// How much the gauges of the cache have changed since the last call: the entries and the bytes.
fn gauges(recorder: &Recorder) -> [i64; 2] {
    let all = recorder.take();
    ["entries", "bytes"].map(|series| {
        let name = format!("tower_revocation_jwt_cache_{series}");
        let of_name = all.iter().find(|(key, _)| key.name() == name);
        match of_name {
            Some((_, Value::Gauge(change))) => change.to_string().parse().unwrap(),
            other => panic!("{other:?}"),
        }
    })
}

#[tokio::test]
async fn hits_and_misses_are_counted() {
    let recorder = Recorder::new();
    let _local = metrics::set_default_local_recorder(&recorder);
    let tokens = tokens();
    let (one, other) = (token(&json!({})), token(&json!({ "jti": "2" })));
    for token in [&one, &other, &one, &one] {
        assert!(ask(&tokens, token).await.is_some());
    }
    assert!(ask(&tokens, "45ghiukldjahdnhzdauz").await.is_none());
    assert_eq!(taken(&recorder, "lookups_total", "hit"), 2);
    ask(&tokens, &one).await;
    ask(&tokens, &token(&json!({ "jti": "3" }))).await;
    assert_eq!(taken(&recorder, "lookups_total", "miss"), 1);

    let off = tokens.cache_capacity(0);
    ask(&off, &one).await;
    assert_eq!(taken(&recorder, "lookups_total", "miss"), 0);
}

#[tokio::test]
async fn gauges_show_the_entries_and_their_memory() {
    let recorder = Recorder::new();
    let _local = metrics::set_default_local_recorder(&recorder);
    let tokens = tokens();
    let long = token(&json!({ "email": "x".repeat(1000) }));
    ask(&tokens, &long).await;
    let [entries, bytes] = gauges(&recorder);
    assert_eq!(entries, 1);
    assert!((1500..4096).contains(&bytes), "{bytes}");
}

/// Those that were evicted, those that had no room, and those of a cache that was dropped.
#[tokio::test]
async fn gauges_do_not_count_entries_that_are_gone() {
    let recorder = Recorder::new();
    let _local = metrics::set_default_local_recorder(&recorder);
    let (small, other) = (tokens().cache_capacity(2), tokens());
    ask(&other, &token(&json!({}))).await;
    for jti in 0..10 {
        ask(&small, &token(&json!({ "jti": jti.to_string() }))).await;
    }
    let [entries, bytes] = gauges(&recorder);
    assert!((2..=3).contains(&entries), "{entries}");
    assert!((entries * 512..entries * 4096).contains(&bytes), "{bytes}");
    let huge = json!({ "email": "x".repeat(9000) });
    assert!(ask(&small, &token(&huge)).await.is_some());
    assert_eq!(gauges(&recorder), [0, 0]);
    drop((small, other));
    assert_eq!(gauges(&recorder), [-entries, -bytes]);
}

/// In its header, its claims and its signature.
#[tokio::test]
async fn cached_token_with_one_changed_bit_is_refused() {
    let tokens = tokens();
    let token = token(&json!({}));
    assert!(ask(&tokens, &token).await.is_some());
    for place in 0..token.len() {
        for bit in 0..7 {
            let mut changed = token.clone().into_bytes();
            changed[place] ^= 1 << bit;
            let changed = Secret::new(String::from_utf8(changed).unwrap());
            let introspected = tokens.clone().oneshot(changed).await;
            assert!(introspected.unwrap().token().is_none(), "{place} {bit}");
        }
    }
    assert!(ask(&tokens, &token).await.is_some());
}

#[tokio::test]
async fn part_of_a_cached_token_is_refused() {
    let tokens = tokens();
    let token = token(&json!({}));
    assert!(ask(&tokens, &token).await.is_some());
    for other in [
        format!("{token}A"),
        format!("{token} "),
        format!(" {token}"),
        format!("{token}."),
        format!("{token}{token}"),
        token.to_ascii_uppercase(),
        token[..token.len() - 1].to_owned(),
        token[1..].to_owned(),
        token.rsplit_once('.').unwrap().0.to_owned(),
        String::new(),
    ] {
        assert!(ask(&tokens, &other).await.is_none(), "{other}");
    }
}

/// The claims of a cached token with the signature of another one.
#[tokio::test]
async fn parts_of_two_cached_tokens_are_refused() {
    let tokens = tokens();
    let (one, other) = (
        token(&json!({ "sub": "alice" })),
        token(&json!({ "sub": "bob" })),
    );
    for token in [&one, &other] {
        assert!(ask(&tokens, token).await.is_some());
    }
    let (input, _) = one.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    assert!(
        ask(&tokens, &format!("{input}.{signature}"))
            .await
            .is_none()
    );
}

#[tokio::test]
async fn token_that_others_have_cached_is_checked_by_the_own_settings() {
    let token = token(&json!({}));
    let willing = tokens();
    assert!(ask(&willing, &token).await.is_some());
    let to = |audience| JwtTokens::new(ISSUER, KEY.set(), Audience::any_of([audience]));
    for (other, reason) in [
        (to("https://other.example.com"), Reason::Audience),
        (willing.clone().dialect(Dialect::cognito()), Reason::Typ),
        (
            willing.clone().algorithms([Algorithm::Rs256]),
            Reason::Algorithm,
        ),
        (
            JwtTokens::new(ISSUER, Key::generate().set(), Audience::any_of([AUDIENCE])),
            Reason::Signature,
        ),
        (
            JwtTokens::new(
                "https://other.example.com",
                KEY.set(),
                Audience::unchecked(),
            ),
            Reason::Issuer,
        ),
    ] {
        for _ in 0..2 {
            let introspected = other.clone().oneshot(Secret::new(&*token)).await;
            assert_eq!(introspected.unwrap().reason(), Some(reason));
        }
    }
    let tenant = willing.clone().tenant("https://tenant.example.com");
    let of_tenant = ask(&tenant, &token).await.unwrap();
    assert_eq!(
        of_tenant.tenant.as_deref(),
        Some("https://tenant.example.com")
    );
    assert_eq!(ask(&willing, &token).await.unwrap().tenant, None);
}

/// Over the network, with keys that are fetched.
#[tokio::test]
async fn key_that_was_removed_ends_the_life_of_its_cached_tokens() {
    let recorder = Recorder::new();
    let _local = metrics::set_default_local_recorder(&recorder);
    let (old, new) = (Key::generate(), Key::generate());
    let server = Server::start().await;
    server.serves(Some(old.jwks("old")));
    let tokens = JwtTokens::new(ISSUER, server.keys(), Audience::any_of([AUDIENCE]));
    let tokens = tokens.remote_keys(server.remote());
    let by = |key: &Key, kid: &str, age: u64| {
        let iat = claims()["iat"].as_u64().unwrap() - age;
        let header = with(header(), &json!({ "kid": kid }));
        key.sign(&header, &with(claims(), &json!({ "iat": iat })))
    };
    let ask = async |token: &str| tokens.clone().oneshot(Secret::new(token)).await.unwrap();
    let by_old = by(&old, "old", 600);
    for _ in 0..3 {
        assert!(ask(&by_old).await.token().is_some());
    }
    assert_eq!(taken(&recorder, "lookups_total", "hit"), 2);
    server.serves(Some(new.jwks("new")));
    assert!(ask(&by(&new, "new", 0)).await.token().is_some());
    assert_eq!(
        ask(&by_old).await,
        Introspected::Unrecognised(Reason::UnknownKey)
    );
    assert_eq!(taken(&recorder, "lookups_total", "hit"), 0);
    assert_eq!(server.fetches(), 2);
}
