//! Older cursors, to find out where another history parts from this one.

use super::super::engine::Cursor;

/// At most this many cursors are remembered.
const REMEMBERED: usize = 16;

/// Cursors at growing distances: each is about four times as far back as the one after it.
#[derive(Debug, Default)]
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
