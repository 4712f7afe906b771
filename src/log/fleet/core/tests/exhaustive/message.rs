//! What nodes and their engine send to each other.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use super::super::{model::Model, *};
use crate::log::fleet::engine::Append;

/// What is on a connection.
#[derive(Clone, Debug)]
pub(super) enum Message {
    Poll(Ask),
    Begin(Incarnation),
    Append(Append),
    Polled(Page),
    Begun,
    Committed(Committed),
}

impl Message {
    pub(super) fn is_request(&self) -> bool {
        matches!(self, Self::Poll(_) | Self::Begin(_) | Self::Append(_))
    }

    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        std::mem::discriminant(self).hash(&mut hasher);
        match self {
            Self::Begin(after) => after.hash(&mut hasher),
            Self::Append(append) => append.mark.hash(&mut hasher),
            Self::Poll(ask) => {
                let report = ask.report.as_ref();
                let report = report.map(|report| (report.applied, report.healed));
                (ask.after, report, ask.silent.len()).hash(&mut hasher);
            }
            Self::Polled(page) => {
                let same = page.history == History::Same;
                let Membership {
                    was_listed,
                    barrier,
                    report_wanted,
                    members,
                } = &page.membership;
                (page.incarnation, same, page.upto, page.records.len()).hash(&mut hasher);
                (was_listed, barrier, report_wanted).hash(&mut hasher);
                for member in members {
                    (member.id, member.beat, member.applied, member.healed).hash(&mut hasher);
                }
            }
            Self::Begun => {}
            Self::Committed(committed) => {
                committed.incarnation.hash(&mut hasher);
                for done in &committed.batches {
                    if let Done::Appended { sequence, added } = done {
                        (sequence, added).hash(&mut hasher);
                    }
                }
            }
        }
        hasher.finish()
    }

    pub(super) fn ask(self, engine: &mut Model) -> Self {
        match self {
            Self::Poll(ask) => Self::Polled(engine.poll(ask)),
            Self::Begin(after) => {
                engine.begin(after);
                Self::Begun
            }
            Self::Append(append) => Self::Committed(engine.append(&append, NumericDate::new(1000))),
            answer => answer,
        }
    }

    pub(super) fn event(self) -> Event {
        match self {
            Self::Polled(page) => Event::Polled(Ok(page)),
            Self::Begun => Event::Begun(Ok(())),
            Self::Committed(committed) => Event::Committed(Ok(committed)),
            request => request.failure(),
        }
    }

    pub(super) fn failure(self) -> Event {
        match self {
            Self::Poll(_) | Self::Polled(_) => Event::Polled(Err(unavailable())),
            Self::Begin(_) | Self::Begun => Event::Begun(Err(unavailable())),
            Self::Append(_) | Self::Committed(_) => Event::Committed(Err(unavailable())),
        }
    }
}
