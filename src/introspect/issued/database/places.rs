//! How many calls can wait for the database, and how many of them can belong to one client.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::log::{LogError, LogErrorKind, Selector};

/// The limits are those of an `EmbeddedLog`.
const PLACES: usize = 16 * 1024;
const QUOTA: usize = PLACES / 16;

#[derive(Debug, Default)]
pub(super) struct Places {
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    clients: HashMap<Selector, usize>,
}

impl Places {
    /// Takes a place until the result is dropped.
    pub(super) fn take(self: &Arc<Self>, client: Selector) -> Result<Place, LogError> {
        let mut taken = self.taken();
        let own = taken.clients.get(&client).copied().unwrap_or_default();
        if taken.all >= PLACES || own >= QUOTA {
            return Err(LogError::new(LogErrorKind::QueueFull));
        }
        taken.all += 1;
        taken.clients.insert(client, own + 1);
        let places = self.clone();
        Ok(Place { places, client })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    client: Selector,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all -= 1;
        if let Some(own) = taken.clients.get_mut(&self.client) {
            *own -= 1;
            if *own == 0 {
                taken.clients.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_has_a_sixteenth_of_the_places_and_gives_them_back() {
        let places = Arc::new(Places::default());
        let [one, other] = ["c1", "c2"].map(Selector::client);
        let taken: Vec<_> = (0..QUOTA).map(|_| places.take(one).unwrap()).collect();
        let refused = places.take(one).unwrap_err();
        assert_eq!(refused.kind(), LogErrorKind::QueueFull);
        drop(places.take(other).unwrap());
        drop(taken);
        drop(places.take(one).unwrap());
        assert_eq!(places.taken().all, 0);
        assert!(places.taken().clients.is_empty());
    }
}
