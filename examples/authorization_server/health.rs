//! `/health`: whether tokens can be told apart.

use axum::{extract::State, http::StatusCode};

use crate::server::Server;

pub(crate) async fn health(State(server): State<Server>) -> StatusCode {
    if server.index.readiness().is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}
