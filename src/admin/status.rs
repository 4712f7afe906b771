//! `GET /v1/status`.

use serde_json::{Map, Value};

use super::{Status, StatusOfIndex, StatusOfLog};
use crate::{
    enforce::{Freshness, Index},
    log::LogHealth,
};

pub(super) fn status(health: &LogHealth, index: &Index, details: Map<String, Value>) -> Status {
    let (freshness, stale_for) = match index.freshness() {
        Freshness::Fresh => ("fresh", None),
        Freshness::Stale(silence) => ("stale", Some(silence.as_secs())),
        Freshness::Unready => ("unready", None),
    };
    let position = index.position();
    Status {
        log: StatusOfLog {
            writable: health.is_writable(),
            reason: health.reason(),
        },
        index: StatusOfIndex {
            freshness: freshness.to_owned(),
            stale_for,
            epoch: position.epoch,
            sequence: position.sequence,
            records: index.len(),
        },
        details,
    }
}
