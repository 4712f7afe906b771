//! What counts, and for how long.

use std::sync::Weak;

use futures::{FutureExt as _, executor::block_on, future::pending};

use super::*;
use crate::{
    introspect::TokenKind,
    log::{Durability, LogError, LogErrorKind, LogHealth, MemoryLog, Position, Reader, Snapshot},
};

fn token() -> Introspection {
    Introspection::new(TokenKind::RefreshToken, "c1")
}

fn until(grant: &str, expires: NumericDate) -> Vec<Revocation> {
    vec![Revocation::forever(Selector::grant(grant), expires)]
}

fn forever(grant: &str) -> Vec<Revocation> {
    until(grant, NumericDate::FOREVER)
}

fn accounts(quota: &Quota) -> usize {
    quota.ledger().accounts.len()
}

#[test]
fn record_that_has_ended_does_not_count() {
    let (quota, log) = (Quota::new(1), MemoryLog::new());
    for grant in ["a", "b", "c"] {
        let ended = until(grant, NumericDate::new(1000));
        block_on(quota.append(&log, &token(), ended)).unwrap();
    }
    block_on(quota.append(&log, &token(), forever("d"))).unwrap();
    block_on(quota.append(&log, &token(), forever("e"))).unwrap_err();
}

#[test]
fn accounts_of_those_who_have_nothing_left_are_closed() {
    let (quota, log) = (Quota::new(1), MemoryLog::new());
    for client in 0..5000 {
        let token = Introspection::new(TokenKind::RefreshToken, client.to_string());
        let ended = until(&client.to_string(), NumericDate::new(1000));
        block_on(quota.append(&log, &token, ended)).unwrap();
        assert!(accounts(&quota) <= 1025);
    }
    // And of nobody who has.
    block_on(quota.append(&log, &token(), forever("a"))).unwrap();
    for client in 0..5000 {
        let token = Introspection::new(TokenKind::RefreshToken, client.to_string());
        let ended = until(&client.to_string(), NumericDate::new(1000));
        block_on(quota.append(&log, &token, ended)).unwrap();
    }
    block_on(quota.append(&log, &token(), forever("b"))).unwrap_err();
}

/// A log that fails or, without a kind, never answers.
struct Broken(Option<LogErrorKind>);

impl RevocationLog for Broken {
    async fn append(&self, _: Vec<Revocation>) -> Result<Position, LogError> {
        match self.0 {
            Some(kind) => Err(LogError::new(kind)),
            None => pending().await,
        }
    }

    async fn snapshot(&self) -> Result<Snapshot, LogError> {
        Err(LogError::new(LogErrorKind::Storage))
    }

    async fn tail(&self, _: Position, _: Weak<dyn Reader>) -> Result<(), LogError> {
        Err(LogError::new(LogErrorKind::Storage))
    }

    fn health(&self) -> LogHealth {
        LogHealth::writable()
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}

#[test]
fn append_that_failed_does_not_count() {
    for kind in [
        LogErrorKind::QueueFull,
        LogErrorKind::Full,
        LogErrorKind::Closed,
        LogErrorKind::Storage,
        LogErrorKind::Missing,
        LogErrorKind::Replaced,
    ] {
        let quota = Quota::new(1);
        block_on(quota.append(&Broken(Some(kind)), &token(), forever("a"))).unwrap_err();
        assert_eq!(accounts(&quota), 0);
        block_on(quota.append(&MemoryLog::new(), &token(), forever("a"))).unwrap();
    }
}

#[test]
fn append_whose_caller_has_gone_counts() {
    let quota = Quota::new(1);
    let gone = quota
        .append(&Broken(None), &token(), forever("a"))
        .now_or_never();
    assert!(gone.is_none());
    block_on(quota.append(&MemoryLog::new(), &token(), forever("b"))).unwrap_err();
}

#[test]
fn log_that_can_only_append_takes_every_record_for_new() {
    struct Plain(MemoryLog);
    impl RevocationLog for Plain {
        async fn append(&self, batch: Vec<Revocation>) -> Result<Position, LogError> {
            self.0.append(batch).await
        }

        async fn snapshot(&self) -> Result<Snapshot, LogError> {
            self.0.snapshot().await
        }

        async fn tail(&self, after: Position, reader: Weak<dyn Reader>) -> Result<(), LogError> {
            self.0.tail(after, reader).await
        }

        fn health(&self) -> LogHealth {
            self.0.health()
        }

        fn durability(&self) -> Durability {
            Durability::Volatile
        }
    }
    let (quota, log) = (Quota::new(2), Plain(MemoryLog::new()));
    block_on(quota.append(&log, &token(), forever("a"))).unwrap();
    block_on(quota.append(&log, &token(), forever("a"))).unwrap();
    block_on(quota.append(&log, &token(), forever("a"))).unwrap_err();
}
