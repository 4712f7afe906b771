//! JWT access tokens (RFC 9068), signed with ES256.

use std::{error::Error, sync::Arc};

use aws_lc_rs::{
    error::Unspecified,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use axum::{Json, extract::State};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rcgen::KeyPair;
use serde_json::{Value, json};
use tower_revocation::{
    Secret,
    introspect::{
        issued::Grant,
        jwt::{Audience, Dialect, JwtTokens},
    },
    jose::{Algorithm, KeySet},
    log::NumericDate,
};

use crate::{
    keys::public_jwk,
    server::{ACCESS_TOKEN_LIFETIME, Server},
};

/// The claim that names the grant, so that a JWT ends together with its refresh token. It is a
/// private claim of this server (RFC 7519 §4.3).
const GRANT: &str = "grant";

pub(crate) struct Signer {
    issuer: Arc<str>,
    /// The only resource server is this server itself.
    audience: String,
    key: EcdsaKeyPair,
    kid: String,
    jwks: Value,
}

impl Signer {
    /// Takes a private key in PKCS#8.
    pub(crate) fn new(issuer: &str, pem: &str) -> Result<Self, Box<dyn Error>> {
        let pair = KeyPair::from_pem(pem)?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pair.serialized_der());
        let mut jwk = public_jwk(&pair)?;
        jwk["use"] = "sig".into();
        jwk["alg"] = "ES256".into();
        // The thumbprint is the `kid` (RFC 7638), so another key has another `kid`.
        let keys = KeySet::from_json(&json!({ "keys": [jwk] }).to_string())?;
        let kid = keys.iter().next().ok_or("there is no key")?.thumbprint();
        let kid = URL_SAFE_NO_PAD.encode(kid);
        jwk["kid"] = kid.as_str().into();
        Ok(Self {
            issuer: issuer.into(),
            audience: format!("{issuer}/api"),
            key: key?,
            kid,
            jwks: json!({ "keys": [jwk] }),
        })
    }

    /// The introspection of the tokens that this signer signs.
    pub(crate) fn introspection(&self) -> Result<JwtTokens, Box<dyn Error>> {
        let keys = KeySet::from_json(&self.jwks.to_string())?;
        let audience = Audience::any_of([&self.audience]);
        Ok(JwtTokens::new(&*self.issuer, keys, audience)
            .dialect(Dialect::rfc9068().grant(GRANT))
            .algorithms([Algorithm::Es256])
            .longest_lifetime(ACCESS_TOKEN_LIFETIME))
    }

    /// Signs a token of this grant. Returns it with its expiry. `iat` does not come from the clock
    /// alone: see
    /// [`IssuedTokens::earliest_iat`](tower_revocation::introspect::issued::IssuedTokens).
    pub(crate) fn sign(
        &self,
        grant: &Grant,
        iat: NumericDate,
    ) -> Result<(Secret, NumericDate), Unspecified> {
        let exp = iat + ACCESS_TOKEN_LIFETIME;
        let header = json!({ "typ": "at+jwt", "alg": "ES256", "kid": self.kid });
        let mut claims = json!({
            "iss": &*self.issuer,
            // A client that acts on its own behalf is the subject (RFC 9068 §2.2).
            "sub": grant.sub.as_ref().unwrap_or(&grant.client_id),
            "aud": self.audience,
            "client_id": grant.client_id,
            "iat": iat.seconds(),
            "exp": exp.seconds(),
            // As random as the identifier of a grant.
            "jti": Grant::random("").id,
            GRANT: grant.id,
        });
        if let Some(scope) = &grant.scope {
            claims["scope"] = scope.as_str().into();
        }
        let encode = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes())?;
        let signature = URL_SAFE_NO_PAD.encode(signature);
        Ok((Secret::new(format!("{signed}.{signature}")), exp))
    }
}

/// `/oauth2/jwks`: the public key that verifies the tokens (RFC 7517 §5).
pub(crate) async fn jwks(State(server): State<Server>) -> Json<Value> {
    Json(server.signer.jwks.clone())
}
