//! Batches without repetitions, as a server gets them.

use std::collections::{HashMap, HashSet};

use super::{
    super::super::{
        JournalChange, JournalEntry, JournalWrite, LogError, NewJournalEntry, NumericDate,
    },
    store::no_random_numbers,
};

/// An entry that is not written yet. A server finds it by its key if it is sent again, so each has
/// one.
pub(crate) struct KeyedEntry {
    /// 32 bytes that were given, or 16 random ones.
    pub(crate) key: Vec<u8>,
    pub(crate) content: Vec<u8>,
    pub(crate) expires: NumericDate,
    pub(crate) due: Option<NumericDate>,
}

/// New entries with different keys.
pub(super) struct KeyedBatch {
    entries: Vec<KeyedEntry>,
    /// Which of them stands for each entry that was given.
    given: Vec<usize>,
}

impl KeyedBatch {
    pub(super) fn new(batch: Vec<NewJournalEntry>) -> Result<Self, LogError> {
        let mut entries = Vec::new();
        let mut given = Vec::new();
        let mut keys = HashMap::new();
        for entry in batch {
            let place = entries.len();
            let first = entry
                .key
                .map_or(place, |key| *keys.entry(key).or_insert(place));
            given.push(first);
            if first == place {
                entries.push(keyed(entry)?);
            }
        }
        Ok(Self { entries, given })
    }

    pub(super) fn entries(&self) -> &[KeyedEntry] {
        &self.entries
    }

    /// Returns a result for each entry that was given. The first one with a key is the earlier entry
    /// for the others.
    pub(super) fn results(self, written: &[JournalWrite]) -> Vec<JournalWrite> {
        let mut seen = HashSet::new();
        let results = self.given.into_iter().map(|first| {
            let result = written[first].clone();
            match result {
                JournalWrite::Written(place) if !seen.insert(first) => {
                    let KeyedEntry { content, due, .. } = &self.entries[first];
                    JournalWrite::Earlier(JournalEntry::new(place, 0, content.clone(), *due))
                }
                result => result,
            }
        });
        results.collect()
    }
}

fn keyed(entry: NewJournalEntry) -> Result<KeyedEntry, LogError> {
    let key = if let Some(key) = entry.key {
        key.to_vec()
    } else {
        let mut random = vec![0; 16];
        getrandom::fill(&mut random).map_err(no_random_numbers)?;
        random
    };
    Ok(KeyedEntry {
        key,
        content: entry.content,
        expires: entry.expires,
        due: entry.due,
    })
}

/// Changes of different entries. A second change of an entry comes too late: the entry has another
/// version then.
pub(super) struct Changes {
    distinct: Vec<JournalChange>,
    /// Which of them is each change that was given, unless it comes too late.
    given: Vec<Option<usize>>,
}

impl Changes {
    pub(super) fn new(batch: Vec<JournalChange>) -> Self {
        let mut places = HashSet::new();
        let mut distinct = Vec::new();
        let given = batch.into_iter().map(|change| {
            places.insert(change.place).then(|| {
                distinct.push(change);
                distinct.len() - 1
            })
        });
        let given = given.collect();
        Self { distinct, given }
    }

    pub(super) fn distinct(&self) -> &[JournalChange] {
        &self.distinct
    }

    /// Returns a result for each change that was given.
    pub(super) fn results(&self, replaced: &[bool]) -> Vec<bool> {
        let is_replaced = |given: &Option<usize>| given.is_some_and(|place| replaced[place]);
        self.given.iter().map(is_replaced).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(content: u8, key: Option<u8>) -> NewJournalEntry {
        let mut entry = NewJournalEntry::new(vec![content], NumericDate::FOREVER);
        entry.key = key.map(|key| [key; 32]);
        entry
    }

    #[test]
    fn key_is_sent_once_and_the_first_entry_with_it_is_the_earlier_one() {
        let given = [
            (1, Some(7)),
            (2, None),
            (3, Some(7)),
            (4, None),
            (5, Some(8)),
            (6, Some(8)),
        ];
        let given = given.map(|(content, key)| entry(content, key));
        let batch = KeyedBatch::new(given.to_vec()).unwrap();
        let sent: Vec<_> = batch
            .entries()
            .iter()
            .map(|entry| entry.content[0])
            .collect();
        assert_eq!(sent, [1, 2, 4, 5]);
        let lengths: Vec<_> = batch
            .entries()
            .iter()
            .map(|entry| entry.key.len())
            .collect();
        assert_eq!(lengths, [32, 16, 16, 32]);
        assert_ne!(batch.entries()[1].key, batch.entries()[2].key);

        let before = JournalEntry::new(3, 9, vec![0], None);
        let written = [11, 12, 13].map(JournalWrite::Written).into_iter();
        let written = written.chain([JournalWrite::Earlier(before.clone())]);
        let first = JournalEntry::new(11, 0, vec![1], None);
        assert_eq!(
            batch.results(&written.collect::<Vec<_>>()),
            [
                JournalWrite::Written(11),
                JournalWrite::Written(12),
                JournalWrite::Earlier(first),
                JournalWrite::Written(13),
                JournalWrite::Earlier(before.clone()),
                JournalWrite::Earlier(before),
            ]
        );
    }

    #[test]
    fn second_change_of_an_entry_comes_too_late() {
        let entries = [(1, 0), (2, 0), (1, 0), (3, 0)];
        let changes = entries.map(|(place, version)| {
            JournalEntry::new(place, version, vec![], None).change(vec![], None)
        });
        let changes = Changes::new(changes.to_vec());
        let places: Vec<_> = changes
            .distinct()
            .iter()
            .map(|change| change.place)
            .collect();
        assert_eq!(places, [1, 2, 3]);
        assert_eq!(
            changes.results(&[true, false, true]),
            [true, false, false, true]
        );
    }
}
