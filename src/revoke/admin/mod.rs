//! Revocation by an operator or by the server itself, without a token in hand.

mod audit;
#[cfg(feature = "tracing")]
mod event;
mod request;
mod response;

use std::{
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use tower::Service;

use super::{refused, retention::Retention};
use crate::log::{LogError, NumericDate, Revocation, RevocationLog, SelectorClass};
use audit::Audit;
pub use request::{AdminRequest, Target};
pub use response::AdminResponse;

/// Revokes tokens on an [`AdminRequest`], without a token in hand.
///
/// It revokes everything of a subject, a client, a key or an issuer that was issued until now, or
/// until a [date](AdminRequest::before). It revokes a grant, a session or a token forever. One
/// request is one record in the log, however many tokens it revokes.
///
/// It does not check who sends a request: put it behind your own authorization. A request can be
/// repeated. No request can be undone, but tokens that are issued from the next second on are live.
///
/// "Until now" is by the clock of this process. **A token with a later time of issue is not
/// covered.** Such a token exists if the clock of its issuer is ahead, or if
/// [`IssuedTokens`](crate::introspect::issued::IssuedTokens) issued it between two requests of the
/// same second.
///
/// With the feature `tracing`, every request is one event; see [`revoke`](super).
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
/// let request = AdminRequest::new(Target::Subject("alice".into())).actor("bob@helpdesk");
/// let response = Administration::new(log).oneshot(request).await?;
/// assert_eq!(response.position.sequence, 1);
/// assert!(index.covers(&token));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is revoked until a request is sent"]
pub struct Administration<L> {
    log: L,
    retention: Retention,
}

impl<L> Administration<L> {
    /// Makes an administration that appends to this log.
    pub fn new(log: L) -> Self {
        Self {
            log,
            retention: Retention::default(),
        }
    }

    /// Sets the longest lifetime of any token, as
    /// [`RecordRevocation::longest_lifetime`](super::RecordRevocation::longest_lifetime) does.
    /// Records can be removed after that time. Defaults to unlimited: records are kept forever.
    ///
    /// **If a token lives longer than this, it becomes live again.**
    pub fn longest_lifetime(mut self, lifetime: Duration) -> Self {
        self.retention.longest_lifetime = Some(lifetime);
        self
    }

    /// Sets how far clocks may differ. Records are kept longer by this time. Defaults to one
    /// minute.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.retention.leeway = leeway;
        self
    }

    /// Carries out several requests by one append: all of them, or none. Returns one response for each,
    /// in the same order. Each has an event of its own.
    ///
    /// ```
    /// use tower_revocation::{
    ///     log::MemoryLog,
    ///     revoke::{Administration, AdminRequest, Target},
    /// };
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), tower_revocation::log::LogError> {
    /// let leavers = ["alice", "bob"].map(|name| AdminRequest::new(Target::Subject(name.into())));
    /// let responses = Administration::new(MemoryLog::new()).revoke_all(leavers).await?;
    /// assert_eq!(responses.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The requests may have failed, and the tokens may be live. If the log is full, a
    /// [`crate::Error`] in the source chain contains when to try again.
    pub async fn revoke_all<R>(&self, requests: R) -> Result<Vec<AdminResponse>, LogError>
    where
        L: RevocationLog,
        R: IntoIterator<Item = AdminRequest>,
    {
        let now = NumericDate::now();
        let (records, audits): (Vec<_>, Vec<_>) = requests
            .into_iter()
            .map(|request| {
                let record = self.record(&request, now);
                (record, Audit::begin(record.selector().class(), request))
            })
            .unzip();
        let appended = self.log.append(records.clone()).await;
        let appended = appended.map_err(refused::by_log);
        for audit in audits {
            audit.end(appended.as_ref().copied());
        }
        let position = appended?;
        let response = |record: Revocation| AdminResponse {
            position,
            not_before: record.not_before(),
            expires: record.expires(),
        };
        Ok(records.into_iter().map(response).collect())
    }

    /// Returns the log.
    #[cfg(feature = "admin")]
    pub(crate) fn log(&self) -> &L {
        &self.log
    }

    fn record(&self, request: &AdminRequest, now: NumericDate) -> Revocation {
        let selector = request.selector();
        let expires = self.retention.end_of_tokens_issued_by(now);
        match selector.class() {
            SelectorClass::Token | SelectorClass::Grant | SelectorClass::Session => {
                Revocation::forever(selector, expires)
            }
            _ => {
                let not_before = request.before.map_or(now, |date| date.min(now));
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
    /// The request may have failed, and the tokens may be live. If the log is full, a
    /// [`crate::Error`] in the source chain contains when to try again.
    type Error = LogError;
    type Future = BoxFuture<'static, Result<AdminResponse, LogError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: AdminRequest) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let record = this.record(&request, NumericDate::now());
            let audit = Audit::begin(record.selector().class(), request);
            let appended = this.log.append(vec![record]).await;
            let result = match appended {
                Ok(position) => Ok(AdminResponse {
                    position,
                    not_before: record.not_before(),
                    expires: record.expires(),
                }),
                Err(error) => Err(refused::by_log(error)),
            };
            audit.end(result.as_ref().map(|response| response.position));
            result
        })
    }
}
