//! The health checks, which need no token.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http_body_util::{Either, Empty};
use hyper::{Request, Response, StatusCode, body::Bytes, header};
use tower::{Service, ServiceExt as _};
use tower_revocation::{enforce::Index, log::RevocationLog as _};

use crate::store::Store;

/// The state behind the health checks.
pub(crate) struct Health {
    pub(crate) index: Index,
    pub(crate) log: Store,
}

impl Health {
    /// `/gateway/health`: whether the gateway can tell revoked tokens from live ones.
    /// `/gateway/health/revocation`: whether it can revoke tokens. Checks may continue to work when
    /// revocation does not.
    fn respond(&self, path: &str) -> Option<Response<Empty<Bytes>>> {
        let healthy = empty(StatusCode::OK);
        let delay = match path {
            "/gateway/health" if self.is_ready() => return Some(healthy),
            "/gateway/health" => Duration::from_secs(1),
            "/gateway/health/revocation" => match self.log.health().retry_delay() {
                Some(delay) => delay,
                None => return Some(healthy),
            },
            _ => return None,
        };
        let mut response = empty(StatusCode::SERVICE_UNAVAILABLE);
        let seconds = delay.as_secs().max(1);
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
        Some(response)
    }

    fn is_ready(&self) -> bool {
        self.index.readiness().is_ready() && self.log.health().is_ready()
    }
}

/// Responds to a health check, or calls the service.
pub(crate) async fn enter<S, ReqBody, ResBody>(
    health: Arc<Health>,
    service: S,
    request: Request<ReqBody>,
) -> Result<Response<Either<ResBody, Empty<Bytes>>>, Infallible>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>, Error = Infallible>,
{
    if let Some(response) = health.respond(request.uri().path()) {
        return Ok(response.map(Either::Right));
    }
    let response = service.oneshot(request).await?;
    Ok(response.map(Either::Left))
}

/// A response without a body.
fn empty(status: StatusCode) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    *response.status_mut() = status;
    response
}
