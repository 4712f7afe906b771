//! How much is sent to one issuer at once, so that a slow one does not stop the others?

use std::{collections::HashMap, time::Duration};

use hyper::StatusCode;

use super::{NotifyErrorKind, backoff, delivery::Failure};
use crate::log::NumericDate;

/// How many attempts at one issuer there are at once.
pub(super) const SHARE: usize = 16;
/// The longest pause of an issuer that does not say how long to wait.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The pause is longer by up to so many seconds, so that not everything comes at its end.
const SPREAD: u64 = 4;

/// What every issuer is doing. There are as many as are configured.
#[derive(Default)]
pub(super) struct Pace(HashMap<String, IssuerPace>);

#[derive(Default)]
struct IssuerPace {
    running: usize,
    /// Failed attempts in a row that say something about the server itself.
    failures: u32,
    /// No attempt begins before this date.
    closed_until: Option<NumericDate>,
}

impl Pace {
    /// Begins an attempt at this issuer. Or returns when to try again.
    pub(super) fn begin(&mut self, issuer: &str, now: NumericDate) -> Result<(), NumericDate> {
        let pace = self.0.entry(issuer.to_owned()).or_default();
        let later = |date| date + Duration::from_secs(backoff::up_to(SPREAD));
        if let Some(until) = pace.closed_until.filter(|until| *until > now) {
            return Err(later(until));
        }
        if pace.running >= SHARE {
            return Err(later(now + Duration::from_secs(1)));
        }
        pace.running += 1;
        Ok(())
    }

    /// An attempt has ended.
    pub(super) fn end(&mut self, issuer: &str, result: Result<(), Failure>, now: NumericDate) {
        let Some(pace) = self.0.get_mut(issuer) else {
            return;
        };
        pace.running = pace.running.saturating_sub(1);
        match result {
            Err(failure) if is_about_the_server(failure.kind) => {
                pace.failures = pace.failures.saturating_add(1);
                let pause = backoff::pause(pace.failures).min(LONGEST_PAUSE);
                let until = now + pause.max(failure.retry_after.unwrap_or_default());
                pace.closed_until = pace.closed_until.max(Some(until));
            }
            _ => {
                pace.failures = 0;
                pace.closed_until = None;
            }
        }
    }

    /// How many attempts can begin at each issuer.
    pub(super) fn room(&self) -> usize {
        let most = self.0.values().map(|pace| pace.running).max();
        SHARE.saturating_sub(most.unwrap_or_default())
    }
}

/// Whether other orders would fail too.
fn is_about_the_server(kind: NotifyErrorKind) -> bool {
    match kind {
        NotifyErrorKind::Configuration
        | NotifyErrorKind::Unreachable
        | NotifyErrorKind::TimedOut
        | NotifyErrorKind::Unauthorized => true,
        NotifyErrorKind::Status(status) => {
            status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
        }
        NotifyErrorKind::Malformed | NotifyErrorKind::Gone | NotifyErrorKind::Unsupported => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: NumericDate = NumericDate::new(1_000_000);

    fn failed(kind: NotifyErrorKind) -> Result<(), Failure> {
        Err(Failure {
            kind,
            retry_after: None,
        })
    }

    #[test]
    fn one_issuer_has_its_share_and_others_have_theirs() {
        let mut pace = Pace::default();
        for _ in 0..SHARE {
            assert!(pace.begin("slow", NOW).is_ok());
        }
        assert!(pace.begin("slow", NOW).is_err_and(|until| until > NOW));
        assert_eq!(pace.room(), 0);
        assert!(pace.begin("quick", NOW).is_ok());
        pace.end("slow", Ok(()), NOW);
        assert!(pace.begin("slow", NOW).is_ok());
    }

    #[test]
    fn issuer_that_is_down_is_left_alone_for_a_while() {
        let mut pace = Pace::default();
        pace.begin("down", NOW).unwrap();
        pace.end("down", failed(NotifyErrorKind::Unreachable), NOW);
        let until = pace.begin("down", NOW).unwrap_err();
        assert!(until > NOW);
        assert!(pace.begin("up", NOW).is_ok());
        assert!(pace.begin("down", until).is_ok());
        pace.end("down", Ok(()), until);
        assert!(pace.begin("down", until).is_ok());
    }

    #[test]
    fn failure_of_one_order_does_not_stop_the_others() {
        let mut pace = Pace::default();
        for kind in [
            NotifyErrorKind::Status(StatusCode::BAD_REQUEST),
            NotifyErrorKind::Unsupported,
            NotifyErrorKind::Gone,
        ] {
            pace.begin("id", NOW).unwrap();
            pace.end("id", failed(kind), NOW);
            assert!(pace.begin("id", NOW).is_ok());
        }
    }

    #[test]
    fn pause_is_as_long_as_the_server_says() {
        let mut pace = Pace::default();
        pace.begin("busy", NOW).unwrap();
        let busy = Failure {
            kind: NotifyErrorKind::Status(StatusCode::TOO_MANY_REQUESTS),
            retry_after: Some(Duration::from_secs(300)),
        };
        pace.end("busy", Err(busy), NOW);
        let until = pace.begin("busy", NOW).unwrap_err();
        assert!(until >= NOW + Duration::from_secs(300));
    }
}
