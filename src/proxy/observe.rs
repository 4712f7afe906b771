//! The events of a proxy.

use super::Error;
#[cfg(feature = "tracing")]
use super::ErrorKind;

/// A request was not forwarded. The event names neither the request nor its peer.
#[cfg(feature = "tracing")]
pub(super) fn failed(error: &Error) {
    use std::error::Error as _;

    use crate::observe::{Causes, TARGET};

    // The level of an event is static, so the macro expands once for each level.
    macro_rules! event {
        ($level:ident) => {
            tracing::$level!(
                target: TARGET,
                kind = error.kind().as_str(),
                reason = %error,
                cause = error.source().map(|cause| tracing::field::display(Causes(cause))),
                "request not forwarded"
            )
        };
    }
    match error.kind() {
        // Any client can cause it.
        ErrorKind::BadRequest | ErrorKind::HeadTooLarge => event!(debug),
        ErrorKind::Unreachable
        | ErrorKind::BadResponse
        | ErrorKind::TimedOut
        | ErrorKind::Configuration => event!(warn),
    }
}

#[cfg(not(feature = "tracing"))]
pub(super) fn failed(_: &Error) {}
