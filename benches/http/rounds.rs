//! The rounds. In each round the servers take some short turns, so that whatever else the machine
//! does slows all of them alike. Each round starts the servers anew: where a process happens to be in
//! memory changes its cost by some percent.

use std::time::{Duration, Instant};

use crate::{
    child::Child,
    cpu,
    load::{Client, Load, Sending},
    token,
};

const ROUNDS: usize = 9;
const TURNS: usize = 4;
/// For each turn of each server.
const REQUESTS: usize = 4_000;
/// A turn that does not count.
const WARM_UP: usize = 4_000;

/// The known tokens that one server needs: each can be revoked once.
pub(crate) const KNOWN_TOKENS: usize = WARM_UP + TURNS * REQUESTS;

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Unknown,
    Known,
    /// Unknown, in a body that arrives after the head.
    Late,
}

impl Kind {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Unknown => "unknown tokens",
            Self::Known => "known tokens, each revoked once",
            Self::Late => "unknown tokens, bodies after `100 Continue`",
        }
    }

    fn token(self, number: usize) -> String {
        match self {
            Self::Unknown | Self::Late => token::unknown(number),
            Self::Known => token::known(number),
        }
    }

    fn sending(self) -> Sending {
        match self {
            Self::Unknown | Self::Known => Sending::Together,
            Self::Late => Sending::InTwoParts,
        }
    }
}

/// A server, and its part of the rounds.
struct Turns<'a> {
    child: &'a Child,
    load: Load,
    /// How many tokens were sent.
    sent: usize,
}

/// What a server used in one round.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) cpu: Duration,
    pub(crate) elapsed: Duration,
    pub(crate) requests: u32,
}

impl<'a> Turns<'a> {
    fn new(child: &'a Child, load: Load) -> Self {
        Self {
            child,
            load,
            sent: 0,
        }
    }

    fn cpu_time(&self) -> Duration {
        let time = cpu::time(self.child.id());
        time.expect("Linux, and a server that runs")
    }

    fn turn(&mut self, kind: Kind, requests: usize) -> Cost {
        let tokens = (self.sent..self.sent + requests).map(|number| kind.token(number));
        let sent = self.load.requests(tokens, kind.sending());
        self.sent += requests;
        let (begun, before) = (Instant::now(), self.cpu_time());
        self.load.send(&sent);
        Cost {
            cpu: self.cpu_time().saturating_sub(before),
            elapsed: begun.elapsed(),
            requests: requests.try_into().expect("a small number"),
        }
    }
}

/// The costs of each server, one for each round.
pub(crate) fn run<const SERVERS: usize>(
    kind: Kind,
    start: impl Fn(usize) -> [(Child, Client); SERVERS],
) -> [[Cost; ROUNDS]; SERVERS] {
    let mut costs = [[Cost::default(); ROUNDS]; SERVERS];
    for round in 0..ROUNDS {
        // The threads of a child stay on the CPU of its parent.
        cpu::pin_to_first();
        let servers = start(round);
        cpu::pin_to_last();
        let mut turns = servers
            .each_ref()
            .map(|(child, client)| Turns::new(child, Load::new(child.address(), *client)));
        for turn in &mut turns {
            turn.turn(kind, WARM_UP);
        }
        for _ in 0..TURNS {
            for (turn, costs) in turns.iter_mut().zip(&mut costs) {
                let cost = turn.turn(kind, REQUESTS);
                costs[round].cpu += cost.cpu;
                costs[round].elapsed += cost.elapsed;
                costs[round].requests += cost.requests;
            }
        }
    }
    costs
}
