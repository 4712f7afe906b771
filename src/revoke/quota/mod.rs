//! How many records may be appended for one client?

mod account;
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
use account::Account;

/// The accounts of all clients, and how much one of them may have.
#[derive(Clone, Debug)]
pub(super) struct Quota {
    records: usize,
    ledger: Arc<Mutex<Ledger>>,
}

/// One account for each client that has records, and so no more accounts than records.
#[derive(Debug, Default)]
struct Ledger {
    accounts: HashMap<Selector, Account>,
    /// With so many accounts, those are looked for that have nothing in them any more.
    crowded: usize,
}

/// Room for the records of a batch that is on its way to the log.
struct Reservation<'s> {
    quota: &'s Quota,
    client: Selector,
    records: usize,
    /// How many of them the log has taken in. Unless it says otherwise, all of them: a batch whose
    /// sender has gone is appended nevertheless.
    added: usize,
    expires: NumericDate,
}

impl Quota {
    pub(super) fn new(records: usize) -> Self {
        Self {
            records,
            ledger: Arc::default(),
        }
    }

    /// Appends what ends a token, if its client's quota has room for what is new to the log.
    pub(super) async fn append<L: RevocationLog>(
        &self,
        log: &L,
        token: &Introspection,
        batch: Vec<Revocation>,
    ) -> Result<(), BoxError> {
        let client = client(token);
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
                // Even if it is in the log in the end: when the client tries again, it is covered.
                // A log that fails must not use up the quotas of those who need it.
                reservation.added = 0;
                Err(refused::by_log(error).into())
            }
        }
    }

    /// Whether the client of the token has room for what ends a token.
    #[cfg(feature = "upstream")]
    pub(super) fn has_room(&self, token: &Introspection) -> bool {
        let mut ledger = self.ledger();
        let Some(account) = ledger.accounts.get_mut(&client(token)) else {
            return self.records > 0;
        };
        account.forget(NumericDate::now());
        account.used() < self.records
    }

    /// Room for all of a batch, or for as much as there is.
    fn reserve(&self, client: Selector, batch: &[Revocation]) -> Reservation<'_> {
        let now = NumericDate::now();
        let expiries = batch.iter().map(Revocation::expires);
        let mut ledger = self.ledger();
        ledger.tidy(now);
        let account = ledger.accounts.entry(client).or_default();
        account.forget(now);
        let records = batch.len().min(self.records.saturating_sub(account.used()));
        account.reserved += records;
        Reservation {
            quota: self,
            client,
            records,
            added: records,
            // Which of them are new is not known.
            expires: expiries.max().unwrap_or(now),
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let mut ledger = self.quota.ledger();
        let account = ledger.accounts.entry(self.client).or_default();
        account.reserved = account.reserved.saturating_sub(self.records);
        account.add(self.expires, self.added);
        if account.used() == 0 {
            ledger.accounts.remove(&self.client);
        }
    }
}

/// Whose quota it is. Another tenant's client of the same name is another client.
pub(super) fn client(token: &Introspection) -> Selector {
    let client = Selector::client(&token.client_id);
    match &token.tenant {
        Some(tenant) => client.within(tenant),
        None => client,
    }
}

impl Ledger {
    /// Looks through the accounts now and then, so seldom that it costs each append next to
    /// nothing.
    fn tidy(&mut self, now: NumericDate) {
        const FEW: usize = 1024;
        if self.accounts.len() < self.crowded.max(FEW) {
            return;
        }
        self.accounts.retain(|_, account| {
            account.forget(now);
            account.used() > 0
        });
        self.crowded = 2 * self.accounts.len();
    }
}
