//! Issuers are told about the orders that are kept.

use serde_json::Value;

use super::{Begun, Trail};
use crate::{
    admin::{Receipt, TrailDelivery, TrailEntry},
    log::NumericDate,
    notify::{Deliveries, Notifier},
    revoke::AdminRequest,
};

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

    /// Who will be told about a request, once the order has ended with this receipt.
    pub(in super::super) fn notices<'a>(
        &self,
        request: &AdminRequest,
        receipt: &Receipt,
        issuers: impl IntoIterator<Item = &'a str>,
    ) -> Option<Deliveries> {
        let before = receipt.not_before.map(NumericDate::new);
        let before = before.unwrap_or_else(NumericDate::now);
        self.notifier.as_ref()?.plan(request, before, issuers)
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
