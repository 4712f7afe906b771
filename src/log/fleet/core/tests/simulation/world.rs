//! The order of everything that happens in one run.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    super::{
        super::{
            super::engine::{Append, Ask, Batch, Incarnation},
            Action, Event,
            random::Random,
        },
        model::Model,
        record,
    },
    BOUND, CALM, END, LEASE, MILLI, NODES, TOKENS, Time,
    faults::{self, Fault, below, pick},
    node::{Line, Node},
    oracle::{Counts, Oracle},
};
use crate::log::{Moment, Selector};

pub(super) enum Happening {
    Fault(Time, Fault),
    /// The engine is back, without its last records.
    Lose(usize, bool),
    /// A caller revokes a token.
    Revoke(u64),
    Probe,
    Wake(usize, u64),
    /// A request arrives at the engine.
    Asked(usize, u64, Request),
    /// Something arrives at a node.
    Heard(usize, Event),
    Answered(usize, Line, u64, Event),
}

pub(super) enum Request {
    Poll(Ask),
    Begin(Incarnation),
    Append(Append),
}

pub(super) struct World {
    pub(super) now: Time,
    agenda: BTreeMap<(Time, u64), Happening>,
    /// Orders what happens at the same time, and numbers requests.
    pub(super) number: u64,
    pub(super) random: Random,
    pub(super) engine: Model,
    pub(super) engine_down_until: Time,
    /// Whether the last loss did not begin another incarnation.
    is_silent: bool,
    pub(super) nodes: Vec<Node>,
    /// The engine as it was before the last failover.
    pub(super) old: Option<Model>,
    pub(super) faults: Vec<(Time, Time, Fault)>,
    oracle: Oracle,
    tokens: HashMap<Selector, usize>,
    /// The tokens that each caller revokes.
    callers: HashMap<u64, Vec<usize>>,
    waiting: HashSet<u64>,
}

impl World {
    /// With `waits`, appends wait for all members.
    pub(super) fn new(seed: u64, waits: bool) -> Self {
        let mut random = Random::new(seed);
        let begun = Moment::now();
        let node = |index: usize| {
            // From 1 % too slow to 1 % too fast.
            let rate = [-9900, 9900, 0, -5000][index % 4];
            Node::new(seed * 100 + index as u64, rate, waits, begun)
        };
        let nodes = (0..NODES).map(node).collect();
        let faults = faults::draw(&mut random);
        let mut world = Self {
            now: 0,
            agenda: BTreeMap::new(),
            number: 0,
            random,
            engine: Model::new(),
            engine_down_until: 0,
            is_silent: false,
            nodes,
            old: None,
            faults: faults.clone(),
            oracle: Oracle::new(if waits { 0 } else { BOUND }),
            tokens: (0..TOKENS)
                .map(|token| (record(token as u64).selector(), token))
                .collect(),
            callers: HashMap::new(),
            waiting: HashSet::new(),
        };
        for (begin, end, fault) in faults {
            world.at(begin, Happening::Fault(end, fault));
        }
        for caller in 0..TOKENS as u64 {
            let time = below(&mut world.random, CALM);
            world.at(time, Happening::Revoke(caller));
        }
        world.at(0, Happening::Probe);
        for node in 0..NODES {
            world.at(0, Happening::Heard(node, Event::Timer));
            // Some nodes have a reader later.
            let time = below(&mut world.random, 2) * below(&mut world.random, CALM);
            world.at(time, Happening::Heard(node, Event::Follow));
        }
        world
    }

    pub(super) fn run(mut self) -> Counts {
        while let Some(((time, _), happening)) = self.agenda.pop_first() {
            if time > END {
                break;
            }
            self.now = time;
            self.happen(happening);
        }
        // Everything has recovered by itself.
        assert!(self.waiting.is_empty(), "{:?} wait", self.waiting);
        for node in &self.nodes {
            assert!(node.accepts(self.now));
            let position = node.reader.complete.unwrap().0;
            assert_eq!(position.epoch, self.engine.incarnation);
            assert_eq!(position.sequence, self.engine.len() as u64);
            for (selector, token) in &self.tokens {
                assert!(node.reader.has[*token] || !self.engine.knows(selector));
                assert!(!self.oracle.is_revoked(*token) || self.engine.knows(selector));
            }
        }
        self.oracle.counts
    }

