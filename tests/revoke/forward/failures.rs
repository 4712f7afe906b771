//! What happens if the log or an introspection fails, or the client disconnects?

use super::*;

#[tokio::test]
async fn failed_introspection_is_503_and_nothing_is_forwarded() {
    let server = success().await;
    let down =
        service_fn(async |_: Secret| Err::<Option<Introspection>, _>(BoxError::from("down")));
    let record = RecordRevocation::new(down, MemoryLog::new());
    let backend = ForwardRevocation::new(&server.uri(), record).unwrap();
    assert_eq!(send(&backend, form(C1)).await.status, 503);
    assert_eq!(server.asked(), 0);
}

/// A log that fails until it recovers.
#[derive(Clone)]
struct Failing {
    log: MemoryLog,
    fails: Arc<AtomicBool>,
    /// Whether its health reports the failure.
    reports: bool,
}

impl Failing {
    fn new(reports: bool) -> Self {
        Self {
            log: MemoryLog::new(),
            fails: Arc::new(AtomicBool::new(true)),
            reports,
        }
    }

    fn recover(&self) {
        self.fails.store(false, Ordering::SeqCst);
    }
}

impl RevocationLog for Failing {
    async fn append(&self, batch: Vec<Revocation>) -> Result<Position, LogError> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(LogError::new(LogErrorKind::Closed));
        }
        self.log.append(batch).await
    }

    async fn follow(&self, reader: Weak<dyn Reader>) -> Result<(), LogError> {
        self.log.follow(reader).await
    }

    fn durability(&self) -> Durability {
        self.log.durability()
    }

    fn health(&self) -> LogHealth {
        if self.reports && self.fails.load(Ordering::SeqCst) {
            let now = Instant::now();
            let next = now + Duration::from_secs(7);
            return LogHealth::failing(LogError::new(LogErrorKind::Storage), now, next);
        }
        LogHealth::writable()
    }
}

/// Behaves like an introspection endpoint: it does not know the token after its revocation.
fn forgetful(
    server: &Arc<Server>,
) -> impl Clone
+ Send
+ Service<Secret, Response = Option<Introspection>, Error = BoxError, Future: Send>
+ use<> {
    let server = Arc::clone(server);
    service_fn(move |token: Secret| {
        let is_revoked = server.asked() > 0;
        ready(Ok(known(&token).filter(|_| !is_revoked)))
    })
}

#[tokio::test]
async fn nothing_is_forwarded_while_the_log_cannot_be_written() {
    let server = success().await;
    let log = Failing::new(true);
    let record = RecordRevocation::new(introspect(), log.clone());
    let backend = ForwardRevocation::new(&server.uri(), record).unwrap();
    let response = send(&backend, form(C1)).await;
    assert_eq!(response.status, 503);
    assert_eq!(response.retry_after.unwrap(), "7");
    assert_eq!(server.asked(), 0);
    log.recover();
    assert_eq!(send(&backend, form(C1)).await.status, 200);
    assert_eq!(recorded(&log.log).await, [token_selector("refresh.c1.g1")]);
}

/// At the retry no introspection knows the token any more, so success must wait for the record.
#[tokio::test]
async fn failed_record_is_503_and_success_waits_until_it_is_durable() {
    let server = Arc::new(success().await);
    let log = Failing::new(false);
    let record = RecordRevocation::new(forgetful(&server), log.clone());
    let backend = ForwardRevocation::new(&server.uri(), record).unwrap();
    assert_eq!(send(&backend, form(C1)).await.status, 503);
    assert_eq!(recorded(&log.log).await, []);

    let mut retry = Box::pin(send(&backend, form(C1)));
    assert!(retry.as_mut().now_or_never().is_none());
    log.recover();
    assert_eq!(retry.await.status, 200);
    assert_eq!(recorded(&log.log).await, [token_selector("refresh.c1.g1")]);
}

#[tokio::test]
async fn second_introspection_is_tried_again_until_it_succeeds() {
    let server = Arc::new(success().await);
    let log = MemoryLog::new();
    let record = RecordRevocation::new(forgetful(&server), log.clone());
    let down = Arc::new(AtomicBool::new(true));
    let is_down = Arc::clone(&down);
    let second = service_fn(move |_: Secret| {
        ready(if is_down.load(Ordering::SeqCst) {
            Err(BoxError::from("down"))
        } else {
            Ok(None::<Introspection>)
        })
    });
    let backend = ForwardRevocation::new(&server.uri(), record)
        .unwrap()
        .confirm_by(second);
    assert_eq!(send(&backend, form(C1)).await.status, 503);
    assert_eq!(recorded(&log).await, [token_selector("refresh.c1.g1")]);
    down.store(false, Ordering::SeqCst);
    assert_eq!(send(&backend, form(C1)).await.status, 200);
    assert!(recorded(&log).await.contains(&Selector::grant("g1")));
}

#[tokio::test]
async fn request_beyond_the_quota_is_not_forwarded() {
    let server = success().await;
    let log = MemoryLog::new();
    let record = RecordRevocation::new(introspect(), log.clone()).quota(1);
    let backend = ForwardRevocation::new(&server.uri(), record).unwrap();
    assert_eq!(send_verified(&backend, form(C1)).await.status, 200);
    let second = "client_id=c1&token=refresh.c1.g2";
    assert_eq!(send_verified(&backend, form(second)).await.status, 503);
    assert_eq!(server.asked(), 1);
    let other = "client_id=c2&token=refresh.c2.g3";
    assert_eq!(send_verified(&backend, form(other)).await.status, 200);
}

#[tokio::test]
async fn requests_of_disconnected_clients_count_towards_the_limit() {
    let server = success().await;
    let (backend, _) = forward(&server);
    let backend = backend.concurrency(3);
    server.hold();
    for grant in 0..3 {
        let form = form(format!("client_id=c1&token=refresh.c1.{grant}"));
        let mut request = Box::pin(send(&backend, form));
        assert!(request.as_mut().now_or_never().is_none());
        server.has_been_asked(grant + 1).await;
    }
    let response = send(&backend, form(C1)).await;
    assert_eq!(response.status, 503);
    assert_eq!(response.retry_after.unwrap(), "1");
    assert_eq!(server.asked(), 3);
    server.permit(4);
    while send(&backend, form(C1)).await.status == 503 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.asked(), 4);
}

#[tokio::test]
async fn revocation_is_recorded_after_the_client_has_disconnected() {
    let server = success().await;
    let (backend, log) = forward(&server);
    server.hold();
    let mut request = Box::pin(send(&backend, form(C1)));
    assert!(request.as_mut().now_or_never().is_none());
    server.has_been_asked(1).await;
    drop(request);
    server.permit(1);
    while recorded(&log).await.is_empty() {
        tokio::task::yield_now().await;
    }
}
