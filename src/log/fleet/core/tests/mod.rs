//! The rules of a node, one by one, in random orders, and in a whole fleet.

mod acking;
mod appending;
mod doubting;
mod exhaustive;
mod failing;
mod losing;
pub(crate) mod model;
mod node;
mod noticing;
mod orders;
mod polling;
mod queueing;
mod recalling;
mod replaced;
mod simulation;
mod striking;

use std::time::Duration;

use self::node::Node;
use super::{
    super::engine::{
        Ask, Batch, Committed, Cursor, Done, History, Incarnation, Member, Membership, Page,
    },
    Action, Core, Event, NodeSettings,
};
use crate::log::{Appended, LogError, LogErrorKind, Moment, NumericDate, Revocation, Selector};

const LEASE: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(2);

fn settings(seed: u64, waits: bool) -> NodeSettings {
    NodeSettings {
        lease: LEASE,
        append_timeout: TIMEOUT,
        waits,
        seed,
        name: "node".into(),
    }
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The record with this number.
fn record(number: u64) -> Revocation {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&number.to_be_bytes());
    Revocation::forever(Selector::opaque_token(digest), NumericDate::FOREVER)
}

pub(super) fn at(sequence: u64) -> Cursor {
    let mark = sequence * 1000;
    Cursor { sequence, mark }
}

/// The last page of a log with this number of records. It has the last of them.
pub(super) fn page(incarnation: u64, sequence: u64) -> Page {
    Page {
        incarnation: Incarnation(incarnation),
        history: History::Same,
        upto: at(sequence),
        records: vec![record(sequence)],
        more: false,
        expected: None,
        forgotten: NumericDate::new(0),
        membership: Membership {
            was_listed: true,
            barrier: false,
            report_wanted: false,
            members: Vec::new(),
        },
        age: Duration::ZERO,
        engine_now: None,
    }
}

/// A member, healed in this incarnation.
fn member(id: u64, beat: u64, applied: u64, healed: u64) -> Member {
    Member {
        id,
        name: "other".into(),
        beat,
        applied,
        healed: Incarnation(healed),
    }
}

/// The same page, for a node that was not listed.
fn unlisted(mut page: Page) -> Page {
    page.membership.was_listed = false;
    page
}

fn append(id: u64, records: usize) -> Event {
    let first = id * 10_000;
    let count = records as u64;
    Event::Append {
        id,
        client: None,
        batch: Batch {
            records: (first..first + count).map(record).collect(),
            new: usize::MAX,
        },
    }
}

/// The answer that this number of batches was appended.
fn committed(incarnation: u64, batches: usize) -> Event {
    let done = Done::Appended {
        sequence: 7,
        added: 1,
    };
    answered(incarnation, vec![done; batches])
}

fn answered(incarnation: u64, batches: Vec<Done>) -> Event {
    Event::Committed(Ok(Committed {
        incarnation: Incarnation(incarnation),
        at: NumericDate::new(1000),
        batches,
    }))
}

fn unavailable() -> LogError {
    LogError::new(LogErrorKind::Unavailable).caused_by("connection refused")
}

fn polls(actions: &[Action]) -> Vec<Cursor> {
    asks(actions).iter().map(|ask| ask.after).collect()
}

fn asks(actions: &[Action]) -> Vec<&Ask> {
    let mut asks = Vec::new();
    for action in actions {
        if let Action::Poll(ask) = action {
            asks.push(ask);
        }
    }
    asks
}

fn completes(actions: &[Action]) -> Vec<Moment> {
    let complete = |action: &Action| match action {
        Action::Complete { asked, .. } => Some(*asked),
        _ => None,
    };
    actions.iter().filter_map(complete).collect()
}

fn read(actions: &[Action]) -> Vec<Revocation> {
    let read = |action: &Action| match action {
        Action::Read(records) => Some(records.clone()),
        _ => None,
    };
    actions.iter().filter_map(read).flatten().collect()
}

/// The mark of an append, and how many records are in each of its batches.
fn sent(actions: &[Action]) -> Option<(u64, Vec<usize>)> {
    actions.iter().find_map(|action| match action {
        Action::Append(append) => {
            let lengths = append.batches.iter().map(|batch| batch.records.len());
            Some((append.mark, lengths.collect()))
        }
        _ => None,
    })
}

type Answer = (u64, Result<Option<Appended>, LogErrorKind>);

fn answers(actions: &[Action]) -> Vec<Answer> {
    let answer = |action: &Action| match action {
        Action::Answer { id, result } => {
            let result = result.as_ref().map_err(LogError::kind);
            Some((*id, result.copied()))
        }
        _ => None,
    };
    actions.iter().filter_map(answer).collect()
}

/// Every caller was told the same.
fn told(actions: &[Action], ids: impl IntoIterator<Item = u64>, kind: LogErrorKind) {
    let expected: Vec<_> = ids.into_iter().map(|id| (id, Err(kind))).collect();
    assert_eq!(answers(actions), expected);
}
