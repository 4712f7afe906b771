//! Two introspections behind one service: one for JWTs and one for opaque tokens.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use pin_project_lite::pin_project;
use tower::{BoxError, Service, util::Oneshot};

use super::Introspected;
use crate::{ask::Ask, token::Secret};

/// Chooses an introspection by the format of the token: the first for JWTs, the second for opaque
/// tokens.
///
/// A JWT here is a token that looks like a compact JWS (RFC 7515 §7.1): three non-empty parts with
/// dots between them, all in the alphabet of base64url, the first of which decodes to something in
/// braces. An encrypted token has five parts and counts as opaque. **The format only chooses the
/// introspection**. It proves nothing: the chosen introspection has to verify the token.
///
/// Refresh tokens may be JWTs too, as those of Keycloak are. `JwtTokens` verifies them and returns
/// [`Introspected::Unhandled`](super::Introspected::Unhandled), and a revocation endpoint returns
/// `unsupported_token_type`.
///
/// For each token the chosen introspection is cloned and driven to readiness. The other one is not
/// called.
///
/// ```
/// use tower::{BoxError, ServiceExt, service_fn};
/// use tower_revocation::{
///     Secret,
///     introspect::{ByFormat, Introspection, TokenKind},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let jwt = service_fn(async |_: Secret| Ok::<Option<Introspection>, BoxError>(None));
/// let opaque = service_fn(async |_: Secret| {
///     Ok::<_, BoxError>(Some(Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3")))
/// });
///
/// let both = ByFormat::new(jwt, opaque);
/// let jwt = Secret::new("eyJhbGciOiJFUzI1NiJ9.e30.c2ln");
/// assert!(both.clone().oneshot(jwt).await?.into_token().is_none());
/// let opaque = Secret::new("45ghiukldjahdnhzdauz");
/// assert!(both.oneshot(opaque).await?.into_token().is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ByFormat<J, O> {
    jwt: J,
    opaque: O,
}

impl<J, O> ByFormat<J, O> {
    /// Calls `jwt` for tokens that look like JWTs, and `opaque` for all others.
    pub fn new(jwt: J, opaque: O) -> Self {
        Self { jwt, opaque }
    }
}

impl<J, O> Service<Secret> for ByFormat<J, O>
where
    J: Service<Secret, Response: Into<Introspected>> + Clone,
    J::Error: Into<BoxError>,
    O: Service<Secret, Response: Into<Introspected>> + Clone,
    O::Error: Into<BoxError>,
{
    type Response = Introspected;
    type Error = BoxError;
    type Future = ByFormatFuture<J, O, J::Future, O::Future>;

    /// Always ready: the token decides which introspection has to be ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, token: Secret) -> Self::Future {
        if is_jws(token.expose()) {
            ByFormatFuture::jwt(Ask::new(self.jwt.clone()), token)
        } else {
            ByFormatFuture::opaque(Ask::new(self.opaque.clone()), token)
        }
    }
}

pin_project! {
    /// The future of [`ByFormat`].
    #[must_use = "futures do nothing unless polled"]
    pub struct ByFormatFuture<J, O, FJ, FO> {
        #[pin]
        chosen: Chosen<J, O, FJ, FO>,
    }
}

type Call<S, F> = Ask<S, Secret, F, Introspected>;

pin_project! {
    #[project = ChosenProj]
    enum Chosen<J, O, FJ, FO> {
        Jwt { #[pin] future: Oneshot<Call<J, FJ>, Secret> },
        Opaque { #[pin] future: Oneshot<Call<O, FO>, Secret> },
    }
}

impl<J, O, FJ, FO> ByFormatFuture<J, O, FJ, FO> {
    fn jwt(service: Call<J, FJ>, token: Secret) -> Self {
        let future = Oneshot::new(service, token);
        Self {
            chosen: Chosen::Jwt { future },
        }
    }

    fn opaque(service: Call<O, FO>, token: Secret) -> Self {
        let future = Oneshot::new(service, token);
        Self {
            chosen: Chosen::Opaque { future },
        }
    }
}

impl<J, O, FJ, FO> Future for ByFormatFuture<J, O, FJ, FO> {
    type Output = Result<Introspected, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().chosen.project() {
            ChosenProj::Jwt { future } => future.poll(cx),
            ChosenProj::Opaque { future } => future.poll(cx),
        }
    }
}

impl<J, O, FJ, FO> fmt::Debug for ByFormatFuture<J, O, FJ, FO> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByFormatFuture").finish_non_exhaustive()
    }
}

/// Whether the token looks like a compact JWS.
///
/// Padding and non-zero trailing bits are ignored: a JWT in another spelling is still a JWT, and
/// the introspection for JWTs has to refuse it.
fn is_jws(token: &str) -> bool {
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    [header, claims, signature].into_iter().all(is_base64url) && is_object(header)
}

fn is_base64url(part: &str) -> bool {
    let digits = part.trim_end_matches('=');
    let digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !digits.is_empty() && digits.bytes().all(digit)
}

fn is_object(header: &str) -> bool {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::URL_SAFE,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let json = LENIENT.decode(header).unwrap_or_default();
    let json = json.trim_ascii();
    json.len() > 1 && json.starts_with(b"{") && json.ends_with(b"}")
}

#[cfg(test)]
mod tests;
