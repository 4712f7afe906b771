//! Counts failures, within bounded memory.

use std::{
    collections::BTreeMap,
    fmt,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::client::subscriber;

/// How many expired windows each attempt removes.
const EXPIRED_PER_ATTEMPT: usize = 4;

/// How long to wait for concurrent attempts.
const CONCURRENT_RETRY_AFTER: Duration = Duration::from_secs(1);

/// The configured limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) failures: u32,
    pub(super) window: Duration,
    pub(super) clients_per_peer: usize,
    pub(super) capacity: usize,
}

/// The counts that all services of one layer share.
pub(super) struct Failures {
    key: Hmac<Sha256>,
    table: Mutex<Table>,
}

/// An HMAC that identifies a peer or a client. Finding two names with the same HMAC requires the
/// key.
type Name = [u8; 16];

/// An admitted attempt, which must be settled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admitted {
    peer: Name,
    client: Name,
    window: u64,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AttemptEnd {
    Failed,
    Succeeded,
    /// The result says nothing about the client.
    Unknown,
}

impl Failures {
    /// # Panics
    ///
    /// Panics if the operating system has no random numbers.
    pub(super) fn new() -> Self {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the operating system has random numbers");
        Self {
            key: Hmac::new_from_slice(&key).expect("HMAC takes keys of any length"),
            table: Mutex::default(),
        }
    }

    /// # Errors
    ///
    /// Returns how long to wait if no attempt is allowed now.
    pub(super) fn admit(
        &self,
        peer: IpAddr,
        client_id: Option<&str>,
        limits: Limits,
        now: Instant,
    ) -> Result<Admitted, Duration> {
        let peer = match subscriber(peer) {
            IpAddr::V4(address) => self.name(0, &address.octets()),
            IpAddr::V6(address) => self.name(0, &address.octets()),
        };
        let client = match client_id {
            Some(client_id) => self.name(1, client_id.as_bytes()),
            None => self.name(2, &[]),
        };
        self.table().admit(peer, client, limits, now)
    }

    pub(super) fn settle(&self, admitted: Admitted, end: AttemptEnd) {
        self.table().settle(admitted, end);
    }

    fn name(&self, kind: u8, bytes: &[u8]) -> Name {
        let digest = self.key.clone().chain_update([kind]).chain_update(bytes);
        let digest = digest.finalize().into_bytes();
        let mut name = Name::default();
        name.copy_from_slice(&digest[..16]);
        name
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // No code panics while it holds the lock.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The numbers of peers and of counts.
    pub(super) fn len(&self) -> (usize, usize) {
        let table = self.table();
        (table.peers.len(), table.counts)
    }
}

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (peers, counts) = self.len();
        f.debug_struct("Failures")
            .field("peers", &peers)
            .field("counts", &counts)
            .finish_non_exhaustive()
    }
}

/// Trees, because no request waits while they grow, and because they shrink.
#[derive(Default)]
struct Table {
    peers: BTreeMap<Name, Peer>,
    /// In the order in which the windows end.
    windows: BTreeMap<u64, Name>,
    last_window: u64,
    /// Of all peers.
    counts: usize,
}

struct Peer {
    window: u64,
    since: Instant,
    counts: Vec<Count>,
}

struct Count {
    client: Name,
    failed: u32,
    /// Attempts without a result. They count as failed until they have one. Otherwise a thousand
    /// concurrent guesses would be a thousand guesses.
    pending: u32,
}

impl Table {
    fn admit(
        &mut self,
        peer: Name,
        client: Name,
        limits: Limits,
        now: Instant,
    ) -> Result<Admitted, Duration> {
        self.forget(limits, now);
        self.end_window(peer, limits, now);
        if let Some(known) = self.peers.get_mut(&peer) {
            let passed = now.saturating_duration_since(known.since);
            let rest = limits.window.saturating_sub(passed);
            let room = limits.clients_per_peer.min(limits.capacity);
            if let Some(count) = known.count(client) {
                if count.failed >= limits.failures {
                    return Err(rest);
                }
                if count.failed.saturating_add(count.pending) >= limits.failures {
                    return Err(rest.min(CONCURRENT_RETRY_AFTER));
                }
                count.pending += 1;
                return Ok(Admitted {
                    peer,
                    client,
                    window: known.window,
                });
            }
            // Do not remove another client. Otherwise an attacker could reset counts by claiming
            // many clients.
            if known.counts.len() >= room {
                let failed = known.counts.iter().filter(|count| count.failed > 0);
                let all_failed = failed.count() >= room;
                return Err(if all_failed {
                    rest
                } else {
                    rest.min(CONCURRENT_RETRY_AFTER)
                });
            }
        }
        self.make_room(peer, limits.capacity);
        Ok(self.begin(peer, client, now))
    }

    fn begin(&mut self, peer: Name, client: Name, now: Instant) -> Admitted {
        let known = self.peers.entry(peer).or_insert_with(|| {
            self.last_window += 1;
            self.windows.insert(self.last_window, peer);
            Peer {
                window: self.last_window,
                since: now,
                counts: Vec::with_capacity(1),
            }
        });
        known.counts.push(Count {
            client,
            failed: 0,
            pending: 1,
        });
        self.counts += 1;
        Admitted {
            peer,
            client,
            window: known.window,
        }
    }

    /// An attempt that ends after its window counts in no later window: it was counted in its own.
    fn settle(&mut self, admitted: Admitted, end: AttemptEnd) {
        let Some(peer) = self.peers.get_mut(&admitted.peer) else {
            return;
        };
        if peer.window != admitted.window {
            return;
        }
        let Some(count) = peer.count(admitted.client) else {
            return;
        };
        count.pending -= 1;
        match end {
            AttemptEnd::Failed => count.failed += 1,
            AttemptEnd::Succeeded => count.failed = 0,
            AttemptEnd::Unknown => {}
        }
        if count.failed == 0 && count.pending == 0 {
            peer.counts.retain(|count| count.client != admitted.client);
            self.counts -= 1;
            if peer.counts.is_empty() {
                self.remove(admitted.peer);
            }
        }
    }

    /// Removes the next expired windows.
    fn forget(&mut self, limits: Limits, now: Instant) {
        for _ in 0..EXPIRED_PER_ATTEMPT {
            let Some((_, &peer)) = self.windows.first_key_value() else {
                return;
            };
            if !self.end_window(peer, limits, now) {
                return;
            }
        }
    }

    /// Removes the window if it has expired, and returns whether it has.
    fn end_window(&mut self, peer: Name, limits: Limits, now: Instant) -> bool {
        let over = self
            .peers
            .get(&peer)
            .is_some_and(|peer| now.saturating_duration_since(peer.since) >= limits.window);
        if over {
            self.remove(peer);
        }
        over
    }

    /// Removes the oldest windows of other peers until there is room for one more count.
    fn make_room(&mut self, peer: Name, capacity: usize) {
        while self.counts >= capacity {
            let mut oldest = self.windows.values().copied();
            let Some(oldest) = oldest.find(|&other| other != peer) else {
                return;
            };
            self.remove(oldest);
        }
    }

    fn remove(&mut self, peer: Name) {
        if let Some(peer) = self.peers.remove(&peer) {
            self.windows.remove(&peer.window);
            self.counts -= peer.counts.len();
        }
    }
}

impl Peer {
    fn count(&mut self, client: Name) -> Option<&mut Count> {
        self.counts.iter_mut().find(|count| count.client == client)
    }
}
