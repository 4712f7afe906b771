//! What can happen in the fleet, and when?

use super::{fleet::Fleet, message::Message};

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// A caller revokes the token of this node.
    Revoke(usize),
    /// The node does what is due. Until it does, it is paused.
    Wake(usize),
    /// A request arrives at the engine.
    Arrive(usize, Line),
    /// The answer arrives at the node.
    Return(usize, Line),
    /// The request or its answer is lost.
    TimeOut(usize, Line),
    /// The engine loses its last records.
    FailOver(usize),
    FifthOfLease,
    Lease,
}

/// What a connection is used for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Line {
    Poll,
    Append,
}

const LINES: [Line; 2] = [Line::Poll, Line::Append];

impl Fleet {
    /// What can happen next.
    pub(super) fn steps(&self) -> Vec<Step> {
        let lines = (0..2).flat_map(|node| LINES.map(|line| (node, line)));
        let mut steps = vec![Step::FifthOfLease, Step::Lease];
        for (node, line) in lines {
            steps.extend([
                Step::Arrive(node, line),
                Step::Return(node, line),
                Step::TimeOut(node, line),
            ]);
        }
        for node in 0..2 {
            steps.extend([
                Step::Revoke(node),
                Step::Wake(node),
                Step::FailOver(node + 1),
            ]);
        }
        steps.retain(|step| self.is_possible(*step));
        steps
    }

    pub(super) fn is_possible(&self, step: Step) -> bool {
        let message = |node: usize, line| self.nodes[node].lines[line as usize].as_ref();
        match step {
            Step::Revoke(node) => !self.nodes[node].has_revoked,
            Step::Wake(node) => {
                let wake_at = self.nodes[node].core.wake_at();
                wake_at.is_some_and(|at| at.since(self.now).is_zero())
            }
            Step::Arrive(node, line) => message(node, line).is_some_and(Message::is_request),
            Step::Return(node, line) => message(node, line).is_some_and(|one| !one.is_request()),
            Step::TimeOut(node, line) => self.limits.failures > 0 && message(node, line).is_some(),
            Step::FailOver(records) => !self.has_failed_over && self.engine.len() >= records,
            Step::FifthOfLease => self.limits.fifths > 0,
            Step::Lease => self.limits.leases > 0,
        }
    }
}
