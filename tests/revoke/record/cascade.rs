//! What is revoked with a token?

use super::*;
use tower_revocation::log::Moment;

#[tokio::test]
async fn refresh_token_revokes_its_grant() {
    let server = Server::new().await;
    let [access, refresh] = server.issue("g1", "c1", Some("alice")).await;
    let [other, _] = server.issue("g2", "c1", Some("alice")).await;
    assert_eq!(server.revoke("c1", &refresh).await, Outcome::Revoked);
    assert!(!server.is_live(&access) && !server.is_live(&refresh));
    assert!(server.is_live(&other));
    assert_eq!(server.records().await, 1);
}

#[tokio::test]
async fn access_token_revokes_only_itself() {
    let server = Server::new().await;
    let [access, refresh] = server.issue("g1", "c1", Some("alice")).await;
    let rotation = server.tokens.rotate(&refresh, both()).await.unwrap();
    let Rotation::Issued(issued) = rotation else {
        panic!()
    };
    let [sibling, next] = secrets(issued);
    assert_eq!(server.revoke("c1", &access).await, Outcome::Revoked);
    assert!(!server.is_live(&access));
    assert!(server.is_live(&sibling) && server.is_live(&next));
}

#[tokio::test]
async fn access_token_revokes_its_grant_if_configured() {
    let server = Server::new().await;
    let [access, refresh] = server.issue("g1", "c1", Some("alice")).await;
    let backend = server.backend().access_token_cascade(Cascade::Grant);
    assert_eq!(revoke(backend, "c1", &access).await, Outcome::Revoked);
    assert!(!server.is_live(&access) && !server.is_live(&refresh));
}

#[tokio::test]
async fn rotated_refresh_token_revokes_its_grant() {
    let server = Server::new().await;
    let [_, old] = server.issue("g1", "c1", Some("alice")).await;
    let Rotation::Issued(issued) = server.tokens.rotate(&old, both()).await.unwrap() else {
        panic!()
    };
    let [access, refresh] = secrets(issued);
    assert_eq!(server.revoke("c1", &old).await, Outcome::Revoked);
    assert!(!server.is_live(&access) && !server.is_live(&refresh));
}

#[tokio::test]
async fn expired_refresh_token_revokes_its_grant() {
    let server = Server::new().await;
    let new_tokens = vec![
        NewToken::access_token(HOUR),
        NewToken::refresh_token(Duration::ZERO),
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
    assert_eq!(server.revoke("c1", &refresh).await, Outcome::Revoked);
    assert!(!server.is_live(&access));
}

#[tokio::test]
async fn subject_and_client_cascade_spares_other_clients_and_other_subjects() {
    let server = Server::new().await;
    let [a1, r1] = server.issue("g1", "c1", Some("alice")).await;
    let [a2, r2] = server.issue("g2", "c1", Some("alice")).await;
    let [other_client, _] = server.issue("g3", "c2", Some("alice")).await;
    let [bobs, _] = server.issue("g4", "c1", Some("bob")).await;
    let backend = server
        .backend()
        .refresh_token_cascade(Cascade::SubjectAndClient);
    assert_eq!(revoke(backend, "c1", &r1).await, Outcome::Revoked);
    for dead in [&a1, &r1, &a2, &r2] {
        assert!(!server.is_live(dead));
    }
    assert!(server.is_live(&other_client) && server.is_live(&bobs));

    // The client can be authorized again in the same second.
    let [fresh, _] = server.issue("g5", "c1", Some("alice")).await;
    assert!(server.is_live(&fresh));
}

#[tokio::test]
async fn subject_cascade_reaches_other_clients_and_spares_other_subjects() {
    let server = Server::new().await;
    let [a1, r1] = server.issue("g1", "c1", Some("alice")).await;
    let [a2, r2] = server.issue("g2", "c2", Some("alice")).await;
    let [bobs, _] = server.issue("g3", "c1", Some("bob")).await;
    let [no_subject, _] = server.issue("g4", "c1", None).await;
    let backend = server.backend().refresh_token_cascade(Cascade::Subject);
    assert_eq!(revoke(backend, "c1", &r1).await, Outcome::Revoked);
    for dead in [&a1, &r1, &a2, &r2] {
        assert!(!server.is_live(dead));
    }
    assert!(server.is_live(&bobs) && server.is_live(&no_subject));
    assert_eq!(server.records().await, 2);

    // The subject can authorize a client again in the same second.
    let [fresh, _] = server.issue("g5", "c2", Some("alice")).await;
    assert!(server.is_live(&fresh));
}

#[tokio::test]
async fn token_without_a_grant_revokes_its_session() {
    let now = NumericDate::now();
    let mut token = Introspection::new(TokenKind::RefreshToken, "c1");
    token.token = Some(Selector::token("https://as.example.com", "1"));
    token.sid = Some("s1".into());
    token.iat = Some(now);
    let (backend, log) = backend_of(token.clone());
    let index = Index::follow(&log).await.unwrap();
    let mut sibling = token.clone();
    sibling.token = Some(Selector::token("https://as.example.com", "2"));
    sibling.kind = TokenKind::AccessToken;
    // Tokens that are issued in the session later are dead as well.
    sibling.iat = Some(now + HOUR);
    let mut other_session = sibling.clone();
    other_session.sid = Some("s2".into());
    assert_eq!(backend.oneshot(request()).await.unwrap(), Outcome::Revoked);
    assert!(!index.is_live(&token, now) && !index.is_live(&sibling, now));
    assert!(index.is_live(&other_session, now));
    assert_eq!(index.len(), 1);
}

#[tokio::test]
async fn token_with_a_grant_and_a_session_revokes_only_the_grant() {
    let mut token = Introspection::new(TokenKind::RefreshToken, "c1");
    token.grant = Some("g1".into());
    token.sid = Some("s1".into());
    let (backend, log) = backend_of(token);
    assert_eq!(backend.oneshot(request()).await.unwrap(), Outcome::Revoked);
    let records = Snapshot::of(&log).await.unwrap().records;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].selector(), Selector::grant("g1"));
}

