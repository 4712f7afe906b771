//! One revocation on its way to the other server and into the log.

use std::{sync::Arc, time::Duration};

use futures::channel::oneshot;
use tokio::time::{Instant, sleep};
use tower::{BoxError, Service, ServiceExt as _};

use super::{ConfirmBy, server::Server, slot::Slot, token_lock::TokenLock};
use crate::{
    client::{Identified, WithCredentials},
    error::{Error, ErrorKind},
    introspect::{Introspected, Introspection},
    log::RevocationLog,
    revoke::{
        alarm,
        recorder::{Extent, Recorder},
    },
    token::{Outcome, Secret, TokenTypeHint},
};

/// A revocation that can be forwarded.
pub(super) struct Forwarding<C, I, L> {
    pub(super) server: Server,
    pub(super) introspect: I,
    pub(super) recorder: Recorder<L>,
    pub(super) confirm_by: Option<ConfirmBy>,
    /// The issuers whose tokens `confirm_by` knows. `None`: all.
    pub(super) confirmed_issuers: Option<Arc<[String]>>,
    pub(super) client: WithCredentials<C>,
    pub(super) token: Secret,
    pub(super) hint: Option<TokenTypeHint>,
    pub(super) owner: Owner,
    pub(super) reply: Reply,
    /// Excludes other revocations of the token until this one has ended.
    pub(super) _lock: TokenLock,
    pub(super) _slot: Slot,
}

/// Whose token it is, according to the introspection before the request.
pub(super) enum Owner {
    /// The introspection does not know the token.
    Unknown,
    OtherClient,
    ThisClient(Introspection),
}

impl<C, I, L> Forwarding<C, I, L>
where
    C: Identified,
    I: Service<Secret, Response: Into<Introspected>> + Clone,
    I::Error: Into<BoxError>,
    L: RevocationLog,
{
    /// Runs to the end, whether or not the caller still waits for the reply.
    ///
    /// Once the other server has revoked the token, an introspection may no longer know it, so a
    /// client that tries again cannot repair a missing record. Therefore the client gets an error
    /// at once, and the record is tried again until it is durable.
    pub(super) async fn run(mut self) {
        let hint = self.hint.take();
        let sent = self.server.revoke(&self.client, &self.token, hint.as_ref());
        if let Err(error) = sent.await {
            count(match error.kind() {
                ErrorKind::Unavailable | ErrorKind::ServerError => "failed",
                _ => "refused",
            });
            return self.reply.send(Err(error.into()));
        }
        let token = match std::mem::replace(&mut self.owner, Owner::Unknown) {
            Owner::ThisClient(token) => token,
            Owner::OtherClient => return self.reply.send(Ok(Outcome::IssuedToAnother)),
            Owner::Unknown => {
                count("unlinked");
                return self.reply.send(Ok(Outcome::Revoked));
            }
        };
        let mut retries = Retries::new();
        let Some(extent) = self.extent(&token, &mut retries).await else {
            return;
        };
        loop {
            let introspect = self.introspect.clone();
            match record(&self.recorder, introspect, &self.token, &token, extent).await {
                Ok(outcome) => {
                    count(result(outcome, extent, &token));
                    // A token that no selector names cannot be recorded, but the other server has
                    // revoked it.
                    return self.reply.send(Ok(Outcome::Revoked));
                }
                Err(error) => {
                    if !self.wait_to_retry(error, &mut retries).await {
                        return;
                    }
                }
            }
        }
    }

    /// Returns how much to record, or `None` if the token is still active. The status 200 does not
    /// prove that the token is the client's: see [`ForwardRevocation`](super::ForwardRevocation).
    async fn extent(&mut self, token: &Introspection, retries: &mut Retries) -> Option<Extent> {
        if self.client.is_verified() {
            return Some(Extent::Cascade);
        }
        let Some(confirm_by) = self.confirm_by.take() else {
            return Some(Extent::Token);
        };
        if let Some(issuers) = &self.confirmed_issuers {
            // Nobody knows anything about it.
            if !token.iss.as_ref().is_some_and(|iss| issuers.contains(iss)) {
                return Some(Extent::Token);
            }
        }
        loop {
            let second = confirm_by.clone().oneshot(self.token.clone()).await;
            let cause = match second {
                Ok(Introspected::Unrecognised(_)) => return Some(Extent::Cascade),
                Ok(Introspected::Token(second)) if self.recorder.is_dead(&second) => {
                    return Some(Extent::Cascade);
                }
                Ok(_) => {
                    count("not_effective");
                    let error = Error::new(ErrorKind::Unavailable)
                        .caused_by("the server responded with success, but the token is active");
                    self.reply.send(Err(error.into()));
                    return None;
                }
                Err(cause) => cause,
            };
            // The client has the token, and that suffices to revoke the token itself.
            let _ = self.recorder.revoke(token, Extent::Token).await;
            if !self.wait_to_retry(cause, retries).await {
                return None;
            }
        }
    }

    /// Sends the error to the client and waits for the next attempt. Returns whether there is one.
    async fn wait_to_retry(&mut self, error: BoxError, retries: &mut Retries) -> bool {
        let pause = retries.next_pause(&error);
        self.reply.send(Err(error));
        let Some(pause) = pause else {
            count("lost");
            alarm::record_is_lost();
            return false;
        };
        sleep(pause).await;
        true
    }
}

