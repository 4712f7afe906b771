//! The state of telling issuers about one order, as an entry of the journal has it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Notice, NotifyErrorKind, backoff, notice::KeptNotice};
use crate::log::NumericDate;

/// What became of the refresh tokens of an order, which live at the issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefreshTokens {
    /// An issuer is not told. Its refresh tokens can mint new tokens, which live.
    Untouched,
    /// An issuer has not been told yet. It is tried again.
    Pending,
    /// Each issuer has ended them.
    Ended,
    /// An issuer could not be told, and is not tried again.
    Failed,
}

impl RefreshTokens {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Untouched => "untouched",
            Self::Pending => "pending",
            Self::Ended => "ended",
            Self::Failed => "failed",
        }
    }
}

/// Whom to tell about one order, and how far that is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deliveries {
    pub(crate) notice: KeptNotice,
    pub(crate) to: Vec<Delivery>,
    /// Whether there is an issuer of the order that is not told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) untouched: bool,
}

/// Telling one issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) issuer: String,
    pub(crate) state: State,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// Why the last attempt failed: [`NotifyErrorKind::as_str`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<String>,
    /// When to try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<u64>,
    /// When it ended or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Pending,
    Ended,
    Failed,
}

/// Why an attempt failed, and how long to wait at least.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure {
    pub(super) kind: NotifyErrorKind,
    pub(super) retry_after: Option<Duration>,
}

impl Deliveries {
    /// The worst state of all issuers.
    pub(crate) fn refresh_tokens(&self) -> RefreshTokens {
        let has = |state| self.to.iter().any(|delivery| delivery.state == state);
        if has(State::Failed) {
            RefreshTokens::Failed
        } else if has(State::Pending) {
            RefreshTokens::Pending
        } else if self.untouched || self.to.is_empty() {
            RefreshTokens::Untouched
        } else {
            RefreshTokens::Ended
        }
    }

    /// When the next attempt is due. `None` if there is none.
    pub(crate) fn next(&self) -> Option<NumericDate> {
        let pending = self.to.iter().filter(|it| it.state == State::Pending);
        let next = pending.map(|delivery| delivery.next.unwrap_or_default());
        next.min().map(NumericDate::new)
    }

    /// What to tell now, with its number among the issuers.
    pub(super) fn due(&self, now: NumericDate) -> impl Iterator<Item = (usize, Option<Notice>)> {
        let due = move |delivery: &Delivery| {
            delivery.state == State::Pending && delivery.next.unwrap_or_default() <= now.seconds()
        };
        let numbered = self.to.iter().enumerate();
        let due = numbered.filter(move |(_, delivery)| due(delivery));
        due.map(|(number, delivery)| (number, self.notice.to(&delivery.issuer, number)))
    }
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ended => "ended",
            Self::Failed => "failed",
        }
    }
}

impl Delivery {
    pub(super) fn new(issuer: impl Into<String>, now: NumericDate) -> Self {
        Self {
            issuer: issuer.into(),
            state: State::Pending,
            attempts: 0,
            last: None,
            next: Some(now.seconds()),
            at: None,
        }
    }

    /// Puts off the next attempt. This is no attempt.
    pub(super) fn postpone(&mut self, until: NumericDate) {
        self.next = Some(until.seconds());
    }

