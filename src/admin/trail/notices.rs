//! Issuers are told about the orders that are kept.

use std::time::Duration;

use serde_json::Value;

use super::{Begun, Entry, Trail};
use crate::{
    admin::{TrailDelivery, TrailEntry},
    log::{NewJournalEntry, NumericDate},
    notify::{Deliveries, Notifier},
    revoke::AdminRequest,
};

/// How long after its begin an issuer is told about an order without an end. Its process may have
/// ended after the records were in the log. To tell an issuer without a record does no harm.
const UNFINISHED: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Trail {
    /// Tells issuers about orders, so that they end the refresh tokens that live there: see
    /// [`notify`](crate::notify). Nobody is told until [`tell_issuers`](Self::tell_issuers) runs, in
    /// this process or in another one with the same journal.
    ///
    /// ```
    /// use tower_revocation::{
    ///     Secret,
    ///     admin::Trail,
    ///     log::MemoryJournal,
    ///     notify::{Keycloak, Notifier, NotifyError, Recipients},
    /// };
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), NotifyError> {
    /// let issuer = "https://id.example.com/realms/shop";
    /// let keycloak = Keycloak::new(issuer, "revocation", &Secret::new("gX1fBat3bV"))?;
    /// let notifier = Notifier::new(Recipients::new().keycloak(issuer, keycloak));
    /// let trail = Trail::new(MemoryJournal::new()).on_revoke(notifier.clone());
    /// let telling = tokio::spawn(trail.tell_issuers());
    /// // When the process ends:
    /// notifier.stop();
    /// telling.await.expect("it does not panic");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn on_revoke(mut self, notifier: Notifier) -> Self {
        self.notifier = Some(notifier);
        self
    }

    /// Tells issuers what is due in the journal, until the [`Notifier`] is
    /// [stopped](Notifier::stop). Spawn it once for each process. Returns at once without
    /// [`on_revoke`](Self::on_revoke).
    ///
    /// If it is dropped, its attempts are given up, and are repeated after a minute.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime with its time driver.
    pub fn tell_issuers(&self) -> impl Future<Output = ()> + Send + use<> {
        let (notifier, journal) = (self.notifier.clone(), self.journal.clone());
        async move {
            if let Some(notifier) = notifier {
                notifier.run(journal).await;
            }
        }
    }

    /// Who will be told about a request, by which everything until `before` is revoked, or until now.
    pub(in super::super) fn notices<'a>(
        &self,
        request: &AdminRequest,
        before: Option<NumericDate>,
        issuers: impl IntoIterator<Item = &'a str>,
    ) -> Option<Deliveries> {
        let before = before.unwrap_or_else(NumericDate::now);
        self.notifier.as_ref()?.plan(request, before, issuers)
    }

    /// The issuers of a new order are told after a while, also if its end is never written.
    pub(super) fn promise(&self, entry: &Entry, new: &mut NewJournalEntry, now: NumericDate) {
        if let (Some(notifier), Some(_)) = (&self.notifier, &entry.deliveries) {
            new.due = Some(now + UNFINISHED);
            // An entry that expires is removed with what is pending.
            let until = now + notifier.gives_up_after().saturating_add(DAY);
            new.expires = new.expires.max(until);
        }
    }

    /// Outcomes were written.
    pub(super) fn wake(&self) {
        if let Some(notifier) = &self.notifier {
            notifier.wake();
        }
    }
}

impl Begun {
    /// These will be told, once the outcome is written.
    pub(in super::super) fn notify(&mut self, deliveries: &Deliveries) {
        self.at.due = deliveries.next();
        self.entry.deliveries = serde_json::to_value(deliveries).ok();
    }
}

/// Shows how far telling the issuers is.
pub(super) fn show(deliveries: Option<Value>, shown: &mut TrailEntry) {
    let deliveries = deliveries.and_then(|it| serde_json::from_value::<Deliveries>(it).ok());
    let Some(deliveries) = deliveries else { return };
    shown.refresh_tokens = Some(deliveries.refresh_tokens().as_str().to_owned());
    let each = deliveries.to.into_iter().map(|delivery| TrailDelivery {
        state: delivery.state.as_str().to_owned(),
        issuer: delivery.issuer,
        attempts: delivery.attempts,
        failure: delivery.last,
        next: delivery.next,
        at: delivery.at,
    });
    shown.deliveries = each.collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        date::fake,
        log::{Journal as _, MemoryJournal},
        notify::Recipients,
    };

    /// The process ends before it writes the outcome.
    #[tokio::test]
    async fn order_without_an_end_is_due_and_does_not_expire_before() {
        let now = NumericDate::new(1_000_000);
        fake::NOW.set(Some(now));
        let journal = MemoryJournal::new();
        let trail = Trail::new(journal.clone()).keep(Duration::from_secs(1));
        let trail = trail.on_revoke(Notifier::new(Recipients::new()));
        for (deliveries, is_told) in [(Some(Value::Null), true), (None, false)] {
            let entry = Entry {
                tag: 1,
                shown: TrailEntry::default(),
                request: None,
                deliveries,
            };
            let begun = trail.begin(vec![(entry, None)]).await.unwrap();
            let place = begun[0].place();
            let at = journal.get(place).await.unwrap().unwrap();
            assert_eq!(at.due, is_told.then(|| now + UNFINISHED));
            assert_eq!(begun[0].at.due, at.due);
            fake::NOW.set(Some(now + 7 * DAY));
            assert_eq!(journal.get(place).await.unwrap().is_some(), is_told);
            fake::NOW.set(Some(now));
        }
    }
}
