//! One node: its core, its clock, its connections and its reader.

use std::time::Duration;

use super::{
    super::super::{Core, Event, NodeSettings},
    APPEND_TIMEOUT, LEASE, TOKENS, Time,
};
use crate::log::{Moment, Position};

/// What a connection is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Poll,
    Append,
    /// On the connection of the polls.
    Begin,
}

pub(super) struct Node {
    pub(super) core: Core,
    begun: Moment,
    /// How many millionths the clock is too fast.
    rate: i64,
    pub(super) paused_until: Time,
    /// No request gets through until then, and no answer.
    pub(super) cut_out: [Time; 3],
    pub(super) cut_in: [Time; 3],
    /// Whether a request that is cut off gets no answer at all.
    pub(super) hangs: bool,
    pub(super) slow: [Time; 3],
    /// The numbers of the requests in flight.
    pub(super) in_flight: [Option<u64>; 3],
    /// The wake-up that counts.
    pub(super) wake: u64,
    /// The newest incarnation of which an answer told.
    pub(super) incarnation: u64,
    pub(super) reader: Reader,
    /// The tokens whose records the node can give back.
    pub(super) remembers: Vec<bool>,
    /// Until then the node reaches the old engine, once it knows the new one.
    pub(super) misled_until: Time,
}

/// Which records a reader has, and as of when it is complete.
pub(super) struct Reader {
    pub(super) has: Vec<bool>,
    pub(super) complete: Option<(Position, Moment)>,
}

impl Node {
    pub(super) fn new(seed: u64, rate: i64, waits: bool, begun: Moment) -> Self {
        let settings = NodeSettings {
            lease: Duration::from_micros(LEASE),
            append_timeout: Duration::from_micros(APPEND_TIMEOUT),
            waits,
            seed,
            name: "node".into(),
        };
        Self {
            core: Core::new(&settings, begun),
            begun,
            rate,
            paused_until: 0,
            cut_out: [0; 3],
            cut_in: [0; 3],
            hangs: false,
            slow: [0; 3],
            in_flight: [None; 3],
            wake: 0,
            incarnation: 0,
            reader: Reader {
                has: vec![false; TOKENS],
                complete: None,
            },
            remembers: vec![false; TOKENS],
            misled_until: 0,
        }
    }

    /// The time by this node's clock.
    pub(super) fn clock(&self, now: Time) -> Moment {
        let micros = i64::try_from(now).unwrap();
        let passed = micros + micros * self.rate / 1_000_000;
        self.begun + Duration::from_micros(u64::try_from(passed).unwrap())
    }

    /// How long a time by this node's clock takes, and not less.
    pub(super) fn lasts(&self, time: Duration) -> Time {
        let micros = i64::try_from(time.as_micros()).unwrap();
        let real = micros * 1_000_000 / (1_000_000 + self.rate);
        u64::try_from(real).unwrap() + 2
    }

    pub(super) fn wait(&self, now: Time) -> Option<Time> {
        let wait = self.core.wake_at()?.since(self.clock(now));
        Some(self.lasts(wait))
    }

    /// Whether the node accepts a token that has no record.
    pub(super) fn accepts(&self, now: Time) -> bool {
        let lease = Duration::from_micros(LEASE);
        let complete = self.reader.complete;
        complete.is_some_and(|(_, asked)| self.clock(now).since(asked) <= lease)
    }

    /// The answer to a request that is still in flight.
    pub(super) fn takes(&mut self, line: Line, number: u64) -> bool {
        let in_flight = &mut self.in_flight[line as usize];
        let takes = *in_flight == Some(number);
        if takes {
            *in_flight = None;
        }
        takes
    }

    /// An answer tells of its incarnation.
    pub(super) fn hears(&mut self, event: &Event) {
        let incarnation = match event {
            Event::Polled(Ok(page)) => page.incarnation,
            Event::Committed(Ok(committed)) => committed.incarnation,
            _ => return,
        };
        self.incarnation = self.incarnation.max(incarnation.0);
    }
}
