//! What is a registered client?

use std::time::SystemTime;

#[cfg(feature = "mtls")]
use crate::client::certificate::CertificateSubject;
use crate::client::{AuthMethod, Identified, SecretDigest};
#[cfg(feature = "jwt")]
use crate::jose::{Algorithm, HmacKey, Keys};

/// A registered client, in the terms of RFC 7591 §2.
///
/// Its authentication methods bind: credentials that are right, but came by another method, are
/// refused.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_revocation::{Secret, client::{SecretDigest, registry::Client}};
///
/// // A rotation: the new secret, and the old one for a day.
/// let new = SecretDigest::sha256(&Secret::new("7Fjfp0ZBr1KtDRbnfVdmIw"));
/// let old = SecretDigest::sha256(&Secret::new("gX1fBat3bV"));
/// let tomorrow = SystemTime::now() + Duration::from_secs(24 * 60 * 60);
/// let client = Client::confidential("s6BhdRkqt3", new).with_previous_secret(old, tomorrow);
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
    pub(super) redirect_uris: Vec<String>,
    pub(super) grant_types: Vec<String>,
    pub(super) scope: Option<String>,
    pub(super) name: Option<String>,
}

/// One of a client's secrets, and until when it is one.
#[derive(Clone, Debug)]
pub(super) struct ClientSecret {
    pub(super) digest: SecretDigest,
    /// The secret itself, where something has to be computed with it.
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

/// How a client's Basic credentials are read.
///
/// RFC 6749 §2.3.1 has both halves form-encoded before they become Basic. Many clients leave that
/// out, which shows only if the identifier or the secret has a `+`, a `%` or a colon.
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
    /// Form-decoded, as the specification has it.
    #[default]
    Form,
    /// As they are, for a client that does not encode.
    Raw,
    /// Either reading, for a client of which that is not known. It grants two guesses an attempt.
    FormThenRaw,
}

impl Client {
    /// A client with a secret that does not expire, accepted by `client_secret_basic` (the default
    /// of RFC 7591 §2).
    pub fn confidential(client_id: impl Into<String>, secret: SecretDigest) -> Self {
        let mut client = Self::new(client_id, AuthMethod::ClientSecretBasic);
        client.secrets[0] = Some(ClientSecret::new(secret, None));
        client
    }

    /// A client without a secret, whose method is `none` (RFC 6749 §2.1).
    pub fn public(client_id: impl Into<String>) -> Self {
        Self::new(client_id, AuthMethod::None)
    }

    /// A client of this one method. What it is proven by is added by the methods below.
    ///
    /// ```
    /// use tower_revocation::client::{AuthMethod, registry::Client};
    ///
    /// let client = Client::new("pk-client", AuthMethod::PrivateKeyJwt);
    /// # #[cfg(feature = "jwt")]
    /// let client = client.with_jwks_uri("https://client.example.com/keys")?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(client_id: impl Into<String>, method: AuthMethod) -> Self {
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
            redirect_uris: Vec::new(),
            grant_types: vec!["authorization_code".to_owned()],
            scope: None,
            name: None,
        }
    }

    /// The identifier. **Compared byte for byte, without normalisation.**
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.id
    }

    /// The methods that are accepted. Names that this crate does not know are left out: a client
    /// that was registered with no other is always refused.
    #[must_use]
    pub fn token_endpoint_auth_methods(&self) -> &[AuthMethod] {
        &self.token_endpoint_auth_methods
    }

    /// How its Basic credentials are read.
    #[must_use]
    pub fn basic_decoding(&self) -> BasicDecoding {
        self.basic_decoding
    }

    /// Whether it is refused, as if it were not registered.
    #[must_use]
    pub fn disabled(&self) -> bool {
        self.disabled
    }

    /// Its redirection URIs.
    #[must_use]
    pub fn redirect_uris(&self) -> &[String] {
        &self.redirect_uris
    }

    /// Its grant types.
    #[must_use]
    pub fn grant_types(&self) -> &[String] {
        &self.grant_types
    }

    /// The scope values that it may ask for, separated by spaces.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// What people call it.
    #[must_use]
    pub fn client_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether credentials of this method may be its.
    pub(crate) fn admits(&self, method: AuthMethod) -> bool {
        !self.disabled && self.token_endpoint_auth_methods.contains(&method)
    }

    /// Whether naming it is enough. Not if there is anything to prove it by, even a secret that has
    /// expired.
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

    /// Whether it is registered for this algorithm, if it is registered for any.
    #[cfg(feature = "jwt")]
    pub(crate) fn signs_by(&self, algorithm: Algorithm) -> Option<bool> {
        let registered = &self.signing_algs;
        (!registered.is_empty()).then(|| registered.contains(&algorithm))
    }

    /// Its secrets that have not expired, as far as they are kept themselves.
    #[cfg(feature = "jwt")]
    pub(crate) fn live_hmac_keys(&self, now: SystemTime) -> impl Iterator<Item = &HmacKey> {
        self.secrets
            .iter()
            .flatten()
            .filter(move |secret| secret.is_live(now))
            .filter_map(|secret| secret.hmac_key.as_ref())
    }

    /// Whether a secret of it, even an expired one, is kept as a password hash.
    pub(super) fn is_hashed(&self) -> bool {
        let mut secrets = self.secrets.iter().flatten();
        secrets.any(|secret| secret.digest.is_password())
    }

    /// Its secrets that have not expired: always two places.
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
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::token::Secret;

    #[test]
    fn a_secret_ends_in_the_moment_in_which_it_expires() {
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000);
        let digest = SecretDigest::sha256(&Secret::new("gX1fBat3bV"));
        let client = Client::confidential("s6BhdRkqt3", digest.clone())
            .with_secret_expires_at(end)
            .with_previous_secret(digest, end - Duration::from_secs(1));
        let live = |now| client.live_secrets(now).map(|secret| secret.is_some());

        assert_eq!(live(end - Duration::from_secs(2)), [true, true]);
        assert_eq!(live(end - Duration::from_secs(1)), [true, false]);
        assert_eq!(live(end - Duration::from_nanos(1)), [true, false]);
        assert_eq!(live(end), [false, false]);
    }
}
