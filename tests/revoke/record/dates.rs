//! When does a record expire, and which dates of issue does it cover?

use super::*;

#[tokio::test]
async fn expired_access_token_writes_nothing() {
    let server = Server::new().await;
    let new_tokens = vec![
        NewToken::access_token(Duration::ZERO),
        NewToken::refresh_token(HOUR),
    ];
    let grant = Grant::new("g1", "c1");
    let [access, refresh] = secrets(
        server
            .tokens
            .issue(grant, new_tokens)
            .await
            .unwrap()
            .unwrap(),
    );
    let exact = server.backend().leeway(Duration::ZERO);
    assert_eq!(revoke(exact, "c1", &access).await, Outcome::NotFound);
    assert_eq!(server.records().await, 0);
    assert!(server.is_live(&refresh));

    // By a clock that is behind, it may still be live.
    assert_eq!(server.revoke("c1", &access).await, Outcome::Revoked);
    assert_eq!(server.records().await, 1);
}

#[tokio::test]
async fn second_revocation_prolongs_a_record_that_expires_too_early() {
    let server = Server::new().await;
    let [_, refresh] = server.issue("g1", "c1", Some("alice")).await;
    let expires = async || Snapshot::of(&server.log).await.unwrap().records[0].expires();
    let short = server.backend().longest_lifetime(HOUR);
    assert_eq!(revoke(short, "c1", &refresh).await, Outcome::Revoked);
    let before = expires().await;
    assert_eq!(server.revoke("c1", &refresh).await, Outcome::Revoked);
    assert!(expires().await > before);
}

#[tokio::test]
async fn token_record_expires_with_its_token_and_grant_record_after_the_longest_lifetime() {
    let iat = NumericDate::now();
    let exp = iat + HOUR;
    let introspect = service_fn(move |kind: Secret| async move {
        let kind = match kind.expose() {
            "access" => TokenKind::AccessToken,
            _ => TokenKind::RefreshToken,
        };
        let mut token = Introspection::new(kind, "c1");
        token.token = Some(Selector::token("https://as.example.com", "1"));
        token.iat = Some(iat);
        token.grant = Some("g1".into());
        token.exp = Some(exp);
        Ok::<_, BoxError>(Some(token))
    });
    let log = MemoryLog::new();
    let backend = RecordRevocation::new(introspect, log.clone())
        .longest_lifetime(24 * HOUR)
        .leeway(Duration::from_secs(5));
    for token in ["access", "refresh"] {
        let request = RevocationRequest::new("c1", Secret::new(token));
        backend.clone().oneshot(request).await.unwrap();
    }
    let records = Snapshot::of(&log).await.unwrap().records;
    let expiry = |selector| {
        let record = records
            .iter()
            .find(|record| record.selector() == selector)
            .unwrap();
        record.expires()
    };
    let of_token = expiry(Selector::token("https://as.example.com", "1"));
    assert_eq!(of_token, exp + Duration::from_secs(5));
    let of_grant = expiry(Selector::grant("g1"));
    assert!(of_grant >= iat + 24 * HOUR + Duration::from_secs(5));
    // The expiry is rounded up, so that repetitions write nothing.
    assert!(of_grant <= NumericDate::now() + 24 * HOUR + 24 * HOUR / 16 + Duration::from_secs(5));
}

/// Returns when the records about this token expire, with a longest lifetime of one day.
async fn expiries_of(token: Introspection, cascade: Cascade) -> Vec<NumericDate> {
    let log = MemoryLog::new();
    let introspect = service_fn(move |_: Secret| {
        let token = token.clone();
        async { Ok::<_, BoxError>(Some(token)) }
    });
    let backend = RecordRevocation::new(introspect, log.clone())
        .refresh_token_cascade(cascade)
        .longest_lifetime(24 * HOUR);
    assert_eq!(backend.oneshot(request()).await.unwrap(), Outcome::Revoked);
    let records = Snapshot::of(&log).await.unwrap().records;
    records.iter().map(Revocation::expires).collect()
}

#[tokio::test]
async fn no_record_expires_before_the_token_that_it_revokes() {
    let now = NumericDate::now();
    let mut token = Introspection::new(TokenKind::RefreshToken, "c1");
    token.grant = Some("g1".into());
    token.sub = Some("alice".into());
    for (iat, exp) in [
        // It lives longer than the configured longest lifetime.
        (now, Some(now + 90 * 24 * HOUR)),
        // The clock of its issuer is ahead.
        (now + 48 * HOUR, Some(now + 72 * HOUR)),
        (now, None),
    ] {
        (token.iat, token.exp) = (Some(iat), exp);
        for cascade in [Cascade::Grant, Cascade::Subject] {
            for expires in expiries_of(token.clone(), cascade).await {
                assert!(
                    expires >= exp.unwrap_or(NumericDate::FOREVER),
                    "{cascade:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn grant_record_outlives_tokens_issued_by_a_clock_that_is_ahead() {
    let ahead = NumericDate::now() + 48 * HOUR;
    let mut token = Introspection::new(TokenKind::RefreshToken, "c1");
    token.grant = Some("g1".into());
    token.iat = Some(ahead);
    token.exp = Some(ahead + HOUR);
    for expires in expiries_of(token, Cascade::Grant).await {
        assert!(expires >= ahead + 24 * HOUR);
    }
}

/// A client cannot move the dates of issue ahead by revoking again and again: a revocation of
/// everything until now still covers every token.
#[tokio::test]
async fn dates_of_issue_stay_within_a_second_of_now_after_many_revocations() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path().join("log.redb")).unwrap();
    let tokens = IssuedTokens::open(log.clone()).await.unwrap();
    let backend =
        RecordRevocation::new(tokens.clone(), log).refresh_token_cascade(Cascade::SubjectAndClient);
    for number in 0..30 {
        let grant = Grant::new(format!("g{number}"), "c1").subject("alice");
        let new_tokens = vec![NewToken::refresh_token(HOUR)];
        let issued = tokens
            .issue(grant, new_tokens)
            .await
            .unwrap()
            .unwrap()
            .remove(0);
        let latest = NumericDate::now() + Duration::from_secs(1);
        assert!(issued.iat <= latest, "{number}: {:?}", issued.iat);
        let request = RevocationRequest::new("c1", issued.token);
        assert_eq!(
            backend.clone().oneshot(request).await.unwrap(),
            Outcome::Revoked
        );
    }
}
