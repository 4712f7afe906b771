//! The credentials in a request.

mod authorization;
mod presented;

use std::borrow::Cow;

use hyper::{HeaderMap, Request, header::HeaderName, http::request::Parts};

#[cfg(feature = "jwt")]
use super::assertion::claimed_subject;
#[cfg(feature = "attestation")]
use super::attestation::attested_subject;
use super::{AcceptedMethods, AuthMethod, Basic};
use crate::{ask::Ask, error::Error, form::Form, token::Secret};
pub(crate) use authorization::Authorization;
pub(crate) use presented::Presented;

/// The service that authenticates clients, see [`Ask`].
pub(crate) type Authenticator<A, C, F> = Ask<A, Request<Credentials>, F, Option<C>>;

/// The credentials that a client presented, sorted by method but not verified.
///
/// The authenticator receives them as the body of a request. The head of this request is the
/// original head without its `Authorization` field, so TLS certificates, tenant fields and
/// addresses are still there.
///
/// ```
/// use tower_revocation::{Secret, client::{Basic, Credentials}};
///
/// fn is_known_client(credentials: &Credentials) -> bool {
///     match credentials {
///         // Form-decoded, as RFC 6749 §2.3.1 has it. In production, compare digests in constant time.
///         Credentials::Basic(basic) => basic.form_decoded().is_some_and(|(id, _secret)| id == "s6BhdRkqt3"),
///         _ => false,
///     }
/// }
/// let basic = Basic::new("s6BhdRkqt3:gX1fBat3bV").unwrap();
/// assert!(is_known_client(&Credentials::Basic(basic)));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credentials {
    /// `client_secret_basic`: the Authorization field (RFC 6749 §2.3.1, RFC 7617).
    Basic(Basic),
    /// `client_secret_post`: identifier and secret in the body.
    Post {
        /// As sent.
        client_id: String,
        /// As sent.
        client_secret: Secret,
    },
    /// `none`: a `client_id` in the body, without proof. Methods with a proof outside the body,
    /// such as a TLS certificate, also look like this.
    ClientId {
        /// As sent.
        client_id: String,
    },
    /// `private_key_jwt`, `client_secret_jwt` and other assertions (RFC 7521 §4.2).
    Assertion {
        /// As sent. May be absent, because the assertion names its client.
        client_id: Option<String>,
        /// The URN of the type of the assertion.
        client_assertion_type: String,
        /// The assertion, unverified.
        client_assertion: Secret,
    },
    /// `attest_jwt_client_auth`: at least one of the fields `OAuth-Client-Attestation` and
    /// `OAuth-Client-Attestation-PoP`, and no other method. The fields are still in the head.
    Attestation {
        /// As sent. May be absent, because the attestation names its client.
        client_id: Option<String>,
    },
}

impl Credentials {
    /// The request field with the attestation.
    pub const ATTESTATION: HeaderName = HeaderName::from_static("oauth-client-attestation");
    /// The request field with the proof of possession of the attested key.
    pub const ATTESTATION_POP: HeaderName = HeaderName::from_static("oauth-client-attestation-pop");
    /// The response field with the challenge for the next proof.
    pub const ATTESTATION_CHALLENGE: HeaderName =
        HeaderName::from_static("oauth-client-attestation-challenge");

    /// Sorts the credentials of a request as the revocation endpoint does.
    ///
    /// With this, the token endpoint and the introspection endpoint of a server can use the same
    /// authenticator. `form` is the unchanged body. The result is the request for the
    /// authenticator.
    ///
    /// ```
    /// use hyper::Request;
    /// use tower_revocation::client::Credentials;
    ///
    /// let form = b"grant_type=client_credentials&client_id=post-client&client_secret=p0st";
    /// let (head, ()) = Request::post("/oauth2/token").body(()).unwrap().into_parts();
    /// let request = Credentials::from_request(head, form).unwrap();
    /// assert!(matches!(request.body(), Credentials::Post { client_id, .. } if client_id == "post-client"));
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the form cannot be read, if there is
    /// more than one method (RFC 6749 §2.3), or if the identifiers differ.
    /// [`InvalidClient`](crate::ErrorKind::InvalidClient) if there is no method, or its credentials
    /// cannot be read.
    pub fn from_request(mut head: Parts, form: &[u8]) -> Result<Request<Self>, Error> {
        Authorization::at_most_one(&head.headers)?;
        let mut form = Form::parse(form)?;
        let credentials = Presented::take(&mut form, &mut head.headers).sort(false)?;
        Ok(Request::from_parts(head, credentials))
    }

    /// Returns the client that the credentials claim, for logs and limits. **It is not verified.**
    ///
    /// For an assertion without a `client_id` it is the subject of the assertion (feature `jwt`).
    /// An attestation is in the head: see [`claimed_by`](Self::claimed_by).
    #[must_use]
    pub fn claimed_client_id(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Basic(basic) => match basic.form_decoded() {
                Some((id, _)) => Some(Cow::Owned(id)),
                None => basic.raw().map(|(id, _)| Cow::Owned(id)),
            },
            Self::Post { client_id, .. } | Self::ClientId { client_id } => {
                Some(Cow::Borrowed(client_id))
            }
            Self::Assertion {
                client_id: None,
                client_assertion,
                ..
            } => claimed_subject(client_assertion).map(Cow::Owned),
            Self::Assertion { client_id, .. } | Self::Attestation { client_id } => {
                client_id.as_deref().map(Cow::Borrowed)
            }
        }
    }

    /// Returns the client that the credentials claim in a request with this head. **It is not
    /// verified.**
    ///
    /// It is the [`claimed_client_id`](Self::claimed_client_id), or else the subject of the
    /// attestation in the head (feature `attestation`). **A limit that ignores the attestation
    /// counts all attested clients of one address as one.**
    ///
    /// ```
    /// use hyper::HeaderMap;
    /// use tower_revocation::client::Credentials;
    ///
    /// let client_id = Some("app".to_owned());
    /// let credentials = Credentials::Attestation { client_id };
    /// assert_eq!(credentials.claimed_by(&HeaderMap::new()).as_deref(), Some("app"));
    /// ```
    #[must_use]
    pub fn claimed_by(&self, head: &HeaderMap) -> Option<Cow<'_, str>> {
        match self {
            Self::Attestation { client_id: None } => attested_subject(head).map(Cow::Owned),
            _ => self.claimed_client_id(),
        }
    }

    /// Whether the credentials may belong to one of these methods.
    pub(crate) fn could_be(&self, methods: AcceptedMethods) -> bool {
        let possible: &[_] = match self {
            Self::Basic(_) => &[AuthMethod::ClientSecretBasic],
            Self::Post { .. } => &[AuthMethod::ClientSecretPost],
            Self::ClientId { .. } => &[
                AuthMethod::None,
                AuthMethod::TlsClientAuth,
                AuthMethod::SelfSignedTlsClientAuth,
            ],
            Self::Assertion { .. } => &[AuthMethod::PrivateKeyJwt, AuthMethod::ClientSecretJwt],
            Self::Attestation { .. } => &[AuthMethod::AttestJwtClientAuth],
        };
        possible.iter().any(|method| methods.contains(*method))
    }
}

#[cfg(not(feature = "jwt"))]
fn claimed_subject(_: &Secret) -> Option<String> {
    None
}

#[cfg(not(feature = "attestation"))]
fn attested_subject(_: &HeaderMap) -> Option<String> {
    None
}
