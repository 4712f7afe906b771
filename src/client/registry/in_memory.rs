//! Clients in memory.

use std::{collections::HashMap, sync::Arc};

use tower::BoxError;

#[cfg(doc)]
use super::BasicDecoding;
use super::{Client, Clients, RegistryError, registration};

/// Clients in memory. A clone is cheap, and does not see what is inserted later.
///
/// ```
/// use tower_revocation::{Secret, client::{SecretDigest, registry::{Client, Registry}}};
///
/// let digest = SecretDigest::sha256(&Secret::new("gX1fBat3bV"));
/// let mut clients = Registry::from_iter([Client::confidential("s6BhdRkqt3", digest)]);
/// clients.insert(Client::public("spa-1"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Registry {
    clients: Arc<HashMap<String, Arc<Client>>>,
    /// How many of them have a secret that is kept as a password hash.
    hashed: usize,
}

impl Registry {
    /// Reads a JSON document: one client, or an array of clients.
    ///
    /// Members are those of RFC 7591 §2 and §3.2.1, with some of our own; one that is `null` counts
    /// as absent, and one that is not in the table is ignored.
    ///
    /// | Member | Meaning | Absent |
    /// |---|---|---|
    /// | `client_id` | compared byte for byte | refused |
    /// | `client_secret` | the secret itself; only its SHA-256 is kept, unless the method is `client_secret_jwt` | |
    /// | `client_secret_sha256` | ours: its SHA-256, in hexadecimal or base64url | |
    /// | `client_secret_hmac_sha256` | ours: its HMAC-SHA-256 under the authenticator's key, likewise | |
    /// | `client_secret_hash` | ours: a password hash, PHC or bcrypt (feature `password-hashes`) | |
    /// | `client_secret_expires_at` | seconds since 1970; from then on the secret is refused. `0`: never | `0` |
    /// | `client_secrets` | ours, for rotation: an array of objects of the members above that begin with `client_secret` | |
    /// | `token_endpoint_auth_method` | the one method that is accepted | `client_secret_basic` |
    /// | `token_endpoint_auth_methods` | ours: all methods that are accepted | the one above |
    /// | `jwks`, `jwks_uri` | its public keys, at most 100, of which those that sign nothing are left out; or where they are, over https (feature `jwt`) | |
    /// | `token_endpoint_auth_signing_alg` | the one algorithm that it may sign with (feature `jwt`) | any that its keys admit; HS256 for a secret |
    /// | `token_endpoint_auth_signing_algs` | ours: all of them (feature `jwt`) | the one above |
    /// | `tls_client_auth_subject_dn`, `_san_dns`, `_san_uri`, `_san_ip`, `_san_email` | what its certificate says; one of them (feature `mtls`) | |
    /// | `tls_client_auth_subject_dn_in_either_order` | ours: the name may be written in the order of the certificate (feature `mtls`) | `false` |
    /// | `basic_decoding` | ours: `form`, `raw` or `form_then_raw`, see [`BasicDecoding`] | `form` |
    /// | `disabled` | ours: the client is refused | `false` |
    /// | `redirect_uris`, `grant_types`, `scope`, `client_name` | kept for the authorization server | none; `authorization_code` |
    ///
    /// A client has at most two secrets. A client of a method that this crate does not verify is
    /// read, and always refused.
    ///
    /// ```
    /// use tower_revocation::client::registry::Registry;
    ///
    /// let error = Registry::from_json("[\n  { \"client_id\": \"s6BhdRkqt3\" }\n]").unwrap_err();
    /// assert_eq!(error.line(), 2);
    /// assert_eq!(
    ///     error.to_string(),
    ///     "line 2, column 31: client \"s6BhdRkqt3\": a confidential client needs a secret",
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// With line, column and reason, for what is not JSON or has other types, for a `client_id`
    /// that is empty or repeated, and for secrets that are empty, missing, one too many, written
    /// twice, or given to a public client; for keys that are private, unsound, missing or in two
    /// places, an algorithm that is not verified, a secret that is too short for its own; and for
    /// certificates that are named in no way, in two, or in one that cannot be read. What concerns a
    /// client as a whole is found at its closing brace. The reason never repeats a secret.
    pub fn from_json(json: &str) -> Result<Self, RegistryError> {
        let clients = Arc::new(registration::read(json)?);
        let hashed = clients.values().filter(|client| client.is_hashed());
        let hashed = hashed.count();
        Ok(Self { clients, hashed })
    }

    pub(super) fn get(&self, client_id: &str) -> Option<Arc<Client>> {
        self.clients.get(client_id).cloned()
    }

    pub(super) fn len(&self) -> usize {
        self.clients.len()
    }

    /// Adds a client, or replaces the one of the same identifier and returns that.
    pub fn insert(&mut self, client: Client) -> Option<Arc<Client>> {
        let client_id = client.client_id().to_owned();
        self.hashed += usize::from(client.is_hashed());
        let replaced = Arc::make_mut(&mut self.clients).insert(client_id, Arc::new(client));
        self.hashed -= usize::from(replaced.as_ref().is_some_and(|client| client.is_hashed()));
        replaced
    }
}

impl FromIterator<Client> for Registry {
    /// Of clients of one identifier the last is kept.
    fn from_iter<I: IntoIterator<Item = Client>>(clients: I) -> Self {
        let mut registry = Self::default();
        for client in clients {
            registry.insert(client);
        }
        registry
    }
}

impl Clients for Registry {
    async fn client(&self, client_id: &str) -> Result<Option<Arc<Client>>, BoxError> {
        Ok(self.get(client_id))
    }

    fn have_password_hashes(&self) -> bool {
        self.hashed > 0
    }
}
