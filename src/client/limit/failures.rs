//! Who has failed how often, within bounds.

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

/// So many windows that are over are forgotten by the way, with each attempt.
const FORGOTTEN_BY_THE_WAY: usize = 4;

/// How long to wait for attempts that are under way.
const A_MOMENT: Duration = Duration::from_secs(1);

/// What is allowed.
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

/// A peer or a client, of which nothing else is kept. Without the key nobody can choose two that
/// are the same.
type Name = [u8; 16];

/// An attempt that has been admitted, and has to be settled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admitted {
    peer: Name,
    client: Name,
    window: u64,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Failed,
    Succeeded,
    /// It says nothing about who asked.
    Unknown,
}

impl Failures {
    /// # Panics
    ///
    /// If the operating system has no random numbers.
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
    /// How long to wait, if there is to be no attempt now.
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

    pub(super) fn settle(&self, admitted: Admitted, verdict: Verdict) {
        self.table().settle(admitted, verdict);
    }

    fn name(&self, kind: u8, bytes: &[u8]) -> Name {
        let digest = self.key.clone().chain_update([kind]).chain_update(bytes);
        let digest = digest.finalize().into_bytes();
        let mut name = Name::default();
        name.copy_from_slice(&digest[..16]);
        name
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing in it can panic half-way.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many peers and how many counts are kept.
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

/// Trees, so that no request ever waits while a table grows, and so that they shrink.
#[derive(Default)]
struct Table {
    peers: BTreeMap<Name, Peer>,
    /// By window, and so in the order in which they are over.
    windows: BTreeMap<u64, Name>,
    last_window: u64,
    /// Of all peers together.
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
    /// Not known yet. They count as failed until they are, or a thousand guesses at once would be a
    /// thousand guesses.
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
                    return Err(rest.min(A_MOMENT));
                }
                count.pending += 1;
                return Ok(Admitted {
                    peer,
                    client,
                    window: known.window,
                });
            }
            // To forget one of them would be to let whoever names enough clients start anew.
            if known.counts.len() >= room {
                let failed = known.counts.iter().filter(|count| count.failed > 0);
                let all_failed = failed.count() >= room;
                return Err(if all_failed { rest } else { rest.min(A_MOMENT) });
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

    /// What ends after its window counts in none: it was counted in the one in which it began.
    fn settle(&mut self, admitted: Admitted, verdict: Verdict) {
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
        match verdict {
            Verdict::Failed => count.failed += 1,
            Verdict::Succeeded => count.failed = 0,
            Verdict::Unknown => {}
        }
        if count.failed == 0 && count.pending == 0 {
            peer.counts.retain(|count| count.client != admitted.client);
            self.counts -= 1;
            if peer.counts.is_empty() {
                self.remove(admitted.peer);
            }
        }
    }

    /// Forgets the next few windows that are over.
    fn forget(&mut self, limits: Limits, now: Instant) {
        for _ in 0..FORGOTTEN_BY_THE_WAY {
            let Some((_, &peer)) = self.windows.first_key_value() else {
                return;
            };
            if !self.end_window(peer, limits, now) {
                return;
            }
        }
    }

    /// Whether it is over.
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

    /// Forgets what other peers did, the longest ago first, until one more can be counted.
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
