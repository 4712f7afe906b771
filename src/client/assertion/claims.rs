//! What does an assertion say of itself?

use std::time::SystemTime;

use super::Assertions;
use crate::{
    client::{AuthMethod, Refusal},
    error::Error,
    jose::{Claims, Jws, JwsError},
    token::Secret,
};

/// The one type of assertion (RFC 7523 §2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The longest assertion, unless it is set.
pub(super) const LONGEST: usize = 16 * 1024;

/// Longer than any identifier has a reason to be.
const LONGEST_ID: usize = 256;

/// An assertion whose claims are in order. Nothing of it has been verified.
#[derive(Debug)]
pub(crate) struct Claimed<'a> {
    pub(super) jws: Jws<'a>,
    pub(super) jti: String,
    /// From then on it is out of time, whatever the clocks.
    pub(super) until: SystemTime,
    subject: String,
}

impl Claimed<'_> {
    /// The client that it says it is of.
    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    /// The method that its algorithm makes it.
    pub(crate) fn method(&self) -> AuthMethod {
        if self.jws.algorithm.is_hmac() {
            AuthMethod::ClientSecretJwt
        } else {
            AuthMethod::PrivateKeyJwt
        }
    }

    /// # Errors
    ///
    /// The refusal, if the request names another client (RFC 7521 §4.2).
    pub(crate) fn is_of(&self, client_id: Option<&str>) -> Result<(), Error> {
        match client_id {
            Some(client_id) if client_id != self.subject => {
                Err(Error::refused(Refusal::WrongSubject))
            }
            _ => Ok(()),
        }
    }
}

/// The subject of an assertion that nobody has believed, or judged.
pub(crate) fn claimed_subject(assertion: &Secret) -> Option<String> {
    let jws = Jws::parse(assertion.expose(), LONGEST).ok()?;
    text(&jws.claims, "sub").map(str::to_owned)
}

impl Assertions {
    /// Everything that can be judged without knowing the client.
    ///
    /// # Errors
    ///
    /// The refusal.
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
                "the audience of an assertion is one of {:?}",
                self.audience.expected()
            )));
        }
        let Some(until) = self.in_time(claims, SystemTime::now()) else {
            return refuse(Refusal::OutOfTime);
        };
        let Some(jti) = text(claims, "jti").filter(|jti| jti.len() <= LONGEST_ID) else {
            return refuse(Refusal::NoIdentifier);
        };
        Ok(Claimed {
            subject: sub.to_owned(),
            jti: jti.to_owned(),
            until,
            jws,
        })
    }

    /// Until when it can be used, if it can be now (RFC 7523 §3).
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

/// Whether a JWT of this type may authenticate a client: one made for another purpose may not (RFC
/// 8725 §3.11).
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
