//! The incarnations of a log that is only read, as its reader tells them apart.
//!
//! A node that finds that the log has lost its end begins another incarnation, and reads everything
//! again. A leaf cannot write. If no other node has what was lost, the incarnation of the log stays
//! the same. So the leaf counts its own. The same holds for a node that reads a file.

use super::super::engine::Incarnation;

#[derive(Debug, Default)]
pub(super) struct View {
    /// How often the leaf has begun another incarnation by itself, or has renamed them all.
    begun: u64,
    /// The incarnation of the last answer, as the relay calls it.
    seen: Option<Incarnation>,
}

impl View {
    /// What the relay calls the incarnation of its last answer.
    pub(super) fn seen(&self) -> Option<Incarnation> {
        self.seen
    }

    /// What the leaf calls the incarnation of its last answer.
    pub(super) fn current(&self) -> Option<Incarnation> {
        self.seen.map(|seen| self.name(seen))
    }

    /// What the leaf calls the incarnation of an answer.
    pub(super) fn ours(&mut self, theirs: Incarnation) -> Incarnation {
        self.seen = Some(theirs);
        self.name(theirs)
    }

    /// What the relay calls an incarnation of the leaf. Zero is none.
    pub(super) fn theirs(&self, ours: Incarnation) -> Incarnation {
        let seen = self.seen.filter(|seen| self.name(*seen) == ours);
        seen.unwrap_or(Incarnation(0))
    }

    /// Begins another incarnation after this one.
    pub(super) fn begin(&mut self, after: Incarnation) {
        if self.seen.is_some_and(|seen| self.name(seen) == after) {
            self.rename();
        }
    }

    /// Calls every incarnation something else from now on.
    pub(super) fn rename(&mut self) {
        self.begun += 1;
    }

    /// What the leaf calls an incarnation of the relay.
    pub(super) fn name(&self, theirs: Incarnation) -> Incarnation {
        // An odd number: all names of one incarnation are different.
        let distance = self.begun.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Incarnation(theirs.0.wrapping_add(distance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incarnation_of_the_leaf_differs_from_the_one_before() {
        let mut view = View::default();
        let first = view.ours(Incarnation(7));
        assert_eq!(first, Incarnation(7));
        view.begin(Incarnation(6));
        assert_eq!(view.ours(Incarnation(7)), first);
        view.begin(first);
        let second = view.ours(Incarnation(7));
        assert_ne!(second, first);
        assert_eq!(view.theirs(second), Incarnation(7));
        assert_eq!(view.theirs(first), Incarnation(0));
    }
}
