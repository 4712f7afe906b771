//! `/health`: whether the server can tell revoked tokens from live ones. `/health/revocation`:
//! whether it can revoke tokens.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use tower_revocation::log::{LogHealth, RevocationLog as _};

use crate::server::Server;

pub(crate) async fn checks(State(server): State<Server>) -> Response {
    let health = server.log.health();
    let status = if server.index.readiness().is_ready() && health.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, reason(&health)).into_response()
}

/// An endpoint of its own, because checks continue to work while the disk is full.
pub(crate) async fn revocation(State(server): State<Server>) -> Response {
    let health = server.log.health();
    match health.retry_delay() {
        None => StatusCode::OK.into_response(),
        Some(delay) => {
            let retry_after = [(header::RETRY_AFTER, delay.as_secs().max(1).to_string())];
            (
                StatusCode::SERVICE_UNAVAILABLE,
                retry_after,
                reason(&health),
            )
                .into_response()
        }
    }
}

/// For operators, also if it does no harm yet, such as a mirror that cannot be written.
fn reason(health: &LogHealth) -> String {
    health
        .reason()
        .map_or_else(String::new, |reason| reason + "\n")
}
