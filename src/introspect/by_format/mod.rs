//! Two introspections behind one service: self-contained tokens here, opaque ones there.

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

/// Two introspections behind one: a token of the shape of a JWT is sent to the first, every other
/// one to the second.
///
/// The shape is that of a compact JWS (RFC 7515 §7.1): three parts with a dot between, none of them
/// empty and all in the alphabet of base64url, the first a JSON object as far as its braces tell.
/// An encrypted token (five parts) is not of that shape. **The shape only says who is asked**: it
/// proves nothing, and whoever is asked has to.
///
/// Refresh tokens may have that shape too, as those of Keycloak do. `JwtTokens` verifies them and
/// returns [`Introspected::Unhandled`](super::Introspected::Unhandled), and a revocation endpoint
/// answers `unsupported_token_type`.
///
/// The chosen one is cloned for a token and waited for until it is ready; the other is not asked.
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
    /// Who is asked about what looks like a JWT, and who about everything else.
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

    /// Always ready: who will be asked is known only when the token is.
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
    /// The answer of the one that [`ByFormat`] has chosen.
    #[must_use = "futures do nothing unless polled"]
    pub struct ByFormatFuture<J, O, FJ, FO> {
        #[pin]
        asked: Asked<J, O, FJ, FO>,
    }
}

type Chosen<S, F> = Ask<S, Secret, F, Introspected>;

pin_project! {
    #[project = AskedProj]
    enum Asked<J, O, FJ, FO> {
        Jwt { #[pin] answer: Oneshot<Chosen<J, FJ>, Secret> },
        Opaque { #[pin] answer: Oneshot<Chosen<O, FO>, Secret> },
    }
}

impl<J, O, FJ, FO> ByFormatFuture<J, O, FJ, FO> {
    fn jwt(service: Chosen<J, FJ>, token: Secret) -> Self {
        let answer = Oneshot::new(service, token);
        Self {
            asked: Asked::Jwt { answer },
        }
    }

    fn opaque(service: Chosen<O, FO>, token: Secret) -> Self {
        let answer = Oneshot::new(service, token);
        Self {
            asked: Asked::Opaque { answer },
        }
    }
}

impl<J, O, FJ, FO> Future for ByFormatFuture<J, O, FJ, FO> {
    type Output = Result<Introspected, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().asked.project() {
            AskedProj::Jwt { answer } => answer.poll(cx),
            AskedProj::Opaque { answer } => answer.poll(cx),
        }
    }
}

impl<J, O, FJ, FO> fmt::Debug for ByFormatFuture<J, O, FJ, FO> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByFormatFuture").finish_non_exhaustive()
    }
}

/// Whether it looks like a compact JWS.
///
/// Padding and bits that mean nothing are let through: a JWT in another spelling is a JWT still,
/// and for whoever reads JWTs to refuse.
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
    let digit = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
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
