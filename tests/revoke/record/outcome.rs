//! Which outcome does a revocation have?

use tower_revocation::client::Identified;

use super::*;

#[tokio::test]
async fn token_of_another_client_is_untouched_in_every_state() {
    let server = Server::new().await;
    let [access, refresh] = server.issue("g1", "c2", Some("alice")).await;
    assert_eq!(server.revoke("c1", &access).await, Outcome::IssuedToAnother);
    assert_eq!(
        server.revoke("c1", &refresh).await,
        Outcome::IssuedToAnother
    );
    assert!(server.is_live(&access) && server.is_live(&refresh));
    assert_eq!(server.records().await, 0);

    assert_eq!(server.revoke("c2", &refresh).await, Outcome::Revoked);
    assert_eq!(
        server.revoke("c1", &refresh).await,
        Outcome::IssuedToAnother
    );
}

/// At another issuer, the same identifier belongs to another client.
#[tokio::test]
async fn token_of_another_issuer_is_that_of_another_client() {
    struct OfIssuer;

    impl Identified for OfIssuer {
        fn client_id(&self) -> &'static str {
            "c1"
        }

        fn is_client_of(&self, iss: Option<&str>) -> bool {
            iss == Some("https://a.example.com")
        }
    }

    for (iss, expected) in [
        (Some("https://a.example.com"), Outcome::Revoked),
        (Some("https://b.example.com"), Outcome::IssuedToAnother),
        (None, Outcome::IssuedToAnother),
    ] {
        let mut token = Introspection::new(TokenKind::AccessToken, "c1");
        token.token = Some(Selector::token("https://as.example.com", "1"));
        token.iss = iss.map(str::to_owned);
        let introspect = service_fn(move |_: Secret| ready(Ok::<_, BoxError>(Some(token.clone()))));
        let log = MemoryLog::new();
        let client = Arc::new(OfIssuer);
        let request = RevocationRequest::new(client, Secret::new("45ghiukldjahdnhzdauz"));
        let outcome = RecordRevocation::new(introspect, log.clone())
            .oneshot(request)
            .await;
        assert_eq!(outcome.unwrap(), expected, "{iss:?}");
        let records = Snapshot::of(&log).await.unwrap().records.len();
        assert_eq!(
            records,
            usize::from(expected == Outcome::Revoked),
            "{iss:?}"
        );
    }
}

#[tokio::test]
async fn unknown_token_and_authorization_code_are_not_found() {
    let server = Server::new().await;
    assert_eq!(
        server.revoke("c1", &Secret::new("unknown")).await,
        Outcome::NotFound
    );
    let new_tokens = vec![NewToken::authorization_code(HOUR)];
    let issued = server
        .tokens
        .issue(Grant::new("g1", "c1"), new_tokens)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        server.revoke("c1", &issued[0].token).await,
        Outcome::NotFound
    );
    assert_eq!(
        server.revoke("c2", &issued[0].token).await,
        Outcome::NotFound
    );
    assert_eq!(server.records().await, 0);
}

#[tokio::test]
async fn second_revocation_succeeds_and_writes_nothing() {
    let server = Server::new().await;
    let [access, refresh] = server.issue("g1", "c1", Some("alice")).await;
    for token in [&access, &refresh] {
        assert_eq!(server.revoke("c1", token).await, Outcome::Revoked);
        let records = server.records().await;
        assert_eq!(server.revoke("c1", token).await, Outcome::Revoked);
        assert_eq!(server.records().await, records);
    }
}

#[tokio::test]
async fn two_concurrent_revocations_succeed_and_write_one_record() {
    let server = Server::new().await;
    for round in 1..=50 {
        let [_, refresh] = server.issue(&round.to_string(), "c1", None).await;
        let both = join(server.revoke("c1", &refresh), server.revoke("c1", &refresh)).await;
        assert_eq!(both, (Outcome::Revoked, Outcome::Revoked));
        assert_eq!(server.records().await, round);
    }
}

/// A log whose appends wait for a message, and succeed or fail as it says.
#[derive(Clone)]
struct Held {
    succeeds: Shared<oneshot::Receiver<bool>>,
    log: MemoryLog,
}

impl RevocationLog for Held {
    async fn append(&self, batch: Vec<Revocation>) -> Result<Position, LogError> {
        match self.succeeds.clone().await {
            Ok(true) => self.log.append(batch).await,
            _ => Err(LogError::new(LogErrorKind::Storage)),
        }
    }

    async fn follow(&self, reader: Weak<dyn Reader>) -> Result<(), LogError> {
        self.log.follow(reader).await
    }

    fn health(&self) -> LogHealth {
        self.log.health()
    }

    fn durability(&self) -> Durability {
        self.log.durability()
    }
}

