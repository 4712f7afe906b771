//! `GET /v1/status`.

use hyper::{Response, StatusCode, http::request::Parts};
use serde_json::{Map, Value};

use super::{
    AdminBody, Caller, Role, Status, StatusOfIndex, StatusOfLog, problem::Refusal,
    request::no_query, response::json, service::Shared,
};
use crate::{
    enforce::{Freshness, Index},
    log::{LogHealth, RevocationLog},
};

impl<L: RevocationLog + Clone + Send + Sync + 'static> Shared<L> {
    pub(super) fn status(
        &self,
        caller: &Caller,
        head: &Parts,
    ) -> Result<Response<AdminBody>, Refusal> {
        caller.needs(Role::Viewer)?;
        no_query(head)?;
        let details = self.details.as_ref().map(|details| details());
        let health = self.administration.log().health();
        let status = status(&health, &self.index, details.unwrap_or_default());
        Ok(json(StatusCode::OK, &status))
    }
}

fn status(health: &LogHealth, index: &Index, details: Map<String, Value>) -> Status {
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
