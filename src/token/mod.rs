//! The request to a backend, and its outcome.

#[cfg(feature = "zeroize")]
mod spare;

use std::fmt;
#[cfg(feature = "zeroize")]
use std::mem;

use hyper::http::Extensions;

/// A revocation request of an authenticated client ([RFC 7009 §2.1]).
///
/// A backend is a `tower::Service<RevocationRequest<C>, Response = Outcome>`.
///
/// ```
/// use tower_revocation::{RevocationRequest, Secret, TokenTypeHint};
///
/// let request = RevocationRequest::new("s6BhdRkqt3", Secret::new("45ghiukldjahdnhzdauz"))
///     .hint(TokenTypeHint::RefreshToken);
/// assert_eq!(request.client, "s6BhdRkqt3");
/// assert!(!format!("{request:?}").contains("45ghiukldjahdnhzdauz"));
/// ```
///
/// [RFC 7009 §2.1]: https://www.rfc-editor.org/rfc/rfc7009#section-2.1
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RevocationRequest<C> {
    /// The client that the authenticator returned.
    pub client: C,
    /// The token: at least one character, visible ASCII only. Empty only if a layer in front of the
    /// endpoint has asked for something else, such as a `ClientOrder`.
    pub token: Secret,
    /// The type of the token, according to the client. It can be wrong: use it only to order a
    /// search.
    pub hint: Option<TokenTypeHint>,
    /// What a layer in front of the endpoint passes to the backend: see [`BackendExtensions`].
    /// Defaults to none.
    pub extensions: Extensions,
}

impl<C> RevocationRequest<C> {
    /// Creates a request without a hint.
    pub fn new(client: C, token: Secret) -> Self {
        Self {
            client,
            token,
            hint: None,
            extensions: Extensions::new(),
        }
    }

    /// Sets the hint.
    #[must_use]
    pub fn hint(mut self, hint: TokenTypeHint) -> Self {
        self.hint = Some(hint);
        self
    }
}

/// The extensions of a request that the endpoint passes to its backend, as
/// [`RevocationRequest::extensions`].
///
/// A layer in front of the endpoint inserts it into the extensions of the HTTP request, empty or not. No
/// other extension of the request reaches the backend, and nothing that a peer sends can insert one. The
/// response has the [`Outcome`] in its extensions, or the [`Error`](crate::Error).
///
/// ```
/// use bytes::Bytes;
/// use http_body_util::Full;
/// use hyper::{Request, StatusCode, http::Extensions};
/// use tower::{BoxError, ServiceExt, service_fn};
/// use tower_revocation::{
///     BackendExtensions, Outcome, RevocationLayer, RevocationRequest, client::Credentials,
/// };
///
/// #[derive(Clone)]
/// struct Tenant(&'static str);
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let authenticator = service_fn(async |_: Request<Credentials>| Ok::<_, BoxError>(Some("spa-1")));
/// let backend = service_fn(async |request: RevocationRequest<&str>| {
///     let tenant = request.extensions.get::<Tenant>();
///     Ok::<_, BoxError>(match tenant {
///         Some(Tenant("north")) => Outcome::Revoked,
///         _ => Outcome::NotFound,
///     })
/// });
/// let endpoint = RevocationLayer::new("/oauth2/revoke", authenticator, backend).into_endpoint();
///
/// let mut extensions = Extensions::new();
/// extensions.insert(Tenant("north"));
/// let request = Request::post("/oauth2/revoke")
///     .header("content-type", "application/x-www-form-urlencoded")
///     .extension(BackendExtensions(extensions))
///     .body(Full::<Bytes>::from("token=45ghiukldjahdnhzdauz&client_id=spa-1"))?;
/// let response = endpoint.oneshot(request).await?;
/// assert_eq!(response.extensions().get(), Some(&Outcome::Revoked));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct BackendExtensions(pub Extensions);

/// In the extensions of a request to a backend: the client has named itself, and shown no secret,
/// assertion or attestation. It may have a certificate.
#[cfg(feature = "log")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct IsUnproven;

/// In the [`BackendExtensions`] of a request: it is about more than one token, and needs none.
#[cfg(feature = "profiles")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct NeedsNoToken;

