//! The way in: what is asked of the gateway itself, what is refused, and what does not pass.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http_body_util::{Either, Empty};
use hyper::{
    Request, Response, StatusCode, Version,
    body::{Bytes, Incoming},
    header,
};
use tower::{Service, ServiceExt as _};
use tower_revocation::{
    enforce::Index,
    log::{EmbeddedLog, RevocationLog as _},
};

use crate::{fields, host};

/// What the gateway can say about itself.
pub(crate) struct Health {
    pub(crate) index: Index,
    pub(crate) log: EmbeddedLog,
}

impl Health {
    /// `/gateway/health`: whether tokens can be told apart. `/gateway/health/revocation`: whether
    /// they can be revoked, which may fail while checks go on.
    fn answer(&self, path: &str) -> Option<Response<Empty<Bytes>>> {
        let healthy = plain(StatusCode::OK);
        let again = match path {
            "/gateway/health" if self.index.readiness().is_ready() => return Some(healthy),
            "/gateway/health" => Duration::from_secs(1),
            "/gateway/health/revocation" => match self.log.health().retry_after() {
                Some(again) => again,
                None => return Some(healthy),
            },
            _ => return None,
        };
        let mut response = plain(StatusCode::SERVICE_UNAVAILABLE);
        let again = again.as_secs().max(1);
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, again.into());
        Some(response)
    }
}

/// Takes a request in, and cleans it before anything else reads it.
pub(crate) async fn enter<S, B>(
    health: Arc<Health>,
    service: S,
    mut request: Request<Incoming>,
) -> Result<Response<Either<B, Empty<Bytes>>>, Infallible>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
{
    if !host::is_one(&request) {
        return Ok(plain(StatusCode::BAD_REQUEST).map(Either::Right));
    }
    if let Some(response) = health.answer(request.uri().path()) {
        return Ok(response.map(Either::Right));
    }
    let is_http2 = request.version() == Version::HTTP_2;
    if fields::clean_request(request.headers_mut(), is_http2).is_none() {
        return Ok(plain(StatusCode::BAD_REQUEST).map(Either::Right));
    }
    let response = service.oneshot(request).await?;
    Ok(response.map(Either::Left))
}

/// An answer without a body.
pub(crate) fn plain(status: StatusCode) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    *response.status_mut() = status;
    response
}
