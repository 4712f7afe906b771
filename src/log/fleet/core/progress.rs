//! How far has a node come that reads the log?

use super::super::engine::{Cursor, Page};

/// A record is 49 bytes, whatever the engine sends beside it.
#[cfg(any(feature = "metrics", feature = "tracing"))]
const RECORD: u64 = 49;

/// What a node has read so far, of several pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) records: u64,
    /// About how many there will be, if the engine can tell.
    pub(crate) expected: Option<u64>,
}

impl Progress {
    #[cfg(any(feature = "metrics", feature = "tracing"))]
    pub(crate) fn bytes(self) -> u64 {
        self.records * RECORD
    }

    /// Returns the progress after a page with this many records. `None` if it was the last one.
    pub(super) fn after(
        before: Option<Self>,
        asked: Cursor,
        page: &Page,
        records: usize,
    ) -> Option<Self> {
        if !page.more {
            return None;
        }
        // From the beginning, if the history is another one.
        let before = before.filter(|_| asked != Cursor::default());
        let mut progress = before.unwrap_or(Self {
            records: 0,
            expected: page.expected,
        });
        progress.records += u64::try_from(records).unwrap_or(u64::MAX);
        progress.expected = progress
            .expected
            .map(|expected| expected.max(progress.records));
        Some(progress)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{at, page},
        *,
    };

    #[test]
    fn progress_adds_up_until_the_last_page_and_begins_again_with_the_log() {
        let step = |before, asked: u64, more, expected| {
            let page = Page {
                more,
                expected,
                ..page(1, 100)
            };
            Progress::after(before, at(asked), &page, 100)
        };
        let progress = |records, expected| Some(Progress { records, expected });
        let first = step(None, 0, true, Some(250));
        assert_eq!(first, progress(100, Some(250)));
        let second = step(first, 100, true, Some(150));
        assert_eq!(second, progress(200, Some(250)));
        assert_eq!(second.unwrap().bytes(), 200 * 49);
        // There are more than the engine thought.
        let third = step(second, 200, true, Some(50));
        assert_eq!(third, progress(300, Some(300)));
        assert_eq!(step(third, 300, false, Some(1)), None);
        assert_eq!(step(third, 0, true, None), progress(100, None));
    }
}