#[tokio::test]
async fn revocation_waits_for_its_append_and_has_the_same_result() {
    for succeeds in [true, false] {
        let mut token = Introspection::new(TokenKind::AccessToken, "c1");
        token.token = Some(Selector::token("https://as.example.com", "1"));
        let introspect = service_fn(move |_: Secret| ready(Ok::<_, BoxError>(Some(token.clone()))));
        let (sender, receiver) = oneshot::channel();
        let log = Held {
            succeeds: receiver.shared(),
            log: MemoryLog::new(),
        };
        let mut revoked = pin!(RecordRevocation::new(introspect, log.clone()).oneshot(request()));
        assert!(poll!(revoked.as_mut()).is_pending());

        sender.send(succeeds).unwrap();
        let outcome = revoked.await.ok();
        assert_eq!(outcome, succeeds.then_some(Outcome::Revoked));
        let records = Snapshot::of(&log).await.unwrap().records.len();
        assert_eq!(records, usize::from(succeeds));
    }
}

/// RFC 7009 §2.2: 200 means that the token is not live. A part of the server cannot state that for
/// the other parts.
#[tokio::test]
async fn unrecognised_token_succeeds_only_if_the_backend_is_responsible_for_all() {
    let introspect = service_fn(async |_: Secret| Ok::<Option<Introspection>, BoxError>(None));
    let log = MemoryLog::new();
    let backend = RecordRevocation::new(introspect, log.clone());
    let outcome = backend.clone().oneshot(request()).await.unwrap();
    assert_eq!(outcome, Outcome::Unsupported);
    let backend = backend.responsible_for_all_tokens(true);
    let outcome = backend.clone().oneshot(request()).await.unwrap();
    assert_eq!(outcome, Outcome::NotFound);
    let backend = backend.responsible_for_all_tokens(false);
    assert_eq!(
        backend.oneshot(request()).await.unwrap(),
        Outcome::Unsupported
    );
    assert!(Snapshot::of(&log).await.unwrap().records.is_empty());
}

/// An example is the refresh token of an issuer if the introspection knows only its access tokens.
#[tokio::test]
async fn unhandled_token_is_unsupported_until_it_has_expired() {
    let now = NumericDate::now();
    let long_ago = NumericDate::new(1_000);
    for (exp, expected) in [
        (None, Outcome::Unsupported),
        (Some(now + HOUR), Outcome::Unsupported),
        // By another clock it may still be live.
        (Some(now), Outcome::Unsupported),
        (Some(long_ago), Outcome::NotFound),
    ] {
        let reason = Reason::Typ;
        let unhandled = Introspected::unhandled(reason, exp);
        let introspect = service_fn(move |_: Secret| ready(Ok::<_, BoxError>(unhandled.clone())));
        let log = MemoryLog::new();
        for responsible in [false, true] {
            let backend = RecordRevocation::new(introspect.clone(), log.clone());
            let backend = backend.responsible_for_all_tokens(responsible);
            let outcome = backend.oneshot(request()).await.unwrap();
            assert_eq!(outcome, expected, "{exp:?}, {responsible}");
        }
        assert!(Snapshot::of(&log).await.unwrap().records.is_empty());
    }
}

#[tokio::test]
async fn live_token_without_a_selector_is_unsupported_and_writes_nothing() {
    for exp in [None, Some(NumericDate::now() + HOUR)] {
        for kind in [TokenKind::AccessToken, TokenKind::RefreshToken] {
            let mut token = Introspection::new(kind, "c1");
            token.exp = exp;
            let (backend, log) = backend_of(token);
            let outcome = backend.oneshot(request()).await.unwrap();
            assert_eq!(outcome, Outcome::Unsupported);
            assert_eq!(Snapshot::of(&log).await.unwrap().position.sequence, 0);
        }
    }
}

#[tokio::test]
async fn expired_token_without_a_selector_is_not_found() {
    let mut token = Introspection::new(TokenKind::AccessToken, "c1");
    token.exp = Some(NumericDate::new(1000));
    let (backend, log) = backend_of(token);
    assert_eq!(backend.oneshot(request()).await.unwrap(), Outcome::NotFound);
    assert_eq!(Snapshot::of(&log).await.unwrap().position.sequence, 0);
}

#[tokio::test]
async fn failed_introspection_is_an_error() {
    let down =
        service_fn(async |_: Secret| Err::<Option<Introspection>, _>(BoxError::from("down")));
    let log = MemoryLog::new();
    let request = RevocationRequest::new("c1", Secret::new("45ghiukldjahdnhzdauz"));
    RecordRevocation::new(down, log.clone())
        .oneshot(request)
        .await
        .unwrap_err();
    assert_eq!(Snapshot::of(&log).await.unwrap().position.sequence, 0);
}
