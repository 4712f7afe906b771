//! Idle connections make room for new ones.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::requests::Requests;

/// A peer that has just got a response may be about to send the next request.
const LEAST: Duration = Duration::from_secs(1);
/// The part of all connections that one look ends, so that a flood of new ones does not need a look
/// for each.
const PART: usize = 64;

/// The connections of a listener that may be idle. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Open(Arc<Mutex<All>>);

#[derive(Default)]
struct All {
    next: u64,
    connections: HashMap<u64, Requests>,
}

/// One connection of [`Open`], until the value is dropped.
pub(super) struct Entry {
    open: Open,
    number: u64,
}

impl Open {
    pub(super) fn enter(&self, requests: Requests) -> Entry {
        let mut all = self.lock();
        let number = all.next;
        all.next += 1;
        all.connections.insert(number, requests);
        Entry {
            open: self.clone(),
            number,
        }
    }

    /// Asks the connections that have been idle the longest to end. It looks at all connections.
    pub(super) fn make_room(&self) {
        let all = self.lock();
        let idle = all.connections.values().filter_map(|requests| {
            let since = requests.idle_since()?;
            (since.elapsed() >= LEAST).then_some((since, requests))
        });
        let mut idle: Vec<_> = idle.collect();
        idle.sort_unstable_by_key(|(since, _)| *since);
        let number = (all.connections.len() / PART).max(1);
        for (_, requests) in idle.into_iter().take(number) {
            requests.give_way();
        }
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.open.lock().connections.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn longest_idle_connections_end_first() {
        let open = Open::default();
        let mut requests = Vec::new();
        let mut entries = Vec::new();
        for _ in 0..4 {
            requests.push(Requests::new(100));
            entries.push(open.enter(requests[requests.len() - 1].clone()));
            advance(Duration::from_millis(10)).await;
        }
        let busy = requests[0].begin();
        advance(LEAST).await;
        drop(requests[1].begin());
        advance(LEAST / 2).await;
        let ended = || {
            let has_ended = |it: &Requests| it.gives_way().now_or_never().is_some();
            requests.iter().position(has_ended)
        };
        for expected in [2, 3] {
            open.make_room();
            assert_eq!(ended(), Some(expected));
        }
        // The others are busy, or have just got a response.
        open.make_room();
        assert_eq!(ended(), None);
        advance(LEAST).await;
        open.make_room();
        assert_eq!(ended(), Some(1));
        drop(busy);
        drop(entries);
        assert!(open.lock().connections.is_empty());
    }
}
