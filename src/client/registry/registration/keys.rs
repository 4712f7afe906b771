//! The key members of a registration.

use super::Reason;
use crate::{
    client::{AuthMethod, registry::Client},
    jose::{Algorithm, KeySet, Keys},
};

/// The members about signatures.
pub(super) struct KeyMembers {
    pub(super) signing_alg: Option<String>,
    pub(super) signing_algs: Option<Vec<String>>,
    pub(super) jwks: Option<KeySet>,
    pub(super) jwks_uri: Option<String>,
}

impl KeyMembers {
    pub(super) fn register(self, client: &mut Client) -> Result<(), Reason> {
        client.keys = match (self.jwks, self.jwks_uri) {
            (None, None) => None,
            (Some(keys), None) => Some(Keys::Set(keys)),
            (None, Some(uri)) => {
                Some(Keys::from_client_uri(&uri).map_err(|error| error.to_string())?)
            }
            // RFC 7591 §2
            (Some(_), Some(_)) => return Err("there is a jwks and a jwks_uri".into()),
        };
        client.signing_algs = algorithms(self.signing_alg, self.signing_algs)?;

        let has = |method| client.token_endpoint_auth_methods.contains(&method);
        let needs_keys = [
            AuthMethod::PrivateKeyJwt,
            AuthMethod::SelfSignedTlsClientAuth,
        ];
        if client.keys.is_none() && needs_keys.into_iter().any(has) {
            return Err("the method needs jwks or jwks_uri".into());
        }
        // A client that may only use algorithms of the other method could never authenticate.
        let signs = |hmac| {
            let algorithms = &client.signing_algs;
            algorithms.is_empty() || algorithms.iter().any(|alg| alg.is_hmac() == hmac)
        };
        if has(AuthMethod::PrivateKeyJwt) && !signs(false) {
            return Err("private_key_jwt needs a public-key algorithm".into());
        }
        if has(AuthMethod::ClientSecretJwt) && !signs(true) {
            return Err("client_secret_jwt needs an HMAC algorithm".into());
        }
        if has(AuthMethod::ClientSecretJwt) {
            return shared_secrets(client);
        }
        // Do not keep secrets that no method computes with.
        for secret in client.secrets.iter_mut().flatten() {
            secret.hmac_key = None;
        }
        Ok(())
    }
}

/// RFC 7518 §3.2: if a secret is shorter than the hash, it can be guessed from a signature.
fn shared_secrets(client: &Client) -> Result<(), Reason> {
    let mut algorithms = client.signing_algs.clone();
    algorithms.retain(|algorithm| algorithm.is_hmac());
    if algorithms.is_empty() {
        algorithms.push(Algorithm::Hs256);
    }
    for secret in client.secrets.iter().flatten() {
        match &secret.hmac_key {
            None => {
                return Err("client_secret_jwt needs the secret, not a digest of it".into());
            }
            Some(key) if !algorithms.iter().all(|algorithm| key.admits(*algorithm)) => {
                return Err("the secret is too short for its algorithm".into());
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn algorithms(one: Option<String>, list: Option<Vec<String>>) -> Result<Vec<Algorithm>, Reason> {
    let names = match (one, list) {
        (None, None) => return Ok(Vec::new()),
        (Some(one), None) => vec![one],
        (None, Some(list)) => list,
        (Some(one), Some(list)) if list.contains(&one) => list,
        (Some(_), Some(_)) => {
            return Err(
                "token_endpoint_auth_signing_alg is not among token_endpoint_auth_signing_algs"
                    .into(),
            );
        }
    };
    if names.is_empty() {
        return Err("token_endpoint_auth_signing_algs is empty".into());
    }
    // An unknown name would leave the client without an algorithm, and `none` would admit it
    // without a signature.
    names
        .iter()
        .map(|name| name.parse())
        .collect::<Result<_, _>>()
        .map_err(|_| "the signing algorithm is not supported".into())
}
