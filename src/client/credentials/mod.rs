//! Everything that a request presents to say who it comes from, in one total match.

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

/// What a client presented, sorted but not yet believed.
///
/// It reaches the authenticator as the body of the request, whose head is the one that came in,
/// less its `Authorization` field: TLS certificates, tenant fields and addresses are still there.
///
/// ```
/// use tower_revocation::{Secret, client::{Basic, Credentials}};
///
/// fn is_the_one_client(credentials: &Credentials) -> bool {
///     match credentials {
///         // Form-decoded, as RFC 6749 §2.3.1 has it. Compare digests in constant time in earnest.
///         Credentials::Basic(basic) => basic.form_decoded().is_some_and(|(id, _secret)| id == "s6BhdRkqt3"),
///         _ => false,
///     }
/// }
/// let basic = Basic::new("s6BhdRkqt3:gX1fBat3bV").unwrap();
/// assert!(is_the_one_client(&Credentials::Basic(basic)));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credentials {
    /// `client_secret_basic`: the Authorization field (RFC 6749 §2.3.1, RFC 7617).
    Basic(Basic),
    /// `client_secret_post`: both in the body.
    Post {
        /// As sent.
        client_id: String,
        /// As sent.
        client_secret: Secret,
    },
    /// `none`: a `client_id` in the body and nothing that proves it. Methods that prove it by
    /// something outside the body, such as a TLS certificate, look like this too.
    ClientId {
        /// As sent.
        client_id: String,
    },
    /// `private_key_jwt`, `client_secret_jwt` and other assertions (RFC 7521 §4.2).
    Assertion {
        /// As sent, if it was: the assertion names its client itself.
        client_id: Option<String>,
        /// The URN that says what kind of assertion it is.
        client_assertion_type: String,
        /// The assertion, unverified.
        client_assertion: Secret,
    },
    /// `attest_jwt_client_auth`: at least one of the fields `OAuth-Client-Attestation` and
    /// `OAuth-Client-Attestation-PoP`, which are still in the head, and no other method.
    Attestation {
        /// As sent, if it was: the attestation names its client itself.
        client_id: Option<String>,
    },
}

impl Credentials {
    /// The field that holds an attestation.
    pub const ATTESTATION: HeaderName = HeaderName::from_static("oauth-client-attestation");
    /// The field that holds the proof of possession of the attested key.
    pub const ATTESTATION_POP: HeaderName = HeaderName::from_static("oauth-client-attestation-pop");
    /// The field of an answer that holds the challenge for the next proof.
    pub const ATTESTATION_CHALLENGE: HeaderName =
        HeaderName::from_static("oauth-client-attestation-challenge");

    /// Sorts what a request presents, as the revocation endpoint does, for a server's other
    /// endpoints: its token endpoint and its introspection endpoint can share the authenticator
    /// too.
    ///
    /// `form` is the body, as it came in. What comes out is what the authenticator takes.
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
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a form that cannot be read, for more than
    /// one method (RFC 6749 §2.3) and for identities that differ;
    /// [`InvalidClient`](crate::ErrorKind::InvalidClient) for no method, and for one that cannot be read.
    pub fn from_request(mut head: Parts, form: &[u8]) -> Result<Request<Self>, Error> {
        Authorization::at_most_one(&head.headers)?;
        let mut form = Form::parse(form)?;
        let credentials = Presented::take(&mut form, &mut head.headers).sort(false)?;
        Ok(Request::from_parts(head, credentials))
    }

    /// The client that the credentials speak of, for logs and limits: nothing of it has been
    /// verified. Of an assertion that comes without a `client_id` it is the subject, with the
    /// feature `jwt`. An attestation stands in the head: see [`claimed_by`](Self::claimed_by).
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

    /// The client that the credentials speak of in a request with this head: nothing of it has been
    /// verified.
    ///
    /// It is [`claimed_client_id`](Self::claimed_client_id), or else the subject of the attestation
    /// in the head, with the feature `attestation`. **A limit that counts by less counts all clients
    /// of one address together.**
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

    /// Whether one of these methods could be the one that was used.
    pub(crate) fn could_be(&self, methods: &AcceptedMethods) -> bool {
        methods.as_slice().iter().any(|method| {
            matches!(
                (self, method),
                (Self::Basic(_), AuthMethod::ClientSecretBasic)
                    | (Self::Post { .. }, AuthMethod::ClientSecretPost)
                    | (
                        Self::ClientId { .. },
                        AuthMethod::None
                            | AuthMethod::TlsClientAuth
                            | AuthMethod::SelfSignedTlsClientAuth
                    )
                    | (
                        Self::Assertion { .. },
                        AuthMethod::PrivateKeyJwt | AuthMethod::ClientSecretJwt
                    )
                    | (Self::Attestation { .. }, AuthMethod::AttestJwtClientAuth)
            )
        })
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
