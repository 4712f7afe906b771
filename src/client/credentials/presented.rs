//! Sorts the credentials of a request by method, in one total match.

use hyper::{HeaderMap, header};

use super::{Authorization, Credentials};
use crate::{client::Refusal, error::Error, form::Form, token::Secret};

/// Everything that a request presents to authenticate its client.
#[derive(Debug)]
pub(crate) struct Presented {
    pub(crate) authorization: Authorization,
    /// Whether the head has an attestation, or a part of one.
    pub(crate) attested: bool,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) client_assertion: Option<Secret>,
    pub(crate) client_assertion_type: Option<String>,
}

impl Presented {
    /// Takes the credentials out of the form, and the Authorization field out of the head.
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

    /// Returns the credentials of the only method.
    ///
    /// With `lenient`, sending the same client and secret twice counts as one method.
    ///
    /// # Errors
    ///
    /// `invalid_request` if there is more than one method (RFC 6749 §2.3), or if the identifiers
    /// differ. `invalid_client` if there is no method, or its credentials cannot be read.
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
                Ok(Credentials::Basic(basic.with_body_client_id(client_id)))
            }
            (_, _, Some(_), Some(_))
            | (Authorization::Basic(_) | Authorization::Unreadable, _, Some(_), None)
            | (Authorization::Basic(_) | Authorization::Unreadable, _, None, Some(_)) => Err(
                Error::invalid_request("More than one client authentication method is used"),
            ),
            (Authorization::Basic(basic), Some(client_id), None, None) => {
                if basic.contradicts(&client_id) {
                    return Err(Error::invalid_request("The client identifiers differ"));
                }
                Ok(Credentials::Basic(basic.with_body_client_id(client_id)))
            }
            (Authorization::Basic(basic), None, None, None) => Ok(Credentials::Basic(basic)),
            (
                Authorization::Absent | Authorization::NotForClients,
                client_id,
                None,
                Some(client_assertion),
            ) => Ok(Credentials::Assertion {
                client_id,
                client_assertion_type: client_assertion_type.ok_or_else(invalid_client)?,
                client_assertion,
            }),
            (
                Authorization::Absent | Authorization::NotForClients,
                Some(client_id),
                Some(client_secret),
                None,
            ) => Ok(Credentials::Post {
                client_id,
                client_secret,
            }),
            // Beside another method, an attestation may add information, but does not authenticate
            // the client.
            (Authorization::Absent | Authorization::NotForClients, client_id, None, None)
                if attested =>
            {
                Ok(Credentials::Attestation { client_id })
            }
            (Authorization::Absent | Authorization::NotForClients, Some(client_id), None, None) => {
                Ok(Credentials::ClientId { client_id })
            }
            (Authorization::Unreadable, _, None, None)
            | (Authorization::Absent | Authorization::NotForClients, None, _, None) => {
                Err(invalid_client())
            }
        }
    }
}

fn invalid_client() -> Error {
    Error::refused(Refusal::NoCredentials)
}

/// Whether there is an attestation, or a part of one. Marks the fields as sensitive, so that they
/// are not printed.
fn attested(headers: &mut HeaderMap) -> bool {
    let names = [Credentials::ATTESTATION, Credentials::ATTESTATION_POP];
    // Most requests have few fields and neither of these, whose hashes take longer than this. And
    // `entry` makes room for a field, also if it is not used.
    if !headers.keys().any(|name| names.contains(name)) {
        return false;
    }
    let mut attested = false;
    for name in names {
        if !headers.contains_key(&name) {
            continue;
        }
        if let header::Entry::Occupied(mut field) = headers.entry(name) {
            field.iter_mut().for_each(|value| value.set_sensitive(true));
            attested = true;
        }
    }
    attested
}
