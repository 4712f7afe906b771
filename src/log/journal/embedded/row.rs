//! An entry as bytes, before they are masked.

use super::super::{
    super::{FileKey, NumericDate},
    JournalEntry,
};

/// The first byte of a row. A later version that adds fields changes it.
const VERSION: u8 = 1;
/// The length of the checksum at the end of a row. It finds damage, by which an entry could name
/// someone else.
const CHECKSUM: usize = 8;

/// An entry in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) entry: JournalEntry,
    pub(super) expires: NumericDate,
}

pub(super) fn pack(key: &FileKey, row: &Row) -> Vec<u8> {
    let Row { entry, expires } = row;
    let mut plain = vec![VERSION, u8::from(entry.due.is_some())];
    plain.extend_from_slice(&entry.version.to_le_bytes());
    let due = entry.due.map_or(0, NumericDate::seconds);
    for date in [expires.seconds(), due] {
        plain.extend_from_slice(&date.to_le_bytes());
    }
    plain.extend_from_slice(&entry.content);
    let checksum = checksum(key, entry.place, &plain);
    plain.extend_from_slice(&checksum);
    plain
}

/// Reads a masked row. `None` if it is damaged, has another format, or belongs to another place.
pub(super) fn read(key: &FileKey, place: u64, row: &[u8]) -> Option<Row> {
    let mut plain = Vec::new();
    key.unmask(row, &mut plain).ok()?;
    let (plain, written) = plain.split_last_chunk()?;
    let is_whole = checksum(key, place, plain) == *written;
    is_whole.then(|| unpack(place, plain)).flatten()
}

fn unpack(place: u64, plain: &[u8]) -> Option<Row> {
    let (&[VERSION, has_due], plain) = plain.split_first_chunk()? else {
        return None;
    };
    let (version, plain) = plain.split_first_chunk()?;
    let (expires, plain) = plain.split_first_chunk()?;
    let (due, content) = plain.split_first_chunk()?;
    let [expires, due] = [expires, due].map(|date| NumericDate::new(u64::from_le_bytes(*date)));
    let due = (has_due > 0).then_some(due);
    let version = u32::from_le_bytes(*version);
    Some(Row {
        entry: JournalEntry::new(place, version, content.to_vec(), due),
        expires,
    })
}

fn checksum(key: &FileKey, place: u64, plain: &[u8]) -> [u8; CHECKSUM] {
    let digest = key.digest(&[&place.to_le_bytes(), plain].concat());
    std::array::from_fn(|at| digest[at])
}
