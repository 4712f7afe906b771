//! Issued tokens in the file of an `EmbeddedLog`.

mod sweep;
mod tables;

use std::time::Duration;

use super::{Grant, IssuedToken, Rotation, generated::Generated, grant::Namespace, row::Row};
use crate::log::{EmbeddedLog, LogError, LogErrorKind, NumericDate, SweepStep};

#[derive(Clone, Debug)]
pub(super) struct FileTokens {
    pub(super) log: EmbeddedLog,
}

impl FileTokens {
    /// Creates the tables in a new file. Fails if the file was created with another key.
    pub(super) async fn open(log: EmbeddedLog, check: [u8; 32]) -> Result<Self, LogError> {
        // An existing file can be read even while it cannot be written.
        let is_right = log.read(|database| tables::is_right_key(database, &check))?;
        let is_right = match is_right {
            Some(is_right) => is_right,
            None => log.write(move |work| tables::create(work, &check)).await?,
        };
        if !is_right {
            return Err(LogError::new(LogErrorKind::WrongKey));
        }
        Ok(Self { log })
    }

    pub(super) fn find(
        &self,
        digest: &[u8; 32],
        now: NumericDate,
    ) -> Result<Option<Row>, LogError> {
        let log = &self.log;
        Ok(log.read(|database| tables::find(database, log.key(), digest, now))?)
    }

    pub(super) async fn issue(
        &self,
        namespace: Namespace,
        grant: Grant,
        generated: Vec<Generated>,
    ) -> Result<Option<Vec<IssuedToken>>, LogError> {
        self.log
            .write_for(grant.client(&namespace), move |work| {
                tables::issue(work, &namespace, &grant, generated)
            })
            .await
    }

    pub(super) async fn earliest_iat(
        &self,
        namespace: Namespace,
        grant: Grant,
    ) -> Result<Option<NumericDate>, LogError> {
        self.log
            .write_for(grant.client(&namespace), move |work| {
                tables::earliest_iat(work, &namespace, &grant)
            })
            .await
    }

    /// `row` is that of the old token.
    pub(super) async fn rotate(
        &self,
        namespace: Namespace,
        old: [u8; 32],
        row: Row,
        generated: Vec<Generated>,
    ) -> Result<Rotation, LogError> {
        self.log
            .write_for(row.grant.client(&namespace), move |work| {
                tables::rotate(work, &namespace, &old, generated)
            })
            .await
    }

    pub(super) async fn sweep(&self, retention: Duration) -> Result<u64, LogError> {
        let now = self.log.clock().now()?;
        let (mut removed, mut from) = (0, Some([0; 32]));
        while let Some(start) = from {
            let step = self.sweep_step(start, retention, now).await?;
            removed += step.removed;
            from = step.next;
        }
        Ok(removed)
    }

    pub(super) async fn sweep_step(
        &self,
        from: [u8; 32],
        retention: Duration,
        now: NumericDate,
    ) -> Result<SweepStep<[u8; 32]>, LogError> {
        self.log
            .write(move |work| sweep::step(work, from, retention, now))
            .await
    }

    /// On the log's own thread.
    pub(super) fn sweep_every(&self, period: Duration, retention: Duration) {
        let clock = self.log.clock().clone();
        let mut from = [0; 32];
        self.log
            .every("sweeping issued tokens", period, move |work| {
                let Ok(now) = clock.now() else {
                    return Ok(false);
                };
                let next = sweep::step(work, from, retention, now)?.next;
                from = next.unwrap_or([0; 32]);
                Ok(next.is_some())
            });
    }
}
