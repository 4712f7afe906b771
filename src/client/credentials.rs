//! Everything that a request presents to say who it comes from, in one total match.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{
    HeaderMap, Request,
    header::{self, HeaderName, HeaderValue},
    http::request::Parts,
};

#[cfg(feature = "jwt")]
use super::assertion::claimed_subject;
#[cfg(feature = "attestation")]
use super::attestation::attested_subject;
use super::{AcceptedMethods, AuthMethod, Basic, Refusal};
use crate::{ask::Ask, error::Error, form::Form, token::Secret};

/// Longer than any client's identifier and secret.
const MAX_AUTHORIZATION: usize = 8 * 1024;

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

/// What the Authorization field said (RFC 9110 §11.6.2).
#[derive(Debug)]
pub(crate) enum Authorization {
    Absent,
    /// `Bearer` and `DPoP` do not authenticate a client; interceptors add them to every request.
    NotAboutClients,
    Basic(Basic),
    /// A scheme that is not offered, or one that could not be read.
    Unreadable,
}

impl Authorization {
    /// # Errors
    ///
    /// `invalid_request` for more than one field: no one could say which of them counts.
    pub(crate) fn at_most_one(headers: &HeaderMap) -> Result<(), Error> {
        match headers.get_all(header::AUTHORIZATION).iter().nth(1) {
            Some(_) => Err(Error::invalid_request(
                "There is more than one Authorization field",
            )),
            None => Ok(()),
        }
    }

    fn of(headers: &HeaderMap) -> Self {
        headers
            .get(header::AUTHORIZATION)
            .map_or(Self::Absent, Self::parse)
    }

    /// Takes the field out of the head.
    pub(crate) fn take(headers: &mut HeaderMap) -> Self {
        let authorization = Self::of(headers);
        headers.remove(header::AUTHORIZATION);
        authorization
    }

    fn parse(value: &HeaderValue) -> Self {
        let value = value.as_bytes();
        let (scheme, rest) = match value.iter().position(|&octet| octet == b' ') {
            Some(space) => value.split_at(space),
            None => (value, &value[value.len()..]),
        };
        if scheme.eq_ignore_ascii_case(b"bearer") || scheme.eq_ignore_ascii_case(b"dpop") {
            return Self::NotAboutClients;
        }
        if !scheme.eq_ignore_ascii_case(b"basic") || value.len() > MAX_AUTHORIZATION {
            return Self::Unreadable;
        }
        let spaces = rest.iter().take_while(|&&octet| octet == b' ').count();
        STANDARD
            .decode(&rest[spaces..])
            .ok()
            .and_then(|octets| String::from_utf8(octets).ok())
            .and_then(Basic::new)
            .map_or(Self::Unreadable, Self::Basic)
    }

    /// Whether the peer used the field, and so is owed a challenge (RFC 6749 §5.2).
    pub(crate) fn was_used(&self) -> bool {
        !matches!(self, Self::Absent)
    }
}

/// Whether there is an attestation, or a part of one. From now on they are not printed.
fn attested(headers: &mut HeaderMap) -> bool {
    let mut attested = false;
    for name in [Credentials::ATTESTATION, Credentials::ATTESTATION_POP] {
        if let header::Entry::Occupied(mut field) = headers.entry(name) {
            field.iter_mut().for_each(|value| value.set_sensitive(true));
            attested = true;
        }
    }
    attested
}

/// The service that authenticates clients, see [`Ask`].
pub(crate) type Authenticator<A, C, F> = Ask<A, Request<Credentials>, F, Option<C>>;

/// Everything that a request presents to authenticate its client.
#[derive(Debug)]
pub(crate) struct Presented {
    pub(crate) authorization: Authorization,
    /// Whether there is a field about an attestation.
    pub(crate) attested: bool,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) client_assertion: Option<Secret>,
    pub(crate) client_assertion_type: Option<String>,
}

impl Presented {
    /// Takes the credentials out of the form and the Authorization field out of the head.
    pub(crate) fn take(form: &mut Form, headers: &mut HeaderMap) -> Self {
        Self {
            authorization: Authorization::take(headers),
            attested: attested(headers),
            client_id: form.client_id.take(),
            client_secret: form.client_secret.take(),
            client_assertion: form.client_assertion.take(),
            client_assertion_type: form.client_assertion_type.take(),
        }
    }

    /// The one method that was used.
    ///
    /// # Errors
    ///
    /// `invalid_request` for more than one method (RFC 6749 §2.3) and for identities that differ;
    /// `invalid_client` for none, and for one that cannot be read. With `lenient`, one client and
    /// secret sent twice is one method.
    pub(crate) fn sort(self, lenient: bool) -> Result<Credentials, Error> {
        let Self {
            authorization,
            attested,
            client_id,
            client_secret,
            client_assertion,
            client_assertion_type,
        } = self;
        match (authorization, client_id, client_secret, client_assertion) {
            (Authorization::Basic(basic), Some(client_id), Some(client_secret), None)
                if lenient && basic.repeats(&client_id, &client_secret) =>
            {
                Ok(Credentials::Basic(basic.beside(client_id)))
            }
            (_, _, Some(_), Some(_))
            | (Authorization::Basic(_) | Authorization::Unreadable, _, Some(_), None)
            | (Authorization::Basic(_) | Authorization::Unreadable, _, None, Some(_)) => Err(
                Error::invalid_request("More than one client authentication method is used"),
            ),
            (Authorization::Basic(basic), Some(client_id), None, None) => {
                if basic.contradicts(&client_id) {
                    return Err(Error::invalid_request("The client is named in two ways"));
                }
                Ok(Credentials::Basic(basic.beside(client_id)))
            }
            (Authorization::Basic(basic), None, None, None) => Ok(Credentials::Basic(basic)),
            (
                Authorization::Absent | Authorization::NotAboutClients,
                client_id,
                None,
                Some(client_assertion),
            ) => Ok(Credentials::Assertion {
                client_id,
                client_assertion_type: client_assertion_type.ok_or_else(invalid_client)?,
                client_assertion,
            }),
            (
                Authorization::Absent | Authorization::NotAboutClients,
                Some(client_id),
                Some(client_secret),
                None,
            ) => Ok(Credentials::Post {
                client_id,
                client_secret,
            }),
            // Beside another method an attestation may say more about the client; it is not what
            // authenticates it.
            (Authorization::Absent | Authorization::NotAboutClients, client_id, None, None)
                if attested =>
            {
                Ok(Credentials::Attestation { client_id })
            }
            (
                Authorization::Absent | Authorization::NotAboutClients,
                Some(client_id),
                None,
                None,
            ) => Ok(Credentials::ClientId { client_id }),
            (Authorization::Unreadable, _, None, None)
            | (Authorization::Absent | Authorization::NotAboutClients, None, _, None) => {
                Err(invalid_client())
            }
        }
    }
}

fn invalid_client() -> Error {
    Error::refused(Refusal::NoCredentials)
}
