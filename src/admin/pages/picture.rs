//! The picture of the last 24 hours.

use super::{
    recent::{self, Recent},
    shown::Date,
};

/// The number of records over time, as columns.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub(super) columns: Vec<Column>,
    pub(super) total: u64,
    pub(super) highest: u64,
    /// The spans with records, from new to old, for those who read the numbers.
    pub(super) rows: Vec<Row>,
    pub(super) begin: String,
    pub(super) end: String,
    pub(super) since: Option<Date>,
}

/// A column, in the units of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) left: u64,
    pub(super) top: u64,
    pub(super) height: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) begin: Option<Date>,
    pub(super) end: String,
    pub(super) count: u64,
}

/// The width of a column with the gap after it, and the height of the highest one.
const STEP: u64 = 15;
const HEIGHT: u64 = 120;

impl Picture {
    pub(super) fn new(recent: &Recent) -> Self {
        let highest = recent.spans.iter().map(|(_, count)| *count).max();
        let highest = highest.unwrap_or(0);
        let columns = (0..).zip(&recent.spans).map(|(at, (_, count))| {
            let height = height(*count, highest);
            Column {
                left: at * STEP,
                top: HEIGHT - height,
                height,
            }
        });
        let clock = |seconds| Date::new(seconds).map_or_else(String::new, Date::clock);
        let rows = recent.spans.iter().rev().filter(|(_, count)| *count > 0);
        let begin = recent.spans.first().map_or(0, |(begin, _)| *begin);
        Self {
            columns: columns.filter(|column| column.height > 0).collect(),
            total: recent.spans.iter().map(|(_, count)| *count).sum(),
            highest,
            rows: rows
                .map(|(begin, count)| Row {
                    begin: Date::new(*begin),
                    end: clock(begin + recent::span().as_secs()),
                    count: *count,
                })
                .collect(),
            begin: clock(begin),
            end: clock(recent.end()),
            since: Date::new(recent.since),
        }
    }
}

/// A column that stands for something can be seen.
fn height(count: u64, highest: u64) -> u64 {
    if count == 0 {
        return 0;
    }
    let height = u128::from(count) * u128::from(HEIGHT) / u128::from(highest.max(1));
    u64::try_from(height).unwrap_or(HEIGHT).clamp(2, HEIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highest_column_fills_the_picture() {
        let spans = (0..48).map(|at| (at * 1800, if at == 3 { u64::MAX / 48 } else { at % 2 }));
        let recent = Recent {
            since: 0,
            spans: spans.collect(),
        };
        let picture = Picture::new(&recent);
        assert_eq!(picture.columns.len(), 24);
        let highest = Column {
            left: 45,
            top: 0,
            height: HEIGHT,
        };
        assert_eq!(picture.columns[1], highest);
        assert_eq!(picture.columns[0].height, 2);
        assert_eq!(picture.rows.len(), 24);
        assert_eq!(picture.begin, "00:00");
    }
}
