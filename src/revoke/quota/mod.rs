//! How many records may be appended for one client?

mod live_records;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tower::BoxError;

use super::refused;
use crate::{
    introspect::Introspection,
    log::{NumericDate, Revocation, RevocationLog, Selector},
};
use live_records::LiveRecords;

/// The live records of all clients, and how many of them one client may have.
#[derive(Clone, Debug)]
pub(super) struct Quota {
    limit: usize,
    clients: Arc<Mutex<ByClient>>,
}

/// One entry for each client that has records, and therefore at most one for each record.
#[derive(Debug, Default)]
struct ByClient {
    records: HashMap<Selector, LiveRecords>,
    /// When there are this many entries, the empty ones are removed.
    cleanup_at: usize,
}

/// Room for the records of a batch that is being appended.
struct Reservation<'q> {
    quota: &'q Quota,
    client: Selector,
    records: usize,
    /// How many of them are new to the log. Until the log has returned, it is all of them: a batch
    /// is appended even if the caller drops the future.
    added: usize,
    expires: NumericDate,
}

impl Quota {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            clients: Arc::default(),
        }
    }

    /// Appends the records of a client, if its quota has room for those that are new to the log.
    pub(super) async fn append<L: RevocationLog>(
        &self,
        log: &L,
        client: Selector,
        batch: Vec<Revocation>,
    ) -> Result<(), BoxError> {
        let mut reservation = self.reserve(client, &batch);
        match log.append_for(client, reservation.records, batch).await {
            Ok(Some(appended)) => {
                reservation.added = appended.added;
                Ok(())
            }
            Ok(None) => {
                reservation.added = 0;
                Err(refused::by_quota().into())
            }
            Err(error) => {
                // The batch may be in the log nevertheless. It is then covered when the client
                // tries again. A log that fails must not use up the quota of its clients.
                reservation.added = 0;
                Err(refused::by_log(error).into())
            }
        }
    }

    /// Returns whether the client of the token has room for another record.
    #[cfg(feature = "upstream")]
    pub(super) fn has_room(&self, token: &Introspection) -> bool {
        let mut clients = self.clients();
        let Some(records) = clients.records.get_mut(&client(token)) else {
            return self.limit > 0;
        };
        records.remove_expired(NumericDate::now());
        records.count() < self.limit
    }

    /// Reserves room for a whole batch, or as much as is left.
    fn reserve(&self, client: Selector, batch: &[Revocation]) -> Reservation<'_> {
        let now = NumericDate::now();
        let expiries = batch.iter().map(Revocation::expires);
        let mut clients = self.clients();
        clients.remove_empty(now);
        let live = clients.records.entry(client).or_default();
        live.remove_expired(now);
        let records = batch.len().min(self.limit.saturating_sub(live.count()));
        live.reserved += records;
        Reservation {
            quota: self,
            client,
            records,
            added: records,
            // It is not known yet which of them are new.
            expires: expiries.max().unwrap_or(now),
        }
    }

    fn clients(&self) -> MutexGuard<'_, ByClient> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let mut clients = self.quota.clients();
        let live = clients.records.entry(self.client).or_default();
        live.reserved = live.reserved.saturating_sub(self.records);
        live.add(self.expires, self.added);
        if live.count() == 0 {
            clients.records.remove(&self.client);
        }
    }
}

/// Returns the client whose quota is used. Clients of two tenants are different clients, even if
/// they have the same name.
pub(super) fn client(token: &Introspection) -> Selector {
    let client = Selector::client(&token.client_id);
    match &token.tenant {
        Some(tenant) => client.within(tenant),
        None => client,
    }
}

impl ByClient {
    /// Removes the entries of clients without live records. It runs rarely enough to cost each
    /// append almost nothing.
    fn remove_empty(&mut self, now: NumericDate) {
        const MIN: usize = 1024;
        if self.records.len() < self.cleanup_at.max(MIN) {
            return;
        }
        self.records.retain(|_, live| {
            live.remove_expired(now);
            live.count() > 0
        });
        self.cleanup_at = 2 * self.records.len();
    }
}
