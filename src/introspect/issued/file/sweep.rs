//! Removes tokens that expired long ago.

use std::time::Duration;

use redb::ReadableTable as _;

use super::{
    super::row::{Row, TOKENS},
    tables::META,
};
use crate::log::{Fault, NumericDate, SweepStep, Work};

/// The number of rows that one step looks at.
const STEP: usize = 1024;

/// Looks at the next rows and removes those that have been expired for longer than the retention.
pub(super) fn step(
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
