//! Signed responses (RFC 9701).

use std::time::Duration;

use serde_json::{Map, Value};

use super::{UpstreamError, limits::MAX_RESPONSE};
use crate::{
    jose::{Claim, Jws, KeySet},
    log::NumericDate,
};

/// How far `iat` may be from now: clocks differ, and a response takes time to arrive.
const LEEWAY: Duration = Duration::from_secs(60);

/// Who signs responses, and for which audience.
#[derive(Clone)]
pub(super) struct Signer {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) keys: KeySet,
}

impl Signer {
    /// Verifies the JWT and returns the members of the response in it (RFC 9701 §5).
    pub(super) fn verify(
        &self,
        jwt: &[u8],
        now: NumericDate,
    ) -> Result<Map<String, Value>, UpstreamError> {
        let jws = std::str::from_utf8(jwt).ok();
        let jws = jws.and_then(|jwt| Jws::parse(jwt, MAX_RESPONSE).ok());
        let jws = jws.ok_or(UpstreamError::malformed("the response is not a JWT"))?;
        if !jws.typ().is_some_and(is_introspection) {
            return Err(UpstreamError::malformed(
                "the response is a JWT of another type",
            ));
        }
        if jws.claims.text("iss") != Ok(Some(&self.issuer)) {
            return Err(UpstreamError::malformed(
                "the response is from another issuer",
            ));
        }
        if !jws
            .claims
            .get("aud")
            .is_some_and(|aud| self.is_audience(aud))
        {
            return Err(UpstreamError::malformed(
                "the response is for another audience",
            ));
        }
        let mut keys = self.keys.candidates(jws.kid(), jws.algorithm);
        if !keys.any(|key| key.verify(jws.algorithm, jws.signing_input, &jws.signature)) {
            return Err(UpstreamError::malformed(
                "the response is not signed by its issuer",
            ));
        }
        let iat = jws.claims.get("iat").and_then(Claim::as_date);
        let iat = iat.map(|iat| NumericDate::new(iat.as_secs()));
        if !iat.is_some_and(|iat| iat + LEEWAY >= now && iat <= now + LEEWAY) {
            return Err(UpstreamError::malformed(
                "the `iat` of the response is not within a minute of now",
            ));
        }
        match jws.claims.get("token_introspection") {
            Some(Claim::Other(Value::Object(members))) => Ok(members.clone()),
            _ => Err(UpstreamError::malformed(
                "the JWT has no `token_introspection` object",
            )),
        }
    }

    fn is_audience(&self, aud: Claim<'_>) -> bool {
        match aud {
            Claim::Text(aud) => aud == self.audience,
            Claim::Other(Value::Array(many)) => {
                many.iter().any(|aud| *aud == self.audience.as_str())
            }
            Claim::Other(_) => false,
        }
    }
}

/// Whether a JWT with this `typ` is an introspection response. A JWT that was made for another
/// purpose is not accepted (RFC 8725 §3.11).
fn is_introspection(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    typ.strip_prefix("application/").unwrap_or(&typ) == "token-introspection+jwt"
}
