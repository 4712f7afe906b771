//! Removes tokens that expired long ago.

use std::time::Duration;

use redb::ReadableTable as _;

use super::{
    IssuedTokens,
    row::{Row, TOKENS},
    store::META,
};
use crate::log::{Fault, LogError, NumericDate, SweepStep, Work};

/// The number of rows that one step looks at.
const STEP: usize = 1024;

impl IssuedTokens {
    /// Removes the tokens that have been expired for longer than the
    /// [retention](super::IssuedTokensBuilder::expired_retention), and returns their number.
    ///
    /// It works in steps, so that revocations are written in between.
    /// [`sweep_every`](Self::sweep_every) calls it periodically.
    ///
    /// # Errors
    ///
    /// [`ClockJumped`](crate::log::LogErrorKind::ClockJumped) if the system's clock is ahead of the
    /// time that has passed, as with [`EmbeddedLog::sweep`](crate::log::EmbeddedLog::sweep): by
    /// such a clock, live tokens have expired. Nothing is removed then. Otherwise, if the file
    /// cannot be written.
    pub async fn sweep(&self) -> Result<u64, LogError> {
        let (now, retention) = (self.log.clock().now()?, self.expired_retention);
        let (mut removed, mut from) = (0, Some([0; 32]));
        while let Some(start) = from {
            let step = self
                .log
                .write(move |work| sweep_step(work, start, retention, now))
                .await?;
            removed += step.removed;
            from = step.next;
        }
        Ok(removed)
    }

    /// [Sweeps](Self::sweep) once in this period, on the log's own thread, for as long as there is
    /// a handle to the log. Called again, it changes the period.
    #[must_use]
    pub fn sweep_every(self, period: Duration) -> Self {
        let (clock, retention) = (self.log.clock().clone(), self.expired_retention);
        let mut from = [0; 32];
        self.log
            .every("sweeping issued tokens", period, move |work| {
                let Ok(now) = clock.now() else {
                    return Ok(false);
                };
                let next = sweep_step(work, from, retention, now)?.next;
                from = next.unwrap_or([0; 32]);
                Ok(next.is_some())
            });
        self
    }
}

/// Looks at the next rows and removes those that have been expired for longer than the retention.
pub(super) fn sweep_step(
    work: &mut Work<'_>,
    from: [u8; 32],
    retention: Duration,
    now: NumericDate,
) -> Result<SweepStep<[u8; 32]>, Fault> {
    let mut tokens = work.transaction.open_table(TOKENS)?;
    let mut latest = None;
    let mut expired = Vec::new();
    let mut next = None;
    let mut plain = Vec::new();
    for (seen, row) in tokens.range::<&[u8; 32]>(&from..)?.enumerate() {
        let (digest, row) = row?;
        if seen == STEP {
            next = Some(*digest.value());
            break;
        }
        // A newer version may have written rows that this one cannot read. They expire as well.
        let exp = Row::read_exp(work.key(), row.value(), &mut plain)?;
        if exp + retention <= now {
            expired.push(*digest.value());
            latest = latest.max(Some(exp.seconds()));
        }
    }
    for digest in &expired {
        tokens.remove(digest)?;
    }
    if let Some(latest) = latest {
        let mut meta = work.transaction.open_table(META)?;
        let forgotten = meta.get("forgotten")?.map_or(0, |exp| exp.value());
        meta.insert("forgotten", latest.max(forgotten))?;
        work.dirty = true;
    }
    Ok(SweepStep {
        removed: expired.len() as u64,
        next,
    })
}
