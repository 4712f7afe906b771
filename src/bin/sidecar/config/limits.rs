//! `[limits]`: what peers may use up. The limits apply to each listener.

use std::time::Duration;

use serde::Deserialize;

use super::{
    duration::Length,
    problem::{Problem, Problems},
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    connections: Option<usize>,
    connections_per_address: Option<usize>,
    head_timeout: Option<Length>,
    idle_timeout: Option<Length>,
    upstream_timeout: Option<Length>,
    websocket_idle_timeout: Option<Length>,
    upload_idle_timeout: Option<Length>,
    upstream_requests: Option<usize>,
}

/// What peers may use up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Limits {
    /// Open connections of a listener.
    pub(crate) connections: usize,
    /// Those of one address.
    pub(crate) connections_per_address: usize,
    /// Time for the head of a request.
    pub(crate) head_timeout: Duration,
    /// Time without a request on an open connection.
    pub(crate) idle_timeout: Duration,
    /// Time until the API responds with a head.
    pub(crate) upstream_timeout: Duration,
    /// Time without a byte on an open WebSocket.
    pub(crate) websocket_idle_timeout: Duration,
    /// Time without a byte of the body of a request.
    pub(crate) upload_idle_timeout: Duration,
    /// Requests that are at the API at once.
    pub(crate) upstream_requests: usize,
}

impl Limits {
    pub(super) fn new(section: &Section, found: &mut Problems) -> Self {
        let length = |given: Option<Length>, default| {
            given.map_or(Duration::from_secs(default), |length| length.0)
        };
        let connections = section.connections.unwrap_or(20_000);
        // It takes several addresses to use up all.
        let per_address = connections.div_ceil(8).max(1);
        let limits = Self {
            connections,
            connections_per_address: section.connections_per_address.unwrap_or(per_address),
            head_timeout: length(section.head_timeout, 10),
            idle_timeout: length(section.idle_timeout, 60),
            upstream_timeout: length(section.upstream_timeout, 30),
            websocket_idle_timeout: length(section.websocket_idle_timeout, 600),
            upload_idle_timeout: length(section.upload_idle_timeout, 60),
            upstream_requests: section.upstream_requests.unwrap_or(10_000),
        };
        for (key, number) in [
            ("limits.connections", limits.connections),
            (
                "limits.connections_per_address",
                limits.connections_per_address,
            ),
            ("limits.upstream_requests", limits.upstream_requests),
        ] {
            if number == 0 {
                found.note(Problem::new(key, "with 0 nobody can connect"));
            }
        }
        for (key, time) in [
            ("limits.head_timeout", limits.head_timeout),
            ("limits.idle_timeout", limits.idle_timeout),
            ("limits.upstream_timeout", limits.upstream_timeout),
            (
                "limits.websocket_idle_timeout",
                limits.websocket_idle_timeout,
            ),
            ("limits.upload_idle_timeout", limits.upload_idle_timeout),
        ] {
            if time.is_zero() {
                found.note(Problem::new(key, "with 0 no request has time"));
            }
        }
        limits
    }
}
