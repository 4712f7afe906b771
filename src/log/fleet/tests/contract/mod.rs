//! What the core expects of every engine. The tests of an engine run this with real servers.

mod faults;
#[cfg(feature = "admin")]
pub(crate) mod journal;
mod lives;
mod members;
#[cfg(feature = "embedded")]
pub(crate) mod mirror;
#[cfg(feature = "jwt")]
mod once;
mod pages;
mod records;
mod writers;

use super::super::{
    super::{LogError, NumericDate, Revocation, Selector},
    engine::{Append, Ask, Batch, Committed, Cursor, Done, Engine, History, Page},
};

#[cfg(feature = "embedded")]
pub(crate) use self::mirror::mirror;
#[cfg(feature = "jwt")]
pub(crate) use self::once::{identifier, once, soon, swept_uses, use_up};
pub(crate) use self::{
    faults::{crash, dropped_calls, recovered, standstill},
    lives::lives,
    members::members,
    pages::{cursors, pages, resent, resent_at_its_place},
    records::{limits, merging, records, stamping},
    writers::writers,
};

/// An error with its cause, in one line.
pub(crate) fn line(error: &LogError) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    format!("{error}: {}", cause.unwrap_or_default())
}

pub(crate) fn grant(name: impl std::fmt::Display) -> Revocation {
    Revocation::forever(Selector::grant(&name.to_string()), NumericDate::FOREVER)
}

pub(crate) fn watermark(name: &str, seconds: u64, expires: u64) -> Revocation {
    let [seconds, expires] = [seconds, expires].map(NumericDate::new);
    Revocation::watermark(Selector::subject(name), seconds, expires)
}

pub(crate) fn batch(records: impl IntoIterator<Item = Revocation>) -> Batch {
    Batch {
        records: records.into_iter().collect(),
        new: usize::MAX,
    }
}

pub(crate) fn request(batches: impl IntoIterator<Item = Batch>) -> Append {
    Append {
        mark: getrandom::u64().unwrap(),
        batches: batches.into_iter().collect(),
        as_given: false,
    }
}

pub(crate) async fn append<E: Engine>(
    log: &E,
    records: impl IntoIterator<Item = Revocation>,
) -> Committed {
    let appended = log.append(request([batch(records)])).await;
    appended.unwrap_or_else(|error| panic!("{}", line(&error)))
}

/// A poll that only reads.
pub(crate) fn ask(after: Cursor) -> Ask {
    Ask {
        after,
        member: 1,
        report: None,
        silent: Vec::new(),
    }
}

pub(crate) async fn poll<E: Engine>(log: &E, after: Cursor) -> Page {
    let page = log.poll(ask(after)).await;
    page.unwrap_or_else(|error| panic!("{}", line(&error)))
}

/// The log from the beginning.
pub(crate) async fn all<E: Engine>(log: &E) -> Vec<Revocation> {
    let mut records = Vec::new();
    let mut cursor = Cursor::default();
    loop {
        let page = poll(log, cursor).await;
        assert_eq!(page.history, History::Same);
        records.extend(page.records);
        cursor = page.upto;
        if !page.more {
            return records;
        }
    }
}

fn appended(sequence: u64, added: usize) -> Done {
    Done::Appended { sequence, added }
}