async fn record<I, L>(
    recorder: &Recorder<L>,
    introspect: I,
    secret: &Secret,
    token: &Introspection,
    extent: Extent,
) -> Result<Outcome, BoxError>
where
    I: Service<Secret, Response: Into<Introspected>>,
    I::Error: Into<BoxError>,
    L: RevocationLog,
{
    let outcome = recorder.revoke(token, extent).await?;
    let is_whole = extent == Extent::Cascade && outcome == Outcome::Revoked;
    if token.issued_with.is_none() || !is_whole {
        return Ok(outcome);
    }
    // Another token may have been issued before the record. From now on there is none.
    let again = introspect.oneshot(secret.clone()).await;
    let again = again.map_err(Into::into)?.into();
    recorder.revoke_later_tokens(token, again).await
}

/// The reply to the client, which is sent once.
pub(super) struct Reply(Option<oneshot::Sender<Result<Outcome, BoxError>>>);

impl Reply {
    pub(super) fn new() -> (Self, oneshot::Receiver<Result<Outcome, BoxError>>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Some(sender)), receiver)
    }

    fn send(&mut self, outcome: Result<Outcome, BoxError>) {
        if let Some(sender) = self.0.take() {
            // The client may have disconnected.
            let _ = sender.send(outcome);
        }
    }
}

/// The time for attempts to record a revocation.
struct Retries {
    deadline: Instant,
    next_pause: Duration,
}

impl Retries {
    const TOTAL: Duration = Duration::from_secs(3600);
    const LONGEST_PAUSE: Duration = Duration::from_secs(60);

    fn new() -> Self {
        Self {
            deadline: Instant::now() + Self::TOTAL,
            next_pause: Duration::from_millis(100),
        }
    }

    /// Returns how long to wait: twice as long each time, or as long as the error says. Returns
    /// `None` after the deadline.
    fn next_pause(&mut self, error: &BoxError) -> Option<Duration> {
        let delay = Error::in_chain(&**error).and_then(Error::retry_delay);
        let pause = delay
            .unwrap_or_default()
            .max(self.next_pause)
            .min(Self::LONGEST_PAUSE);
        self.next_pause = (self.next_pause * 2).min(Self::LONGEST_PAUSE);
        (Instant::now() + pause < self.deadline).then_some(pause)
    }
}

fn result(outcome: Outcome, extent: Extent, token: &Introspection) -> &'static str {
    match (outcome, extent) {
        (Outcome::NotFound, _) => "expired",
        (Outcome::Unsupported | Outcome::IssuedToAnother, _) => "unnamed",
        (Outcome::Revoked, _) if token.revoked => "already_revoked",
        (Outcome::Revoked, Extent::Cascade) => "recorded",
        (Outcome::Revoked, Extent::Token) => "token_only",
    }
}

fn count(result: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("tower_revocation_forwarded_total", "result" => result).increment(1);
    let _ = result;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn attempts_end_after_an_hour() {
        let mut retries = Retries::new();
        let error: BoxError = "the log is closed".into();
        let start = Instant::now();
        let mut attempts = 1;
        while let Some(pause) = retries.next_pause(&error) {
            assert!(pause <= Retries::LONGEST_PAUSE);
            sleep(pause).await;
            attempts += 1;
        }
        assert_eq!(attempts, 69);
        let waited = start.elapsed();
        assert!(waited > Duration::from_secs(3500) && waited < Retries::TOTAL);
    }
}