    /// An attempt has ended now. Failures from `deadline` on are not tried again.
    pub(super) fn settle(
        &mut self,
        result: Result<(), Failure>,
        now: NumericDate,
        deadline: NumericDate,
    ) {
        self.attempts = self.attempts.saturating_add(1);
        let last = result.err();
        self.last = last.map(|failure| failure.kind.as_str().to_owned());
        self.state = match last {
            None => State::Ended,
            Some(failure) if failure.kind.is_final() || now >= deadline => State::Failed,
            Some(_) => State::Pending,
        };
        match last {
            Some(failure) if self.state == State::Pending => {
                let pause = backoff::pause(self.attempts);
                let pause = pause.max(failure.retry_after.unwrap_or_default());
                self.next = Some((now + pause).seconds());
                self.at = None;
            }
            _ => {
                self.next = None;
                self.at = Some(now.seconds());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: NumericDate = NumericDate::new(1_000_000);
    const DEADLINE: NumericDate = NumericDate::new(2_000_000);

    fn failure(kind: NotifyErrorKind) -> Failure {
        Failure {
            kind,
            retry_after: None,
        }
    }

    fn deliveries(states: &[State], untouched: bool) -> Deliveries {
        let to = states.iter().map(|state| Delivery {
            state: *state,
            ..Delivery::new("https://id.test", NOW)
        });
        Deliveries {
            notice: KeptNotice {
                id: "1".to_owned(),
                class: "subject".to_owned(),
                subject: Some("alice".to_owned()),
                client_id: None,
                key: None,
                before: 1,
                ordered: 1,
            },
            to: to.collect(),
            untouched,
        }
    }

    #[test]
    fn worst_state_is_that_of_the_order() {
        use RefreshTokens as R;
        use State::{Ended, Failed, Pending};
        for (states, untouched, expected) in [
            (&[Ended][..], false, R::Ended),
            (&[Ended, Pending], false, R::Pending),
            (&[Failed, Pending, Ended], false, R::Failed),
            (&[Ended], true, R::Untouched),
            (&[Pending], true, R::Pending),
            (&[], true, R::Untouched),
            (&[], false, R::Untouched),
        ] {
            assert_eq!(deliveries(states, untouched).refresh_tokens(), expected);
        }
    }

    #[test]
    fn failure_is_tried_again_until_the_deadline() {
        let unreachable = failure(NotifyErrorKind::Unreachable);
        let mut delivery = Delivery::new("https://id.test", NOW);
        delivery.settle(Err(unreachable), NOW, DEADLINE);
        assert_eq!((delivery.state, delivery.attempts), (State::Pending, 1));
        assert_eq!(delivery.last.as_deref(), Some("unreachable"));
        assert!(delivery.next > Some(NOW.seconds()));
        delivery.settle(Err(unreachable), DEADLINE, DEADLINE);
        assert_eq!((delivery.state, delivery.next), (State::Failed, None));
        assert_eq!(delivery.at, Some(DEADLINE.seconds()));
    }

    #[test]
    fn server_says_when_to_try_again() {
        let busy = Failure {
            kind: NotifyErrorKind::Unreachable,
            retry_after: Some(Duration::from_secs(500)),
        };
        let mut delivery = Delivery::new("https://id.test", NOW);
        delivery.settle(Err(busy), NOW, DEADLINE);
        assert_eq!(delivery.next, Some(NOW.seconds() + 500));
    }

    #[test]
    fn receiver_that_is_gone_is_not_tried_again() {
        let mut delivery = Delivery::new("https://id.test", NOW);
        delivery.settle(Err(failure(NotifyErrorKind::Gone)), NOW, DEADLINE);
        assert_eq!((delivery.state, delivery.next), (State::Failed, None));
    }

    #[test]
    fn order_is_due_when_its_first_delivery_is() {
        let mut all = deliveries(&[State::Pending, State::Pending, State::Ended], false);
        all.to[0].postpone(NOW + Duration::from_secs(60));
        all.to[1].postpone(NOW + Duration::from_secs(9));
        all.to[2].next = Some(1);
        let next = NOW + Duration::from_secs(9);
        assert_eq!(all.next(), Some(next));
        let due: Vec<_> = all.due(next).map(|(number, _)| number).collect();
        assert_eq!(due, [1]);
        assert_eq!(deliveries(&[State::Failed], false).next(), None);
    }

    #[test]
    fn two_issuers_get_notices_of_different_names() {
        let all = deliveries(&[State::Pending, State::Pending], false);
        let ids: Vec<_> = all.due(NOW).map(|(_, notice)| notice.unwrap().id).collect();
        assert_eq!(ids, ["1", "1_1"]);
    }
}
