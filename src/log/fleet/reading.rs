//! What operators see while a node reads a long log.

use std::time::Duration;

use tokio::time::Instant;

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

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::{super::tests::events::Lines, *};

    #[tokio::test(start_paused = true)]
    async fn reading_is_told_at_its_beginning_every_ten_seconds_and_at_its_end() {
        let (lines, _listening) = Lines::listen();
        let mut reading = Reading::default();
        let mut page = |progress: Option<u64>| {
            let expected = Some(3_000_000);
            reading.page(4096);
            reading.update(progress.map(|records| Progress { records, expected }));
            lines.take()
        };
        assert_eq!(page(None), "", "one page, as in most polls");
        let first = page(Some(4096));
        assert!(first.contains("began to read the log of the fleet expected=3000000"));
        for number in 2..=21 {
            advance(Duration::from_secs(1)).await;
            let told = page(Some(4096 * number));
            let expected = match number {
                11 => "reading the log of the fleet records=45056 bytes=2207744 expected=3000000",
                21 => "reading the log of the fleet records=86016 bytes=4214784 expected=3000000",
                _ => {
                    assert_eq!(told, "");
                    continue;
                }
            };
            assert!(told.contains(expected), "{told}");
        }
        let last = page(None);
        let whole = "read the log of the fleet records=90112 bytes=4415488 seconds=20";
        assert!(last.contains(whole), "{last}");
        assert_eq!(page(None), "");
    }
}
