//! How the answer of a feed is written.
//!
//! Numbers are big-endian.
//!
//! | bytes | content |
//! |---|---|
//! | 4 | `trf` and the version, 1 |
//! | 8 | the incarnation of the log |
//! | 8, 8 | the last record of this answer: its number and its mark |
//! | 8 | how old the knowledge of the relay is, in milliseconds, rounded up |
//! | 4 | the lease of the relay, in milliseconds |
//! | 4 | the shortest lease of those that follow it, in milliseconds |
//! | 8 | the latest expiry of the records that the log has removed |
//! | 2 | flags |
//! | 2 | the number of records, at most 16,384 |
//! | 49 each | the records: selector (33), `not_before` (8), `expires` (8) |

#[cfg(test)]
mod tests;

use std::{fmt, time::Duration};

use bytes::Bytes;

use super::super::engine::{Cursor, History, Incarnation, Membership, Page};
use crate::log::{LogErrorKind, NumericDate, Revocation, Selector};

pub(super) const MEDIA_TYPE: &str = "application/vnd.tower-revocation.feed";

/// An answer has at most this many records. A page of an engine has fewer.
pub(super) const LONGEST_PAGE: usize = 16 * 1024;

/// The size of the longest answer, in bytes.
pub(super) const LONGEST_ANSWER: usize = HEAD + LONGEST_PAGE * RECORD;

const NAME: [u8; 3] = *b"trf";
const VERSION: u8 = 1;
const HEAD: usize = 4 + 8 + 8 + 8 + 8 + 4 + 4 + 8 + 2 + 2;
const RECORD: usize = 33 + 8 + 8;

const MORE: u16 = 1;
const BARRIER: u16 = 1 << 1;
const LISTED: u16 = 1 << 2;
const REPORT_WANTED: u16 = 1 << 3;
const SWEPT: u16 = 1 << 4;
const OTHER: u16 = 1 << 5;
const KNOWN: u16 = MORE | BARRIER | LISTED | REPORT_WANTED | SWEPT | OTHER;

/// A record as it is sent.
pub(super) type Packed = [u8; RECORD];

pub(super) fn pack(record: &Revocation) -> Packed {
    let mut packed = [0; RECORD];
    packed[..33].copy_from_slice(&record.selector().to_bytes());
    packed[33..41].copy_from_slice(&record.not_before().seconds().to_be_bytes());
    packed[41..].copy_from_slice(&record.expires().seconds().to_be_bytes());
    packed
}

/// The leases of those that follow a relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leases {
    /// That of the relay.
    pub(super) longest: Duration,
    /// While nothing fails, what one that follows knows is at most this old.
    pub(super) shortest: Duration,
}

/// Writes an answer with these records in place of those of the page, at most [`LONGEST_PAGE`].
pub(super) fn encode(page: &Page, leases: Leases, records: &[Packed]) -> Bytes {
    let flag = |is_set: bool, flag: u16| if is_set { flag } else { 0 };
    let flags = flag(page.more, MORE)
        | flag(page.membership.barrier, BARRIER)
        | flag(page.membership.was_listed, LISTED)
        | flag(page.membership.report_wanted, REPORT_WANTED)
        | flag(page.history == History::Swept, SWEPT)
        | flag(page.history == History::Other, OTHER);
    // Rounded up: what looks younger than it is would be relied on for too long.
    let age = page.age.saturating_add(Duration::from_nanos(999_999));
    let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
    let milliseconds = |lease: Duration| u32::try_from(lease.as_millis()).unwrap_or(u32::MAX);
    let count = u16::try_from(records.len()).unwrap_or(u16::MAX);

    let mut bytes = Vec::with_capacity(HEAD + records.len() * RECORD);
    bytes.extend(NAME);
    bytes.push(VERSION);
    bytes.extend(page.incarnation.0.to_be_bytes());
    bytes.extend(page.upto.sequence.to_be_bytes());
    bytes.extend(page.upto.mark.to_be_bytes());
    bytes.extend(age.to_be_bytes());
    bytes.extend(milliseconds(leases.longest).to_be_bytes());
    bytes.extend(milliseconds(leases.shortest).to_be_bytes());
    bytes.extend(page.forgotten.seconds().to_be_bytes());
    bytes.extend(flags.to_be_bytes());
    bytes.extend(count.to_be_bytes());
    bytes.extend(records.as_flattened());
    bytes.into()
}

/// Reads an answer.
pub(super) fn decode(bytes: &[u8]) -> Result<(Page, Leases), Broken> {
    let mut rest = bytes;
    if take::<3>(&mut rest)? != NAME {
        return Err(Broken::NoFeed);
    }
    if take::<1>(&mut rest)? != [VERSION] {
        return Err(Broken::Newer);
    }
    let incarnation = Incarnation(number(&mut rest)?);
    let upto = Cursor {
        sequence: number(&mut rest)?,
        mark: number(&mut rest)?,
    };
    let age = Duration::from_millis(number(&mut rest)?);
    let leases = Leases {
        longest: milliseconds(&mut rest)?,
        shortest: milliseconds(&mut rest)?,
    };
    let forgotten = NumericDate::new(number(&mut rest)?);
    let flags = u16::from_be_bytes(take(&mut rest)?);
    let count = u16::from_be_bytes(take(&mut rest)?);
    // Each flag says when an answer must not be relied on.
    if flags & !KNOWN != 0 {
        return Err(Broken::Newer);
    }
    let history = match (flags & SWEPT != 0, flags & OTHER != 0) {
        (false, false) => History::Same,
        (true, false) => History::Swept,
        (false, true) => History::Other,
        (true, true) => return Err(Broken::NoFeed),
    };
    let count = usize::from(count);
    if count > LONGEST_PAGE || rest.len() != count * RECORD {
        return Err(Broken::NoFeed);
    }
    let mut records = Vec::with_capacity(count);
    while !rest.is_empty() {
        // This version cannot enforce a class that it does not know, so it must not skip it.
        let selector = Selector::from_bytes(&take(&mut rest)?).ok_or(Broken::Newer)?;
        let not_before = NumericDate::new(number(&mut rest)?);
        let expires = NumericDate::new(number(&mut rest)?);
        records.push(Revocation::watermark(selector, not_before, expires));
    }
    let page = Page {
        incarnation,
        history,
        upto,
        records,
        more: flags & MORE != 0,
        expected: None,
        forgotten,
        membership: Membership {
            was_listed: flags & LISTED != 0,
            barrier: flags & BARRIER != 0,
            report_wanted: flags & REPORT_WANTED != 0,
            members: Vec::new(),
        },
        age,
        engine_now: None,
    };
    Ok((page, leases))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Broken> {
    let (taken, after) = rest.split_first_chunk().ok_or(Broken::NoFeed)?;
    *rest = after;
    Ok(*taken)
}

fn number(rest: &mut &[u8]) -> Result<u64, Broken> {
    take(rest).map(u64::from_be_bytes)
}

fn milliseconds(rest: &mut &[u8]) -> Result<Duration, Broken> {
    let number = u32::from_be_bytes(take(rest)?);
    Ok(Duration::from_millis(number.into()))
}

/// Why an answer cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    NoFeed,
    /// A later version of this crate has written it.
    Newer,
}

impl Broken {
    pub(super) fn kind(self) -> LogErrorKind {
        match self {
            Self::NoFeed => LogErrorKind::Corrupt,
            Self::Newer => LogErrorKind::UnknownFormat,
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoFeed => "its answer is not that of a feed: check the path of the URL",
            Self::Newer => "it has a later version of tower-revocation: update this process",
        })
    }
}
