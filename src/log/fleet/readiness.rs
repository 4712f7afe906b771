//! Is a node ready, and if not, why?

use std::{fmt, time::Duration};

use super::core::{ClockOffset, Progress, Status};

/// What a node must be to be ready.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demands {
    pub(super) lease: Duration,
    /// How far the clock may be off.
    pub(super) skew: Duration,
}

impl Demands {
    /// Says why a node is not ready. `None` if it is.
    pub(super) fn unmet(self, status: &Status) -> Option<String> {
        let clock = self
            .is_off(status.clock_offset)
            .then(|| clock(status.clock_offset));
        let is_behind = status.complete_for.is_none_or(|age| age > self.lease);
        let behind = is_behind.then(|| behind(status));
        let unmet: Vec<_> = behind.into_iter().chain(clock).collect();
        (!unmet.is_empty()).then(|| unmet.join("; "))
    }

    /// Whether a clock is further off than it may be.
    pub(super) fn is_off(self, clock: ClockOffset) -> bool {
        clock.by > self.skew
    }
}

/// What is known of a log that has not been read yet.
pub(super) const UNREAD: &str = "the log has not been read yet";

fn behind(status: &Status) -> String {
    match (status.reading, status.complete_for) {
        (Some(reading), _) => format!("reading the log: {reading}"),
        (None, None) => UNREAD.to_owned(),
        (None, Some(age)) => format!(
            "what this process knows of the log is {:.1} s old",
            age.as_secs_f64(),
        ),
    }
}

fn clock(offset: ClockOffset) -> String {
    let direction = if offset.is_ahead {
        "ahead of"
    } else {
        "behind"
    };
    format!(
        "the clock of this machine is at least {:.1} s {direction} that of the database: synchronise \
         both",
        offset.by.as_secs_f64(),
    )
}

/// `1,200,000 of about 3,000,000 records`.
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let records = grouped(self.records);
        match self.expected {
            Some(expected) => write!(f, "{records} of about {} records", grouped(expected)),
            None => write!(f, "{records} records so far"),
        }
    }
}

/// A number with a comma before each three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMANDS: Demands = Demands {
        lease: Duration::from_secs(5),
        skew: Duration::from_secs(1),
    };

    fn status() -> Status {
        Status {
            reachable_for: Some(Duration::ZERO),
            failing: None,
            complete_for: Some(Duration::from_secs(1)),
            queued: 0,
            clock_offset: ClockOffset::default(),
            reading: None,
            members: [].into(),
        }
    }

    fn clock(seconds: u64, is_ahead: bool) -> ClockOffset {
        let by = Duration::from_secs(seconds);
        ClockOffset { by, is_ahead }
    }

    #[test]
    fn node_that_is_complete_and_has_the_right_clock_is_ready() {
        let mut status = status();
        assert_eq!(DEMANDS.unmet(&status), None);
        // A node that reads everything again keeps what it knows.
        status.reading = Some(Progress::default());
        status.clock_offset = clock(1, true);
        assert_eq!(DEMANDS.unmet(&status), None);
    }

    #[test]
    fn reason_names_what_is_wrong_and_by_how_much() {
        let mut status = status();
        status.clock_offset = clock(30, true);
        let unmet = DEMANDS.unmet(&status).unwrap();
        assert!(unmet.contains("at least 30.0 s ahead of"), "{unmet}");
        status.clock_offset = clock(2, false);
        let unmet = DEMANDS.unmet(&status).unwrap();
        assert!(unmet.contains("2.0 s behind"), "{unmet}");
        status.complete_for = Some(Duration::from_millis(7200));
        let unmet = DEMANDS.unmet(&status).unwrap();
        assert!(unmet.contains("7.2 s old; the clock"), "{unmet}");

        status.clock_offset = ClockOffset::default();
        status.complete_for = None;
        assert_eq!(DEMANDS.unmet(&status).as_deref(), Some(UNREAD));
        status.reading = Some(Progress {
            records: 1_200_000,
            expected: Some(3_000_000),
        });
        assert_eq!(
            DEMANDS.unmet(&status).unwrap(),
            "reading the log: 1,200,000 of about 3,000,000 records"
        );
        status.reading = Some(Progress {
            records: 999,
            expected: None,
        });
        let unmet = DEMANDS.unmet(&status).unwrap();
        assert_eq!(unmet, "reading the log: 999 records so far");
    }
}