    pub(super) fn at(&mut self, time: Time, happening: Happening) {
        self.number += 1;
        self.agenda.insert((time, self.number), happening);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Fault(end, fault) => self.fault(end, fault),
            Happening::Lose(records, new_incarnation) => {
                if new_incarnation {
                    self.old = Some(self.engine.clone());
                }
                for lost in self.engine.lose(records) {
                    let token = self.tokens[&lost.selector()];
                    let mut nodes = (0..NODES).filter(|node| self.nodes[*node].remembers[token]);
                    let is_remembered = nodes.any(|node| self.gives_back(node));
                    let noticed = if new_incarnation { 0 } else { self.now + LEASE };
                    self.oracle.lost(token, is_remembered, noticed);
                }
                self.is_silent = !new_incarnation;
                self.engine.incarnation += u64::from(new_incarnation);
            }
            Happening::Revoke(caller) => self.revoke(caller),
            Happening::Probe => {
                for node in self
                    .nodes
                    .iter()
                    .filter(|node| node.paused_until <= self.now)
                {
                    let accepts = node.accepts(self.now);
                    self.oracle.check(self.now, accepts, &node.reader.has);
                }
                self.at(self.now + 20 * MILLI, Happening::Probe);
            }
            Happening::Wake(node, wake) => {
                if self.nodes[node].wake == wake {
                    self.hear(node, Happening::Wake(node, wake));
                }
            }
            Happening::Asked(node, number, request) => self.asked(node, number, request),
            heard @ (Happening::Heard(node, _) | Happening::Answered(node, ..)) => {
                self.hear(node, heard);
            }
        }
    }

    fn revoke(&mut self, caller: u64) {
        let node = pick(&mut self.random, NODES);
        let count = 1 + below(&mut self.random, 3);
        let tokens: Vec<_> = (0..count).map(|_| pick(&mut self.random, TOKENS)).collect();
        let batch = Batch {
            records: tokens.iter().map(|token| record(*token as u64)).collect(),
            new: usize::MAX,
        };
        self.callers.insert(caller, tokens);
        self.waiting.insert(caller);
        let append = Event::Append {
            id: caller,
            client: None,
            batch,
        };
        self.hear(node, Happening::Heard(node, append));
    }

    /// A node gets something, or gets it later, because it does not run.
    fn hear(&mut self, index: usize, happening: Happening) {
        let node = &mut self.nodes[index];
        if node.paused_until > self.now {
            let time = node.paused_until;
            return self.at(time, happening);
        }
        let event = match happening {
            Happening::Heard(_, event) => event,
            // The request may have been given up.
            Happening::Answered(_, line, number, event) if node.takes(line, number) => event,
            Happening::Wake(..) => Event::Timer,
            _ => return,
        };
        node.hears(&event);
        if let Event::Polled(Ok(page)) = &event {
            if page.incarnation.0 == node.incarnation {
                for record in &page.records {
                    node.remembers[self.tokens[&record.selector()]] = true;
                }
            }
        }
        let actions = node.core.on_event(node.clock(self.now), event);
        for action in actions {
            self.act(index, action);
        }
        let node = &mut self.nodes[index];
        node.wake += 1;
        let wake = node.wake;
        if let Some(wait) = node.wait(self.now) {
            self.at(self.now + wait, Happening::Wake(index, wake));
        }
    }

    fn act(&mut self, index: usize, action: Action) {
        let node = &mut self.nodes[index];
        match action {
            Action::Poll(ask) => self.send(index, Line::Poll, Request::Poll(ask)),
            Action::Begin(after) => self.send(index, Line::Begin, Request::Begin(after)),
            Action::Append(append) => self.send(index, Line::Append, Request::Append(append)),
            Action::Read(records) => {
                for record in records {
                    node.reader.has[self.tokens[&record.selector()]] = true;
                }
            }
            Action::Complete { position, asked } => node.reader.complete = Some((position, asked)),
            Action::Forgotten(_) | Action::Reconnect | Action::Recall(_) => {}
            Action::Answer { id, result } => {
                assert!(self.waiting.remove(&id), "{id} was answered twice");
                let Ok(appended) = result else {
                    self.oracle.counts.unanswered += 1;
                    return;
                };
                let appended = appended.expect("no limit");
                let epoch = appended.position.epoch;
                assert!(epoch >= node.incarnation, "{epoch} is known to be over");
                self.oracle.counts.answered += 1;
                let tokens = &self.callers[&id];
                // Who appends a record that the log has already may not know it.
                let is_new = appended.added == tokens.len();
                for token in tokens {
                    let remembers = &mut self.nodes[index].remembers[*token];
                    *remembers |= is_new;
                    let is_remembered = *remembers;
                    if self.engine.knows(&record(*token as u64).selector()) {
                        self.oracle.revoked(*token, self.now);
                    } else if is_remembered && self.gives_back(index) {
                        // The engine lost the record before the answer came.
                        let noticed = if self.is_silent { LEASE } else { 0 };
                        self.oracle.revoked(*token, self.now + noticed);
                    }
                }
            }
        }
    }
}
