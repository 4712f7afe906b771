//! What counts towards a quota, and for how long?

use std::sync::Weak;

use futures::{FutureExt as _, executor::block_on, future::pending};

use super::*;
use crate::{
    introspect::TokenKind,
    log::{Durability, LogError, LogErrorKind, LogHealth, MemoryLog, Position, Reader},
};

fn token() -> Introspection {
    Introspection::new(TokenKind::RefreshToken, "c1")
}

fn expiring(grant: &str, expires: NumericDate) -> Vec<Revocation> {
    vec![Revocation::forever(Selector::grant(grant), expires)]
}

fn forever(grant: &str) -> Vec<Revocation> {
    expiring(grant, NumericDate::FOREVER)
}

/// Returns the number of clients with an entry.
fn clients(quota: &Quota) -> usize {
    quota.clients().records.len()
}

#[test]
fn expired_record_does_not_count() {
    let (quota, log) = (Quota::new(1), MemoryLog::new());
    for grant in ["a", "b", "c"] {
        let expired = expiring(grant, NumericDate::new(1000));
        block_on(quota.append(&log, client(&token()), expired)).unwrap();
    }
    block_on(quota.append(&log, client(&token()), forever("d"))).unwrap();
    block_on(quota.append(&log, client(&token()), forever("e"))).unwrap_err();
}

#[test]
fn entries_of_clients_without_records_are_removed() {
    let (quota, log) = (Quota::new(1), MemoryLog::new());
    for number in 0..5000 {
        let token = Introspection::new(TokenKind::RefreshToken, number.to_string());
        let expired = expiring(&number.to_string(), NumericDate::new(1000));
        block_on(quota.append(&log, client(&token), expired)).unwrap();
        assert!(clients(&quota) <= 1025);
    }
    // The entry of a client with a record is kept.
    block_on(quota.append(&log, client(&token()), forever("a"))).unwrap();
    for number in 0..5000 {
        let token = Introspection::new(TokenKind::RefreshToken, number.to_string());
        let expired = expiring(&number.to_string(), NumericDate::new(1000));
        block_on(quota.append(&log, client(&token), expired)).unwrap();
    }
    block_on(quota.append(&log, client(&token()), forever("b"))).unwrap_err();
}

/// A log that fails or, without a kind, never returns.
struct Broken(Option<LogErrorKind>);

impl RevocationLog for Broken {
    async fn append(&self, _: Vec<Revocation>) -> Result<Position, LogError> {
        match self.0 {
            Some(kind) => Err(LogError::new(kind)),
            None => pending().await,
        }
    }

    async fn follow(&self, _: Weak<dyn Reader>) -> Result<(), LogError> {
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
fn failed_append_does_not_count() {
    for kind in [
        LogErrorKind::QueueFull,
        LogErrorKind::Full,
        LogErrorKind::Closed,
        LogErrorKind::Storage,
        LogErrorKind::Missing,
        LogErrorKind::Replaced,
    ] {
        let quota = Quota::new(1);
        block_on(quota.append(&Broken(Some(kind)), client(&token()), forever("a"))).unwrap_err();
        assert_eq!(clients(&quota), 0);
        block_on(quota.append(&MemoryLog::new(), client(&token()), forever("a"))).unwrap();
    }
}

#[test]
fn append_whose_future_was_dropped_counts() {
    let quota = Quota::new(1);
    let dropped = quota
        .append(&Broken(None), client(&token()), forever("a"))
        .now_or_never();
    assert!(dropped.is_none());
    block_on(quota.append(&MemoryLog::new(), client(&token()), forever("b"))).unwrap_err();
}

#[test]
fn every_record_counts_in_a_log_that_can_only_append() {
    struct Plain(MemoryLog);
    impl RevocationLog for Plain {
        async fn append(&self, batch: Vec<Revocation>) -> Result<Position, LogError> {
            self.0.append(batch).await
        }

        async fn follow(&self, reader: Weak<dyn Reader>) -> Result<(), LogError> {
            self.0.follow(reader).await
        }

        fn health(&self) -> LogHealth {
            self.0.health()
        }

        fn durability(&self) -> Durability {
            Durability::Volatile
        }
    }
    let (quota, log) = (Quota::new(2), Plain(MemoryLog::new()));
    block_on(quota.append(&log, client(&token()), forever("a"))).unwrap();
    block_on(quota.append(&log, client(&token()), forever("a"))).unwrap();
    block_on(quota.append(&log, client(&token()), forever("a"))).unwrap_err();
}
