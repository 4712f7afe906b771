//! `/oauth2/challenge`: a challenge, which the proof of an attested instance must contain
//! (draft-ietf-oauth-attestation-based-client-auth §8).

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{request::NO_STORE, server::Server};

pub(crate) async fn challenge(State(server): State<Server>) -> Response {
    let challenge = json!({ "attestation_challenge": server.challenges.issue() });
    (NO_STORE, Json(challenge)).into_response()
}
