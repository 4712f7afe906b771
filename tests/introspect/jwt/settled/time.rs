//! How the times of a token and of the keys settle it.

use super::*;
use tower_revocation::log::Snapshot;

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
    assert!(Snapshot::of(&log).await.unwrap().records.is_empty());
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
    assert_eq!(Snapshot::of(&log).await.unwrap().records.len(), 1);
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
