//! A revocation of a token that its table has revoked already.

use std::time::Duration;

use tower::{Service as _, ServiceExt as _};
use tower_revocation::{
    Outcome, RevocationRequest, Secret,
    introspect::TokenKind,
    log::{
        Durability, LogError, LogErrorKind, LogHealth, MemoryLog, NumericDate, Position, Reader,
        Revocation, RevocationLog, Selector, Snapshot,
    },
    revoke::{Cascade, RecordRevocation},
};

use crate::fixture::{Introspect, Known, TOKEN, revoked};

async fn records(log: &MemoryLog) -> Vec<Revocation> {
    Snapshot::of(log).await.unwrap().records
}

async fn revoke<L>(mut backend: RecordRevocation<Introspect, L>, client_id: &str) -> Outcome
where
    L: RevocationLog + Clone + Send + Sync + 'static,
{
    let request = RevocationRequest::new(client_id.to_owned(), Secret::new(TOKEN));
    backend.call(request).await.unwrap()
}

const OWNER: &str = "s6BhdRkqt3";

#[tokio::test]
async fn revoking_a_revoked_token_again_succeeds_without_a_record() {
    let log = MemoryLog::new();
    let backend = RecordRevocation::new(Known::with(revoked()).service(), log.clone());
    assert_eq!(revoke(backend.clone(), OWNER).await, Outcome::Revoked);
    assert_eq!(
        revoke(backend, "c2").await,
        Outcome::IssuedToAnother,
        "whatever state it is in"
    );
    assert_eq!(records(&log).await, []);

    // There is nothing to write, so the log may be broken.
    let backend = RecordRevocation::new(Known::with(revoked()).service(), Broken);
    assert_eq!(revoke(backend, OWNER).await, Outcome::Revoked);

    // The token needs no selector either.
    let mut token = revoked();
    token.token = None;
    let backend = RecordRevocation::new(Known::with(token).service(), Broken);
    assert_eq!(revoke(backend, OWNER).await, Outcome::Revoked);
}

#[tokio::test]
async fn cascade_of_a_revoked_token_is_still_recorded() {
    let mut refresh = revoked();
    refresh.kind = TokenKind::RefreshToken;
    let log = MemoryLog::new();
    let backend = RecordRevocation::new(Known::with(refresh).service(), log.clone());
    assert_eq!(revoke(backend, OWNER).await, Outcome::Revoked);
    let selectors: Vec<_> = records(&log)
        .await
        .iter()
        .map(Revocation::selector)
        .collect();
    assert_eq!(selectors, [Selector::grant("g1")]);
}

/// The token itself is revoked already, and a watermark in the future would cover tokens of others.
#[tokio::test]
async fn watermark_of_a_revoked_token_from_the_future_is_now() {
    let mut token = revoked();
    token.grant = None;
    token.sid = None;
    token.iat = Some(NumericDate::now() + Duration::from_secs(3600));
    let log = MemoryLog::new();
    let backend = RecordRevocation::new(Known::with(token).service(), log.clone())
        .access_token_cascade(Cascade::Subject);
    assert_eq!(revoke(backend, OWNER).await, Outcome::Revoked);
    let records = records(&log).await;
    assert_eq!(records[0].selector(), Selector::subject("alice"));
    assert!(records[0].not_before() <= NumericDate::now());
}

/// A log that fails.
#[derive(Clone)]
struct Broken;

impl RevocationLog for Broken {
    async fn append(&self, _: Vec<Revocation>) -> Result<Position, LogError> {
        Err(LogError::new(LogErrorKind::Storage))
    }

    async fn follow(&self, _: std::sync::Weak<dyn Reader>) -> Result<(), LogError> {
        Err(LogError::new(LogErrorKind::Storage))
    }

    fn health(&self) -> LogHealth {
        LogHealth::writable()
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}

#[tokio::test]
async fn revocation_with_something_to_write_needs_the_log() {
    let mut refresh = revoked();
    refresh.kind = TokenKind::RefreshToken;
    let backend = RecordRevocation::new(Known::with(refresh).service(), Broken);
    let request = RevocationRequest::new(OWNER.to_owned(), Secret::new(TOKEN));
    assert!(backend.oneshot(request).await.is_err());
}
