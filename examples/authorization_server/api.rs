//! `/api/me` and `/api/events`: protected resources (RFC 6750). The enforcement layer has let them
//! through; what is left to do is what they are for.

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

/// Whose token it is.
pub(crate) async fn me(Extension(token): Extension<Introspection>) -> impl IntoResponse {
    let me = json!({
        "sub": token.sub,
        "client_id": token.client_id,
        "scope": token.scope.as_ref().map(Scope::as_str),
    });
    (NO_STORE, Json(me))
}

/// An event at once, and then one every few seconds, for as long as the token lives: the layer ends
/// it, and nothing here has to ask.
pub(crate) async fn events() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ticks = tokio::time::interval(Duration::from_secs(3));
    Sse::new(stream::unfold((ticks, 0), async |(mut ticks, number)| {
        ticks.tick().await;
        let event = Event::default().event("tick").data(number.to_string());
        Some((Ok(event), (ticks, number + 1)))
    }))
}
