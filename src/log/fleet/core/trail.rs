//! Older cursors, to find out where another history parts from this one.

use super::super::engine::Cursor;

/// At most this many cursors are remembered.
const REMEMBERED: usize = 16;

/// Cursors at growing distances: each is about four times as far back as the one after it.
#[derive(Clone, Debug, Default)]
pub(super) struct Trail {
    /// The newest one last.
    cursors: Vec<Cursor>,
}

impl Trail {
    /// The node has every record up to here.
    pub(super) fn push(&mut self, cursor: Cursor) {
        let newest = self.cursors.last().map_or(0, |newest| newest.sequence);
        if cursor.sequence <= newest {
            return;
        }
        let mut kept: Vec<Cursor> = Vec::with_capacity(REMEMBERED + 1);
        for (index, older) in self.cursors.iter().enumerate() {
            let Some(newer) = self.cursors.get(index + 1) else {
                kept.push(*older);
                break;
            };
            let reach = (cursor.sequence - newer.sequence).saturating_mul(4);
            let last = kept.last().map_or(0, |last| last.sequence);
            if cursor.sequence - last > reach || kept.is_empty() {
                kept.push(*older);
            }
        }
        kept.push(cursor);
        kept.drain(..kept.len().saturating_sub(REMEMBERED));
        self.cursors = kept;
    }

    pub(super) fn newest(&self) -> Cursor {
        self.cursors.last().copied().unwrap_or_default()
    }

    /// The newest cursor before this one.
    pub(super) fn before(&self, cursor: Cursor) -> Option<Cursor> {
        let older = |older: &&Cursor| older.sequence < cursor.sequence;
        self.cursors.iter().rev().find(older).copied()
    }

    /// Another history goes on from here.
    pub(super) fn cut(&mut self, cursor: Cursor) {
        self.cursors
            .retain(|older| older.sequence <= cursor.sequence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(sequence: u64) -> Cursor {
        let mark = sequence * 7;
        Cursor { sequence, mark }
    }

    fn trail(sequences: impl IntoIterator<Item = u64>) -> Trail {
        let mut trail = Trail::default();
        sequences.into_iter().for_each(|one| trail.push(at(one)));
        trail
    }

    #[test]
    fn cursors_are_few_near_the_end_close_and_reach_far_back() {
        let trail = trail(1..=1_000_000);
        assert!(trail.cursors.len() <= REMEMBERED);
        let mut back = Vec::new();
        let mut cursor = at(1_000_000);
        while let Some(older) = trail.before(cursor) {
            assert!(older.sequence < cursor.sequence && older.mark == older.sequence * 7);
            back.push(1_000_000 - older.sequence);
            cursor = older;
        }
        assert!(back[0] <= 8, "{back:?}");
        assert!(*back.last().unwrap() >= 20_000, "{back:?}");
        // Who goes back reads little more than what was lost.
        assert!(
            back.windows(2).all(|two| two[1] <= two[0] * 20 + 20),
            "{back:?}"
        );
    }

    #[test]
    fn older_and_equal_cursors_change_nothing() {
        let trail = trail([5, 3, 5, 0, 9]);
        assert_eq!(trail.before(at(9)), Some(at(5)));
        assert_eq!(trail.before(at(5)), None);
    }

    #[test]
    fn nothing_is_left_behind_a_cut() {
        let mut trail = trail([10, 20, 30]);
        trail.cut(at(20));
        assert_eq!(trail.before(at(100)), Some(at(20)));
        trail.push(at(21));
        assert_eq!(trail.before(at(100)), Some(at(21)));
    }
}
