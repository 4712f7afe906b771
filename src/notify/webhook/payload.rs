//! The body of a webhook.

use serde::Serialize;

use super::super::{Notice, NotifyError, NotifyErrorKind};
use crate::log::NumericDate;

#[derive(Serialize)]
struct Payload<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    class: &'static str,
    issuer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    before: u64,
}

/// The same bytes for each attempt.
pub(super) fn json(notice: &Notice) -> Result<Vec<u8>, NotifyError> {
    let payload = Payload {
        kind: "revocation.ordered",
        timestamp: rfc3339(notice.ordered),
        data: Data {
            class: notice.class.as_str(),
            issuer: &notice.issuer,
            subject: notice.subject.as_deref(),
            client_id: notice.client_id.as_deref(),
            key: notice.key.as_deref(),
            before: notice.before.seconds(),
        },
    };
    serde_json::to_vec(&payload)
        .map_err(|error| NotifyError::new(NotifyErrorKind::Unsupported).caused_by(error))
}

/// A date as RFC 3339 writes it, in UTC. Dates after the year 9999 become its last second.
fn rfc3339(date: NumericDate) -> String {
    const LATEST: u64 = 253_402_300_799;
    let seconds = date.seconds().min(LATEST);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Eras of 400 years that begin on the first of March, so that a leap day is the last of a year.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (68_169_600, "1972-02-29T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_300_819_380, "2011-03-22T18:43:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (u64::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(NumericDate::new(seconds)), expected);
        }
    }
}
