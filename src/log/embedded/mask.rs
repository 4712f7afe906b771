//! The key of a file, which hides from peers what the file contains.
//!
//! The store recognises half a commit by checksums that are not cryptographic. They detect chance.
//! They do not detect an attacker who knows the bytes of a page and chooses others with the same
//! checksum. So no peer chooses bytes in the file, or knows those beside its own: every row with
//! data of peers is masked, and every digest that peers can compute is replaced by a keyed one.
//! See [`log`](crate::log) for what this protects.
//!
//! The mask does not authenticate, and it keeps no secret from those who can read the file: the key
//! is in it.

use chacha20::{ChaCha20, KeyIvInit as _, cipher::StreamCipher as _};
use redb::{ReadTransaction, TableDefinition, WriteTransaction};
#[cfg(any(feature = "admin", feature = "jwt"))]
use sha2::{Digest as _, Sha256};

use super::{super::LogErrorKind, fault::Fault};

/// * `mask`: the key of the masks.
/// * `digest`: the key of the digests.
const KEYS: TableDefinition<'_, &str, &[u8; 32]> = TableDefinition::new("keys");

/// A row begins with the nonce of its mask.
pub(super) const NONCE: usize = 12;

/// The random keys of a file, made with it. A copy of the file has the same keys.
#[derive(Clone)]
pub(crate) struct FileKey {
    mask: [u8; 32],
    #[cfg(any(feature = "admin", feature = "jwt"))]
    digest: [u8; 32],
}

impl FileKey {
    /// Makes the keys of a new file.
    pub(super) fn create(transaction: &WriteTransaction) -> Result<(), Fault> {
        let mut keys = transaction.open_table(KEYS)?;
        for name in ["mask", "digest"] {
            keys.insert(name, &random())?;
        }
        Ok(())
    }

    pub(super) fn read(transaction: &ReadTransaction) -> Result<Self, Fault> {
        let keys = transaction.open_table(KEYS)?;
        let key = |name| match keys.get(name)? {
            Some(key) => Ok(*key.value()),
            None => Err(Fault::new(LogErrorKind::Corrupt)),
        };
        Ok(Self {
            mask: key("mask")?,
            #[cfg(any(feature = "admin", feature = "jwt"))]
            digest: key("digest")?,
        })
    }

    /// Writes the content of a masked row to `plain`.
    pub(crate) fn unmask(&self, row: &[u8], plain: &mut Vec<u8>) -> Result<(), Fault> {
        let Some((nonce, masked)) = row.split_first_chunk::<NONCE>() else {
            return Err(Fault::new(LogErrorKind::Corrupt));
        };
        plain.clear();
        plain.extend_from_slice(masked);
        self.apply(*nonce, plain);
        Ok(())
    }

    /// Returns a digest that only this file has for a name.
    #[cfg(any(feature = "admin", feature = "jwt"))]
    pub(crate) fn digest(&self, name: &[u8]) -> [u8; 32] {
        let keyed = Sha256::new().chain_update(self.digest);
        keyed.chain_update(name).finalize().into()
    }

    fn apply(&self, nonce: [u8; NONCE], bytes: &mut [u8]) {
        ChaCha20::new(&self.mask.into(), &nonce.into()).apply_keystream(bytes);
    }
}

/// Masks rows, each with a nonce of its own.
pub(super) struct Masks {
    key: FileKey,
    next: u128,
}

impl Masks {
    /// Starts with a random nonce, and counts from there. An aborted commit may have left rows in
    /// the file, so every opening starts at another one.
    pub(super) fn new(key: FileKey) -> Self {
        Self {
            key,
            next: u128::from_le_bytes(random()),
        }
    }

    pub(super) fn key(&self) -> &FileKey {
        &self.key
    }

    /// Returns a row with this content.
    pub(super) fn mask(&mut self, plain: &[u8]) -> Vec<u8> {
        let [nonce @ .., _, _, _, _] = self.next.to_le_bytes();
        self.next = self.next.wrapping_add(1);
        let mut row = Vec::with_capacity(NONCE + plain.len());
        row.extend_from_slice(&nonce);
        row.extend_from_slice(plain);
        self.key.apply(nonce, &mut row[NONCE..]);
        row
    }
}

fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("the operating system has random numbers");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> FileKey {
        FileKey {
            mask: random(),
            #[cfg(any(feature = "admin", feature = "jwt"))]
            digest: random(),
        }
    }

    #[test]
    fn row_is_read_by_its_own_key_only_and_has_another_mask_each_time() {
        let mut masks = Masks::new(key());
        let [first, second] = [(); 2].map(|()| masks.mask(&[7; 100]));
        assert!(first != second && first[NONCE..] != [7; 100]);
        let mut plain = Vec::new();
        for row in [&first, &second] {
            masks.key().unmask(row, &mut plain).unwrap();
            assert_eq!(plain, [7; 100]);
        }
        key().unmask(&first, &mut plain).unwrap();
        assert_ne!(plain, [7; 100]);
    }

    #[test]
    fn nonce_does_not_return_after_the_file_was_opened_again() {
        let key = key();
        let mut nonces: Vec<_> = (0..100)
            .flat_map(|_| {
                let mut masks = Masks::new(key.clone());
                [(); 100].map(|()| masks.mask(&[])[..NONCE].to_vec())
            })
            .collect();
        nonces.sort();
        nonces.dedup();
        assert_eq!(nonces.len(), 10_000);
    }

    #[test]
    fn row_without_a_whole_nonce_is_corrupt() {
        let error = key().unmask(&[0; NONCE - 1], &mut Vec::new()).unwrap_err();
        assert_eq!(
            super::super::LogError::from(error).kind(),
            LogErrorKind::Corrupt
        );
    }
}