/// A name from the OAuth Token Type Hints registry ([RFC 7009 §4.1.2]), or any other name.
///
/// **Names are compared byte for byte**: `REFRESH_TOKEN` is an unknown name, which backends ignore.
///
/// ```
/// use tower_revocation::TokenTypeHint;
///
/// assert_eq!(TokenTypeHint::from("refresh_token"), TokenTypeHint::RefreshToken);
/// assert_eq!(TokenTypeHint::from("pct").as_str(), "pct");
/// ```
///
/// [RFC 7009 §4.1.2]: https://www.rfc-editor.org/rfc/rfc7009#section-4.1.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenTypeHint {
    /// `access_token`
    AccessToken,
    /// `refresh_token`
    RefreshToken,
    /// Any other name, such as `pct` or a URN.
    Other(Box<str>),
}

impl TokenTypeHint {
    /// The name as sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for TokenTypeHint {
    fn from(name: &str) -> Self {
        match name {
            "access_token" => Self::AccessToken,
            "refresh_token" => Self::RefreshToken,
            other => Self::Other(other.into()),
        }
    }
}

/// The outcome of a revocation.
///
/// A backend that could not find out returns its error instead, which becomes 503.
///
/// It is in the extensions of the response to a request with [`BackendExtensions`], for the layer that
/// has inserted them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The token is revoked, durably. It may have been revoked before.
    Revoked,
    /// The token is certainly not a live token of this server.
    NotFound,
    /// The token belongs to another client. It was not revoked.
    IssuedToAnother,
    /// This server cannot revoke the token, or does not recognise it and is not responsible for it.
    /// It was not revoked.
    Unsupported,
}

impl Outcome {
    /// A short name for logs and counters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::NotFound => "not_found",
            Self::IssuedToAnother => "issued_to_another",
            Self::Unsupported => "unsupported",
        }
    }
}

/// A token, a client secret or an assertion.
///
/// It has no `Display` and no `PartialEq`, and `Debug` prints no part of it. With the feature
/// `zeroize`, which is on by default, dropping it overwrites its memory. The buffers of the request
/// are not overwritten. A thread keeps at most 1 KiB of the overwritten memory for its next secret,
/// so that only the first request of a thread allocates memory for its token.
///
/// ```
/// use tower_revocation::Secret;
///
/// let token = Secret::new("45ghiukldjahdnhzdauz");
/// assert_eq!(format!("{token:?}"), "Secret(..)");
/// assert_eq!(token.expose(), "45ghiukldjahdnhzdauz");
/// ```
#[derive(Clone, Default)]
pub struct Secret {
    text: String,
    /// The authenticated client that asks about the token.
    #[cfg(feature = "jwt")]
    asker: Option<std::sync::Arc<str>>,
}

impl Secret {
    /// Creates a secret. A `String` is moved, so that no copy of it remains.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            #[cfg(feature = "jwt")]
            asker: None,
        }
    }

    /// Attaches the authenticated client that asks about the token. A service that passes on the
    /// same `Secret` passes on the client. One that creates a new `Secret` from the text loses it.
    #[cfg(feature = "jwt")]
    pub(crate) fn asked_by(mut self, client_id: &str) -> Self {
        self.asker = Some(client_id.into());
        self
    }

    #[cfg(feature = "jwt")]
    pub(crate) fn asker(&self) -> Option<&str> {
        self.asker.as_deref()
    }

    /// Returns the text. Never print it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        #[cfg(feature = "zeroize")]
        let text = spare::copy(text);
        Self::new(text)
    }
}

#[cfg(feature = "zeroize")]
impl Drop for Secret {
    fn drop(&mut self) {
        spare::keep(overwritten(mem::take(&mut self.text)));
    }
}

/// Overwrites the whole memory of a text. Returns it as an empty one.
///
/// `Zeroize` writes each byte by itself, which takes ten times as long. The barrier keeps the compiler
/// from leaving out what nobody reads.
#[cfg(feature = "zeroize")]
fn overwritten(text: String) -> String {
    let mut bytes = text.into_bytes();
    bytes.resize(bytes.capacity(), 0);
    bytes.fill(0);
    zeroize::optimization_barrier(bytes.as_slice());
    bytes.clear();
    String::from_utf8(bytes).unwrap_or_default()
}
