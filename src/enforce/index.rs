//! The live records, in memory, exact.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    introspect::Introspection,
    log::{
        LogError, LogErrorKind, NumericDate, Position, Reader, Revocation, RevocationLog, Selector,
    },
};

/// Every record of a log, in memory: whether a token is revoked is a few reads of it.
///
/// It is exact: nothing is forgotten before it expires, and nothing is guessed. What this process
/// appends to the log is here before `append` returns. Clones are the same index.
///
/// ```
/// use tower_revocation::{
///     enforce::Index,
///     introspect::{Introspection, TokenKind},
///     log::{MemoryLog, NumericDate, Revocation, RevocationLog, Selector},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower_revocation::log::LogError> {
/// let log = MemoryLog::new();
/// let index = Index::follow(&log).await?;
///
/// let now = NumericDate::now();
/// let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
/// token.iat = Some(now);
/// token.grant = Some("g1".into());
/// assert!(index.is_live(&token, now));
///
/// log.append(vec![Revocation::forever(Selector::grant("g1"), NumericDate::FOREVER)]).await?;
/// assert!(!index.is_live(&token, now));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Index {
    records: Arc<Records>,
}

#[derive(Debug, Default)]
struct Records(RwLock<HashMap<Selector, Revocation>>);

impl Index {
    /// Takes in all that the log has, and follows it from there. There is no index before that is
    /// done, so nothing is taken for live because it has not been read yet.
    ///
    /// # Errors
    ///
    /// If the log could not be read.
    pub async fn follow<L: RevocationLog>(log: &L) -> Result<Self, LogError> {
        let records = Arc::new(Records::default());
        loop {
            let snapshot = log.snapshot().await?;
            records.merge(&snapshot.records);
            let reader: Arc<dyn Reader> = records.clone();
            match log.tail(snapshot.position, Arc::downgrade(&reader)).await {
                Ok(()) => return Ok(Self { records }),
                // The log was compacted beyond the snapshot in the meantime. Another one adds to
                // it.
                Err(error) if error.kind() == LogErrorKind::Gap => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether a record covers the token: any one of its selectors suffices.
    #[must_use]
    pub fn covers(&self, token: &Introspection) -> bool {
        let records = self
            .records
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        token
            .selectors()
            .filter_map(|selector| records.get(&selector))
            .any(|record| token.iat.is_none_or(|iat| record.covers(iat)))
    }

    /// Whether the token is good now: neither expired, nor rotated, nor revoked.
    #[must_use]
    pub fn is_live(&self, token: &Introspection, now: NumericDate) -> bool {
        !token.is_expired(now) && !token.rotated && !self.covers(token)
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets the records that have expired by now. Call it now and then, aside of requests.
    pub fn sweep(&self, now: NumericDate) {
        let expired = |record: &Revocation| record.expires() <= now;
        let records = self
            .records
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let selectors = records
            .values()
            .filter(|record| expired(record))
            .map(Revocation::selector);
        let selectors: Vec<_> = selectors.collect();
        drop(records);
        // A few at a time: whoever asks about a token waits for no more than that.
        for step in selectors.chunks(1024) {
            let mut records = self
                .records
                .0
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            for selector in step {
                // It may have been revoked anew in the meantime.
                if records.get(selector).is_some_and(expired) {
                    records.remove(selector);
                }
            }
        }
    }
}

impl Records {
    fn merge(&self, batch: &[Revocation]) {
        let mut records = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for &record in batch {
            records
                .entry(record.selector())
                .and_modify(|known| *known = known.merge(record))
                .or_insert(record);
        }
    }
}

impl Reader for Records {
    fn read(&self, _: Position, records: &[Revocation]) {
        self.merge(records);
    }
}
