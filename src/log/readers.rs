//! Who is told of every record, as long as they are there.

use std::{fmt, sync::Weak};

use super::{Position, Reader, Revocation};

#[derive(Default)]
pub(super) struct Readers(Vec<Weak<dyn Reader>>);

impl Readers {
    /// A reader is told once, however often it is added. Those that are gone make room.
    pub(super) fn add(&mut self, reader: Weak<dyn Reader>) {
        self.0
            .retain(|known| known.strong_count() > 0 && !known.ptr_eq(&reader));
        self.0.push(reader);
    }

    /// Tells everybody, and forgets those who have gone.
    pub(super) fn tell(&mut self, position: Position, records: &[Revocation]) {
        self.0.retain(|reader| {
            let reader = reader.upgrade();
            if let Some(reader) = &reader {
                reader.read(position, records);
            }
            reader.is_some()
        });
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Readers").field(&self.0.len()).finish()
    }
}
