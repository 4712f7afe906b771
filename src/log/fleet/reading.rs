//! What operators see while a node reads a long log.

use std::time::{Duration, Instant};

use super::{core::Progress, observe};

/// The time from one event to the next.
const PERIOD: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct Reading(Option<Begun>);

#[derive(Debug)]
struct Begun {
    at: Instant,
    /// When the last event was.
    told: Instant,
    records: u64,
}

impl Reading {
    /// The engine has answered with this number of records.
    pub(super) fn page(&mut self, records: usize) {
        let records = u64::try_from(records).unwrap_or(u64::MAX);
        observe::read(records);
        if let Some(begun) = &mut self.0 {
            begun.records += records;
        }
    }

    /// The progress after a page. `None` if the node does not read several pages, or has read the last
    /// one.
    pub(super) fn update(&mut self, progress: Option<Progress>) {
        let now = Instant::now();
        match (progress, &mut self.0) {
            (Some(progress), None) => {
                observe::reading_began(progress);
                self.0 = Some(Begun {
                    at: now,
                    told: now,
                    records: progress.records,
                });
            }
            (Some(progress), Some(begun)) => {
                observe::reads(progress);
                if now.duration_since(begun.told) >= PERIOD {
                    begun.told = now;
                    observe::still_reading(progress);
                }
            }
            (None, Some(begun)) => {
                let records = begun.records;
                let expected = None;
                observe::reading_ended(Progress { records, expected }, begun.at.elapsed());
                self.0 = None;
            }
            (None, None) => {}
        }
    }
}
