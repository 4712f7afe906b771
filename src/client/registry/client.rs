//! A registered client.

use std::time::SystemTime;

#[cfg(feature = "mtls")]
use crate::client::certificate::CertificateSubject;
use crate::client::{AuthMethod, Identified, SecretDigest};
#[cfg(feature = "jwt")]
use crate::jose::{Algorithm, HmacKey, Keys};

/// A registered client, in the terms of RFC 7591 §2.
///
/// Its authentication methods are binding: correct credentials that use another method are refused.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_revocation::{Secret, client::{SecretDigest, registry::Client}};
///
/// // A rotation: the new secret, and the old one for a day.
/// let new = SecretDigest::sha256(&Secret::new("7Fjfp0ZBr1KtDRbnfVdmIw"));
/// let old = SecretDigest::sha256(&Secret::new("gX1fBat3bV"));
/// let tomorrow = SystemTime::now() + Duration::from_secs(24 * 60 * 60);
/// let client = Client::builder("s6BhdRkqt3")
///     .secret(new)
///     .previous_secret(old, tomorrow)
///     .build();
/// assert_eq!(client.client_id(), "s6BhdRkqt3");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Client {
    pub(super) id: String,
    pub(super) secrets: [Option<ClientSecret>; 2],
    pub(super) token_endpoint_auth_methods: Vec<AuthMethod>,
    pub(super) basic_decoding: BasicDecoding,
    #[cfg(feature = "jwt")]
    pub(super) keys: Option<Keys>,
    #[cfg(feature = "jwt")]
    pub(super) signing_algs: Vec<Algorithm>,
    #[cfg(feature = "mtls")]
    pub(super) certificate_subject: Option<CertificateSubject>,
    pub(super) disabled: bool,
    pub(super) issuers: Vec<String>,
    pub(super) redirect_uris: Vec<String>,
    pub(super) grant_types: Vec<String>,
    pub(super) scope: Option<String>,
    pub(super) name: Option<String>,
}

/// A secret of a client, and when it expires.
#[derive(Clone, Debug)]
pub(super) struct ClientSecret {
    pub(super) digest: SecretDigest,
    /// The secret as a key, for methods that compute with it.
    #[cfg(feature = "jwt")]
    pub(super) hmac_key: Option<HmacKey>,
    pub(super) expires_at: Option<SystemTime>,
}

impl ClientSecret {
    pub(super) fn new(digest: SecretDigest, expires_at: Option<SystemTime>) -> Self {
        Self {
            digest,
            #[cfg(feature = "jwt")]
            hmac_key: None,
            expires_at,
        }
    }

    fn is_live(&self, now: SystemTime) -> bool {
        self.expires_at.is_none_or(|at| at > now)
    }
}

/// How the Basic credentials of a client are decoded.
///
/// RFC 6749 §2.3.1 requires clients to form-encode the identifier and the secret before they apply
/// Basic. Many clients do not. The difference shows only if the identifier or the secret contains a
/// `+`, a `%` or a colon.
///
/// ```
/// use tower_revocation::client::registry::{BasicDecoding, Client};
///
/// let client = Client::public("spa-1");
/// assert_eq!(client.basic_decoding(), BasicDecoding::Form);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BasicDecoding {
    /// Form-decoded, as the specification requires. The default.
    #[default]
    Form,
    /// Taken as they are, for a client that does not encode.
    Raw,
    /// Both readings are tried, for a client whose encoding is unknown. Each attempt is then two
    /// guesses.
    FormThenRaw,
}

impl Client {
    /// Creates a client with a secret that does not expire. Its method is `client_secret_basic`,
    /// the default of RFC 7591 §2.
    pub fn confidential(client_id: impl Into<String>, secret: SecretDigest) -> Self {
        let mut client = Self::new(client_id, AuthMethod::ClientSecretBasic);
        client.secrets[0] = Some(ClientSecret::new(secret, None));
        client
    }

    /// Creates a public client: it has no secret, and its method is `none` (RFC 6749 §2.1).
    pub fn public(client_id: impl Into<String>) -> Self {
        Self::new(client_id, AuthMethod::None)
    }

    /// Creates a client of one method, which has nothing to prove its identity with.
    pub(super) fn new(client_id: impl Into<String>, method: AuthMethod) -> Self {
        Self {
            id: client_id.into(),
            secrets: [None, None],
            token_endpoint_auth_methods: vec![method],
            basic_decoding: BasicDecoding::default(),
            #[cfg(feature = "jwt")]
            keys: None,
            #[cfg(feature = "jwt")]
            signing_algs: Vec::new(),
            #[cfg(feature = "mtls")]
            certificate_subject: None,
            disabled: false,
            issuers: Vec::new(),
            redirect_uris: Vec::new(),
            grant_types: vec!["authorization_code".to_owned()],
            scope: None,
            name: None,
        }
    }

