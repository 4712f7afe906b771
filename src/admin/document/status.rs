//! The status of the server.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The response to `GET /v1/status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Status {
    /// The log, to which revocations are appended.
    pub log: StatusOfLog,
    /// The index, which checks ask.
    pub index: StatusOfIndex,
    /// What the application adds: see [`AdminService::details`](super::super::AdminService::details).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

/// Whether the log accepts appends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StatusOfLog {
    /// Whether appends are accepted.
    pub writable: bool,
    /// Why not, or what else is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How much the index knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StatusOfIndex {
    /// `fresh`, `stale` or `unready`.
    pub freshness: String,
    /// How long ago a stale index was complete, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_for: Option<u64>,
    /// The incarnation of the log.
    pub epoch: u64,
    /// The position up to which the index has every record.
    pub sequence: u64,
    /// The number of records.
    pub records: usize,
}
