//! Layers without a log, and layers without an introspection.

use super::EnforcementLayer;
use crate::enforce::{Index, verified::Verified};

impl<I> EnforcementLayer<I> {
    /// A layer for a token table of your own: `introspect` alone decides whether a token is live.
    ///
    /// There is no log and no [`Index`]. The layer refuses a token that the introspection returns
    /// as [`revoked`](crate::introspect::Claims::revoked) or as
    /// [`rotated`](crate::introspect::Claims::rotated), that has expired, or that the introspection
    /// does not return. Tokens without `iat` pass, because only records need it.
    ///
    /// **The introspection must know what is revoked.** `JwtTokens` and `IssuedTokens` do not: a
    /// log has their revocations. With one of them, pass an index of that log to
    /// [`new`](Self::new). This layer would accept their revoked tokens until they expire.
    ///
    /// **An open stream ends at the `exp` of its token, and not when the table revokes the token.**
    /// The layer asks the table once for each request. To cut streams as well, pass an index of a
    /// [`MemoryLog`](crate::log::MemoryLog) to [`new`](Self::new), and append a record to that log
    /// whenever the table revokes a token.
    ///
    /// # Panics
    ///
    /// Panics if the operating system does not start the thread that cuts expired streams.
    ///
    /// ```
    /// use std::{collections::HashMap, sync::{Arc, Mutex}};
    ///
    /// use hyper::{Request, Response, StatusCode, header};
    /// use tower::{BoxError, Layer, ServiceExt, service_fn};
    /// use tower_revocation::{
    ///     Secret,
    ///     enforce::EnforcementLayer,
    ///     introspect::{Introspection, TokenKind},
    /// };
    ///
    /// struct Row {
    ///     client_id: String,
    ///     revoked: bool,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// let table = Arc::new(Mutex::new(HashMap::from([(
    ///     "mF_9.B5f-4.1JqM".to_owned(),
    ///     Row { client_id: "s6BhdRkqt3".to_owned(), revoked: false },
    /// )])));
    /// let rows = table.clone();
    /// let introspect = service_fn(move |token: Secret| {
    ///     let rows = rows.lock().expect("nothing panics while it holds the lock");
    ///     let token = rows.get(token.expose()).map(|row| {
    ///         let mut token = Introspection::new(TokenKind::AccessToken, row.client_id.as_str());
    ///         token.revoked = row.revoked;
    ///         token
    ///     });
    ///     std::future::ready(Ok::<_, BoxError>(token))
    /// });
    /// let api = service_fn(async |_: Request<String>| {
    ///     Ok::<_, BoxError>(Response::new("hello".to_owned()))
    /// });
    /// let service = EnforcementLayer::by_introspection(introspect).layer(api);
    ///
    /// let request = || Request::get("/").header(header::AUTHORIZATION, "Bearer mF_9.B5f-4.1JqM");
    /// let response = service.clone().oneshot(request().body(String::new())?).await?;
    /// assert_eq!(response.status(), StatusCode::OK);
    ///
    /// for row in table.lock().expect("nothing panics").values_mut() {
    ///     row.revoked = true;
    /// }
    /// let response = service.oneshot(request().body(String::new())?).await?;
    /// assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    /// # Ok(())
    /// # }
    /// ```
    pub fn by_introspection(introspect: I) -> Self {
        Self::new(introspect, Index::without_log()).allow_missing_iat(true)
    }
}

impl EnforcementLayer<Verified> {
    /// Creates a layer for tokens that an outer layer has verified. That layer puts an
    /// [`Introspection`](crate::introspect::Introspection) into the extensions of the request, and
    /// this layer continues with step 3. A request without one is a request without a token.
    ///
    /// **The layer trusts what it finds there.** The outer layer must have verified the signature.
    ///
    /// There is no token that an authority could confirm: under
    /// [`WhenUnknown::Introspect`](crate::enforce::WhenUnknown::Introspect) the layer denies what is
    /// unknown.
    pub fn from_extension(index: Index) -> Self {
        let mut layer = Self::new(Verified::elsewhere(), index);
        layer.settings_mut().from_extension = true;
        layer
    }
}
