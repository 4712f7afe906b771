//! The events and series of a proxy.

use super::Error;
#[cfg(feature = "tracing")]
use super::ErrorKind;

/// A request was not forwarded. The event names neither the request nor its peer.
pub(super) fn failed(error: &Error) {
    #[cfg(feature = "metrics")]
    metrics::counter!("tower_revocation_proxy_failures_total", "kind" => error.kind().as_str())
        .increment(1);
    event(error);
}

/// A connection was closed because of a limit.
pub(super) fn refused_connection(reason: &'static str) {
    count_refused(reason);
    #[cfg(feature = "tracing")]
    tracing::debug!(target: crate::observe::TARGET, reason, "connection closed at a limit");
}

/// A connection of a user whom a Unix socket does not serve was closed. `connections` are those since
/// the last event. `None`: it is too early for another event.
#[cfg(unix)]
pub(super) fn refused_user(user: Option<u32>, connections: Option<u64>) {
    count_refused("user");
    #[cfg(feature = "tracing")]
    if let Some(connections) = connections {
        tracing::warn!(
            target: crate::observe::TARGET,
            user,
            connections,
            "connection of a user who may not use the socket closed"
        );
    }
    let _ = (user, connections);
}

fn count_refused(reason: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("tower_revocation_proxy_connections_refused_total", "reason" => reason)
        .increment(1);
    let _ = reason;
}

/// One open connection, until the value is dropped.
#[derive(Debug)]
pub(super) struct OpenConnection(());

impl OpenConnection {
    pub(super) fn new() -> Self {
        #[cfg(feature = "metrics")]
        metrics::gauge!("tower_revocation_proxy_connections").increment(1.0);
        Self(())
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        #[cfg(feature = "metrics")]
        metrics::gauge!("tower_revocation_proxy_connections").decrement(1.0);
    }
}

#[cfg(feature = "tracing")]
fn event(error: &Error) {
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
        ErrorKind::BadRequest | ErrorKind::HeadTooLarge | ErrorKind::UnknownCoding => {
            event!(debug);
        }
        ErrorKind::TokenEnded | ErrorKind::TokenUnknown | ErrorKind::ClientTimedOut => event!(info),
        ErrorKind::Unreachable
        | ErrorKind::BadResponse
        | ErrorKind::TimedOut
        | ErrorKind::Overloaded
        | ErrorKind::Configuration => event!(warn),
    }
}

#[cfg(not(feature = "tracing"))]
fn event(_: &Error) {}
