//! One revocation on its way to the other server, and into the log.

use std::time::Duration;

use futures::channel::oneshot;
use tokio::time::{Instant, sleep};
use tower::{BoxError, ServiceExt as _};

use super::{ConfirmBy, place::Place, server::Server, turn::Turn};
use crate::{
    Error, ErrorKind,
    client::{Identified, WithCredentials},
    introspect::{Introspected, Introspection},
    log::RevocationLog,
    revoke::{
        alarm,
        recorder::{Extent, Recorder},
    },
    token::{Outcome, Secret, TokenTypeHint},
};

/// What was learnt before, and who is waiting.
pub(super) struct Forwarding<C, L> {
    pub(super) server: Server,
    pub(super) recorder: Recorder<L>,
    pub(super) confirm_by: Option<ConfirmBy>,
    pub(super) client: WithCredentials<C>,
    pub(super) token: Secret,
    pub(super) hint: Option<TokenTypeHint>,
    /// What the introspection knew, unless the token is another client's.
    pub(super) known: Known,
    pub(super) answer: Answer,
    /// Nobody else revokes the token until this is over.
    pub(super) _turn: Turn,
    pub(super) _place: Place,
}

/// What is known of the token.
pub(super) enum Known {
    Nothing,
    Foreign,
    Ours(Introspection),
}

impl<C: Identified, L: RevocationLog> Forwarding<C, L> {
    /// Runs to its end, whoever still waits for the answer.
    ///
    /// Once the other server has revoked, an introspection may know nothing of the token any more,
    /// so a client that tries again cannot repair what was not recorded. The client hears of a
    /// failure at once, and the record is tried until it is durable.
    pub(super) async fn run(mut self) {
        let hint = self.hint.take();
        let sent = self.server.revoke(&self.client, &self.token, hint.as_ref());
        if let Err(error) = sent.await {
            count(match error.kind() {
                ErrorKind::Unavailable | ErrorKind::ServerError => "failed",
                _ => "refused",
            });
            return self.answer.say(Err(error.into()));
        }
        let known = match std::mem::replace(&mut self.known, Known::Nothing) {
            Known::Ours(known) => known,
            Known::Foreign => return self.answer.say(Ok(Outcome::IssuedToAnother)),
            Known::Nothing => {
                count("unlinked");
                return self.answer.say(Ok(Outcome::Revoked));
            }
        };
        let mut patience = Patience::new();
        let Some(extent) = self.extent(&known, &mut patience).await else {
            return;
        };
        loop {
            match self.recorder.end(&known, extent).await {
                Ok(outcome) => {
                    count(result(outcome, extent, &known));
                    // What nothing names cannot be recorded. The other server has revoked it.
                    return self.answer.say(Ok(Outcome::Revoked));
                }
                Err(error) => {
                    if !self.holds_on(error, &mut patience).await {
                        return;
                    }
                }
            }
        }
    }

    /// How much is recorded: 200 proves no ownership (see [`ForwardRevocation`](super::ForwardRevocation)). Nothing, if
    /// the token is still active.
    async fn extent(&mut self, known: &Introspection, patience: &mut Patience) -> Option<Extent> {
        if self.client.is_verified() {
            return Some(Extent::Cascade);
        }
        let Some(confirm_by) = self.confirm_by.take() else {
            return Some(Extent::Token);
        };
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
                        .caused_by("the server has answered success, and the token is active");
                    self.answer.say(Err(error.into()));
                    return None;
                }
                Err(cause) => cause,
            };
            // Possession suffices for the token itself.
            let _ = self.recorder.end(known, Extent::Token).await;
            if !self.holds_on(cause, patience).await {
                return None;
            }
        }
    }

    /// Tells the client that it has failed, and waits for the next attempt, if there is one.
    async fn holds_on(&mut self, error: BoxError, patience: &mut Patience) -> bool {
        let pause = patience.pause(&error);
        self.answer.say(Err(error));
        let Some(pause) = pause else {
            count("lost");
            alarm::record_is_lost();
            return false;
        };
        sleep(pause).await;
        true
    }
}

/// The client's answer, which is given once.
pub(super) struct Answer(Option<oneshot::Sender<Result<Outcome, BoxError>>>);

impl Answer {
    pub(super) fn new() -> (Self, oneshot::Receiver<Result<Outcome, BoxError>>) {
        let (answer, answered) = oneshot::channel();
        (Self(Some(answer)), answered)
    }

    fn say(&mut self, outcome: Result<Outcome, BoxError>) {
        if let Some(answer) = self.0.take() {
            // The client may have gone.
            let _ = answer.send(outcome);
        }
    }
}

/// For how long, and how often, a record is tried.
struct Patience {
    ends: Instant,
    next: Duration,
}

impl Patience {
    const LONGEST: Duration = Duration::from_secs(3600);
    const LONGEST_PAUSE: Duration = Duration::from_secs(60);

    fn new() -> Self {
        Self {
            ends: Instant::now() + Self::LONGEST,
            next: Duration::from_millis(100),
        }
    }

    /// How long to wait: twice as long each time, or as long as the error says.
    fn pause(&mut self, error: &BoxError) -> Option<Duration> {
        let said = Error::in_chain(&**error).and_then(Error::retry_delay);
        let pause = said
            .unwrap_or_default()
            .max(self.next)
            .min(Self::LONGEST_PAUSE);
        self.next *= 2;
        (Instant::now() + pause < self.ends).then_some(pause)
    }
}

fn result(outcome: Outcome, extent: Extent, known: &Introspection) -> &'static str {
    match (outcome, extent) {
        (Outcome::NotFound, _) => "expired",
        (Outcome::Unsupported | Outcome::IssuedToAnother, _) => "unnamed",
        (Outcome::Revoked, _) if known.revoked => "already_revoked",
        (Outcome::Revoked, Extent::Cascade) => "recorded",
        (Outcome::Revoked, Extent::Token) => "token_only",
    }
}

#[cfg(feature = "metrics")]
fn count(result: &'static str) {
    metrics::counter!("tower_revocation_forwarded_total", "result" => result).increment(1);
}

#[cfg(not(feature = "metrics"))]
fn count(_: &'static str) {}
