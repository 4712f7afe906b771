//! What the disk of a node has, and the log has lost.

use std::{
    collections::HashSet,
    hash::{BuildHasher as _, RandomState},
    mem,
};

use super::super::super::Revocation;

/// The records on the disk of a node, which are asked for piece by piece.
#[derive(Clone, Debug, Default)]
pub(super) struct Recall {
    stage: Stage,
    /// Digests of the records that the log has. Without them, each record on the disk would be given
    /// back.
    has: HashSet<u64>,
    /// The key of the digests is secret, so a client cannot choose two records with the same digest.
    digests: RandomState,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// The node remembers everything that the log may have lost, or has no disk.
    #[default]
    Unneeded,
    /// The records after this place on the disk are needed.
    Wanted(u64),
    Asked,
    /// The node has compared all records on the disk.
    Done,
}

impl Recall {
    /// The node reads the whole log, and compares it with the disk.
    pub(super) fn begin(&mut self) {
        self.stage = Stage::Wanted(0);
        self.has.clear();
    }

    pub(super) fn stop(&mut self) {
        self.stage = Stage::Unneeded;
        self.has = HashSet::new();
    }

    /// The log has these records.
    pub(super) fn saw(&mut self, records: &[Revocation]) {
        if matches!(self.stage, Stage::Wanted(_) | Stage::Asked) {
            let digests = records.iter().map(|record| self.digests.hash_one(record));
            self.has.extend(digests);
        }
    }

    /// Whether nothing is missing any more.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Unneeded | Stage::Done)
    }

    /// Whether the node has compared all records on the disk, since the last call.
    pub(super) fn has_ended(&mut self) -> bool {
        let has_ended = self.stage == Stage::Done;
        if has_ended {
            self.stage = Stage::Unneeded;
        }
        has_ended
    }

    /// Returns from where the next piece is needed.
    pub(super) fn ask(&mut self) -> Option<u64> {
        let Stage::Wanted(after) = self.stage else {
            return None;
        };
        self.stage = Stage::Asked;
        Some(after)
    }

    /// The disk cannot be read. What it has is not compared, so this does not count as an end.
    pub(super) fn failed(&mut self) {
        if self.stage == Stage::Asked {
            self.stop();
        }
    }

    /// A piece of the disk. Returns those records that the log lacks. Without a next place, it is the
    /// last piece.
    pub(super) fn answered(
        &mut self,
        mut records: Vec<Revocation>,
        next: Option<u64>,
    ) -> Vec<Revocation> {
        if self.stage != Stage::Asked {
            // It was asked for before the log was lost once more.
            return Vec::new();
        }
        self.stage = next.map_or(Stage::Done, Stage::Wanted);
        records.retain(|record| !self.has.contains(&self.digests.hash_one(record)));
        if next.is_none() {
            mem::take(&mut self.has);
        }
        records
    }
}
