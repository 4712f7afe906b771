//! The store for every revocation: one registered client, and tokens in memory.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

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
    /// All tokens belong to the client.
    pub(crate) fn new(tokens: impl IntoIterator<Item: AsRef<str>>) -> Self {
        let owned = |token: &str| (digest(token), "s6BhdRkqt3".to_owned());
        let tokens = tokens.into_iter().map(|token| owned(token.as_ref()));
        Self {
            clients: Arc::new(HashMap::from([(
                "s6BhdRkqt3".to_owned(),
                digest("7Fjfp0ZBr1KtDRbnfVdmIw"),
            )])),
            tokens: Arc::new(Mutex::new(tokens.collect())),
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
