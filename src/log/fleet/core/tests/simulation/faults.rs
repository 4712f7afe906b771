//! What goes wrong, and for how long?

use super::{
    super::super::random::Random,
    CALM, LEASE, MILLI, NODES, SECOND, Time,
    world::{Happening, World},
};

/// The number of faults in one run.
const FAULTS: usize = 16;

#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// The node does not run.
    Pause { node: usize },
    /// No request reaches the engine. A request fails at once, or never.
    CutOut { node: usize, hangs: bool },
    /// No answer comes back.
    CutIn { node: usize, hangs: bool },
    /// Polls fail, and appends do not.
    CutPolls { node: usize },
    /// Requests and answers take long.
    Slow { node: usize, appends_only: bool },
    /// The engine from before the last failover answers the node again.
    Mislead { node: usize },
    /// The engine does not answer, and has lost its last records then.
    Fail {
        records: usize,
        new_incarnation: bool,
    },
}

/// The faults of one run, in the order of their beginnings.
pub(super) fn draw(random: &mut Random) -> Vec<(Time, Time, Fault)> {
    let mut faults: Vec<_> = (0..FAULTS).map(|_| one(random)).collect();
    faults.sort_by_key(|fault| fault.0);
    faults
}

fn one(random: &mut Random) -> (Time, Time, Fault) {
    let node = pick(random, NODES);
    let hangs = below(random, 2) == 0;
    let fault = match below(random, 9) {
        0 => Fault::Pause { node },
        1 => Fault::CutOut { node, hangs },
        2 => Fault::CutIn { node, hangs },
        3 => Fault::CutPolls { node },
        4 => Fault::Slow {
            node,
            appends_only: hangs,
        },
        5 => Fault::Mislead { node },
        6 | 7 => Fault::Fail {
            records: pick(random, 7),
            new_incarnation: true,
        },
        _ => Fault::Fail {
            records: pick(random, 7),
            new_incarnation: false,
        },
    };
    let longest = match fault {
        Fault::Fail { .. } => 400 * MILLI,
        Fault::Slow { .. } => 3 * SECOND,
        _ => 2 * SECOND,
    };
    let begin = SECOND + below(random, CALM - 5 * SECOND);
    (begin, begin + below(random, longest), fault)
}

impl Fault {
    fn is_at(self, place: usize) -> bool {
        match self {
            Self::Pause { node }
            | Self::CutOut { node, .. }
            | Self::CutIn { node, .. }
            | Self::CutPolls { node }
            | Self::Slow { node, .. }
            | Self::Mislead { node } => node == place,
            Self::Fail { .. } => false,
        }
    }
}

impl World {
    /// Whether a node that remembers records gives them back before others renew their leases: it was
    /// listed, and it can reach the engine for as long as they wait.
    pub(super) fn gives_back(&self, node: usize) -> bool {
        let (begin, end) = (self.now.saturating_sub(2 * LEASE), self.now + 2 * LEASE);
        let mut faults = self.faults.iter().filter(|fault| fault.2.is_at(node));
        faults.all(|(from, to, _)| *to < begin || *from > end)
    }

    /// A fault begins, and ends at this time.
    pub(super) fn fault(&mut self, end: Time, fault: Fault) {
        match fault {
            Fault::Pause { node } => self.nodes[node].paused_until = end,
            Fault::CutOut { node, hangs } => {
                self.nodes[node].cut_out = [end; 3];
                self.nodes[node].hangs = hangs;
            }
            Fault::CutIn { node, hangs } => {
                self.nodes[node].cut_in = [end; 3];
                self.nodes[node].hangs = hangs;
            }
            Fault::Mislead { node } => self.nodes[node].misled_until = end,
            Fault::CutPolls { node } => self.nodes[node].cut_in = [end, 0, end],
            Fault::Slow { node, appends_only } => {
                let polls = if appends_only { 0 } else { end };
                self.nodes[node].slow = [polls, end, polls];
            }
            Fault::Fail {
                records,
                new_incarnation,
            } => {
                self.engine_down_until = end;
                self.at(end, Happening::Lose(records, new_incarnation));
            }
        }
    }
}

/// A number below a limit.
pub(super) fn below(random: &mut Random, limit: u64) -> u64 {
    random.number() % limit
}

/// An index below a limit.
pub(super) fn pick(random: &mut Random, limit: usize) -> usize {
    usize::try_from(below(random, limit as u64)).unwrap()
}
