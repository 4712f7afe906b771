//! Reads the header and the claims of an assertion.

use std::time::SystemTime;

use super::Assertions;
use crate::{
    client::{AuthMethod, Refusal},
    error::Error,
    jose::{Claims, Jws, JwsError},
    token::Secret,
};

/// The only supported type of assertion (RFC 7523 §2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The default limit of an assertion.
pub(super) const MAX_LEN: usize = 16 * 1024;

/// No identifier needs more bytes.
const MAX_ID_LEN: usize = 256;

/// An assertion with valid claims and an unverified signature.
#[derive(Debug)]
pub(crate) struct Claimed<'a> {
    pub(super) jws: Jws<'a>,
    pub(super) jti: String,
    /// The assertion has expired at this time, even if the clocks differ.
    pub(super) until: SystemTime,
    subject: String,
}

impl Claimed<'_> {
    /// The claimed client.
    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    /// The method that the algorithm belongs to.
    pub(crate) fn method(&self) -> AuthMethod {
        if self.jws.algorithm.is_hmac() {
            AuthMethod::ClientSecretJwt
        } else {
            AuthMethod::PrivateKeyJwt
        }
    }

    /// # Errors
    ///
    /// Refuses if the request names another client (RFC 7521 §4.2).
    pub(crate) fn is_of(&self, client_id: Option<&str>) -> Result<(), Error> {
        match client_id {
            Some(client_id) if client_id != self.subject => {
                Err(Error::refused(Refusal::WrongSubject))
            }
            _ => Ok(()),
        }
    }
}

/// The claimed client of an unverified assertion.
pub(crate) fn claimed_subject(assertion: &Secret) -> Option<String> {
    let jws = Jws::parse(assertion.expose(), MAX_LEN).ok()?;
    text(&jws.claims, "sub").map(str::to_owned)
}

impl Assertions {
    /// Checks everything that does not depend on the client.
    ///
    /// # Errors
    ///
    /// Returns the refusal.
    pub(crate) fn read<'a>(
        &self,
        assertion_type: &str,
        assertion: &'a Secret,
    ) -> Result<Claimed<'a>, Error> {
        let refuse = |refusal| Err(Error::refused(refusal));
        if assertion_type != JWT_BEARER {
            return refuse(Refusal::MalformedAssertion);
        }
        let jws = Jws::parse(assertion.expose(), self.max_size).map_err(|error| match error {
            JwsError::Malformed | JwsError::Unsupported => {
                Error::refused(Refusal::MalformedAssertion)
            }
            JwsError::Algorithm => Error::refused(Refusal::AlgorithmNotAllowed),
        })?;
        if !is_client_authentication(jws.typ()) {
            return refuse(Refusal::MalformedAssertion);
        }
        if !self.algorithms.contains(&jws.algorithm) {
            return refuse(Refusal::AlgorithmNotAllowed);
        }

        let claims = &jws.claims;
        let (Some(iss), Some(sub)) = (text(claims, "iss"), text(claims, "sub")) else {
            return refuse(Refusal::WrongSubject);
        };
        if iss != sub {
            return refuse(Refusal::WrongSubject);
        }
        if !claims
            .get("aud")
            .is_some_and(|aud| self.audience.admits(aud))
        {
            return Err(Error::refused(Refusal::WrongAudience).caused_by(format!(
                "the audience must be one of {:?}",
                self.audience.expected()
            )));
        }
        let Some(until) = self.in_time(claims, SystemTime::now()) else {
            return refuse(Refusal::OutOfTime);
        };
        let Some(jti) = text(claims, "jti").filter(|jti| jti.len() <= MAX_ID_LEN) else {
            return refuse(Refusal::NoIdentifier);
        };
        Ok(Claimed {
            subject: sub.to_owned(),
            jti: jti.to_owned(),
            until,
            jws,
        })
    }

    /// Until when the assertion is valid, or `None` if it is not valid now (RFC 7523 §3).
    fn in_time(&self, claims: &Claims, now: SystemTime) -> Option<SystemTime> {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let exp = claims.get("exp")?.as_date()?;
        if exp + self.skew <= now || exp > now + self.max_lifetime + self.skew {
            return None;
        }
        for name in ["nbf", "iat"] {
            if let Some(value) = claims.get(name) {
                if value.as_date()? > now + self.skew {
                    return None;
                }
            }
        }
        if let Some(max_age) = self.max_age {
            if claims.get("iat")?.as_date()? + max_age + self.skew < now {
                return None;
            }
        }
        Some(SystemTime::UNIX_EPOCH + exp + self.skew)
    }
}

/// Whether a JWT of this type may authenticate a client. A JWT that was made for another purpose
/// may not (RFC 8725 §3.11).
fn is_client_authentication(typ: Option<&str>) -> bool {
    typ.is_none_or(|typ| {
        let typ = typ.to_ascii_lowercase();
        let typ = typ.strip_prefix("application/").unwrap_or(&typ);
        matches!(typ, "jwt" | "client-authentication+jwt")
    })
}

fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name)?.as_str().filter(|text| !text.is_empty())
}
