//! Counts the fetches that each client has caused during the cool-down.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::limits::after;

/// Limits how many clients are counted. Beyond that, the one whose period ends first is removed.
const MAX_CLIENTS: usize = 10_000;

/// The fetches of each client within its period.
#[derive(Default)]
pub(super) struct Budgets {
    hasher: RandomState,
    /// Keyed by a hash of the client identifier, which may be long.
    clients: Mutex<HashMap<u64, Spent>>,
}

struct Spent {
    fetches: u32,
    until: Instant,
}

impl Budgets {
    /// Whether the client has caused fewer than `limit` fetches within its period.
    pub(super) fn has_left(&self, client: &str, limit: u32, now: Instant) -> bool {
        let client = self.hasher.hash_one(client);
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let spent = clients.get(&client).filter(|spent| now < spent.until);
        spent.map_or(0, |spent| spent.fetches) < limit
    }

    /// Counts a fetch. The period of a client begins with its first fetch.
    pub(super) fn spend(&self, client: &str, period: Duration, now: Instant) {
        let client = self.hasher.hash_one(client);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(spent) = clients.get_mut(&client) {
            if now < spent.until {
                spent.fetches += 1;
                return;
            }
        } else if clients.len() >= MAX_CLIENTS {
            // A scan, which is cheap compared with the fetch that follows.
            let first = clients.iter().min_by_key(|(_, spent)| spent.until);
            if let Some(first) = first.map(|(client, _)| *client) {
                clients.remove(&first);
            }
        }
        let spent = Spent {
            fetches: 1,
            until: after(now, period),
        };
        clients.insert(client, spent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn each_client_has_a_budget() {
        let (budgets, now) = (Budgets::default(), Instant::now());
        let spend = |client, at| {
            let left = budgets.has_left(client, 2, at);
            budgets.spend(client, MINUTE, at);
            left
        };
        assert!(spend("a", now) && spend("a", now) && !spend("a", now));
        assert!(spend("b", now));
        let next = now + MINUTE;
        assert!(!spend("a", next - Duration::from_millis(1)));
        assert!(spend("a", next) && spend("a", next) && !spend("a", next));
        assert!(!budgets.has_left("c", 0, now));
    }

    #[test]
    fn number_of_clients_is_limited() {
        let (budgets, now) = (Budgets::default(), Instant::now());
        for client in 0..=MAX_CLIENTS {
            budgets.spend(&client.to_string(), MINUTE, now);
        }
        assert_eq!(budgets.clients.lock().unwrap().len(), MAX_CLIENTS);
    }
}
