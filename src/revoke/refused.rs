//! What is answered when there is no room for another record: 503, and when to try again.

use std::{error::Error as _, time::Duration};

use super::alarm;
use crate::{
    Error, ErrorKind,
    log::{LogError, LogErrorKind},
};

/// Room comes as records expire and are swept. When that is, nobody can tell; this is often enough
/// to ask.
const AGAIN: Duration = Duration::from_secs(60);

/// The same error; if the log is full, with the answer for the peer in its chain of sources.
pub(super) fn by_log(error: LogError) -> LogError {
    if error.kind() != LogErrorKind::Full {
        return error;
    }
    alarm::log_is_full();
    let mut told = unavailable();
    if error.source().is_some() {
        told = told.caused_by(error.clone());
    }
    error.caused_by(told)
}

/// The answer for a client that has used up its quota.
pub(super) fn by_quota() -> Error {
    alarm::quota_is_used_up();
    unavailable()
        .without_alarm()
        .caused_by("the client has as many records as one client may have")
}

fn unavailable() -> Error {
    Error::new(ErrorKind::Unavailable).retry_after(AGAIN)
}
