//! What is revoked with a token, and what is not.

use std::{
    pin::pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{
    FutureExt as _,
    channel::oneshot,
    future::{Shared, join, ready},
    poll,
};
use tempfile::TempDir;
use tower::{BoxError, Service, ServiceExt, service_fn};
use tower_revocation::{
    Outcome, RevocationRequest, Secret,
    enforce::Index,
    introspect::{
        Introspected, Introspection, Reason, TokenKind,
        issued::{Grant, IssuedToken, IssuedTokens, NewToken, Rotation},
    },
    log::{
        Durability, EmbeddedLog, LogError, LogErrorKind, LogHealth, MemoryLog, NumericDate,
        Position, Reader, Revocation, RevocationLog, Selector, Snapshot,
    },
    revoke::{Cascade, RecordRevocation},
};

const HOUR: Duration = Duration::from_secs(3600);

struct Server {
    _folder: TempDir,
    log: EmbeddedLog,
    tokens: IssuedTokens,
    index: Index,
}

impl Server {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = EmbeddedLog::open(folder.path().join("tokens.redb")).unwrap();
        let tokens = IssuedTokens::open(log.clone()).await.unwrap();
        let index = Index::follow(&log).await.unwrap();
        Self {
            _folder: folder,
            log,
            tokens,
            index,
        }
    }

    fn backend(&self) -> RecordRevocation<IssuedTokens, EmbeddedLog> {
        RecordRevocation::new(self.tokens.clone(), self.log.clone())
            .responsible_for_all_tokens(true)
            .longest_lifetime(self.tokens.longest_lifetime())
    }

    /// Issues an access token and a refresh token.
    async fn issue(&self, grant: &str, client_id: &str, sub: Option<&str>) -> [Secret; 2] {
        let mut grant = Grant::new(grant, client_id);
        grant.sub = sub.map(str::to_owned);
        secrets(self.tokens.issue(grant, both()).await.unwrap().unwrap())
    }

    async fn revoke(&self, client_id: &str, token: &Secret) -> Outcome {
        revoke(self.backend(), client_id, token).await
    }

    fn is_live(&self, token: &Secret) -> bool {
        let token = self.tokens.introspect(token).unwrap();
        token.is_some_and(|token| self.index.is_live(&token, NumericDate::now()))
    }

    async fn records(&self) -> u64 {
        self.log.snapshot().await.unwrap().position.sequence
    }
}

async fn revoke(
    backend: RecordRevocation<IssuedTokens, EmbeddedLog>,
    client_id: &str,
    token: &Secret,
) -> Outcome {
    let request = RevocationRequest::new(client_id.to_owned(), token.clone());
    backend.oneshot(request).await.unwrap()
}

fn both() -> Vec<NewToken> {
    vec![
        NewToken::access_token(HOUR),
        NewToken::refresh_token(24 * HOUR),
    ]
}

fn secrets(issued: Vec<IssuedToken>) -> [Secret; 2] {
    let secrets: Vec<_> = issued.into_iter().map(|issued| issued.token).collect();
    secrets.try_into().unwrap()
}

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
    let expires = async || server.log.snapshot().await.unwrap().records[0].expires();
    let short = server.backend().longest_lifetime(HOUR);
    assert_eq!(revoke(short, "c1", &refresh).await, Outcome::Revoked);
    let before = expires().await;
    assert_eq!(server.revoke("c1", &refresh).await, Outcome::Revoked);
    assert!(expires().await > before);
}

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

/// Makes a backend whose introspection always returns this token, and returns its log too.
fn backend_of(
    token: Introspection,
) -> (
    impl Service<RevocationRequest<&'static str>, Response = Outcome, Error = BoxError> + Clone,
    MemoryLog,
) {
    let introspect = service_fn(move |_: Secret| {
        let token = token.clone();
        async { Ok::<_, BoxError>(Some(token)) }
    });
    let log = MemoryLog::new();
    (RecordRevocation::new(introspect, log.clone()), log)
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

    async fn snapshot(&self) -> Result<Snapshot, LogError> {
        self.log.snapshot().await
    }

    async fn tail(&self, after: Position, reader: Weak<dyn Reader>) -> Result<(), LogError> {
        self.log.tail(after, reader).await
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
        let records = log.snapshot().await.unwrap().records.len();
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
    assert!(log.snapshot().await.unwrap().records.is_empty());
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
        assert!(log.snapshot().await.unwrap().records.is_empty());
    }
}

fn request() -> RevocationRequest<&'static str> {
    RevocationRequest::new("c1", Secret::new("45ghiukldjahdnhzdauz"))
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
    let records = log.snapshot().await.unwrap().records;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].selector(), Selector::grant("g1"));
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
            assert_eq!(log.snapshot().await.unwrap().position.sequence, 0);
        }
    }
}

#[tokio::test]
async fn expired_token_without_a_selector_is_not_found() {
    let mut token = Introspection::new(TokenKind::AccessToken, "c1");
    token.exp = Some(NumericDate::new(1000));
    let (backend, log) = backend_of(token);
    assert_eq!(backend.oneshot(request()).await.unwrap(), Outcome::NotFound);
    assert_eq!(log.snapshot().await.unwrap().position.sequence, 0);
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
        fn read(&self, _: Position, records: &[Revocation]) {
            self.0.fetch_add(records.len(), Ordering::SeqCst);
        }
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
    let start = server.log.snapshot().await.unwrap().position;
    server
        .log
        .tail(start, Arc::downgrade(&reader))
        .await
        .unwrap();

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
    let records = log.snapshot().await.unwrap().records;
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
    let records = log.snapshot().await.unwrap().records;
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
    assert_eq!(log.snapshot().await.unwrap().position.sequence, 0);
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
