//! Reads the header and the claims of an attestation and its proof.

use std::time::{Duration, SystemTime};

use hyper::{HeaderMap, header::HeaderName};

use super::{Attestations, invalid};
use crate::{
    client::{Credentials, Refusal},
    error::Error,
    jose::{Claim, Claims, Jwk, Jws},
};

/// Both must fit into the header fields of a request.
const MAX_LEN: usize = 16 * 1024;
/// No identifier needs more bytes.
const MAX_ID_LEN: usize = 256;

/// An attestation and its proof with valid claims. Their signatures are unverified.
#[derive(Debug)]
pub(crate) struct Attested<'a> {
    pub(super) attestation: Jws<'a>,
    pub(super) iss: Option<String>,
    pub(super) expires: SystemTime,
    pub(super) jti: String,
    /// The proof is too old at this time, even if the clocks differ.
    pub(super) until: SystemTime,
    proof: Jws<'a>,
    instance: Jwk,
    subject: String,
}

impl Attested<'_> {
    /// The client of the attestation.
    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    /// Whether the attested key has signed the proof.
    pub(super) fn is_signed_by_instance(&self) -> bool {
        let Self {
            proof, instance, ..
        } = self;
        instance.verify(proof.algorithm, proof.signing_input, &proof.signature)
    }

    pub(super) fn challenge(&self) -> Option<&str> {
        self.proof.claims.get("challenge")?.as_str()
    }
}

/// The claimed client of an unverified attestation.
pub(crate) fn attested_subject(headers: &HeaderMap) -> Option<String> {
    let attestation = one(headers, Credentials::ATTESTATION).ok()?;
    let jws = Jws::parse(attestation, MAX_LEN).ok()?;
    text(&jws.claims, "sub").map(str::to_owned)
}

impl Attestations {
    /// Checks everything that depends neither on a key of an attester nor on the client.
    ///
    /// # Errors
    ///
    /// Returns the refusal, or `invalid_request` if a field is missing or repeated.
    pub(crate) fn read<'a>(
        &self,
        headers: &'a HeaderMap,
        client_id: Option<&str>,
    ) -> Result<Attested<'a>, Error> {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let attestation = one(headers, Credentials::ATTESTATION)?;
        let proof = one(headers, Credentials::ATTESTATION_POP)?;

        let untrusted = || invalid(Refusal::UntrustedAttestation);
        let attestation = self
            .jws(attestation, "oauth-client-attestation+jwt")
            .ok_or_else(untrusted)?;
        let claims = &attestation.claims;
        let subject = text(claims, "sub").ok_or_else(untrusted)?.to_owned();
        if client_id.is_some_and(|client_id| client_id != subject) {
            return Err(invalid(Refusal::WrongSubject));
        }
        let iss = claims.text("iss").map_err(|_| untrusted())?;
        let iss = iss.map(str::to_owned);
        let expires = claims.get("exp").and_then(Claim::as_date);
        let expires = expires.ok_or_else(untrusted)?;
        if !self.is_not_in_the_future(claims, now) {
            return Err(untrusted());
        }
        // `jwk` must be a public key: a private key is refused (RFC 7800 §3.2).
        let instance = claims.get("cnf").and_then(|cnf| cnf.as_other()?.get("jwk"));
        let instance = instance.and_then(|jwk| Jwk::from_value(jwk).ok());
        let instance = instance.ok_or_else(untrusted)?;

        let bad = || invalid(Refusal::BadProof);
        let proof = self
            .jws(proof, "oauth-client-attestation-pop+jwt")
            .ok_or_else(bad)?;
        let claims = &proof.claims;
        let of_subject = |name| {
            claims
                .text(name)
                .is_ok_and(|it| it.is_none_or(|it| it == subject))
        };
        if !self.is_audience(claims) || !of_subject("iss") || !of_subject("sub") {
            return Err(bad());
        }
        let issued = claims.get("iat").and_then(Claim::as_date).ok_or_else(bad)?;
        let until = issued + self.max_age + self.skew;
        // Older drafts had `exp` instead of `iat`. If it is present, it counts too.
        let is_over = match claims.get("exp").map(Claim::as_date) {
            None => false,
            Some(exp) => exp.is_none_or(|exp| exp + self.skew <= now),
        };
        if until <= now || is_over || !self.is_not_in_the_future(claims, now) {
            return Err(bad());
        }
        let jti = text(claims, "jti").filter(|jti| jti.len() <= MAX_ID_LEN);
        let jti = jti.ok_or_else(bad)?.to_owned();
        Ok(Attested {
            iss,
            expires: SystemTime::UNIX_EPOCH + expires,
            jti,
            until: SystemTime::UNIX_EPOCH + until,
            instance,
            subject,
            attestation,
            proof,
        })
    }

    /// Parses a JWS of this type, with an accepted algorithm. The type separates attestations from
    /// proofs, and both from all other JWTs (RFC 8725 §3.11).
    fn jws<'a>(&self, compact: &'a str, typ: &str) -> Option<Jws<'a>> {
        let jws = Jws::parse(compact, MAX_LEN).ok()?;
        let is_of_type = jws.typ().is_some_and(|it| it.eq_ignore_ascii_case(typ));
        (is_of_type && self.algorithms.contains(&jws.algorithm)).then_some(jws)
    }

    /// Whether `aud` is the issuer, as a string or as the only element of an array.
    fn is_audience(&self, claims: &Claims) -> bool {
        let aud = claims.get("aud");
        let aud = aud.and_then(|aud| match aud {
            Claim::Text(aud) => Some(aud),
            Claim::Other(many) => match many.as_array()?.as_slice() {
                [aud] => aud.as_str(),
                _ => None,
            },
        });
        aud == Some(&*self.issuer)
    }

    /// Whether neither `iat` nor `nbf` is in the future.
    fn is_not_in_the_future(&self, claims: &Claims, now: Duration) -> bool {
        ["iat", "nbf"].into_iter().all(|name| {
            claims
                .get(name)
                .is_none_or(|date| date.as_date().is_some_and(|date| date <= now + self.skew))
        })
    }
}

/// Returns the field, which must occur exactly once.
fn one(headers: &HeaderMap, name: HeaderName) -> Result<&str, Error> {
    let mut fields = headers.get_all(name).iter();
    match (fields.next(), fields.next()) {
        // A value that is not ASCII cannot be a JWS.
        (Some(field), None) => Ok(field.to_str().unwrap_or_default()),
        _ => Err(Error::invalid_request(
            "The request needs one client attestation and one proof",
        )),
    }
}

fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name)?.as_str().filter(|text| !text.is_empty())
}
