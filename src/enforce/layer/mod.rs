//! The layer that refuses revoked tokens.

mod setters;
mod sources;

use std::sync::Arc;

use tower::{BoxError, Service};
use tower_layer::Layer;

use super::{Index, service::EnforcementService, settings::Settings};
use crate::{ask::Ask, introspect::Introspected, token::Secret};

/// Passes requests with a live token on to the inner service and refuses all others (RFC 6750).
///
/// The layer does this for every request:
///
/// 1. **Token.** Takes the token from the Authorization header, scheme `Bearer` or `DPoP`.
/// 2. **Introspection.** Is the token genuine, and is it for this API? Any service that takes a
///    [`Secret`] and returns [`Introspected`] or `Option<Introspection>` can tell, such as those of
///    [`introspect`](crate::introspect). The layer waits for it without a limit: put a timeout
///    around a service that may not return.
/// 3. **Time.** `exp` is not past, and `iat` and `nbf` are not in the future, beyond the
///    [leeway](Self::leeway).
/// 4. **Index.** The [`Index`] is fresh, and none of its records covers any selector of the token.
/// 5. **Pass.** Puts the [`Introspection`](crate::introspect::Introspection) and a
///    [`TokenLife`](super::TokenLife) into the request's extensions, and calls the inner service.
///
/// The layer does not check what the token may do: use a [`ScopeLayer`](super::ScopeLayer) for
/// `scope`. It does not check proof of possession of the token's key (`cnf`) either.
///
/// | what is wrong | response |
/// |---|---|
/// | no token | 401 with a bare challenge, or [the request passes](super::Policy::anonymous) |
/// | two Authorization headers, or a scheme without a token | 400 `invalid_request` |
/// | the token is not genuine, expired or revoked | 401 `invalid_token`, the same for every reason |
/// | the state of the token is unknown | 503 with `Retry-After` |
///
/// A gRPC request (`Content-Type: application/grpc`) gets the status `UNAUTHENTICATED` or
/// `UNAVAILABLE` instead, unless the layer [responds in HTTP](Self::respond_in_http). The
/// response's extensions hold the reason, as [`Refused`](super::Refused).
///
/// **The body of a response ends with its token.** It is [cut](super::EnforcedBody) within a second
/// after a record covers the token, or after the token's `exp`. An upgraded connection such as a
/// WebSocket is cut too, but only if the accepted connection is wrapped in an
/// [`Abortable`](super::Abortable).
///
/// The inner service must be `Clone`, because the instance that was ready waits for the
/// introspection. The introspection is cloned for each request, and the request waits until the
/// clone is ready. Put a `CorsLayer` around this layer and not inside it: a preflight request has
/// no token.
///
/// ```
/// use hyper::{Request, Response, StatusCode, header};
/// use tower::{BoxError, Layer, ServiceExt, service_fn};
/// use tower_revocation::{
///     Secret,
///     enforce::{EnforcementLayer, Index},
///     introspect::{Introspection, TokenKind},
///     log::{MemoryLog, NumericDate, Revocation, RevocationLog, Selector},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let introspect = service_fn(async |_: Secret| {
///     let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
///     token.sub = Some("alice".into());
///     token.iat = Some(NumericDate::new(1_300_819_380));
///     Ok::<_, BoxError>(Some(token))
/// });
/// let api = service_fn(async |request: Request<String>| {
///     let token = request.extensions().get::<Introspection>().expect("the layer puts it there");
///     Ok::<_, BoxError>(Response::new(token.sub.clone().unwrap_or_default()))
/// });
///
/// let log = MemoryLog::new();
/// let index = Index::follow(&log).await?;
/// let service = EnforcementLayer::new(introspect, index).layer(api);
///
/// let request = || Request::get("/").header(header::AUTHORIZATION, "Bearer mF_9.B5f-4.1JqM");
/// let response = service.clone().oneshot(request().body(String::new())?).await?;
/// assert_eq!(response.status(), StatusCode::OK);
///
/// let now = NumericDate::now();
/// let record = Revocation::watermark(Selector::subject("alice"), now, NumericDate::FOREVER);
/// log.append(vec![record]).await?;
/// let response = service.oneshot(request().body(String::new())?).await?;
/// assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct EnforcementLayer<I> {
    introspect: I,
    settings: Arc<Settings>,
}

impl<I> EnforcementLayer<I> {
    /// Creates a layer that asks `introspect` whether a token is genuine, and `index` whether it is
    /// revoked.
    pub fn new(introspect: I, index: Index) -> Self {
        Self {
            introspect,
            settings: Arc::new(Settings::new(index)),
        }
    }

    fn settings_mut(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.settings)
    }
}

impl<I, S> Layer<S> for EnforcementLayer<I>
where
    I: Service<Secret, Response: Into<Introspected>> + Clone,
    I::Error: Into<BoxError>,
{
    type Service = EnforcementService<S, I>;

    fn layer(&self, inner: S) -> Self::Service {
        EnforcementService {
            inner,
            introspect: Ask::new(self.introspect.clone()),
            settings: self.settings.clone(),
        }
    }
}
