//! `/health`: whether tokens can be told apart. `/health/revocation`: whether they can be revoked.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use tower_revocation::log::RevocationLog as _;

use crate::server::Server;

pub(crate) async fn checks(State(server): State<Server>) -> StatusCode {
    if server.index.readiness().is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

/// Apart from the checks, which go on while the disk is full.
pub(crate) async fn revocation(State(server): State<Server>) -> Response {
    let health = server.log.health();
    match health.retry_after() {
        None => StatusCode::OK.into_response(),
        Some(again) => {
            let retry_after = [(header::RETRY_AFTER, again.as_secs().max(1).to_string())];
            (StatusCode::SERVICE_UNAVAILABLE, retry_after).into_response()
        }
    }
}
