//! The errors of revocations for which there is no room: 503, and when to try again.

use std::{error::Error as _, time::Duration};

use super::alarm;
use crate::{
    error::{Error, ErrorKind},
    log::{LogError, LogErrorKind},
};

/// There is room once records have expired and were swept. That time is unknown, and one request a
/// minute is not too many.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// Returns the error of the log. If the log is full, the response for the peer is added to its
/// source chain.
pub(super) fn by_log(error: LogError) -> LogError {
    if error.kind() != LogErrorKind::Full {
        return error;
    }
    alarm::log_is_full();
    let mut response = unavailable();
    if error.source().is_some() {
        response = response.caused_by(error.clone());
    }
    error.caused_by(response)
}

/// Returns the error for a client that has used up its quota.
pub(super) fn by_quota() -> Error {
    alarm::quota_is_used_up();
    unavailable()
        .without_alarm()
        .caused_by("the client has used up its quota of records")
}

fn unavailable() -> Error {
    Error::new(ErrorKind::Unavailable).retry_after(RETRY_AFTER)
}
