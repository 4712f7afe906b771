//! The same revocation in an axum handler written by hand.

use axum::{
    Form, Router,
    body::Body,
    extract::{DefaultBodyLimit, FromRequestParts, State, rejection::FormRejection},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
    routing::post,
};

use crate::{
    rules::{Basic, FIELDS, MAX_BODY, Parameters, Refusal},
    server::{PATH, Server},
};

pub(crate) fn router(server: Server) -> Router {
    Router::new()
        .route(PATH, post(revoke))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(server)
}

async fn revoke(
    State(server): State<Server>,
    basic: Basic,
    parameters: Result<Form<Parameters>, FormRejection>,
) -> Result<Response, Refusal> {
    let Form(parameters) = parameters.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::PAYLOAD_TOO_LARGE,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Refusal::UNSUPPORTED_MEDIA_TYPE,
        _ => Refusal::INVALID_REQUEST,
    })?;
    parameters.revoke(&server, &basic)?;
    Ok((FIELDS, StatusCode::OK).into_response())
}

impl<S: Sync> FromRequestParts<S> for Basic {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Self::read(&parts.headers, &parts.uri)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.response().map(Body::new)
    }
}