#[tokio::test]
async fn same_names_of_two_tenants_are_revoked_separately() {
    let now = NumericDate::now();
    for cascade in [Cascade::Grant, Cascade::SubjectAndClient, Cascade::Subject] {
        let introspect = service_fn(move |tenant: Secret| async move {
            Ok::<_, BoxError>(Some(of_tenant(tenant.expose(), now)))
        });
        let log = MemoryLog::new();
        let index = Index::follow(&log).await.unwrap();
        let backend = RecordRevocation::new(introspect, log).refresh_token_cascade(cascade);
        let request = RevocationRequest::new("c1", Secret::new("one"));
        assert_eq!(backend.oneshot(request).await.unwrap(), Outcome::Revoked);
        assert!(!index.is_live(&of_tenant("one", now), now), "{cascade:?}");
        assert!(index.is_live(&of_tenant("other", now), now), "{cascade:?}");
    }
}

/// A token of a tenant. Its names are the same for every tenant.
fn of_tenant(tenant: &str, iat: NumericDate) -> Introspection {
    let mut token = Introspection::new(TokenKind::RefreshToken, "c1");
    token.token = Some(Selector::token(tenant, "1"));
    token.tenant = Some(tenant.into());
    token.grant = Some("g1".into());
    token.sid = Some("s1".into());
    token.sub = Some("alice".into());
    token.iat = Some(iat);
    token
}

#[tokio::test]
async fn no_subject_is_not_every_subject() {
    let server = Server::new().await;
    let [own, _] = server.issue("g1", "c1", None).await;
    let [other, _] = server.issue("g2", "c1", None).await;
    let [alices, _] = server.issue("g3", "c1", Some("alice")).await;
    let backend = server
        .backend()
        .access_token_cascade(Cascade::SubjectAndClient);
    assert_eq!(revoke(backend, "c1", &own).await, Outcome::Revoked);
    assert!(!server.is_live(&own));
    assert!(server.is_live(&other) && server.is_live(&alices));
}

#[tokio::test]
async fn one_record_revokes_a_hundred_thousand_tokens() {
    #[derive(Default)]
    struct Written(AtomicUsize);
    impl Reader for Written {
        fn read(&self, records: &[Revocation]) {
            self.0.fetch_add(records.len(), Ordering::SeqCst);
        }
        fn complete(&self, _: Position, _: Moment) {}
        fn forgotten(&self, _: NumericDate) {}
    }
    let server = Server::new().await;
    let mut new_tokens = vec![NewToken::access_token(HOUR); 100_000];
    new_tokens.push(NewToken::refresh_token(HOUR));
    let grant = Grant::new("g1", "c1").subject("alice");
    let issued = server
        .tokens
        .issue(grant, new_tokens)
        .await
        .unwrap()
        .unwrap();

    let written = Arc::new(Written::default());
    let reader: Arc<dyn Reader> = written.clone();
    let followed = server.log.follow(Arc::downgrade(&reader)).await;
    followed.unwrap();

    let refresh = &issued.last().unwrap().token;
    assert_eq!(server.revoke("c1", refresh).await, Outcome::Revoked);
    assert_eq!(written.0.load(Ordering::SeqCst), 1);
    assert!(issued.iter().all(|issued| !server.is_live(&issued.token)));
}

#[tokio::test]
async fn no_token_of_a_grant_is_live_after_a_revocation_during_a_refresh() {
    let server = Server::new().await;
    for round in 0..1000 {
        let [access, refresh] = server.issue(&round.to_string(), "c1", None).await;
        // Both orders occur: each operation is queued when it is first polled.
        let (outcome, rotation) = if round % 2 == 0 {
            join(
                server.revoke("c1", &refresh),
                server.tokens.rotate(&refresh, both()),
            )
            .await
        } else {
            let refreshing = server.tokens.rotate(&refresh, both());
            let (rotation, outcome) = join(refreshing, server.revoke("c1", &refresh)).await;
            (outcome, rotation)
        };
        assert_eq!(outcome, Outcome::Revoked);
        let mut dead = vec![access, refresh];
        if let Rotation::Issued(issued) = rotation.unwrap() {
            dead.extend(secrets(issued));
        }
        assert!(
            dead.iter().all(|token| !server.is_live(token)),
            "round {round}"
        );
    }
}
