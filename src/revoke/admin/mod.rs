//! What falls because an operator, or the server itself, says so?

#[cfg_attr(
    not(any(feature = "tracing", feature = "metrics")),
    path = "unobserved.rs"
)]
mod audit;
#[cfg(feature = "tracing")]
mod event;
mod request;

use std::{
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use tower::Service;

use super::{refused, retention::Retention};
use crate::log::{LogError, NumericDate, Position, Revocation, RevocationLog, SelectorClass};
use audit::Audit;
pub use request::{AdminRequest, Target};

/// Ends tokens on an [`AdminRequest`], without a token in hand: everything of a subject, a client, a key
/// or an issuer that was issued until now, or until a [date](AdminRequest::before); a grant, a session or a
/// token for ever. One order is one record in the log, however many tokens fall.
///
/// Who may give orders is not asked here: put it behind what decides that. An order can be
/// repeated. Nothing takes one back: what is issued from the next second on is live.
///
/// "Until now" is by the clock of this process. **A token that says to be issued later is not
/// covered**: one whose issuer's clock is ahead, or one that
/// [`IssuedTokens`](crate::introspect::issued::IssuedTokens) issued between two orders of the same
/// second.
///
/// With the feature `tracing`, every order is one event; see [`revoke`](super).
///
/// ```
/// use tower::ServiceExt;
/// use tower_revocation::{
///     enforce::Index,
///     introspect::{Introspection, TokenKind},
///     log::{MemoryLog, NumericDate},
///     revoke::{Administration, AdminRequest, Target},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower_revocation::log::LogError> {
/// let log = MemoryLog::new();
/// let index = Index::follow(&log).await?;
/// let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
/// token.sub = Some("alice".into());
/// token.iat = Some(NumericDate::now());
///
/// let order = AdminRequest::new(Target::Subject("alice".into())).actor("bob@helpdesk");
/// let receipt = Administration::new(log).oneshot(order).await?;
/// assert_eq!(receipt.position.sequence, 1);
/// assert!(index.covers(&token));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing falls until it is ordered"]
pub struct Administration<L> {
    log: L,
    retention: Retention,
}

/// What became of an [`AdminRequest`]: the tokens are dead, durably.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdminResponse {
    /// Where the log stood once the record was durable. Whoever has read up to here refuses the
    /// tokens.
    pub position: Position,
    /// The last second of issue that is covered; for a grant, a session or a token,
    /// [`NumericDate::FOREVER`].
    pub not_before: NumericDate,
    /// Until when the record is kept at least.
    pub expires: NumericDate,
}

impl<L> Administration<L> {
    /// Appends to this log.
    pub fn new(log: L) -> Self {
        Self {
            log,
            retention: Retention::default(),
        }
    }

    /// As [`RecordRevocation::longest_lifetime`](super::RecordRevocation::longest_lifetime): records can be forgotten
    /// after that time. Unless this is called, they never are.
    ///
    /// **If a token lives longer than this, it comes to life again.**
    pub fn longest_lifetime(mut self, lifetime: Duration) -> Self {
        self.retention.longest_lifetime = Some(lifetime);
        self
    }

    /// How far clocks may be apart: records are kept for so much longer. A minute, unless this is
    /// called.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.retention.leeway = leeway;
        self
    }

    fn record(&self, order: &AdminRequest, now: NumericDate) -> Revocation {
        let (selector, expires) = (order.selector(), self.retention.forgotten(now));
        match selector.class() {
            SelectorClass::Token | SelectorClass::Grant | SelectorClass::Session => {
                Revocation::forever(selector, expires)
            }
            _ => {
                let not_before = order.before.map_or(now, |date| date.min(now));
                Revocation::watermark(selector, not_before, expires)
            }
        }
    }
}

impl<L> Service<AdminRequest> for Administration<L>
where
    L: RevocationLog + Clone + Send + Sync + 'static,
{
    type Response = AdminResponse;
    /// There is no receipt then, and the tokens may live. Where the log is full, a
    /// [`crate::Error`] in the chain of sources says when to try again.
    type Error = LogError;
    type Future = BoxFuture<'static, Result<AdminResponse, LogError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, order: AdminRequest) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let record = this.record(&order, NumericDate::now());
            let audit = Audit::begin(record.selector().class(), order);
            let appended = this.log.append(vec![record]).await;
            let answer = match appended {
                Ok(position) => Ok(AdminResponse {
                    position,
                    not_before: record.not_before(),
                    expires: record.expires(),
                }),
                Err(error) => Err(refused::by_log(error)),
            };
            audit.end(answer.as_ref().map(|receipt| receipt.position));
            answer
        })
    }
}
