//! Clients in memory.

use std::{collections::HashMap, sync::Arc};

use tower::BoxError;

#[cfg(doc)]
use super::BasicDecoding;
use super::{Client, Clients, RegistryError, registration};

/// Clients in memory.
///
/// A clone is cheap. It does not see clients that are inserted later.
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
    /// The number of clients that have a secret stored as a password hash.
    hashed: usize,
}

impl Registry {
    /// Reads a JSON document: one client, or an array of clients.
    ///
    /// The members are those of RFC 7591 §2 and §3.2.1, and some of our own. A member that is
    /// `null` counts as absent. A member that is not in this table is ignored.
    ///
    /// | Member | Meaning | Default |
    /// |---|---|---|
    /// | `client_id` | the identifier, compared byte for byte | required |
    /// | `client_secret` | the secret; only its SHA-256 is kept, unless the method is `client_secret_jwt` | |
    /// | `client_secret_sha256` | ours: the SHA-256 of the secret, in hexadecimal or base64url | |
    /// | `client_secret_hmac_sha256` | ours: the HMAC-SHA-256 of the secret under the key of the authenticator, in the same encodings | |
    /// | `client_secret_hash` | ours: a password hash, PHC or bcrypt (feature `password-hashes`) | |
    /// | `client_secret_expires_at` | seconds since 1970; from this moment the secret is refused. `0`: never | `0` |
    /// | `client_secrets` | ours, for rotation: an array of objects with the members above that begin with `client_secret` | |
    /// | `token_endpoint_auth_method` | the only accepted method | `client_secret_basic` |
    /// | `token_endpoint_auth_methods` | ours: all accepted methods | the method above |
    /// | `jwks`, `jwks_uri` | the public keys, at most 100 (keys that cannot sign are left out), or their https URI (feature `jwt`) | |
    /// | `token_endpoint_auth_signing_alg` | the only accepted signing algorithm (feature `jwt`) | all that the keys admit; HS256 for a secret |
    /// | `token_endpoint_auth_signing_algs` | ours: all accepted signing algorithms (feature `jwt`) | the algorithm above |
    /// | `tls_client_auth_subject_dn`, `_san_dns`, `_san_uri`, `_san_ip`, `_san_email` | the subject of the certificate; exactly one of them (feature `mtls`) | |
    /// | `tls_client_auth_subject_dn_in_either_order` | ours: the name may also be written in the order of the certificate (feature `mtls`) | `false` |
    /// | `basic_decoding` | ours: `form`, `raw` or `form_then_raw`, see [`BasicDecoding`] | `form` |
    /// | `disabled` | ours: the client is refused | `false` |
    /// | `issuers` | ours: an array of the issuers whose tokens the client may revoke, compared byte for byte | any |
    /// | `redirect_uris`, `grant_types`, `scope`, `client_name` | kept for the authorization server | none; `authorization_code` |
    ///
    /// A client has at most two secrets. A client whose methods this crate does not verify is read,
    /// and always refused.
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
    /// Fails with line, column and reason if:
    ///
    /// * the document is not JSON, or a member has the wrong type;
    /// * a `client_id` is empty or appears twice;
    /// * a secret is empty, missing, written twice, or given to a public client, or there are more
    ///   than two;
    /// * keys are private, unsound, missing, or given in two ways;
    /// * an algorithm is not supported, or a secret is too short for its algorithm;
    /// * the certificate subject is missing, given twice, or cannot be read.
    ///
    /// An error about a client as a whole points to its closing brace. The reason never repeats a
    /// secret.
    pub fn from_json(json: &str) -> Result<Self, RegistryError> {
        registration::read(json, None).map(Self::new)
    }

    /// Reads the clients of a server that revokes the tokens of these issuers.
    ///
    /// If there are several, every client must name its own in `issuers`: at each issuer, the same
    /// identifier may belong to another client. If there is one, `issuers` may be left out.
    ///
    /// ```
    /// use tower_revocation::client::registry::Registry;
    ///
    /// let issuers = ["https://shop.example.com", "https://bank.example.com"];
    /// let clients = r#"{
    ///     "client_id": "s6BhdRkqt3",
    ///     "client_secret": "gX1fBat3bV",
    ///     "issuers": ["https://shop.example.com"]
    /// }"#;
    /// assert!(Registry::from_json_of_issuers(clients, &issuers).is_ok());
    ///
    /// let clients = r#"{ "client_id": "s6BhdRkqt3", "client_secret": "gX1fBat3bV" }"#;
    /// assert!(Registry::from_json_of_issuers(clients, &issuers).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// Fails like [`from_json`](Self::from_json), and if a client names another issuer, or names
    /// none although there are several.
    pub fn from_json_of_issuers(json: &str, issuers: &[&str]) -> Result<Self, RegistryError> {
        registration::read(json, Some(issuers)).map(Self::new)
    }

    fn new(clients: HashMap<String, Arc<Client>>) -> Self {
        let hashed = clients.values().filter(|client| client.is_hashed());
        let hashed = hashed.count();
        Self {
            clients: Arc::new(clients),
            hashed,
        }
    }

    pub(super) fn get(&self, client_id: &str) -> Option<Arc<Client>> {
        self.clients.get(client_id).cloned()
    }

    pub(super) fn len(&self) -> usize {
        self.clients.len()
    }

    /// Adds a client, or replaces the client with the same identifier and returns the old one.
    pub fn insert(&mut self, client: Client) -> Option<Arc<Client>> {
        let client_id = client.client_id().to_owned();
        self.hashed += usize::from(client.is_hashed());
        let replaced = Arc::make_mut(&mut self.clients).insert(client_id, Arc::new(client));
        self.hashed -= usize::from(replaced.as_ref().is_some_and(|client| client.is_hashed()));
        replaced
    }
}

impl FromIterator<Client> for Registry {
    /// If several clients have the same identifier, the last one is kept.
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
