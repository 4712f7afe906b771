//! Has the issuer signed the answer (RFC 9701)?

use std::time::Duration;

use serde_json::{Map, Value};

use super::{UpstreamError, request::MAX_SIZE};
use crate::{
    jose::{Claim, Jws, KeySet},
    log::NumericDate,
};

/// How far the clocks may be apart, and an answer under way.
const LEEWAY: Duration = Duration::from_secs(60);

/// Who signs answers, and for whom.
#[derive(Clone)]
pub(super) struct Signed {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) keys: KeySet,
}

impl Signed {
    /// The answer in a JWT, once everything about the JWT has been verified (RFC 9701 §5).
    pub(super) fn verified(
        &self,
        jwt: &[u8],
        now: NumericDate,
    ) -> Result<Map<String, Value>, UpstreamError> {
        let jws = std::str::from_utf8(jwt).ok();
        let jws = jws.and_then(|jwt| Jws::parse(jwt, MAX_SIZE).ok());
        let jws = jws.ok_or(UpstreamError::malformed("the answer is no JWT"))?;
        if !jws.typ().is_some_and(is_introspection) {
            return Err(UpstreamError::malformed(
                "the answer is a JWT of another type",
            ));
        }
        if jws.claims.text("iss") != Ok(Some(&self.issuer)) {
            return Err(UpstreamError::malformed("the answer is another issuer's"));
        }
        if !jws.claims.get("aud").is_some_and(|aud| self.is_for_us(aud)) {
            return Err(UpstreamError::malformed(
                "the answer is for another audience",
            ));
        }
        let mut keys = self.keys.candidates(jws.kid(), jws.algorithm);
        if !keys.any(|key| key.verify(jws.algorithm, jws.signing_input, &jws.signature)) {
            return Err(UpstreamError::malformed(
                "the answer is not signed by its issuer",
            ));
        }
        let iat = jws.claims.get("iat").and_then(Claim::as_date);
        let iat = iat.map(|iat| NumericDate::new(iat.as_secs()));
        if !iat.is_some_and(|iat| iat + LEEWAY >= now && iat <= now + LEEWAY) {
            return Err(UpstreamError::malformed("the answer is not of this moment"));
        }
        match jws.claims.get("token_introspection") {
            Some(Claim::Other(Value::Object(answer))) => Ok(answer.clone()),
            _ => Err(UpstreamError::malformed("the JWT has no answer in it")),
        }
    }

    fn is_for_us(&self, aud: Claim<'_>) -> bool {
        match aud {
            Claim::Text(aud) => aud == self.audience,
            Claim::Other(Value::Array(many)) => {
                many.iter().any(|aud| *aud == self.audience.as_str())
            }
            Claim::Other(_) => false,
        }
    }
}

/// Whether a JWT of this type may be an answer: one made for another purpose may not (RFC 8725
/// §3.11).
fn is_introspection(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    typ.strip_prefix("application/").unwrap_or(&typ) == "token-introspection+jwt"
}
