//! Tells issuers about orders, so that they end the refresh tokens that they keep.
//!
//! An order about a subject revokes what was issued until now. **A refresh token that lives at the
//! authorization server mints the next token, which is live.** So somebody has to tell that server.
//! A [`Notifier`] does, for the orders of `admin::AdminService`:
//!
//! * [`Keycloak`] ends the sessions of a subject at Keycloak.
//! * [`Webhook`] sends a signed notice to a receiver of your own.
//! * [`Recipients::service`] takes any `tower::Service` of a [`Notice`].
//!
//! Orders about a session, a grant or a token need no notice: they are for ever, so what a refresh
//! token of theirs mints is refused too.
//!
//! # What is certain
//!
//! The order is in the journal before the operator has a receipt. From then on the issuer is told at
//! least once, also if the process ends meanwhile. If several processes share the journal, one of
//! them tells. The receipt says that it is `pending`, and `GET /v1/revocations/{id}` says what became
//! of it: see [`TrailEntry::refresh_tokens`](crate::admin::TrailEntry::refresh_tokens).
//!
//! Failures are tried again after a second, and then after longer pauses, up to an hour: see
//! [`Notifier::give_up_after`]. Then the delivery has failed, which is an event of level `ERROR`. To
//! repeat it, repeat the order.
//!
//! At most 16 requests are sent to one issuer at once. One that does not respond is left alone for up
//! to a minute, and does not delay the others.
//!
//! # Events and series
//!
//! With the feature `tracing`, every attempt is an event of the target `tower_revocation`, with the
//! `issuer`, the `outcome`, the number of `attempts` and the `cause`. The series are
//! `tower_revocation_notices_total`, `tower_revocation_notices_pending` and
//! `tower_revocation_notices_oldest_seconds`.

mod backoff;
mod content;
mod delivery;
mod error;
mod keycloak;
mod notice;
mod observe;
mod pace;
mod plan;
mod recipients;
mod server;
#[cfg(test)]
mod tests;
mod webhook;
mod worker;

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::sync::{Notify, watch};

use crate::log::Journal;
pub(crate) use delivery::Deliveries;
pub use error::{NotifyError, NotifyErrorKind};
pub use keycloak::Keycloak;
pub use notice::Notice;
pub use recipients::Recipients;
pub use webhook::Webhook;
use worker::Worker;

/// Tells issuers about the orders in a journal. Clones share everything.
///
/// ```
/// use tower_revocation::{Secret, notify::{Keycloak, Notifier, NotifyError, Recipients}};
///
/// let issuer = "https://id.example.com/realms/shop";
/// let keycloak = Keycloak::new(issuer, "revocation", &Secret::new("gX1fBat3bV"))?;
/// let notifier = Notifier::new(Recipients::new().keycloak(issuer, keycloak));
/// // let trail = Trail::new(journal).on_revoke(notifier);
/// // tokio::spawn(trail.tell_issuers());
/// // AdminService::new(…).trail(trail)
/// # Ok::<_, NotifyError>(())
/// ```
#[derive(Clone)]
#[must_use = "nobody is told until it runs"]
pub struct Notifier {
    shared: Arc<Shared>,
}

struct Shared {
    recipients: RwLock<Arc<Recipients>>,
    give_up_after: Duration,
    /// Something is due.
    wake: Notify,
    stopped: watch::Sender<bool>,
}

impl Notifier {
    /// Tells these issuers.
    pub fn new(recipients: Recipients) -> Self {
        Self::with(recipients, Duration::from_secs(7 * 24 * 60 * 60))
    }

    /// Sets how long after the order a failure is tried again. Defaults to seven days. Call it before
    /// `Trail::on_revoke`.
    pub fn give_up_after(self, time: Duration) -> Self {
        Self::with(Recipients::clone(&self.shared.recipients()), time)
    }

    fn with(recipients: Recipients, give_up_after: Duration) -> Self {
        Self {
            shared: Arc::new(Shared {
                recipients: RwLock::new(Arc::new(recipients)),
                give_up_after,
                wake: Notify::new(),
                stopped: watch::Sender::new(false),
            }),
        }
    }

    pub(crate) fn gives_up_after(&self) -> Duration {
        self.shared.give_up_after
    }

    /// From now on, issuers are told by these. Attempts that have begun go on.
    ///
    /// What is pending for an issuer that is not one of them stays pending for as long as the order is
    /// kept, until this process or another one with the same journal can tell that issuer.
    pub fn replace(&self, recipients: Recipients) {
        let current = self.shared.recipients.write();
        *current.unwrap_or_else(PoisonError::into_inner) = Arc::new(recipients);
    }

    /// Tells issuers what is due in the journal, until it is stopped.
    pub(crate) async fn run(self, journal: Arc<dyn Journal>) {
        Worker::new(self.shared, journal).run().await;
    }

    /// Begins no more attempts. `Trail::tell_issuers` returns once those that have begun have ended, or
    /// after 5 s.
    pub fn stop(&self) {
        self.shared.stopped.send_replace(true);
    }

    /// Something is due now.
    pub(crate) fn wake(&self) {
        self.shared.wake.notify_one();
    }
}

impl Shared {
    fn recipients(&self) -> Arc<Recipients> {
        let recipients = self.recipients.read();
        recipients.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifier")
            .field("recipients", &self.shared.recipients())
            .finish_non_exhaustive()
    }
}