    /// Returns the identifier. **Compared byte for byte, without normalisation.**
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.id
    }

    /// Returns the accepted authentication methods.
    ///
    /// Methods that this crate does not know are left out. A client that is registered only for
    /// such methods is always refused.
    #[must_use]
    pub fn token_endpoint_auth_methods(&self) -> &[AuthMethod] {
        &self.token_endpoint_auth_methods
    }

    /// Returns how the Basic credentials of the client are decoded.
    #[must_use]
    pub fn basic_decoding(&self) -> BasicDecoding {
        self.basic_decoding
    }

    /// Returns whether the client is refused as if it were not registered.
    #[must_use]
    pub fn disabled(&self) -> bool {
        self.disabled
    }

    /// Returns the issuers whose tokens the client may revoke. Empty: those of any issuer.
    #[must_use]
    pub fn issuers(&self) -> &[String] {
        &self.issuers
    }

    /// Returns the redirection URIs.
    #[must_use]
    pub fn redirect_uris(&self) -> &[String] {
        &self.redirect_uris
    }

    /// Returns the grant types.
    #[must_use]
    pub fn grant_types(&self) -> &[String] {
        &self.grant_types
    }

    /// Returns the scope values that the client may request, separated by spaces.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// Returns the name of the client for people.
    #[must_use]
    pub fn client_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether the client may authenticate with this method.
    pub(crate) fn admits(&self, method: AuthMethod) -> bool {
        !self.disabled && self.token_endpoint_auth_methods.contains(&method)
    }

    /// Whether the client needs no proof of its identity. A client that has a secret, keys or a
    /// certificate subject needs one, even if the secret has expired.
    pub(super) fn is_public(&self) -> bool {
        #[cfg(feature = "jwt")]
        if self.keys.is_some() {
            return false;
        }
        #[cfg(feature = "mtls")]
        if self.certificate_subject.is_some() {
            return false;
        }
        self.admits(AuthMethod::None) && self.secrets.iter().all(Option::is_none)
    }

    #[cfg(feature = "jwt")]
    pub(crate) fn keys(&self) -> Option<&Keys> {
        self.keys.as_ref()
    }

    #[cfg(feature = "mtls")]
    pub(super) fn certificate_subject(&self) -> Option<&CertificateSubject> {
        self.certificate_subject.as_ref()
    }

    /// Whether the client is registered for this algorithm. `None` if it is registered for no
    /// particular algorithm.
    #[cfg(feature = "jwt")]
    pub(crate) fn signs_with(&self, algorithm: Algorithm) -> Option<bool> {
        let registered = &self.signing_algs;
        (!registered.is_empty()).then(|| registered.contains(&algorithm))
    }

    /// The secrets that have not expired and are kept in plain text.
    #[cfg(feature = "jwt")]
    pub(crate) fn live_hmac_keys(&self, now: SystemTime) -> impl Iterator<Item = &HmacKey> {
        self.secrets
            .iter()
            .flatten()
            .filter(move |secret| secret.is_live(now))
            .filter_map(|secret| secret.hmac_key.as_ref())
    }

    /// Whether a secret, even an expired one, is kept as a password hash.
    pub(super) fn is_hashed(&self) -> bool {
        let mut secrets = self.secrets.iter().flatten();
        secrets.any(|secret| secret.digest.is_password())
    }

    /// The secrets that have not expired. Always two slots, so that the work does not depend on the
    /// client.
    pub(super) fn live_secrets(&self, now: SystemTime) -> [Option<&SecretDigest>; 2] {
        self.secrets.each_ref().map(|secret| {
            let secret = secret.as_ref().filter(|secret| secret.is_live(now))?;
            Some(&secret.digest)
        })
    }
}

impl Identified for Client {
    fn client_id(&self) -> &str {
        &self.id
    }

    /// **Compared byte for byte, without normalisation.** A token without an `iss` belongs to no
    /// issuer.
    fn is_client_of(&self, iss: Option<&str>) -> bool {
        self.issuers.is_empty() || iss.is_some_and(|iss| self.issuers.iter().any(|it| it == iss))
    }

    /// A client that has a secret, keys or a certificate subject is not, even if the secret has expired.
    fn is_public(&self) -> bool {
        Self::is_public(self)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::token::Secret;

    #[test]
    fn secret_is_refused_from_the_moment_it_expires() {
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000);
        let digest = SecretDigest::sha256(&Secret::new("gX1fBat3bV"));
        let client = Client::builder("s6BhdRkqt3")
            .secret(digest.clone())
            .secret_expires_at(end)
            .previous_secret(digest, end - Duration::from_secs(1))
            .build();
        let live = |now| client.live_secrets(now).map(|secret| secret.is_some());

        assert_eq!(live(end - Duration::from_secs(2)), [true, true]);
        assert_eq!(live(end - Duration::from_secs(1)), [true, false]);
        assert_eq!(live(end - Duration::from_nanos(1)), [true, false]);
        assert_eq!(live(end), [false, false]);
    }
}
