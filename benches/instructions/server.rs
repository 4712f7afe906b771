//! The store for both revocations: one registered client, and tokens in memory.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, header};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tower_revocation::Outcome;

pub(crate) const PATH: &str = "/oauth2/revoke";

#[derive(Clone)]
pub(crate) struct Server {
    /// Digests of secrets by client identifier.
    clients: Arc<HashMap<String, [u8; 32]>>,
    /// Owners by digest of the token.
    tokens: Arc<Mutex<HashMap<[u8; 32], String>>>,
}

impl Server {
    /// Two tokens: one for the warm-up, one for the measurement.
    pub(crate) fn new() -> Self {
        let owned = |token: &str| (digest(token), "s6BhdRkqt3".to_owned());
        Self {
            clients: Arc::new(HashMap::from([(
                "s6BhdRkqt3".to_owned(),
                digest("7Fjfp0ZBr1KtDRbnfVdmIw"),
            )])),
            tokens: Arc::new(Mutex::new(HashMap::from([
                owned("WqLhwBbLJkUV1xJpbZjLmn5EjFe0s2hYyNq0rTjmnXc"),
                owned("45ghiukldjahdnhzdauzM2v0bZq8sVbXcR1yTt5wEiA"),
            ]))),
        }
    }

    pub(crate) fn knows(&self, client_id: &str, secret: &str) -> bool {
        let kept = self.clients.get(client_id);
        // Equal work for an unknown client.
        let same = kept.unwrap_or(&[0; 32]).ct_eq(&digest(secret));
        bool::from(same) && kept.is_some()
    }

    pub(crate) fn revoke(&self, client_id: &str, token: &str) -> Outcome {
        let digest = digest(token);
        let mut tokens = self.tokens.lock().expect("no test panics here");
        match tokens.get(&digest) {
            Some(owner) if owner == client_id => {
                tokens.remove(&digest);
                Outcome::Revoked
            }
            Some(_) => Outcome::IssuedToAnother,
            None => Outcome::NotFound,
        }
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// Revokes one of the two tokens.
pub(crate) fn warm_up() -> Request<Full<Bytes>> {
    revocation("WqLhwBbLJkUV1xJpbZjLmn5EjFe0s2hYyNq0rTjmnXc")
}

/// Revokes the other.
pub(crate) fn measured() -> Request<Full<Bytes>> {
    revocation("45ghiukldjahdnhzdauzM2v0bZq8sVbXcR1yTt5wEiA")
}

fn revocation(token: &str) -> Request<Full<Bytes>> {
    let body = format!("token={token}&token_type_hint=refresh_token&client_id=s6BhdRkqt3");
    Request::post(PATH)
        .header(header::HOST, "as.example.com")
        .header(header::USER_AGENT, "client/1.0")
        .header(header::ACCEPT, "*/*")
        .header(
            header::AUTHORIZATION,
            "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3",
        )
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::CONTENT_LENGTH, body.len())
        .body(Full::from(body))
        .expect("a valid request")
}
