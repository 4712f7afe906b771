//! Which tokens must both nodes refuse?

use std::time::Duration;

use super::{
    super::{LEASE, record},
    fleet::Fleet,
};

impl Fleet {
    /// Nothing is promised about a record that the engine lost if the only node that has it was away
    /// for so long that the other one has struck it out.
    pub(super) fn excuse(&mut self) {
        for (token, revoked) in self.revoked.iter_mut().enumerate() {
            let is_lost = !self.engine.knows(&record(token as u64).selector());
            let mut holders = self.nodes.iter().filter(|node| node.has[token]);
            if is_lost && holders.all(|node| !self.engine.lists(node.core.member())) {
                *revoked = None;
            }
        }
    }

    pub(super) fn accepts(&self, node: usize) -> bool {
        let complete = self.nodes[node].complete;
        complete.is_some_and(|asked| self.now.since(asked) <= LEASE)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        for (token, revoked) in self.revoked.iter().enumerate() {
            let Some(revoked) = *revoked else { continue };
            let is_due = self.now.since(revoked) > self.bound || self.bound.is_zero();
            for node in (0..2).filter(|node| is_due && self.accepts(*node)) {
                if !self.nodes[node].has[token] {
                    return Err(format!("node {node} accepts token {token}"));
                }
            }
        }
        Ok(())
    }

    /// How many steps it takes at least until a node accepts a token that it must refuse. `None` if
    /// that cannot happen any more.
    pub(super) fn steps_to_break(&self) -> Option<u8> {
        let tokens = (0..2).filter_map(|token| {
            if self.nodes.iter().all(|node| node.has[token]) {
                // Readers forget nothing.
                return None;
            }
            // To revoke it, the request, and the answer.
            let appended = match self.revoked[token] {
                Some(_) => 0,
                None if self.nodes[token].has_revoked => 1,
                None => 3,
            };
            let waited = self.revoked[token].map_or(Duration::ZERO, |at| self.now.since(at));
            let is_due = self.bound.is_zero() || waited > self.bound;
            // A lease and a fifth of it are more than the bound.
            let lease = u8::from(!is_due && waited < LEASE);
            let fifth = u8::from(!is_due && (waited.is_zero() || waited == LEASE));
            if lease > self.limits.leases || fifth > self.limits.fifths {
                return None;
            }
            let time = lease + fifth;
            Some(appended + time)
        });
        tokens.min()
    }
}
