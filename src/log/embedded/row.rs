//! A row: the records of one commit, of a part of a large one, or of some small ones.
//!
//! One row is one change of a table, however many records it has.

use super::{
    super::{LogErrorKind, NumericDate, Revocation, Selector},
    fault::Fault,
    mask::NONCE,
};

/// At most this many records fill a row: as many as fit on a page of the store.
pub(super) const RECORDS_PER_ROW: usize = 78;

/// How many positions before that of the row, selector, `not_before`, `expires`.
const SIZE: usize = 1 + 33 + 8 + 8;

/// Returns the content of the row at the position `last`, with records at that position or before.
pub(super) fn pack(last: u64, records: &[(u64, Revocation)]) -> Result<Vec<u8>, Fault> {
    let mut plain = Vec::with_capacity(SIZE * records.len());
    for (sequence, record) in records {
        let back = last.checked_sub(*sequence).map(u8::try_from);
        let Some(Ok(back)) = back else {
            return Err(Fault::new(LogErrorKind::Corrupt));
        };
        plain.push(back);
        plain.extend_from_slice(&record.selector().to_bytes());
        plain.extend_from_slice(&record.not_before().seconds().to_le_bytes());
        plain.extend_from_slice(&record.expires().seconds().to_le_bytes());
    }
    Ok(plain)
}

/// Returns the number of records of a masked row.
pub(super) fn count(row: &[u8]) -> usize {
    row.len().saturating_sub(NONCE) / SIZE
}

/// Returns the positions and the records of a row.
pub(super) fn unpack(
    last: u64,
    plain: &[u8],
) -> impl Iterator<Item = Result<(u64, Revocation), Fault>> {
    let records = plain.chunks(SIZE);
    records.map(move |record| {
        read(last, record).unwrap_or_else(|| Err(Fault::new(LogErrorKind::Corrupt)))
    })
}

fn read(last: u64, record: &[u8]) -> Option<Result<(u64, Revocation), Fault>> {
    let (&[back], record) = record.split_first_chunk()?;
    let (selector, record) = record.split_first_chunk()?;
    let (not_before, record) = record.split_first_chunk()?;
    let (expires, []) = record.split_first_chunk()? else {
        return None;
    };
    let sequence = last.checked_sub(back.into())?;
    // This version cannot enforce a class that it does not know, so it must not skip the record.
    let Some(selector) = Selector::from_bytes(selector) else {
        return Some(Err(Fault::new(LogErrorKind::UnknownFormat)));
    };
    let [not_before, expires] =
        [not_before, expires].map(|date| NumericDate::new(u64::from_le_bytes(*date)));
    let record = Revocation::watermark(selector, not_before, expires);
    Some(Ok((sequence, record)))
}

#[cfg(test)]
mod tests {
    use super::{super::super::LogError, *};

    fn records() -> Vec<(u64, Revocation)> {
        let record = |number: u64| {
            let selector = Selector::grant(&number.to_string());
            let [from, to] = [number, u64::MAX - number].map(NumericDate::new);
            Revocation::watermark(selector, from, to)
        };
        (1..=78).map(|number| (number, record(number))).collect()
    }

    #[test]
    fn row_contains_its_records() {
        let records = records();
        let plain = pack(78, &records).unwrap();
        assert_eq!(count(&[&[0; NONCE], &*plain].concat()), 78);
        let unpacked: Result<Vec<_>, _> = unpack(78, &plain).collect();
        assert_eq!(unpacked.unwrap(), records);
    }

    #[test]
    fn cut_row_is_corrupt_and_unknown_class_is_an_unknown_format() {
        let mut plain = pack(78, &records()).unwrap();
        let kind = |plain: &[u8]| {
            let unpacked: Result<Vec<_>, _> = unpack(78, plain).collect();
            LogError::from(unpacked.unwrap_err()).kind()
        };
        assert_eq!(kind(&plain[..plain.len() - 1]), LogErrorKind::Corrupt);
        plain[1] = 200;
        assert_eq!(kind(&plain), LogErrorKind::UnknownFormat);
    }
}
