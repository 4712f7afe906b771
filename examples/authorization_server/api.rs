//! `/api/me` and `/api/events`: protected resources (RFC 6750). The enforcement layer has already
//! checked the token.

use std::{convert::Infallible, time::Duration};

use axum::{
    Extension, Json,
    response::{
        IntoResponse,
        sse::{Event, Sse},
    },
};
use futures::{Stream, stream};
use serde_json::json;
use tower_revocation::introspect::{Introspection, Scope};

use crate::request::NO_STORE;

/// The user and the client of the token.
pub(crate) async fn me(Extension(token): Extension<Introspection>) -> impl IntoResponse {
    let me = json!({
        "sub": token.sub,
        "client_id": token.client_id,
        "scope": token.scope.as_ref().map(Scope::as_str),
    });
    (NO_STORE, Json(me))
}

/// Sends an event at once, and then one every few seconds. When the token ends, the layer ends the
/// stream.
pub(crate) async fn events() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ticks = tokio::time::interval(Duration::from_secs(3));
    Sse::new(stream::unfold((ticks, 0), async |(mut ticks, number)| {
        ticks.tick().await;
        let event = Event::default().event("tick").data(number.to_string());
        Some((Ok(event), (ticks, number + 1)))
    }))
}
