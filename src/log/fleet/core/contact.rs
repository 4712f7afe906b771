//! Does the engine answer, and when is it asked again if it does not?

use std::time::Duration;

use super::{
    super::{
        super::{LogError, LogErrorKind, Moment},
        pause,
    },
    messages::Failing,
    random::Random,
    timer::Timer,
};

/// The results of one kind of request.
#[derive(Clone, Debug)]
pub(super) struct Contact {
    /// The longest pause of all.
    longest: Duration,
    /// Since when every request has succeeded.
    succeeding: Option<Moment>,
    /// Since when every request has failed, and why the last one did.
    failing: Option<(Moment, LogError)>,
    /// How many requests have failed since one succeeded.
    failures: u32,
    pause: Option<Timer>,
}

impl Contact {
    pub(super) fn new(longest: Duration) -> Self {
        Self {
            longest,
            succeeding: None,
            failing: None,
            failures: 0,
            pause: None,
        }
    }

    pub(super) fn succeeded(&mut self, now: Moment) {
        self.succeeding.get_or_insert(now);
        self.failing = None;
        self.failures = 0;
        self.pause = None;
    }

    /// Begins a pause of random length.
    pub(super) fn failed(&mut self, now: Moment, error: LogError, random: &mut Random) {
        let limit = pause::longest(self.failures, self.longest);
        self.pause = Some(Timer::new(now, random.up_to(limit)));
        self.failures = self.failures.saturating_add(1);
        self.succeeding = None;
        let since = self.failing.take().map_or(now, |(since, _)| since);
        self.failing = Some((since, error));
    }

    /// Ends the pause: another request has shown that the engine answers.
    pub(super) fn end_pause(&mut self) {
        self.pause = None;
    }

    /// Whether the last request has failed.
    pub(super) fn fails(&self) -> bool {
        self.failing.is_some()
    }

    /// How long the pause still lasts, if there is one.
    pub(super) fn pause(&self, now: Moment) -> Option<Duration> {
        self.pause.map(|pause| pause.left(now))
    }

    pub(super) fn succeeding_for(&self, now: Moment) -> Option<Duration> {
        self.succeeding.map(|since| now.since(since))
    }

    pub(super) fn failing(&self, now: Moment) -> Option<Failing> {
        let (since, cause) = self.failing.as_ref()?;
        Some(Failing {
            cause: cause.clone(),
            lasting: now.since(*since),
            retry_in: self.pause(now).unwrap_or_default(),
        })
    }

    /// The error for a caller who has waited long enough.
    pub(super) fn unavailable(&self) -> LogError {
        match &self.failing {
            Some((_, error)) if error.kind() == LogErrorKind::Unavailable => error.clone(),
            Some((_, error)) => LogError::new(LogErrorKind::Unavailable).caused_by(error.clone()),
            None => LogError::new(LogErrorKind::Unavailable),
        }
    }
}
