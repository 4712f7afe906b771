//! What becomes of a request and of its answer on their way?

use std::time::Duration;

use super::{
    super::{super::Event, Incarnation, unavailable},
    APPEND_TIMEOUT, LEASE, MILLI, NODES, Time,
    faults::below,
    node::Line,
    world::{Happening, Request, World},
};
use crate::log::NumericDate;

impl World {
    pub(super) fn send(&mut self, index: usize, line: Line, request: Request) {
        self.number += 1;
        let number = self.number;
        let node = &mut self.nodes[index];
        node.in_flight[line as usize] = Some(number);
        let (is_cut, hangs) = (node.cut_out[line as usize] > self.now, node.hangs);
        let patience = match line {
            Line::Poll | Line::Begin => LEASE,
            Line::Append => APPEND_TIMEOUT,
        };
        let give_up = node.lasts(Duration::from_micros(patience));
        let failure = || Happening::Answered(index, line, number, failure(line));
        self.at(self.now + give_up, failure());
        let delay = self.delay(index, line);
        if !is_cut {
            self.at(self.now + delay, Happening::Asked(index, number, request));
        } else if !hangs {
            self.at(self.now + delay, failure());
        }
    }

    /// The engine gets a request.
    pub(super) fn asked(&mut self, index: usize, number: u64, request: Request) {
        let is_down = self.engine_down_until > self.now;
        let node = &self.nodes[index];
        // Only for a node that knows the new one, and that the old one is over. Another node would follow
        // the old engine, unless that is fenced: then it does not answer.
        let is_misled = node.misled_until > self.now && node.incarnation == self.engine.incarnation;
        let old = self.old.as_mut().filter(|old| {
            let incarnations = &node.core.state.incarnations;
            let is_known = incarnations.is_over(Incarnation(old.incarnation));
            is_misled && is_known
        });
        let is_down = is_down && old.is_none();
        let is_old = old.is_some();
        let engine = old.unwrap_or(&mut self.engine);
        let (line, event) = match request {
            Request::Poll(_) if is_down => (Line::Poll, failure(Line::Poll)),
            Request::Append(_) if is_down => (Line::Append, failure(Line::Append)),
            Request::Begin(_) if is_down || is_old => (Line::Begin, failure(Line::Begin)),
            Request::Poll(ask) => (Line::Poll, Event::Polled(Ok(engine.poll(ask)))),
            Request::Begin(after) => {
                engine.begin(after);
                (Line::Begin, Event::Begun(Ok(())))
            }
            Request::Append(append) => {
                let committed = engine.append(&append, NumericDate::new(1000));
                for node in 0..NODES {
                    let delay = self.delay(node, Line::Poll);
                    let is_lost = self.nodes[node].cut_in[0] > self.now + delay;
                    // Hints get lost.
                    if !is_lost && below(&mut self.random, 10) > 0 {
                        self.at(self.now + delay, Happening::Heard(node, Event::Hint));
                    }
                }
                (Line::Append, Event::Committed(Ok(committed)))
            }
        };
        let delay = self.delay(index, line);
        let node = &self.nodes[index];
        if node.cut_in[line as usize] <= self.now + delay {
            self.at(
                self.now + delay,
                Happening::Answered(index, line, number, event),
            );
        } else if !node.hangs {
            let failure = Happening::Answered(index, line, number, failure(line));
            self.at(self.now + delay, failure);
        }
    }

    /// How long a message takes.
    fn delay(&mut self, node: usize, line: Line) -> Time {
        let longest = if self.nodes[node].slow[line as usize] > self.now {
            400 * MILLI
        } else {
            3 * MILLI
        };
        MILLI / 5 + below(&mut self.random, longest)
    }
}

fn failure(line: Line) -> Event {
    match line {
        Line::Poll => Event::Polled(Err(unavailable())),
        Line::Begin => Event::Begun(Err(unavailable())),
        Line::Append => Event::Committed(Err(unavailable())),
    }
}
