//! Two nodes, their engine, and what is on its way between them.

use std::{
    hash::{DefaultHasher, Hash, Hasher as _},
    time::Duration,
};

use super::{
    super::{super::members::with_drift, model::Model, *},
    Limits,
    message::Message,
    steps::{Line, Step},
};

#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) core: Core,
    pub(super) lines: [Option<Message>; 2],
    /// Which tokens its reader refuses, and as of when it is complete.
    pub(super) has: [bool; 2],
    pub(super) complete: Option<Moment>,
    pub(super) has_revoked: bool,
    /// A hash of all that it has heard, and when.
    history: u64,
}

#[derive(Clone)]
pub(super) struct Fleet {
    pub(super) now: Moment,
    pub(super) engine: Model,
    pub(super) nodes: [Peer; 2],
    /// Since when each token is revoked, as a caller was told.
    pub(super) revoked: [Option<Moment>; 2],
    pub(super) has_failed_over: bool,
    pub(super) limits: Limits,
    pub(super) bound: Duration,
}

impl Fleet {
    /// Two nodes that are complete. Their next polls are due.
    pub(super) fn new(waits: bool, limits: Limits) -> Self {
        let now = Moment::now();
        let node = |seed| Peer {
            core: Core::new(&settings(seed, waits), now),
            lines: [None, None],
            has: [false; 2],
            complete: None,
            has_revoked: false,
            history: seed,
        };
        let mut fleet = Self {
            now,
            engine: Model::new(),
            nodes: [node(1), node(2)],
            revoked: [None; 2],
            has_failed_over: false,
            limits,
            bound: if waits {
                Duration::ZERO
            } else {
                with_drift(LEASE)
            },
        };
        // No lease is left from before the first answer.
        for _ in 0..8 {
            for node in 0..2 {
                fleet.settle(node);
            }
            fleet.now = fleet.now + LEASE / 5;
        }
        assert!((0..2).all(|node| fleet.accepts(node)));
        fleet
    }

    /// The node polls until nothing is due.
    fn settle(&mut self, node: usize) {
        let round = [
            Step::Wake(node),
            Step::Arrive(node, Line::Poll),
            Step::Return(node, Line::Poll),
        ];
        while let Some(step) = round.into_iter().find(|step| self.is_possible(*step)) {
            self.take(step).expect("nothing is revoked");
        }
    }

    /// Returns what is broken then.
    pub(super) fn take(&mut self, step: Step) -> Result<(), String> {
        match step {
            Step::Revoke(node) => {
                self.nodes[node].has_revoked = true;
                self.remember(node, None);
                let id = node as u64;
                let batch = Batch {
                    records: vec![record(id)],
                    new: usize::MAX,
                };
                let client = None;
                self.hear(node, Event::Append { id, client, batch })?;
            }
            Step::Wake(node) => {
                self.remember(node, None);
                self.hear(node, Event::Timer)?;
            }
            Step::Arrive(node, line) => {
                let message = &mut self.nodes[node].lines[line as usize];
                *message = message.take().map(|request| request.ask(&mut self.engine));
            }
            Step::Return(node, line) => {
                let message = self.nodes[node].lines[line as usize].take();
                let message = message.expect("it is possible");
                self.remember(node, Some(message.fingerprint()));
                self.hear(node, message.event())?;
            }
            Step::TimeOut(node, line) => {
                self.limits.failures -= 1;
                let message = self.nodes[node].lines[line as usize].take();
                self.remember(node, Some(line as u64));
                self.hear(node, message.expect("it is possible").failure())?;
            }
            Step::FailOver(records) => {
                self.has_failed_over = true;
                self.engine.lose(records);
                self.engine.incarnation += 1;
            }
            Step::FifthOfLease => {
                self.limits.fifths -= 1;
                self.now = self.now + LEASE / 5;
            }
            Step::Lease => {
                self.limits.leases -= 1;
                self.now = self.now + LEASE;
            }
        }
        self.excuse();
        self.check()
    }

    fn remember(&mut self, node: usize, heard: Option<u64>) {
        let node = &mut self.nodes[node];
        let mut hasher = DefaultHasher::new();
        (node.history, node.has_revoked, self.now, heard).hash(&mut hasher);
        node.history = hasher.finish();
    }

    fn hear(&mut self, node: usize, event: Event) -> Result<(), String> {
        for action in self.nodes[node].core.on_event(self.now, event) {
            let peer = &mut self.nodes[node];
            let (line, message) = match action {
                Action::Poll(ask) => (Line::Poll, Message::Poll(ask)),
                Action::Begin(after) => (Line::Poll, Message::Begin(after)),
                Action::Append(append) => (Line::Append, Message::Append(append)),
                Action::Read(records) => {
                    for token in 0..2 {
                        peer.has[token] |= records.contains(&record(token as u64));
                    }
                    continue;
                }
                Action::Complete { asked, .. } => {
                    peer.complete = Some(asked);
                    continue;
                }
                Action::Answer { id, result } => {
                    if result.is_ok() {
                        let token = usize::try_from(id).expect("a token");
                        self.revoked[token].get_or_insert(self.now);
                    }
                    continue;
                }
                Action::Forgotten(_) | Action::Reconnect | Action::Recall(_) => continue,
            };
            let line = &mut peer.lines[line as usize];
            if line.replace(message).is_some() {
                return Err("two requests are in flight".into());
            }
        }
        Ok(())
    }

    /// States with the same fingerprint go on in the same ways: each node has gone through the same,
    /// and what is elsewhere is the same.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for node in &self.nodes {
            node.history.hash(&mut hasher);
            for line in &node.lines {
                line.as_ref().map(Message::fingerprint).hash(&mut hasher);
            }
        }
        self.engine.hash(&mut hasher);
        let Limits {
            fifths,
            leases,
            failures,
            ..
        } = self.limits;
        (fifths, leases, failures, self.has_failed_over).hash(&mut hasher);
        self.revoked.hash(&mut hasher);
        hasher.finish()
    }
}
